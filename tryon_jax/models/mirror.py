"""The mirror image of what networks are shown and of what is found in it, each its own inverse; and the mean of both.

Left and right of the person change places, and the garment is mirrored with the picture.
"""

from functools import partial

import jax
import jax.numpy as jnp

from tryon_jax.geometry.parts import FLIP_KEYPOINTS, FLIP_PARTS
from tryon_jax.models.maps import unit

PICTURES = ("rgb", "detail", "parts", "geometry", "known", "garment", "garment_mask")


def observations(seen):
    """The mirror image of one item's observations: of the shapes of `encoder_decoder.nothing`, of `known`, and of a
    garment's picture and mask; what else there is stays as it is."""
    width = seen["rgb"].shape[1]
    x, rest = jnp.split(seen["keypoints"][FLIP_KEYPOINTS], [1], axis=-1)
    found = {name: seen[name][:, ::-1] for name in PICTURES if name in seen}
    found["parts"] = found["parts"][..., FLIP_PARTS]
    if "geometry" in found:
        found["geometry"] *= jnp.array([1.0, -1.0, 1.0, 1.0, 1.0])  # depth, normal, validity
    # A keypoint that is not shown is all zeros.
    found["keypoints"] = jnp.concatenate([jnp.where(rest[:, 1:] > 0, width - x, x), rest], axis=-1)
    return {**seen, **found}


def maps(found, width):
    """The mirror image of one item's named maps (models/maps.py) with `joints` and `joint_depths`.

    width: of the picture, pixels.
    """
    joints, depths = found["joints"][..., FLIP_KEYPOINTS, :], found["joint_depths"][FLIP_KEYPOINTS]
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


def both_ways(look, seen):
    """The mean of what `look` finds in a batch of observations and in their mirror images.

    Either is as good, and part of the error of each is its own (arXiv:1603.06937, section 4.1). look: observations ->
    named maps with `joints` and `joint_depths`, arrays [B, ...].
    """
    mirrored = look(jax.vmap(observations)(seen))
    mirrored = jax.vmap(partial(maps, width=seen["rgb"].shape[2]))(mirrored)
    return jax.vmap(agreed)(look(seen), mirrored)
