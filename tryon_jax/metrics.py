"""Scores. Functions take one example ([H, W, C] pictures) unless they say that they take a set."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import half_extent
from tryon_jax.losses import masked_mean

SIDES = ("front", "back")
GRID = 4  # cells a side in which the fixed features are pooled
# Weights of the four kinds of fixed features, so that each varies about equally over dressed people.
COLOUR, SPREAD, EDGES, OUTLINE = 1.0, 2.0, 3.0, 2.0


def squared_error(prediction, target, mask):
    """Mean squared error over the mask."""
    return masked_mean(jnp.square(prediction - target), mask)


def psnr(mean_squared_error):
    """Peak signal-to-noise ratio in dB of pictures in [0, 1] from a mean squared error (any shape)."""
    # 100 dB at most: equal pictures have no finite ratio.
    return -10 * np.log10(np.maximum(mean_squared_error, 1e-10))


def angle(prediction, target, mask):
    """Mean angle in degrees between unit vectors over the mask."""
    cosine = (prediction * target).sum(-1, keepdims=True)
    sine = jnp.linalg.norm(jnp.cross(prediction, target), axis=-1, keepdims=True)
    return masked_mean(jnp.degrees(jnp.arctan2(sine, cosine)), mask)


def intersection_over_union(prediction, target):
    """IoU of two masks [H, W, 1], each cut at 0.5; 1 if both are empty."""
    prediction, target = prediction > 0.5, target > 0.5
    union = (prediction | target).sum()
    return jnp.where(union > 0, (prediction & target).sum() / jnp.maximum(union, 1), 1.0)


def surface(maps, example):
    """Errors of one example's named maps (models/maps.py) in silhouette, depth, normals; `surface_scores` sums up."""
    mask = example["mask"]
    metres = half_extent(example["camera"], mask.shape[:2])
    found = {f"has_{name}": example["has"][name] for name in ("mask", "depth", "normals")}
    found["mask_iou"] = intersection_over_union(jax.nn.sigmoid(maps["mask"]), mask)
    for side in SIDES:
        truth = example[f"{side}_depth"]
        found |= {
            f"{side}_depth_error": squared_error(maps[f"{side}_depth"] * metres, truth, mask),
            f"{side}_depth_mean": masked_mean(truth, mask),
            f"{side}_depth_square": masked_mean(truth**2, mask),
            f"{side}_angle": angle(maps[f"{side}_normals"], example[f"{side}_normals"], mask),
        }
    return found


def surface_scores(rows):
    """Scores over a set, from `surface` of each example, dict of arrays [N]; a name after a slash is a baseline's.

    depth_rmse, metres, both sheets; /constant: the one best constant a sheet over the whole set; /own_mean: the mean
    of each example's own true depth, a sheet, which no guess could know. RMSE is of the mean squared error. Each
    score is over the examples that hold its truth, and left out if none does.
    """
    scores = {}
    if (known := rows["has_depth"] > 0).any():
        errors, means, squares = (
            np.stack([rows[f"{side}_depth_{name}"][known] for side in SIDES]) for name in ("error", "mean", "square")
        )
        constant = np.mean(squares.mean(1) - means.mean(1) ** 2)
        scores = {
            "depth_rmse": float(np.sqrt(errors.mean())),
            "depth_rmse/constant": float(np.sqrt(constant)),
            "depth_rmse/own_mean": float(np.sqrt(np.mean(squares - means**2))),
            "depth_share_of_constant": float(np.sqrt(errors.mean() / constant)),
        }
    if (known := rows["has_normals"] > 0).any():
        scores["normal_degrees"] = float(np.mean([rows[f"{side}_angle"][known].mean() for side in SIDES]))
    if (known := rows["has_mask"] > 0).any():
        scores["mask_iou"] = float(rows["mask_iou"][known].mean())
    return scores


def _cells(x):
    """Means of [S, S, C] over a GRID x GRID grid, flat."""
    side = x.shape[0] // GRID
    return x.reshape(GRID, side, GRID, side, -1).mean((1, 3)).ravel()


def fixed_features(observed):
    """Fixed description of one person's two sheets, float32 [D]; nothing in it is learned or random.

    observed [S, S, 13 or more]: colour of both sheets on black in [-1, 1], normals of both, silhouette in
    [-1, 1] (models/discriminator.py's `observe`); S divisible by 16. Per cell
    of a 4x4 grid: means of all channels (COLOUR), spread of the colours (SPREAD), the energy of differences in
    4 directions at 3 scales of both sheets' lightness and normals (EDGES), and the silhouette in 8x8 (OUTLINE).
    """
    colour, mask = observed[..., :6], observed[..., 12:13]
    spread = jnp.sqrt(jnp.maximum(_cells(jnp.square(colour)) - jnp.square(_cells(colour)), 0) + 1e-8)  # of a flat cell
    found = [COLOUR * _cells(observed[..., :13]), SPREAD * spread]
    lightness = jnp.stack([colour[..., :3].mean(-1), colour[..., 3:].mean(-1)], axis=-1)
    level = jnp.concatenate([lightness, observed[..., 6:8], observed[..., 9:11]], axis=-1)
    for _ in range(3):
        for rows, columns in ((0, 1), (1, 0), (1, 1), (1, -1)):
            difference = jnp.abs(level - jnp.roll(level, (rows, columns), (0, 1)))
            found.append(EDGES * _cells(difference))
        level = (level[::2, ::2] + level[1::2, ::2] + level[::2, 1::2] + level[1::2, 1::2]) / 4
    side = mask.shape[0] // 8
    found.append(OUTLINE * mask.reshape(8, side, 8, side).mean((1, 3)).ravel())
    return jnp.concatenate(found)


def kernel_distance(first, second):
    """Unbiased squared maximum mean discrepancy of two feature sets [N, D], [M, D] (KID, arXiv:1801.01401, eq. 4).

    With the cubic kernel (x.y / D + 1)^3. Takes NumPy arrays, works in float64. Near zero, also below it, for
    two draws from one distribution. Raises ValueError for sets of fewer than two.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    n, m = len(first), len(second)
    if min(n, m) < 2:
        raise ValueError(f"a kernel distance takes at least two examples a set, not {n} and {m}")

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kernel(first, first), kernel(second, second))]
    return float(sum(within) - 2 * kernel(first, second).mean())
