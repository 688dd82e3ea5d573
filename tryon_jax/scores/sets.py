"""Distances between two sets of feature vectors, and how far a number can be trusted."""

from typing import NamedTuple

import numpy as np

from tryon_jax import metrics

RESAMPLES = 1000  # bootstrap draws: the ends of an interval move by a few percent of its width between seeds
HALVES = 24  # half sets that a set distance's spread is taken over: it is known to a seventh of itself
NORMAL_95 = 1.96  # standard deviations of a normal variable that hold 95 percent


class Estimate(NamedTuple):
    """A number, the ends of its 95 percent interval, and how many examples it is of. All NaN if there are none."""

    value: float
    low: float
    high: float
    count: int


def bootstrap_mean(values, seed):
    """The Estimate of the mean of values [N], NaNs left out: percentile bootstrap over examples (Efron 1979)."""
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return Estimate(*[float("nan")] * 3, 0)
    chosen = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[chosen].mean(1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def kernel_distance(first, second, seed):
    """The Estimate of the kernel distance (KID, arXiv:1801.01401, equation 4) of features [N, D], [N, D].

    The unbiased value over all: 0 in the mean for two draws from one distribution, so also below it. Outputs that show
    the targets' very people resemble their own targets, and so lie lower. Examples are pairs: row i of both.
    """
    return _with_spread(metrics.kernel_distance, first, second, seed)


def frechet_distance(first, second, seed):
    """The Estimate of the Frechet distance (FID's formula, arXiv:1706.08500, equation 6) of features [N, D], [N, D].

    Biased upward, the more so the fewer examples there are: only values of equal N can be compared.
    """
    return _with_spread(frechet, first, second, seed)


def frechet(first, second):
    """Squared Frechet distance of the Gaussians fitted to features [N, D] and [M, D], in their unit squared.

    With centred features A, B, tr((C_a C_b)^(1/2)) is the sum of singular values of A B^T / sqrt((N - 1)(M - 1)), which
    is exact also where there are fewer examples than dimensions. Raises ValueError for sets of fewer than two.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if min(len(first), len(second)) < 2:
        raise ValueError(f"a Frechet distance takes at least two examples a set, not {len(first)} and {len(second)}")
    centred = [(features - features.mean(0)) / np.sqrt(len(features) - 1) for features in (first, second)]
    between = ((first.mean(0) - second.mean(0)) ** 2).sum()
    within = sum((part**2).sum() for part in centred)
    # A wide set is turned into its own coordinates first: the singular values stay, the matrix is no larger than D.
    a, b = (np.linalg.qr(part, mode="r") if len(part) > part.shape[1] else part for part in centred)
    return float(between + within - 2 * np.linalg.svd(a @ b.T, compute_uv=False).sum())


def _with_spread(distance, first, second, seed):
    """The Estimate of distance(first, second), its interval from HALVES half sets (Shao and Wu 1989).

    A half set drawn without replacement varies about the whole's value as the whole does about the truth: the
    delete-half jackknife. A bootstrap would count examples twice and find them nearer than they are.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} features: examples are pairs")
    count = len(first)
    if count < 4:  # halves of two each are the least that a distance takes
        return Estimate(*[float("nan")] * 3, count)
    rng, value = np.random.default_rng(seed), distance(first, second)
    halves = [rng.choice(count, count // 2, replace=False) for _ in range(HALVES)]
    reach = NORMAL_95 * float(np.std([distance(first[half], second[half]) for half in halves], ddof=1))
    return Estimate(value, value - reach, value + reach, count)
