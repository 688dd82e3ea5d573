"""Attention among the places of a picture: what one part shows tells every other, which 3x3 steps reach slowly."""

import flax.linen as nn
import jax
import jax.numpy as jnp

# Tokens a side. At 64 px that is every place of the coarsest level; attention's cost does not grow with the picture.
CELLS = 8


class Attention(nn.Module):
    """x + what transformer blocks (arXiv:2010.11929, equations 1-3) make of an 8x8 grid of its cells' means.

    x [N, H, W, C], H = W a multiple of 8 or less than 8; heads divides C.
    """

    blocks: int = 2
    heads: int = 4
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x):
        n, side, _, channels = x.shape
        cells = min(CELLS, side)
        tokens = x.reshape(n, cells, side // cells, cells, side // cells, channels).mean((2, 4))
        tokens = tokens.reshape(n, cells * cells, channels)
        place = self.param("place", nn.initializers.normal(0.2), (cells * cells, channels))
        tokens = tokens + place.astype(tokens.dtype)
        for index in range(self.blocks):
            h = nn.LayerNorm(dtype=self.dtype, name=f"norm_{index}_attend")(tokens)
            # A constant in the keys changes no share: Adam would make full steps of the rounding in its gradient.
            query, key, value = (
                nn.Dense(channels, use_bias=use_bias, dtype=self.dtype, name=f"{name}_{index}")(h)
                for name, use_bias in (("query", True), ("key", False), ("value", True))
            )
            heads = (part.reshape(n, -1, self.heads, channels // self.heads) for part in (query, key, value))
            told = jax.nn.dot_product_attention(*heads).reshape(tokens.shape)
            tokens = tokens + nn.Dense(channels, dtype=self.dtype, name=f"attend_{index}")(told)
            h = nn.LayerNorm(dtype=self.dtype, name=f"norm_{index}_think")(tokens)
            h = nn.silu(nn.Dense(4 * channels, dtype=self.dtype, name=f"widen_{index}")(h))
            tokens = tokens + nn.Dense(channels, dtype=self.dtype, name=f"narrow_{index}")(h)
        told = nn.Dense(channels, dtype=self.dtype, name="tell")(nn.LayerNorm(dtype=self.dtype, name="norm")(tokens))
        return x + spread(told, x.shape)


def spread(tokens, shape):
    """An 8x8 grid's tokens, each over its cell of a picture of features [N, H, W, C]."""
    n, side, _, channels = shape
    cells = min(CELLS, side)
    told = tokens.reshape(n, cells, 1, cells, 1, channels)
    return jnp.broadcast_to(told, (n, cells, side // cells, cells, side // cells, channels)).reshape(shape)
