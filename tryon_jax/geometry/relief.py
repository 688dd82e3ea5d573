"""Normals of a depth map by finite differences, for losses and for the discriminator."""

import jax.numpy as jnp


def depth_differences(depth, mask):
    """Central differences of depth [..., H, W, 1] along x (right) and y (up), where both neighbours count.

    Depth in half extents of the picture (half its height), so slopes are unitless. mask [..., H, W, 1] in [0, 1]:
    a difference is scaled by the product of its two neighbours' masks, so the silhouette makes no cliff.
    Returns [..., H, W, 2].
    """
    # Two pixels are 2 * (2 / H) half extents apart.
    per_step = depth.shape[-3] / 4
    edge = [(0, 0)] * (depth.ndim - 3)
    d = jnp.pad(depth, [*edge, (1, 1), (1, 1), (0, 0)], mode="edge")
    m = jnp.pad(mask, [*edge, (1, 1), (1, 1), (0, 0)])
    right = (d[..., 1:-1, 2:, :] - d[..., 1:-1, :-2, :]) * m[..., 1:-1, 2:, :] * m[..., 1:-1, :-2, :]
    up = (d[..., :-2, 1:-1, :] - d[..., 2:, 1:-1, :]) * m[..., :-2, 1:-1, :] * m[..., 2:, 1:-1, :]
    return jnp.concatenate([right, up], axis=-1) * per_step


def normals_from_depth(depth, mask, sign):
    """Camera-frame normals [..., H, W, 3] of depth [..., H, W, 1] in half extents, times the mask.

    sign: +1 for the front sheet, -1 for the back one, whose outside looks away from the front camera.
    """
    slopes = depth_differences(depth, mask)
    toward = jnp.ones_like(depth)
    normals = sign * jnp.concatenate([-slopes, toward], axis=-1)
    return normals / jnp.sqrt(jnp.square(slopes).sum(-1, keepdims=True) + 1) * mask
