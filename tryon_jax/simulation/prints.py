"""Procedural prints: pictures of cloth in a garment's UV atlas, and the words that a caption says about them.

An atlas is [front | back], two equal halves side by side. Patterns are laid out in metres, so that a stripe is as
wide on a skirt as on a sleeve. Colours are display values, not linear light: a picture is print times shading.
"""

import colorsys
from typing import NamedTuple

import numpy as np

COLOURS = {
    "white": (0.93, 0.93, 0.92), "cream": (0.92, 0.87, 0.76), "beige": (0.80, 0.70, 0.56), "grey": (0.58, 0.59, 0.61),
    "charcoal": (0.25, 0.26, 0.28), "black": (0.12, 0.12, 0.13), "navy": (0.13, 0.18, 0.36), "blue": (0.18, 0.36, 0.74),
    "sky blue": (0.52, 0.72, 0.90), "teal": (0.10, 0.50, 0.52), "mint": (0.62, 0.84, 0.74), "green": (0.18, 0.52, 0.28),
    "olive": (0.42, 0.44, 0.22), "mustard": (0.82, 0.63, 0.17), "yellow": (0.95, 0.83, 0.30),
    "orange": (0.91, 0.48, 0.18), "rust": (0.66, 0.30, 0.16), "red": (0.80, 0.14, 0.16), "burgundy": (0.45, 0.10, 0.18),
    "coral": (0.93, 0.48, 0.42), "pink": (0.93, 0.64, 0.72), "lilac": (0.74, 0.64, 0.86), "purple": (0.42, 0.22, 0.54),
    "brown": (0.40, 0.26, 0.18),
}  # fmt: skip
NEUTRALS = ("white", "cream", "grey", "charcoal", "black", "navy")
KINDS = ("plain", "horizontal stripes", "vertical stripes", "checks", "dots", "gradient", "motif")
SHAPES = ("circle", "heart", "star", "diamond", "ring", "bars", "letters")
LUMINANCE = np.array([0.30, 0.59, 0.11])


class Print(NamedTuple):
    """One print: its kind, colours float [3, 3] (ground, figure, accent), period and width in metres, and words."""

    kind: str
    shape: str
    colours: np.ndarray
    period: float
    share: float
    seed: int
    words: str


def sample(rng, weights=(1, 1, 1, 1, 1, 1, 1)):
    """A random print drawn from numpy generator `rng`; weights say how often each of KINDS comes."""
    kind = str(rng.choice(KINDS, p=np.array(weights, float) / np.sum(weights)))
    names, colours = _palette(rng)
    shape = str(rng.choice(SHAPES))
    period = {"horizontal stripes": (0.05, 0.14), "vertical stripes": (0.05, 0.12), "checks": (0.07, 0.17)}
    low, high = period.get(kind, (0.07, 0.14))
    if kind == "plain":
        words = names[0]
    elif kind == "motif":
        words = f"{names[0]} {names[1]}-{shape}-print"
    elif kind == "gradient":
        words = f"{names[0]} to {names[1]} gradient"
    else:
        adjective = {"checks": "checked", "dots": "dotted"}.get(kind, kind.replace("stripes", "striped"))
        words = f"{names[0]} and {names[1]} {adjective}"
    return Print(
        kind, shape, colours, float(np.exp(rng.uniform(np.log(low), np.log(high)))), float(rng.uniform(0.3, 0.55)),
        int(rng.integers(2**31)), words,
    )  # fmt: skip


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


def _palette(rng):
    """Names and colours [3, 3] that go together: a ground, a figure that stands out from it, an accent between."""
    names = list(COLOURS)
    while True:
        first = str(rng.choice(names))
        if rng.uniform() < 0.6 and first not in NEUTRALS:
            second = str(rng.choice(NEUTRALS))
        else:
            second = str(rng.choice(names))
        pair = np.array([COLOURS[first], COLOURS[second]])
        if abs((pair @ LUMINANCE)[0] - (pair @ LUMINANCE)[1]) > 0.22:
            break
    jitter = [_jitter(rng, colour) for colour in pair]
    accent = COLOURS[str(rng.choice(NEUTRALS))] if rng.uniform() < 0.5 else COLOURS[str(rng.choice(names))]
    return (first, second), np.clip(np.array([*jitter, accent]), 0.04, 0.96)


def _jitter(rng, colour):
    """The colour a little off in hue, saturation and value, so that no two reds are the same."""
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    hue, saturation, value = np.array([hue, saturation, value]) + rng.normal(0, [0.012, 0.04, 0.03])
    return colorsys.hsv_to_rgb(hue % 1.0, np.clip(saturation, 0, 1), np.clip(value, 0, 1))


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
