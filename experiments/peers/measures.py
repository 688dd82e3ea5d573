"""Scores of found maps (peers.Peer.look), the same for all: those of tryon_jax/scores/dressing.py, where they apply."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import losses, metrics
from tryon_jax.geometry.camera import half_extent
from tryon_jax.geometry.relief import normals_from_depth
from tryon_jax.render.paste import paste

SIDES = {"front": 1.0, "back": -1.0}  # the sign of the normals' z


def pasted(example):
    """Found maps of one example's baseline: the cut-out pasted on the photo, behind too, in the photo's outline."""
    colour = paste(
        example["garment"], example["garment_mask"], example["person"], example["keypoints"], example["garment_class"]
    )
    outline = (example["person_segmentation"] > 0).astype(jnp.float32)[..., None]
    return {"front_colour": colour, "back_colour": colour, "mask": 2 * outline - 1}


def score(found, example):
    """Errors of one example's found maps; normals are found ones, or else those that the depths make.

    Slopes of depth are taken within the true silhouette, for all methods alike: no cliff at its rim counts.
    """
    mask = example["mask"]
    scores = {
        "same_garment": example["same_garment"],
        "mask_iou": metrics.intersection_over_union(jax.nn.sigmoid(found["mask"]), mask),
        "person_error": metrics.squared_error(found["front_colour"], example["front_rgb"], mask),
        "back_error": metrics.squared_error(found["back_colour"], example["back_rgb"], mask),
    }
    for side, sign in SIDES.items():
        region = losses.garment_region(example[f"{side}_segmentation"], example["garment_class"]) * mask
        depth = example[f"{side}_depth"]
        scores |= {
            f"{side}_visible": (region.sum() > 0).astype(jnp.float32),
            f"{side}_garment_error": metrics.squared_error(found[f"{side}_colour"], example[f"{side}_rgb"], region),
            f"{side}_depth_mean": losses.masked_mean(depth, mask),
            f"{side}_depth_square": losses.masked_mean(depth**2, mask),
        }
        if f"{side}_depth" in found:
            guess, true = found[f"{side}_depth"], example[f"{side}_normals"]
            metres = half_extent(example["camera"], mask.shape[:2])
            relief = normals_from_depth(guess, mask, sign)
            scores |= {
                f"{side}_depth_error": metrics.squared_error(guess * metres, depth, mask),
                f"{side}_angle": metrics.angle(found.get(f"{side}_normals", relief), true, mask),
                f"{side}_relief_angle": metrics.angle(relief, true, mask),
            }
    return scores


def summarize(rows):
    """Scores over a split of `score`'s rows, dict of floats; what a method does not make is left out.

    garment_psnr: dB, where the garment shows, over unpaired examples (another garment in the photo), of the front and,
    back_garment_psnr, of the back; person_psnr, back_psnr: of the whole front and back. {side}_depth_mm: root mean
    squared error in millimetres on the mask; /constant: of the best constant over the whole set. normal_degrees: mean
    angle of both sides' normals; relief_degrees: of those that the depths make.
    """
    found = {"examples": float(len(rows["same_garment"]))}
    for side, prefix in (("front", ""), ("back", "back_")):
        visible = rows[f"{side}_visible"] > 0
        unpaired = (rows["same_garment"] == 0) & visible
        # A split without unpaired examples is scored on what it has.
        chosen = unpaired if unpaired.any() else visible
        constant = rows[f"{side}_depth_square"].mean() - rows[f"{side}_depth_mean"].mean() ** 2
        found[f"{prefix}garment_psnr"] = float(metrics.psnr(rows[f"{side}_garment_error"][chosen].mean()))
        found[f"{side}_depth_mm/constant"] = float(1e3 * np.sqrt(constant))
        if f"{side}_depth_error" in rows:
            found[f"{side}_depth_mm"] = float(1e3 * np.sqrt(rows[f"{side}_depth_error"].mean()))
    for name in ("person", "back"):
        found[f"{name}_psnr"] = float(metrics.psnr(rows[f"{name}_error"].mean()))
    for name, row in (("normal_degrees", "angle"), ("relief_degrees", "relief_angle")):
        if f"front_{row}" in rows:
            found[name] = float(np.mean([rows[f"{side}_{row}"].mean() for side in SIDES]))
    return found | {"mask_iou": float(rows["mask_iou"].mean())}
