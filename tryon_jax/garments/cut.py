"""Cutting a triangle mesh along iso-lines of fields on its vertices, so that hems and seams are clean curves."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

# An iso-line nearer to a vertex than this share of an edge moves the vertex instead of making a sliver.
SNAP = 0.25


def edges_of(faces):
    """Undirected edges [E, 2], sorted, of triangles [F, 3], and the index [F, 3] of the edge opposite to no corner:
    column k is the edge from corner k to corner k + 1."""
    directed = np.stack([faces, np.roll(faces, -1, axis=1)], -1).reshape(-1, 2)
    ordered = np.stack([directed.min(1), directed.max(1)], -1)
    key = ordered[:, 0].astype(np.int64) * (ordered.max(initial=0) + 1) + ordered[:, 1]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return ordered[first], inverse.reshape(faces.shape)


def boundary_of(faces):
    """Directed boundary edges [B, 2]: those of one face only."""
    directed = np.stack([faces, np.roll(faces, -1, axis=1)], -1).reshape(-1, 2)
    low, high = directed.min(1).astype(np.int64), directed.max(1)
    key = low * (directed.max(initial=0) + 1) + high
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    new = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    once = np.diff(np.append(new, len(ordered))) == 1
    return directed[order[new[once]]]


def loops_of(faces):
    """Boundary loops: a list of vertex index arrays, each in the direction of its faces."""
    edges = boundary_of(faces)
    following = dict(edges.tolist())
    loops = []
    while following:
        start = here = next(iter(following))
        loop = []
        while here in following:
            loop.append(here)
            here = following.pop(here)
        if here != start:
            raise ValueError("a boundary of the mesh touches itself")
        loops.append(np.array(loop))
    return loops


def split(faces, attributes, field):
    """Refines a mesh so that no triangle has both signs of field.

    faces [F, 3], attributes [V, C] interpolated linearly, field [V]. Returns the same three, refined: crossed edges
    get a vertex where the field is 0, or move their nearer end there.
    """
    attributes, field = _snap(faces, attributes, np.array(field, np.float64))
    edges, of_face = edges_of(faces)
    a, b = field[edges[:, 0]], field[edges[:, 1]]
    crossed = a * b < 0
    share = (a[crossed] / (a[crossed] - b[crossed]))[:, None]
    made = attributes[edges[crossed, 0]] * (1 - share) + attributes[edges[crossed, 1]] * share
    middle = np.full(len(edges), -1)
    middle[crossed] = len(attributes) + np.arange(crossed.sum())
    cuts = middle[of_face]
    pieces = [faces[(cuts < 0).all(1)]]
    for corner in range(3):
        # One crossed edge, from `corner` to the next; the third corner lies on the line.
        order = [corner, (corner + 1) % 3, (corner + 2) % 3]
        one = (cuts[:, order[0]] >= 0) & (cuts[:, order[1]] < 0) & (cuts[:, order[2]] < 0)
        p, q, r = faces[one][:, order].T
        m = cuts[one, order[0]]
        pieces += [np.stack([p, m, r], 1), np.stack([m, q, r], 1)]
        # Two crossed edges, both at `corner`.
        two = (cuts[:, order[0]] >= 0) & (cuts[:, order[1]] < 0) & (cuts[:, order[2]] >= 0)
        p, q, r = faces[two][:, order].T
        m, n = cuts[two, order[0]], cuts[two, order[2]]
        pieces += [np.stack([p, m, n], 1), np.stack([m, q, r], 1), np.stack([m, r, n], 1)]
    refined = np.concatenate(pieces).astype(np.int32)
    return refined, np.concatenate([attributes, made]), np.concatenate([field, np.zeros(len(made))])


def _snap(faces, attributes, field):
    """Moves each vertex that lies near the zero line onto it, along the edge on which it lies nearest."""
    edges, _ = edges_of(faces)
    ends = np.concatenate([edges, edges[:, ::-1]])
    a, b = field[ends[:, 0]], field[ends[:, 1]]
    crossed = a * b < 0
    ends, share = ends[crossed], a[crossed] / (a[crossed] - b[crossed])
    near = share < SNAP
    ends, share = ends[near], share[near]
    order = np.argsort(-share, kind="stable")  # the nearest is written last and stays
    ends, share = ends[order], share[order, None]
    moved = attributes.copy()
    moved[ends[:, 0]] = attributes[ends[:, 0]] * (1 - share) + attributes[ends[:, 1]] * share
    field = field.copy()
    field[ends[:, 0]] = 0.0
    return moved, field


def clip(faces, attributes, field):
    """The largest connected piece of a mesh where field >= 0: faces and attributes, unused vertices dropped.

    Raises ValueError if nothing is left.
    """
    faces, attributes, field = split(faces, attributes, field)
    corner = field[faces]
    return largest(faces[(corner.min(1) >= 0) & (corner.max(1) > 0)], attributes)


def largest(faces, attributes):
    """The largest piece connected through edges, without its unused vertices: faces, attributes."""
    if not len(faces):
        raise ValueError("nothing is left of the mesh")
    edges, of_face = edges_of(faces)
    triangle = np.repeat(np.arange(len(faces)), 3)
    entries = (np.ones(len(triangle)), (triangle, of_face.ravel()))
    incidence = coo_matrix(entries, shape=(len(faces), len(edges))).tocsr()
    _, label = connected_components(incidence @ incidence.T, directed=False)
    faces = faces[label == np.bincount(label).argmax()]
    used, inverse = np.unique(faces, return_inverse=True)
    return inverse.reshape(-1, 3).astype(np.int32), attributes[used]
