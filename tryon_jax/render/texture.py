"""Colours out of pictures at texture coordinates."""

import jax
import jax.numpy as jnp

from tryon_jax.render import native


def sample_texture(texture, uv):
    """Bilinear samples [..., C] of texture [H, W, C] at uv [..., 2] in [0, 1], x right and y down.

    The centre of pixel i is at (i + 0.5) / W; beyond the outer centres the edge colour holds. Coordinates of the
    batch contract, in [-1, 1], become these by (uv + 1) / 2. Differentiable in both arguments.
    """
    height, width = texture.shape[:2]
    uv = jnp.asarray(uv)
    x = jnp.clip(uv[..., 0] * width - 0.5, 0.0, width - 1.0)
    y = jnp.clip(uv[..., 1] * height - 0.5, 0.0, height - 1.0)
    left, top = jnp.floor(x), jnp.floor(y)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]
    left, top = left.astype(jnp.int32), top.astype(jnp.int32)
    right, bottom = jnp.minimum(left + 1, width - 1), jnp.minimum(top + 1, height - 1)

    def pixel(row, column):
        return jnp.asarray(texture).at[row, column].get(mode="promise_in_bounds")

    upper = pixel(top, left) * (1 - right_share) + pixel(top, right) * right_share
    lower = pixel(bottom, left) * (1 - right_share) + pixel(bottom, right) * right_share
    return upper * (1 - lower_share) + lower * lower_share


def sample_seen(texture, uv, ids, path="auto"):
    """`sample_texture` of texture [h, w, C] at uv [H, W, 2] where ids [H, W] are not negative, zero elsewhere.

    path: as of `rasterize`; the C++ kernel skips what shows nothing. Not for gradients. NaN stays NaN.
    """
    if path == "jax" or (path == "auto" and not native.available()):
        return _sample_seen(texture, uv, ids)
    return jax.lax.platform_dependent(texture, uv, ids, cpu=native.texture, default=_sample_seen)


def _sample_seen(texture, uv, ids):
    return jnp.where((ids == -1)[..., None], 0.0, sample_texture(texture, uv))
