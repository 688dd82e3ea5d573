"""Things that are no clothes but are carried by the body's bones: hair and shoes."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import nearby


class Attached(NamedTuple):
    """vertices_rest [G, 3] f32 metres in garments.Rest's frame; faces [H, 3] i32, counter-clockwise from outside;
    skin_indices [G, K] i32, skin_weights [G, K] f32, rows sum to 1; colours [G, 3] f32 in [0, 1]; labels [H] i32, each
    an index into geometry.parts.PARTS."""

    vertices_rest: np.ndarray
    faces: np.ndarray
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    colours: np.ndarray
    labels: np.ndarray


def follow(rest, points, bone, own, rows):
    """Skin indices and weights [N, K + 1] of points [N, 3] that go with the bone called `bone`, but by the share own
    [N] in [0, 1] with the nearest of the body's vertices `rows`."""
    shared = np.flatnonzero(own)
    indices = np.full((len(points), 1 + rest.skin_indices.shape[1]), rest.joint_names.index(bone), np.int32)
    weights = np.zeros(indices.shape, np.result_type(own, rest.skin_weights))
    weights[:, 0] = 1 - own
    if len(shared):  # most hair goes with the head alone, most of a shoe with the foot
        near = rows[nearby.tree(rest.vertices[rows]).query(points[shared])[1]]
        indices[shared, 1:] = rest.skin_indices[near]
        weights[shared, 1:] = own[shared, None] * rest.skin_weights[near]
    return indices, (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def join(pieces):
    """One (vertices [G, 3], faces [H, 3], values [G, ...]) of several."""
    vertices, faces, values = zip(*pieces, strict=True)
    starts = np.cumsum([0] + [len(points) for points in vertices[:-1]])
    joined = np.concatenate([mine + start for mine, start in zip(faces, starts, strict=True)])
    return np.concatenate(vertices), joined.astype(np.int32), np.concatenate(values)
