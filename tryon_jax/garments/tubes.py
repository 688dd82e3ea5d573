"""A body as tubes: convex cross-sections of trunk, legs and arms, which clothes are drafted to and wrapped around."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import ConvexHull, QhullError

ANGLES = 64
STEP = 0.02  # metres between levels
DIRECTIONS = np.arange(ANGLES) * (2 * np.pi / ANGLES)


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
        low, high = np.minimum(self.levels[0], self.levels[-1]), np.maximum(self.levels[0], self.levels[-1])
        place = (np.clip(level, low, high) - self.levels[0]) / (self.levels[1] - self.levels[0])
        first = np.clip(place.astype(int), 0, len(self.levels) - 2)
        share = (place - first).reshape(-1, *[1] * (values.ndim - 1))
        return values[first] * (1 - share) + values[first + 1] * share

    def radius_at(self, level, angle):
        """Radius [N] at levels [N] and angles [N]."""
        rows = self.at(level, self.radius)
        column = (angle / (2 * np.pi) * ANGLES) % ANGLES
        left = column.astype(int) % ANGLES
        share = column - np.floor(column)
        index = np.arange(len(rows))
        return rows[index, left] * (1 - share) + rows[index, (left + 1) % ANGLES] * share

    def points(self, level, angle, gap):
        """Points [N, 3] at levels and angles [N], gap [N] metres outside."""
        radius = self.radius_at(level, angle) + gap
        offset = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        return self.at(level, self.centres) + offset @ self.across


def crossings(vertices, edges, heights, level):
    """Points [N, 3] in which edges [E, 2] of vertices [V, 3] cross the plane on which heights [V] are `level`."""
    first, second = heights[edges[:, 0]] - level, heights[edges[:, 1]] - level
    crossed = first * second < 0
    share = (first[crossed] / (first[crossed] - second[crossed]))[:, None]
    return vertices[edges[crossed, 0]] * (1 - share) + vertices[edges[crossed, 1]] * share


def edges_within(rest, inside):
    """Edges [E, 2] of a body's faces whose corners are all `inside` [V] bool."""
    faces = rest.faces[inside[rest.faces].all(1)]
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return pairs[pairs[:, 0] < pairs[:, 1]]


def upright(rest, inside, top, bottom, middle=None):
    """The Tube of body parts `inside` [V] bool between two heights; angle 0 is the front, a quarter turn the left.

    middle: x of the centre line, or None for each section's own middle. Levels without a section take their
    neighbour's. Raises ValueError if there is none at all.
    """
    levels = np.arange(top, bottom - STEP, -STEP)
    edges, across = edges_within(rest, inside), np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    sections = [crossings(rest.vertices, edges, rest.vertices[:, 2], level) for level in levels]
    return _assembled(levels, sections, across, lambda level: np.array([np.nan, np.nan, level]), middle)


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
    sections = [crossings(rest.vertices, edges, along, level) for level in levels]
    return _assembled(levels, sections, np.stack([first, second]), lambda level: joints[0] + level * axis, None)


def _assembled(levels, sections, across, centre_of, middle):
    """A Tube of point sections; a nan in centre_of(level) is filled by the section's own middle."""
    filled = [index for index, section in enumerate(sections) if len(section) >= 6]
    if not filled:
        raise ValueError("the body has no cross-section there")
    centres, radius, girth = [], [], []
    for index, level in enumerate(levels):
        section = sections[min(filled, key=lambda other: abs(other - index))]
        flat = section @ across.T
        plane = (flat.min(0) + flat.max(0)) / 2
        if middle is not None:
            plane[1] = middle
        own = centre_of(level)
        if not np.isnan(own).any():
            plane = across @ own
        corners, perimeter = _hull(flat)
        centres.append(plane @ across + (np.array([0, 0, level]) if np.isnan(own).any() else own - plane @ across))
        radius.append(_radius(corners - plane))
        girth.append(perimeter)
    return Tube(levels, np.array(centres), across, np.array(radius), np.array(girth))


def _hull(points):
    """Corners [N, 2] of the convex hull of points in the plane, counter-clockwise, and its perimeter."""
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError as error:
        raise ValueError("a cross-section of the body is flat") from error
    return corners, float(np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1).sum())


def _radius(corners):
    """Distance [ANGLES] from the origin to a convex polygon's rim; 5 mm where the origin lies outside of it."""
    following = np.roll(corners, -1, 0)
    side = following - corners
    normal = np.stack([side[:, 1], -side[:, 0]], -1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)  # 1 nm: a doubled corner
    distance = (normal * corners).sum(1)
    cosine = normal @ np.stack([np.cos(DIRECTIONS), np.sin(DIRECTIONS)])
    # 0.02: sides nearly parallel to a ray do not bound it.
    bound = np.where(cosine > 0.02, distance[:, None] / np.maximum(cosine, 0.02), np.inf).min(0)
    return np.maximum(bound, 0.005)
