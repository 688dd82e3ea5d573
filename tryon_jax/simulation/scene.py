"""One training example of the batch contract, made from its Specification alone."""

import functools

import jax
import numpy as np

from tryon_jax import garments
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART
from tryon_jax.render import shade
from tryon_jax.simulation import (
    background,
    body,
    captions,
    drawing,
    ground,
    occlusion,
    people,
    prints,
    sensor,
    specification,
)
from tryon_jax.simulation.drawing import camera_frame

# Room for every outfit, so that people and shop pictures are one compilation each.
PERSON_ROOM, SHOP_ROOM = (40960, 57344), (8192, 8192)
# How often faces' boxes cover the picture: 1.2 (hair has many) and 1.7 in the median, seldom over 2.3 and 3.
PERSON_LAYERS, SHOP_LAYERS = 2.5, 4.0
MARGIN = 0.06  # free share of the shop picture on each side
CHEST = 0.17  # metres below the neckline at which a chest picture's middle lies


def example(spec, size):
    """One example at picture side `size`: a dict as in data.specification, without `has`, for all of it is true.

    The same Specification gives the same arrays. Person and sheets share body, pose, camera and light.
    """
    seed = spec.entropy[0]
    rng = np.random.default_rng(spec.entropy)
    model = body.load()
    pose = body.sample_pose(rng, spec.pose)._replace(yaw=float(rng.uniform(-0.44, 0.44)))  # 25 degrees to either side
    person = body.posed(model, _shape(spec.body_id, seed), pose)
    light = _light(rng)
    shop_camera = _shop_camera(_garment(spec.chosen, spec.body_id, seed).picture_xy, size)
    outfits = [spec.sheets] if spec.same_garment else [spec.sheets, spec.worn]
    meshes = [_dressed(person, spec, outfit, shop_camera, size) for outfit in outfits]
    camera = _camera(rng, np.concatenate([part.vertices for parts in meshes for part in parts]), size)
    textures = [_textures(outfit, spec.body_id, seed, size) for outfit in outfits]
    drawn = [
        _drawn(drawing.join(parts, PERSON_ROOM), stack, light, camera, size)
        for parts, stack in zip(meshes, textures, strict=True)
    ]
    front, back = drawn[0]
    made = {"camera": camera, **_sheets(front, back, GARMENT_PARTS[spec.chosen.kind])}
    made["person"], made["person_segmentation"] = _photo(rng, drawn[-1][0], camera, size)
    made["keypoints"] = _keypoints(person.keypoints, camera, size)
    made["garment"], made["garment_mask"] = _shop_picture(rng, spec, shop_camera, size)
    made["garment_class"] = np.int32(GARMENT_CLASSES.index(spec.chosen.kind))
    made["same_garment"] = np.float32(spec.same_garment)
    parameters = specification.garment_parameters(spec.chosen, seed)
    words = specification.pattern(spec.chosen, seed).words
    woman = specification.is_woman(spec.body_id, seed)
    made["caption"] = captions.caption(woman, spec.pose, spec.chosen.kind, parameters, words)
    return made


def _drawn(mesh, textures, light, camera, size):
    """Both drawing.Sides of a joined person, its own shadows upon it."""
    return drawing.draw(mesh, textures, light, camera, size, PERSON_LAYERS, occlusion.openness(mesh, light))


@functools.lru_cache(maxsize=4)
def _shape(body_id, seed):
    """The six shape controls of a body, its gender as the Specification has it."""
    rng = np.random.default_rng([seed, 7, body_id])
    shape = body.sample_shape(rng)
    away = min(shape[0], 1 - shape[0])
    shape[0] = 1 - away if specification.is_woman(body_id, seed) else away
    return shape


@functools.lru_cache(maxsize=4)
def _rest(body_id, seed):
    return body.posed(body.load(), _shape(body_id, seed), body.Pose("a_pose", {}, 0.0)).rest


@functools.lru_cache(maxsize=16)
def _cut(kind, garment_id, body_id, seed):
    """A garment fitted to a body; consecutive examples share both, so it is kept."""
    piece = specification.Piece(kind, garment_id, 0)
    parameters = specification.garment_parameters(piece, seed)
    return garments.load(kind).pattern(parameters, _rest(body_id, seed))


def _garment(piece, body_id, seed):
    return _cut(piece.kind, piece.garment_id, body_id, seed)


@functools.lru_cache(maxsize=4)
def _texture(piece, body_id, seed, size):
    """The atlas picture of a piece; finer for larger pictures, at least as fine as their pixels."""
    garment = _garment(piece, body_id, seed)
    near_middle = (garment.uv[:, 0] < 0.5) & (np.abs(garment.picture_xy[:, 0]) < 0.06)
    top = garment.uv[near_middle, 1].min() * garment.metres_per_uv
    length = (garment.uv[:, 1].max() - garment.uv[:, 1].min()) * garment.metres_per_uv
    side = 256 if size <= 64 else 512 if size <= 256 else 1024
    return prints.texture(specification.pattern(piece, seed), side, garment.metres_per_uv, top + CHEST, length)


def _textures(outfit, body_id, seed, size):
    """Textures of up to two pieces one above the other, [2 N, N, 3]; the second is empty for a single piece."""
    found = [_texture(piece, body_id, seed, size) for piece in outfit]
    return np.concatenate([found[0], found[1] if len(found) > 1 else np.zeros_like(found[0])])


def _dressed(person, spec, outfit, shop_camera, size):
    """The body and an outfit on it: drawing.Meshes in the camera frame."""
    cut = [_garment(piece, spec.body_id, spec.entropy[0]) for piece in outfit]
    covers = np.any([garment.covers for garment in cut], axis=0)
    parts = people.meshes(_person(spec.body_id, spec.entropy[0]), person.vertices, person.transforms, covers)
    for layer, (piece, garment) in enumerate(zip(outfit, cut, strict=True)):
        posed = body.skin(garment.vertices_rest, garment.skin_indices, garment.skin_weights, person.transforms)
        frame = shop_camera if piece == spec.chosen else None
        parts.append(_cloth(piece, garment, posed, layer, frame, size))
    return parts


@functools.lru_cache(maxsize=4)
def _person(body_id, seed):
    """The body's looks, hair and shoes, the same in all of its examples."""
    rng, woman = np.random.default_rng([seed, 8, body_id]), specification.is_woman(body_id, seed)
    return people.make(rng, _rest(body_id, seed), woman, float(_shape(body_id, seed)[1]))


def _cloth(piece, garment, vertices, layer, frame, size):
    """A drawing.Mesh of a piece in world positions `vertices`, in texture `layer`; frame is its shop camera if any."""
    vertices = camera_frame(vertices)
    uv = np.stack([garment.uv[:, 0], (garment.uv[:, 1] + layer) / 2], axis=-1).astype(np.float32)
    xy = np.zeros_like(uv) if frame is None else garment_coordinate(garment.picture_xy, frame, size)
    labels = np.full(len(garment.faces), PART[GARMENT_PARTS[piece.kind]], np.int32)
    normals = drawing.vertex_normals(vertices, garment.faces, garment.weld)
    return drawing.Mesh(vertices, garment.faces, normals, np.zeros_like(vertices), uv, xy, labels)


def garment_coordinate(picture_xy, camera, size):
    """Coordinate in the shop picture, [..., 2] f32 in [-1, 1], x right, y down, of frontal metres [..., 2]."""
    offset = (picture_xy - camera[1:]) / (camera[0] * size / 2)
    return (offset * np.array([1, -1])).astype(np.float32)


def _camera(rng, points, size):
    """A camera in which camera-frame points [N, 3], the person in all outfits, fill about 0.9 of the picture."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    fill = rng.uniform(0.84, 0.95)
    scale = (high - low).max() / (fill * size)
    slack = (1 - fill) / 2 * size * scale
    centre = (low + high) / 2 + rng.uniform(-0.7, 0.7, 2) * slack
    return np.array([scale, *centre], np.float32)


_sample_light = jax.jit(shade.sample_light)


def _light(rng):
    return np.asarray(_sample_light(jax.random.key(int(rng.integers(2**31)))))


def _sheets(front, back, part):
    """The target keys of the contract from two drawn sides; `part` is the label of the garment to wear."""
    mask = (np.asarray(front.labels) > 0).astype(np.float32)[..., None]
    made = {"mask": mask}
    for name, side in (("front", front), ("back", back)):
        labels = np.asarray(side.labels)
        made[f"{name}_rgb"] = np.asarray(side.rgb) * mask
        made[f"{name}_depth"] = np.asarray(side.depth)
        made[f"{name}_normals"] = np.asarray(side.normals)
        made[f"{name}_segmentation"] = labels
        made[f"{name}_garment_uv"] = np.asarray(side.garment_xy) * (labels == PART[part])[..., None]
    return made


def _photo(rng, front, camera, size):
    """The photo [S, S, 3] before a background, and its part labels [S, S]."""
    feet = 0.5 + float(camera[2] / (camera[0] * size))
    behind = background.sample(rng, size, feet)
    coverage = np.asarray(front.coverage)
    behind = ground.shadow(rng, behind, coverage[..., 0], feet)
    picture = np.asarray(front.rgb) * coverage + behind * (1 - coverage)
    return sensor.expose(rng, picture), np.asarray(front.labels)


def _keypoints(points, camera, size):
    """Pixel x, y and visibility [17, 3] of world points: visible if inside the picture."""
    points = camera_frame(points)
    x = (points[:, 0] - camera[1]) / camera[0] + size / 2
    y = size / 2 - (points[:, 1] - camera[2]) / camera[0]
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    return np.stack([x, y, inside], axis=-1).astype(np.float32)


def _shop_camera(picture_xy, size):
    """The camera [3] that frames a garment at rest in the middle of its shop picture."""
    low, high = picture_xy.min(0), picture_xy.max(0)
    scale = (high - low).max() / ((1 - 2 * MARGIN) * size)
    return np.array([scale, *(low + high) / 2], np.float32)


def _shop_picture(rng, spec, camera, size):
    """The chosen garment alone, at rest, from the front, [S, S, 3], and its cut-out [S, S, 1]."""
    seed = spec.entropy[0]
    garment = _garment(spec.chosen, spec.body_id, seed)
    mesh = drawing.join([_cloth(spec.chosen, garment, garment.vertices_rest, 0, camera, size)], SHOP_ROOM)
    textures = _textures([spec.chosen], spec.body_id, seed, size)
    front, _ = drawing.draw(mesh, textures, shop_light(), camera, size, SHOP_LAYERS)
    plain = rng.uniform(0.94, 1.0) + np.zeros(3)
    if rng.uniform() < 0.15:
        plain = np.clip(rng.uniform(0.5, 0.9) + rng.uniform(-0.15, 0.15, 3), 0, 1)
    coverage = np.asarray(front.coverage)
    return np.asarray(front.rgb) * coverage + np.float32(plain) * (1 - coverage), coverage


@functools.cache
def shop_light():
    """Even light from the front, [9, 3]: the shop picture's colours are the print's, but for soft folds."""
    lamp = shade.distant_light(np.array([0.2, 0.4, 0.894], np.float32), np.full(3, 0.22, np.float32))
    return np.asarray(shade.constant_light(np.full(3, 0.8, np.float32)) + lamp)
