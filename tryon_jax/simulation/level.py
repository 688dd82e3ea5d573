"""One level of detail of a garment on a body, ready for the solver: its cloth, where it is held, what it may touch."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import placement
from tryon_jax.simulation import body, cloth, collider, stitch

# Metres between skin and a waistband where it is held.
BAND_GAP = 0.003


class Level(NamedTuple):
    """count: V vertices of the mesh; edges [E, 2], lengths [E] metres on paper; cloth: its cloth.Cloth, padded to a
    room; pins [K, 3, room] metres; bodies: the collider.Collider; trees: those made of its points so far, as
    collider.coordinates keeps them; fabric; limbs [V, 2] as in collider.Sites."""

    count: int
    edges: np.ndarray
    lengths: np.ndarray
    cloth: cloth.Cloth
    pins: np.ndarray
    bodies: collider.Collider
    trees: dict
    fabric: object
    limbs: np.ndarray


def prepare(pattern, mesh, moving, bodies, fabric, offset):
    """The Level of a sewn.Sewn mesh of a Pattern on a drape.Motion; what it may touch is not known yet.

    bodies: collider.Collider; fabric: fabric.Fabric; offset: metres off the skin, more than cloth.THICKNESS.
    """
    made, edges, lengths = stitch.prepare(mesh, pattern, fabric, offset)
    pins = np.zeros((len(moving.transforms), 3, len(made.pinned)), np.float32)
    held = made.pinned[: mesh.count] > 0
    if held.any():
        band, _ = placement.place(pattern, mesh, moving.rest, moving.figure, BAND_GAP + 2 * offset, held)
        pins[:, :, np.flatnonzero(held)] = _attached(moving, band[held]).transpose(0, 2, 1)
    return Level(mesh.count, edges, lengths, made, pins, bodies, {}, fabric, np.zeros((mesh.count, 2)))


def _attached(moving, points):
    """Positions [K, N, 3] of points [N, 3] at rest carried by the skin weights of the nearest body vertices."""
    near = moving.tree.query(points)[1]
    blended = body.blended(moving.rest.skin_indices[near], moving.rest.skin_weights[near], moving.transforms)
    return np.einsum("knij,nj->kni", blended[..., :3, :3], points.astype(np.float32)) + blended[..., :3, 3]


def touching(level, placed, panels, ceiling):
    """The Level with the limb coordinates of where its vertices `placed` [V, 3] lie around the A-pose, these padded
    [3, room], and the collider point nearest to each [room].

    panels: limbs as placement.place gives them; ceiling: (height, metres) as in drape.drape.
    """
    points, limbs = np.asarray(level.bodies.points)[0], np.asarray(level.bodies.limbs)
    real = points[0] < collider.FAR
    points, limbs = points.T[real], limbs.T[real]
    # Trees refuse what is not finite: cloth that burst is left to the gates.
    found = np.nan_to_num(placed)
    own, counts = collider.coordinates(found, panels, points, limbs, level.trees)
    near = collider.nearest(found, own, counts, points, limbs, level.trees)
    high = np.where(placed[:, 2] < ceiling[0], ceiling[1], np.inf)
    return _with(level, own, counts, high), _padded(level, placed), _padded(level, near[:, None])[0].astype(np.int32)


def inherited(level, coarse, source):
    """The Level with the limb coordinates of a coarser one, between whose vertices source [V, 2] its own lie."""
    limbs = coarse.limbs[source].mean(1)
    counts, high = (np.asarray(values)[..., source[:, 0]] for values in (coarse.cloth.counts, coarse.cloth.ceiling))
    return _with(level, limbs, counts.T, high)


def prolonged(level, x, near, source):
    """Positions [3, room] and nearest points [room] of a Level from a coarser one's, as run gives them."""
    points, near = np.asarray(x).T[source].mean(1), np.asarray(near)[source[:, 0]]
    return _padded(level, points), _padded(level, near[:, None])[0].astype(np.int32)


def run(level, x, near, schedule):
    """Positions, nearest points and speeds after a cloth.Schedule, as cloth.simulate gives them."""
    fabric = level.fabric
    return cloth.simulate(
        x, near, level.cloth, level.bodies, level.pins,
        np.float32(fabric.bending / fabric.density), np.float32(fabric.friction), schedule,
    )  # fmt: skip


def _with(level, limbs, counts, ceiling):
    """The Level with limbs, counts [V, 2] and ceiling [V] in its cloth."""
    known = level.cloth._replace(
        limbs=_padded(level, limbs), counts=_padded(level, counts), ceiling=_padded(level, ceiling[:, None])[0]
    )
    return level._replace(cloth=known, limbs=limbs)


def _padded(level, values):
    """Values [V, N] as rows with room for all vertices, [N, room] f32."""
    rows = np.zeros((values.shape[1], len(level.cloth.area)), np.float32)
    rows[:, : level.count] = values.T
    return rows
