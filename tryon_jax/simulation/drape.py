"""Drapes a pattern on a body: put around it in its A-pose, sewn, carried to the pose, settled, refined."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.spatial import cKDTree

from tryon_jax.garments import measurements, placement, sewn
from tryon_jax.simulation import body, cloth, collider, gates, stitch
from tryon_jax.simulation.drawing import vertex_normals

KEYS = 5  # poses between the A-pose and the wanted one
LAST, FRAMES, LIGHT = KEYS - 1, 64, 0.25
SITES_ROOM = 12288
COVERED = 0.025  # metres from a garment within which the skin beneath it is left out
COARSE = 0.044  # metres between vertices of the first level
# Metres between skin and a waistband where it is held.
BAND_GAP = 0.003
TUCKED = 0.004  # metres between skin and what is tucked in


class Motion(NamedTuple):
    """A body from its A-pose to a pose, standing and facing -y: rest, a garments.Rest; figure, its measurements.Figure;
    vertices [K, V, 3] and transforms [K, J, 4, 4] of the key frames; sites, its collider.Sites; skin, the
    gates.Surface of the last key frame."""

    rest: object
    figure: object
    vertices: np.ndarray
    transforms: np.ndarray
    sites: collider.Sites
    skin: gates.Surface


class Draped(NamedTuple):
    """A garment on a body in a pose. mesh: its sewn.Sewn; vertices [V, 3] f32 sewn vertices in the world; in_a_pose
    [V, 3]: the same before the motion; edges [E, 2], lengths [E] on paper; speed [V] m/s left; limbs [V, 2] as in
    collider.Sites; pattern, fabric."""

    mesh: sewn.Sewn
    vertices: np.ndarray
    in_a_pose: np.ndarray
    edges: np.ndarray
    lengths: np.ndarray
    speed: np.ndarray
    limbs: np.ndarray
    pattern: object
    fabric: object


def motion(model, shape, pose):
    """The Motion of body.BodyModel `model` with shape [6] from the A-pose to a body.Pose, whose turn is left out."""
    vertices, transforms = [], []
    for share in np.linspace(0, 1, KEYS):
        eased = {bone: share * rotation for bone, rotation in pose.rotations.items()}
        posed = body.posed(model, shape, body.Pose(pose.name, eased, 0.0))
        vertices.append(posed.vertices)
        transforms.append(posed.transforms)
    rest = posed.rest
    found = collider.sites(rest)
    skin = gates.surface(vertices[-1], rest.faces)
    return Motion(rest, measurements.measure(rest), np.stack(vertices), np.stack(transforms), found, skin)


def colliders(moving, inner=()):
    """The collider.Collider of a Motion, and of the clothes beneath: Drapeds on it, whose skin it does without."""
    points, normals = [], []
    for vertices in moving.vertices:
        normal = vertex_normals(vertices, moving.rest.faces)
        found = collider.on_body(moving.sites, vertices, moving.rest.faces, normal)
        points.append(found[0])
        normals.append(found[1])
    points, normals, limbs = np.stack(points), np.stack(normals), moving.sites.limbs
    ring = moving.sites.ring
    for draped in inner:
        over, over_normals, rows = _worn(moving, draped)
        bare = cKDTree(over[0]).query(points[0])[0] > COVERED
        points = np.concatenate([points[:, bare], over[:, rows]], 1)
        normals = np.concatenate([normals[:, bare], over_normals[:, rows]], 1)
        limbs = np.concatenate([limbs[bare], draped.limbs[rows]])
        ring = collider.rings(points[0], limbs)
    return _padded_collider(points, normals, limbs, ring, *_arms(moving))


def _worn(moving, draped):
    """Positions and normals [K, V, 3] of a garment that goes back with the body from its pose to the A-pose, and
    vertices about collider.SPACING apart."""
    near = cKDTree(moving.rest.vertices).query(draped.in_a_pose)[1]
    indices, weights = moving.rest.skin_indices[near], moving.rest.skin_weights[near]
    blended = np.einsum("nk,fnkij->fnij", weights, moving.transforms[:, indices])
    back = blended @ np.linalg.inv(blended[-1])
    normal = vertex_normals(draped.vertices, draped.mesh.weld[draped.mesh.faces])
    points = np.einsum("fnij,nj->fni", back[..., :3, :3], draped.vertices) + back[..., :3, 3]
    normals = np.einsum("fnij,nj->fni", back[..., :3, :3], normal)
    _, rows = np.unique(np.floor(points[0] / collider.SPACING).astype(int), axis=0, return_index=True)
    return points, normals, np.sort(rows)


def _padded_collider(points, normals, limbs, ring, arms, radius):
    """A Collider of points, normals [K, P, 3], padded with points far away that are their own neighbours."""
    count = points.shape[1]
    if count > SITES_ROOM:
        raise ValueError(f"{count} collider points are more than {SITES_ROOM}")
    pad = SITES_ROOM - count
    lay = lambda values, empty: np.concatenate(  # noqa: E731
        [values.transpose(0, 2, 1), np.full((len(values), 3, pad), empty)], -1
    ).astype(np.float32)
    ring = np.concatenate([ring, np.tile(np.arange(count, SITES_ROOM)[:, None], collider.RING + 1)])
    limbs = np.concatenate([limbs, np.zeros((pad, 2))]).T.astype(np.float32)
    return collider.Collider(lay(points, 1e3), lay(normals, 0.0), ring.T.astype(np.int32), limbs, arms, radius)


def _arms(moving):
    """Ends of upper arms, forearms and hands in all key frames, f32 [K, 6, 2, 3], and radii [6]."""
    rest, tape, ends, radius = moving.rest, moving.figure.measurements, [], []
    for side in "LR":
        shoulder, elbow, wrist, knuckle = (
            _carried(moving, rest.joint_names.index(f"{bone}.{side}"))
            for bone in ("upperarm01", "lowerarm01", "wrist", "finger3-1")
        )
        # The shoulder's third of the arm is the trunk's; the fingers are as long again as the palm.
        pairs = ((shoulder + (elbow - shoulder) * 0.35, elbow), (elbow, wrist), (wrist, 2 * knuckle - wrist))
        ends += [np.stack(pair, 1) for pair in pairs]
        radius += [0.93 * tape.upper_arm, 1.35 * tape.wrist, 1.2 * tape.wrist]
    return np.stack(ends, 1).astype(np.float32), (np.array(radius) / (2 * np.pi)).astype(np.float32)


def _carried(moving, joint):
    """World positions [K, 3] of a joint in all key frames."""
    turned = moving.transforms[:, joint, :3, :3] @ moving.rest.joints[joint]
    return turned + moving.transforms[:, joint, :3, 3]


def attached(rest, points, transforms):
    """Positions [K, N, 3] of points [N, 3] at rest carried by the skin weights of the nearest body vertices."""
    near = cKDTree(rest.vertices).query(points)[1]
    indices, weights = rest.skin_indices[near], rest.skin_weights[near]
    return np.stack([body.skin(points.astype(np.float32), indices, weights, one) for one in transforms])


def _schedule(rows):
    """A cloth.Schedule of rows (frames, key at the start, key at the end, gravity, bending, damping)."""
    columns = [[] for _ in range(5)]
    for frames, first, last, *rest in rows:
        keys = np.linspace(first, last, frames + 1)
        for column, values in zip(
            columns, (keys[:-1], keys[1:], *(np.full(frames, value) for value in rest)), strict=True
        ):
            column.append(values)
    columns = [np.concatenate(column).astype(np.float32) for column in columns]
    return cloth.Schedule(*(np.pad(column, (0, FRAMES - len(column))) for column in columns))


ASSEMBLE = _schedule([(14, 0, 0, 0.1, 20.0, 0.90)])
REST = _schedule([(12, 0, 0, 0.6, 4.0, 0.97)])
MOVE = _schedule([(30, 0, LAST, 1.0, 1.0, 0.985), (20, LAST, LAST, 1.0, 1.0, 0.97)])
# What one pass a substep leaves of the weight as stretch grows with gravity: at rest a quarter of it hangs the cloth as
# the whole does, with stretch that is the fabric's and not the solver's.
SETTLE_A = _schedule([(14, 0, 0, LIGHT, LIGHT, 0.97)])
SETTLE = _schedule([(12, LAST, LAST, LIGHT, LIGHT, 0.985), (10, LAST, LAST, LIGHT, LIGHT, 0.95)])


def drape(pattern, moving, bodies, fabric, levels=2, spacing=COARSE, offset=0.0, ceiling=(-np.inf, 0.0)):
    """A pattern.Pattern Draped on a Motion whose collider is `bodies`; fabric a fabric.Fabric.

    levels: how often the mesh is refined, less one; spacing metres between vertices of the first level; offset metres
    off the skin, more than cloth.THICKNESS; ceiling: (height in the A-pose, metres): below it cloth lies that
    close to the skin, as under a waistband or a jacket. Raises ValueError if the pattern cannot be sewn so coarsely.
    """
    mesh = sewn.sew(pattern, spacing)
    gap = placement.GAP + 4 * offset
    placed, limbs = placement.place(pattern, mesh, moving.rest, moving.figure, gap)
    state = _Level(pattern, mesh, moving, limbs, bodies, fabric, offset, ceiling)
    x, _, _ = state.run(*state.start(placed), ASSEMBLE)
    # Cloth touches the limb that it lies on once it is sewn, which the first placing only guesses.
    x, near, _ = state.run(*state.start(np.asarray(x)[:, : mesh.count].T), REST)
    posed, posed_near, speed = state.run(x, near, MOVE)
    for _ in range(levels - 1):
        finer = sewn.refine(mesh, pattern)
        source = _prolongation(mesh, finer)
        limbs = {name: values[source].mean(1) for name, values in limbs.items()}
        mesh = finer
        state = _Level(pattern, mesh, moving, limbs, bodies, fabric, offset, ceiling)
        x, near, _ = state.run(*state.start(np.asarray(x).T[source].mean(1)), SETTLE_A)
        posed, posed_near, speed = state.run(*state.carry(posed, posed_near, source), SETTLE)
    count = mesh.count
    cut = lambda values: np.asarray(values)[:, :count].T  # noqa: E731
    return Draped(
        mesh, cut(posed), cut(x), state.edges, state.lengths, np.asarray(speed)[:count],
        state.own, pattern, fabric,
    )  # fmt: skip


def _prolongation(mesh, finer):
    """The two coarse sewn vertices [V, 2] that each finer one is the middle of."""
    source = np.zeros((finer.count, 2), int)
    source[finer.weld] = mesh.weld[finer.parents]
    return source


class _Level:
    """One level of detail, ready to run."""

    def __init__(self, pattern, mesh, moving, limbs, bodies, fabric, offset, ceiling):
        self.panels, self.ceiling = limbs, ceiling
        self.bodies, self.fabric, self.count = bodies, fabric, mesh.count
        self.cloth, self.edges, self.lengths = stitch.prepare(mesh, pattern, fabric, offset)
        held = np.asarray(self.cloth.pinned)[: mesh.count] > 0
        self.pins = np.zeros((KEYS, 3, len(self.cloth.pinned)), np.float32)
        if held.any():
            band, _ = placement.place(pattern, mesh, moving.rest, moving.figure, BAND_GAP + 2 * offset)
            self.pins[:, :, np.flatnonzero(held)] = attached(moving.rest, band[held], moving.transforms).transpose(
                0, 2, 1
            )

    def start(self, placed):
        """Positions [3, room] of vertices [V, 3] around the A-pose, and the collider point nearest to each; from here
        on the cloth has the limb coordinates of where it lies."""
        points, limbs = self.bodies.points[0].T, self.bodies.limbs.T
        # Trees refuse what is not finite: cloth that burst is left to the gates.
        found = np.nan_to_num(placed)
        self.own, counts = collider.coordinates(found, self.panels, points, limbs)
        near = collider.nearest(found, self.own, counts, points, limbs)
        ceiling = np.where(placed[:, 2:] < self.ceiling[0], self.ceiling[1], np.inf)
        self.cloth = self.cloth._replace(
            limbs=self._padded(self.own), counts=self._padded(counts), ceiling=self._padded(ceiling)[0]
        )
        return self._padded(placed), np.append(near, np.zeros(len(self.cloth.area) - self.count)).astype(np.int32)

    def carry(self, x, near, source):
        """The same from a coarser level's."""
        x, near = np.asarray(x).T, np.asarray(near)
        points = x[source].mean(1)
        return self._padded(points), np.append(near[source[:, 0]], np.zeros(len(self.cloth.area) - self.count)).astype(
            np.int32
        )

    def _padded(self, points):
        x = np.zeros((points.shape[1], len(self.cloth.area)), np.float32)
        x[:, : self.count] = points.T
        return x

    def run(self, x, near, schedule):
        """Positions, nearest points and speeds after a cloth.Schedule, as cloth.simulate gives them."""
        fabric = self.fabric
        return cloth.simulate(
            jnp.asarray(x), jnp.asarray(near), self.cloth, self.bodies, self.pins,
            np.float32(fabric.bending / fabric.density), np.float32(fabric.friction), schedule,
        )  # fmt: skip
