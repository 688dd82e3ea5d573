"""The rasteriser as one Pallas kernel for GPUs: every tile of the picture walks through the triangles that touch it.

Triangles are expanded into pairs with the tiles their boxes touch and sorted by tile, as the fine stage of Laine and
Karras, "High-Performance Software Rasterization on GPUs" (2011), wants them; the kernel then keeps the nearest and
the farthest of a tile's pixels in registers, where the path in pure JAX scatters into memory. Same ids, by the same
arithmetic as rasterize.py. Written for Pallas's Triton backend (docs.jax.dev/en/latest/pallas); elsewhere than on
NVIDIA GPUs the kernel is interpreted, which is slow. So it has been run so far; for GPUs it has only been compiled.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from tryon_jax.render import rasterize as raster

TILE = 16  # pixels: two for each of a program's 128 threads; a power of two, as Triton's blocks must be
_LOWEST, _HIGHEST = np.iinfo(np.int32).min, np.iinfo(np.int32).max  # beyond the levels, which end at 2^30


def rasterize(vertices, faces, size, capacity):
    """(front ids, back ids, overflow) of `rasterize.rasterize`, which see: int32 [H, W] twice and a bool scalar.

    vertices [V, 3] float32, faces [F, 3] int32, size (H, W) and capacity as there. Works under jit and vmap. For
    GPUs the rounding of depths is spelled out, so that the kernel's levels there are those of CPUs.
    """
    height, width = size
    across, down = -(-width // TILE), -(-height // TILE)
    corners, depths, x_first, y_first, columns, counts, failed = raster._setup(vertices, faces, size)
    # Exact where it matters: beyond 2^24 candidates, which float32 does not count, the capacity is exceeded anyhow.
    rows = jnp.maximum(jnp.round(counts / columns.astype(jnp.float32)).astype(jnp.int32), 1)
    box = jnp.stack([x_first, y_first, x_first + columns - 1, y_first + rows - 1], axis=-1)
    starts, triangles = _bin(box, counts > 0, (down, across), capacity)
    arguments = starts, triangles, corners, depths.astype(jnp.float32)
    draw = partial(_draw, down=down, across=across)
    blocks = jax.lax.platform_dependent(*arguments, cuda=draw, default=partial(draw, interpret=True))
    overflow = failed | (raster._prefix_sum(counts)[-1] > capacity)
    front, back = (
        jnp.where(overflow, raster.OVERFLOW, _joined(block, down, across)[:height, :width]) for block in blocks
    )
    return front, back, overflow


def _bin(box, drawn, shape, capacity):
    """Where each tile's list starts, int32 [tiles + 1], and the lists, int32 [capacity]: triangles in rising order.

    box [F, 4]: first x, first y, last x, last y of the triangles `drawn` [F]. There are never more pairs than
    candidate pixels, since every tile that a box touches holds one of them: the capacity of those serves here.
    """
    down, across = shape
    left, top, right, bottom = (box // TILE).T
    wide = right - left + 1
    counts = jnp.where(drawn, wide * (bottom - top + 1), 0).astype(jnp.float32)
    triangles, places, total = raster._expand(counts, capacity)
    wide, left, top = (raster.take(of_triangle, triangles) for of_triangle in (wide, left, top))
    row = jax.lax.div(places, wide)
    tiles = (top + row) * across + left + places - row * wide
    tiles = jnp.where(jnp.arange(capacity) < total, tiles, down * across)
    # Stable, so that within a tile the lower number comes first and keeps a pixel at equal depth.
    tiles, triangles = jax.lax.sort((tiles, triangles), is_stable=True, num_keys=1)
    return jnp.searchsorted(tiles, jnp.arange(down * across + 1)).astype(jnp.int32), triangles


def _joined(blocks, down, across):
    """The picture of tiles [down * across, TILE, TILE]."""
    return blocks.reshape(down, across, TILE, TILE).swapaxes(1, 2).reshape(down * TILE, across * TILE)


def _draw(starts, triangles, corners, depths, down, across, interpret=False):
    """Front and back ids of every tile, int32 [down * across, TILE, TILE], from what `_bin` and `_setup` made."""
    tiles = jax.ShapeDtypeStruct((down * across, TILE, TILE), jnp.int32)
    block = pl.BlockSpec((None, TILE, TILE), lambda tile: (tile, 0, 0))
    arithmetic = (jnp.multiply, jnp.divide) if interpret else (_multiply, _divide)
    call = pl.pallas_call(
        partial(_kernel, across=across, arithmetic=arithmetic),
        out_shape=(tiles, tiles),
        grid=(down * across,),
        in_specs=[pl.no_block_spec] * 4,
        out_specs=(block, block),
        # Named, as jax would otherwise choose the backend by its settings, and the assembly below is for Triton. From
        # 0.12 on jax calls it deprecated: before the requirement of jax is raised past 0.12, see that it is there.
        compiler_params=triton.CompilerParams(num_warps=4),
        interpret=interpret,
        name="rasterize_tiles",
    )
    return call(starts, triangles, corners, depths)


def _kernel(starts, triangles, corners, depths, front, back, *, across, arithmetic):
    """One tile. arithmetic: its product and quotient; all before are references to what `_draw` takes and makes."""
    tile = pl.program_id(0)
    row = jax.lax.div(tile, jnp.int32(across))
    x = (tile - row * across) * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 1)
    y = row * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 0)
    px, py = x * raster.SUBPIXELS + raster.SUBPIXELS // 2, y * raster.SUBPIXELS + raster.SUBPIXELS // 2

    def add(place, kept):
        front_level, front_id, back_level, back_id = kept
        number = triangles[place]
        ax, ay, bx, by, cx, cy = (corners[number, k] for k in range(6))
        # Beside the box too they fit their words: no pixel of a tile is farther from it than the tile is wide.
        edge_a, inside_a = raster._edge(bx, by, cx, cy, px, py)
        edge_b, inside_b = raster._edge(cx, cy, ax, ay, px, py)
        edge_c, inside_c = raster._edge(ax, ay, bx, by, px, py)
        covered = inside_a & inside_b & inside_c
        corner_depths = [depths[number, k] for k in range(3)]
        level = _level((edge_a, edge_b, edge_c), corner_depths, *arithmetic)
        nearer, farther = covered & (level > front_level), covered & (level < back_level)
        front_level, front_id = jnp.where(nearer, level, front_level), jnp.where(nearer, number, front_id)
        back_level, back_id = jnp.where(farther, level, back_level), jnp.where(farther, number, back_id)
        return front_level, front_id, back_level, back_id

    none, lowest, highest = (jnp.full((TILE, TILE), n, jnp.int32) for n in (raster.NONE, _LOWEST, _HIGHEST))
    kept = jax.lax.fori_loop(starts[tile], starts[tile + 1], add, (lowest, none, highest, none))
    front[...], back[...] = kept[1], kept[3]


def _level(edges, depths, multiply, divide):
    """Depth level int32 of a block of pixels: the operations of rasterize.py one by one, in their order."""
    (edge_a, edge_b, edge_c), (depth_a, depth_b, depth_c) = edges, depths
    area = jnp.maximum(edge_a + edge_b + edge_c, 1.0)
    to_b, to_c = (jnp.full(area.shape, depth - depth_a) for depth in (depth_b, depth_c))
    depth = depth_a + divide(multiply(edge_b, to_b) + multiply(edge_c, to_c), area)
    # Depths of 1e38 can make a NaN, which is level 0 there, but which Triton's clip would turn into a bound. A product,
    # exact as the unit is a power of two: Triton's quotients are not.
    level = jnp.clip(jnp.where(depth == depth, depth * (1 / raster._DEPTH_UNIT), 0.0), -(2.0**30), 2.0**30)
    # Triton cannot round, so: half to even by hand, every step of it exact.
    whole = level.astype(jnp.int32)
    rest, odd = level - whole.astype(jnp.float32), (whole & 1) == 1
    up, down = (rest > 0.5) | ((rest == 0.5) & odd), (rest < -0.5) | ((rest == -0.5) & odd)
    return whole + up.astype(jnp.int32) - down.astype(jnp.int32)


def _multiply(one, other):
    """one * other that no compiler fuses with a sum: fused it would be rounded once where CPUs round twice."""
    return _instruction("mul.rn.f32", one, other)


def _divide(one, other):
    """one / other rounded to nearest; Triton's own quotient may be off by two units in the last place."""
    return _instruction("div.rn.f32", one, other)


def _instruction(name, one, other):
    result = jax.ShapeDtypeStruct(one.shape, jnp.float32)
    (found,) = triton.elementwise_inline_asm(
        f"{name} $0, $1, $2;", args=(one, other), constraints="=f,f,f", pack=1, result_shape_dtypes=(result,)
    )
    return found
