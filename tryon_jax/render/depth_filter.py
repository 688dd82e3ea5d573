"""Smoothing of a depth sheet that keeps its edges."""

import numpy as np


def bilateral(depth, mask, radius=2, pixels=1.5, metres=0.02):
    """Depth [H, W] with noise averaged away inside mask bool [H, W] (Tomasi and Manduchi, ICCV 1998, equation 5).

    A neighbour counts by its distance (Gaussian of `pixels`, up to `radius`) and by its depth difference
    (Gaussian of `metres`), so steps well above `metres` stay. Values off the mask come back unchanged.
    """
    depth = np.asarray(depth, np.float32)
    padded, inside = np.pad(depth, radius), np.pad(mask, radius)
    total, weights = np.zeros_like(depth), np.zeros_like(depth)
    height, width = depth.shape
    for row in range(2 * radius + 1):
        for column in range(2 * radius + 1):
            near = padded[row : row + height, column : column + width]
            square = (row - radius) ** 2 + (column - radius) ** 2
            weight = np.exp(-0.5 * square / pixels**2 - 0.5 * ((near - depth) / metres) ** 2)
            weight = weight * inside[row : row + height, column : column + width]
            total += weight * near
            weights += weight
    # On the mask a pixel counts itself with weight 1, so the divisor is 0 only off the mask.
    return np.where(mask, total / np.where(mask, weights, 1.0), depth)
