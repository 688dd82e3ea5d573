"""A surface near the body: its normals, its smoothing, and the body as points that things are kept outside of."""

import numpy as np
from scipy.sparse import coo_matrix, diags

from tryon_jax.garments import nearby
from tryon_jax.garments.edges import boundary_of, edges_of


def vertex_normals(vertices, faces):
    """Unit normals [V, 3], mean of the faces' weighted by area."""
    corners = vertices[faces]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    rows = faces.ravel()
    summed = np.stack([np.bincount(rows, np.repeat(face[:, k], 3), len(vertices)) for k in range(3)], -1)
    # 1e-12 square metres: far below any triangle; keeps unused vertices finite.
    return summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)


def averaging(faces, count):
    """Sparse matrix [V, V] that gives each inner vertex its neighbours' mean, each boundary vertex that of its
    neighbours along the boundary."""
    edges, _ = edges_of(faces)
    border = boundary_of(faces)
    on_border = np.zeros(count, bool)
    on_border[border] = True
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[~on_border[both[:, 0]]]
    both = np.concatenate([both, border, border[:, ::-1]])
    matrix = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    # Vertices without neighbours (none in a clean mesh) divide by 1.
    return diags(1 / np.maximum(np.asarray(matrix.sum(1)).ravel(), 1)) @ matrix


def smooth(values, matrix, steps, rate=0.5):
    """values [V, C] after some steps toward their neighbours' means."""
    for _ in range(steps):
        values = values + rate * (matrix @ values - values)
    return values


class Skin:
    """The body's surface as points with normals, for keeping cloth outside of it."""

    def __init__(self, vertices, faces, near):
        """faces [F, 3] of vertices [V, 3]; only what lies within 5 cm of the heights of the points `near` is kept."""
        heights = vertices[:, 2][faces[:, 0]]
        faces = faces[(heights > near[:, 2].min() - 0.05) & (heights < near[:, 2].max() + 0.05)]
        normals = vertex_normals(vertices, faces)
        corners = vertices[faces]
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        # 1e-12 square metres: as above.
        flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
        used = np.unique(faces)
        self.points = np.concatenate([vertices[used], corners.mean(1)])
        self.normals = np.concatenate([normals[used], flat])
        self.tree = nearby.tree(self.points)

    def outside(self, points, gap, rounds=3):
        """Points [N, 3] moved along the body's normals until each lies gap [N] metres off the nearest surface."""
        for _ in range(rounds):
            _, nearest = self.tree.query(points)
            height = np.einsum("nk,nk->n", points - self.points[nearest], self.normals[nearest])
            points = points + np.maximum(gap - height, 0)[:, None] * self.normals[nearest]
        return points
