"""A garment laid flat on a table, front up: its paper pieces as they are, folded where a sleeve folds, sewn together.

Every face is turned, not bent, toward its shape on paper, all at once: Liu et al. 2008, "A Local/Global Approach to
Mesh Parameterization", with faces turned over known beforehand, so that none folds over another at random.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_matrix, identity
from scipy.sparse.linalg import splu

DEPTH = 0.2  # of its depth that a garment keeps when it is laid flat: soft folds, and its front above its back
SHADE, REACH = 0.35, 0.012  # the darkest that a garment's shadow gets, and its softness in picture sides
ROUNDS = 6
# Pull of every vertex to where the A-pose has it, to one of a face to its shape: the table rubs a little, and what
# nothing else holds stays where it is.
TABLE = 0.002


def flat(draped):
    """Vertices [V, 3] f32 of a drape.Draped laid flat, as the A-pose shows it from the front, nearly without depth."""
    faces = draped.mesh.weld[draped.mesh.faces]
    start = draped.in_a_pose[:, 0] + 1j * draped.in_a_pose[:, 2]
    shape, turn = _pieces(draped, start)
    # The three edges of every face, each from one corner to the next.
    first, second = faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()
    count, rows = draped.mesh.count, np.arange(len(first))
    signs = np.repeat([1.0, -1.0], len(rows))
    across = coo_matrix((signs, (np.tile(rows, 2), np.append(second, first))), shape=(len(rows), count)).tocsr()
    gather = across.T.tocsr()
    solve = splu((gather @ across + TABLE * identity(count)).tocsc()).solve
    wanted = (shape[draped.mesh.faces[:, [1, 2, 0]]] - shape[draped.mesh.faces]).T
    place = start
    for number in range(ROUNDS):
        if number:
            turned = (np.conj(wanted) * (across @ place).reshape(3, -1)).sum(0)
            # 1e-12 m^2: a face without size has no direction.
            turn = turned / np.maximum(np.abs(turned), 1e-12)
        pull = gather @ (wanted * turn).ravel() + TABLE * start
        place = solve(pull.real.copy()) + 1j * solve(pull.imag.copy())
    return np.stack([place.real, DEPTH * _depth(draped), place.imag], -1).astype(np.float32)


def _depth(draped):
    """Depth [V] in the A-pose, but that no fold of a sleeve's back half comes through its front half."""
    depth = draped.in_a_pose[:, 1] - draped.in_a_pose[:, 1].mean()
    for index, panel in enumerate(draped.pattern.panels):
        if panel.place[:1] != ("sleeve",):
            continue
        rows = (draped.mesh.panel == index) & (draped.mesh.edge < 0)
        (x, y), inner = draped.mesh.paper[rows].T, draped.mesh.weld[rows]
        middle = np.polyval(np.polyfit(y, depth[inner], 1), y)
        behind = depth[inner] - middle
        depth[inner] = middle + np.sign(x) * np.sign(x @ behind) * np.abs(behind)
    return depth


def shadow(coverage):
    """Light [S, S, 1] f32 that a garment of coverage [S, S, 1] leaves to the table around it."""
    soft = REACH * len(coverage)
    # Light comes from above: the shadow falls a little down.
    thrown = gaussian_filter(np.roll(coverage[..., 0], round(soft / 2), 0), soft)
    return np.float32(1) - np.float32(SHADE) * thrown[..., None]


def _pieces(draped, start):
    """Every paper corner in its piece's plane, as the table sees it, complex [P]; and every face's first turn [F].

    A piece lies as it is or turned over, a sleeve folded in half either way: as comes nearest to the A-pose seen from
    the front, complex [V]. A collar keeps the shape that it has there.
    """
    # Corners within half an edge of a fold lie on it, or the fold would zigzag from corner to corner.
    near = np.median(draped.lengths) / 2
    shape, turn = start[draped.mesh.weld], np.ones(len(draped.mesh.faces), complex)
    for index, panel in enumerate(draped.pattern.panels):
        if panel.place[:1] == ("collar",):
            continue
        rows = draped.mesh.panel == index
        seen = start[draped.mesh.weld[rows]]
        (x, y), best = draped.mesh.paper[rows].T, np.inf
        across = np.maximum(np.abs(x) - near, 0) if panel.place[:1] == ("sleeve",) else x
        for laid in (across + 1j * y, -across + 1j * y):
            laid = laid - laid.mean()
            fitted = np.vdot(laid, seen - seen.mean())
            angle = fitted / np.maximum(np.abs(fitted), 1e-12)
            away = np.linalg.norm(seen - seen.mean() - angle * laid)
            if away < best:
                best, shape[rows] = away, laid
                turn[draped.mesh.panel[draped.mesh.faces[:, 0]] == index] = angle
    return shape, turn
