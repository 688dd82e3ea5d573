"""How alike two pictures are: SSIM in the forms that protocols use, MS-SSIM, PSNR. All NumPy, in float64.

Pictures are [H, W] or [H, W, C], floats in [0, 1] or uint8; of colours the channels are judged apart and averaged.
"""

import numpy as np
from scipy import ndimage

from tryon_jax import metrics

# Wang et al. 2004, section III-B: what keeps the two ratios stable, as shares of the range.
K1, K2 = 0.01, 0.03
SIGMA, RADIUS = 1.5, 5  # of the Gaussian window: 11 x 11 pixels
# Wang, Simoncelli and Bovik 2003, section 3.2: exponents of the five scales, finest first.
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SIDE = (2 * RADIUS + 1) * 2 ** (len(SCALES) - 1)  # the least side whose coarsest scale holds a window


def ssim_gaussian(first, second):
    """Structural similarity, 1 at most (Wang et al. 2004, equation 13): Gaussian window 11 x 11, sigma 1.5 pixels.

    Population variances; the mean over the windows that lie wholly inside, as the authors take it. The same as
    scikit-image's with gaussian_weights=True, use_sample_covariance=False. Raises ValueError for sides under 11.
    """
    return _mean(_index(*_planes(first, second), _gaussian(), 1.0)[0])


def ssim_uniform7(first, second):
    """Structural similarity, 1 at most: plain windows of 7 x 7, sample variances, scikit-image's default.

    The mean over the windows that lie wholly inside. Raises ValueError for sides under 7.
    """
    return _mean(_index(*_planes(first, second), np.full(7, 1 / 7), 49 / 48)[0])


def ms_ssim(first, second):
    """Multi-scale structural similarity, 1 at most (Wang, Simoncelli and Bovik 2003, equation 7): five scales.

    Windows as ssim_gaussian's; each next scale is the mean of 2 x 2 pixels, an odd side's last one repeated. Contrast
    and structure that are negative in the mean count as 0. Raises ValueError for sides under MS_SSIM_SIDE, 176.
    """
    first, second = _planes(first, second)
    if min(first.shape[1:]) < MS_SSIM_SIDE:
        raise ValueError(f"MS-SSIM takes pictures of {MS_SSIM_SIDE} pixels or more, not {first.shape[1:]}")
    product = np.ones(len(first))
    for number, exponent in enumerate(SCALES):
        similarity, structure = _index(first, second, _gaussian(), 1.0)
        last = number == len(SCALES) - 1
        product *= np.maximum((similarity if last else structure).mean((1, 2)), 0) ** exponent
        first, second = _halved(first), _halved(second)
    return float(product.mean())


def mean_squared_error(first, second, mask=None):
    """Mean squared error of pictures in [0, 1] over mask bool [H, W] (everywhere if None); NaN if it is empty."""
    error = (_unit(first) - _unit(second)) ** 2
    error = error if mask is None else error[mask]
    return float(error.mean()) if error.size else float("nan")


def psnr(first, second, mask=None):
    """Peak signal-to-noise ratio in dB of pictures in [0, 1] over mask bool [H, W], 100 at most; NaN if it is empty."""
    return float(metrics.psnr(mean_squared_error(first, second, mask)))


def _unit(picture):
    picture = np.asarray(picture)
    return picture / 255.0 if picture.dtype == np.uint8 else picture.astype(np.float64)


def _planes(first, second):
    """Both pictures as float64 [C, H, W] in [0, 1]; ValueError if they are not of one shape."""
    if np.shape(first) != np.shape(second):
        raise ValueError(f"pictures are {np.shape(first)} and {np.shape(second)}, not of one size")
    found = [_unit(picture) for picture in (first, second)]
    return [np.ascontiguousarray(np.moveaxis(p.reshape(*p.shape[:2], -1), -1, 0)) for p in found]


def _gaussian():
    weights = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    return weights / weights.sum()


def _index(first, second, weights, sample):
    """(SSIM, its contrast-and-structure factor) [C, h, w] of planes [C, H, W], at the windows that lie inside.

    weights [k] of the separable window; sample: factor from population to sample variances.
    """
    reach = len(weights) // 2
    if min(first.shape[1:]) < len(weights):
        raise ValueError(f"a window of {len(weights)} pixels does not fit pictures of {first.shape[1:]}")

    def windowed(planes):
        rows = ndimage.correlate1d(planes, weights, 1)[:, reach : planes.shape[1] - reach]
        return ndimage.correlate1d(rows, weights, 2)[:, :, reach : planes.shape[2] - reach]

    mean_first, mean_second = windowed(first), windowed(second)
    product, square = mean_first * mean_second, mean_first**2 + mean_second**2
    covariance = sample * (windowed(first * second) - product)
    variances = sample * (windowed(first**2 + second**2) - square)
    structure = (2 * covariance + K2**2) / (variances + K2**2)
    return (2 * product + K1**2) / (square + K1**2) * structure, structure


def _mean(values):
    return float(values.mean((1, 2)).mean())


def _halved(planes):
    """Planes [C, H, W] at half the side, rounded up."""
    odd = [(0, side % 2) for side in planes.shape[1:]]
    x = np.pad(planes, [(0, 0), *odd], mode="edge")
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
