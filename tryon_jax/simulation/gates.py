"""What a draped garment must pass to become data, as GarmentCodeData (Korosteleva et al. 2024) gates its own."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import nearby
from tryon_jax.simulation.drawing import crosses, vertex_normals

DEEP = 0.002  # metres inside the body from which a vertex counts
# Planes for the body's faces miss up to a quarter of a per cent of the vertices: less than 2 % are inside in truth.
INSIDE, STRAIN, STRAIN_STRETCHY, SPEED = 0.017, 0.12, 0.30, 1.5


class Report(NamedTuple):
    """inside: share of vertices more than DEEP inside the body; strain: 95th percentile of the edges' stretch against
    the pattern; speed: 95th percentile in m/s of what still moves; failed: names of the gates not passed."""

    inside: float
    strain: float
    speed: float
    failed: tuple


class Surface(NamedTuple):
    """A closed mesh as places [N, 3] on it, unit directions [N, 3] out of it, and the nearby.tree of the places."""

    places: np.ndarray
    directions: np.ndarray
    tree: object


def surface(vertices, faces):
    """The Surface of a closed mesh: its vertices and the middles of its faces."""
    normals = vertex_normals(vertices, faces)
    flat = crosses(vertices, faces)
    # 1e-12 square metres: no face of the body is as small.
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    a, b, c = (vertices.take(corner, 0) for corner in faces.T)
    places = np.concatenate([vertices, (a + b + c) / 3])
    return Surface(places, np.concatenate([normals, flat]), nearby.tree(places))


def heights(points, around):
    """Signed distance [N] in metres of points [N, 3] from a Surface, positive outside: to the plane of the nearest of
    its places, which errs by the surface's bulge between them (a millimetre on ANNY)."""
    nearest = around.tree.query(points)[1]
    return np.einsum("nk,nk->n", points - around.places[nearest], around.directions[nearest])


def strain(draped):
    """Stretch [E] of every edge against its length on paper."""
    start, end = draped.edges.T
    return np.linalg.norm(draped.vertices[start] - draped.vertices[end], axis=1) / draped.lengths - 1


def report(draped, moving):
    """The Report of a drape.Draped on the last key frame of a drape.Motion."""
    if not np.isfinite(draped.vertices).all():
        return Report(1.0, np.inf, np.inf, ("finite",))
    inside = float((heights(draped.vertices, moving.skin) < -DEEP).mean())
    stretched, moved = float(np.percentile(strain(draped), 95)), float(np.percentile(draped.speed, 95))
    limit = STRAIN_STRETCHY if draped.fabric.stretchy else STRAIN
    passed = {"inside": inside < INSIDE, "strain": stretched < limit, "speed": moved < SPEED}
    return Report(inside, stretched, moved, tuple(name for name, good in passed.items() if not good))
