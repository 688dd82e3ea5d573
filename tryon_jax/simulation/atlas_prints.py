"""Prints in a garment's [front | back] atlas, for the clothes that are cut from the body's surface."""

import numpy as np


def texture(pattern, side, metres, chest=0.15, length=1.0):
    """The atlas picture of a print, float32 [side, side, 3] in [0, 1]; garments.Garment says how it is laid out.

    metres: side of the whole atlas; chest: how far below the top a motif's middle lies; length: of the garment, over
    which a gradient runs. All in metres; row 0 is the garment's top.
    """
    half, texel = side // 2, metres / side
    x = (np.arange(half, dtype=np.float32) + 0.5 - half / 2) * texel
    y = -(np.arange(side, dtype=np.float32) + 0.5) * texel
    rng = np.random.default_rng(pattern.seed)
    ground, figure, accent = pattern.colours.astype(np.float32)
    second = third = np.zeros((1, 1), np.float32)
    if pattern.kind in ("horizontal stripes", "vertical stripes"):
        along = y[:, None] if pattern.kind[0] == "h" else x[None, :]
        second = _band(along + rng.uniform(0, pattern.period), pattern.period, pattern.share, texel)
    elif pattern.kind == "checks":
        across = _band(x[None, :], pattern.period, pattern.share, texel)
        second = 0.5 * (across + _band(y[:, None], pattern.period, pattern.share, texel))
        third = 0.7 * np.maximum(*(_band(v, pattern.period, 0.08, texel) for v in (x[None, :], y[:, None])))
    elif pattern.kind == "dots":
        second = _dots(x[None, :], y[:, None], pattern.period, pattern.share, texel)
    elif pattern.kind == "gradient":
        second = np.clip(-y[:, None] / length * 1.4 - 0.2, 0, 1)
    picture = np.broadcast_to(_mix(_mix(ground, figure, second), accent, third), (side, half, 3))
    back = picture
    if pattern.kind == "motif":
        coverage, inner = _motif(x[None, :], y[:, None] + chest, pattern, rng, texel)
        picture = _mix(_mix(picture, figure, coverage), accent, inner)
    picture = np.concatenate([picture, back], axis=1)
    return np.clip(picture * _weave(rng, (side, side)), 0, 1).astype(np.float32)


def _mix(first, second, weight):
    return first + (second - first) * np.asarray(weight, np.float32)[..., None]


def _step(distance, texel):
    """Coverage in [0, 1] of a texel whose centre lies `distance` metres inside an edge."""
    return np.clip(distance / texel + 0.5, 0, 1)


def _band(position, period, share, texel):
    """Coverage by bands `share` of `period` wide, one of them centred on 0."""
    return _step(share * period / 2 - np.abs((position / period + 0.5) % 1.0 - 0.5) * period, texel)


def _dots(x, y, period, share, texel):
    """Coverage by dots on a brick lattice."""
    row = np.round(y / (period * 0.85))
    column_offset = (row % 2) * 0.5
    near_x = (x / period - column_offset - np.round(x / period - column_offset)) * period
    near_y = y - row * period * 0.85
    return _step(share * period * 0.6 - np.hypot(near_x, near_y), texel)


def _motif(x, y, pattern, rng, texel):
    """Coverage [H, W] by the motif's figure and by its accent, 17 to 28 cm wide, centred on x = y = 0."""
    radius = rng.uniform(0.085, 0.14)
    distance = np.hypot(x, y)
    angle = np.arctan2(x, y)
    none = np.zeros_like(distance)
    if pattern.shape == "circle":
        return _step(radius - distance, texel), _step(radius * rng.uniform(0.3, 0.6) - distance, texel)
    if pattern.shape == "ring":
        return _step(radius * 0.25 - np.abs(distance - radius * 0.75), texel), none
    if pattern.shape == "diamond":
        inside = (radius * 1.2 - np.abs(x) * 1.2 - np.abs(y)) / 1.5
        return _step(inside, texel), _step(inside - radius * 0.3, texel)
    if pattern.shape == "star":
        fifth = np.abs((angle / (2 * np.pi / 5) + 0.5) % 1.0 - 0.5) * 2
        return _step(radius * (1.15 - 0.65 * fifth) - distance, texel), none
    if pattern.shape == "heart":
        u, v = x / radius, y / radius + 0.1
        level = (u * u + v * v - 0.6) ** 3 - 1.2 * u * u * v**3
        return _step(-np.sign(level) * np.abs(level) ** (1 / 3) * radius * 0.5, texel), none
    if pattern.shape == "bars":
        box = _step(radius * 1.3 - np.abs(x) - 0 * y, texel) * _step(radius * 0.75 - np.abs(y), texel)
        return box * _band(y, radius * 0.5, 0.6, texel), box * _band(y + radius * 0.25, radius * 0.5, 0.25, texel)
    return _letters(x, y, radius, rng), none


def _letters(x, y, radius, rng):
    """Coverage by one to three block glyphs of 3 x 5 cells, mirror-symmetric like capital letters."""
    count = int(rng.integers(1, 4))
    cells = rng.uniform(size=(count, 5, 2)) < 0.62
    glyphs = np.concatenate([cells, cells[..., :1]], axis=-1)
    glyphs[:, :, 0] |= ~glyphs.any(axis=-1)
    glyphs[:, :, 2] |= glyphs[:, :, 0]
    line = np.zeros((5, 4 * count), bool)
    for index, glyph in enumerate(glyphs):
        line[:, 4 * index : 4 * index + 3] = glyph
    cell = 2.4 * radius / max(4 * count - 1, 5)
    column = np.floor(x / cell + (4 * count - 1) / 2).astype(int) + 0 * y.astype(int)
    row = np.floor(2.5 - y / cell).astype(int) + 0 * x.astype(int)
    inside = (column >= 0) & (column < 4 * count) & (row >= 0) & (row < 5)
    return (inside & line[np.clip(row, 0, 4), np.clip(column, 0, 4 * count - 1)]).astype(np.float32)


def _weave(rng, size):
    """A multiplier [H, W, 1] near 1: smooth melange and a fine thread pattern."""
    height, width = size
    coarse = rng.standard_normal((height // 8 + 2, width // 8 + 2), np.float32)
    coarse = 0.25 * (coarse[:-1, :-1] + coarse[1:, :-1] + coarse[:-1, 1:] + coarse[1:, 1:])
    coarse = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[:height, :width]
    fine = np.tile(rng.standard_normal((64, 64), np.float32), (height // 64 + 1, width // 64 + 1))[:height, :width]
    thread = (np.arange(height)[:, None] + np.arange(width)[None, :]) % 2 * 2 - 1
    return (1 + 0.012 * (fine + coarse + thread)).astype(np.float32)[..., None]
