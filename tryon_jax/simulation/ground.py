"""Floors and pavements in perspective, walls, and the shadow that a person casts upon the floor."""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from tryon_jax.simulation.strokes import clouds

FLOORS = ("boards", "parquet", "tiles", "carpet", "concrete", "lino")
WALLS = ("plain", "stripes", "dots", "brick", "panels", "tiles", "plaster")
WOOD = np.array([[0.62, 0.45, 0.30], [0.48, 0.32, 0.20], [0.72, 0.58, 0.42], [0.38, 0.26, 0.18], [0.66, 0.62, 0.57]])


def colour(rng, low, high, tint):
    """A colour [3] f32 of brightness in [low, high], its channels apart by about `tint`."""
    return np.clip(rng.uniform(low, high) + rng.uniform(-tint, tint, 3), 0.04, 0.98).astype(np.float32)


def plane(rows, columns, horizon, feet, height=1.5):
    """Metres right x and away z, f32, on a floor seen in perspective, and metres a pixel side there.

    rows, columns: pixel centres in picture sides; the floor's horizon and the row of the feet likewise; a picture side
    is about 2 m at the feet, the eye `height` picture-sides-at-the-feet away.
    """
    # 0.02: rows nearer to the horizon than this are never drawn.
    scale = (feet - horizon) / np.maximum(rows - horizon, 0.02)
    return (columns - 0.5) * 2 * scale, height * 2 * scale, 2 * scale


def floor(rng, kind, x, z, scale, texel):
    """Colours [h, w, 3] of a floor, one of FLOORS, at metres x and z; scale: as from plane; texel: a pixel's side."""
    # A pixel covers more metres in depth than across; patterns finer than it fade to their mean.
    blur = scale * texel
    if kind in ("boards", "parquet"):
        return _boards(rng, x, z, blur, kind == "parquet")
    if kind == "tiles":
        side = rng.uniform(0.25, 0.6)
        if rng.uniform() < 0.3:
            x, z = (x + z) * 0.707, (x - z) * 0.707
        first = colour(rng, 0.4, 0.9, 0.06)
        second = first * rng.uniform(0.5, 1.0) if rng.uniform() < 0.5 else first * 0.96
        check = (np.floor(x / side) + np.floor(z / side)) % 2
        fade = np.clip(1.5 - 3 * blur / side, 0, 1)
        picked = first + (second - first) * (0.5 + (check - 0.5) * fade)[..., None]
        grout = np.maximum(*(_line(v / side, 0.012 / side, blur / side) for v in (x, z)))
        return picked * (1 - 0.35 * grout * fade)[..., None]
    base = colour(rng, 0.25, 0.75, 0.08)
    grain = clouds(rng, x.shape, 0.5 if kind == "concrete" else 0.08)
    return base * (1 + (0.05 if kind == "concrete" else 0.03) * grain)[..., None]


def _boards(rng, x, z, blur, parquet):
    """Wooden boards, or blocks of them laid crosswise."""
    wood = WOOD[rng.integers(len(WOOD))] * rng.uniform(0.8, 1.15)
    width, length = rng.uniform(0.09, 0.2), rng.uniform(1.0, 2.0)
    if rng.uniform() < 0.5:
        x, z = z, x
    if parquet:
        side = rng.uniform(0.3, 0.45)
        width, length = side / 5, side
        crossed = (np.floor(x / side) + np.floor(z / side)) % 2 > 0
        x, z = np.where(crossed, z, x), np.where(crossed, x, z)
    lane = np.floor(x / width)
    along = z / length + 0.37 * lane
    tone = _hashed(lane, np.floor(along), rng.uniform(1, 9))
    streak = np.sin(x * 260 + 3 * np.sin(z * 3 + 9 * tone) + 20 * tone) * np.clip(1 - 90 * blur, 0, 1)
    fade = np.clip(1.5 - 3 * blur / width, 0, 1)
    gap = np.maximum(_line(x / width, 0.004 / width, blur / width), _line(along, 0.004 / length, blur / length))
    light = 1 + fade * (0.24 * (tone - 0.5) + 0.03 * streak - 0.4 * gap)
    return (wood * light[..., None]).astype(np.float32)


def wall(rng, kind, rows, columns):
    """Colours [h, w, 3] of a wall, one of WALLS, at pixel centres in picture sides (about 2 m each)."""
    base, texel = colour(rng, 0.45, 0.92, 0.1), 1 / len(rows)
    x, y = columns * 2, rows * 2
    light = 0 * x
    if kind == "stripes":
        period = rng.uniform(0.1, 0.3)
        light = rng.uniform(0.04, 0.12) * np.clip(np.sin(x * 2 * np.pi / period) * period / (8 * texel), -1, 1)
    elif kind == "dots":
        period = rng.uniform(0.12, 0.25)
        u, v = x / period, y / period
        u = u + 0.5 * (np.floor(v) % 2)
        near = np.hypot(u - np.floor(u) - 0.5, v - np.floor(v) - 0.5) * period
        light = rng.uniform(-0.15, 0.1) * np.clip((rng.uniform(0.15, 0.3) * period - near) / (2 * texel) + 0.5, 0, 1)
    elif kind in ("brick", "tiles"):
        tall = rng.uniform(0.07, 0.1) if kind == "brick" else rng.uniform(0.15, 0.3)
        wide = tall * (2.6 if kind == "brick" else 1)
        row = np.floor(y / tall)
        along = x / wide + (0.5 * (row % 2) if kind == "brick" else 0)
        if kind == "brick" and rng.uniform() < 0.6:
            base = np.array([0.60, 0.33, 0.25]) * rng.uniform(0.8, 1.2)
        joint = np.maximum(
            _line(along, 0.012 / wide, 2 * texel / wide), _line(y / tall, 0.012 / tall, 2 * texel / tall)
        )
        light = 0.2 * (_hashed(row, np.floor(along), 2.3) - 0.5) * (kind == "brick") + 0.25 * joint
    elif kind == "panels":
        wide = rng.uniform(0.4, 0.8)
        edge = np.abs((x / wide) % 1 - 0.5) * wide
        light = -0.12 * np.clip((edge - wide / 2 + 0.03) / (2 * texel), 0, 1)
    grain = clouds(rng, x.shape, 0.6)
    light = light + (0.03 if kind == "plaster" else 0.012) * grain
    # Lamps and windows light a wall from one side.
    side = rng.uniform(-0.12, 0.12) * (columns - 0.5) + rng.uniform(-0.12, 0.04) * (rows - 0.4)
    return (base * (1 + light + side)[..., None]).astype(np.float32)


def shadow(rng, picture, coverage, feet):
    """The picture [S, S, 3] with the shadow of a person, coverage [S, S] in [0, 1], on the floor behind the feet.

    A lamp in front throws it up the picture and to one side, flat; beneath the feet it is darkest. feet: the row of
    the floor, in picture sides.
    """
    size = len(picture)
    flat, lean, soft = rng.uniform(0.06, 0.22), rng.uniform(-0.5, 0.5), rng.uniform(0.008, 0.025)
    contact, cast = rng.uniform(0.35, 0.65), rng.uniform(0.08, 0.35)
    low, high = int((feet - 1.05 * flat) * size), min(int((feet + 0.03) * size) + 1, size)
    low = max(low, 0)
    if high <= low:  # no floor in the picture
        return picture
    rows, columns = np.mgrid[low:high, :size].astype(np.float32)
    up = feet * size - rows
    thrown = map_coordinates(coverage, [feet * size - 1 - up / flat, columns - lean * up / flat * 0.5], order=1)
    thrown = gaussian_filter(thrown * (up > -0.5), soft * size)
    ankles = coverage[max(int((feet - 0.045) * size), 0) : int(feet * size) + 1].max(0, initial=0.0)
    # Under the soles: as wide as the feet, a few centimetres before and behind them.
    beneath = np.exp(-(((rows / size - feet + 0.012) / 0.022) ** 2)) * gaussian_filter(ankles, 0.01 * size)[None, :]
    dark = 1 - (1 - cast * np.clip(1.2 * thrown, 0, 1)) * (1 - contact * np.clip(beneath, 0, 1))
    shaded = picture.copy()
    shaded[low:high] *= 1 - dark[..., None]
    return shaded


def _line(position, width, blur):
    """Coverage of lines at whole numbers, of a width and a blur in the same unit as position."""
    distance = np.abs(position - np.round(position))
    # 1e-3 periods: the least blur, or the line would have no edge at all.
    return np.clip((width / 2 - distance) / np.maximum(blur, 1e-3) + 0.5, 0, 1)


def _hashed(first, second, salt):
    """Pseudo-random numbers in [0, 1) of pairs of whole numbers."""
    mixed = np.sin(first * 12.9898 + second * 78.233 + salt) * 43758.5453
    return mixed - np.floor(mixed)
