"""Smoothed Lab histograms as colour models, and where along a limb or the body the colours change."""

import numpy as np
from scipy import ndimage

from tryon_jax.photo.blazepose import packages

BINS = (16, 24, 24)
# Lightness varies with the shading of one material, hue does not: so lightness is smoothed more.
SPREAD = (1.5, 0.8, 0.8)


def bin_indices(rgb):
    """Index int32 [H, W] of the Lab histogram cell of each pixel of uint8 [H, W, 3]."""
    cv2, _ = packages()
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    low, high = np.array([0.0, -60.0, -60.0]), np.array([100.0, 60.0, 60.0])
    cells = ((lab - low) / (high - low) * BINS).astype(int).clip(0, np.array(BINS) - 1)
    return np.ravel_multi_index(tuple(np.moveaxis(cells, -1, 0)), BINS).astype(np.int32)


def log_density(indices, chosen, floor, spread=SPREAD):
    """Log probability, float32 like `indices`, of each pixel's colour in the histogram of the `chosen` pixels.

    `floor` in [0, 1] is the share of a uniform density mixed in: how readily the material may show a colour unseen.
    """
    cells = int(np.prod(BINS))
    counts = np.bincount(indices[chosen], minlength=cells).reshape(BINS).astype(np.float64)
    smoothed = ndimage.gaussian_filter(counts, spread, mode="nearest").ravel()
    density = (1 - floor) * smoothed / max(smoothed.sum(), 1e-9) + floor / cells  # 1e-9: nothing chosen
    return np.log(density).astype(np.float32)[indices]


def cut_by_ratio(along, ratio, low, high, start_bias=0.0, bins=40):
    """The place in [low, high] with most of `ratio` negative before it and positive after it.

    along, ratio: [N] places and log ratios of pixels. Every place counts alike, however many pixels it has.
    start_bias is subtracted from every mean ratio: it lengthens the part before the cut.
    """
    edges = np.linspace(low, high, bins + 1)
    which = np.digitize(along, edges) - 1
    inside = (which >= 0) & (which < bins)
    counts = np.bincount(which[inside], minlength=bins)
    sums = np.bincount(which[inside], weights=ratio[inside], minlength=bins)
    means = np.where(counts > 0, sums / np.maximum(counts, 1) - start_bias, 0.0)
    gain = np.concatenate([[0.0], np.cumsum(-means)]) + np.concatenate([np.cumsum(means[::-1])[::-1], [0.0]])
    return float(edges[int(np.argmax(gain))])


def cut_by_information(along, indices, low, high, expected, bins=48):
    """(place, strength): where in [low, high] the colours before and after differ most, and how much.

    Strength in [0, 1] is the share of "before or after" that a pixel's colour tells (mutual information over the
    entropy of the split); places far from `expected` pay for it. along: [N] places, indices: [N] histogram cells.
    """
    coarse = _coarse(indices)
    reach = (along.min(initial=low), along.max(initial=high))
    candidates = np.linspace(low, high, bins)
    best = (-np.inf, expected, 0.0)
    total = np.bincount(coarse, minlength=384).astype(float)
    for place in candidates[(candidates > reach[0]) & (candidates < reach[1])]:
        # Equal stretches on both sides, so that a long pair of legs does not outvote the shirt.
        near = np.abs(along - place) < 0.6
        before = np.bincount(coarse[near & (along < place)], minlength=384).astype(float)
        after = np.bincount(coarse[near & (along >= place)], minlength=384).astype(float)
        if min(before.sum(), after.sum()) < 0.02 * total.sum():
            continue
        strength = _shared_information(before / before.sum(), after / after.sum())
        score = strength - 0.35 * (place - expected) ** 2
        if score > best[0]:
            best = (score, float(place), float(strength))
    return best[1], best[2]


def contrast(indices, first, second):
    """How unlike the colours of two sets of pixels, bool [H, W], are, in [0, 1]: their Jensen-Shannon divergence in
    bits. indices: of bin_indices."""
    counts = [np.bincount(_coarse(indices[chosen]), minlength=384).astype(float) for chosen in (first, second)]
    return float(_shared_information(*(count / max(count.sum(), 1.0) for count in counts)))


def _coarse(indices):
    """Coarser cells than the models', 384 of them: a hundred pixels a bin must give a fair histogram."""
    lightness, a, b = np.unravel_index(indices, BINS)
    return np.ravel_multi_index((lightness // 3, a // 3, b // 3), (6, 8, 8))


def _shared_information(first, second):
    """Jensen-Shannon divergence of two histograms in bits, in [0, 1]."""
    middle = (first + second) / 2

    def relative_entropy(density):
        used = density > 0
        return (density[used] * np.log2(density[used] / middle[used])).sum()

    return (relative_entropy(first) + relative_entropy(second)) / 2
