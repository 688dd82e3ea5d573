"""Errors of depth maps and normal maps [H, W] over a mask, which every function is given: what it does not hold is
not judged.
"""

import numpy as np


def absolute(found, truth, mask):
    """Mean absolute error, in the maps' unit, over mask bool [H, W]; NaN if it is empty."""
    return _mean(np.abs(_difference(found, truth, mask)))


def squared(found, truth, mask):
    """Mean squared error, in the maps' unit squared, over mask bool [H, W]; NaN if it is empty."""
    return _mean(_difference(found, truth, mask) ** 2)


def root_mean_squared(found, truth, mask):
    """Root of the mean squared error, in the maps' unit, over mask bool [H, W]; NaN if it is empty."""
    return float(np.sqrt(squared(found, truth, mask)))


def absolute_relative(found, truth, mask):
    """Mean of |found - truth| / truth over mask bool [H, W] (Eigen et al., arXiv:1406.2283, section 4.3), unitless.

    found, truth: distances from the camera, all positive. NaN if the mask is empty.
    """
    return _mean(np.abs(_difference(found, truth, mask)) / np.asarray(truth, np.float64)[mask])


def squared_relative(found, truth, mask):
    """Mean of (found - truth)^2 / truth over mask bool [H, W] (arXiv:1406.2283, section 4.3), in the maps' unit.

    found, truth: distances from the camera, all positive. NaN if the mask is empty.
    """
    return _mean(_difference(found, truth, mask) ** 2 / np.asarray(truth, np.float64)[mask])


def normal_angle(found, truth, mask):
    """Mean angle in degrees between normals [H, W, 3] (of any length but 0) over mask bool [H, W]; NaN if it is empty.

    A normal of length 0 says nothing and counts as 90 degrees off.
    """
    found, truth = np.asarray(found, np.float64)[mask], np.asarray(truth, np.float64)[mask]
    sine = np.linalg.norm(np.cross(found, truth), axis=-1)
    cosine = (found * truth).sum(-1)
    unknown = (sine == 0) & (cosine == 0)
    return _mean(np.where(unknown, 90.0, np.degrees(np.arctan2(sine, cosine))))


def _difference(found, truth, mask):
    return np.asarray(found, np.float64)[mask] - np.asarray(truth, np.float64)[mask]


def _mean(values):
    return float(values.mean()) if values.size else float("nan")
