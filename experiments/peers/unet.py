"""The convolutions and the U-Net generator of pix2pix (arXiv:1611.07004, section 6.1), which M3D-VTON builds on too.

A convolution is the textbook one, in the form in which models/layers.py has it, fast on CPUs too. Weights start as the
paper says, not as those of the project's own networks.
"""

import flax.linen as nn
import jax

from tryon_jax.models.layers import GroupNorm, conv, conv_down, depth_to_space, dropout

START = nn.initializers.normal(0.02)  # section 6.2


class Convolution(nn.Module):
    """Kind "down": 4x4, stride 2. "up": the transpose of that. "same": stride 1, of `size`, and one pixel of zeros.

    No bias where a norm follows, which takes every constant away: Adam would make full steps of rounding.
    """

    features: int
    kind: str
    size: int = 3
    use_bias: bool = True

    @nn.compact
    def __call__(self, x):
        size, phases = {"down": (4, 1), "up": (2, 4), "same": (self.size, 1)}[self.kind]
        kernel = self.param("kernel", START, (size, size, x.shape[-1], phases * self.features))
        if self.kind == "down":
            x = conv_down(x, kernel)
        else:
            x = conv(x, kernel, (1, 1))
        if self.kind == "up":
            # Each output pixel of a 2x2 block has 2x2 taps of its own: the sixteen of the transposed 4x4 kernel.
            x = depth_to_space(x)[:, 1:-1, 1:-1]
        return x + self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else x


class InstanceNorm(nn.Module):
    """Each channel of each example at mean 0 and variance 1 (arXiv:1607.08022), then scaled and shifted.

    It is what pix2pix calls batch normalisation at batch size 1, and keeps examples apart at any batch size.
    """

    @nn.compact
    def __call__(self, x):
        return GroupNorm(group_size=1, name="norm")(x)


class UNet(nn.Module):
    """[N, S, S, C] -> [N, S, S, outputs], raw; `depth` halvings, S divisible by 2^depth.

    Channels grow from `width` to 8 x width; widths, skips and activations as in section 6.1.1. Dropout of a half sits
    in the decoder's levels beyond the fifth, the innermost `depth` - 5, where the authors' smaller networks have it
    (three levels of eight in the paper). No norm at the bottleneck: of a single pixel it would leave nothing.
    """

    outputs: int
    width: int
    depth: int

    @nn.compact
    def __call__(self, x, keys=None):
        """keys [N] turn dropout on."""
        features = [self.width * min(2**level, 8) for level in range(self.depth)]
        skips, last = [], self.depth - 1
        for level, channels in enumerate(features):
            h = nn.leaky_relu(skips[-1], 0.2) if level else x
            normed = 0 < level < last
            h = Convolution(channels, "down", use_bias=not normed, name=f"down_{level}")(h)
            skips.append(InstanceNorm(name=f"down_norm_{level}")(h) if normed else h)
        h = skips.pop()
        for level in range(last, 0, -1):
            h = Convolution(features[level - 1], "up", use_bias=False, name=f"up_{level}")(nn.relu(h))
            h = InstanceNorm(name=f"up_norm_{level}")(h)
            if level >= 5 and keys is not None:
                h = dropout(h, jax.vmap(jax.random.fold_in, (0, None))(keys, level), 0.5)
            h = jax.numpy.concatenate([h, skips.pop()], axis=-1)
        return Convolution(self.outputs, "up", name="up_0")(nn.relu(h))
