"""What kind of garment a cut-out shows, by its outline alone."""

import numpy as np

from tryon_jax.geometry.parts import GARMENT_CLASSES

# Logistic regression from _features to tops, trousers, skirts and dresses, balanced, on the training part of
# clothing-dataset-small (CC0, A. Grigorev): right on 85 % of the 257 held-out pictures that are cut out,
# a quick guess that --class overrules.
CLASS_WEIGHTS = np.array(
    [
        [-5.3, 7.6, -0.8, 1.3, -6.2, 1.1, 1.9, 0.9, 0.5, -0.8, -1.5, -1.2, 0.8],
        [2.7, 0.2, 0.2, 1.0, 5.9, -4.4, -0.7, -1.7, -4.5, -1.6, -0.1, 1.0, 2.4],
        [3.1, -5.5, 4.1, 2.5, 2.4, 2.8, -0.5, -2.6, 0.2, 1.2, -2.2, 0.7, -5.2],
        [-0.6, -2.3, -3.5, -4.8, -2.0, 0.4, -0.6, 3.4, 3.8, 1.2, 3.8, -0.5, 2.0],
    ]
)
# The garment class of each of these; a jacket's outline is a top's.
OUTLINED = ("upper", "lower", "lower", "dress")
KINDS = ("top", "trousers", "skirt", "dress")


def classify(mask, garment_class=None):
    """(one of KINDS, chance in [0, 1] of each of geometry.parts.GARMENT_CLASSES, float64 [4]) of a cut-out [H, W].

    garment_class: one of GARMENT_CLASSES if it is known, of which the kind then is.
    """
    scores = CLASS_WEIGHTS @ _features(mask)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    chances = np.array([shares[np.array(OUTLINED) == name].sum() for name in GARMENT_CLASSES])
    outlined = "upper" if garment_class == "outer" else garment_class or GARMENT_CLASSES[int(np.argmax(chances))]
    if garment_class:
        chances = np.array([float(name == garment_class) for name in GARMENT_CLASSES])
    return KINDS[int(np.argmax(np.where(np.array(OUTLINED) == outlined, scores, -np.inf)))], chances


def _features(mask):
    """Features [13] of a cut-out's bounding box: filled share of six bands from the top and of four windows of the
    middle column (neckline, three where trousers part), log aspect, its square, one."""
    rows, columns = np.nonzero(mask > 0.5)
    crop = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] > 0.5
    height, width = crop.shape

    def filled(part, low, high):
        first = int(low * height)
        return part[first : max(int(high * height), first + 1)].mean()

    column = crop[:, int(0.42 * width) : max(int(0.58 * width), int(0.42 * width) + 1)]
    bands = [filled(crop, index / 6, (index + 1) / 6) for index in range(6)]
    windows = [filled(column, low, high) for low, high in ((0.0, 0.08), (0.5, 0.7), (0.7, 0.85), (0.85, 1.0))]
    aspect = np.log(height / width)
    return np.array([*bands, *windows, aspect, aspect**2, 1.0])
