"""What cloth must stay outside of: points with normals on the body, and on clothes beneath, along a motion."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from tryon_jax.garments import nearby

SPACING = 0.018  # metres of the grid that thins the points; leaves them about 16 mm apart
FAR = 1e3  # metres: where points that only fill their room lie
RING = 8  # neighbours of each point
# A difference of 1 in a limb's coordinate counts as this many metres of distance, so that a sleeve never finds the
# trunk nearest, nor one trouser leg the other.
LIMB_METRES = 0.12


class Sites(NamedTuple):
    """Places on the body's faces: face [P] i32, barycentrics [P, 3]; limbs [P, 2]: share of the left arm less the
    right's, and the same of legs; ring [P, RING + 1] i32: each site, then its nearest neighbours."""

    face: np.ndarray
    barycentrics: np.ndarray
    limbs: np.ndarray
    ring: np.ndarray


class Collider(NamedTuple):
    """Points of a motion's K key frames: points, normals [K, 3, P] f32; ring [RING + 1, P] i32; limbs [2, P] f32;
    arms [K, 6, 2, 3]: ends of upper arms, forearms and hands, and their radii arms_radius [6]."""

    points: np.ndarray
    normals: np.ndarray
    ring: np.ndarray
    limbs: np.ndarray
    arms: np.ndarray
    arms_radius: np.ndarray


def sites(rest):
    """The Sites of a garments.Rest: all of its skin but head, hands and feet."""
    bare = sum(rest.limbs[name] for name in ("head", "left_hand", "right_hand"))
    faces = np.flatnonzero((bare[rest.faces] < 0.5).all(1))
    corners = np.eye(3)
    barycentrics = np.concatenate([np.full((len(faces), 3), 1 / 3), np.repeat(corners, len(faces), 0)])
    face = np.tile(faces, 4)
    points = np.einsum("nk,nkd->nd", barycentrics, rest.vertices[rest.faces[face]])
    cell = np.floor(points / SPACING)
    off = np.abs(points / SPACING - cell - 0.5).max(1)
    order = np.lexsort((off, *cell.T))
    new = np.concatenate([[True], (np.diff(cell[order], axis=0) != 0).any(1)])
    kept = np.sort(order[new])
    limbs = np.stack(
        [
            rest.limbs["left_arm"] + rest.limbs["left_hand"] - rest.limbs["right_arm"] - rest.limbs["right_hand"],
            rest.limbs["left_leg"] + rest.limbs["left_foot"] - rest.limbs["right_leg"] - rest.limbs["right_foot"],
        ],
        -1,
    )
    own = np.einsum("nk,nkd->nd", barycentrics[kept], limbs[rest.faces[face[kept]]])
    return Sites(face[kept], barycentrics[kept], own, rings(points[kept], own, "scipy"))


def thinned(points):
    """Rows of points [N, 3]: the first of each cell of the grid."""
    cell = np.floor(points / SPACING).astype(np.int64)
    cell -= cell.min(0)
    shape = cell.max(0) + 1
    _, first = np.unique((cell[:, 0] * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2], return_index=True)
    return np.sort(first)


def rings(points, limbs, path="auto"):
    """Each point and its RING nearest neighbours, [P, RING + 1] i32, limbs [P, 2] taken into account; path: as
    nearby.tree has it."""
    extended = np.concatenate([points, LIMB_METRES * limbs], 1)
    return nearby.tree(extended, path).query(extended, RING + 1)[1].astype(np.int32)


def _tree(points):
    """A tree for vertices midway between the two sides of a body: which of two points as near they take decides how
    the cloth falls, and is the same with a compiler and without."""
    return nearby.tree(points, "scipy")


def on_body(found, vertices, faces, vertex_normals):
    """Points and unit normals [P, 3] of Sites on a posed body: vertices and vertex_normals [V, 3], faces [F, 3].

    Normals are looked up at the corners of the sites' faces alone.
    """
    corners = faces[found.face]
    starts = np.arange(0, corners.size + 1, 3)
    mean = csr_matrix((found.barycentrics.ravel(), corners.ravel(), starts), shape=(len(corners), len(vertices)))
    points, normals = mean @ vertices, mean @ vertex_normals
    # 1e-9: normals are of unit length, and their mean vanishes only where the skin is folded flat.
    return points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def coordinates(points, limbs, rest_points, site_limbs, trees=None):
    """Limb coordinates [V, 2] of cloth at points [V, 3] on a body at rest, and whether each matters, [V, 2].

    limbs {name: [V]} says which panels a vertex is part of. A vertex has the coordinates of the nearest site among
    those that its panels may touch: a sleeve its own arm and shoulder, a trouser leg its own half of the hips; skirts
    and the trunk of tops touch both legs. In the A-pose the arms are far from all of the trunk but the armpits.
    trees: a dict that keeps the trees of these sites from one call to the next.
    """
    found, counts = np.zeros((len(points), 2)), np.ones((len(points), 2))
    trees = {} if trees is None else trees
    for axis, name in enumerate(("arm", "leg")):
        own = limbs[f"left_{name}"] - limbs[f"right_{name}"]
        worn = limbs[f"left_{name}"] + limbs[f"right_{name}"]
        if name == "leg" and not worn.any():
            counts[:, axis] = 0.0
            continue
        # Fully on a panel of the left, or of the right; on a seam with the trunk or between both, or on the trunk.
        near_side = 0.1 if name == "arm" else 0.0
        left, right = own > 0.75, own < -0.75
        for rows, least, most in ((left, near_side, 1.0), (right, -1.0, -near_side), (~(left | right), -1.0, 1.0)):
            if rows.any():
                allowed = np.flatnonzero((site_limbs[:, axis] >= least) & (site_limbs[:, axis] <= most))
                if (axis, least, most) not in trees:
                    trees[axis, least, most] = _tree(rest_points[allowed])
                near = trees[axis, least, most].query(points[rows])[1]
                found[rows, axis] = site_limbs[allowed[near], axis]
    return found, counts


def nearest(points, limbs, counts, collider_points, collider_limbs, trees=None):
    """Nearest collider point [V] i32 of points [V, 3]; counts [V, 2]: whether each limb coordinate matters; trees: as
    in coordinates."""
    found = np.zeros(len(points), np.int32)
    trees = {} if trees is None else trees
    # Where a coordinate does not matter, it is left out of the search: at most four kinds of vertices.
    kinds = (counts > 0) @ [1, 2]
    for kind, used in enumerate(([], [0], [1], [0, 1])):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            if (kind,) not in trees:  # tuples as in coordinates: JAX sorts the keys of what it is handed
                trees[(kind,)] = _tree(np.concatenate([collider_points, LIMB_METRES * collider_limbs[:, used]], 1))
            asked = np.concatenate([points[rows], LIMB_METRES * limbs[rows][:, used]], 1)
            found[rows] = trees[(kind,)].query(asked)[1]
    return found
