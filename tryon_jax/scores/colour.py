"""How far two colours are apart for an eye: distances in CIE L*a*b*."""

import numpy as np

# sRGB's primaries to CIE XYZ under D65, and the D65 white of two degrees (IEC 61966-2-1).
XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
# CIE 15: below this share of white the cube root becomes a line, so that black has a finite slope.
LINEAR_BELOW = (6 / 29) ** 3


def lab(rgb):
    """CIE L*a*b* float64 [..., 3] (L* in 0..100) of sRGB colours [..., 3] in [0, 1] under D65."""
    rgb = np.asarray(rgb, np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1's curve
    share = linear @ XYZ_FROM_RGB.T / WHITE
    curve = np.where(share > LINEAR_BELOW, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = (curve[..., index] for index in range(3))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def delta_e76(first, second, mask):
    """Mean CIE 1976 colour difference of pictures [H, W, 3] in [0, 1] over mask bool [H, W]; NaN if it is empty.

    The distance in L*a*b*, pixel by pixel; 2.3 is about what an eye just notices.
    """
    if not mask.any():
        return float("nan")
    return float(np.linalg.norm(lab(first[mask]) - lab(second[mask]), axis=-1).mean())
