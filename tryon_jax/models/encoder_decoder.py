"""Encoder (what is seen -> pyramid) and decoder (pyramid -> maps of both sheets).

A pyramid is a tuple of feature maps at sides S/8, S/4, S/2 and S. The encoder makes one from observations and
the generator's mapping one from a latent, so that one decoder serves every stage.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.keypoints import heat_maps
from tryon_jax.geometry.parts import KEYPOINTS, PARTS
from tryon_jax.models.attention import Attention
from tryon_jax.models.joints import Correction, Joints
from tryon_jax.models.layers import GROWN, Conv, GroupNorm, Residual, deeper, depth_to_space, dropout, space_to_depth
from tryon_jax.models.maps import CHANNELS
from tryon_jax.models.posture import TOLD, Posture

# Channels of each picture that an encoder can be shown; a missing one adds nothing.
MODALITIES = {"rgb": 3, "parts": len(PARTS), "geometry": 5}


def nothing(count, size):
    """Empty observations of `count` pictures of side `size`: all that an encoder can be shown."""
    pictures = {name: jnp.zeros((count, size, size, channels)) for name, channels in MODALITIES.items()}
    pictures["detail"] = jnp.zeros((count, 2 * size, 2 * size, 3))
    return {**pictures, "keypoints": jnp.zeros((count, len(KEYPOINTS), 3))}


# How often the guess of where the joints are is corrected by what is seen there.
CORRECTIONS = 2
# A keypoint [x, y, visibility] in pixels at half the size.
HALVED = jnp.array([0.5, 0.5, 1.0])


class Encoder(nn.Module):
    """Observations -> pyramid. features: channels at sides S, S/2, S/4, S/8; more: further blocks at each level."""

    features: tuple
    more: int = 0
    dropout: float = 0.0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, observations, keys=None):
        """observations: dict of modality -> [N, S, S, channels], see MODALITIES; detail [N, 2S, 2S, 3], how a finer
        picture differs from rgb; and keypoints [N, K, 3] in pixels with visibility, 0 for those not shown,
        posture.TOLD for those that only take the place of found ones; keys [N] turn dropout on. Returns the pyramid,
        and a dict of `joints`, where the encoder takes the keypoints to be, one guess after the other, [N, 1 +
        CORRECTIONS, K, 2] in pixels, of which the last stands in for those that it is not shown, and `joint_depths`, of
        both sheets there, [N, K, 2] in half extents.

        Parameters exist for the modalities that `init` was shown, so show it all of them (`nothing`).
        """
        full, half, quarter, eighth = self.features
        # What is to be kept as it is, the photo's own colours, has a linear way past all that thinks about it.
        sharp = Conv(full, size=1, gain=1.0, dtype=self.dtype, name="sharp")(observations["rgb"])
        size, keypoints = observations["rgb"].shape[1], observations["keypoints"]
        shown = keypoints[..., 2] > TOLD
        pictures = {name: space_to_depth(observations[name]) for name in MODALITIES if name in observations}
        blobs = partial(heat_maps, size=(size // 2, size // 2))
        pictures["keypoints"] = jax.vmap(blobs)(keypoints * HALVED * shown[..., None])
        stems = [
            Conv(half, size=1, dtype=self.dtype, name=f"stem_{name}")(value) for name, value in sorted(pictures.items())
        ]
        edges = self._edges(observations)
        sharp = sharp + self._grown(full, "sharp")(edges)
        stems.append(self._grown(half, "stem")(space_to_depth(edges)))
        more = partial(deeper, count=self.more, dtype=self.dtype)
        fine = more(Residual(self.dtype, name="fine")(sum(stems)), name="fine")
        middle = Conv(quarter, kind="down", dtype=self.dtype, name="down_quarter")(
            GroupNorm(activated=True, name="norm_fine")(fine)
        )
        middle = more(Residual(self.dtype, name="middle")(middle), name="middle")
        coarse = Conv(eighth, kind="down", dtype=self.dtype, name="down_eighth")(
            GroupNorm(activated=True, name="norm_middle")(middle)
        )
        coarse = Residual(self.dtype, name="coarse_0")(coarse)
        coarse = Residual(self.dtype, name="coarse_1")(coarse)
        coarse = Attention(dtype=self.dtype, name="attention")(coarse)
        coarse = more(coarse, name="coarse")
        found = [Joints(len(KEYPOINTS), dtype=self.dtype, name="joints")(coarse, middle)]
        for index in range(CORRECTIONS):
            correction = Correction(dtype=self.dtype, name=f"correction_{index}")
            found.append(correction(coarse, middle, fine, edges, found[-1]))
        joints = jnp.where(keypoints[..., 2:] > 0, keypoints[..., :2] / (size / 2) - 1, found[-1])
        # Found joints are judged by where they are alone: the loss of depths would move them to where they say more.
        places = jax.lax.stop_gradient(joints)
        messages, depths = Posture(dtype=self.dtype, name="posture")(middle, fine, edges, places, shown)
        middle = middle + Conv(quarter, size=1, gain=1.0, dtype=self.dtype, name="posture_middle")(messages)
        n, side, _, channels = messages.shape
        messages = messages.reshape(n, side // 2, 2, side // 2, 2, channels).mean((2, 4))
        coarse = coarse + Conv(eighth, size=1, gain=1.0, dtype=self.dtype, name="posture_coarse")(messages)
        middle = more(middle, name="told_middle")
        coarse = Residual(self.dtype, name="coarse_2")(coarse)
        coarse = more(Residual(self.dtype, name="coarse_3")(coarse), name="told_coarse")
        # Of one size, whatever has been added up: a garment's style, which is added next, must not drown.
        coarse = GroupNorm(name="norm_coarse")(coarse)
        return (dropout(coarse, keys, self.dropout), middle, fine, sharp), {
            "joints": (jnp.stack(found, axis=1) + 1) * (size / 2),
            "joint_depths": depths,
        }

    def _edges(self, observations):
        """Where in a pixel one thing ends and another begins: features [N, S, S, C] of the fine picture and the parts.

        Half of the error of depth lies in pixels that a limb's rim goes through.
        """
        full, rgb = self.features[0], observations["rgb"]
        detail = observations.get("detail", jnp.zeros((len(rgb), 2 * rgb.shape[1], 2 * rgb.shape[2], 3)))
        seen = jnp.concatenate([rgb, space_to_depth(detail)], axis=-1)
        h = Conv(full, dtype=self.dtype, name=f"{GROWN}edges")(seen)
        if "parts" in observations:
            h = h + Conv(full, size=1, dtype=self.dtype, name=f"{GROWN}edges_parts")(observations["parts"])
        return nn.silu(h)

    def _grown(self, channels, name):
        return Conv(channels, size=1, gain=0.0, dtype=self.dtype, name=GROWN + name)


class Decoder(nn.Module):
    """Pyramid -> raw maps [N, S, S, CHANNELS] in float32; `maps.split` names them. more: as the Encoder's."""

    features: tuple
    more: int = 0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, pyramid):
        full, half, quarter, _ = self.features
        coarse, middle, fine, sharp = pyramid
        h = Residual(self.dtype, name="coarse")(coarse.astype(self.dtype))
        for name, channels, style in (("quarter", quarter, middle), ("half", half, fine)):
            h = Conv(channels, kind="up", dtype=self.dtype, name=f"up_{name}")(
                GroupNorm(activated=True, name=f"norm_{name}")(h)
            )
            h = deeper(Residual(self.dtype, name=name)(h, style), self.more, name, self.dtype)
        h = Conv(full, kind="up", dtype=self.dtype, name="up_full")(GroupNorm(activated=True, name="norm_full")(h))
        # The fine level has each pixel of a 2x2 block in its channels: a linear way to them. Without its mean over
        # the picture, since a constant style would be spread out as a chequer of 2x2 pixels. Less a corner first, so
        # that a constant leaves a true zero: Adam would make full steps of the rounding in the kernel's gradient.
        detail = fine - fine[:, :1, :1]
        detail = detail - detail.mean((1, 2), keepdims=True)
        h = h + depth_to_space(
            Conv(4 * full, size=1, gain=1.0, use_bias=False, dtype=self.dtype, name="detail")(detail)
        )
        h = (GroupNorm(activated=True, name="norm_head")(h) + sharp).astype(jnp.float32)
        # Small at the start, so that no map saturates; not so small that Adam spends hundreds of steps on its size.
        return Conv(CHANNELS, size=1, gain=0.1, name="head")(h)


def without_skips(pyramid, drop):
    """The pyramid with the upper levels of the examples where drop [N] is 1 replaced by their spatial mean.

    The generator's mapping gives spatially constant upper levels. A decoder that has seen such ones in ssl can
    be called by it at once, and cannot lean on the skips alone.
    """
    coarse, *upper = pyramid
    drop = drop[:, None, None, None]
    flat = (level.mean((1, 2), keepdims=True) * drop + level * (1 - drop) for level in upper)
    return (coarse, *(level.astype(coarse.dtype) for level in flat))
