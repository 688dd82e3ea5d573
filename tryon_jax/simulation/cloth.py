"""Quasi-static cloth: extended position-based dynamics of one garment against moving points with normals.

Macklin et al. 2016 ("XPBD", eq. 17-18) with small substeps and one pass each (Macklin et al. 2019). Edges are coloured,
so that a colour's corrections touch every vertex at most once: each vertex gathers its partner, nothing is scattered.
Bending is the squared cotangent Laplacian (Bergou et al. 2006), a damped Jacobi step of it. Contact planes come from
moving least squares over nearby points (Shen et al. 2004), once a frame. All arrays are (3, V): one lane a vertex.

On CPUs the same is done by the kernel native/cloth.cc, in a fifth of the time; what is below serves elsewhere, and
where there is no compiler. The two round differently, so that folds come to lie a little otherwise.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import native
from tryon_jax.simulation import contacts
from tryon_jax.simulation.collider import LIMB_METRES
from tryon_jax.simulation.contacts import PUSH, REACH, take

PATHS = ("auto", "jax", "native")
SUBSTEPS = 8  # an even number
STEP = 1 / 960  # seconds
GRAVITY = 9.81
THICKNESS = 0.003  # metres between cloth and skin
SPEED = 4.0  # metres a second: faster cloth is thrown off, not draped
COLOURS = 14
FULL = 6  # colours that nearly all vertices have edges of; the few edges of the others are passed over in few lanes


class Cloth(NamedTuple):
    """One mesh. partner [C, V] i32: neighbour in each colour (itself for none); rest [C, V] metres; hold [C, V]: share
    of a stretch that is taken back in one pass, zero for none; cotangent [C, V]; area [V] m^2; inner [V]: 1 where
    bending acts; anchor [V] i32 and tether [V] metres (infinite for none); limbs, counts [2, V] as in
    collider.nearest; thickness [V] metres off the skin; ceiling [V]:
    metres off the skin at most (infinite for none); pinned [V] in [0, 1]; colours: how many are used; lanes [V] i32:
    the vertices, those with edges of colours from FULL on before the others; late [K]: lanes among which they are."""

    partner: jax.Array
    rest: jax.Array
    hold: jax.Array
    cotangent: jax.Array
    area: jax.Array
    inner: jax.Array
    anchor: jax.Array
    tether: jax.Array
    limbs: jax.Array
    counts: jax.Array
    thickness: jax.Array
    ceiling: jax.Array
    pinned: jax.Array
    colours: jax.Array
    lanes: jax.Array
    late: jax.Array


class Edges(NamedTuple):
    """Edges of some colours of the first W lanes: partner, rest, hold, cotangent [C, W] as in Cloth; used: how many of
    the colours are."""

    partner: jax.Array
    rest: jax.Array
    hold: jax.Array
    cotangent: jax.Array
    used: jax.Array


class Lanes(NamedTuple):
    """A Cloth with its vertices in the order of its lanes: many and few, its Edges of the first FULL colours and of the
    others; curved [V]: curvature a unit of Laplacian; soft [V]: bending's diagonal, m^-2; the rest as in Cloth."""

    many: Edges
    few: Edges
    curved: jax.Array
    soft: jax.Array
    area: jax.Array
    anchor: jax.Array
    tether: jax.Array
    limbs: jax.Array
    counts: jax.Array
    thickness: jax.Array
    ceiling: jax.Array
    pinned: jax.Array


class Schedule(NamedTuple):
    """What happens frame by frame, [F] each: key, the place in the motion's key frames at its start; following, at its
    end; gravity (1 is the earth's); bending, a factor; damping of the velocity a substep, zero in
    frames of padding at the end: one length of schedule is one compilation."""

    key: np.ndarray
    following: np.ndarray
    gravity: np.ndarray
    bending: np.ndarray
    damping: np.ndarray


def _in_lanes(cloth):
    """The Lanes of a Cloth, and the lane [V] of every vertex."""
    size, few = len(cloth.area), len(cloth.late)
    lane = jnp.zeros(size, jnp.int32).at[cloth.lanes].set(jnp.arange(size, dtype=jnp.int32), unique_indices=True)
    ordered = [take(values, cloth.lanes) for values in (cloth.rest, cloth.hold, cloth.cotangent)]
    edges = [lane[take(cloth.partner, cloth.lanes)], *ordered]
    many = Edges(*(values[:FULL] for values in edges), jnp.minimum(cloth.colours, FULL))
    late = Edges(*(values[FULL:, :few] for values in edges), jnp.maximum(cloth.colours - FULL, 0))
    total = (cloth.cotangent.sum(0) ** 2 + (cloth.cotangent**2).sum(0)) / cloth.area
    limbs, counts = take(cloth.limbs, cloth.lanes), take(cloth.counts, cloth.lanes)
    curved, soft, area, tether, thickness, ceiling, pinned = (
        values[cloth.lanes]
        for values in (
            cloth.inner / cloth.area, total, cloth.area, cloth.tether, cloth.thickness, cloth.ceiling, cloth.pinned,
        )
    )  # fmt: skip
    anchor = lane[cloth.anchor[cloth.lanes]]
    made = Lanes(many, late, curved, soft, area, anchor, tether, limbs, counts, thickness, ceiling, pinned)
    return made, lane


def _shortened(p, edges):
    """Edges toward their rest lengths, colour after colour, of lanes p, three rows [W]."""

    def colour(index, p):
        partner = edges.partner[index]
        between = [axis - axis.at[partner].get(mode="promise_in_bounds") for axis in p]
        # 1e-9 m: a vertex that is its own partner.
        length = jnp.sqrt(sum(axis * axis for axis in between)) + 1e-9
        share = 0.5 * edges.hold[index] * (1 - edges.rest[index] / length)
        return tuple(axis - share * way for axis, way in zip(p, between, strict=True))

    return jax.lax.fori_loop(0, edges.used, colour, p)


def _stretch(p, cloth):
    """Every edge toward its rest length."""
    # One array an axis: gathers of a single row are quicker on a CPU.
    p = _shortened(tuple(p), cloth.many)
    few = cloth.few.partner.shape[1]
    first = _shortened(tuple(axis[:few] for axis in p), cloth.few)
    return jnp.stack([jnp.concatenate([new, axis[few:]]) for new, axis in zip(first, p, strict=True)])


def _summed(p, edges, total):
    """`total`, three rows [W], and over the neighbours of lanes p cotangent weight times difference."""

    def colour(index, total):
        partner, weight = edges.partner[index], edges.cotangent[index]
        return tuple(
            part + weight * (axis.at[partner].get(mode="promise_in_bounds") - axis)
            for part, axis in zip(total, p, strict=True)
        )

    return jax.lax.fori_loop(0, edges.used, colour, total)


def _laplacian(p, cloth):
    """Sum over neighbours of cotangent weight times difference, [3, V]."""
    p = tuple(p)
    total = _summed(p, cloth.many, tuple(jnp.zeros_like(axis) for axis in p))
    few = cloth.few.partner.shape[1]
    first = _summed(tuple(axis[:few] for axis in p), cloth.few, tuple(axis[:few] for axis in total))
    return jnp.stack([jnp.concatenate([new, axis[few:]]) for new, axis in zip(first, total, strict=True)])


def _bend(p, cloth, softened):
    """A damped Jacobi step, softened [V], on half the stiffness times the integral of the squared mean curvature."""
    return p - softened * _laplacian(_laplacian(p, cloth) * cloth.curved, cloth)


def _tethered(p, cloth):
    """No vertex further from its anchor than the cloth between them is long (Kim et al. 2012)."""
    between = p - take(p, cloth.anchor)
    length = jnp.sqrt((between**2).sum(0)) + 1e-9  # 1e-9 m: an anchor is its own
    return p - jnp.maximum(1 - cloth.tether / length, 0) * between


def _substep(cloth, collision, gravity, softened, damping, friction, index, bends, carry):
    x, v = carry
    normal, offset, moved, pins, pins_motion, arm = collision
    v = v.at[2].add(-GRAVITY * gravity * STEP)
    p = x + STEP * v
    p = _stretch(p, cloth)
    if bends:
        p = _bend(p, cloth, softened)
    p = _tethered(p, cloth)
    target = pins + (index + 1) * pins_motion
    p = p + cloth.pinned * (target - p)
    offset = offset + (index + 1) * (normal * moved).sum(0)
    p = contacts.under_arms(p, normal, offset, cloth, arm)
    high = (normal * p).sum(0) - offset - cloth.ceiling
    p = p - jnp.clip(high, 0, PUSH) * normal
    deep = offset + cloth.thickness - (normal * p).sum(0)
    p = p + jnp.clip(deep, 0, PUSH) * normal
    sliding = p - x - moved
    sliding = sliding - (normal * sliding).sum(0) * normal
    # Contacts within half a millimetre rub.
    p = p - jnp.where(deep > -5e-4, friction, 0) * sliding
    v = (p - x) * (damping / STEP)
    speed = jnp.sqrt((v**2).sum(0)) + 1e-9  # 1e-9 m/s: at rest
    return p, v * jnp.minimum(1.0, SPEED / speed)


@functools.partial(jax.jit, static_argnames="path")
def simulate(x, chosen, cloth, collider, pins, bending, friction, schedule, path="auto"):
    """Positions [3, V] after all frames of a Schedule, the nearest collider points [V], and the speed [V] in m/s left.

    x [3, V] metres; chosen [V] i32 nearest points to start from; cloth a Cloth; collider a collider.Collider; pins
    [K, 3, V]: where pinned vertices are at each key frame; bending N m over the fabric's kg/m^2; friction as in
    fabric.Fabric; path: "jax", this file's; "native", the C++ kernel, on CPUs only; "auto", the kernel where JAX's
    default is the CPU and there is a compiler, elsewhere "jax". NaN comes out if NaN goes in. Raises ValueError if the
    path is unknown, RuntimeError if it is "native" where there is no compiler.
    """
    if path not in PATHS:
        raise ValueError(f"no path {path!r}: choose one of {', '.join(PATHS)}")
    if path == "native" and not native.available():
        raise RuntimeError('path="native": there is no C++ kernel here; install a compiler, or take another path')
    # Not left to the platform of the arguments: tracing both paths would take longer than the kernel does.
    kernel = path == "native" or (path == "auto" and jax.default_backend() == "cpu" and native.available())
    schedule = jax.tree.map(jnp.asarray, schedule)
    lanes = cloth.lanes
    cloth, lane = _in_lanes(cloth)
    x, chosen, pins = take(x, lanes), chosen[lanes], pins[..., lanes]
    frames = _by_kernel if kernel else _by_jax
    x, chosen, speed = frames(x, chosen, cloth, collider, pins, bending, friction, schedule)
    return take(x, lane), chosen[lane], speed[lane]


def _by_kernel(x, chosen, cloth, collider, pins, bending, friction, schedule):
    """What simulate gives of a Lanes, made by native/cloth.cc."""
    rows = (cloth.curved, cloth.soft, cloth.area, cloth.tether, cloth.thickness, cloth.ceiling, cloth.pinned)
    constants = {"step": STEP, "gravity": GRAVITY, "reach": REACH, "push": PUSH, "speed": SPEED}
    constants = {name: np.float32(value) for name, value in {**constants, "limb_metres": LIMB_METRES}.items()}
    return native.cloth(
        x, chosen, cloth.many, cloth.few, jnp.stack(rows), cloth.anchor, jnp.concatenate([cloth.limbs, cloth.counts]),
        collider, pins, jnp.stack([jnp.float32(bending), jnp.float32(friction)]), jnp.stack(schedule),
        {"substeps": np.int32(SUBSTEPS), **constants},
    )  # fmt: skip


def _by_jax(x, chosen, cloth, collider, pins, bending, friction, schedule):
    """What simulate gives of a Lanes, made by XLA."""

    def frame(number, carry):
        x, v, chosen = carry
        now = jax.tree.map(lambda column: column[number], schedule)
        start, end = (contacts.between(collider.points, place) for place in (now.key, now.following))
        normals = contacts.between(collider.normals, now.key)
        rotation = number % cloth.many.used
        normal, offset, moved, chosen = contacts.planes(
            x, cloth, start, normals, (end - start) / SUBSTEPS, collider.ring, collider.limbs, chosen, rotation
        )
        held, held_next = (contacts.between(pins, place) for place in (now.key, now.following))
        arm = contacts.nearest_arm(x, contacts.between(collider.arms, now.following), collider.arms_radius)
        collision = (normal, offset, moved, held, (held_next - held) / SUBSTEPS, arm)
        # Bending takes twice as many passes as stretch and is slower: every other substep has the force of two.
        strength = 2 * bending * now.bending * STEP**2 / cloth.area
        softened = strength / (1 + 2 * strength * cloth.soft)
        step = functools.partial(_substep, cloth, collision, now.gravity, softened, now.damping, friction)

        def pair(index, carry):
            return step(2 * index + 1, False, step(2 * index, True, carry))

        x, v = jax.lax.fori_loop(0, SUBSTEPS // 2, pair, (x, v))
        return x, v, chosen

    frames = jnp.sum(schedule.damping > 0)
    x, v, chosen = jax.lax.fori_loop(0, frames, frame, (x, jnp.zeros_like(x), chosen))
    return x, chosen, jnp.sqrt((v**2).sum(0))
