"""Edges of triangle meshes: all of them, and those on an open border."""

import numpy as np


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
