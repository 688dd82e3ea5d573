"""A mask's rim pixels moved onto the outline that its soft values tell, so that no staircase is seen. Numpy."""

import numpy as np
from scipy import ndimage

# Pixels that the surface stands out beyond its rim's pixel centres (height_field).
BULGE = 0.45
# The furthest that a pixel is moved, in pixels: under half the height of a triangle of neighbours, sqrt(1/8), so that
# no triangle can turn over whichever way its corners move.
LIMIT = 0.35
# Change of the mask a pixel below which nothing tells where its outline runs; that of a limb a pixel wide.
FLAT = 0.1


def moves(mask, solid, blur):
    """Moves (columns, rows) float32 [H, W, 2], in pixels, of the pixels of `solid` [H, W] bool along its rim.

    mask: float [H, W], half of it where the outline runs, e.g. the share of each pixel that is covered; blur: standard
    deviation in pixels that it is smoothed by first. A step of Newton's towards the outline, less the bulge of the wall
    that stands there; zero inside, and where the mask changes too little to tell.
    """
    soft = ndimage.gaussian_filter(np.asarray(mask, np.float32), blur)
    slope = np.stack(np.gradient(soft)[::-1], -1)
    steepness = np.linalg.norm(slope, axis=-1)
    rim = solid & ~ndimage.binary_erosion(solid, np.ones((3, 3))) & (steepness > FLAT)
    steepness = np.where(rim, steepness, 1.0)
    away = np.clip((soft - 0.5) / steepness - BULGE, -LIMIT, LIMIT)
    return (-slope * (np.where(rim, away, 0.0) / steepness)[..., None]).astype(np.float32)
