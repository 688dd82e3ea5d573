"""Naive try-ons that any method must beat: outputs made of what a method is given, without looking at the truth."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.render.paste import paste


def constant(silhouette, front, back):
    """The silhouette bool [H, W] at one depth a sheet, metres, with normals that face the two cameras."""
    facing = np.zeros((*silhouette.shape, 3), np.float32)
    facing[..., 2] = 1
    return {
        "mask": silhouette,
        "front_depth": np.full(silhouette.shape, front, np.float32),
        "back_depth": np.full(silhouette.shape, back, np.float32),
        "front_normals": facing,
        "back_normals": -facing,
    }


def copied(person, segmentation):
    """The photo itself, seen from both sides: nothing is put on."""
    found = {"mask": segmentation > 0}
    for side in ("front", "back"):
        found |= {f"{side}_rgb": person, f"{side}_segmentation": segmentation}
    return found


def pasted(target):
    """The garment's cut-out stretched onto the photo's joints (render/paste.py), from the front."""
    given = (target[key] for key in ("garment", "garment_mask", "person", "keypoints"))
    picture, cover = over(*given, target["garment_class"])
    return {"front_rgb": picture, "mask": (target["person_segmentation"] > 0) | (cover > 0.5)}


def over(garment, garment_mask, person, keypoints, garment_class):
    """(picture float32 [H, W, 3], how much of it is garment, float32 [H, W] in [0, 1]) of a pasted garment.

    Takes pictures in [0, 1] and the cut-out bool [H, W], as render/paste.py's `paste`.
    """
    cut = np.asarray(garment_mask, np.float32)[..., None]
    found = _over(np.asarray(garment, np.float32), cut, np.asarray(person, np.float32), keypoints, garment_class)
    return tuple(np.asarray(value) for value in found)


@jax.jit
def _over(garment, cut, person, keypoints, garment_class):
    cover = paste(jnp.ones_like(garment), cut, jnp.zeros_like(person), keypoints, garment_class)[..., 0]
    return paste(garment, cut, person, keypoints, garment_class), cover
