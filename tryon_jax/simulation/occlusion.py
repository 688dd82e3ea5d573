"""How much light reaches each vertex of a mesh: the share of the sky that nothing of the mesh hides, and lamp shadow.

Seen along a few directions, the mesh is splatted into coarse height fields; a vertex that lies well below the highest
splat of its cell is hidden from there. Each height field serves both of its directions. Landis, "Production-Ready
Global Illumination", SIGGRAPH 2002 course 16, is the idea of an ambient occlusion stored with the mesh.
"""

import functools

import numpy as np
from scipy.sparse import csr_matrix

from tryon_jax import native
from tryon_jax.native import host

CELL = 0.022  # metres: finer cells would show holes between the vertices of coarse cloth
SOFT = 0.035  # metres of depth over which a surface passes from seen to hidden
AXES = 7  # height fields, for twice as many directions
ROUNDS = 3  # of smoothing over the mesh: a shadow's edge is about as wide as a cell
STEEPEST = 0.15  # facing of surfaces, times the axis: more edge-on than this they have next to no weight
HIGHEST = 4.0  # cells by which a surface may rise within its own
STRENGTH = 0.75  # of the occlusion that is applied: hidden places still get light from their neighbours


def openness(mesh, light, strength=STRENGTH, lamp=0.2):
    """Share of the light that reaches each vertex of a drawing.Mesh: f32 [V] in [0, 1], 1 in the open.

    light [9, 3]: spherical harmonics as in render.shade; its brightest direction casts a soft shadow that takes away
    up to `lamp` of the light.
    """
    # Padding comes last and has no area.
    faces = mesh.faces[: np.flatnonzero(mesh.faces[:, 0] != mesh.faces[:, 1])[-1] + 1]
    used = np.zeros(len(mesh.vertices), bool)
    used[faces] = True
    used = np.flatnonzero(used)
    # Coordinates in rows: sums and extremes over contiguous numbers take a third of the time.
    vertices, normals = (np.ascontiguousarray(values.T, np.float32) for values in (mesh.vertices, mesh.normals))
    points, normals = vertices.take(used, 1), normals.take(used, 1)
    splats = np.concatenate([points, _middles(vertices, faces)], 1)
    seen, weights = np.zeros((2, len(used)), np.float32)
    for frame in _frames():
        facing = frame[2] @ normals
        weight = np.abs(facing)
        seen += weight * visible(facing, splats, frame)
        weights += weight
    # 1e-3: a normal of zero length, at vertices without faces, meets no direction at all.
    open_share = 1 - strength * (1 - seen / np.maximum(weights, 1e-3))
    # Harmonics 1 to 3 are y, z, x: together the direction that light comes from.
    toward = np.asarray(light)[1:4].mean(1)[[2, 0, 1]]
    length = np.linalg.norm(toward)
    # 1e-6: far below the light of any lamp; even light has no direction and casts no shadow.
    if length > 1e-6:
        toward = (toward / length).astype(np.float32)
        facing = toward @ normals
        shown = visible(facing, splats, _frame(toward))
        open_share = open_share * (1 - lamp * np.clip(2 * facing, 0, 1) * (1 - shown))
    result = np.ones(len(mesh.vertices), np.float32)
    result[used] = np.clip(open_share, 0, 1)
    return _spread(faces, result)


def _spread(faces, values, path="auto"):
    """Values [V] f32 after ROUNDS means over the neighbours along faces [F, 3]: the cells' steps are smoothed away.

    path as of visible.
    """
    if native.takes(path):
        return host.spread(faces, values, ROUNDS)
    count = len(faces)
    ones, starts = np.ones(3 * count, np.float32), np.arange(0, 3 * count + 1, 3)
    gather = csr_matrix((ones, faces.ravel(), starts), shape=(count, len(values)))
    scatter = gather.T
    uses = 3 * (scatter @ np.ones(count, np.float32))
    used, uses = uses > 0, np.maximum(uses, 1)
    for _ in range(ROUNDS):
        values = np.where(used, (scatter @ (gather @ values)) / uses, values)
    return values


def visible(facing, splats, frame, path="auto"):
    """How far points are seen from along an axis, the last of a frame's [3, 3] rows, from its end that they face: f32
    [N] in [0, 1].

    facing [N]: the points' unit normals times the axis; splats [3, M]: the points, then others, dense enough to stand
    for the surface that hides them. path: "native", the compiled kernel, which gives the same bits as "numpy"; "auto"
    takes it where it can be had.
    """
    placed = frame @ splats
    if native.takes(path):
        return host.visible(placed, facing, CELL, STEEPEST, HIGHEST, 1 / SOFT)
    *across, depth = placed
    rows, columns = (((values - values.min()) / np.float32(CELL)).astype(np.intp) for values in across)
    width, count = columns.max() + 1, len(facing)
    index = rows * width + columns
    top = np.full((rows.max() + 1) * width, -np.inf, np.float32)
    bottom = -top
    np.maximum.at(top, index, depth)
    np.minimum.at(bottom, index, depth)
    index, depth = index[:count], depth[:count]
    # A slanted surface rises within its own cell and does not hide itself by that.
    slope = np.abs(facing)
    rise = np.sqrt(np.maximum(1 - slope * slope, 0)) / np.maximum(slope, np.float32(STEEPEST))
    bias = np.float32(CELL) * (np.float32(0.5) + np.minimum(rise, np.float32(HIGHEST)))
    above = np.where(facing > 0, top.take(index) - depth, depth - bottom.take(index))
    return 1 - np.clip((above - bias) * np.float32(1 / SOFT), 0, 1)


def _frame(axis):
    """Rows f32 [3, 3]: two directions at right angles to a unit axis [3], and the axis."""
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(axis, first), axis]).astype(np.float32)


@functools.cache
def _frames():
    """Frames f32 [AXES, 3, 3] of evenly spread directions of one half of the sphere (Fibonacci lattice)."""
    index = np.arange(AXES) + 0.5
    height, turn = 1 - index / AXES, index * np.pi * (1 + 5**0.5)
    radius = np.sqrt(1 - height**2)
    # Upright axes first would meet rows of vertices edge-on: the lattice's pole is turned off the person's axes.
    tilt = np.array([[0.8, 0.36, 0.48], [0.0, 0.8, -0.6], [-0.6, 0.48, 0.64]])
    axes = (np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], -1) @ tilt).astype(np.float32)
    return np.stack([_frame(axis) for axis in axes])


def _middles(vertices, faces):
    """Middles [3, M] of the faces [F, 3] between vertices [3, V] that are longer than a cell."""
    # The height alone tells nearly all long faces, and is quick.
    a, b, c = (vertices[1].take(corner) for corner in faces.T)
    long = np.flatnonzero(np.abs(a - b) + np.abs(b - c) > CELL)
    a, b, c = (vertices.take(corner, 1) for corner in faces.take(long, 0).T)
    return (a + b + c) / 3
