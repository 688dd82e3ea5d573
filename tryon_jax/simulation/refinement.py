"""A finer mesh where a face needs it: long edges are halved, and every halved edge is halved for both its faces."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments.edges import edges_of


class Refined(NamedTuple):
    """faces [P, 3] i32 that stand for the coarse faces where replaced [F] bool; halved: for each round the ends
    [E, 2] of the edges in whose middles the new vertices lie, numbered on from the coarse ones."""

    faces: np.ndarray
    replaced: np.ndarray
    halved: tuple


def refine(vertices, faces, wanted, rounds=2):
    """Refined of a mesh, vertices [V, 3], faces [F, 3].

    wanted(points [N, 3]): longest edge in metres [N] that may stay at these places.
    """
    replaced, halved, patch = np.zeros(len(faces), bool), [], faces
    for number in range(rounds):
        edges, of_face = edges_of(patch)
        ends = vertices[edges]
        middles = ends.mean(1)
        long = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1) > wanted(middles)
        touched = long[of_face].any(1)
        if number == 0:
            replaced, patch, of_face = touched, patch[touched], of_face[touched]
        middle = np.full(len(edges), -1)
        middle[long] = len(vertices) + np.arange(long.sum())
        patch = _split(patch, middle[of_face])
        halved.append(edges[long].astype(np.int32))
        vertices = np.concatenate([vertices, middles[long]])
    return Refined(patch.astype(np.int32), replaced, tuple(halved))


def extend(values, refined):
    """Values [V, ...] at the coarse vertices, continued to the new ones as means of two."""
    for edges in refined.halved:
        values = np.concatenate([values, (values[edges[:, 0]] + values[edges[:, 1]]) / 2])
    return values


def _split(faces, middles):
    """Faces [F, 3] cut at the middles [F, 3] of their edges (column k: corner k to k + 1), -1 where not cut."""
    cut = middles >= 0
    count = cut.sum(1)
    a, b, c = faces.T
    m, n, o = middles.T
    whole, every = count == 0, count == 3
    made = [faces[whole]]
    for corners in ((a, m, o), (m, b, n), (o, n, c), (m, n, o)):
        made.append(np.stack(corners, 1)[every])
    for corner in range(3):
        order = [corner, (corner + 1) % 3, (corner + 2) % 3]
        p, q, r = faces[:, order].T
        first, second, third = (cut[:, k] for k in order)
        one = first & ~second & ~third
        half = middles[:, corner]
        made += [np.stack([p, half, r], 1)[one], np.stack([half, q, r], 1)[one]]
        two = first & ~second & third
        other = middles[:, order[2]]
        for corners in ((p, half, other), (half, q, r), (half, r, other)):
            made.append(np.stack(corners, 1)[two])
    return np.concatenate(made)
