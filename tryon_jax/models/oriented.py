"""What the edges in each cell of a picture run along: histograms of oriented gradients, and the head that tells them.

Predicting them asks of the encoder's coarse features what a thing's shape is, not what its colours are, as in MaskFeat
(arXiv:2112.09133).
"""

import flax.linen as nn
import jax.numpy as jnp

from tryon_jax.models.layers import Conv, GroupNorm

CELL, BINS = 8, 9  # pixels a side of a cell: the coarse features'; directions over half a turn
# Added to a block's mean squared energy. Gradients of a picture's noise, 0.01 a pixel, come to a hundredth of it: what
# is plain has a histogram of about zero, not one of noise.
ENERGY_FLOOR = 1e-3


def histograms(picture):
    """Histograms [H / CELL, W / CELL, BINS] of the gradients' directions in a picture [H, W, C] in [0, 1].

    Each pixel's gradient, of the mean of the channels, by its length is shared by the two bins whose centres are
    nearest; bin b's is the direction b pi / BINS of the gradient, counter to the picture's turn from x to y. A cell's
    histogram is over the root of the mean squared energy of the 3 x 3 cells around it (Dalal and Triggs 2005, doi
    10.1109/CVPR.2005.177, sections 6.3 and 6.4, with one block a cell). Unitless, 0 to about 3.
    """
    height, width = (side // CELL for side in picture.shape[:2])
    grey = jnp.pad(picture.mean(-1), 1, mode="edge")
    down, right = (grey[2:, 1:-1] - grey[:-2, 1:-1]), (grey[1:-1, 2:] - grey[1:-1, :-2])
    length = jnp.hypot(down, right)
    place = jnp.mod(jnp.arctan2(down, right), jnp.pi) * (BINS / jnp.pi)
    away = jnp.abs(place[..., None] - jnp.arange(BINS))
    shares = jnp.maximum(1 - jnp.minimum(away, BINS - away), 0) * length[..., None]
    found = shares.reshape(height, CELL, width, CELL, BINS).sum((1, 3))
    energy = jnp.pad(jnp.square(found).sum(-1), 1, mode="edge")
    block = sum(energy[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9
    return found / jnp.sqrt(block + ENERGY_FLOOR)[..., None]


class Oriented(nn.Module):
    """Coarse features [N, S/8, S/8, C] -> the histograms of the picture that they are of, [N, S/8, S/8, BINS]."""

    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, coarse):
        h = GroupNorm(activated=True, name="norm")(coarse.astype(self.dtype))
        return Conv(BINS, size=1, gain=0.1, dtype=self.dtype, name="head")(h).astype(jnp.float32)
