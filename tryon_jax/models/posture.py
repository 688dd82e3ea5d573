"""The posture as numbers: how deep the joints lie, and what that tells the places around them.

How deep a limb lies is trigonometry of joints that are far apart: easy from numbers, hard from pictures of them.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.parts import KEYPOINT
from tryon_jax.models.layers import GROWN
from tryon_jax.models.maps import DEPTH_UNIT

# Visibility of a keypoint that is not shown, but where the posture is read in place of where it was found.
TOLD = 0.5
# How far a joint is heard before nearer ones drown it, in half picture sides: about a thigh's width.
REACH = 0.08
LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
BONES = (
    *((f"{side}_{start}", f"{side}_{end}") for side in ("left", "right") for start, end in LIMBS),
    *(("left_shoulder", "right_shoulder"), ("left_shoulder", "nose")),
)


def measured(joints):
    """What tells of a posture in joints [N, K, 2]: from the pelvis, along the bones, and the pelvis itself, [N, D]."""
    pelvis = joints[:, [KEYPOINT["left_hip"], KEYPOINT["right_hip"]]].mean(1, keepdims=True)
    start, end = (jnp.array([KEYPOINT[name] for name in names]) for names in zip(*BONES, strict=True))
    # A person is about two thirds of the picture high and a third wide: this brings them to about unit size.
    numbers = [3 * (joints - pelvis), 3 * (joints[:, end] - joints[:, start]), pelvis]
    return jnp.concatenate(numbers, axis=1).reshape(len(joints), -1)


def sampled(x, joints, reach=0):
    """Bilinear features [N, K, (2 reach + 1)^2 C] of x [N, S, S, C] at joints [N, K, 2] in [-1, 1] and up to `reach`
    cells off, row by row; zero a cell beyond the picture."""
    n, count, side = *joints.shape[:2], x.shape[1]
    place = (joints + 1) * side / 2 - 0.5
    low = jnp.floor(place)
    share = (place - low).astype(x.dtype)[..., None, None, None]
    cells = low.astype(jnp.int32)[..., None] + jnp.arange(-reach, reach + 2)
    inside = ((cells >= 0) & (cells < side)).astype(x.dtype)
    columns, rows = jnp.moveaxis(jnp.clip(cells, 0, side - 1), 2, 0)
    seen = x.at[jnp.arange(n)[:, None, None, None], rows[..., None], columns[:, :, None]].get(mode="promise_in_bounds")
    seen = seen * (inside[:, :, 1, :, None] * inside[:, :, 0, None])[..., None]
    seen = (1 - share[:, :, 1]) * seen[:, :, :-1] + share[:, :, 1] * seen[:, :, 1:]
    seen = (1 - share[:, :, 0]) * seen[:, :, :, :-1] + share[:, :, 0] * seen[:, :, :, 1:]
    return seen.reshape(n, count, -1)


class Posture(nn.Module):
    """Joints and what is seen at them -> how deep they lie, and a message of each to the places around it.

    From numbers to depths by residual dense layers, as keypoints are lifted to 3D (arXiv:1705.03098).
    """

    width: int = 256
    channels: int = 16  # of a message
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x, fine, edges, joints, shown):
        """x [N, S, S, C]; fine and edges [N, T, T, D], finer: which way a foot points is a matter of pixels; joints
        [N, K, 2], x and y in [-1, 1] over the picture; shown [N, K]: 1 if known, not found.

        Returns messages [N, S, S, channels], and the depths of the front and of the back sheet at the joints,
        [N, K, 2] in half extents of the picture.
        """
        n, side, count = len(x), x.shape[1], joints.shape[1]
        seen = jnp.concatenate([sampled(x, joints), sampled(fine, joints)], axis=-1).reshape(n, -1)
        seen = nn.Dense(self.width // 2, dtype=self.dtype, name="look")(seen)
        close = sampled(edges, joints).reshape(n, -1)
        zeros, name = nn.initializers.zeros, f"{GROWN}look"
        seen = seen + nn.Dense(self.width // 2, use_bias=False, kernel_init=zeros, dtype=self.dtype, name=name)(close)
        # In full precision: a limb's foreshortening is a small difference of places.
        numbers = jnp.concatenate([measured(joints), shown.astype(jnp.float32), nn.silu(seen)], axis=-1)
        h = nn.silu(nn.Dense(self.width, name="read")(numbers))
        for index in range(2):
            h = h + nn.silu(nn.Dense(self.width, dtype=self.dtype, name=f"dense_{index}")(h))
        small = nn.initializers.variance_scaling(0.01, "fan_in", "truncated_normal")
        depths = nn.Dense(2 * count, kernel_init=small, name="depths")(h)
        message = nn.Dense(count * self.channels, dtype=self.dtype, name="message")(jnp.concatenate([h, depths], -1))
        away = (pixel_centres((side, side)) * (2 / side) - 1).reshape(1, -1, 1, 2) - joints[:, None]
        nearness = jax.nn.softmax(-jnp.square(away / REACH).sum(-1) / 2, axis=-1)
        told = jnp.einsum("npk,nkc->npc", nearness, message.reshape(n, count, self.channels))
        return told.reshape(n, side, side, self.channels), DEPTH_UNIT * depths.reshape(n, count, 2)
