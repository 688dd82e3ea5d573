"""The mirror image of what an encoder is shown and of what is found in it; each function is its own inverse.

Left and right of the person change places, and the garment is mirrored with the picture. Callers vmap.
"""

import jax.numpy as jnp

from tryon_jax.geometry.parts import FLIP_KEYPOINTS, FLIP_PARTS
from tryon_jax.models.maps import unit


def observations(seen):
    """The mirror image of one item's observations, of the shapes of `encoder_decoder.nothing`, and `known`."""
    width = seen["rgb"].shape[1]
    x, rest = jnp.split(seen["keypoints"][FLIP_KEYPOINTS], [1], axis=-1)
    return {
        "rgb": seen["rgb"][:, ::-1],
        "parts": seen["parts"][:, ::-1, FLIP_PARTS],
        # A keypoint that is not shown is all zeros.
        "keypoints": jnp.concatenate([jnp.where(rest[:, 1:] > 0, width - x, x), rest], axis=-1),
        "geometry": seen["geometry"][:, ::-1] * jnp.array([1.0, -1.0, 1.0, 1.0, 1.0]),  # depth, normal, validity
        "known": seen["known"][:, ::-1],
    }


def maps(found, width):
    """The mirror image of one item's named maps (models/maps.py) with `joints` and `joint_depths`.

    width: of the picture, pixels.
    """
    joints, depths = found["joints"][FLIP_KEYPOINTS], found["joint_depths"][FLIP_KEYPOINTS]
    pictures = {name: value[:, ::-1] for name, value in found.items() if name not in ("joints", "joint_depths")}
    for side in ("front", "back"):
        pictures[f"{side}_normals"] *= jnp.array([-1.0, 1.0, 1.0])
        pictures[f"{side}_garment_uv"] *= jnp.array([-1.0, 1.0])
        pictures[f"{side}_parts"] = pictures[f"{side}_parts"][..., FLIP_PARTS]
    return {**pictures, "joints": joints * jnp.array([-1.0, 1.0]) + jnp.array([width, 0.0]), "joint_depths": depths}


def agreed(first, second):
    """The mean of two named maps of one item; normals stay unit."""
    mean = {name: (value + second[name]) / 2 for name, value in first.items()}
    return mean | {f"{side}_normals": unit(mean[f"{side}_normals"]) for side in ("front", "back")}
