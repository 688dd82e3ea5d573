"""Colours out of pictures at texture coordinates."""

import jax
import jax.numpy as jnp

from tryon_jax import native


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
    if path in ("jax", "pallas") or (path == "auto" and not native.available()):
        return _sample_seen(texture, uv, ids)
    return jax.lax.platform_dependent(texture, uv, ids, cpu=native.texture, default=_sample_seen)


def _sample_seen(texture, uv, ids):
    return jnp.where((ids == -1)[..., None], 0.0, sample_texture(texture, uv))


def mip_levels(texture):
    """The texture [H, W, C] and its halvings down to one texel, a tuple (Williams, "Pyramidal Parametrics", 1983).

    Each texel is the mean of the four that it stands for; an odd side's last row or column counts twice.
    """
    levels = [jnp.asarray(texture)]
    while max(levels[-1].shape[:2]) > 1:
        height, width, channels = levels[-1].shape
        even = jnp.pad(levels[-1], ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, channels)
        levels.append(blocks.mean((1, 3)))
    return tuple(levels)


def footprint(uv_at, texture_size):
    """How many texels a pixel spans along its longer axis, [H, W]; without a gradient.

    uv_at: texture coordinates [H, W, 2] as a function of a shift [2] of all pixels, such as `interpolate` with the
    barycentrics of a scene moved the other way; texture_size (H, W).
    """
    still, texels = jnp.zeros(2), jnp.array(texture_size[::-1], jnp.float32)
    steps = [jax.jvp(uv_at, (still,), (step,))[1] * texels for step in jnp.eye(2)]
    return jax.lax.stop_gradient(jnp.maximum(*(jnp.linalg.norm(step, axis=-1) for step in steps)))


def sample_mipmapped(levels, uv, footprint):
    """Trilinear samples [..., C] of `mip_levels` at uv [..., 2], as smooth as a footprint [...] in texels asks for.

    Within the two nearest halvings as `sample_texture`, linear between them in the footprint's logarithm.
    Differentiable in levels and uv.
    """
    # A pixel that spans less than a texel shows the texture as it is.
    level = jnp.clip(jnp.log2(jnp.maximum(footprint, 1.0)), 0, len(levels) - 1)
    sizes = jnp.array([part.shape[:2] for part in levels])
    starts = jnp.cumsum(jnp.array([0, *(part.shape[0] * part.shape[1] for part in levels[:-1])]))
    texels = jnp.concatenate([part.reshape(-1, part.shape[2]) for part in levels])
    low = jnp.floor(level).astype(jnp.int32)
    high = jnp.minimum(low + 1, len(levels) - 1)
    sharp, smooth = (_sample_level(texels, starts[index], sizes[index], uv) for index in (low, high))
    share = (level - low)[..., None]
    return sharp * (1 - share) + smooth * share


def _sample_level(texels, start, size, uv):
    """Bilinear samples of the level that starts at row `start` [...] of texels [T, C] and has size [..., 2]."""
    place = jnp.clip(uv * size[..., ::-1] - 0.5, 0.0, size[..., ::-1] - 1.0)
    first = jnp.floor(place).astype(jnp.int32)
    share, last = place - first, jnp.minimum(first + 1, size[..., ::-1] - 1)
    total = 0.0
    for column, across in ((first[..., 0], 1 - share[..., 0]), (last[..., 0], share[..., 0])):
        for row, down in ((first[..., 1], 1 - share[..., 1]), (last[..., 1], share[..., 1])):
            index = start + row * size[..., 1] + column
            total += texels.at[index].get(mode="promise_in_bounds") * (across * down)[..., None]
    return total
