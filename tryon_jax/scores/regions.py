"""How well areas of two pictures agree: silhouettes and part labels."""

import numpy as np


def silhouette_iou(found, truth):
    """Intersection over union of masks bool [H, W]; 1 if both are empty."""
    union = (found | truth).sum()
    return float((found & truth).sum() / union) if union else 1.0


def mean_iou(found, truth, count):
    """Mean intersection over union of labels int [H, W] in 0..count - 1, over the labels but 0 that occur in either.

    The mean is over one picture's labels, so that a picture is an example; 0 is the background, which the
    silhouette's own score judges. NaN if there is no other label in both.
    """
    table = np.bincount((found.astype(np.int64) * count + truth).ravel(), minlength=count * count)
    table = table.reshape(count, count)
    both = np.diag(table)[1:]
    union = table.sum(0)[1:] + table.sum(1)[1:] - both
    occurs = union > 0
    return float((both[occurs] / union[occurs]).mean()) if occurs.any() else float("nan")
