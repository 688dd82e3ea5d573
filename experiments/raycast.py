"""A renderer that shares nothing with ours: rays through pixel centres against a mesh, by Embree."""

from typing import NamedTuple

import numpy as np
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

AWAY = 10.0  # metres from the person at which rays start


class Hits(NamedTuple):
    """What rays [N] meet first: face [N], -1 for nothing; shares [N, 3] of its corners; depth [N] metres toward the
    front camera, 0 for nothing."""

    face: np.ndarray
    shares: np.ndarray
    depth: np.ndarray


class Caster:
    """Rays along the depth axis of the camera frame against vertices [V, 3] and faces [F, 3]."""

    def __init__(self, vertices, faces):
        self.corners = np.asarray(vertices, float)[faces]
        drawn = np.flatnonzero(np.any(np.ptp(self.corners, axis=1) > 0, axis=-1))
        self.numbers = drawn
        self.rays = RayMeshIntersector(trimesh.Trimesh(vertices, faces[drawn], process=False))

    def hits(self, places, behind=False):
        """Hits of rays through places [N, 2], metres right and up, from the front, or from behind."""
        sign = -1.0 if behind else 1.0
        origins = np.concatenate([places, np.full((len(places), 1), sign * AWAY)], 1)
        directions = np.tile([0.0, 0.0, -sign], (len(places), 1))
        found = self.rays.intersects_first(origins, directions)
        met = found >= 0
        face = np.where(met, self.numbers[found], -1)
        shares = np.where((face >= 0)[:, None], barycentric(places, self.corners[face][..., :2]), 0.0)
        return Hits(face, shares, np.einsum("nk,nk->n", shares, self.corners[face][..., 2]))

    def inset(self, place):
        """How far in metres [F] a place [2] lies within each face's outline, negative beside it, and the depth [F] of
        the faces' planes there."""
        corners, heights = self.corners[..., :2], []
        area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        for start in range(3):
            way = corners[:, (start + 1) % 3] - corners[:, start]
            length = np.maximum(np.linalg.norm(way, axis=1), 1e-12)  # metres: two corners in one place
            heights.append(np.sign(area) * _cross(way, place - corners[:, start]) / length)
        shares = barycentric(np.broadcast_to(place, (len(corners), 2)), corners)
        depth = np.einsum("nk,nk->n", shares, self.corners[..., 2])
        return np.where(area == 0, -np.inf, np.min(heights, axis=0)), depth


def barycentric(places, corners):
    """Shares [N, 3] of triangles' corners [N, 3, 2] in places [N, 2]."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = _cross(b - a, c - a)
    area = np.where(np.abs(area) > 1e-18, area, 1.0)  # square metres: seen edge-on, no ray meets it
    second, third = _cross(places - a, c - a) / area, _cross(b - a, places - a) / area
    return np.stack([1 - second - third, second, third], -1)


def _cross(one, other):
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def pixel_places(camera, size):
    """Metres right and up [S * S, 2] of the pixel centres of a camera [3], row by row."""
    scale, x, y = np.asarray(camera, float)
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    return np.stack([(columns - size / 2) * scale + x, (size / 2 - rows) * scale + y], -1).reshape(-1, 2)


def bilinear(picture, places):
    """Values [N, C] of a picture [H, W, C] in places [N, 2] in [0, 1], x right and y down, as between pixel centres."""
    height, width = picture.shape[:2]
    x = np.clip(places[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip(places[:, 1] * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    x, y = (x - left)[:, None], (y - top)[:, None]
    upper = picture[top, left] * (1 - x) + picture[top, right] * x
    return upper * (1 - y) + (picture[bottom, left] * (1 - x) + picture[bottom, right] * x) * y
