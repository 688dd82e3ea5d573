"""How deep points lie inside a closed mesh, exactly: by the nearest point of all its triangles, and by winding.

Shares nothing with the collider of the cloth and with its gates, which measure to planes through nearby places.
"""

import numpy as np
from scipy.spatial import cKDTree

_CHUNK = 2**18  # pairs of a point and a triangle that are worked on at once


def distances(points, vertices, faces):
    """Metres [N] f64 from points [N, 3] to the nearest point of any triangle of a mesh, and whether any triangle that
    is as near has the point behind its plane, [N] bool: without one the point is outside."""
    corners = np.asarray(vertices, float)[faces]
    points = np.asarray(points, float)
    centres = corners.mean(1)
    reach = np.linalg.norm(corners - centres[:, None], axis=-1).max()
    # The nearest triangle's centre is no further than the nearest vertex and that triangle's own size.
    bound = cKDTree(np.asarray(vertices)[np.unique(faces)]).query(points)[0] + reach
    near = cKDTree(centres).query_ball_point(points, bound + 1e-9)  # metres: what rounding may take from the bound
    counts = np.array([len(one) for one in near])
    point, face = np.repeat(np.arange(len(points)), counts), np.concatenate(near).astype(int)
    apart, ahead = np.empty(len(face)), np.empty(len(face))
    for first in range(0, len(face), _CHUNK):
        rows = slice(first, first + _CHUNK)
        apart[rows], ahead[rows] = _to_triangles(points[point[rows]], corners[face[rows]])
    least = np.minimum.reduceat(apart, np.append(0, np.cumsum(counts)[:-1]))
    tied = apart <= least[point] + 1e-9  # metres: triangles that meet in the nearest point
    return least, np.bincount(point, tied & (ahead < 0), len(points)) > 0


def _to_triangles(points, corners):
    """Distance [N] of each point [N, 3] to its triangle [N, 3, 3], and its height [N] above that triangle's plane."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    across = np.cross(b - a, c - a)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-15)  # square metres: a needle has no plane
    height = _dot(points - a, across)
    foot = points - height[:, None] * across
    within = np.ones(len(points), bool)
    edges = np.full(len(points), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        way = end - start
        within &= _dot(np.cross(way, foot - start), across) >= 0
        share = np.clip(_dot(points - start, way) / np.maximum(_dot(way, way), 1e-15), 0, 1)
        edges = np.minimum(edges, np.linalg.norm(points - start - share[:, None] * way, axis=1))
    return np.where(within, np.abs(height), edges), height


def _dot(one, other):
    return np.einsum("nk,nk->n", one, other)


def winding(points, vertices, faces):
    """How often a closed mesh goes around each point, [N] f64: about 0 outside, 1 or more inside (the sum of all
    triangles' solid angles: van Oosterom and Strackee 1983)."""
    corners = np.asarray(vertices, float)[faces]
    found = np.zeros(len(points))
    for row, point in enumerate(np.asarray(points, float)):
        a, b, c = (corners[:, k] - point for k in range(3))
        long = [np.linalg.norm(side, axis=1) for side in (a, b, c)]
        over = _dot(a, np.cross(b, c))
        under = long[0] * long[1] * long[2] + _dot(a, b) * long[2] + _dot(b, c) * long[0] + _dot(c, a) * long[1]
        found[row] = np.arctan2(over, under).sum() / (2 * np.pi)
    return found


def depths(points, vertices, faces, least=0.0):
    """Metres [N] that points [N, 3] lie inside a closed mesh whose triangles turn counter-clockwise as seen from
    outside; 0 for points outside and for those less than `least` deep."""
    apart, behind = distances(points, vertices, faces)
    asked = np.flatnonzero(behind & (apart > least))
    found = np.zeros(len(points))
    found[asked] = np.where(winding(np.asarray(points)[asked], vertices, faces) > 0.5, apart[asked], 0.0)
    return found
