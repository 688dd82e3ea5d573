"""Bodies and garments for tests of patterns: extreme figures, every corner of a garment's parameters, all sizes."""

import functools
import itertools

import numpy as np

from tryon_jax import garments
from tryon_jax.garments import darts, measurements
from tryon_jax.garments.pattern import length
from tryon_jax.simulation import body

LOW, HIGH = (np.array(ends, np.float32) for ends in zip(*body.SHAPE.values(), strict=True))
# Share of each control's range, in body.SHAPE's order (gender, age, muscle, weight, height, proportions).
SHAPES = tuple(
    (LOW + np.array(share, np.float32) * (HIGH - LOW)).astype(np.float32)
    for share in (
        (0.5, 0.5, 0.5, 0.5, 0.5, 0.5), (0, 1, 1, 1, 1, 0), (1, 0, 0, 0, 0, 1), (1, 1, 0, 1, 0, 0), (0, 0, 0, 0, 1, 1),
    )
)  # fmt: skip
SIZES = (0, -2, 3, -1, 1, 2)


@functools.cache
def rest(index):
    """The garments.Rest of SHAPES[index] in its A-pose."""
    return body.posed(body.load(), SHAPES[index], body.Pose("a_pose", {}, 0.0)).rest


@functools.cache
def figure(index):
    """The measurements.Figure of SHAPES[index]."""
    return measurements.measure(rest(index))


def corners(name):
    """Every corner of the box of a garment's parameters: list of dicts."""
    ranges = garments.load(name).PARAMETERS
    return [dict(zip(ranges, ends, strict=True)) for ends in itertools.product(*ranges.values())]


def middle(name, **changes):
    """The middle of the box of a garment's parameters, but for some that are named."""
    return {key: (low + high) / 2 for key, (low, high) in garments.load(name).PARAMETERS.items()} | changes


@functools.cache
def cases(name):
    """(parameters, body's index, size, pattern): all corners and eight draws, over bodies and sizes in turn."""
    rng = np.random.default_rng(0)
    chosen = corners(name) + [garments.sample(name, rng) for _ in range(8)]
    found = []
    for number, parameters in enumerate(chosen):
        # Steps without a common divisor with the corners' powers of two meet every end with every figure and size.
        index, size = number % 5, SIZES[(number // 3) % 6]
        measured = measurements.graded(figure(index).measurements, size)
        found.append((parameters, index, size, garments.load(name).pattern(parameters, measured)))
    return found


def draft(name, index=0, size=0, **changes):
    """The pattern of the middle parameters but for changes, on a body, graded."""
    measured = measurements.graded(figure(index).measurements, size)
    return garments.load(name).pattern(middle(name, **changes), measured)


def finished(panel, edge="waist"):
    """Metres of a Panel's edge once darts that cut it into parts are sewn."""
    return sum(length(panel.edges[part]) for part in darts.parts(panel.edges, edge))


def signed_area(polygon):
    """Area in m^2 of a closed polygon [N, 2], positive if it runs counter-clockwise."""
    x, y = polygon.T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def triangle_areas(mesh):
    """Signed area [F] on paper of a sewn.Sewn's faces."""
    a, b, c = (mesh.paper[mesh.faces[:, k]] for k in range(3))
    return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


def crossings(polygon):
    """How many pairs of a closed polygon's sides [N, 2] cross each other."""
    start, end = polygon, np.roll(polygon, -1, 0)
    side = lambda p, q, r: (q - p)[..., 0] * (r - p)[..., 1] - (q - p)[..., 1] * (r - p)[..., 0]  # noqa: E731
    a, b, c, d = start[:, None], end[:, None], start[None], end[None]
    return int(((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)).sum()) // 2
