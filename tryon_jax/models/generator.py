"""Mapping: a latent (and a garment class) -> a posture, a pyramid, which the common decoder turns into sheets, and a
palette."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.parts import KEYPOINTS, MATERIALS
from tryon_jax.models import skeleton
from tryon_jax.models.layers import Conv, GroupNorm

# Where the joints of somebody standing with hanging arms are, in half picture sides (x, y), in the order of KEYPOINTS.
STANDING = np.array(
    [
        *((0.0, -0.63), (0.02, -0.66), (-0.02, -0.66), (0.05, -0.64), (-0.05, -0.64)),
        *((0.13, -0.47), (-0.13, -0.47), (0.2, -0.24), (-0.2, -0.24), (0.23, -0.03), (-0.23, -0.03)),
        *((0.08, -0.03), (-0.08, -0.03), (0.09, 0.33), (-0.09, 0.33), (0.1, 0.68), (-0.1, 0.68)),
    ],
    np.float32,
)


class Mapping(nn.Module):
    """Latent -> where a person's joints are, the colours of their materials, and a pyramid.

    The pyramid is a grid at side S/8, and at S/4, S/2 and S a style each (StyleGAN's idea) and the bones of the
    posture: what a coarse grid tells of thin limbs is stumps.

    features: channels at sides S, S/2, S/4, S/8; size: S; classes: garment classes, 0 = unconditional.
    """

    features: tuple
    size: int
    classes: int = 0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z, garment_class, posture=None, shown=None):
        """z [N, latent], garment_class int [N] -> (joints [N, K, 2] of the latents in half picture sides, pyramid,
        colours [N, M, 3] in (0, 1) of the materials).

        posture [N, K, 2] is drawn in place of the latents' own joints where shown [N, K, 1] is 1.
        """
        full, half, quarter, eighth = self.features
        w = z
        if self.classes:
            w = w + nn.Embed(self.classes, z.shape[-1], name="class")(garment_class)
        for index in range(2):
            w = nn.leaky_relu(nn.Dense(2 * eighth, dtype=self.dtype, name=f"dense_{index}")(w), 0.2)
        # Inferred latents may be of any length: without a norm the far ones would saturate all that follows.
        w = nn.LayerNorm(dtype=self.dtype, name="norm")(w)
        small = nn.initializers.variance_scaling(0.01, "fan_in", "truncated_normal")
        joints = nn.Dense(2 * len(KEYPOINTS), kernel_init=small, name="joints")(w).astype(jnp.float32)
        joints = STANDING + joints.reshape(len(z), len(KEYPOINTS), 2)
        # Where real postures teach them they are judged by where they are alone, as the joints that an encoder finds.
        drawn = joints if posture is None else jnp.where(shown > 0, posture, jax.lax.stop_gradient(joints))
        side = min(4, self.size // 8)
        h = nn.Dense(side * side * eighth, dtype=self.dtype, name="grid")(w).reshape(-1, side, side, eighth)
        while side < self.size // 8:
            side *= 2
            h = GroupNorm(activated=True, name=f"norm_{side}")(h)
            h = Conv(eighth, kind="up", dtype=self.dtype, name=f"up_{side}")(h)
        told = partial(Conv, size=1, gain=1.0, dtype=self.dtype)
        pyramid = [h + told(eighth, name="bones_eighth")(self._bones(drawn, 8))]
        for name, channels, factor in (("quarter", quarter, 4), ("half", half, 2), ("full", full, 1)):
            style = nn.Dense(channels, dtype=self.dtype, name=f"style_{name}")(w)[:, None, None]
            pyramid.append(style + told(channels, name=f"bones_{name}")(self._bones(drawn, factor)))
        # One palette for both sheets: a front and a back of one person agree by construction.
        colours = nn.Dense(3 * len(MATERIALS), dtype=self.dtype, name="palette")(w).astype(jnp.float32)
        return joints, tuple(pyramid), nn.sigmoid(colours).reshape(len(z), len(MATERIALS), 3)

    def _bones(self, joints, factor):
        """Pictures of the bones of joints [N, K, 2], at the size divided by factor."""
        return jax.vmap(partial(skeleton.drawn, side=self.size // factor))(joints)
