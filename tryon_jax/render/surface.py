"""What `rasterize` saw, at pixels: depth, barycentrics and attributes of the triangles, differentiable, or by C++."""

from functools import partial

import jax
import jax.numpy as jnp

from tryon_jax import native
from tryon_jax.render.rasterize import OVERFLOW, PATHS, take

# Pixels of a picture above which it is made in strips of this many rows on a CPU. The temporaries of a larger one pass
# the size, 32 MiB, up to which memory is kept by the allocator: fetched anew, page by page, they cost a third more.
WHOLE, STRIP = 2**17, 64


def _mark(values, ids):
    """Values zero where there is no triangle and NaN where rasterize overflowed."""
    ids = ids.reshape(ids.shape + (1,) * (values.ndim - ids.ndim))
    return jnp.where(ids >= 0, values, jnp.where(ids == OVERFLOW, jnp.nan, 0.0))


def bounded(weights, ids):
    """Barycentrics of weights, three arrays [H, W] both: within [-1/3, 5/3], zero where ids is -1, NaN where rasterize
    overflowed.

    In slivers under 1/90 pixel the unsnapped triangle can miss the pixel by many times its own size. Where nothing is
    cut the sum is one already.
    """
    cut = [jnp.clip(weight, -0.25, 1.25) for weight in weights]
    same = (cut[0] == weights[0]) & (cut[1] == weights[1]) & (cut[2] == weights[2])
    total = cut[0] + cut[1] + cut[2]
    return tuple(_mark(jnp.where(same, old, new / total), ids) for old, new in zip(weights, cut, strict=True))


def _corners(faces, ids):
    """The three vertices int [H, W] of the triangles seen; of triangle 0 where there is none."""
    ids = jnp.maximum(ids, 0)
    return [take(faces[:, corner], ids) for corner in range(3)]


def _resolve(vertices, corners, ids, first_row):
    """Depth [H, W] and barycentrics, three arrays [H, W]: as one [H, W, 3] they cost half the time again on a CPU."""
    rows, columns = jnp.indices(ids.shape, dtype=jnp.float32)
    x, y = columns + 0.5, rows + first_row + 0.5
    a, b, c = (take(vertices, corner) for corner in corners)
    ax, ay, bx, by, cx, cy = a[..., 0] - x, a[..., 1] - y, b[..., 0] - x, b[..., 1] - y, c[..., 0] - x, c[..., 1] - y
    weight_b, weight_c = cx * ay - cy * ax, ax * by - ay * bx
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    # Snapping can lend area to a triangle that has none; 1e-12 square pixels is far below one snapped unit.
    safe = jnp.where(jnp.abs(area) > 1e-12, area, 1.0)
    weight_b, weight_c = weight_b / safe, weight_c / safe
    weights = bounded((1.0 - weight_b - weight_c, weight_b, weight_c), ids)
    depth = a[..., 2] + weights[1] * (b[..., 2] - a[..., 2]) + weights[2] * (c[..., 2] - a[..., 2])
    return _mark(depth, ids), weights


def resolve(vertices, faces, ids):
    """Depth [H, W] in metres and barycentrics [H, W, 3] at pixel centres, zero where ids is -1.

    vertices [V, 3]: pixel x (right), pixel y (down), depth in metres toward the viewer; faces int [F, 3]; ids int
    [H, W] of `rasterize`. Made from the unsnapped vertices, so both are differentiable in them: edge functions over the
    triangle's area (Pineda, SIGGRAPH 1988).
    """
    depth, weights = _resolve(vertices, _corners(faces, ids), ids, 0)
    return depth, jnp.stack(weights, axis=-1)


def interpolate(attributes, faces, ids, barycentrics):
    """Vertex attributes [V, C] at pixels, [H, W, C]: sums weighted by barycentrics [H, W, 3], affine on screen.

    faces int [F, 3] into the attributes; ids int [H, W] of `rasterize`: zero where -1, NaN where it overflowed.
    Differentiable in all floats.
    """
    return _interpolate(attributes, _corners(faces, ids), ids, [barycentrics[..., corner] for corner in range(3)])


def _interpolate(attributes, corners, ids, weights):
    # Corner by corner: one [H, W, 3, C] temporary costs more in page faults than three gathers.
    first, second, third = (
        take(attributes, corner) * weight[..., None].astype(attributes.dtype)
        for corner, weight in zip(corners, weights, strict=True)
    )
    return _mark(first + second + third, ids)


def at_pixels(vertices, faces, ids, attributes, attribute_faces=None, path="auto", barycentrics=True):
    """Depth [H, W], barycentrics [H, W, 3] and attributes [H, W, C] at pixels: `resolve` and `interpolate` in one.

    attributes [A, C] have their own faces [F, 3] where attribute_faces is given (texture coordinates at seams). path:
    as of `rasterize`, "pallas" being "jax" here; the kernel's values are those of pure JAX but for rounding.
    barycentrics: False leaves them out, [H, W, 0], a tenth of the kernel's time. Differentiable in vertices and
    attributes once, in reverse.
    """
    attribute_faces = faces if attribute_faces is None else attribute_faces
    if path not in PATHS:
        raise ValueError(f"no path {path!r}: choose one of {', '.join(PATHS)}")
    arguments = vertices, faces, ids, attributes, attribute_faces
    if path in ("jax", "pallas") or (path == "auto" and not native.available()):
        return _here(barycentrics, *arguments)
    return _by_kernel(barycentrics, *arguments)


def _here(barycentrics, vertices, faces, ids, attributes, attribute_faces):
    """`at_pixels` in pure JAX."""
    arguments = vertices, faces, ids, attributes, attribute_faces
    if ids.size <= WHOLE or ids.shape[0] % STRIP:
        return _rows(barycentrics, 0, *arguments)
    return jax.lax.platform_dependent(
        *arguments, cpu=partial(_strips, barycentrics), default=partial(_rows, barycentrics, 0)
    )


def _rows(barycentrics, first_row, vertices, faces, ids, attributes, attribute_faces):
    corners = _corners(faces, ids)
    depth, weights = _resolve(vertices, corners, ids, first_row)
    own = corners if attribute_faces is faces else _corners(attribute_faces, ids)
    kept = jnp.stack(weights, axis=-1) if barycentrics else jnp.zeros((*ids.shape, 0), depth.dtype)
    return depth, kept, _interpolate(attributes, own, ids, weights)


def _strips(barycentrics, vertices, faces, ids, attributes, attribute_faces):
    """The same, STRIP rows after STRIP rows."""
    count = ids.shape[0] // STRIP

    def strip(part):
        first_row, own = part
        return _rows(barycentrics, first_row, vertices, faces, own, attributes, attribute_faces)

    parts = jax.lax.map(strip, (STRIP * jnp.arange(count, dtype=jnp.float32), ids.reshape(count, STRIP, -1)))
    return jax.tree.map(lambda part: part.reshape(*ids.shape, *part.shape[3:]), parts)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _by_kernel(barycentrics, vertices, faces, ids, attributes, attribute_faces):
    arguments = vertices, faces, ids, attributes, attribute_faces
    kernel, here = partial(native.surface, barycentrics), partial(_here, barycentrics)
    return jax.lax.platform_dependent(*arguments, cpu=kernel, default=here)


def _forward(barycentrics, *arguments):
    return _by_kernel(barycentrics, *arguments), arguments


def _backward(barycentrics, arguments, gradients):
    vertices, faces, ids, attributes, attribute_faces = arguments
    _, pull = jax.vjp(lambda v, a: _here(barycentrics, v, faces, ids, a, attribute_faces), vertices, attributes)
    of_vertices, of_attributes = pull(gradients)
    return of_vertices, None, None, of_attributes, None


_by_kernel.defvjp(_forward, _backward)
