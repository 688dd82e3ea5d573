"""Whether the front and the back of one person can be two views of one thing. Needs no truth; the truth's own values
stand beside, for a real person's rim is not of one colour either.

The sheets are two opposite orthographic views in one pixel grid, so they see the same rim: what is inside the
silhouette from the front is inside it from behind, the surface closes there, and it has one colour.
"""

import numpy as np
from scipy import ndimage

from tryon_jax.scores import colour, regions


def rim(mask):
    """Pixels of mask bool [H, W] with a neighbour (of four) outside it."""
    return mask & ~ndimage.binary_erosion(mask)


def silhouette_agreement(front_labels, back_labels):
    """IoU of where front and back labels int [H, W] show anything of the person."""
    return regions.silhouette_iou(front_labels > 0, back_labels > 0)


def crossing(front_depth, back_depth, mask):
    """Share of the silhouette, in [0, 1], where the back lies before the front, which nothing solid does."""
    return float((front_depth < back_depth)[mask].mean()) if mask.any() else float("nan")


def rim_gap(front_depth, back_depth, mask):
    """Median thickness in metres of the person at the silhouette's outermost pixels: 0 if the surface closes."""
    outermost = rim(mask)
    return float(np.median(np.abs(front_depth - back_depth)[outermost])) if outermost.any() else float("nan")


def rim_delta_e76(front, back, mask, same=None):
    """Mean colour difference (CIE 1976) of front and back [H, W, 3] in [0, 1] at the silhouette's outermost pixels.

    same: bool [H, W], where both show the same part; the others are left out (hair before a collar is no fault).
    """
    return colour.delta_e76(front, back, rim(mask) if same is None else rim(mask) & same)
