"""A draped garment ready to be drawn: carried into a pose, with what it hides."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import dijkstra

from tryon_jax import garments
from tryon_jax.garments import nearby, sewn, sheet
from tryon_jax.garments.edges import boundary_of
from tryon_jax.geometry.parts import GARMENT_PARTS, PART
from tryon_jax.simulation import body, drawing, gates

BONES_A_VERTEX = 8
# What cloth surely hides lies this near to it, and its cloth this far from any open edge, metres.
NEAR, INSIDE = 0.03, 0.045
HELD = 0.022
BENEATH = 0.025  # metres from cloth within which cloth beneath it is surely hidden


class Worn(NamedTuple):
    """A drape.Draped to draw. P paper corners, V sewn vertices.

    uv [P, 2] f32 in its texture sheet; layout: the sheet's; skin_indices, skin_weights [V, K]: bones that carry it;
    hides [F] bool: body faces that it surely hides;
    border [V] metres along the cloth to its nearest open edge, infinite beyond INSIDE; strain [V, 1] f32, mean of the
    edges at a vertex.
    """

    uv: np.ndarray
    layout: sheet.Layout
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    hides: np.ndarray
    border: np.ndarray
    strain: np.ndarray


def wear(draped, moving):
    """The Worn of a drape.Draped on a drape.Motion."""
    layout = sheet.lay_out(draped.pattern.panels)
    uv = np.zeros((len(draped.mesh.paper), 2))
    for index, panel in enumerate(draped.pattern.panels):
        rows = draped.mesh.panel == index
        uv[rows] = sheet.uv(layout, panel.name, draped.mesh.paper[rows])
    average = _averaging(draped)
    indices, weights = _bones(draped, moving, average)
    border = _border(draped)
    covers = _covers(draped, border, moving)
    return Worn(uv.astype(np.float32), layout, indices, weights, covers, border, _strain(draped))


def _covers(draped, border, moving):
    """Body faces [F] bool surely hidden by a Draped before its motion and after it: a sleeve slides off a wrist. Neck,
    head and hands are seen into through collars and cuffs, however near the cloth is."""
    bare = sum(moving.rest.limbs[name] for name in ("neck", "head", "left_hand", "right_hand"))
    found = bare < 0.1
    for cloth, points in ((draped.in_a_pose, moving.rest.vertices), (draped.vertices, moving.vertices[-1])):
        found[found] = hidden(cloth, border, points[found])
    return found[moving.rest.faces].all(1)


def hidden(cloth, border, points, near=NEAR):
    """Whether points [N, 3] are surely hidden by a garment with vertices cloth [V, 3] that are border [V] from its open
    edges."""
    found = ((points > cloth.min(0) - near) & (points < cloth.max(0) + near)).all(1)
    distance, nearest = nearby.tree(cloth).query(points[found], distance_upper_bound=near)
    # Where nothing is near the number is that of no vertex.
    found[found] = np.isfinite(distance) & (np.append(border, 0)[nearest] > INSIDE)
    return found


def _strain(draped):
    """Mean stretch [V, 1] f32 of the edges at every vertex."""
    ends, stretched = draped.edges.ravel(), np.repeat(gates.strain(draped), 2)
    uses = np.bincount(ends, minlength=draped.mesh.count)
    return (np.bincount(ends, stretched, draped.mesh.count) / uses).astype(np.float32)[:, None]


def _averaging(draped):
    """Sparse [V, V] that gives every vertex its neighbours' mean."""
    count = draped.mesh.count
    both = np.concatenate([draped.edges, draped.edges[:, ::-1]])
    matrix = coo_matrix((np.ones(len(both)), both.T), shape=(count, count)).tocsr()
    return diags(1 / np.asarray(matrix.sum(1)).ravel()) @ matrix


def _bones(draped, moving, average):
    """Bones and weights [V, K] of the skin beneath in the A-pose, smoothed over the cloth."""
    rest, near = moving.rest, moving.tree.query(draped.in_a_pose)[1]
    indices, weights = rest.skin_indices[near], rest.skin_weights[near]
    used = np.unique(indices[weights > 0])
    starts = np.arange(0, indices.size + 1, indices.shape[1])
    shape = (draped.mesh.count, len(rest.joint_names))
    shares = csr_matrix((weights.ravel(), indices.ravel(), starts), shape=shape).toarray()[:, used]
    for _ in range(6):
        shares = 0.5 * (shares + average @ shares)
    kept = np.argsort(-shares, axis=1)[:, :BONES_A_VERTEX]
    weights = np.take_along_axis(shares, kept, 1)
    return used[kept].astype(np.int32), (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _border(draped):
    """Metres along the cloth [V] from its nearest open edge, infinite beyond INSIDE; a waistband, which lies close,
    counts HELD more."""
    rim = np.unique(boundary_of(draped.mesh.weld[draped.mesh.faces]))
    graph = coo_matrix((draped.lengths, draped.edges.T), shape=(draped.mesh.count,) * 2).tocsr()
    bands = [sewn.edge_vertices(draped.mesh, draped.pattern, *edge) for edge in draped.pattern.held if edge[1]]
    band = np.unique(np.concatenate(bands)) if bands else np.zeros(0, int)
    loose = np.setdiff1d(rim, band)
    way, held = (
        dijkstra(graph, directed=False, indices=rows, min_only=True, limit=INSIDE) if len(rows) else np.inf
        for rows in (loose, band)
    )
    return np.minimum(way, held + HELD)


def carried(draped, worn, moved):
    """Vertices [V, 3] f32 of a garment when its body's bones are moved by transforms [J, 4, 4]."""
    return body.skin(draped.vertices, worn.skin_indices, worn.skin_weights, moved)


def uncovered(outfit, ready, layer):
    """Whether each vertex [V] of piece `layer` of an outfit (Hungs, with their Worns `ready`) may be seen: what is worn
    over it surely hides the rest."""
    inner = outfit[layer].draped
    seen = np.ones(inner.mesh.count, bool)
    for outer, over in zip(outfit[layer + 1 :], ready[layer + 1 :], strict=True):
        before = hidden(outer.draped.in_a_pose, over.border, inner.in_a_pose, BENEATH)
        seen &= ~(before & hidden(outer.draped.vertices, over.border, inner.vertices, BENEATH))
    return seen


def mesh(hung, worn, vertices, sheet_place, seen, garment_xy=None):
    """A drawing.Mesh, camera frame, of a wardrobe.Hung in world positions `vertices` [V, 3].

    sheet_place (n, count): its texture is number n of `count` stacked ones; seen [V] bool: vertices that may be seen;
    garment_xy [P, 2]: coordinate of every paper corner in the shop picture, if it is in one.
    """
    sewn_mesh = hung.draped.mesh
    layer, count = sheet_place
    placed, corners = drawing.camera_frame(vertices), sewn_mesh.weld[sewn_mesh.faces]
    uv = np.stack([worn.uv[:, 0], (worn.uv[:, 1] + layer) / count], axis=-1).astype(np.float32)
    xy = np.zeros_like(uv) if garment_xy is None else garment_xy
    faces = sewn_mesh.faces[seen[corners].any(1)]
    labels = np.full(len(faces), PART[GARMENT_PARTS[garments.load(hung.kind).CLASS]], np.int32)
    # Corners on a seam share a normal.
    normals = drawing.vertex_normals(placed, corners)[sewn_mesh.weld]
    vertices, strain = placed[sewn_mesh.weld], worn.strain[sewn_mesh.weld]
    return drawing.Mesh(vertices, faces, normals, np.zeros_like(vertices), uv, xy, labels, strain)


def lining(draped):
    """Factor [P] f32 on the light of every paper corner: more than 1 on a collar, whose inner side is as light as its
    outer one, since it is of double cloth and folds outward."""
    folded = np.zeros(len(draped.mesh.paper), bool)
    for index, panel in enumerate(draped.pattern.panels):
        if panel.place[:1] == ("collar",):
            folded |= (draped.mesh.panel == index) & (draped.mesh.paper[:, 1] > panel.place[1] - 0.008)
    return np.where(folded, 1 / drawing.INSIDE, 1.0).astype(np.float32)
