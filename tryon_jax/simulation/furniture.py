"""Things that stand in a room: windows, doors, pictures, shelves, plants, lamps, sofas, curtains, rugs."""

import numpy as np

from tryon_jax.simulation.ground import WOOD, colour
from tryon_jax.simulation.strokes import box, clouds, lay, oval, quad


def window(rng, picture, x, floor):
    """A window with a view and perhaps curtains; x: its middle, floor: the row where the wall ends."""
    wide, tall = rng.uniform(0.12, 0.24), rng.uniform(0.22, 0.42)
    top = max(rng.uniform(0.05, 0.2), 0.0)
    bottom = min(top + tall, floor - 0.12)
    frame = np.float32([0.92, 0.92, 0.9]) * rng.uniform(0.5, 1.02)
    box(picture, x - wide - 0.016, top - 0.016, x + wide + 0.016, bottom + 0.016, frame)
    sky = np.float32([0.80, 0.89, 0.98]) * rng.uniform(0.8, 1.05)
    box(picture, x - wide, top, x + wide, bottom, sky)
    green = np.float32([0.45, 0.58, 0.38]) * rng.uniform(0.7, 1.3)
    for _ in range(3):
        bush = rng.uniform(0.3, 0.7) * wide
        place = x + rng.uniform(-0.6, 0.6) * (wide - bush)
        oval(picture, place, bottom - bush * 0.6, bush, bush * 0.58, green * rng.uniform(0.8, 1.2), softness=0.02)
    for share in np.linspace(-1, 1, int(rng.integers(2, 4)) + 1)[1:-1]:
        box(picture, x + share * wide - 0.005, top, x + share * wide + 0.005, bottom, frame)
    if rng.uniform() < 0.6:
        middle = top + (bottom - top) * rng.uniform(0.3, 0.5)
        box(picture, x - wide, middle - 0.005, x + wide, middle + 0.005, frame)
    box(picture, x - wide - 0.03, bottom + 0.012, x + wide + 0.03, bottom + 0.03, frame * 0.94)
    if rng.uniform() < 0.55:
        cloth = colour(rng, 0.4, 0.9, 0.12)
        length = bottom + 0.06 if rng.uniform() < 0.4 else floor - 0.01
        for side in (-1, 1):
            for fold in range(5):
                edge = x + side * (wide + 0.05 - 0.018 * fold)
                box(picture, edge - 0.011, top - 0.03, edge + 0.011, length, cloth * (0.84 + 0.16 * (fold % 2)), 0.01)


def door(rng, picture, x, floor):
    """A door with panels, a frame and a handle."""
    wide, top = rng.uniform(0.17, 0.22), rng.uniform(-0.06, 0.08)
    leaf = WOOD[rng.integers(len(WOOD))] if rng.uniform() < 0.5 else colour(rng, 0.6, 0.95, 0.03)
    frame = np.clip(leaf * rng.uniform(0.75, 1.2), 0, 0.97)
    box(picture, x - wide - 0.025, top - 0.025, x + wide + 0.025, floor, frame)
    box(picture, x - wide, top, x + wide, floor, leaf)
    for low, high in ((0.06, 0.45), (0.52, 0.94)):
        for side in (-1, 1):
            inner = sorted((x + side * 0.15 * wide, x + side * 0.85 * wide))
            rise = floor - top
            box(picture, inner[0], top + low * rise, inner[1], top + high * rise, leaf * 0.86)
            box(picture, inner[0] + 0.006, top + low * rise + 0.006, inner[1], top + high * rise, leaf * 0.97)
    oval(picture, x + rng.choice([-1, 1]) * 0.88 * wide, top + 0.52 * (floor - top), 0.012, 0.008, (0.55, 0.52, 0.45))


def painting(rng, picture, x, floor):
    """A framed picture: bands, blobs or a landscape."""
    wide, tall = rng.uniform(0.05, 0.14), rng.uniform(0.06, 0.14)
    y = rng.uniform(0.14, 0.36)
    rim = rng.uniform(0.006, 0.016)
    shade = np.zeros(3, np.float32)
    around = (x - wide - 0.01, y - tall, x + wide + rim + 0.01, y + tall + rim + 0.012)
    size = len(picture)
    rows = slice(max(int(around[1] * size), 0), max(int(around[3] * size), 0))
    columns = slice(max(int(around[0] * size), 0), max(int(around[2] * size), 0))
    part = picture[rows, columns]
    lay(picture, np.full(part.shape[:2], 0.1, np.float32), shade, (rows, columns))
    box(picture, x - wide - rim, y - tall - rim, x + wide + rim, y + tall + rim, colour(rng, 0.08, 0.9, 0.05))
    box(picture, x - wide, y - tall, x + wide, y + tall, colour(rng, 0.6, 0.97, 0.05))
    inner = 0.8
    top, bottom = y - inner * tall, y + inner * tall
    if rng.uniform() < 0.5:
        cuts = np.sort(rng.uniform(top, bottom, 3))
        for low, high in zip([top, *cuts], [*cuts, bottom], strict=True):
            box(picture, x - inner * wide, low, x + inner * wide, high, colour(rng, 0.3, 0.85, 0.25))
    else:
        for _ in range(4):
            radius = rng.uniform(0.1, 0.4) * min(wide, tall)
            place = x + rng.uniform(-0.4, 0.4) * wide, y + rng.uniform(-0.4, 0.4) * tall
            oval(picture, *place, radius * rng.uniform(0.7, 1.2), radius, colour(rng, 0.2, 0.85, 0.3))


def shelf(rng, picture, x, floor):
    """A bookcase, or boards with books on the wall."""
    wide, standing = rng.uniform(0.12, 0.24), rng.uniform() < 0.5
    levels = int(rng.integers(3, 6)) if standing else int(rng.integers(1, 3))
    pitch = rng.uniform(0.11, 0.15)
    wood = WOOD[rng.integers(len(WOOD))] * rng.uniform(0.7, 1.2)
    bottom = floor + 0.01 if standing else rng.uniform(0.3, 0.45)
    top = bottom - levels * pitch
    if standing:
        box(picture, x - wide - 0.012, top - 0.02, x + wide + 0.012, bottom, wood)
        box(picture, x - wide, top, x + wide, bottom - 0.02, wood * 0.55)
    for level in range(levels):
        board = bottom - level * pitch - 0.02
        place = x - wide + 0.01
        while place < x + wide - 0.03:
            thick, tall = rng.uniform(0.01, 0.028), rng.uniform(0.45, 0.8) * pitch
            if rng.uniform() < 0.82:
                tone = colour(rng, 0.15, 0.8, 0.22)
                box(picture, place, board - tall, place + thick, board, tone)
                box(picture, place, board - tall * 0.8, place + thick, board - tall * 0.72, np.clip(tone * 1.5, 0, 1))
            place += thick + 0.001
        box(picture, x - wide, board, x + wide, board + 0.014, wood)


def plant(rng, picture, x, floor):
    """A plant in a pot on the floor: leaves as turned ovals, the lower ones darker."""
    foot = floor + rng.uniform(0.015, 0.05)
    pot, tall = rng.uniform(0.03, 0.06), rng.uniform(0.15, 0.4)
    tone = colour(rng, 0.3, 0.9, 0.1)
    oval(picture, x, foot, pot * 1.3, 0.014, (0.05, 0.05, 0.05), softness=0.02, strength=0.4)
    rim = foot - pot * 1.7
    quad(picture, [[x - pot, rim], [x + pot, rim], [x + 0.7 * pot, foot], [x - 0.7 * pot, foot]], tone)
    box(picture, x - pot * 1.05, rim - 0.008, x + pot * 1.05, rim + 0.012, tone * 0.88)
    green = np.float32([0.20, 0.42, 0.20]) * rng.uniform(0.7, 1.4)
    long = rng.uniform(2.0, 4.5)
    for leaf in range(34):
        height = leaf / 33
        angle = rng.uniform(-1.2, 1.2)
        reach = tall * (0.35 + 0.65 * height) * rng.uniform(0.5, 1.0)
        tip = x + np.sin(angle) * reach * 0.6, rim - np.cos(angle) * reach
        size = rng.uniform(0.012, 0.02)
        shade = green * (0.6 + 0.5 * height) * rng.uniform(0.85, 1.15)
        oval(picture, *tip, size, size * long, shade, turn=angle + rng.uniform(-0.3, 0.3), shade=0.3)


def lamp(rng, picture, x, floor):
    """A standing lamp with a lit shade and its glow on the wall."""
    foot, top = floor + 0.02, rng.uniform(0.18, 0.34)
    oval(picture, x, top, 0.3, 0.3, (1.0, 0.93, 0.78), softness=0.3, strength=0.25)
    box(picture, x - 0.005, top, x + 0.005, foot, (0.2, 0.19, 0.18))
    oval(picture, x, foot, 0.045, 0.009, (0.2, 0.19, 0.18))
    tone = np.float32([0.99, 0.93, 0.8])
    wide = rng.uniform(0.05, 0.08)
    quad(picture, [[x - 0.6 * wide, top - 0.1], [x + 0.6 * wide, top - 0.1], [x + wide, top], [x - wide, top]], tone)


def sofa(rng, picture, x, floor):
    """A sofa or an armchair: back, seat, arms, cushions."""
    wide, foot = rng.uniform(0.16, 0.34), floor + rng.uniform(0.02, 0.05)
    tone = colour(rng, 0.2, 0.75, 0.14)
    oval(picture, x, foot, wide * 1.05, 0.02, (0.03, 0.03, 0.03), softness=0.03, strength=0.5)
    box(picture, x - wide, foot - 0.32, x + wide, foot - 0.03, tone * 0.9, 0.02, shade=0.15)
    seats = max(int(wide / 0.12), 1)
    for seat in range(seats):
        left = x - wide + 0.02 + seat * 2 * (wide - 0.02) / seats
        right = left + 2 * (wide - 0.02) / seats - 0.006
        box(picture, left, foot - 0.3, right, foot - 0.15, tone * 0.98, 0.014, shade=0.2)
        box(picture, left, foot - 0.16, right, foot - 0.08, tone * 1.08, 0.012, shade=0.25)
    for side in (-1, 1):
        middle = x + side * wide
        box(picture, middle - 0.03, foot - 0.23, middle + 0.03, foot - 0.02, tone, 0.016, shade=0.25)
        box(picture, middle - 0.02, foot - 0.02, middle - 0.005, foot, (0.15, 0.1, 0.08))
    if rng.uniform() < 0.6:
        oval(picture, x + rng.uniform(-0.6, 0.6) * wide, foot - 0.2, 0.05, 0.045, colour(rng, 0.3, 0.9, 0.2), shade=0.2)


def cupboard(rng, picture, x, floor):
    """A sideboard with doors or drawers, at times with a vase upon it."""
    wide, tall, foot = rng.uniform(0.14, 0.28), rng.uniform(0.16, 0.3), floor + 0.02
    wood = WOOD[rng.integers(len(WOOD))] if rng.uniform() < 0.6 else colour(rng, 0.5, 0.95, 0.05)
    top = foot - tall
    box(picture, x - wide, foot - 0.02, x + wide, foot + 0.012, (0.05, 0.05, 0.05), 0.03)
    box(picture, x - wide, top, x + wide, foot, wood, shade=0.15)
    box(picture, x - wide - 0.01, top - 0.012, x + wide + 0.01, top + 0.004, np.clip(wood * 1.12, 0, 1))
    across, down = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    for column in range(across):
        for row in range(down):
            left = x - wide + 2 * wide * column / across + 0.006
            upper = top + 0.01 + (tall - 0.03) * row / down
            right, lower = left + 2 * wide / across - 0.012, upper + (tall - 0.03) / down - 0.008
            box(picture, left, upper, right, lower, wood * 0.84)
            box(picture, left + 0.003, upper + 0.003, right, lower, wood * 1.02, shade=0.1)
            oval(picture, (left + right) / 2, upper + 0.02, 0.006, 0.006, (0.75, 0.7, 0.6))
    if rng.uniform() < 0.6:
        place = x + rng.uniform(-0.6, 0.6) * wide
        tone = colour(rng, 0.2, 0.9, 0.2)
        oval(picture, place, top - 0.04, 0.022, 0.036, tone, shade=0.35)
        box(picture, place - 0.009, top - 0.095, place + 0.009, top - 0.06, tone * 0.9)


def rug(rng, picture, rows, columns, horizon, feet):
    """A rug on the floor under the feet, in perspective, with a border and a woven grain."""
    # 0.02: as in ground.plane.
    scale = (feet - horizon) / np.maximum(rows - horizon, 0.02)
    x, depth = (columns - 0.5) * 2 * scale + rng.uniform(-0.2, 0.2), (scale - 1) * 3.0
    wide, deep = rng.uniform(0.6, 1.1), rng.uniform(0.35, 0.8)
    if rng.uniform() < 0.3:
        distance = (1 - np.hypot(x / wide, depth / deep)) * deep
    else:
        distance = np.minimum(wide - np.abs(x), deep - np.abs(depth))
    below = np.clip((rows - horizon - 0.03) * 100, 0, 1)
    ground, border = colour(rng, 0.25, 0.8, 0.15), colour(rng, 0.2, 0.85, 0.2)
    weave = 1 + 0.04 * clouds(rng, rows.shape, 0.03)
    lay(picture, np.clip(distance / 0.015, 0, 1) * below, ground * weave[..., None])
    edge = np.clip((0.06 - np.abs(distance - 0.12)) / 0.015, 0, 1) * below
    lay(picture, edge * 0.8, border * weave[..., None])


ON_WALL = (window, painting, painting, shelf, door)
ON_FLOOR = (plant, lamp, sofa, cupboard, plant)
