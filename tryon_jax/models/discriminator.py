"""The discriminator and what it is shown: colour, the relief that the depth makes, the silhouette and the parts."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.parts import PALETTE
from tryon_jax.geometry.relief import normals_from_depth
from tryon_jax.models.layers import Conv, GroupNorm
from tryon_jax.models.maps import DEPTH_UNIT

# Channels of an observation, and what they are where there is nobody.
OBSERVED = 21
NOBODY = (-1.0,) * 6 + (0.0,) * 6 + (-1.0,) + (0.0,) * 8


def observe(front_rgb, back_rgb, front_depth, back_depth, front_parts, back_parts, mask):
    """What a discriminator sees of a batch of sheets: [N, S, S, OBSERVED], about in [-1, 1].

    rgb in [0, 1], depth in half extents of the picture, parts as probabilities of the labels, mask in [0, 1], all
    [N, S, S, .]. Channels: colour of both sheets, normals that their depths make, silhouette, both depths, and the
    parts in the three numbers of their palette (15 channels a sheet would cost more than all the rest). Colour
    is composed onto black and the rest onto zero by the mask, so real and made sheets have the same known
    background. Depth is there beside its normals, which do not tell where a sheet lies: the sheets of a person
    must fit each other.
    """
    relief = jnp.concatenate(
        [normals_from_depth(front_depth, mask, 1.0), normals_from_depth(back_depth, mask, -1.0)], axis=-1
    )
    colour = jnp.concatenate([front_rgb, back_rgb], axis=-1) * mask
    place = jnp.concatenate([front_depth, back_depth], axis=-1) * mask / DEPTH_UNIT
    colours = jnp.asarray(PALETTE, jnp.float32) / 127.5 - 1
    parts = jnp.concatenate([front_parts @ colours, back_parts @ colours], axis=-1) * mask
    return jnp.concatenate([2 * colour - 1, relief, 2 * mask - 1, place, parts], axis=-1)


class Discriminator(nn.Module):
    """Observed sheets -> one logit an example, with a class projection (arXiv:1802.05637, equation 4) if classes.

    features: channels at sides S, S/2, S/4, S/8, as of the generator. norm: group norm, or none.
    """

    features: tuple
    classes: int = 0
    norm: bool = False
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x, garment_class):
        """x [N, S, S, OBSERVED] from `observe`, garment_class int [N] -> logits float32 [N]."""
        h = x
        for index, channels in enumerate(self.features[1:]):
            h = Conv(channels, kind="down", dtype=self.dtype, name=f"down_{index}")(h)
            if self.norm:
                h = GroupNorm(name=f"norm_{index}")(h)
            h = nn.leaky_relu(h, 0.2)
        coarse = self.features[-1]
        h = h + Conv(coarse, dtype=self.dtype, name="conv")(h) * 0.5
        h = nn.leaky_relu(Conv(coarse, kind="down", dtype=self.dtype, name="down_last")(nn.leaky_relu(h, 0.2)), 0.2)
        n, side, _, channels = h.shape
        cells = min(4, side)
        # A fixed 4x4 grid at any size, so that where a thing is still counts and parameters do not grow.
        h = h.reshape(n, cells, side // cells, cells, side // cells, channels).mean((2, 4)).reshape(n, -1)
        h = nn.leaky_relu(nn.Dense(coarse, dtype=self.dtype, name="dense")(h), 0.2).astype(jnp.float32)
        logits = nn.Dense(1, name="logit")(h)[:, 0]
        if self.classes:
            logits = logits + (h * nn.Embed(self.classes, h.shape[-1], name="class")(garment_class)).mean(-1)
        return logits


def disturb(x, key, *, colour, shift, cutout):
    """Differentiable augmentation (arXiv:2006.10738) of one observation x [S, S, OBSERVED], the same for real and made.

    colour: largest relative change of contrast and of brightness of both sheets; shift: largest shift as a share
    of the side; cutout: side of a blank square as a share of the side. Zero turns each off. What is shifted in
    or cut out is background.
    """
    size = x.shape[0]
    background = jnp.array(NOBODY, x.dtype)
    keys = jax.random.split(key, 5)
    x = x - background
    if colour:
        gain = 1 + colour * jax.random.uniform(keys[0], (), minval=-1, maxval=1)
        tint = 1 + 0.5 * colour * jax.random.uniform(keys[1], (3,), minval=-1, maxval=1)
        x = x.at[..., :6].multiply(jnp.tile(gain * tint, 2))
    if shift:
        reach = max(1, round(shift * size))
        start = jax.random.randint(keys[2], (2,), 0, 2 * reach + 1)
        x = jax.lax.dynamic_slice(jnp.pad(x, ((reach, reach), (reach, reach), (0, 0))), (*start, 0), x.shape)
    if cutout:
        centre = jax.random.randint(keys[3], (2,), 0, size)
        inside = jnp.abs(jnp.arange(size)[:, None] - centre) < cutout * size / 2
        x = jnp.where((inside[:, 0][:, None] & inside[:, 1][None])[..., None], 0, x)
    return x + background
