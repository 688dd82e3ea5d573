"""Distances between the shapes that pairs of sheets stand for, in metres: as point clouds, and to a surface."""

import itertools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from tryon_jax.render.height_field import closed, unpinched
from tryon_jax.render.lift import JUMP, JUMP_PIXELS

# Points of a cloud whose distance to the other, or to a surface, is measured: the mean of more moves little.
CHAMFER_SAMPLES, SURFACE_SAMPLES = 4096, 512
LARGE = 2.0  # times the median radius: from here a triangle is searched for apart
ROUNDING = 1 + 1e-9  # of a radius, so that rounding loses no triangle


class Triangles(NamedTuple):
    """Triangles [F, 3, 3] in metres, a KD-tree of their centres, and radii [F] of the balls about these."""

    tree: object
    corners: np.ndarray
    radii: np.ndarray


class Surface(NamedTuple):
    """A triangle mesh to measure distances to: a KD-tree of its corners, and its Triangles in groups of like size."""

    corners: object
    groups: list


def cloud(mask, front, back, camera):
    """Camera-frame points float64 [2 N, 3], metres: both sheets' depths [H, W] at the N pixels of mask bool [H, W]."""
    rows, columns = np.nonzero(mask)
    depths = np.concatenate([front[mask], back[mask]])
    return _placed(np.tile(columns + 0.5, 2), np.tile(rows + 0.5, 2), depths, camera, mask.shape)


def surface(mask, front, back, camera):
    """(vertices float64 [V, 3], metres; faces int [F, 3]) of two sheets and the wall between their rims.

    Triangles over a step of depth (render/lift.py's JUMP, JUMP_PIXELS) are left out: there one thing stands before
    another, with air between. Sheets that cross are taken as touching.
    """
    mask = unpinched(mask)
    if not mask.any():
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    middle, half = (front + back) / 2.0, np.maximum(front - back, 0) / 2.0
    points, faces, _ = closed(mask, middle + half, middle - half)
    vertices = _placed(*points.T, camera, mask.shape)
    # The wall joins the sheets however thick the person is; only what runs within one sheet can be a step.
    sheet = (faces < 2 * int(mask.sum())).all(1)
    depths = [vertices[faces[:, corner], 2] for corner in range(3)]
    step = np.maximum.reduce(depths) - np.minimum.reduce(depths) > max(JUMP, JUMP_PIXELS * float(camera[0]))
    return vertices, faces[~(sheet & step)]


def chamfer(first, second):
    """Symmetric Chamfer distance in metres of clouds [N, 3], [M, 3]: the mean of both mean nearest distances.

    Distances, not their squares (as in arXiv:1905.05172, section 4). Of each cloud at most CHAMFER_SAMPLES points,
    spread evenly in their order, are measured against all of the other. NaN if either is empty.
    """
    if not len(first) or not len(second):
        return float("nan")
    to_second = cKDTree(second).query(_spread(first, CHAMFER_SAMPLES))[0].mean()
    return float((to_second + cKDTree(first).query(_spread(second, CHAMFER_SAMPLES))[0].mean()) / 2)


def prepare(vertices, faces):
    """The Surface that `point_to_surface` measures to, of vertices [V, 3] and faces [F, 3]."""
    triangles = vertices[faces]
    centres = triangles.mean(1)
    radii = np.sqrt(np.square(triangles - centres[:, None]).sum(-1).max(1, initial=0)) * ROUNDING
    # The few large ones apart: all that are searched together are searched as far as the largest among them reaches.
    large = radii > LARGE * np.median(radii) if len(radii) else np.zeros(0, bool)
    groups = [np.flatnonzero(chosen) for chosen in (large, ~large)]
    return Surface(
        cKDTree(vertices[np.unique(faces)]),
        [Triangles(cKDTree(centres[group]), triangles[group], radii[group]) for group in groups if len(group)],
    )


def point_to_surface(points, to):
    """Mean distance in metres from points [N, 3] to the nearest place of a Surface (P2S, arXiv:1905.05172, section 4).

    At most SURFACE_SAMPLES points, spread evenly in their order, are measured, each exactly. NaN without points or
    triangles.
    """
    if not len(points) or not to.groups:
        return float("nan")
    from trimesh.triangles import closest_point

    chosen = _spread(points, SURFACE_SAMPLES)
    bound = to.corners.query(chosen)[0]
    least = bound.copy()
    for tree, triangles, radii in to.groups:
        # Whatever triangle holds a nearer place has its centre within the nearest corner's distance plus its radius.
        near = tree.query_ball_point(chosen, bound + radii.max())
        owner = np.repeat(np.arange(len(chosen)), [len(found) for found in near])
        pairs = np.fromiter(itertools.chain.from_iterable(near), np.intp, len(owner))
        away = tree.data[pairs] - chosen[owner]
        able = np.square(away).sum(1) <= (bound[owner] + radii[pairs]) ** 2
        pairs, owner = pairs[able], owner[able]
        nearest = closest_point(triangles[pairs], chosen[owner])
        np.minimum.at(least, owner, np.linalg.norm(nearest - chosen[owner], axis=1))
    return float(least.mean())


def _spread(points, count):
    return points[np.linspace(0, len(points) - 1, min(len(points), count)).round().astype(int)]


def _placed(columns, rows, depths, camera, shape):
    """Camera-frame points [N, 3] of pixel places and depths: geometry.camera's `unproject`, in float64."""
    scale, x, y = (float(value) for value in camera)
    height, width = shape
    return np.stack([(columns - width / 2) * scale + x, (height / 2 - rows) * scale + y, depths], 1).astype(np.float64)
