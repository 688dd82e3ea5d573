"""What cloth may not pass: planes over the nearest points of a moving collider, and the arms above the trunk.

Planes are moving least squares over nearby points (Shen et al. 2004). All arrays are (3, V): one lane a vertex.
"""

import jax
import jax.numpy as jnp

from tryon_jax.simulation.collider import LIMB_METRES

REACH = 0.010  # metres: standard deviation of the least squares' weights
PUSH = 0.01  # metres that a contact may move a vertex in one substep


def take(array, indices):
    """array[:, indices], known to be in range."""
    return array.at[:, indices].get(mode="promise_in_bounds")


def between(keys, place):
    """Linear interpolation of keys [K, ...] at a place in [0, K - 1]."""
    first = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, max(keys.shape[0] - 2, 0))
    second = jnp.minimum(first + 1, keys.shape[0] - 1)
    return keys[first] + (place - first) * (keys[second] - keys[first])


def planes(x, cloth, points, normals, motion, ring, limbs, chosen, rotation):
    """Contact plane of every vertex: its normal [3, V], offset [V] and motion a substep [3, V]; the nearest point [V].

    Candidates are the last nearest point, its ring, and the nearest point of one neighbour.
    """
    borrowed = chosen.at[cloth.many.partner[rotation]].get(mode="promise_in_bounds")
    candidates = jnp.concatenate([take(ring, chosen), borrowed[None]])
    places = jax.lax.optimization_barrier(
        [points[axis].at[candidates].get(mode="promise_in_bounds") for axis in range(3)]
    )
    away = sum((places[axis] - x[axis]) ** 2 for axis in range(3))
    apart = [limbs[k].at[candidates].get(mode="promise_in_bounds") - cloth.limbs[k] for k in range(2)]
    away = away + sum(cloth.counts[k] * (LIMB_METRES * apart[k]) ** 2 for k in range(2))
    away = jax.lax.optimization_barrier(away)
    best = jnp.argmin(away, axis=0)
    weight = jnp.exp((away.min(0) - away) / (2 * REACH**2))
    weight = weight / weight.sum(0)
    directions = jax.lax.optimization_barrier(
        [normals[axis].at[candidates].get(mode="promise_in_bounds") for axis in range(3)]
    )
    mean = jnp.stack([(weight * directions[axis]).sum(0) for axis in range(3)])
    offset = (weight * sum(directions[axis] * places[axis] for axis in range(3))).sum(0)
    # Half cancelled normals (a fold of the skin) still point out of it; 0.2 keeps their plane where it is.
    length = jnp.maximum(jnp.sqrt((mean**2).sum(0)), 0.2)
    chosen = jnp.take_along_axis(candidates, best[None], 0)[0]
    moved = jnp.stack([(motion[axis].at[chosen].get(mode="promise_in_bounds")) for axis in range(3)])
    return jax.lax.optimization_barrier((mean / length, offset / length, moved, chosen))


def nearest_arm(x, ends, radius):
    """Of the limbs' capsules, ends [N, 2, 3] and radius [N], the one nearest to each vertex: its start and axis
    [3, V] and its radius [V]."""
    best = jnp.full(x.shape[1], jnp.inf)
    chosen = (jnp.zeros_like(x), jnp.ones_like(x), jnp.zeros(x.shape[1]))
    for limb in range(ends.shape[0]):
        start, axis = ends[limb, 0][:, None], (ends[limb, 1] - ends[limb, 0])[:, None]
        away = jnp.sqrt(((x - _on_segment(x, start, axis)) ** 2).sum(0)) - radius[limb]
        nearer = away < best
        best = jnp.where(nearer, away, best)
        mine = (start, axis, radius[limb])
        chosen = tuple(jnp.where(nearer, new, old) for new, old in zip(mine, chosen, strict=True))
    return jax.lax.optimization_barrier(chosen)


def _on_segment(p, start, axis):
    """The point of a segment nearest to each of p [3, V]."""
    share = ((p - start) * axis).sum(0) / (axis**2).sum(0)
    return start + jnp.clip(share, 0, 1) * axis


def under_arms(p, normal, offset, cloth, arm):
    """Keeps cloth of the trunk on its side of the arms, which press it but never lift it."""
    start, axis, radius = arm
    room = jnp.maximum((normal * p).sum(0) - offset - cloth.thickness, 0)
    # 1e-6 m: on the axis itself.
    away = jnp.sqrt(((p - _on_segment(p, start, axis)) ** 2).sum(0) + 1e-12)
    deep = jnp.clip(radius + cloth.thickness - away, 0, PUSH)
    trunk = jnp.abs(cloth.limbs[0]) < 0.6
    return p - jnp.where(trunk, jnp.minimum(deep, room), 0) * normal
