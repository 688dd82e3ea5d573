"""An exact orthographic rasteriser: front and back triangle of every pixel in one pass, in pure JAX, C++ or Pallas.

Triangles are expanded into their candidate pixels (prefix sum into a static capacity), tested with integer edge
functions (Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988) of positions snapped to 1/256 pixel
under the top-left rule of GPUs, and resolved by scatter-min, first on depth, then on triangle number. So neighbours
never leave a crack and never cover a pixel twice. Vertices are [V, 3]: pixel x (right), pixel y (down; pixel centres at
+0.5) and depth in metres toward the viewer. Both sides of a triangle are drawn. Written for one mesh; on CPU loop over
meshes with `lax.map`, on accelerators `vmap` is fine.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import native

PATHS = ("auto", "jax", "native", "pallas")
SUBPIXELS = 256
NONE, OVERFLOW = -1, -2
MAX_CAPACITY = 2**23  # candidate numbers pass through float32, which holds whole numbers and halves up to here
_MAX_EXTENT = 2**20 - 1  # snapped units, 4,095 pixels: beyond it an edge function leaves its two int32 words
_WORD = 10  # bits of the low word of an edge function
_DEPTH_UNIT = 2.0**-20  # metres: about a micrometre, finer than float32 depth of a body needs
_BLOCK = 128


class Fragments(NamedTuple):
    """Triangle numbers int32 [H, W] of the nearest (front) and farthest (back) surface; -1 where there is none.

    If overflow (bool scalar) is set, every id is -2 and whatever is resolved or interpolated from it is NaN.
    """

    front_ids: jax.Array
    back_ids: jax.Array
    overflow: jax.Array


def _prefix_sum(values):
    """Inclusive sums of float32 [N], exact for whole numbers below 2^24; XLA's cumsum is 3 times slower on CPU."""
    count = values.shape[0]
    rows = -(-count // _BLOCK)
    blocks = jnp.pad(values, (0, rows * _BLOCK - count)).reshape(rows, _BLOCK)
    upper = jnp.triu(jnp.ones((_BLOCK, _BLOCK), jnp.float32))
    # HIGHEST, since accelerators would otherwise round the counts to ten bits.
    sums = jnp.matmul(blocks, upper, precision=jax.lax.Precision.HIGHEST)
    if rows > 1:
        sums = sums.at[1:].add(_prefix_sum(sums[:, -1])[:-1, None])
    return sums.reshape(-1)[:count]


def take(array, indices):
    """Rows of an array at indices known to be in range (half the time of a checked gather on CPU)."""
    return jnp.asarray(array).at[indices].get(mode="promise_in_bounds")


def _snap(vertices):
    """Pixel positions [V, 2] in 1/256 pixel, int32; NaN and infinity become a far place (and set a flag later)."""
    limit = 2.0**28
    pixels = vertices[:, :2] * SUBPIXELS
    pixels = jnp.where(jnp.isfinite(pixels), jnp.clip(pixels, -limit, limit), limit)
    return jnp.round(pixels).astype(jnp.int32)


def _cross(ax, ay, bx, by):
    """ax * by - ay * bx of int32 below 2^20 as (high, low) with value = high * 2^10 + low, 0 <= low < 2^10."""
    mask = (1 << _WORD) - 1
    low = ax * (by & mask) - ay * (bx & mask)
    high = ax * (by >> _WORD) - ay * (bx >> _WORD) + (low >> _WORD)
    return high, low & mask


def _first_last(low, high, pixels):
    """First and last pixel whose centre lies in [low, high] (snapped units), cut to the picture."""
    half = SUBPIXELS // 2
    first = jnp.maximum(-((half - low) // SUBPIXELS), 0)
    last = jnp.minimum((high - half) // SUBPIXELS, pixels - 1)
    return first, last


def _setup(vertices, faces, size):
    """Per triangle: corners int32 [F, 6] (x, y; turned clockwise on screen), depths [F, 3], first pixel x, y and
    width of its box, candidate counts (float32, zero for padding and triangles without area); and a failure flag."""
    # Corner by corner: arrays [F] are read and written in a row, arrays [F, 3, 2] with their reductions are not. And
    # all of a vertex in one row, x, y, the bits of its depth, whether it is finite: a gather costs by its rows.
    bits = jax.lax.bitcast_convert_type(vertices[:, 2].astype(jnp.float32), jnp.int32)
    finite = jnp.isfinite(vertices).all(1).astype(jnp.int32)
    packed = jnp.concatenate([_snap(vertices), bits[:, None], finite[:, None]], axis=1)
    each = [faces[:, corner] for corner in range(3)]
    (ax, ay, *a), (bx, by, *b), (cx, cy, *c) = (take(packed, corner).T for corner in each)
    depth_a, depth_b, depth_c = (jax.lax.bitcast_convert_type(corner[0], jnp.float32) for corner in (a, b, c))
    left, right = jnp.minimum(jnp.minimum(ax, bx), cx), jnp.maximum(jnp.maximum(ax, bx), cx)
    top, bottom = jnp.minimum(jnp.minimum(ay, by), cy), jnp.maximum(jnp.maximum(ay, by), cy)
    large = jnp.maximum(right - left, bottom - top) > _MAX_EXTENT
    x_first, x_last = _first_last(left, right, size[1])
    y_first, y_last = _first_last(top, bottom, size[0])
    columns, rows = jnp.maximum(x_last - x_first + 1, 0), jnp.maximum(y_last - y_first + 1, 0)
    high, low = _cross(bx - ax, by - ay, cx - ax, cy - ay)
    padding = (each[0] == each[1]) | (each[1] == each[2]) | (each[2] == each[0])
    empty = ((high == 0) & (low == 0) & ~large) | padding
    counts = jnp.where(empty, 0.0, columns.astype(jnp.float32) * rows.astype(jnp.float32))
    whole = a[1] & b[1] & c[1]
    failed = jnp.any((whole == 0) & ~padding) | jnp.any(large & (counts > 0))
    turned = high < 0
    (bx, cx), (by, cy), (depth_b, depth_c) = (
        (jnp.where(turned, last, first), jnp.where(turned, first, last))
        for first, last in ((bx, cx), (by, cy), (depth_b, depth_c))
    )
    corners = jnp.stack([ax, ay, bx, by, cx, cy], -1)
    depths = jnp.stack([depth_a, depth_b, depth_c], -1)
    return corners, depths, x_first, y_first, jnp.maximum(columns, 1), counts, failed


def _edge(ax, ay, bx, by, px, py):
    """Edge function of a->b at p as a float that keeps 24 true bits, and whether p is on the inner side."""
    dx, dy = bx - ax, by - ay
    high, low = _cross(dx, dy, px - ax, py - ay)
    zero = (high == 0) & (low == 0)
    top_left = (dy < 0) | ((dy == 0) & (dx > 0))
    inside = (high >= 0) & (~zero | top_left)
    return high.astype(jnp.float32) * 2**_WORD + low.astype(jnp.float32), inside


def _expand(counts, capacity):
    """Triangle of each of `capacity` candidates and its number within the triangle, int32; and the true total."""
    ends = _prefix_sum(counts)
    starts = ends - counts
    slots = jnp.minimum(starts, capacity).astype(jnp.int32)
    # Triangles without candidates share the start of the next one, so the sum counts to the last of them.
    marks = jnp.zeros(capacity + 1, jnp.float32).at[slots].add(1.0, mode="promise_in_bounds")
    triangles = (_prefix_sum(marks[:capacity]) - 1).astype(jnp.int32)
    places = jnp.arange(capacity, dtype=jnp.int32) - take(slots, triangles)
    return triangles, places, ends[-1]


def rasterize(vertices, faces, size, capacity, path="auto"):
    """Front and back triangle numbers of every pixel whose centre a triangle covers.

    vertices [V, 3] float32 as above, of any range; faces [F, 3] int32 in [0, V), padding = all corners alike;
    size (H, W); capacity = static number of candidate pixels, the sum of the triangles' clipped box areas
    (`candidates` counts them). Equal depths (within 1e-6 m) go to the lower number. Overflow is set if the
    capacity is too small, if a triangle in the picture spans over 4,095 pixels, if any holds a NaN or infinity.
    path: "jax", this file's; "native", the C++ kernel of native, on CPUs only; "auto", the kernel on CPUs
    where it can be compiled, elsewhere "jax"; "pallas", the kernel of render/tiles, for NVIDIA GPUs, interpreted
    elsewhere and there several times slower than "jax": opt-in, as it was compiled for GPUs but never timed on one.
    All give the same ids. Returns Fragments. Raises ValueError if the capacity is out of range or the path unknown,
    RuntimeError if it is "native" where there is no compiler.
    No gradient: ids are whole numbers.
    """
    if not 0 < capacity <= MAX_CAPACITY:
        raise ValueError(f"capacity {capacity} is not in 1..{MAX_CAPACITY}")
    if path not in PATHS:
        raise ValueError(f"no path {path!r}: choose one of {', '.join(PATHS)}")
    vertices = jax.lax.stop_gradient(vertices)
    here, there = partial(_rasterize, size=size, capacity=capacity), partial(_native, size=size, capacity=capacity)
    if path == "pallas":
        from tryon_jax.render import tiles  # here, since it takes its arithmetic from this file

        return Fragments(*tiles.rasterize(vertices, faces, size, capacity))
    if path == "native" and not native.available():
        raise RuntimeError('path="native": there is no C++ kernel here; install a compiler, or take another path')
    if path == "auto":
        path = "by platform" if native.available() else "jax"
    if path == "by platform":
        return jax.lax.platform_dependent(vertices, faces, cpu=there, default=here)
    return (here if path == "jax" else there)(vertices, faces)


def _native(vertices, faces, size, capacity):
    return Fragments(*native.rasterize(vertices, faces, size, capacity))


def _rasterize(vertices, faces, size, capacity):
    height, width = size
    corners, depths, x_first, y_first, columns, counts, failed = _setup(vertices, faces, size)
    triangles, places, total = _expand(counts, capacity)
    ax, ay, bx, by, cx, cy = take(corners, triangles).T
    columns = take(columns, triangles)
    # A float quotient: whole-number division is slow on CPU, and the half keeps it off the boundary.
    row = jnp.floor((places.astype(jnp.float32) + 0.5) / columns.astype(jnp.float32)).astype(jnp.int32)
    x = take(x_first, triangles) + places - row * columns
    y = take(y_first, triangles) + row
    px, py = x * SUBPIXELS + SUBPIXELS // 2, y * SUBPIXELS + SUBPIXELS // 2
    edge_a, inside_a = _edge(bx, by, cx, cy, px, py)
    edge_b, inside_b = _edge(cx, cy, ax, ay, px, py)
    edge_c, inside_c = _edge(ax, ay, bx, by, px, py)
    covered = inside_a & inside_b & inside_c & (jnp.arange(capacity) < total)
    depth_a, depth_b, depth_c = take(depths, triangles).T
    # At least 1: the sum is twice the area in whole units, and triangles without area have no candidates.
    area = jnp.maximum(edge_a + edge_b + edge_c, 1.0)
    depth = depth_a + (edge_b * (depth_b - depth_a) + edge_c * (depth_c - depth_a)) / area
    level = jnp.round(jnp.clip(depth / _DEPTH_UNIT, -(2.0**30), 2.0**30)).astype(jnp.int32)
    ids = _nearest(jnp.where(covered, y * width + x, height * width), level, triangles, height * width)
    overflow = failed | (total > capacity)
    ids = jnp.where(overflow, OVERFLOW, ids).reshape(height, width, 2)
    return Fragments(ids[..., 0], ids[..., 1], overflow)


def _nearest(pixels, level, triangles, count):
    """Triangle of highest and of lowest depth level per pixel, int32 [count, 2]; candidates at `count` are void."""
    far = np.iinfo(np.int32).max
    keys = jnp.stack([-level, level], axis=-1)
    best = jnp.full((count + 1, 2), far, jnp.int32).at[pixels].min(keys, mode="promise_in_bounds")
    numbers = jnp.where(keys == take(best, pixels), triangles[:, None], far)
    ids = jnp.full((count + 1, 2), far, jnp.int32).at[pixels].min(numbers, mode="promise_in_bounds")[:count]
    return jnp.where(ids == far, NONE, ids)


def candidates(vertices, faces, size):
    """The capacity that `rasterize` needs for this mesh, a Python int (on the host, not traceable)."""
    counts = jax.jit(_setup, static_argnums=2)(vertices, faces, size)[-2]
    return int(np.asarray(counts, np.float64).sum())


def check(fragments):
    """Raises ValueError if any of these fragments (outside of jit, any leading axes) overflowed."""
    if np.asarray(fragments.overflow).any():
        raise ValueError("rasterize overflowed: give it a capacity of `candidates(...)` and vertices that are finite")
