"""Holes in a picture, filled from what is known around them."""

import jax.numpy as jnp
from jax import lax


def fill(values, known):
    """Values [S, S, C] with what is not known [S, S, 1] in [0, 1] filled from around; what is half known, by half.

    Push-pull (Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.5): means of what is known in ever larger
    squares, each hole taking that of the smallest square that holds something. All zero if nothing is known.
    """
    return jnp.moveaxis(filled(jnp.moveaxis(values, -1, 0), jnp.moveaxis(known, -1, 0)), 0, -1)


def filled(values, known):
    """`fill` of planes [..., S, S]: each of `values` by each of `known`, their leading axes broadcast."""
    # Rows of one channel lie in memory as they are worked on: of three colours a pixel little could be done at once.
    values, levels = jnp.broadcast_to(values, jnp.broadcast_shapes(values.shape, known.shape)), []
    while known.shape[-1] > 1:
        levels.append((values, known))
        count, total = _merged(known), _merged(values * known)
        # A millionth of a pixel counts as none: the sum is zero then, and so stays the mean.
        values, known = total / jnp.maximum(count, 1e-6), jnp.minimum(count, 1.0)
    for finer, known in levels[::-1]:
        values = known * finer + (1 - known) * _enlarged(values, finer.shape[-1])
    return values


def _merged(planes):
    """Sums of 2x2 pixels; of all pixels where the side is odd."""
    if planes.shape[-1] % 2:
        return planes.sum((-2, -1), keepdims=True)
    rows = planes[..., 0::2, :] + planes[..., 1::2, :]
    return rows[..., 0::2] + rows[..., 1::2]


def _enlarged(planes, side):
    """Planes at `side`, linear between the centres of their pixels; a side of 1 or of half of `side`."""
    if planes.shape[-1] == 1:
        return jnp.broadcast_to(planes, (*planes.shape[:-2], side, side))
    for axis in (planes.ndim - 2, planes.ndim - 1):
        first, last = (lax.slice_in_dim(planes, at, at + 1, axis=axis) for at in (0, side // 2 - 1))
        before = jnp.concatenate([first, lax.slice_in_dim(planes, 0, side // 2 - 1, axis=axis)], axis=axis)
        after = jnp.concatenate([lax.slice_in_dim(planes, 1, side // 2, axis=axis), last], axis=axis)
        halves = jnp.stack([0.75 * planes + 0.25 * before, 0.75 * planes + 0.25 * after], axis=axis + 1)
        planes = halves.reshape(*planes.shape[:axis], side, *planes.shape[axis + 1 :])
    return planes
