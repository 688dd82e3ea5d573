"""Band-limited drawing: which share of a texel a shape covers, and noise and waves without what texels cannot show.

Positions, distances, widths and texels are in metres and broadcast against each other; all results are float32.
"""

import functools

import numpy as np

from tryon_jax import native
from tryon_jax.native import host


def mix(first, second, weight, path="auto"):
    """Colours [..., 3] from first to second (either [..., 3]) by weight [...] in [0, 1].

    path: as in garments.sheet's `distance`; the kernel takes arrays of one shape, and single colours.
    """
    first, second, weight = (np.asarray(one, np.float32) for one in (first, second, weight))
    alike = {first.shape, second.shape} <= {(3,), (*weight.shape, 3)}
    if alike and native.takes(path):
        return host.mix(first, second, weight)
    return first + (second - first) * weight[..., None]


def shaded(picture, factor, path="auto"):
    """Colours [..., 3] times a factor [...]; path: as in garments.sheet's `distance`."""
    if native.takes(path):
        return host.shaded(picture, factor)
    return picture * factor[..., None]


def step(distance, texel):
    """Coverage in [0, 1] of texels whose centres lie `distance` inside an edge."""
    return np.clip(distance * np.float32(1 / texel) + np.float32(0.5), 0, 1)


def line(distance, width, texel, path="auto"):
    """Coverage in [0, 1] by a line `width` wide whose middle lies `distance` away; it may be finer than texels.

    path: as in garments.sheet's `distance`; the kernel takes float32.
    """
    if distance.dtype == np.float32 and native.takes(path):
        return host.line(distance, width, texel)
    far = np.minimum(np.abs(distance) + np.float32(texel / 2), np.float32(width / 2))
    near = np.maximum(np.abs(distance) - np.float32(texel / 2), np.float32(-width / 2))
    return np.maximum(far - near, 0) * np.float32(1 / texel)


def stripes(position, period, share, texel):
    """Coverage in [0, 1] by bands `share` of `period` wide, one of them centred on 0; exact for any period."""
    middle, half = position * np.float32(1 / period) + np.float32(0.5), np.float32(texel / period / 2)
    return (_filled(middle + half, share) - _filled(middle - half, share)) * (1 / (2 * half))


def _filled(cycles, share):
    """How much bands cover from 0 to a position counted in periods."""
    whole = np.floor(cycles)
    return whole * np.float32(share) + np.clip(cycles - whole - np.float32((1 - share) / 2), 0, np.float32(share))


def wave(position, period, texel):
    """A cosine in [-1, 1] of this period, faded out as texels grow to half of it: beyond that it would be moire."""
    fade = np.clip(period / texel - 2, 0, 1) * np.sinc(texel / period)
    if fade == 0:
        return np.float32(0)
    return np.float32(fade) * np.cos(position * np.float32(2 * np.pi / period))


def noise(rng, side, size, cell, path="auto"):
    """Smooth noise [size, size] f32, mean 0 and variance about 1, over a square of `side` metres; `cell` (x, y): the
    grain's metres. The same rng gives the same picture at any size; grain finer than texels fades as it averages out.

    path: as in garments.sheet's `distance`.
    """
    texel = side / size
    if min(cell) < texel / 3:
        return np.zeros((size, size), np.float32)
    counts = [int(np.ceil(side / length)) + 3 for length in cell]
    values = rng.standard_normal((counts[1], counts[0]), np.float32)
    across, down = (_bumps(size, count, texel, length) for count, length in zip(counts, cell, strict=True))
    if native.takes(path):
        return host.smooth(values, down, across)
    return _weighed(_weighed(values, *down).T, *across).T


@functools.lru_cache(maxsize=64)
def _bumps(size, count, texel, cell):
    """Which of `count` grid values make up each texel, i32 [size, K], and their weights f32 [size, K]: a smooth bump
    over the grain or, if wider, the texel."""
    centre = (np.arange(size) + 0.5) * texel / cell + 1
    reach = max(1.5, texel / cell)
    furthest = int(np.ceil(reach - 0.5))  # of the values on either side of the nearest that still has a weight
    near = np.round(centre).astype(int)[:, None] + np.arange(-furthest, furthest + 1)
    away = np.abs(centre[:, None] - near) / reach
    weights = np.where((away < 1) & (near >= 0) & (near < count), (1 - away**2) ** 2, 0)
    # Unit variance for grain that texels can show; what is finer loses some, as a camera's pixel would average it.
    weights *= min(1, cell / texel) / np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return np.clip(near, 0, count - 1).astype(np.int32), weights.astype(np.float32)


def _weighed(values, near, weights):
    """values [N, M] weighed to [size, M]."""
    return sum(weights[:, tap, None] * values[near[:, tap]] for tap in range(near.shape[1]))
