"""What stands behind a photographed person: a studio, a gradient, a wall and floor, a plain room. And the camera."""

import numpy as np

KINDS = ("studio", "gradient", "wall", "room")


def sample(rng, size, feet):
    """A background picture float32 [S, S, 3] in [0, 1]; `feet` is the row in [0, 1] on which the person stands."""
    kind = str(rng.choice(KINDS, p=[0.35, 0.2, 0.25, 0.2]))
    rows, columns = np.meshgrid(*([(np.arange(size, dtype=np.float32) + 0.5) / size] * 2), indexing="ij")
    if kind == "studio":
        picture = _colour(rng, 0.75, 0.97, 0.03) * np.ones((size, size, 3), np.float32)
        picture *= (1 - rng.uniform(0, 0.15) * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2) * 2)[..., None]
    elif kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        along = np.clip((rows - 0.5) * np.sin(angle) + (columns - 0.5) * np.cos(angle) + 0.5, 0, 1)[..., None]
        picture = _colour(rng, 0.4, 0.92, 0.15) * (1 - along) + _colour(rng, 0.4, 0.92, 0.15) * along
    else:
        picture = _wall_and_floor(rng, rows, feet)
        if kind == "room":
            for _ in range(int(rng.integers(1, 5))):
                _furnish(rng, picture, rows, columns, feet)
    return np.clip(_contact_shadow(rng, picture, rows, columns, feet), 0, 1).astype(np.float32)


def _colour(rng, low, high, tint):
    """A colour of brightness in [low, high], its channels apart by about `tint`."""
    return np.clip(rng.uniform(low, high) + rng.uniform(-tint, tint, 3), 0.05, 0.98).astype(np.float32)


def _wall_and_floor(rng, rows, feet):
    """A wall above a floor, the line between them behind the person's shins, with a skirting board at times."""
    line = feet - rng.uniform(0.03, 0.15)
    wall, floor = _colour(rng, 0.45, 0.95, 0.12), _colour(rng, 0.25, 0.75, 0.1)
    edge = np.clip((rows - line) * len(rows) + 0.5, 0, 1)[..., None]
    picture = wall * (1 - 0.12 * rows[..., None]) * (1 - edge) + floor * (0.85 + 0.25 * rows[..., None]) * edge
    if rng.uniform() < 0.5:
        board = np.clip(0.012 - np.abs(rows - line + 0.012), 0, 1 / len(rows))[..., None] * len(rows)
        picture = picture * (1 - board) + np.clip(wall * 1.1, 0, 1) * board
    return picture.astype(np.float32)


def _furnish(rng, picture, rows, columns, feet):
    """Puts a rectangle on the wall, in place: a window, a door, a picture, a shelf."""
    width, height = rng.uniform(0.08, 0.35), rng.uniform(0.1, 0.5)
    left, top = rng.uniform(-0.1, 1.0), rng.uniform(0.0, max(feet - 0.2 - height, 0.05))
    across, down = np.abs(columns - left - width / 2), np.abs(rows - top - height / 2)
    inside = (across < width / 2) & (down < height / 2)
    frame = inside & ((across > width / 2 - 0.012) | (down > height / 2 - 0.012))
    picture[inside] = _colour(rng, 0.3, 0.95, 0.15)
    picture[frame] = _colour(rng, 0.2, 0.95, 0.05)


def _contact_shadow(rng, picture, rows, columns, feet):
    """Darkens the floor under the feet, so that the person stands on it."""
    distance = ((columns - 0.5) / 0.22) ** 2 + ((rows - feet) / 0.03) ** 2
    return picture * (1 - rng.uniform(0.1, 0.4) * np.exp(-distance))[..., None]
