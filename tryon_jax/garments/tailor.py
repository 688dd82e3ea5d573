"""From a field on the body to a finished garment: cut, drape in the tubes it consists of, lay out, attach to bones."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import Garment
from tryon_jax.garments import drape as cloth
from tryon_jax.garments.atlas import lay_out
from tryon_jax.garments.cut import boundary_of, clip, split
from tryon_jax.garments.fields import along, arm_joints, leg_joints

BONES_A_VERTEX = 8
# A body face is hidden only if it lies this far, in metres, inside the garment's edge: hems move in other poses.
COVER_MARGIN = 0.035


class Piece(NamedTuple):
    """A cut of the body's surface: vertices, normals [G, 3]; faces [H, 3]; front [H] bool; bones [G, J] skin weights;
    limbs {name: [G]} as in Rest."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    front: np.ndarray
    bones: np.ndarray
    limbs: dict


def ramp(values, low, high):
    """Smooth step from 0 at low to 1 at high (either order)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(low, high, share):
    """Linear interpolation."""
    return low + (high - low) * share


def dense_weights(rest, rows):
    """Skin weights [N, J] of some vertices [N] of a body."""
    dense = np.zeros((len(rows), len(rest.joints)))
    dense[np.arange(len(rows))[:, None], rest.skin_indices[rows]] = rest.skin_weights[rows]
    return dense


def side_seam(rest):
    """Field [V] in metres, negative in front of the side seams and positive behind: y from the middle of each limb."""
    y, z = rest.vertices[:, 1], rest.vertices[:, 2]
    trunk = rest.limbs["torso"] > 0.6
    levels = np.linspace(z[trunk].min(), z[trunk].max(), 24)
    slab = np.clip(np.digitize(z, levels) - 1, 0, 22)
    low, high = np.full(23, np.inf), np.full(23, -np.inf)
    np.minimum.at(low, slab[trunk], y[trunk])
    np.maximum.at(high, slab[trunk], y[trunk])
    middle = np.convolve(np.pad((low + high) / 2, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    centre = np.interp(z, (levels[1:] + levels[:-1]) / 2, middle)
    for side in ("left", "right"):
        for joints, share in (
            (arm_joints(rest, side), rest.limbs[f"{side}_arm"] + rest.limbs[f"{side}_hand"]),
            (leg_joints(rest, side), rest.limbs[f"{side}_leg"] + rest.limbs[f"{side}_foot"]),
        ):
            near = share > 0
            axis = along(rest.vertices[near], joints)[1][:, 1]
            centre[near] += share[near] * (axis - centre[near])
    return y - centre


def cut(rest, *fields):
    """The Piece of the body's surface where every field [V] >= 0, split along its side seams.

    Fields are cut by one after the other: the least of them, bent at corners, would be missed by coarse triangles.
    """
    fields = np.stack(fields, 1)
    near = (fields[rest.faces].max(1) > 0).all(1)
    used, inverse = np.unique(rest.faces[near], return_inverse=True)
    faces = inverse.reshape(-1, 3)
    normals = cloth.vertex_normals(rest.vertices[used], faces)
    normals = cloth.smooth(normals, cloth.averaging(faces, len(used)), 6)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    seam = side_seam(rest)[used, None]
    limbs = np.stack(list(rest.limbs.values()), 1)[used]
    attributes = np.concatenate([rest.vertices[used], normals, seam, fields[used], limbs, dense_weights(rest, used)], 1)
    last = 7 + fields.shape[1]
    for column in range(7, last):
        faces, attributes = clip(faces, attributes, attributes[:, column])
    faces, attributes, seam = split(faces, attributes, attributes[:, 6])
    front = seam[faces].sum(1) < 0
    limbs, bones = np.split(attributes[:, last:], [len(rest.limbs)], axis=1)
    shares = dict(zip(rest.limbs, limbs.T, strict=True))
    return Piece(attributes[:, :3], attributes[:, 3:6], faces, front, bones, shares)


class Tube(NamedTuple):
    """One limb's worth of a garment: rows of its vertices; centres [N, 3] on the axis; across [2, 3]; heights [N]
    metres down from its top; blend [N] and taper as in drape.hang."""

    rows: np.ndarray
    centres: np.ndarray
    across: np.ndarray
    heights: np.ndarray
    blend: np.ndarray
    taper: float


def trunk_tube(vertices, share, top, blend, taper):
    """The Tube of the trunk below height `top`; share [G] in [0, 1] says how much a vertex belongs to it."""
    weight = blend * share * ramp(vertices[:, 2], top, top - 0.08)
    rows = np.flatnonzero(weight > 0)
    chosen = vertices[rows]
    middle = (chosen[:, 1].min() + chosen[:, 1].max()) / 2
    centres = chosen * np.array([0, 0, 1]) + np.array([0, middle, 0])
    return Tube(rows, centres, np.eye(3)[:2], top - chosen[:, 2], weight[rows], taper)


def limb_tube(vertices, share, joints, blend, taper):
    """The Tube of an arm or a leg along joints [3, 3]; vertices with share [G] above 1/2 belong to it."""
    rows = np.flatnonzero(share > 0.5)
    way, centres = along(vertices[rows], joints)
    axis = joints[-1] - joints[0]
    axis = axis / np.linalg.norm(axis)
    first = np.cross(axis, [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    return Tube(rows, centres, np.stack([first, np.cross(axis, first)]), way, blend * ramp(share[rows], 0.5, 1), taper)


def edges_fixed(vertices, reference, faces, directions):
    """vertices with each boundary vertex's component along directions [G, 3] put back to that of reference."""
    border = np.unique(boundary_of(faces))
    axis = directions[border]
    drift = np.einsum("nk,nk->n", vertices[border] - reference[border], axis)
    moved = vertices.copy()
    moved[border] -= drift[:, None] * axis
    return moved


def drape(rest, piece, thickness, tubes, directions, gap, steps, final=None):
    """Vertices [G, 3] of a piece as cloth: pushed out by thickness [G], hung in its tubes, smoothed, outside the body.

    directions [G, 3] unit vectors along which hems keep their place; gap [G] metres to the body; steps of smoothing;
    final, if given, moves the vertices once more (folds, a limb kept on its side) before the last check of the gap.
    """
    body = cloth.Skin(rest.vertices, rest.faces, piece.vertices)
    average = cloth.averaging(piece.faces, len(piece.vertices))
    vertices = piece.vertices + thickness[:, None] * piece.normals
    for tube in tubes:
        vertices[tube.rows] = cloth.hang(
            vertices[tube.rows], tube.centres, tube.across, tube.heights, tube.blend, tube.taper
        )
    for share in (0.5, 0.3, 0.2):
        vertices = cloth.smooth(vertices, average, int(np.ceil(steps * share)))
        vertices = edges_fixed(vertices, piece.vertices, piece.faces, directions)
        vertices = body.outside(vertices, gap, rounds=1)
    if final is not None:
        vertices = final(vertices)
    return body.outside(cloth.smooth(vertices, average, 1, 0.3), gap, rounds=4)


def hidden(rest, field, margin=COVER_MARGIN):
    """Body faces [F] bool that lie more than margin metres inside the edge of a field [V]."""
    return (field > margin)[rest.faces].all(1)


def finish(piece, vertices, covers):
    """The Garment of a draped piece: the back gets its own seam vertices, texture coordinates and sparse weights."""
    average = cloth.averaging(piece.faces, len(vertices))
    bones = cloth.smooth(piece.bones, average, 4)
    back = np.unique(piece.faces[~piece.front])
    own = np.isin(back, piece.faces[piece.front])
    doubled = back[own]
    renamed = np.arange(len(vertices))
    renamed[doubled] = len(vertices) + np.arange(len(doubled))
    faces = np.where(piece.front[:, None], piece.faces, renamed[piece.faces]).astype(np.int32)
    source = np.concatenate([np.arange(len(vertices)), doubled])
    placed = vertices[source]
    uv, scale = lay_out(placed, faces, piece.front)
    indices = np.argpartition(-bones, BONES_A_VERTEX, axis=1)[:, :BONES_A_VERTEX].astype(np.int32)
    weights = np.take_along_axis(bones, indices, 1)
    weights /= weights.sum(1, keepdims=True)
    placed = placed.astype(np.float32)
    return Garment(
        placed,
        faces,
        uv,
        scale,
        placed[:, [0, 2]].copy(),
        indices[source],
        weights[source].astype(np.float32),
        source.astype(np.int32),
        covers,
    )
