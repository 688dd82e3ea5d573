"""A posture drawn as pictures of its bones, from which a generator knows where limbs are to the pixel."""

import jax.numpy as jnp

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.parts import KEYPOINT
from tryon_jax.models.posture import LIMBS

_SIDES = tuple(
    (f"{side}_{start}", f"{side}_{end}") for side in ("left", "right") for start, end in (*LIMBS, ("shoulder", "hip"))
)
BONES = (
    *_SIDES,
    *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    *(("left_ear", "nose"), ("right_ear", "nose"), ("left_eye", "right_eye")),
)
# Standard deviation of a drawn bone, in half picture sides: about a forearm's width, a pixel and a half at 64 pixels.
WIDTH = 0.05


def drawn(joints, side):
    """Pictures [side, side, BONES] in (0, 1] of joints [K, 2] in half picture sides: near 1 along each bone."""
    places = pixel_centres((side, side))[:, :, None] * (2 / side) - 1
    start, end = (joints[jnp.array([KEYPOINT[name] for name in names])] for names in zip(*BONES, strict=True))
    along = end - start
    # A ten-thousandth: both ends of a bone may be seen at one place.
    share = jnp.clip(((places - start) * along).sum(-1) / (jnp.square(along).sum(-1) + 1e-4), 0.0, 1.0)
    away = places - start - share[..., None] * along
    return jnp.exp(-jnp.square(away / WIDTH).sum(-1) / 2)
