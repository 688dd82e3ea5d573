"""How much light reaches each vertex of a mesh: the share of the sky that nothing of the mesh hides, and lamp shadow.

Seen along a few directions, the mesh is splatted into coarse height fields; a vertex that lies well below the highest
splat of its cell is hidden from there. Each height field serves both of its directions. Landis, "Production-Ready
Global Illumination", SIGGRAPH 2002 course 16, is the idea of an ambient occlusion stored with the mesh.
"""

import functools

import numpy as np
from scipy.sparse import csr_matrix

CELL = 0.022  # metres: finer cells would show holes between the vertices of coarse cloth
SOFT = 0.035  # metres of depth over which a surface passes from seen to hidden
AXES = 7  # height fields, for twice as many directions
ROUNDS = 3  # of smoothing over the mesh: a shadow's edge is about as wide as a cell
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
    # Coordinates in rows: sums and extremes over contiguous numbers take a third of the time.
    points, normals = (np.ascontiguousarray(values[used].T, np.float32) for values in (mesh.vertices, mesh.normals))
    splats = np.concatenate([points, _middles(mesh.vertices, faces)], 1)
    seen, weights = np.zeros((2, points.shape[1]), np.float32)
    for axis in _axes():
        facing = axis @ normals
        for sign, shown in zip((1, -1), visible(points, normals, splats, axis), strict=True):
            weight = np.maximum(sign * facing, 0)
            seen += weight * shown
            weights += weight
    # 1e-3: a normal of zero length, at vertices without faces, meets no direction at all.
    open_share = 1 - strength * (1 - seen / np.maximum(weights, 1e-3))
    # Harmonics 1 to 3 are y, z, x: together the direction that light comes from.
    toward = np.asarray(light)[1:4].mean(1)[[2, 0, 1]]
    length = np.linalg.norm(toward)
    # 1e-6: far below the light of any lamp; even light has no direction and casts no shadow.
    if length > 1e-6:
        toward = (toward / length).astype(np.float32)
        facing = np.clip(2 * (toward @ normals), 0, 1)
        shown, _ = visible(points, normals, splats, toward)
        open_share = open_share * (1 - lamp * facing * (1 - shown))
    result = np.ones(len(used), np.float32)
    result[used] = np.clip(open_share, 0, 1)
    return _spread(faces, result)


def _spread(faces, values):
    """Values [V] f32 after ROUNDS means over the neighbours along faces [F, 3]: the cells' steps are smoothed away."""
    count = len(faces)
    ones, starts = np.ones(3 * count, np.float32), np.arange(0, 3 * count + 1, 3)
    gather = csr_matrix((ones, faces.ravel(), starts), shape=(count, len(values)))
    scatter = gather.T
    uses = 3 * (scatter @ np.ones(count, np.float32))
    for _ in range(ROUNDS):
        values = np.where(uses > 0, (scatter @ (gather @ values)) / np.maximum(uses, 1), values)
    return values


def visible(points, normals, splats, axis):
    """How far points [3, N] with unit normals [3, N] are seen from along +axis and -axis, [3]: two f32 [N] in [0, 1].

    splats [3, M]: the points, then others, dense enough to stand for the surface that hides them.
    """
    count = points.shape[1]
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    frame = np.stack([first, np.cross(axis, first), axis]).astype(np.float32)
    across, along, depth = frame @ splats
    rows, columns = (((values - values.min()) / np.float32(CELL)).astype(np.int32) for values in (across, along))
    width = columns.max() + 1
    index = rows * width + columns
    # A slanted surface rises within its own cell and does not hide itself by that.
    slope = np.abs(axis @ normals)
    # 0.15: surfaces more edge-on than this have next to no weight.
    rise = np.sqrt(np.maximum(1 - slope * slope, 0)) / np.maximum(slope, 0.15)
    bias = np.float32(CELL) * (np.float32(0.5) + np.minimum(rise, 4))
    found = []
    for sign in (1, -1):
        signed = depth if sign > 0 else -depth
        field = np.full((rows.max() + 1) * width, -np.inf, np.float32)
        np.maximum.at(field, index, signed)
        above = field[index[:count]] - signed[:count] - bias
        found.append(1 - np.clip(above * (1 / SOFT), 0, 1))
    return found


@functools.cache
def _axes():
    """Evenly spread directions f32 [AXES, 3] of one half of the sphere (Fibonacci lattice)."""
    index = np.arange(AXES) + 0.5
    height, turn = 1 - index / AXES, index * np.pi * (1 + 5**0.5)
    radius = np.sqrt(1 - height**2)
    # Upright axes first would meet rows of vertices edge-on: the lattice's pole is turned off the person's axes.
    tilt = np.array([[0.8, 0.36, 0.48], [0.0, 0.8, -0.6], [-0.6, 0.48, 0.64]])
    return (np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], -1) @ tilt).astype(np.float32)


def _middles(vertices, faces):
    """Middles [3, M] of the faces that are longer than a cell."""
    a, b, c = faces.T
    vertices = np.ascontiguousarray(vertices.T, np.float32)
    # The height alone tells nearly all long faces, and is quick.
    up = vertices[1]
    long = np.abs(up[a] - up[b]) + np.abs(up[b] - up[c]) > CELL
    return (vertices[:, a[long]] + vertices[:, b[long]] + vertices[:, c[long]]) / 3
