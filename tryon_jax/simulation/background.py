"""What stands behind a photographed person: a studio, a gradient, a wall and floor, a furnished room, the outdoors."""

import numpy as np

from tryon_jax.simulation import furniture, ground, street
from tryon_jax.simulation.ground import colour
from tryon_jax.simulation.strokes import blurred, box, clouds, oval

KINDS = ("studio", "gradient", "wall", "room", "street", "park")
SHARES = (0.22, 0.1, 0.16, 0.27, 0.17, 0.08)
FINE = 2  # samples a pixel side in small pictures, where a window's bars are thinner than a pixel


def sample(rng, size, feet, kind=None):
    """A background picture float32 [S, S, 3] in [0, 1]; `feet` is the row in [0, 1] on which the person stands.

    kind: one of KINDS, at random by SHARES if none is given.
    """
    return finer(rng, size, feet, kind).reshape(size, FINE, size, FINE, 3).mean(axis=(1, 3))


def finer(rng, size, feet, kind=None):
    """The picture of which `sample` is the mean over 2 x 2 pixels, [2S, 2S, 3]; large pictures show no more there."""
    kind = str(rng.choice(KINDS, p=SHARES)) if kind is None else kind
    side = size * FINE if size <= 128 else size
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    rows, columns = np.meshgrid(centres, centres, indexing="ij")
    if kind == "studio":
        picture = _studio(rng, rows, columns, feet)
    elif kind == "gradient":
        picture = _gradient(rng, rows, columns)
    elif kind in ("street", "park"):
        # A person in focus has a street out of focus behind.
        place = {"street": street.street, "park": street.park}[kind](rng, rows, columns, feet)
        picture = _focus(place, rows, feet, rng.uniform(0.003, 0.012))
    else:
        picture = _room(rng, rows, columns, feet, kind == "room")
        picture = _focus(picture, rows, feet, rng.uniform(0.0, 0.006))
    if side == size:
        picture = picture.repeat(FINE, axis=0).repeat(FINE, axis=1)
    return np.clip(picture, 0, 1).astype(np.float32)


def _studio(rng, rows, columns, feet):
    """A paper backdrop that curves into the floor, lit in the middle."""
    base = colour(rng, 0.35, 0.97, 0.03) if rng.uniform() < 0.7 else colour(rng, 0.3, 0.85, 0.2)
    bend = feet - rng.uniform(0.05, 0.2)
    floor = np.clip((rows - bend) / rng.uniform(0.05, 0.25) + 0.5, 0, 1)
    floor = floor * floor * (3 - 2 * floor)
    light = 1 + rng.uniform(-0.04, 0.08) * floor
    middle = np.hypot(columns - rng.uniform(0.35, 0.65), rows - rng.uniform(0.25, 0.6))
    light = light + rng.uniform(0.0, 0.3) * (np.exp(-((middle / rng.uniform(0.3, 0.6)) ** 2)) - 0.6)
    if rng.uniform() < 0.35:  # painted canvas
        light = light * (1 + rng.uniform(0.015, 0.05) * clouds(rng, rows.shape, 0.4))
    picture = (base * light[..., None]).astype(np.float32)
    if rng.uniform() < 0.12:  # the paper is narrower than the picture
        edge, room = rng.uniform(0.02, 0.12), colour(rng, 0.15, 0.6, 0.03)
        for left, right in ((-0.1, edge), (1 - edge, 1.1)):
            box(picture, left, -0.1, right, feet - 0.02, room, 0.004, shade=0.2)
        box(picture, edge - 0.02, -0.01, 1 - edge + 0.02, 0.02, colour(rng, 0.1, 0.3, 0.02))
    return picture


def _gradient(rng, rows, columns):
    """Two colours that pass into each other across the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip((rows - 0.5) * np.sin(angle) + (columns - 0.5) * np.cos(angle) + 0.5, 0, 1)[..., None]
    return colour(rng, 0.4, 0.92, 0.15) * (1 - along) + colour(rng, 0.4, 0.92, 0.15) * along


def _room(rng, rows, columns, feet, furnished):
    """A wall with a skirting board above a floor in perspective; furnished: things hang and stand there."""
    line = feet - rng.uniform(0.05, 0.17)
    picture = ground.wall(rng, str(rng.choice(ground.WALLS)), rows, columns)
    trim = np.clip(picture.mean(axis=(0, 1)) * rng.uniform(0.85, 1.3), 0, 0.96)
    if furnished:
        places = np.linspace(0.1, 0.9, 4) + rng.uniform(-0.08, 0.08, 4)
        for x in rng.permutation(places)[: rng.integers(1, 4)]:
            furniture.ON_WALL[rng.integers(len(furniture.ON_WALL))](rng, picture, x, line)
    horizon = line - rng.uniform(0.08, 0.25)
    x, z, scale = ground.plane(rows, columns, horizon, feet)
    below = np.clip((rows - line) * len(rows) + 0.5, 0, 1)[..., None]
    surface = ground.floor(rng, str(rng.choice(ground.FLOORS)), x, z, scale, 1 / len(rows))
    # Corners of a room are darker, and polished floors mirror the wall a little.
    surface = surface * (1 - 0.3 * np.exp(-np.maximum(rows - line, 0) / 0.02))[..., None]
    picture = picture * (1 - 0.12 * np.exp(-np.maximum(line - rows, 0) / 0.05))[..., None]
    picture = (picture * (1 - below) + surface * below).astype(np.float32)
    if rng.uniform() < 0.75:
        box(picture, -0.1, line - rng.uniform(0.015, 0.04), 1.1, line, trim, shade=0.1)
    if furnished:
        if rng.uniform() < 0.4:
            furniture.rug(rng, picture, rows, columns, horizon, feet)
        sides = rng.permutation([rng.uniform(-0.02, 0.24), rng.uniform(0.76, 1.02)])
        for x in sides[: rng.integers(0, 3)]:
            furniture.ON_FLOOR[rng.integers(len(furniture.ON_FLOOR))](rng, picture, x, line)
    if rng.uniform() < 0.25:  # sun through a window that is not in the picture
        _sun_patch(rng, picture)
    return picture


def _sun_patch(rng, picture):
    """Warm light in a slanted patch, in place."""
    glow = 0.75 * picture * np.array([1.25, 1.2, 1.1], np.float32) + 0.2 * np.array([1.0, 0.92, 0.78], np.float32)
    mask = np.zeros((*picture.shape[:2], 3), np.float32)
    place, turn = (rng.uniform(0.1, 0.9), rng.uniform(0.2, 0.8)), rng.uniform(0.2, 0.8)
    oval(mask, *place, 0.1, 0.35, (1, 1, 1), turn, softness=0.06)
    picture += (np.clip(glow, 0, 1) - picture) * mask * 0.6


def _focus(picture, rows, feet, sigma):
    """The picture out of focus above the floor on which the person stands, sharp beside the feet."""
    far = np.clip((feet - 0.02 - rows) / 0.06, 0, 1)[..., None]
    return picture + (blurred(picture, sigma) - picture) * far
