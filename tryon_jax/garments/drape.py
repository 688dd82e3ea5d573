"""What makes a cut of the body's surface look like cloth: it hangs from where it rests and bridges hollows."""

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.spatial import cKDTree

from tryon_jax.garments.cut import boundary_of, edges_of

ANGLES = 48
SLABS = 28


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


def hull_radius(angles, radii, heights, levels, taper):
    """Radius [L, ANGLES] of the convex hull of points in polar form, at each of the levels [L], rising from the top.

    angles, radii, heights [N]; heights grow downward, as levels do. Cloth hangs: a level is at least as wide as the
    one above it less `taper` metres a metre. Support function h(u) = max p.u; hull radius r(t) = min h(u) / cos(t - u).
    """
    directions = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    step = levels[1] - levels[0]
    support = np.zeros((len(levels), ANGLES))
    reach = radii[:, None] * np.cos(angles[:, None] - directions)
    slab = np.clip(np.round((heights - levels[0]) / step).astype(int), 0, len(levels) - 1)
    order = np.argsort(slab, kind="stable")
    filled, first = np.unique(slab[order], return_index=True)
    own = np.zeros_like(support)
    own[filled] = np.maximum(np.maximum.reduceat(reach[order], first), 0)
    for shift in (-1, 0, 1):
        support = np.maximum(support, own[np.clip(np.arange(len(levels)) + shift, 0, len(levels) - 1)])
    for level in range(1, len(levels)):
        support[level] = np.maximum(support[level], support[level - 1] - taper * step)
    cosine = np.cos(directions[:, None] - directions)
    # 0.05: directions nearly perpendicular to u do not bound the hull.
    bound = np.where(cosine > 0.05, support[:, None, :] / np.maximum(cosine, 0.05), np.inf)
    return bound.min(-1)


def sample_polar(table, angles, heights, levels):
    """Bilinear samples [N] of table [L, ANGLES] at angles and heights [N]."""
    column = (angles / (2 * np.pi) * ANGLES) % ANGLES
    left = np.floor(column).astype(int) % ANGLES
    u = column - np.floor(column)
    row = np.clip((heights - levels[0]) / (levels[1] - levels[0]), 0, len(levels) - 1.001)
    top = row.astype(int)
    v = row - top
    near = table[top, left] * (1 - u) + table[top, (left + 1) % ANGLES] * u
    far = table[top + 1, left] * (1 - u) + table[top + 1, (left + 1) % ANGLES] * u
    return near * (1 - v) + far * v


def hang(points, centres, across, heights, blend, taper):
    """Points [N, 3] of a tube moved outward toward its convex, hanging form.

    centres [N, 3]: the tube's axis beside each point; across: two unit vectors [2, 3] spanning its cross-section;
    heights [N] metres from the top; blend [N] in [0, 1]: 0 keeps a point; taper: metres a metre.
    """
    offset = (points - centres) @ np.asarray(across).T
    radii = np.linalg.norm(offset, axis=1)
    angles = np.arctan2(offset[:, 1], offset[:, 0])
    levels = np.linspace(heights.min(), heights.max() + 1e-6, SLABS)  # 1e-6 m: never an empty interval
    table = hull_radius(angles, radii, heights, levels, taper)
    wanted = np.maximum(sample_polar(table, angles, heights, levels), radii)
    # 1e-6 m: a point on the axis has no direction to go.
    scale = (radii + blend * (wanted - radii)) / np.maximum(radii, 1e-6)
    return points + ((scale - 1)[:, None] * offset) @ np.asarray(across)


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
        self.tree = cKDTree(self.points, balanced_tree=False, compact_nodes=False)

    def outside(self, points, gap, rounds=3):
        """Points [N, 3] moved along the body's normals until each lies gap [N] metres off the nearest surface."""
        for _ in range(rounds):
            _, nearest = self.tree.query(points)
            height = np.einsum("nk,nk->n", points - self.points[nearest], self.normals[nearest])
            points = points + np.maximum(gap - height, 0)[:, None] * self.normals[nearest]
        return points
