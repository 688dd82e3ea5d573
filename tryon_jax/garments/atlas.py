"""Texture coordinates: the front and the back of a garment flattened side by side, as a tailor lays out two pieces."""

import numpy as np
from scipy.sparse import coo_matrix

from tryon_jax.garments.cut import edges_of

STEPS = 40
# Share of the texture left free around and between the pieces, so that bilinear samples stay on their own piece.
MARGIN = 0.01


def flatten(vertices, faces, mirrored):
    """Plane coordinates [G, 2] in metres (x right, z up) of the vertices of one piece that keep its edge lengths.

    Starts from the frontal projection (seen from behind if mirrored) and relaxes every edge toward its length, all at
    once, as position-based dynamics does (Mueller et al. 2007, eq. 9, averaged over each vertex's edges).
    """
    plane = vertices[:, [0, 2]] * (np.array([-1.0, 1.0]) if mirrored else 1.0)
    edges, _ = edges_of(faces)
    start, end = edges.T
    length = np.linalg.norm(vertices[start] - vertices[end], axis=1)
    rows = np.concatenate([start, end])
    columns = np.tile(np.arange(len(edges)), 2)
    signs = np.repeat([1.0, -1.0], len(edges))
    gather = coo_matrix((signs, (rows, columns)), shape=(len(vertices), len(edges))).tocsr()
    # Vertices of the other piece have no edges here and stay; 1.5 speeds the averaged step up without overshoot.
    weight = 1.5 / np.maximum(np.bincount(rows, minlength=len(vertices)), 1)[:, None]
    for _ in range(STEPS):
        between = plane[start] - plane[end]
        # 1e-4 m: an edge seen end-on has no direction in the plane yet.
        now = np.maximum(np.sqrt((between * between).sum(1)), 1e-4)
        plane = plane + weight * (gather @ ((0.5 * (length - now) / now)[:, None] * between))
    return plane


def lay_out(vertices, faces, front):
    """uv [G, 2] in [0, 1] (x right, y down) and metres per uv; front [H] bool tells the faces of the front piece."""
    used = [np.unique(faces[front]), np.unique(faces[~front])]
    planes = [flatten(vertices, faces[front], False)[used[0]], flatten(vertices, faces[~front], True)[used[1]]]
    lows = [plane.min(0) for plane in planes]
    sizes = np.stack([plane.max(0) - low for plane, low in zip(planes, lows, strict=True)])
    scale = float(max(sizes[:, 0].max() / (0.5 - 2 * MARGIN), sizes[:, 1].max() / (1 - 2 * MARGIN)))
    uv = np.zeros((len(vertices), 2))
    # Both pieces hang from one line, so that a horizontal stripe meets itself at the side seams.
    top = max(plane[:, 1].max() for plane in planes)
    bottom = min(plane[:, 1].min() for plane in planes)
    scale = max(scale, (top - bottom) / (1 - 2 * MARGIN))
    for index, (rows, plane, low) in enumerate(zip(used, planes, lows, strict=True)):
        middle = low[0] + sizes[index, 0] / 2
        uv[rows, 0] = 0.25 + 0.5 * index + (plane[:, 0] - middle) / scale
        uv[rows, 1] = MARGIN + (top - plane[:, 1]) / scale
    return uv.astype(np.float32), scale
