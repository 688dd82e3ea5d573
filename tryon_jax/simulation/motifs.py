"""Motifs: the logos, pictures and words that are printed on a chest."""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

TEXTS = ("OCEAN", "NORTH", "WILD", "HELLO", "SUMMER", "RIDE", "ECHO", "NOVA", "COAST", "JAZZ", "DREAM", "SURF", "1987",
         "23", "07", "TRAIL", "LUNA", "CLUB", "BLOOM", "ATLAS", "SOLAR", "PIXEL", "HONEY", "TEAM")  # fmt: skip
SUPERSAMPLES = 4  # a side
REACH = 1.5  # radii from a motif's middle within which all of it lies
CAPITAL = 0.72  # of a font's size
LETTER = 72  # pixels of a letter's height in the mask that words are read from: finer than a sheet's samples


def motif(shape, text, radius, x, y, texel, rng):
    """Slices (rows, columns) of a grid that hold a motif, about 2 radius wide, around x = y = 0, and the coverage
    [h, w] f32 in [0, 1] of what they hold by its figure and by its accent.

    shape: one of SHAPES; text: what "letters" say; x [W] rising and y [H] falling by `texel`, all in metres.
    """
    fine = texel / SUPERSAMPLES
    rows, columns = (_held(np.abs(way) < REACH * radius) for way in (y, x))
    wide, tall = ((one.stop - one.start) * SUPERSAMPLES for one in (columns, rows))
    images = [Image.new("L", (wide, tall)) for _ in range(2)]
    pens = [ImageDraw.Draw(image) for image in images]
    left, top = x[0] - texel / 2, y[0] + texel / 2
    skipped = columns.start * SUPERSAMPLES, rows.start * SUPERSAMPLES

    def fill(corners, ink=0, value=255):
        pixels = (np.asarray(corners, float) * radius - (left, top)) * (1 / fine, -1 / fine) - skipped
        pens[ink].polygon(pixels.ravel().tolist(), fill=value)

    if shape == "letters":
        right = (left + (skipped[0] + np.arange(wide) + 0.5) * fine) / radius
        up = (top - (skipped[1] + np.arange(tall) + 0.5) * fine) / radius
        _lettering(fill, images, text, right[None, :], up[:, None], fine / radius, rng)
    else:
        SHAPES[shape](fill, rng)
    return (rows, columns), tuple(np.asarray(image.reduce(SUPERSAMPLES), np.float32) / 255 for image in images)


def _held(inside):
    """The slice of what is True in `inside` [N], a run of at least one."""
    first = int(inside.argmax())
    return slice(first, first + int(inside.sum()))


def _arc(radius, centre=(0, 0), start=0.0, stop=2 * np.pi, corners=72):
    angle = np.linspace(start, stop, corners)
    return radius * np.stack([np.cos(angle), np.sin(angle)], -1) + centre


def _points(count, outer, inner, centre=(0, 0)):
    angle = np.pi / 2 + np.pi * np.arange(2 * count) / count
    reach = np.where(np.arange(2 * count) % 2, inner, outer)[:, None]
    return reach * np.stack([np.cos(angle), np.sin(angle)], -1) + centre


def _box(left, low, right, high):
    return [(left, low), (right, low), (right, high), (left, high)]


def _circle(fill, rng):
    fill(_arc(1))
    fill(_arc(rng.uniform(0.3, 0.6)), 1)


def _ring(fill, rng):
    fill(_arc(1))
    fill(_arc(rng.uniform(0.5, 0.7)), 0, 0)
    fill(_points(5, 0.42, 0.17), 1)


def _heart(fill, rng):
    t = np.linspace(0, 2 * np.pi, 120)
    curve = np.stack([16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)], -1)
    fill(curve / 16)
    if rng.uniform() < 0.4:
        fill(curve / 16 * 0.6, 1)


def _star(fill, rng):
    fill(_points(5, 1.08, 0.45))
    if rng.uniform() < 0.4:
        fill(_points(5, 0.62, 0.26), 1)


def _diamond(fill, rng):
    for size, ink in ((1.0, 0), (0.68, 1), (0.36, 0)):
        fill([(size, 0), (0, 1.15 * size), (-size, 0), (0, -1.15 * size)], ink)
    fill([(0.36, 0), (0, 0.41), (-0.36, 0), (0, -0.41)], 1, 0)


def _bars(fill, rng):
    for number in range(4):
        low = 0.62 - 0.42 * number
        fill(_box(-1.25, low - 0.22, 1.25, low), number % 2)


def _sunset(fill, rng):
    fill(_arc(0.95, (0, 0.05)))
    for number in range(5):
        low = -0.02 - 0.2 * number
        fill(_box(-1, low - 0.03 - 0.025 * number, 1, low), 0, 0)
    fill(_arc(0.95, (0, 0.05), np.pi * 0.15, np.pi * 0.85), 1)


def _mountain(fill, rng):
    fill(_arc(0.34, (0.45, 0.55)), 1)
    fill([(-1.2, -0.75), (-0.35, 0.75), (0.5, -0.75)])
    fill([(0.0, -0.75), (0.62, 0.3), (1.2, -0.75)])
    for x, y, size in ((-0.35, 0.75, 0.42), (0.62, 0.3, 0.28)):
        snow = [(0, 0), (0.56, -1), (0.25, -0.75), (0.05, -1.05), (-0.2, -0.72), (-0.56, -1)]
        fill(np.array(snow) * size + (x, y), 1)
    fill(_box(-1.2, -0.98, 1.2, -0.86))


def _flower(fill, rng):
    count = int(rng.integers(5, 9))
    for angle in 2 * np.pi * np.arange(count) / count + np.pi / 2:
        fill(_arc(2.05 / count, (0.62 * np.cos(angle), 0.62 * np.sin(angle))))
    fill(_arc(0.5))
    fill(_arc(0.32), 1)


def _smiley(fill, rng):
    fill(_arc(1))
    for side in (-0.34, 0.34):
        fill(_arc(1, corners=24) * (0.1, 0.19) + (side, 0.3), 1)
    smile = _arc(0.66, (0, 0.02), np.pi * 1.1, np.pi * 1.9)
    fill(np.concatenate([smile, (smile - (0, 0.02))[::-1] * (1, 0.82) + (0, 0.02)]), 1)


def _lightning(fill, rng):
    bolt = [(0.25, 1.0), (-0.62, -0.12), (-0.08, -0.12), (-0.28, -1.0), (0.64, 0.2), (0.06, 0.2), (0.52, 1.0)]
    if rng.uniform() < 0.5:
        fill(_arc(1.05))
        fill(np.array(bolt) * 0.9, 1)
    else:
        fill(np.array(bolt) * 1.15)


def _wave(fill, rng):
    x = np.linspace(-1.25, 1.25, 90)
    for number, ink in enumerate((0, 1, 0)):
        y = 0.2 * np.cos(x * 2.2 * np.pi + 0.9 * number) + 0.5 - 0.5 * number
        fill(np.concatenate([np.stack([x, y + 0.13], -1), np.stack([x, y - 0.13], -1)[::-1]]), ink)


def _leaf(fill, rng):
    y = np.linspace(-1, 1.1, 60)
    wide = 0.62 * np.sin(np.clip((y + 0.75) / 1.85, 0, 1) ** 0.8 * np.pi)
    fill(np.concatenate([np.stack([wide, y], -1), np.stack([-wide, y], -1)[::-1]]))
    fill(_box(-0.03, -1.1, 0.03, 0.95), 1)
    for low in (-0.5, -0.2, 0.1, 0.4):
        for side in (-1, 1):
            fill([(0, low), (0.4 * side, low + 0.3), (0.4 * side, low + 0.36), (0, low + 0.06)], 1)


def _moon(fill, rng):
    fill(_arc(1))
    fill(_arc(0.82, (0.42, 0.22)), 0, 0)
    for x, y, size in ((0.42, 0.35, 0.3), (0.75, -0.2, 0.17)):
        fill(_points(4, size, 0.3 * size, (x, y)), 1)


@functools.lru_cache(maxsize=64)
def _mask(text, weight):
    """A word in white on black, [LETTER * 2, W] f32 in [0, 1]: capitals stand on three quarters of the height."""
    font = ImageFont.load_default(LETTER)
    width = int(font.getlength(text)) + 2 * LETTER
    image = Image.new("L", (width, 2 * LETTER))
    ImageDraw.Draw(image).text((width / 2, 1.5 * LETTER), text, 255, font, anchor="ms", stroke_width=weight)
    return np.asarray(image, np.float32) / 255


def _width(text, weight):
    """The width of a word as a multiple of its capitals' height."""
    return (ImageFont.load_default(LETTER).getlength(text) + 2 * weight) / (CAPITAL * LETTER)


def _word(text, weight, right, up, height, fine):
    """Coverage by a word with capitals `height` tall centred on right = up = 0; all in units of the motif's radius."""
    pixels = CAPITAL * LETTER / height
    blur = max(0.0, fine * pixels / 2 - 0.5)
    mask = _mask(text, weight)
    if blur > 0:
        mask = ndimage.gaussian_filter(mask, blur)
    rows, columns = np.broadcast_arrays(1.5 * LETTER - (up + height / 2) * pixels, mask.shape[1] / 2 + right * pixels)
    return ndimage.map_coordinates(mask, [rows, columns], order=1)


def _lettering(fill, images, text, right, up, fine, rng):
    """A word set flat with bars, on an arch above a star, reversed out of a box, or with a shadow."""
    weight = int(rng.integers(2, 5))
    wide = _width(text, weight)
    height = min(0.8, 2.35 / wide)
    style = ("bars", "arch", "box", "shadow")[int(rng.integers(4))]
    if style == "arch":
        bend = 2.0
        around = bend * np.arctan2(right, up + bend)
        letters = _word(text, weight, around, np.hypot(right, up + bend) - bend, height, fine)
        fill(_points(5, 0.36, 0.15, (0, -height / 2 - 0.5)), 1)
        for side in (-1, 1):
            fill(np.array(_box(0.45, -height / 2 - 0.56, 1.0, -height / 2 - 0.46)) * (side, 1), 1)
    else:
        letters = _word(text, weight, right, up, height, fine)
    if style == "bars":
        for level in (height / 2 + 0.16, -height / 2 - 0.24):
            fill(_box(-height * wide / 2, level, height * wide / 2, level + 0.08), 1)
    if style == "shadow":
        thrown = _word(text, weight, right - 0.06, up + 0.06, height, fine)
        images[1].paste(Image.fromarray((np.clip(thrown - letters, 0, 1) * 255).astype(np.uint8)))
    if style == "box":
        half = height * wide / 2 + 0.2
        fill(_box(-half, -height / 2 - 0.2, half, height / 2 + 0.2))
        letters = np.clip(np.asarray(images[0], np.float32) / 255 - letters, 0, 1)
    images[0].paste(Image.fromarray((letters * 255).astype(np.uint8)))


SHAPES = {
    "circle": _circle, "heart": _heart, "star": _star, "diamond": _diamond, "ring": _ring, "bars": _bars,
    "letters": _lettering, "sunset": _sunset, "mountain": _mountain, "flower": _flower, "smiley": _smiley,
    "lightning": _lightning, "wave": _wave, "leaf": _leaf, "moon": _moon,
}  # fmt: skip
