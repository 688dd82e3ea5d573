"""A frame of CLOTH3D as one example of the batch contract: its outfit, and its body if there is one, drawn."""

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image

from tryon_jax import data
from tryon_jax.data import standardize
from tryon_jax.data.cloth3d import body, sample
from tryon_jax.data.formats import pictures
from tryon_jax.errors import UserError
from tryon_jax.geometry.camera import camera_from_world, project
from tryon_jax.geometry.parts import GARMENT_CLASSES, PART
from tryon_jax.simulation import drawing, shop

SKIN = (0.80, 0.62, 0.52)  # display colour of bodies, which the set leaves open
BACKDROP = 0.85  # grey behind the photographed person
LAYERS = 4.0  # how often faces' boxes cover the picture, as of drawing.draw
ROOM = 8192  # vertices and faces are padded to this times a power of two, so that few sizes are ever compiled
# Of the root joint over the floor, and of the whole standing height, metres: where a camera looks if there is no body.
ROOT, HEIGHT = 0.55 * standardize.HEIGHT, standardize.HEIGHT


class Dressing(NamedTuple):
    """A garment ready to draw: `of` [P] the vertex that each paper corner is of; faces [F, 3] of corners, outside
    counter-clockwise; uv [P, 2] in [0, 1] of its picture, negative where it has a colour; picture_xy [P, 2] metres,
    where a corner is in the shop picture; camera [3] of that picture at side 1."""

    of: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    picture_xy: np.ndarray
    camera: np.ndarray


def example(one, frame, garment, size, smpl):
    """One example of the batch contract of a sample.Sample's frame; garment: the kind to wear; smpl: folder of SMPL.

    The person is turned to face the camera, and wears the same in the photo, which is the front sheet before a plain
    backdrop. Depth is 0 at the plane of the root joint.
    """
    path = body.supplied(smpl, one.gender)
    figure = body.posed(path, one, frame) if path else None
    yaw, root = sample.heading(one, frame), sample.root(one, frame)
    # The height over the world's floor stays.
    place = functools.partial(_in_camera, np.array([root[0], root[1], 0.0]), yaw)
    kinds = list(one.garments)
    textures = _textures(one, size)
    parts = [
        _mesh(one, kind, place(sample.world(one, frame, kind)), kinds.index(kind), kind == garment) for kind in kinds
    ]
    if figure:
        parts.append(_skin(figure, place(figure.vertices)))
    camera = _camera(parts, float(root[2]), size, figure)
    front, back = drawing.draw(_joined(parts), textures, shop.light(), camera, size, LAYERS)
    made = {key: np.zeros(*entry) for key, entry in data.specification(size).items() if key != "has"}
    made |= _sheets(front, back, PART[sample.CLASSES[garment]]) | {"camera": camera}
    made |= _shop_picture(one, garment, kinds.index(garment), textures, size)
    made |= _photo(front)
    made["has"] = {name: np.float32(name != "strain") for name in data.HAS}
    if figure:
        made["keypoints"] = _keypoints(place(figure.keypoints), camera, size)
    else:
        made["has"]["keypoints"] = np.float32(0)
    if not made["mask"].any():
        raise UserError(f"{one.place}: frame {frame} shows nothing; fetch the sample again")
    made["same_garment"] = np.float32(1)
    return made | {"caption": f"a {one.garments[garment].fabric} {garment.lower()}"}


def _in_camera(root, yaw, points):
    return np.asarray(camera_from_world((points - root).astype(np.float32), yaw), np.float32)


def _camera(parts, root_height, size, figure):
    """The camera [3]: a body fills 0.9 of the picture; without one, where a standing adult would be, about the root."""
    if figure:
        points = np.concatenate([part.vertices for part in parts])
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        return np.array([(high - low).max() / (standardize.FILL * size), *(low + high) / 2], np.float32)
    return np.array([HEIGHT / (standardize.FILL * size), 0.0, root_height - ROOT + HEIGHT / 2], np.float32)


@functools.lru_cache(maxsize=32)
def _dressing(place, kind):
    """The Dressing of a garment of the sample in folder `place`: alike in all its frames."""
    one = sample.loaded(place)
    rest, surface = sample.at_rest(one, kind), one.garments[kind].rest
    faces = surface.faces if _is_outward(rest, surface.faces) else surface.faces[:, ::-1]
    if one.garments[kind].picture is None:
        of, uv = np.arange(len(rest)), np.full((len(rest), 2), -1, np.float32)
    else:
        uv_faces = surface.uv_faces if faces is surface.faces else surface.uv_faces[:, ::-1]
        of, uv, faces = _split(surface.uv, faces, uv_faces)
    picture_xy = rest[of][:, [0, 2]]
    low, high = picture_xy.min(0), picture_xy.max(0)
    camera = np.array([(high - low).max() / (1 - 2 * shop.MARGIN), *(low + high) / 2], np.float32)
    return Dressing(of, faces.astype(np.int32), uv, picture_xy, camera)


def _is_outward(vertices, faces):
    """Whether faces are counter-clockwise seen from outside, by and large: what flows out through them is positive."""
    centres = vertices[faces].mean(1) - vertices.mean(0)
    return bool((drawing.crosses(vertices, faces) * centres).sum() > 0)


def _split(uv, faces, uv_faces):
    """(vertex of each corner [P], uv [P, 2] in the picture with y down, faces [F, 3] of corners) where seams part them.

    Pictures repeat beyond [0, 1]: every face is brought back by whole repeats.
    """
    repeats = np.floor(uv[uv_faces].min(1) + 1e-4)  # a face that starts on the border, but for rounding, is inside
    corners = uv[uv_faces] - repeats[:, None]
    rows = np.concatenate([faces[..., None], corners], -1).reshape(-1, 3)
    found, index = np.unique(rows, axis=0, return_inverse=True)
    down = np.clip(np.stack([found[:, 1], 1 - found[:, 2]], -1), 0, 1)
    return found[:, 0].astype(int), down.astype(np.float32), index.reshape(-1, 3)


def _textures(one, size):
    """The pictures of an outfit one above the other, [N T, T, 3] f32; grey where a garment has a colour instead."""
    side = 256 if size <= 64 else 4 * size if size <= 256 else 1024
    return np.concatenate([_texture(one.place, kind, side) for kind in one.garments])


@functools.lru_cache(maxsize=8)
def _texture(place, kind, side):
    path = sample.loaded(place).garments[kind].picture
    if path is None:
        return np.full((side, side, 3), 0.5, np.float32)
    return (
        np.asarray(Image.fromarray(pictures.colours(path)).resize((side, side), Image.Resampling.BOX), np.float32) / 255
    )


def _mesh(one, kind, vertices, number, chosen):
    """The drawing.Mesh of a garment with camera-frame vertices [V, 3], its picture number `number` of the outfit's."""
    dressing, garment = _dressing(one.place, kind), one.garments[kind]
    corners = vertices[dressing.of]
    colour = np.zeros(3) if garment.colour is None else garment.colour
    textured = dressing.uv[:, :1] >= 0
    stacked = np.stack([dressing.uv[:, 0], (dressing.uv[:, 1] + number) / len(one.garments)], -1)
    offset = (dressing.picture_xy - dressing.camera[1:]) / (dressing.camera[0] / 2)
    first = np.unique(dressing.of, return_index=True)
    weld = first[1][np.searchsorted(first[0], dressing.of)]
    count, label = len(corners), PART[sample.CLASSES[kind]]
    return drawing.Mesh(
        corners,
        dressing.faces,
        drawing.vertex_normals(corners, dressing.faces, weld),
        np.tile(np.asarray(colour, np.float32), (count, 1)),
        np.where(textured, stacked, -1).astype(np.float32),
        (offset * [1, -1]).astype(np.float32) if chosen else np.zeros((count, 2), np.float32),
        np.full(len(dressing.faces), label, np.int32),
        np.zeros((count, 1), np.float32),
    )


def _skin(figure, vertices):
    """The drawing.Mesh of a body.Body with camera-frame vertices."""
    count = len(vertices)
    normals = drawing.vertex_normals(vertices, figure.faces)
    colours = np.tile(np.float32(SKIN), (count, 1))
    nothing = np.zeros((count, 2), np.float32)
    return drawing.Mesh(
        vertices, figure.faces, normals, colours, nothing - 1, nothing, figure.labels, nothing[:, :1]
    )  # fmt: skip


def _joined(parts):
    counts = (sum(len(part.vertices) for part in parts), sum(len(part.faces) for part in parts))
    return drawing.join(parts, tuple(ROOM * 2 ** int(np.ceil(np.log2(max(count / ROOM, 1)))) for count in counts))


def _sheets(front, back, label):
    """The target keys of the contract from two drawing.Sides; `label`: part of the garment to wear."""
    mask = (np.asarray(front.labels) > 0).astype(np.float32)[..., None]
    made = {"mask": mask}
    for name, side in (("front", front), ("back", back)):
        labels = np.asarray(side.labels)
        made[f"{name}_rgb"] = np.asarray(side.rgb) * mask
        made[f"{name}_depth"], made[f"{name}_normals"] = np.asarray(side.depth), np.asarray(side.normals)
        made[f"{name}_segmentation"] = labels
        made[f"{name}_garment_uv"] = np.asarray(side.garment_xy) * (labels == label)[..., None]
    return {**made, "front_fine": np.asarray(front.fine)}


def _photo(front):
    """person, person_fine and person_segmentation: the front sheet before a plain backdrop."""
    coverage, fine = np.asarray(front.coverage), np.asarray(front.fine)
    return {
        "person": np.asarray(front.rgb) * coverage + np.float32(BACKDROP) * (1 - coverage),
        "person_fine": fine[..., :3] + np.float32(BACKDROP) * (1 - fine[..., 3:]),
        "person_segmentation": np.asarray(front.labels),
    }


def _shop_picture(one, kind, number, textures, size):
    """garment, garment_mask and garment_class: the garment at rest, from the front."""
    dressing = _dressing(one.place, kind)
    camera = dressing.camera / np.array([size, 1, 1], np.float32)
    vertices = drawing.camera_frame(sample.at_rest(one, kind))
    mesh = _joined([_mesh(one, kind, vertices, number, True)])
    front, _ = drawing.draw(mesh, textures, shop.light(), camera, size, LAYERS)
    return {
        "garment": np.asarray(shop.picture(front, np.full(3, standardize.GROUND), False), np.float32),
        "garment_mask": np.asarray(front.coverage),
        "garment_class": np.asarray(GARMENT_CLASSES.index(sample.CLASSES[kind]), np.int32)[()],
    }


def _keypoints(points, camera, size):
    """Pixel x, y and visibility [17, 3] of camera-frame points: visible if inside the picture."""
    found = np.array(project(camera, points, (size, size)))
    found[:, 2] = ((found[:, :2] >= 0) & (found[:, :2] < size)).all(1)
    return found.astype(np.float32)
