"""Image operators in the forms that XLA runs fast on a CPU, each equal to its textbook form, and their modules.

Arrays are [N, H, W, C], kernels [k, k, C_in, C_out]. XLA's CPU backend is slow at the derivatives of strided,
dilated and even-sized convolutions (the second derivative, which R1 needs, most of all). So strides become
space-to-depth, and the derivatives of a convolution are again convolutions or matrix products. Modules keep
parameters in float32 and compute in `dtype`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.models.convolution import conv
from tryon_jax.models.norm import group_norm

# What the names of blocks begin with that do nothing at the start.
GROWN = "grown_"


def pointwise(x, kernel):
    """1x1 convolution of [..., C] by a kernel [C, D]: a product of two matrices, as the weight gradient of a
    product over several leading axes takes five times as long on a CPU."""
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[1])


def space_to_depth(x):
    """[N, H, W, C] -> [N, H/2, W/2, 4C]: each 2x2 block becomes one pixel, channels in the order row, column, C."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4 * c)


def depth_to_space(x):
    """Inverse of `space_to_depth`."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


def conv_down(x, kernel):
    """4x4 convolution, stride 2, padding 1: [N, H, W, C] -> [N, H/2, W/2, D], as 2x2 on 2x2 blocks."""
    blocks = space_to_depth(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))
    c, d = kernel.shape[2:]
    folded = kernel.reshape(2, 2, 2, 2, c, d).transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, 4 * c, d)
    return conv(blocks, folded, (0, 0))


def upsample_conv(x, kernel):
    """Nearest-neighbour x2, then 3x3 convolution with padding 1: [N, H, W, C] -> [N, 2H, 2W, D].

    Of the three rows that an output row reads, two come from one input row, so two taps an axis are enough:
    a 2x2 convolution to 4D channels on the grid of pixel corners, spread out and cropped by one pixel.
    """
    c, d = kernel.shape[2:]
    # merge[phase, tap, row]: an odd output row reads (k0 + k1, k2), an even one (k0, k1 + k2), of corner rows.
    merge = jnp.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]], kernel.dtype)
    merged = jnp.einsum("aui,bvj,ijcd->uvcabd", merge, merge, kernel).reshape(2, 2, c, 4 * d)
    return depth_to_space(conv(x, merged, (1, 1)))[:, 1:-1, 1:-1]


def dropout(x, keys, rate):
    """Inverted dropout of x [N, ...], one key an example [N]; keys None or rate 0 = unchanged."""
    if keys is None or rate == 0:
        return x
    keep = jax.vmap(lambda key, item: jax.random.bernoulli(key, 1 - rate, item.shape))(keys, x)
    return jnp.where(keep, x / (1 - rate), 0)


class Conv(nn.Module):
    """Convolution: kind "same" (stride 1, odd kernel), "down" (4x4, stride 2) or "up" (x2, 3x3)."""

    features: int
    size: int = 3
    kind: str = "same"
    gain: float = 2.0  # variance kept from input to output: 2 before a rectifier (He et al. 2015); 0 starts at zero
    # False where what follows takes every constant away: Adam would make full steps of the rounding in its gradient.
    use_bias: bool = True
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x):
        size = {"same": self.size, "down": 4, "up": 3}[self.kind]
        start = nn.initializers.zeros
        if self.gain:
            start = nn.initializers.variance_scaling(self.gain, "fan_in", "truncated_normal")
        kernel = self.param("kernel", start, (size, size, x.shape[-1], self.features)).astype(self.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else jnp.zeros(1)
        x, bias = x.astype(self.dtype), bias.astype(self.dtype)
        if self.kind == "down":
            return conv_down(x, kernel) + bias
        if self.kind == "up":
            return upsample_conv(x, kernel) + bias
        if size == 1:
            return pointwise(x, kernel[0, 0]) + bias
        return conv(x, kernel, (size // 2, size // 2)) + bias


class GroupNorm(nn.Module):
    """`group_norm` with learned scale and bias; groups of `group_size` channels, or one group if fewer."""

    group_size: int = 8
    activated: bool = False  # whether its SiLU follows

    @nn.compact
    def __call__(self, x):
        channels = x.shape[-1]
        groups = channels // self.group_size if channels % self.group_size == 0 else 1
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        return group_norm(x, scale, bias, groups, self.activated)


class Residual(nn.Module):
    """x + convolution of the normalised x; where `style` [N, H, W, C'] is given it scales and shifts first.

    The modulation is spatially adaptive normalisation (SPADE, arXiv:1903.07291, equation 1), which for a
    spatially constant style is adaptive instance normalisation: a skip and a latent enter by one door.
    """

    dtype: jnp.dtype = jnp.float32
    gain: float = 2.0  # of the convolution; 0 for a block that does nothing at the start

    @nn.compact
    def __call__(self, x, style=None):
        channels = x.shape[-1]
        h = GroupNorm(activated=style is None, name="norm")(x)
        if style is not None:
            scale, shift = jnp.split(Conv(2 * channels, size=1, dtype=self.dtype, name="modulation")(style), 2, axis=-1)
            # Halved, so that fresh modulation does not drown the features.
            h = nn.silu(h * (1 + 0.5 * scale) + 0.5 * shift)
        return x + Conv(channels, gain=self.gain, dtype=self.dtype, name="conv")(h)


def deeper(x, count, name, dtype):
    """x [N, H, W, C] through `count` Residuals that do nothing at the start, named GROWN + name and a number.

    So parts that were trained without them can start with them (checkpoint.started), as in ReZero (arXiv:2003.04887).
    """
    for index in range(count):
        x = Residual(gain=0.0, dtype=dtype, name=f"{GROWN}{name}_{index}")(x)
    return x
