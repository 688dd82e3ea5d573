"""The posture as numbers: where the joints are, and what follows from that for every place of the picture.

How deep a limb lies is trigonometry of joints that are far apart: easy from numbers, hard from pictures of them.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.models.attention import CELLS, spread
from tryon_jax.models.layers import Conv


class Joints(nn.Module):
    """Features at sides S/8 and S/4 -> places of the keypoints: the mean places of heat maps (arXiv:1711.08229).

    Each cell also says how far from its centre the keypoint lies (arXiv:1701.01779, section 3.2): sharp heat maps alone
    would be off by 0.38 of a cell, and how much a limb is foreshortened, its depth, is told by less than that.
    """

    count: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, coarse, middle, size):
        """coarse [N, S/8, S/8, C], middle [N, S/4, S/4, D] -> [N, count, 2], x and y in pixels of a side of S."""
        broad = Conv(self.count, size=1, gain=1.0, use_bias=False, dtype=self.dtype, name="broad")(coarse)
        near = Conv(self.count, size=1, gain=1.0, use_bias=False, dtype=self.dtype, name="near")(middle)
        heat = (broad.repeat(2, axis=1).repeat(2, axis=2) + near).astype(jnp.float32)
        n, height, width, _ = heat.shape
        shares = jax.nn.softmax(heat.reshape(n, height * width, self.count), axis=1)
        centres = pixel_centres((height, width)).reshape(-1, 2) * (size / height)
        offsets = Conv(2 * self.count, size=1, gain=0.1, dtype=self.dtype, name="offset")(middle).astype(jnp.float32)
        offsets = offsets.reshape(n, height * width, self.count, 2) * (size / height)
        return jnp.einsum("npk,npkc->nkc", shares, centres[:, None] + offsets)


class Posture(nn.Module):
    """x + an 8x8 grid of features that follows from the places of the joints."""

    width: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x, joints):
        """x [N, H, W, C]; joints [N, K, 2], x and y in [-1, 1] over the picture."""
        n, side, _, channels = x.shape
        h = joints.reshape(n, -1)
        for index in range(2):
            h = nn.silu(nn.Dense(self.width, dtype=self.dtype, name=f"dense_{index}")(h))
        grid = nn.Dense(min(CELLS, side) ** 2 * channels, dtype=self.dtype, name="grid")(h)
        return x + spread(grid, x.shape)
