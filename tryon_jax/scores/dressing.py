"""How well a try-on's named maps fit an example's truth, beside pasting the garment's picture on the photo."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import losses, metrics
from tryon_jax.render.paste import paste

SIDES = ("front", "back")
# Errors of garment coordinates are counted in this many bins up to half the garment's height; the last holds the rest.
BINS, FARTHEST = 500, 0.5


def score(maps, example):
    """Scores of one example's named maps (models/maps.py) with composed colours {side}_colour, and of the baselines.

    Returns a dict of scalars, and counts [2, BINS] of the errors of both sides' garment coordinates.
    """
    mask, garment_class = example["mask"], example["garment_class"]
    found = jax.nn.sigmoid(maps["mask"])
    pasted = paste(example["garment"], example["garment_mask"], example["person"], example["keypoints"], garment_class)
    scores = {
        "same_garment": example["same_garment"],
        "person_error": metrics.squared_error(maps["front_colour"], example["front_rgb"], mask),
        "back_error": metrics.squared_error(maps["back_colour"], example["back_rgb"], mask),
        **metrics.surface(maps, example),
    }
    names = "rgb", "back_rgb", "segmentation", "back_segmentation", "garment_uv"
    scores |= {f"has_{name}": example["has"][name] for name in names}
    counts = []
    for side in SIDES:
        truth = example[f"{side}_rgb"]
        cloth = losses.garment_region(example[f"{side}_segmentation"], garment_class)
        guess = losses.garment_region(maps[f"{side}_parts"].argmax(-1), garment_class) * (found > 0.5)
        miss = jnp.linalg.norm(maps[f"{side}_garment_uv"] - example[f"{side}_garment_uv"], axis=-1, keepdims=True)
        scores |= {
            f"{side}_visible": ((cloth * mask).sum() > 0).astype(jnp.float32),
            f"{side}_garment_error": metrics.squared_error(maps[f"{side}_colour"], truth, cloth * mask),
            f"{side}_garment_error_paste": metrics.squared_error(pasted, truth, cloth * mask),
            f"{side}_garment_error_own": metrics.squared_error(maps[f"{side}_rgb"], truth, cloth * mask),
            f"{side}_garment_iou": metrics.intersection_over_union(guess, cloth),
            f"{side}_uv_miss": losses.masked_mean(miss, cloth),
        }
        counts.append(_counted(miss / _height(example["garment_mask"]), cloth))
    return {**scores, "uv_counts": jnp.stack(counts)}


def _height(garment_mask):
    """Height of the garment in its picture's coordinates, which span 2, from garment_mask [G, G, 1]."""
    rows = (garment_mask[..., 0] > 0.5).any(1)
    # A picture without a cut-out has no height: it counts as one that fills the picture.
    return jnp.where(rows.any(), 2 * rows.mean(), 2.0)


def _counted(values, mask):
    """How many of values [H, W, 1] where mask [H, W, 1] is 1 fall into each of the BINS, float32 [BINS]."""
    place = jnp.clip(jnp.floor(values * (BINS / FARTHEST)), 0, BINS - 1).astype(jnp.int32)
    return jnp.zeros(BINS).at[place.ravel()].add(mask.ravel())


def _median(counts):
    """Median of what was counted [BINS], to half a bin; that of nothing is 0."""
    total = counts.cumsum()
    return float((np.searchsorted(total, total[-1] / 2) + 0.5) * FARTHEST / BINS) if total[-1] else 0.0


def summarize(rows):
    """Scores over a split. A name after a slash is the baseline's or another variant's score by the same measure.

    garment_psnr: the front where the garment shows, over unpaired examples (another garment in the photo);
    /paste: the cut-out pasted on the photo (render/paste.py); /own_colour: the network's own colour alone;
    back_garment_psnr: the same of the back. garment_uv_error: mean distance, in the picture's side of 2;
    garment_uv_median: median distance over all pixels, as a share of the garment's height. depth_mm: RMSE of one
    sheet in millimetres. The rest as of metrics.surface_scores.
    """
    known = {name.removeprefix("has_"): values > 0 for name, values in rows.items() if name.startswith("has_")}
    scores, overlaps = {}, []
    for side, prefix in (("front", ""), ("back", "back_")):
        pictured = known[f"{prefix}rgb"]
        if pictured.any():
            name = "person_psnr" if side == "front" else "back_psnr"
            scores[name] = float(metrics.psnr(rows[name.replace("psnr", "error")][pictured].mean()))
        seen = (rows[f"{side}_visible"] > 0) & pictured & known[f"{prefix}segmentation"]
        unpaired = (rows["same_garment"] == 0) & seen
        if side == "front":
            scores["unpaired_examples"] = float(unpaired.sum())
        # A split without unpaired examples is scored on what it has.
        chosen = unpaired if unpaired.any() else seen
        for name, suffix in (("", ""), ("_paste", "/paste"), ("_own", "/own_colour")):
            if chosen.any():
                error = rows[f"{side}_garment_error{name}"][chosen].mean()
                scores[f"{prefix}garment_psnr{suffix}"] = float(metrics.psnr(error))
        if (labelled := known[f"{prefix}segmentation"]).any():
            overlaps.append(rows[f"{side}_garment_iou"][labelled].mean())
    scores |= metrics.surface_scores(rows)
    if (deep := known["depth"]).any():
        scores |= {f"{side}_depth_mm": float(1e3 * np.sqrt(rows[f"{side}_depth_error"][deep].mean())) for side in SIDES}
    if overlaps:
        scores["garment_iou"] = float(np.mean(overlaps))
    if (traced := known["garment_uv"]).any():
        scores["garment_uv_error"] = float(np.mean([rows[f"{side}_uv_miss"][traced].mean() for side in SIDES]))
        scores["garment_uv_median"] = _median(rows["uv_counts"][traced].sum((0, 1)))
    return scores
