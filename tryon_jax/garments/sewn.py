"""From a paper pattern to a mesh: panels triangulated, welded along their seams, refined level by level."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, cKDTree

from tryon_jax.garments.edges import edges_of, numbered
from tryon_jax.garments.pattern import length, steps


class Sewn(NamedTuple):
    """A garment's mesh at one level of detail. P corners on paper, V sewn vertices, F faces.

    paper [P, 2] f64 metres in each panel's plane; panel [P] i32; faces [F, 3] i32 into paper, counter-clockwise as seen
    from outside; weld [P] i32: the sewn vertex of each paper corner, below `count`; edge [P] i32: the panel edge that a
    corner lies on (its number in the panel, -1 inside) and share [P] f64 its place along it in [0, 1); parents [P, 2]:
    paper corners of the coarser level that a corner is the middle of (alike for those kept), or None.
    """

    paper: np.ndarray
    panel: np.ndarray
    faces: np.ndarray
    weld: np.ndarray
    count: int
    edge: np.ndarray
    share: np.ndarray
    parents: np.ndarray | None


def sew(pattern, spacing):
    """The Sewn mesh of a Pattern with edges of about `spacing` metres.

    Raises ValueError if a panel cannot be triangulated at that spacing or a seam names an unknown edge.
    """
    counts = _segments(pattern, spacing)
    pieces, start, first_of, made = [], 0, {}, {}
    for index, panel in enumerate(pattern.panels):
        paper, edge, share = _sampled(panel, [counts[panel.name, name] for name in panel.edges])
        first = np.cumsum([0] + [counts[panel.name, name] for name in panel.edges])
        for position, name in enumerate(panel.edges):
            rows = np.arange(first[position], first[position + 1] + 1) % first[-1]
            first_of[panel.name, name] = start + rows
        # Both sleeves are cut alike.
        alike = paper.tobytes()
        if alike not in made:
            made[alike] = _triangulated(panel, paper, spacing)
        points, faces = made[alike]
        inner = len(points) - len(paper)
        edge, share = np.append(edge, np.full(inner, -1)), np.append(share, np.zeros(inner))
        pieces.append((points, np.full(len(points), index), faces + start, edge, share))
        start += len(points)
    paper, panel, faces, edge, share = (np.concatenate(column) for column in zip(*pieces, strict=True))
    weld, count = _welded(pattern, first_of, start)
    mesh = Sewn(paper, panel.astype(np.int32), faces.astype(np.int32), weld, count, edge, share, None)
    _check(mesh)
    return mesh


def edge_vertices(mesh, pattern, panel, edge):
    """Sewn vertices of a panel's edge, in its order."""
    index = next(number for number, one in enumerate(pattern.panels) if one.name == panel)
    number = list(pattern.panels[index].edges).index(edge)
    rows = np.flatnonzero((mesh.panel == index) & (mesh.edge == number))
    rows = rows[np.argsort(mesh.share[rows])]
    following = (number + 1) % len(pattern.panels[index].edges)
    last = np.flatnonzero((mesh.panel == index) & (mesh.edge == following) & (mesh.share == 0))
    return mesh.weld[np.append(rows, last)]


def refine(mesh, pattern):
    """The next finer level: every edge halved, curved edges kept on their curves."""
    pairs, inverse = edges_of(mesh.faces)
    middle = mesh.paper[pairs].mean(1)
    edge, share = np.full(len(pairs), -1), np.zeros(len(pairs))
    border = np.flatnonzero(np.bincount(inverse.ravel()) == 1)
    panel_of = mesh.panel[pairs[:, 0]]
    for index, panel in enumerate(pattern.panels):
        mine = border[panel_of[border] == index]
        edge[mine], share[mine] = _along(mesh, len(panel.edges), pairs[mine])
        for number, points in enumerate(panel.edges.values()):
            rows = mine[edge[mine] == number]
            middle[rows] = _at(points, share[rows])
    made = inverse + len(mesh.paper)
    a, b, c = mesh.faces.T
    ab, bc, ca = made.T
    faces = np.concatenate([np.stack(corners, 1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    sewn_pairs = np.sort(mesh.weld[pairs], 1)
    # An edge inside a panel is its own; edges on seams are one where both ends are sewn together.
    key = sewn_pairs[:, 0].astype(np.int64) * mesh.count + sewn_pairs[:, 1]
    joint, _ = numbered(key)
    parents = np.concatenate([np.arange(len(mesh.paper))[:, None].repeat(2, 1), pairs])
    finer = Sewn(
        np.concatenate([mesh.paper, middle]),
        np.concatenate([mesh.panel, panel_of]),
        faces.astype(np.int32),
        np.concatenate([mesh.weld, mesh.count + joint]).astype(np.int32),
        int(mesh.count + joint.max() + 1),
        np.concatenate([mesh.edge, edge]),
        np.concatenate([mesh.share, share]),
        parents,
    )
    _check(finer)
    return finer


def edges(mesh):
    """Sewn edges [E, 2] i32 and their rest lengths [E] in metres: of an edge on a seam the mean of both sides."""
    return sides(mesh)[:2]


def sides(mesh):
    """The same as edges, and which of them the sides of every face are, [F, 3]: column k is from corner k to k + 1."""
    pairs, found = edges_of(mesh.weld.take(mesh.faces))
    flat = mesh.paper.take(mesh.faces.ravel(), 0) - mesh.paper.take(np.roll(mesh.faces, -1, 1).ravel(), 0)
    each = found.ravel()
    lengths = np.bincount(each, np.sqrt(flat[:, 0] * flat[:, 0] + flat[:, 1] * flat[:, 1])) / np.bincount(each)
    return pairs.astype(np.int32), lengths, found


def _segments(pattern, spacing):
    """Number of pieces of every edge {(panel, edge): count}: alike on both sides of a seam."""
    counts = {
        (panel.name, name): max(1, round(length(points) / spacing))
        for panel in pattern.panels for name, points in panel.edges.items()
    }  # fmt: skip
    for seam in pattern.seams:
        for side in (seam.first, seam.second):
            if side not in counts:
                raise ValueError(f"a seam names {side[0]}: {side[1]}, which the pattern does not have")
        counts[seam.first] = counts[seam.second] = max(counts[seam.first], counts[seam.second])
    return counts


def _at(points, share):
    """Places [N, 2] at shares [N] of a polyline's length."""
    way, found = np.zeros(len(points)), np.empty((len(share), 2))
    steps(points).cumsum(out=way[1:])
    for axis in range(2):
        found[:, axis] = np.interp(share * way[-1], way, points[:, axis])
    return found


def _sampled(panel, counts):
    """Boundary points [N, 2] of a panel, the number of the edge on which each lies, and its share of that edge."""
    shares = [np.arange(count) / count for count in counts]
    points = [_at(polyline, share) for polyline, share in zip(panel.edges.values(), shares, strict=True)]
    numbers = np.repeat(np.arange(len(counts)), counts)
    return np.concatenate(points), numbers, np.concatenate(shares)


def _inside(points, polygon):
    """Whether points [N, 2] lie inside a closed polygon [M, 2] (even-odd rule)."""
    x, y = points.T
    ax, ay = polygon.T
    bx, by = polygon[np.arange(1, len(polygon) + 1) % len(polygon)].T
    sloped = ay != by
    # A segment a row: sums over points in a row are quick.
    ax, ay, bx, by = (values[sloped][:, None] for values in (ax, ay, bx, by))
    crossing = ((ay > y) != (by > y)) & (x < ax + (y - ay) * ((bx - ax) / (by - ay)))
    return np.logical_xor.reduce(crossing, 0)


def _triangulated(panel, border, spacing):
    """Points (the border's first) and faces, counter-clockwise, of a panel."""
    low, high = border.min(0), border.max(0)
    rows = np.arange(low[1], high[1], spacing * np.sqrt(3) / 2)
    columns = np.arange(low[0] - spacing, high[0] + spacing, spacing)
    x, y = np.meshgrid(columns, rows)
    x = x + (np.arange(len(rows)) % 2)[:, None] * spacing / 2
    lattice = np.stack([x.ravel(), y.ravel()], -1)
    lattice = lattice[_inside(lattice, border)]
    following = np.roll(border, -1, 0)
    fine = np.concatenate([border, (border + following) / 2])
    if len(lattice):
        lattice = lattice[cKDTree(fine).query(lattice)[0] > 0.6 * spacing]
    points = np.concatenate([border, lattice])
    faces = Delaunay(points).simplices
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces = np.where((area < 0)[:, None], faces[:, [0, 2, 1]], faces)
    # Flat triangles along a straight border lie on neither side of it.
    kept = (np.abs(area) > 0.02 * spacing**2) & _inside((a + b + c) / 3, border)
    faces = faces[kept]
    start, end, count = faces.ravel(), np.roll(faces, -1, 1).ravel(), len(border)
    along = (start < count) & (end == (start + 1) % count)
    if len(np.unique(start[along])) < count:
        raise ValueError(f"panel {panel.name} is too narrow somewhere to be meshed at {spacing * 1000:.0f} mm")
    return points, faces


def _welded(pattern, first_of, count):
    """Sewn vertex [P] of every paper corner, and their number."""
    pairs = []
    for seam in pattern.seams:
        first, second = first_of[seam.first], first_of[seam.second]
        pairs.append(np.stack([first, second[::-1] if seam.turned else second], -1))
    joined = np.concatenate(pairs) if pairs else np.zeros((0, 2), int)
    graph = coo_matrix((np.ones(len(joined)), joined.T), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    return label.astype(np.int32), int(number)


def _along(mesh, total, pairs):
    """Of border segments between corners pairs [N, 2] of a panel with `total` edges: the number [N] of the edge on
    which each lies, and its middle's share [N] of it."""
    edge, share = mesh.edge[pairs], mesh.share[pairs]
    # The corner that starts the following edge ends this one.
    ends = (share == 0) & (edge == (edge[:, ::-1] + 1) % total)
    # On a panel with one edge alone, its start is also its end.
    ends &= (total > 1) | (share[:, ::-1] > 0.5)
    number = np.where(ends[:, 0], edge[:, 1], edge[:, 0])
    return number, np.where(ends, 1.0, share).mean(1)


def _check(mesh):
    """Raises ValueError unless the sewn mesh is a surface: no edge in three faces, no face with a doubled corner."""
    corners = mesh.weld[mesh.faces]
    if (corners == np.roll(corners, -1, 1)).any():
        raise ValueError("a seam joins two corners of one triangle: sew at a smaller spacing")
    directed = np.stack([corners, np.roll(corners, -1, 1)], -1).reshape(-1, 2)
    key = np.sort(directed[:, 0].astype(np.int64) * mesh.count + directed[:, 1])
    if (key[1:] == key[:-1]).any():
        raise ValueError("a seam joins cloth to cloth the wrong way round")
