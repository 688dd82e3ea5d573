"""Edges of triangle meshes: all of them, and those on an open border."""

import numpy as np


def edges_of(faces):
    """Undirected edges [E, 2], sorted, of triangles [F, 3], and the index [F, 3] of the edge opposite to no corner:
    column k is the edge from corner k to corner k + 1."""
    low, high, size = _ends(faces)
    number, first = numbered(low.astype(np.int64) * size + high)
    return np.stack([low[first], high[first]], -1), number.reshape(faces.shape)


def boundary_of(faces):
    """Directed boundary edges [B, 2]: those of one face only."""
    low, high, size = _ends(faces)
    order, new = _alike(low.astype(np.int64) * size + high)
    new = np.flatnonzero(new)
    alone = order[new[np.diff(np.append(new, len(order))) == 1]]
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    return np.stack([start[alone], end[alone]], -1)


def numbered(key):
    """The number [N] of every key [N] i64 among the different ones in rising order, and where each of these is first.
    Keys are from 0 to a million squared."""
    order, new = _alike(key)
    number = np.empty(len(order), np.intp)
    number[order] = np.cumsum(new) - 1
    return number, order[new]


def _ends(faces):
    """The lower and the higher end [3 F] of every side of triangles [F, 3], and one more than the highest."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    return np.minimum(start, end), np.maximum(start, end), int(faces.max(initial=0)) + 1


def _alike(key):
    """An order [N] that brings equal keys [N] i64 together, in their order, and where in it each new one starts."""
    # Key and index in one number: numbers are sorted in a fifth of the time that indices take.
    bits = len(key).bit_length()
    packed = np.sort(key << bits | np.arange(len(key)))
    ordered = packed >> bits
    return packed & ((1 << bits) - 1), np.append(True, ordered[1:] != ordered[:-1])[: len(key)]
