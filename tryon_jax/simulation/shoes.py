"""Shoes: rings around the foot, level by level from the sole to the opening, each the foot's convex outline set out."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments.edges import edges_of
from tryon_jax.geometry.mesh import among
from tryon_jax.geometry.parts import PART
from tryon_jax.simulation.attachment import Attached, follow, join
from tryon_jax.simulation.visage import soft

KINDS = ("sneaker", "canvas", "leather", "boot", "flat", "runner")
MEN = (0.32, 0.16, 0.22, 0.16, 0.0, 0.14)
WOMEN = (0.26, 0.14, 0.10, 0.16, 0.24, 0.10)
# Metres of a sole below the bare foot, which stands at z = 0.
SOLE = 0.012
AROUND = 48  # points of a ring


class Last(NamedTuple):
    """A foot's outlines: sign 1 for the left, -1 for the right; origin [3], under the ankle; frame [2, 2], forward
    and to the left; levels [L] metres; support [L, AROUND] of its convex outline; reach: metres from ankle to toes."""

    sign: int
    origin: np.ndarray
    frame: np.ndarray
    levels: np.ndarray
    support: np.ndarray
    reach: float


class Design(NamedTuple):
    """kind: one of KINDS; top: height of the opening in metres; colours [3] of upper, sole, accent and laces."""

    kind: str
    top: float
    upper: np.ndarray
    sole: np.ndarray
    accent: np.ndarray
    laces: np.ndarray


def sample(rng, look, woman):
    """A random Design in the shoe colour of an appearance.Look."""
    kind = str(rng.choice(KINDS, p=WOMEN if woman else MEN))
    top = {"boot": rng.uniform(0.115, 0.15), "flat": rng.uniform(0.036, 0.044), "leather": 0.068}.get(kind, 0.074)
    upper, white = look.shoes, np.float32([0.93, 0.92, 0.89])
    if kind in ("leather", "boot"):
        hides = np.float32([[0.10, 0.09, 0.09], [0.28, 0.17, 0.10], [0.45, 0.28, 0.15], [0.20, 0.12, 0.09]])
        upper = hides[rng.integers(len(hides))] * rng.uniform(0.85, 1.15)
        sole = upper * 0.45
    else:
        sole = white if kind == "canvas" or rng.uniform() < 0.75 else np.float32([0.14, 0.13, 0.13])
    sole = upper * 0.55 if kind == "flat" else sole
    accent = np.clip(upper * rng.uniform(0.5, 0.8), 0, 1)
    if kind in ("sneaker", "runner") and rng.uniform() < 0.6:
        accent = rng.uniform(0.1, 0.9, 3)
    laces = upper * 0.6 if kind in ("leather", "boot") else white
    return Design(kind, float(top), *(np.float32(colour) for colour in (upper, sole, accent, laces)))


def attach(rng, look, rest, woman):
    """A pair of shoes on a garments.Rest: (tuple of two attachment.Attached, covers [F] bool: body faces inside)."""
    design = sample(rng, look, woman)
    pair, covers = [], np.zeros(len(rest.faces), bool)
    for sign in (1, -1):
        last = last_of(rest, sign)
        pair.append(_shoe(rng, rest, last, design))
        inside = (last.sign * rest.vertices[:, 0] > 0) & (
            rest.vertices[:, 2] < design.top - (0.020 if design.kind == "flat" else 0.013)
        )
        covers |= among(rest.faces, inside)
    return tuple(pair), covers


def last_of(rest, sign):
    """The Last of the left (sign 1) or right (-1) foot of a garments.Rest."""
    side = "L" if sign > 0 else "R"
    ankle, toe = rest.joint(f"foot.{side}"), rest.joint(f"toe3-1.{side}")
    forward = (toe - ankle)[:2] / np.linalg.norm((toe - ankle)[:2])
    frame = np.stack([forward, [-forward[1], forward[0]]])
    near = (sign * rest.vertices[:, 0] > 0) & (rest.vertices[:, 2] < 0.25)
    edges, _ = edges_of(rest.faces[among(rest.faces, near)])
    flat, height = (rest.vertices[:, :2] - ankle[:2]) @ frame.T, rest.vertices[:, 2]
    levels, turn = np.arange(0.0, 0.176, 0.004), _turn()
    directions = np.stack([np.cos(turn), np.sin(turn)])
    # Low down the whole tread counts, whose edge is round.
    tread = (flat[near & (height < 0.024)] @ directions).max(0)
    support = np.tile(tread, (len(levels), 1))
    below, above = height[edges[:, 0]], height[edges[:, 1]]
    lowest, highest = np.minimum(below, above), np.maximum(below, above)
    for index in np.flatnonzero(levels >= 0.016):
        crossed = np.flatnonzero((lowest < levels[index]) & (highest > levels[index]))
        share = (levels[index] - below[crossed]) / (above[crossed] - below[crossed])
        first, second = flat[edges[crossed].T]
        cut = first + share[:, None] * (second - first)
        support[index] = (cut @ directions).max(0)
    smooth = np.stack([np.roll(support, shift, 1) for shift in (-1, 0, 1)]).mean(0)
    kernel = np.array([0.2, 0.6, 0.2])
    padded = np.pad(smooth, ((1, 1), (0, 0)), mode="edge")
    smooth = sum(share * padded[shift : shift + len(levels)] for shift, share in enumerate(kernel))
    return Last(sign, np.array([*ankle[:2], 0.0]), frame, levels, smooth, float(tread[0]))


def ring(last, height, outset, turn=None, toe=0.0):
    """Points [N, 3] at a height and the angles `turn` of their normals from straight ahead, `outset` metres outside the
    foot; toe: metres more at the very front. Each may be one number or [N]."""
    turn, height = np.broadcast_arrays(_turn() if turn is None else turn, height)
    level = np.clip(height / 0.004, 0, len(last.levels) - 1.001)
    row, share = level.astype(int), level - level.astype(int)

    def support(angle):
        place = (angle / (2 * np.pi) * AROUND) % AROUND
        column = place.astype(int) % AROUND
        across = place - np.floor(place)
        near, far = (
            last.support[row + k, column] * (1 - across) + last.support[row + k, (column + 1) % AROUND] * across
            for k in (0, 1)
        )
        return near * (1 - share) + far * share + outset + toe * np.maximum(np.cos(angle), 0) ** 3

    # The outline is the envelope of its tangents: h(t) along the normal, h'(t) along the tangent.
    small = 2 * np.pi / AROUND
    value, slope = support(turn), (support(turn + small) - support(turn - small)) / (2 * small)
    normal, tangent = np.stack([np.cos(turn), np.sin(turn)], 1), np.stack([-np.sin(turn), np.cos(turn)], 1)
    flat = (value[:, None] * normal + slope[:, None] * tangent) @ last.frame
    return np.concatenate([flat + last.origin[:2], height[:, None]], 1)


def _turn():
    return np.arange(AROUND) * (2 * np.pi / AROUND)


def _rows(design):
    """Rows from the sole's middle to the lining: (height, outset, name) each, height of the opening included."""
    thick = {"runner": 0.022, "sneaker": 0.017, "canvas": 0.015, "boot": 0.014}.get(design.kind, 0.004)
    flare = {"runner": 0.008, "flat": 0.002}.get(design.kind, 0.005)
    rows = [(-SOLE, -0.002, "sole"), (-SOLE + 0.003, flare, "sole")]
    if design.kind in ("canvas", "runner"):
        rows += [(thick * 0.2, flare, "sole"), (thick * 0.21, flare + 0.0004, "line")]
        rows += [(thick * 0.5, flare + 0.0004, "line"), (thick * 0.51, flare, "sole")]
    rows += [(thick, flare, "sole"), (thick + 0.0005, flare - 0.0025, "welt"), (thick + 0.004, 0.0028, "welt")]
    # Denser over the toes, where the upper is nearly level.
    way = np.linspace(0, 1, max(int((design.top - thick) / 0.0042), 5))
    heights = thick + 0.0045 + (design.top - thick - 0.0045) * way ** (1.5 if design.kind != "flat" else 1.0)
    snug = 0.0035 if design.kind == "flat" else 0.0055
    rows += [(height, snug, "upper") for height in heights]
    depth = 0.005 if design.kind == "flat" else 0.014
    collar = 0.0035 if design.kind in ("sneaker", "runner") else 0.001
    rows += [(design.top + 0.001, snug + collar, "collar"), (design.top + 0.006, snug + 0.5 * collar, "collar")]
    return [*rows, (design.top + 0.004, 0.0015, "lining"), (design.top - depth, -0.001, "lining")]


def _shoe(rng, rest, last, design):
    """One shoe, as an Attached."""
    rows, turn = _rows(design), _turn()
    # Toes of the last are rounder and farther forward than the foot's; openings rise at heel and tongue.
    toe = {"leather": 0.016, "boot": 0.010, "flat": 0.008}.get(design.kind, 0.011)
    rise = {"boot": 0.004, "flat": 0.003}.get(design.kind, 0.012) * np.cos(turn) ** 2
    height, outset = (np.repeat([row[k] for row in rows], AROUND) for k in (0, 1))
    lifted = height + np.tile(rise, len(rows)) * soft(height, 0.55 * design.top, design.top)
    vertices = ring(last, lifted, outset, np.tile(turn, len(rows)), toe * soft(height, 0.05, 0.025))
    names = np.repeat([row[2] for row in rows], AROUND)
    grid = np.arange(len(vertices)).reshape(len(rows), AROUND)
    a, b, c, d = grid[:-1], np.roll(grid[:-1], -1, 1), grid[1:], np.roll(grid[1:], -1, 1)
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    tread = np.stack([np.full(AROUND - 2, grid[0, 0]), grid[0, 2:], grid[0, 1:-1]], 1)
    shoe = [(vertices, np.concatenate([faces, tread]), _colours(rng, last, design, vertices, names))]
    pieces = shoe + (_laces(last, design) if design.kind != "flat" else [])
    return _attached(rest, last, *join(pieces))


def _colours(rng, last, design, vertices, names):
    """Vertex colours [G, 3]: sole, upper with toe cap, heel tab and side stripe, tongue, collar, lining."""
    flat = (vertices[:, :2] - last.origin[:2]) @ last.frame.T
    way, across, height = flat[:, 0] / last.reach, flat[:, 1], vertices[:, 2]
    colours = np.tile(design.upper, (len(vertices), 1))

    def lay(mask, colour):
        colours[:] += (np.asarray(colour) - colours) * np.asarray(mask, np.float32)[:, None]

    upper = np.isin(names, ["upper", "welt"])
    if design.kind == "canvas":
        lay(upper * soft(way, 0.80, 0.84), design.sole * 0.98)
    elif design.kind in ("sneaker", "runner"):
        lay(upper * soft(way, -0.22, -0.26), design.accent)
        lay(upper * soft(way, 0.82, 0.87), design.upper * 0.88)
    elif design.kind == "leather":
        lay(upper * (np.abs(way - 0.74) < 0.025), design.upper * 0.6)
        # Polish mirrors the light on the toe.
        lay(
            upper * 0.35 * np.exp(-(((way - 0.88) / 0.06) ** 2) - (across / 0.018) ** 2),
            np.clip(design.upper + 0.4, 0, 1),
        )
    if design.kind != "flat":
        lay(upper * (np.abs(across) < 0.016) * (way > 0.0) * (height > 0.045), design.upper * 0.72)
    lay(names == "welt", design.upper * 0.7 if design.kind in ("leather", "boot") else design.upper * 0.85)
    lay(names == "collar", design.accent * 0.9 if design.kind in ("sneaker", "runner") else design.upper * 0.9)
    lay(names == "lining", design.upper * 0.4 + 0.08)
    lay(names == "sole", design.sole)
    lay(names == "line", design.accent)
    worn = 1 + rng.normal(0, 0.015, (len(vertices), 1)) - 0.10 * soft(height, 0.006, -SOLE)[:, None]
    return np.clip(colours * worn, 0.02, 0.97)


def _laces(last, design):
    """Bands across the instep, as a list of (vertices, faces, colours)."""
    found = []
    high = design.top - 0.002 if design.kind != "boot" else design.top - 0.01
    turn = np.linspace(-1.25, 1.25, 9)
    heights = np.linspace(0.043, high, 5 if design.kind != "boot" else 8)
    edges = np.stack([heights, heights + 0.0042], 1).ravel()
    bands = ring(last, np.repeat(edges, len(turn)), 0.0085, np.tile(turn, len(edges)))
    for low, top in bands.reshape(len(heights), 2, len(turn), 3):
        middle = (low[:, :2] - last.origin[:2]) @ last.frame.T
        keep = np.abs(middle[:, 1]) < 0.024
        if keep.sum() < 2:
            continue
        low, top = low[keep], top[keep]
        first = np.arange(len(low) - 1)
        second = first + len(low)
        faces = np.concatenate([np.stack([first, first + 1, second], 1), np.stack([first + 1, second + 1, second], 1)])
        points = np.concatenate([low, top])
        found.append((points, faces, np.tile(design.laces, (len(points), 1))))
    return found


def _attached(rest, last, vertices, faces, colours):
    """An Attached that goes with the foot, and above the ankle with the shin."""
    side, name = ("L", "left_shoe") if last.sign > 0 else ("R", "right_shoe")
    rows = np.flatnonzero((last.sign * rest.vertices[:, 0] > 0) & (rest.vertices[:, 2] < 0.25))
    indices, weights = follow(rest, vertices, f"foot.{side}", soft(vertices[:, 2], 0.06, 0.10), rows)
    labels = np.full(len(faces), PART[name], np.int32)
    return Attached(vertices.astype(np.float32), faces.astype(np.int32), indices, weights, np.float32(colours), labels)
