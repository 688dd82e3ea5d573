"""A sheet drawn anew: every output pixel is a weighted mean of a few source pixels of one surface.

Planes, not pixels of many channels, and a loop over the sources: what enters a loop exists in memory, else
XLA on a CPU works out indices and weights again for every channel that uses them (5 times slower).
"""

import jax
import jax.numpy as jnp

PLANES = 11  # label, depth, rgb 3, normal 3, garment uv 2, strain


def to_planes(sheet):
    """Planes [11, H, W] of one sheet, a dict of the batch contract's targets without their side."""
    label = sheet["segmentation"][..., None].astype(jnp.float32)
    layers = [label, sheet["depth"], sheet["rgb"], sheet["normals"], sheet["garment_uv"], sheet["strain"]]
    return jnp.moveaxis(jnp.concatenate(layers, axis=-1), -1, 0)


def from_planes(planes, mask):
    """The sheet, a dict of arrays, of planes [11, H, W]; zero where mask [H, W] is False."""
    planes = jnp.where(mask, planes, 0.0)
    ranges = {"depth": (1, 2), "rgb": (2, 5), "normals": (5, 8), "garment_uv": (8, 10), "strain": (10, 11)}
    sheet = {name: jnp.moveaxis(planes[first:last], 0, -1) for name, (first, last) in ranges.items()}
    return sheet | {"segmentation": jnp.round(planes[0]).astype(jnp.int32)}


def gather(planes, index):
    """Values [C, ...] of planes [C, N] at index [...], which must lie in 0..N-1."""
    return jax.vmap(lambda plane: plane.at[index].get(mode="promise_in_bounds"))(planes)


def nearest(values, weights):
    """Of values [K, ...] those with the largest weight [K, ...]; the first of equals."""
    best, largest = values[0], weights[0]
    for value, weight in zip(values[1:], weights[1:], strict=True):
        best, largest = jnp.where(weight > largest, value, best), jnp.maximum(weight, largest)
    return best


def mean(planes, index, weights):
    """Weighted mean [C, ...] of planes [C, N] at K places: index and weights [K, ...], weights summing to 1."""

    def add(total, source):
        index, weight = source
        return total + weight * gather(planes, index), None

    return jax.lax.scan(add, jnp.zeros((planes.shape[0], *index.shape[1:])), (index, weights))[0]


def blend(planes, index, weights, jump):
    """Weighted mean [11, ...] of a sheet's planes [11, N] at K places: index and weights [K, ...].

    Labels are those of the heaviest place. Places whose depth differs from its by more than `jump` metres
    belong to another surface and do not count; garment coordinates are averaged inside one part only, for
    between two parts they would point anywhere. Zero where all weights are zero.
    """
    heaviest = gather(planes[:2], nearest(index, weights))

    def add(totals, source):
        (index, weight), (surface, part, values, uv) = source, totals
        found = gather(planes, index)
        weight = weight * (jnp.abs(found[1] - heaviest[1]) <= jump)
        same = weight * (found[0] == heaviest[0])
        return (surface + weight, part + same, values + weight * found[1:8], uv + same * found[8:]), None

    zeros = [jnp.zeros((*channels, *index.shape[1:])) for channels in ((), (), (7,), (PLANES - 8,))]
    (surface, part, values, uv), _ = jax.lax.scan(add, tuple(zeros), (index, weights))
    surface, part = (1 / jnp.where(total > 0, total, 1.0) for total in (surface, part))
    return jnp.concatenate([heaviest[:1], values * surface, uv * part])


def facing(normals, side):
    """Unit normals, planes [3, ...], that face the camera of their sheet, out of normals of any length.

    side 1 is the front (z >= 0), -1 the back. A zero vector becomes one that looks at the camera.
    """
    x, y, z = normals
    z = side * jnp.maximum(side * z, 0.0)
    square = x * x + y * y + z * z
    # 1e-12 is (1e-6)^2: opposite normals of a wall can cancel.
    scale = jnp.where(square > 1e-12, jax.lax.rsqrt(jnp.maximum(square, 1e-12)), 0.0)
    return jnp.stack([x * scale, y * scale, jnp.where(square > 1e-12, z * scale, side)])
