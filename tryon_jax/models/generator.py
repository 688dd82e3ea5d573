"""Mapping: a latent (and a garment class) -> a pyramid, which the common decoder turns into sheets, and a palette."""

import flax.linen as nn
import jax.numpy as jnp

from tryon_jax.geometry.parts import MATERIALS
from tryon_jax.models.layers import Conv, GroupNorm


class Mapping(nn.Module):
    """Latent -> the colours of a person's materials, and a pyramid.

    The pyramid is a grid at side S/8, and spatially constant styles at S/4, S/2 and S (StyleGAN's idea).

    features: channels at sides S, S/2, S/4, S/8; size: S; classes: garment classes, 0 = unconditional.
    """

    features: tuple
    size: int
    classes: int = 0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z, garment_class):
        """z [N, latent], garment_class int [N] -> (pyramid, colours [N, M, 3] in (0, 1) of the materials)."""
        full, half, quarter, eighth = self.features
        w = z
        if self.classes:
            w = w + nn.Embed(self.classes, z.shape[-1], name="class")(garment_class)
        for index in range(2):
            w = nn.leaky_relu(nn.Dense(2 * eighth, dtype=self.dtype, name=f"dense_{index}")(w), 0.2)
        # Inferred latents may be of any length: without a norm the far ones would saturate all that follows.
        w = nn.LayerNorm(dtype=self.dtype, name="norm")(w)
        side = min(4, self.size // 8)
        h = nn.Dense(side * side * eighth, dtype=self.dtype, name="grid")(w).reshape(-1, side, side, eighth)
        while side < self.size // 8:
            side *= 2
            h = nn.silu(GroupNorm(name=f"norm_{side}")(h))
            h = Conv(eighth, kind="up", dtype=self.dtype, name=f"up_{side}")(h)
        upper = []
        for name, channels, factor in (("quarter", quarter, 4), ("half", half, 2), ("full", full, 1)):
            style = nn.Dense(channels, dtype=self.dtype, name=f"style_{name}")(w)[:, None, None]
            upper.append(jnp.broadcast_to(style, (len(z), self.size // factor, self.size // factor, channels)))
        # One palette for both sheets: a front and a back of one person agree by construction.
        colours = nn.Dense(3 * len(MATERIALS), dtype=self.dtype, name="palette")(w).astype(jnp.float32)
        return (h, *upper), nn.sigmoid(colours).reshape(len(z), len(MATERIALS), 3)
