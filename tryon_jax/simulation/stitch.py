"""A sewn mesh made ready for the solver: coloured edges, curvature weights, tethers, padded to a size class."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from tryon_jax import native
from tryon_jax.garments import sewn
from tryon_jax.native import host
from tryon_jax.simulation.cloth import COLOURS, FULL, STEP, THICKNESS, Cloth

# Vertex counts that are compiled for: time grows with them, and small cloth is quick anyway.
ROOMS = (
    512, 768, 1024, 1536, 2048, 2560, 3072, 3584, 4096, 4608, 5120, 5632, 6144, 7168, 8192, 10240, 12288, 16384, 20480,
    24576, 32768, 40960, 49152,
)  # fmt: skip
# Share of its way back to its place that a held panel makes in a substep: it keeps its shape, and yields to its seams.
SHAPED = 0.03
FOLDED = 0.007  # metres that a collar's folded part lies off the skin, more than the rest
SLACK = 1.02  # tethers may be this much longer than the flat cloth


def room(count):
    """The size class of `count` vertices. Raises ValueError beyond the largest."""
    for size in ROOMS:
        if count <= size:
            return size
    raise ValueError(f"{count} vertices of cloth are more than {ROOMS[-1]}: sew at a larger spacing")


def coloured(edges, count, path="auto"):
    """Colour [E] of every edge, such that none share a vertex, greedily; raises ValueError if COLOURS do not do.

    path: "native", the compiled kernel, which gives the same as "python"; "auto" takes it where it can be had.
    """
    found = host.colours(edges.astype(np.int32), count) if native.takes(path) else _coloured(edges, count)
    if found.max(initial=0) >= COLOURS:
        raise ValueError(f"a vertex has too many edges for {COLOURS} colours")
    return found


def _coloured(edges, count):
    taken, found = [0] * count, []
    for first, second in zip(edges[:, 0].tolist(), edges[:, 1].tolist(), strict=True):
        one, other = taken[first], taken[second]
        both = one | other
        lowest = ~both & (both + 1)
        taken[first], taken[second] = one | lowest, other | lowest
        found.append(lowest)
    # Of a power of two the exponent that it is written with, less one.
    return np.frexp(np.array(found, float))[1].astype(int) - 1


def along_the_grain(mesh, sides, total):
    """An order [E] of the `total` sewn edges, of which `sides` are those of faces, as sewn.sides has them, in which
    `coloured` needs few colours beyond FULL: the three directions of the lattice one after another, each line of it
    from end to end, so that its edges take two colours by turns."""
    # Of an edge on a seam the one side's place on paper, whichever comes last.
    start, end = np.empty((2, total), int)
    start[sides.ravel()], end[sides.ravel()] = mesh.faces.ravel(), np.roll(mesh.faces, -1, 1).ravel()
    x, y = np.ascontiguousarray(mesh.paper.T)
    angle = np.arctan2(y[end] - y[start], x[end] - x[start])
    direction = np.round(angle / (np.pi / 3)).astype(int) % 3
    turned = np.arange(3) * np.pi / 3
    way = (x[start] + x[end]) * np.cos(turned)[direction] + (y[start] + y[end]) * np.sin(turned)[direction]
    order = np.argsort(way, kind="stable")
    return np.concatenate([order[direction[order] == one] for one in range(3)])


def late_lanes(edges, colour, size):
    """All of `size` lanes, the vertices of edges [E, 2] with a colour [E] from FULL on first; and how many lanes are
    few that hold these: an eighth, a quarter or a half of all, or all."""
    late = np.zeros(size, bool)
    late[edges[colour >= FULL]] = True
    lanes = np.concatenate([np.flatnonzero(late), np.flatnonzero(~late)]).astype(np.int32)
    # Small cloth has many edges at its borders: two sizes are enough there, for each is compiled.
    sizes = (size // 8, size // 4, size // 2, size) if size > 1024 else (size // 2, size)
    return lanes, next(few for few in sizes if late.sum() <= few)


def cotangents(mesh, sides, total):
    """Cotangent weight [E] on paper of every one of the `total` sewn edges, of which `sides` are those of faces, as
    sewn.sides has them, and the area [V] in m^2 around every sewn vertex."""
    x, y = np.ascontiguousarray(mesh.paper.T)
    a, b, c = (np.stack([x.take(corner), y.take(corner)]) for corner in mesh.faces.T)
    double = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    # A square millimetre: slivers of paper have no stiffness to speak of.
    double = np.maximum(double, 2e-6)
    area = np.bincount(mesh.weld.take(mesh.faces.T).ravel(), np.tile(double / 6, 3), mesh.count)
    values = []
    for tip, first, second in ((a, b, c), (b, c, a), (c, a, b)):
        along = (first - tip) * (second - tip)
        values.append((along[0] + along[1]) / double / 2)
    opposite = np.concatenate([sides[:, 1], sides[:, 2], sides[:, 0]])
    weights = np.bincount(opposite, np.concatenate(values), total)
    # Obtuse pairs have negative weights, which make the step unstable.
    return np.maximum(weights, 0.05), area


def tethers(mesh, edges, lengths, anchors):
    """Anchor [V] and way to it along the cloth [V] metres of every vertex; itself and infinity without anchors."""
    if not len(anchors):
        return np.arange(mesh.count), np.full(mesh.count, np.inf)
    graph = coo_matrix((lengths, edges.T), shape=(mesh.count, mesh.count)).tocsr()
    way, _, source = dijkstra(graph, directed=False, indices=anchors, min_only=True, return_predecessors=True)
    loose = source < 0
    return np.where(loose, np.arange(mesh.count), source), np.where(loose, np.inf, way * SLACK)


def prepare(mesh, pattern, fabric, offset=0.0):
    """A cloth.Cloth of a Sewn mesh, padded to its size class; also its edges [E, 2] and rest lengths [E].

    fabric a fabric.Fabric; offset metres more between cloth and skin. Limb coordinates are left zero.
    """
    pairs, lengths, sides = sewn.sides(mesh)
    order = along_the_grain(mesh, sides, len(pairs))
    colour = np.empty(len(pairs), int)
    colour[order] = coloured(pairs[order], mesh.count)
    weights, area = cotangents(mesh, sides, len(pairs))
    size, used = room(mesh.count), int(colour.max()) + 1
    lanes, few = late_lanes(pairs, colour, size)
    partner = np.tile(np.arange(size, dtype=np.int32), (COLOURS, 1))
    rest, hold, cotangent = (np.zeros((COLOURS, size), np.float32) for _ in range(3))
    # Force a metre of width over an edge's share of width, about its length: k = stiffness (XPBD's compliance is 1/k).
    mass = fabric.density * (area[pairs[:, 0]] + area[pairs[:, 1]]) / 2
    share = 1 / (1 + mass / (2 * fabric.stiffness * STEP**2))
    for one, other in (pairs.T, pairs.T[::-1]):
        place = colour * size + one
        for into, values in ((partner, other), (rest, lengths), (hold, share), (cotangent, weights)):
            into.reshape(-1)[place] = values
    hung = [sewn.edge_vertices(mesh, pattern, *edge) for edge in pattern.hung]
    anchor, tether = tethers(mesh, pairs, lengths, np.unique(np.concatenate(hung)) if hung else ())
    pinned = np.zeros(mesh.count)
    for panel, edge in pattern.held:
        rows = _held(mesh, pattern, panel, edge)
        pinned[rows] = np.maximum(pinned[rows], SHAPED if edge is None else 1.0)
    thickness = np.full(mesh.count, THICKNESS + offset)
    for index, panel in enumerate(pattern.panels):
        if panel.place[:1] == ("collar",):
            # What folds over lies on the cloth beneath, not in it.
            over = (mesh.panel == index) & (mesh.paper[:, 1] > 0.8 * panel.place[1])
            thickness[mesh.weld[over]] += FOLDED
    border = np.zeros(mesh.count, bool)
    border[pairs[np.bincount(sides.ravel()) == 1]] = True

    def fill(values, empty=0.0):
        padded = np.full((*values.shape[:-1], size), empty, np.float32)
        padded[..., : mesh.count] = values
        return padded

    cloth = Cloth(
        partner, rest, hold, cotangent, fill(area, 1.0), fill((~border).astype(float)),
        np.append(anchor, np.arange(mesh.count, size)).astype(np.int32), fill(tether, np.inf),
        np.zeros((2, size), np.float32), np.zeros((2, size), np.float32), fill(thickness),
        fill(np.full(mesh.count, np.inf)), fill(pinned), np.int32(used), lanes, lanes[:few],
    )  # fmt: skip
    return cloth, pairs, lengths


def _held(mesh, pattern, panel, edge):
    """Sewn vertices of a panel's edge, or of the whole panel if edge is None."""
    if edge is not None:
        return sewn.edge_vertices(mesh, pattern, panel, edge)
    index = [one.name for one in pattern.panels].index(panel)
    return np.unique(mesh.weld[mesh.panel == index])
