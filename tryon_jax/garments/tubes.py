"""A body as tubes: convex cross-sections of trunk, legs and arms, which clothes are drafted to and wrapped around."""

from typing import NamedTuple

import numpy as np

ANGLES = 64
STEP = 0.02  # metres between levels
TANGENTS = 128  # directions in which each cross-section is measured; a multiple of ANGLES
NORMALS = np.stack([f(np.arange(TANGENTS) * (2 * np.pi / TANGENTS)) for f in (np.cos, np.sin)], -1)


class Tube(NamedTuple):
    """Cross-sections of a limb or the trunk, one a level, falling from level to level.

    levels [L] f64 metres (height z, or way along a limb's axis); centres [L, 3]; across [2, 3] unit vectors of angle 0
    and of a quarter turn; radius [L, ANGLES] of the convex hull; girth [L] its perimeter, what a tape measures.
    """

    levels: np.ndarray
    centres: np.ndarray
    across: np.ndarray
    radius: np.ndarray
    girth: np.ndarray

    def at(self, level, values):
        """Linear interpolation of values [L, ...] at levels [N], held beyond both ends: [N, ...]."""
        first, share = self._between(level)
        share = share.reshape(-1, *[1] * (values.ndim - 1))
        return values.take(first, 0) * (1 - share) + values.take(first + 1, 0) * share

    def _between(self, level):
        """The last of the levels before each of levels [N], which are held at both ends, and the share of the next."""
        start, step = self.levels[0], self.levels[1] - self.levels[0]
        low, high = sorted((start, self.levels[-1]))
        place = (np.minimum(np.maximum(level, low), high) - start) / step
        first = np.maximum(np.minimum(place.astype(int), len(self.levels) - 2), 0)
        return first, place - first

    def radius_at(self, level, angle):
        """Radius [N] at levels [N] and angles [N]."""
        left, right, share = _columns(angle)
        first, below = self._between(level)
        one, other = (
            self.radius[first, side] * (1 - below) + self.radius[first + 1, side] * below for side in (left, right)
        )
        return one * (1 - share) + other * share

    def radii_at(self, level, angles):
        """Radius [N, A] at levels [N], at all of angles [A] each."""
        left, right, share = _columns(angles)
        both = self.at(level, self.radius[:, np.concatenate([left, right])])
        return both[:, : len(left)] * (1 - share) + both[:, len(left) :] * share

    def points(self, level, angle, gap):
        """Points [N, 3] at levels and angles [N], gap [N] metres outside."""
        radius = self.radius_at(level, angle) + gap
        offset = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        return self.at(level, self.centres) + offset @ self.across


def _columns(angle):
    """The columns of a radius before and after angles [N], and how far each lies between them."""
    column = (angle / (2 * np.pi) * ANGLES) % ANGLES
    left = column.astype(int) % ANGLES
    return left, (left + 1) % ANGLES, column - np.floor(column)


def crossings(vertices, edges, heights, levels):
    """Points [N, 3] in which edges [E, 2] of vertices [V, 3] cross the planes on which heights [V] are levels [L],
    evenly spaced; and each one's level, its number [N], in rising order."""
    place = (heights - levels[0]) / (levels[1] - levels[0])
    one, other = place[edges[:, 0]], place[edges[:, 1]]
    first = np.floor(np.minimum(one, other)).astype(int) + 1
    last = np.ceil(np.maximum(one, other)).astype(int) - 1
    first, last = np.maximum(first, 0), np.minimum(last, len(levels) - 1)
    uses = np.maximum(last - first + 1, 0)
    edge = np.repeat(np.arange(len(edges)), uses)
    number = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(uses) - uses, uses)
    order = np.argsort(number, kind="stable")
    start, end = edges.take(edge[order], 0).T
    number = number[order]
    share = ((number - place[start]) / (place[end] - place[start]))[:, None]
    return vertices.take(start, 0) * (1 - share) + vertices.take(end, 0) * share, number


def edges_within(rest, inside):
    """Edges [E, 2] of a body's faces whose corners are all `inside` [V] bool."""
    a, b, c = rest.faces.T
    a, b, c = rest.faces[inside[a] & inside[b] & inside[c]].T
    first, second = np.concatenate([a, b, c]), np.concatenate([b, c, a])
    once = first < second
    return np.stack([first[once], second[once]], 1)


def upright(rest, inside, top, bottom, middle=None):
    """The Tube of body parts `inside` [V] bool between two heights; angle 0 is the front, a quarter turn the left.

    middle: x of the centre line, or None for each section's own middle. Levels without a section take their
    neighbour's. Raises ValueError if there is none at all.
    """
    levels = np.arange(top, bottom - STEP, -STEP)
    edges, across = edges_within(rest, inside), np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    sections = crossings(rest.vertices, edges, rest.vertices[:, 2], levels)
    return _assembled(levels, sections, across, None, middle)


def along_axis(rest, inside, joints):
    """The Tube of a limb around the line from joints[0] to joints[-1] [N, 3]; angle 0 is its upper, outer side and a
    quarter turn its back."""
    axis = joints[-1] - joints[0]
    length = np.linalg.norm(axis)
    axis = axis / length
    first = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    second *= np.sign(second[1])
    edges, levels = edges_within(rest, inside), np.arange(0.0, length + STEP, STEP)
    along = (rest.vertices - joints[0]) @ axis
    sections = crossings(rest.vertices, edges, along, levels)
    return _assembled(levels, sections, np.stack([first, second]), joints[0] + levels[:, None] * axis, None)


def _assembled(levels, sections, across, centres, middle):
    """A Tube of the sections that crossings gives. centres [L, 3], or None for the middles of upright sections, whose
    second coordinate is `middle` where that is given."""
    points, number = sections
    uses = np.bincount(number, minlength=len(levels))
    filled = np.flatnonzero(uses >= 6)
    if not len(filled):
        raise ValueError("the body has no cross-section there")
    flat = points @ across.T
    first = (np.cumsum(uses) - uses)[filled]
    # Points of levels with too few of them would be taken for the level's before.
    kept = np.isin(number, filled)
    first = first - np.cumsum(~kept)[first]
    # One direction a row: largest of neighbours in memory are found in a sixth of the time.
    support = np.maximum.reduceat(NORMALS @ flat[kept].T, first, axis=1).T
    half = TANGENTS // 2
    # A tenth of a millimetre thin: where a level grazes the end of what is cut. Where all are, it is no limb.
    thick = (support[:, :half] + support[:, half:]).min(1) >= 1e-4
    if not thick.any():
        raise ValueError("a cross-section of the body is flat")
    filled, support = filled[thick], support[thick]
    nearest = np.abs(np.arange(len(levels))[:, None] - filled).argmin(1)
    support = support[nearest]
    if centres is None:
        plane = np.stack([support[:, k] - support[:, k + half] for k in (0, TANGENTS // 4)], -1) / 2
        if middle is not None:
            plane[:, 1] = middle
        centres = plane @ across + levels[:, None] * np.array([0.0, 0.0, 1.0])
    else:
        plane = centres @ across.T
    # Of the polygon of tangents: more than the hull's by less than 0.02 %.
    girth = 2 * np.tan(np.pi / TANGENTS) * support.sum(1)
    return Tube(levels, centres, across, _radius(support - plane @ NORMALS.T), girth)


def _radius(support):
    """Distance [L, ANGLES] from the origin to the rims of convex sections whose tangents are support [L, TANGENTS] away
    from it; 5 mm where the origin lies outside."""
    step = TANGENTS // ANGLES
    cosine = np.cos(np.arange(TANGENTS) * (2 * np.pi / TANGENTS))
    # 0.02: tangents nearly parallel to a ray do not bound it.
    near = np.flatnonzero(cosine > 0.02)
    columns = (near[:, None] + step * np.arange(ANGLES)) % TANGENTS
    # A level a column: whole rows are taken and compared, in half the time.
    bound = (support.T.take(columns, 0) / cosine[near, None, None]).min(0)
    return np.ascontiguousarray(np.maximum(bound, 0.005).T)
