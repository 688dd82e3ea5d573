"""How much light reaches each vertex of a mesh: the share of the sky that nothing of the mesh hides, and lamp shadow.

Seen along a few directions, the mesh is splatted into coarse height fields; a vertex that lies well below the highest
splat of its cell is hidden from there. Each height field serves both of its directions. Landis, "Production-Ready
Global Illumination", SIGGRAPH 2002 course 16, is the idea of an ambient occlusion stored with the mesh.
"""

import functools

import numpy as np

CELL = 0.022  # metres: finer cells would show holes between the vertices of coarse cloth
SOFT = 0.035  # metres of depth over which a surface passes from seen to hidden
AXES = 7  # height fields, for twice as many directions
STRENGTH = 0.75  # of the occlusion that is applied: hidden places still get light from their neighbours


def openness(mesh, light, strength=STRENGTH, lamp=0.25):
    """Share of the light that reaches each vertex of a drawing.Mesh: f32 [V] in [0, 1], 1 in the open.

    light [9, 3]: spherical harmonics as in render.shade; its brightest direction casts a soft shadow that takes away
    up to `lamp` of the light.
    """
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces[mesh.faces[:, 0] != mesh.faces[:, 1]]] = True
    points, normals = mesh.vertices[used], mesh.normals[used]
    splats = np.concatenate([points, _middles(mesh)])
    # The lowest three harmonics beside the constant are y, z, x: together the direction that light comes from.
    toward = np.asarray(light)[1:4].mean(1)[[2, 0, 1]]
    length = np.linalg.norm(toward)
    # 1e-6: far below the light of any lamp; even light has no direction and casts no shadow.
    toward = toward / length if length > 1e-6 else np.zeros(3)
    open_sky = np.zeros((2, len(points)), np.float32)
    for axis in _axes():
        for sign, seen in zip((1, -1), visible(points, normals, splats, axis), strict=True):
            weight = np.maximum(sign * (normals @ axis), 0)
            open_sky += weight * np.stack([seen, np.ones_like(seen)])
    # 1e-3: a normal of zero length, at vertices without faces, meets no direction at all.
    ambient = 1 - strength * (1 - open_sky[0] / np.maximum(open_sky[1], 1e-3))
    if length > 1e-6:
        facing = np.clip(2 * (normals @ toward.astype(np.float32)), 0, 1)
        seen, _ = visible(points, normals, splats, toward.astype(np.float32), smooth=True)
        ambient = ambient * (1 - lamp * facing * (1 - seen))
    result = np.ones(len(used), np.float32)
    result[used] = np.clip(ambient, 0, 1)
    return result


def visible(points, normals, splats, axis, smooth=False):
    """How far points [N, 3] with unit normals [N, 3] are seen from along +axis and -axis, [3]: two f32 [N] in [0, 1].

    splats [M, 3]: the points, then others, dense enough to stand for the surface that hides them.
    """
    across = np.eye(3, dtype=np.float32)[np.argmin(np.abs(axis))]
    first = np.cross(axis, across)
    first /= np.linalg.norm(first)
    frame = np.stack([first, np.cross(axis, first), axis], -1).astype(np.float32)
    placed = splats @ frame
    own = placed[: len(points)]
    # Two free cells on all sides, for the neighbours of the outermost points.
    place = (placed[:, :2] - placed[:, :2].min(0)) / CELL + 2
    cells = place.astype(np.int32)
    height, width = cells.max(0) + 3
    index = cells[:, 0] * width + cells[:, 1]
    # A slanted surface rises within its own cell and does not hide itself by that.
    slope = np.abs(normals @ frame[:, 2])
    # 0.15: surfaces more edge-on than this have next to no weight.
    bias = CELL * (0.5 + np.minimum(np.sqrt(np.maximum(1 - slope * slope, 0)) / np.maximum(slope, 0.15), 4.0))
    looked = _corners(place[: len(own)] - 0.5, width) if smooth else [(index[: len(own)], 1.0)]
    found = []
    for sign in (1, -1):
        field = np.full(height * width, -np.inf, np.float32)
        np.maximum.at(field, index, sign * placed[:, 2])
        base = sign * own[:, 2] + bias
        found.append(1 - sum(share * np.clip((field[mine] - base) / SOFT, 0, 1) for mine, share in looked))
    return found


def _corners(place, width):
    """The four cells around each place [N, 2], as flat indices [N] into rows of `width`, and their shares [N]."""
    first = np.floor(place).astype(np.int32)
    share = place - first
    found = []
    for row in (0, 1):
        for column in (0, 1):
            weight = (share[:, 0] if row else 1 - share[:, 0]) * (share[:, 1] if column else 1 - share[:, 1])
            found.append(((first[:, 0] + row) * width + first[:, 1] + column, weight))
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


def _middles(mesh):
    """Middles [M, 3] of the faces that are longer than a cell."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    long = np.maximum(((a - b) ** 2).sum(1), ((b - c) ** 2).sum(1)) > CELL**2
    return (a[long] + b[long] + c[long]) / 3
