"""Drapes a pattern on a body: put around it in its A-pose, sewn, carried to the pose, settled, refined."""

import functools
from typing import NamedTuple

import jax
import numpy as np

from tryon_jax.garments import measurements, nearby, placement, sewn
from tryon_jax.simulation import body, cloth, collider, gates, level
from tryon_jax.simulation.drawing import vertex_normals

KEYS = 5  # poses between the A-pose and the wanted one
LAST, FRAMES, LIGHT = KEYS - 1, 64, 0.25
SITES_ROOM = 8192  # collider points of nearly all outfits; what has more gets room by the quarter of it
COVERED = 0.025  # metres from a garment within which the skin beneath it is left out
COARSE = 0.044  # metres between vertices of the first level
TUCKED = 0.004  # metres between skin and what is tucked in


class Motion(NamedTuple):
    """A body from its A-pose to a pose, facing -y: standing, a body.Standing, and its rest, a garments.Rest; figure,
    its measurements.Figure; vertices [K, V, 3] and transforms [K, J, 4, 4] of the key frames; sites, its
    collider.Sites, which are at places, with directions [K, P, 3]; skin, the gates.Surface of the last key frame;
    tree: the nearby.tree of the vertices at rest."""

    standing: body.Standing
    rest: object
    figure: object
    vertices: np.ndarray
    transforms: np.ndarray
    sites: collider.Sites
    places: np.ndarray
    directions: np.ndarray
    skin: gates.Surface
    tree: object


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
    person = body.standing(model, shape)
    eased = [{bone: share * turned for bone, turned in pose.rotations.items()} for share in np.linspace(0, 1, KEYS)]
    bodies = body.in_poses(model, person, [body.Pose(pose.name, rotations, 0.0) for rotations in eased])
    rest, (sites, near) = person.rest, _sites()
    on_skin = [collider.on_body(sites, one.vertices, rest.faces, vertex_normals(one.vertices, near)) for one in bodies]
    places, directions = (np.stack(values) for values in zip(*on_skin, strict=True))
    vertices, transforms = np.stack([one.vertices for one in bodies]), np.stack([one.transforms for one in bodies])
    return Motion(
        person, rest, measurements.measure(rest), vertices, transforms, sites, places, directions,
        gates.surface(vertices[-1], rest.faces), nearby.tree(rest.vertices),
    )  # fmt: skip


@functools.cache
def _sites():
    """The collider.Sites of the mean body, which do for all: their neighbours are the same, a little further apart; and
    the faces that decide the normals there, those around the sites' corners, as corners [F, 3]."""
    model = body.load()
    found = collider.sites(body.standing(model, np.full(6, 0.5, np.float32)).rest)
    used = np.zeros(len(model.template), bool)
    used[model.faces[found.face]] = True
    return found, model.faces[used[model.faces].any(1)]


def colliders(moving, inner=()):
    """The collider.Collider of a Motion, and of the clothes beneath: Drapeds on it, whose skin it does without."""
    points, normals, limbs, ring = moving.places, moving.directions, moving.sites.limbs, moving.sites.ring
    for draped in inner:
        over, over_normals, rows = _worn(moving, draped)
        bare = np.isinf(nearby.tree(over[0]).query(points[0], distance_upper_bound=COVERED)[0])
        points = np.concatenate([points[:, bare], over[:, rows]], 1)
        normals = np.concatenate([normals[:, bare], over_normals[:, rows]], 1)
        limbs = np.concatenate([limbs[bare], draped.limbs[rows]])
    if inner:
        ring = collider.rings(points[0], limbs)
    return _padded_collider(points, normals, limbs, ring, *_arms(moving))


def _worn(moving, draped):
    """Positions and normals [K, V, 3] of a garment that goes back with the body from its pose to the A-pose, and
    vertices about collider.SPACING apart."""
    near = moving.tree.query(draped.in_a_pose)[1]
    blended = body.blended(moving.rest.skin_indices[near], moving.rest.skin_weights[near], moving.transforms)
    back = blended @ np.linalg.inv(blended[-1])
    normal = vertex_normals(draped.vertices, draped.mesh.weld.take(draped.mesh.faces))
    points, normals = _turned(back, draped.vertices) + back[..., :3, 3], _turned(back, normal)
    return points, normals, collider.thinned(points[0])


def _turned(transforms, vectors):
    """Vectors [V, 3] turned by transforms [K, V, 4, 4]: [K, V, 3]. Written out, for einsum takes five times as long."""
    x, y, z = vectors.T[:, :, None]
    return transforms[..., :3, 0] * x + transforms[..., :3, 1] * y + transforms[..., :3, 2] * z


def _padded_collider(points, normals, limbs, ring, arms, radius):
    """A Collider of points, normals [K, P, 3], padded with points far away that are their own neighbours; in JAX's
    arrays, so that one copy does for all clothes on it."""
    count = points.shape[1]
    step = SITES_ROOM // 4
    room = max(SITES_ROOM, -(-count // step) * step)

    def padded(values, empty, kind=np.float32):
        rows = np.empty((*values.shape[:-2], values.shape[-1], room), kind)
        rows[..., :count], rows[..., count:] = values.swapaxes(-1, -2), empty
        return rows

    laid = padded(points, collider.FAR), padded(normals, 0.0), padded(ring, np.arange(count, room), np.int32)
    return jax.device_put(collider.Collider(*laid, padded(limbs, 0.0), arms, radius))


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
SETTLE_A = _schedule([(8, 0, 0, LIGHT, LIGHT, 0.97)])
SETTLE = _schedule([(12, LAST, LAST, LIGHT, LIGHT, 0.985), (10, LAST, LAST, LIGHT, LIGHT, 0.95)])


def drape(pattern, moving, bodies, fabric, levels=2, spacing=COARSE, offset=0.0, ceiling=(-np.inf, 0.0)):
    """A pattern.Pattern Draped on a Motion whose collider is `bodies`; fabric a fabric.Fabric.

    levels: how often the mesh is refined, less one; spacing metres between vertices of the first level; offset metres
    off the skin, more than cloth.THICKNESS; ceiling: (height in the A-pose, metres): below it cloth lies that
    close to the skin, as under a waistband or a jacket. Raises ValueError if the pattern cannot be sewn so coarsely.
    """
    mesh = sewn.sew(pattern, spacing)
    gap = placement.GAP + 4 * offset
    placed, panels = placement.place(pattern, mesh, moving.rest, moving.figure, gap)
    now = level.prepare(pattern, mesh, moving, bodies, fabric, offset)
    now, x, near = level.touching(now, placed, panels, ceiling)
    x, _, _ = level.run(now, x, near, ASSEMBLE)
    # Cloth touches the limb that it lies on once it is sewn, which the first placing only guesses.
    now, x, near = level.touching(now, np.asarray(x)[:, : mesh.count].T, panels, ceiling)
    x, near, _ = level.run(now, x, near, REST)
    posed, posed_near, speed = level.run(now, x, near, MOVE)
    for _ in range(levels - 1):
        finer = sewn.refine(mesh, pattern)
        source, mesh = _prolongation(mesh, finer), finer
        now = level.inherited(level.prepare(pattern, mesh, moving, bodies, fabric, offset), now, source)
        x, near, _ = level.run(now, *level.prolonged(now, x, near, source), SETTLE_A)
        posed, posed_near, speed = level.run(now, *level.prolonged(now, posed, posed_near, source), SETTLE)
    cut = lambda values: np.asarray(values)[:, : mesh.count].T  # noqa: E731
    return Draped(
        mesh, cut(posed), cut(x), now.edges, now.lengths, np.asarray(speed)[: mesh.count], now.limbs, pattern, fabric
    )  # fmt: skip


def _prolongation(mesh, finer):
    """The two coarse sewn vertices [V, 2] that each finer one is the middle of."""
    source = np.zeros((finer.count, 2), int)
    source[finer.weld] = mesh.weld[finer.parents]
    return source
