"""Where the keypoints are in a picture: a first guess from heat maps, moved by what is seen at the places guessed.

How deep a limb lies is told by how much it is foreshortened, so a third of a pixel counts.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.models.layers import GROWN, Conv, GroupNorm, Residual
from tryon_jax.models.posture import measured, sampled

# Unit of a correction, half picture sides: a first guess is a few hundredths of a half side off.
MOVE = 0.1
# Cells on each side of a guessed place that are looked at.
BESIDE = 1


class Joints(nn.Module):
    """Features at sides S/8 and S/4 -> places of the keypoints: the mean places of heat maps (arXiv:1711.08229).

    Each cell also says how far from its centre the keypoint lies (arXiv:1701.01779, section 3.2): sharp heat maps alone
    would be off by 0.38 of a cell. Coarse features come down to the finer ones (arXiv:1612.03144), since which of the
    edges in sight is the elbow's is told by the rest of the person.
    """

    count: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, coarse, middle):
        """coarse [N, S/8, S/8, C], middle [N, S/4, S/4, D] -> [N, count, 2], x and y in [-1, 1] over the picture."""
        broad = Conv(middle.shape[-1], size=1, gain=1.0, dtype=self.dtype, name="broad")(coarse)
        h = middle + broad.repeat(2, axis=1).repeat(2, axis=2)
        for index in range(2):
            h = Residual(self.dtype, name=f"mix_{index}")(h)
        h = GroupNorm(activated=True, name="norm")(h)
        n, height, width, _ = h.shape
        heat = Conv(self.count, size=1, gain=1.0, use_bias=False, dtype=self.dtype, name="heat")(h)
        shares = jax.nn.softmax(heat.astype(jnp.float32).reshape(n, height * width, self.count), axis=1)
        offsets = Conv(2 * self.count, size=1, gain=0.1, dtype=self.dtype, name="offset")(h).astype(jnp.float32)
        centres = pixel_centres((height, width)).reshape(-1, 1, 2)
        places = centres + offsets.reshape(n, height * width, self.count, 2)
        return jnp.einsum("npk,npkc->nkc", shares, places * (2 / height) - 1)


class Correction(nn.Module):
    """Guessed places and what is seen around each -> better places (arXiv:1312.4659, section 3.2).

    Each keypoint has its own look at its surroundings; what all of them see is weighed together.
    """

    width: int = 128
    look: int = 32  # numbers that one keypoint's surroundings become
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, coarse, middle, fine, edges, joints):
        """coarse, middle, fine, edges: features [N, ., ., .] of falling cell size; joints [N, K, 2] in [-1, 1] -> the
        same."""
        n, count = joints.shape[:2]
        # A guess is judged by itself: a later one would move it to where more is seen.
        joints = jax.lax.stop_gradient(joints)
        start = nn.initializers.variance_scaling(1.0, "fan_in", "truncated_normal", in_axis=1, batch_axis=0)
        seen = self._looked(
            "look", start, jnp.concatenate([sampled(middle, joints), sampled(fine, joints, BESIDE)], axis=-1)
        )
        seen = seen + self._looked(f"{GROWN}look", nn.initializers.zeros, sampled(edges, joints, BESIDE))
        seen = nn.silu(nn.LayerNorm(dtype=self.dtype, name="norm")(seen))
        # Places in full precision, as in Posture.
        h = jnp.concatenate([seen.reshape(n, -1), measured(joints), coarse.mean((1, 2))], axis=-1)
        h = nn.silu(nn.Dense(self.width, name="read")(h))
        h = h + nn.silu(nn.Dense(self.width, dtype=self.dtype, name="think")(h))
        small = nn.initializers.variance_scaling(0.01, "fan_in", "truncated_normal")
        return joints + MOVE * nn.Dense(2 * count, kernel_init=small, name="move")(h).reshape(n, count, 2)

    def _looked(self, name, start, seen):
        """What each keypoint makes of its own features [N, K, C]: [N, K, look]."""
        kernel = self.param(name, start, (*seen.shape[1:], self.look)).astype(seen.dtype)
        return jnp.einsum("nkc,kcd->nkd", seen, kernel)
