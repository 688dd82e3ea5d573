"""Outdoors: a street of house fronts with windows, doors and trees, or a park, under a sky, always out of focus."""

import numpy as np

from tryon_jax.simulation import ground
from tryon_jax.simulation.ground import colour
from tryon_jax.simulation.strokes import box, clouds, lay, oval

FRONTS = np.array(
    [[0.72, 0.62, 0.50], [0.60, 0.36, 0.28], [0.80, 0.76, 0.68], [0.55, 0.56, 0.58], [0.76, 0.58, 0.46],
     [0.66, 0.70, 0.70], [0.85, 0.80, 0.60]]
)  # fmt: skip


def sky(rng, rows):
    """A sky [S, S, 3]: a gradient from blue or grey to a paler horizon, with clouds."""
    high = np.array([0.36, 0.58, 0.86]) if rng.uniform() < 0.7 else np.array([0.66, 0.70, 0.75])
    low = np.array([0.84, 0.90, 0.95]) * rng.uniform(0.92, 1.04)
    picture = high + (low - high) * np.clip(rows / 0.6, 0, 1)[..., None]
    cover = np.clip(clouds(rng, rows.shape, 0.7, 5) * 0.4 + rng.uniform(-0.4, 0.4), 0, 1)[..., None] * 0.7
    return (picture + (np.array([0.96, 0.96, 0.97]) - picture) * cover).astype(np.float32)


def houses(rng, picture, horizon):
    """A row of house fronts, each with its own colour, storeys, windows and ground floor."""
    left = rng.uniform(-0.25, 0.0)
    while left < 1:
        wide, top = rng.uniform(0.22, 0.5), rng.uniform(-0.3, 0.28)
        base = FRONTS[rng.integers(len(FRONTS))] * rng.uniform(0.7, 1.12)
        box(picture, left, top, left + wide, horizon, base, shade=0.12)
        box(picture, left - 0.006, top, left + wide + 0.006, top + 0.018, base * 0.8)
        _windows(rng, picture, left, wide, top, horizon, base)
        _ground_floor(rng, picture, left, wide, horizon, base)
        left += wide + (rng.uniform(0.01, 0.08) if rng.uniform() < 0.15 else 0)


def _windows(rng, picture, left, wide, top, horizon, base):
    """Upper storeys: a grid of windows, dark glass that mirrors a bit of sky."""
    across, pitch = int(rng.integers(2, 5)), rng.uniform(0.12, 0.17)
    frame = np.clip(base * 1.3, 0, 0.95) if rng.uniform() < 0.6 else base * 0.6
    half = 0.27 * wide / across
    row = horizon - 0.2 - pitch / 2
    while row > max(top + 0.04, -0.1):
        for column in range(across):
            x = left + wide * (column + 0.5) / across
            glass = np.array([0.30, 0.36, 0.42]) * rng.uniform(0.5, 1.7)
            box(picture, x - half - 0.006, row - 0.05, x + half + 0.006, row + 0.05, frame)
            box(picture, x - half, row - 0.044, x + half, row + 0.042, glass, shade=-0.3)
            box(picture, x - 0.002, row - 0.044, x + 0.002, row + 0.042, frame)
            box(picture, x - half - 0.01, row + 0.045, x + half + 0.01, row + 0.053, frame * 0.9)
        row -= pitch


def _ground_floor(rng, picture, left, wide, horizon, base):
    """A shop with an awning, or a door between windows."""
    top = horizon - 0.17
    if rng.uniform() < 0.5:
        front, awning = colour(rng, 0.1, 0.6, 0.15), colour(rng, 0.3, 0.85, 0.3)
        box(picture, left + 0.015, top - 0.03, left + wide - 0.015, horizon, front)
        box(picture, left + 0.03, top + 0.015, left + wide - 0.03, horizon - 0.03, (0.35, 0.36, 0.36), shade=-0.5)
        for stripe in range(10):
            x = left + 0.015 + (wide - 0.03) * stripe / 10
            tone = awning if stripe % 2 else np.clip(awning * 0.5 + 0.48, 0, 1)
            box(picture, x, top - 0.005, x + (wide - 0.03) / 10, top + 0.035, tone, shade=0.2)
    else:
        x, tone = left + wide * rng.uniform(0.25, 0.75), colour(rng, 0.1, 0.5, 0.15)
        box(picture, x - 0.05, top - 0.01, x + 0.05, horizon, base * 1.15)
        box(picture, x - 0.04, top, x + 0.04, horizon, tone)


def tree(rng, picture, x, foot, tall):
    """A tree: a trunk and a crown of leaf clumps, darker below."""
    box(picture, x - 0.012, foot - tall * 0.6, x + 0.012, foot, (0.25, 0.19, 0.14), shade=0.2)
    green = np.array([0.28, 0.42, 0.18]) * rng.uniform(0.7, 1.3) * np.array([rng.uniform(0.8, 1.4), 1, 1])
    for clump in range(26):
        height = clump / 25
        place = x + rng.normal(0, 0.14 * tall), foot - tall * (0.5 + 0.4 * height) + rng.normal(0, 0.02)
        size = rng.uniform(0.06, 0.12) * tall
        tone = green * (0.6 + 0.55 * height) * rng.uniform(0.85, 1.15)
        oval(picture, *place, size * 1.2, size, np.clip(tone, 0, 1), softness=0.02, shade=0.25)


def car(rng, picture, x, foot):
    """A parked car from the side."""
    tone, long = colour(rng, 0.1, 0.85, 0.25), rng.uniform(0.2, 0.26)
    oval(picture, x, foot, long * 1.05, 0.015, (0.03, 0.03, 0.03), softness=0.02, strength=0.6)
    oval(picture, x, foot - 0.1, long * 0.62, 0.07, tone * 0.9)
    oval(picture, x, foot - 0.1, long * 0.54, 0.055, (0.2, 0.24, 0.28))
    box(picture, x - long, foot - 0.105, x + long, foot - 0.025, tone, 0.02, shade=0.4)
    for side in (-0.6, 0.6):
        oval(picture, x + side * long, foot - 0.03, 0.036, 0.036, (0.08, 0.08, 0.09))
        oval(picture, x + side * long, foot - 0.03, 0.017, 0.017, (0.55, 0.56, 0.58))


def street(rng, rows, columns, feet):
    """A street [S, S, 3]: sky, houses, road and pavement; perhaps trees and cars. feet: row in picture sides."""
    picture = sky(rng, rows)
    kerb = feet - rng.uniform(0.16, 0.22)
    houses(rng, picture, kerb)
    for _ in range(int(rng.integers(0, 3))):
        tree(rng, picture, rng.uniform(0, 1), kerb + 0.01, rng.uniform(0.4, 0.8))
    horizon = kerb - rng.uniform(0.04, 0.14)
    x, z, scale = ground.plane(rows, columns, horizon, feet)
    near = feet - rng.uniform(0.05, 0.1)
    slabs = ground.floor(rng, str(rng.choice(["tiles", "concrete"])), x, z, scale, 1 / len(rows))
    slabs = slabs * 0.35 + 0.5 * slabs.mean(axis=(0, 1)) + 0.08
    road = colour(rng, 0.25, 0.42, 0.02) * (1 + 0.04 * clouds(rng, rows.shape, 0.05))[..., None]
    lay(picture, np.clip((rows - kerb) * len(rows) + 0.5, 0, 1), road)
    for _ in range(int(rng.integers(0, 3))):
        car(rng, picture, rng.uniform(-0.1, 1.1), kerb + 0.05)
    lay(picture, np.clip((rows - near) * len(rows) + 0.5, 0, 1), slabs)
    box(picture, -0.1, near - 0.012, 1.1, near + 0.004, (0.62, 0.61, 0.59), shade=0.3)
    return picture


def park(rng, rows, columns, feet):
    """A park [S, S, 3]: sky, distant trees, a lawn, and the path on which the person stands."""
    picture = sky(rng, rows)
    line = feet - rng.uniform(0.18, 0.3)
    for _ in range(7):
        tree(rng, picture, rng.uniform(-0.1, 1.1), line + rng.uniform(0, 0.02), rng.uniform(0.3, 0.75))
    grass = np.array([0.36, 0.50, 0.22]) * rng.uniform(0.8, 1.2)
    lawn = grass * (1 + 0.10 * clouds(rng, rows.shape, 0.12))[..., None] * (0.85 + 0.3 * rows)[..., None]
    lay(picture, np.clip((rows - line) * len(rows) + 0.5, 0, 1), lawn)
    _, _, scale = ground.plane(rows, columns, line - 0.05, feet)
    wide, lean = rng.uniform(0.5, 1.4), rng.uniform(-0.5, 0.5)
    across = np.abs((columns - 0.5) * 2 * scale + lean * (scale - 1))
    grain = 1 + 0.03 * clouds(rng, rows.shape, 0.04)
    sand = colour(rng, 0.5, 0.75, 0.03) * np.array([1.06, 1.0, 0.9]) * grain[..., None]
    on_lawn = np.clip((rows - line - 0.01) * len(rows), 0, 1)
    lay(picture, np.clip((wide - across) / 0.05, 0, 1) * on_lawn, sand)
    return picture
