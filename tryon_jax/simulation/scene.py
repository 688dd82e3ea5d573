"""One training example of the batch contract, made from its Specification alone."""

import copy
import functools

import jax
import numpy as np

from tryon_jax import garments
from tryon_jax.garments import sheet
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART
from tryon_jax.render import shade
from tryon_jax.simulation import (
    background,
    body,
    captions,
    drawing,
    exposure,
    ground,
    laid,
    occlusion,
    people,
    prints,
    sensor,
    shop,
    specification,
    wardrobe,
    worn,
)
from tryon_jax.simulation.drawing import camera_frame

# Vertices and faces of every outfit of coarse cloth, and of fine: all people are one compilation.
PERSON_ROOM = ((36864, 53248), (65536, 106496))
# How often faces' boxes cover the picture: 1.2 in the median (hair has many), seldom over 2.3.
PERSON_LAYERS = 2.5
PIECES = 3  # pieces of clothing in an outfit, at most
FINE = 96  # pixels a side above which cloth and rooms are fine
# Share of pose.SPREAD by which each example's limbs and head move from the pose in which its clothes were draped. All
# of it: few bodies, each in one pose, would be learned by heart.
MOVEMENT = 1.0


def example(spec, size):
    """One example at picture side `size`: a dict as in data.specification, without `has`, for all of it is true.

    The same Specification gives the same arrays. Person and sheets share body, pose, camera and light.
    """
    seed, levels = spec.entropy[0], cloth_levels(size)
    rng = np.random.default_rng(spec.entropy)
    closet = wardrobe.dress(spec.body_id, seed, levels)
    moved = body.moved(rng, closet.pose, MOVEMENT)._replace(yaw=float(rng.uniform(-0.44, 0.44)))  # 25 degrees each way
    person = body.in_pose(body.load(), closet.motion.standing, moved)
    light = _light(rng)
    outfits = [spec.sheets] if spec.same_garment else [spec.sheets, spec.worn]
    shown = _shop(spec, closet, size)
    bare = people.meshes(_person(spec.body_id, seed, levels), person.vertices, person.transforms, size > FINE)
    dressed = [_dressed(person, bare, spec, outfit, closet, shown, size) for outfit in outfits]
    camera = _camera(rng, np.concatenate([part.vertices for parts, _ in dressed for part in parts]), size)
    ready = [
        (*_joined(*one, light, size), _textures(outfit, closet, spec, size))
        for one, outfit in zip(dressed, outfits, strict=True)
    ]
    light = exposure.exposed(rng, light, [exposure.meter(*one, light) for one in ready])
    drawn = [
        drawing.draw(mesh, textures, light, camera, size, PERSON_LAYERS, openness, behind=number == 0)
        for number, (mesh, openness, textures) in enumerate(ready)
    ]
    front, back = drawn[0]
    garment_class = garments.load(spec.chosen.kind).CLASS
    made = {"camera": camera, **_sheets(front, back, GARMENT_PARTS[garment_class])}
    made |= _photo(rng, drawn[-1][0], camera, size)
    made["keypoints"] = _keypoints(person.keypoints, camera, size)
    made["garment"], made["garment_mask"] = _shop_picture(rng, spec, closet, shown, size)
    made["garment_class"] = np.int32(GARMENT_CLASSES.index(garment_class))
    made["same_garment"] = np.float32(spec.same_garment)
    made["caption"] = _caption(spec, closet)
    return made


def about(spec, size):
    """Who and what is in example(spec, size), beside its pictures: a dict as in data.synthetic.records.ABOUT.

    Asked after the example was made it costs nothing: body, clothes and looks are kept.
    """
    seed, levels = spec.entropy[0], cloth_levels(size)
    closet = wardrobe.dress(spec.body_id, seed, levels)
    chosen = closet.hung(spec.chosen.garment_id, _outfit_of(spec.sheets, closet))
    person = _person(spec.body_id, seed, levels)
    return {
        "shape": closet.shape,
        "stature": np.ptp(closet.motion.rest.vertices[:, 2]),
        "skin": person.look.skin,
        "hairstyle": person.hairstyle,
        "pose": closet.pose.name,
        "garment_kind": spec.chosen.kind,
        "fabric": chosen.cut.fabric,
        "print_kind": specification.pattern(spec.chosen, chosen.cut.fabric, seed).kind,
        "gates": chosen.report[:3],
        "drapes": (closet.drapes, closet.redraws),
    }


def cloth_levels(size):
    """Levels of detail of the cloth (vertices 44, 22 or 11 mm apart) in pictures of side `size`."""
    return 1 if size <= 32 else 2 if size <= FINE else 3


def _caption(spec, closet):
    hung, seed = closet.hung(spec.chosen.garment_id, _outfit_of(spec.sheets, closet)), spec.entropy[0]
    words = specification.pattern(spec.chosen, hung.cut.fabric, seed).words
    woman = specification.is_woman(spec.body_id, seed)
    return captions.caption(woman, closet.pose.name, spec.chosen.kind, hung.cut.parameters, words, hung.cut.fabric)


def _joined(parts, lining, light, size):
    """The drawing.Mesh of a person, and the light that its shadows leave to each vertex."""
    mesh = drawing.join(parts, PERSON_ROOM[size > FINE])
    lining = np.pad(lining, (0, len(mesh.vertices) - len(lining)), constant_values=1)
    # A collar's normals point to the cloth that it folds onto; what is seen of it looks the other way.
    seen = mesh.normals * np.where(lining > 1, -1, 1).astype(np.float32)[:, None]
    return mesh, occlusion.openness(mesh._replace(normals=seen), light) * lining


def _outfit_of(outfit, closet):
    """0 or 1: which of the closet's outfits this is."""
    numbers = {piece.garment_id for piece in outfit}
    return next(index for index, one in enumerate(closet.outfits) if {hung.garment_id for hung in one} == numbers)


@functools.lru_cache(maxsize=12)
def _worn(body_id, seed, levels, outfit, garment_id):
    """The worn.Worn of a garment in one of the body's outfits."""
    closet = wardrobe.dress(body_id, seed, levels)
    hung = closet.hung(garment_id, outfit)
    if outfit and any(one.key == hung.key for one in closet.outfits[0]):
        return _worn(body_id, seed, levels, 0, garment_id)
    return worn.wear(hung.draped, closet.motion)


@functools.lru_cache(maxsize=4)
def _layered(body_id, seed, levels, outfit):
    """The worn.Worns of an outfit; which vertices of each may be seen; body faces [F] bool that they surely hide."""
    hung = wardrobe.dress(body_id, seed, levels).outfits[outfit]
    ready = [_worn(body_id, seed, levels, outfit, one.garment_id) for one in hung]
    seen = [worn.uncovered(hung, ready, layer) for layer in range(len(hung))]
    return ready, seen, np.any([one.hides for one in ready], axis=0)


@functools.lru_cache(maxsize=4)
def _laid(body_id, seed, levels, outfit, garment_id):
    """Vertices of a garment laid flat."""
    return laid.flat(wardrobe.dress(body_id, seed, levels).hung(garment_id, outfit).draped)


@functools.lru_cache(maxsize=12)
def _sheet(body_id, seed, levels, garment_id, size):
    """The garment's texture sheet, raster and layout: alike in both outfits."""
    outfit, _ = _hung(body_id, seed, levels, garment_id)
    layout = _worn(body_id, seed, levels, outfit, garment_id).layout
    side = 192 if size <= 64 else 768 if size <= 256 else 1024
    return sheet.raster(layout, side), layout


def _hung(body_id, seed, levels, garment_id):
    """Number of the first of a body's outfits with a garment, and its wardrobe.Hung there: cut alike in both."""
    outfits = wardrobe.dress(body_id, seed, levels).outfits
    return next((index, hung) for index, one in enumerate(outfits) for hung in one if hung.garment_id == garment_id)


@functools.lru_cache(maxsize=16)
def _painted(piece, body_id, seed, levels, size):
    """The picture on a piece's cloth: most pieces are seen in both outfits and in several examples of their body."""
    _, hung = _hung(body_id, seed, levels, piece.garment_id)
    raster, layout = _sheet(body_id, seed, levels, piece.garment_id, size)
    fabric = hung.cut.fabric
    return prints.paint(specification.pattern(piece, fabric, seed), raster, layout, hung.draped.pattern.details, fabric)


def _textures(outfit, closet, spec, size):
    """Textures of up to PIECES pieces one above the other, [PIECES N, N, 3]; black for those that are missing."""
    index = _outfit_of(outfit, closet)
    by_number = {piece.garment_id: piece for piece in outfit}
    wearer = spec.body_id, spec.entropy[0], cloth_levels(size)
    found = [_painted(by_number[hung.garment_id], *wearer, size) for hung in closet.outfits[index]]
    return np.concatenate(found + [np.zeros_like(found[0])] * (PIECES - len(found)))


def _dressed(person, bare, spec, outfit, closet, shown, size):
    """The `bare` meshes of a body and an outfit on it: drawing.Meshes in the camera frame, and how much more light each
    of their vertices gets than other cloth's inner side, [V]."""
    seed, index, levels = spec.entropy[0], _outfit_of(outfit, closet), cloth_levels(size)
    hung = closet.outfits[index]
    ready, seen, covers = _layered(spec.body_id, seed, levels, index)
    parts = people.uncovered(_person(spec.body_id, seed, levels), bare, covers)
    lining = [np.ones(len(part.vertices), np.float32) for part in parts]
    moved = person.transforms @ np.linalg.inv(closet.motion.transforms[-1])
    for layer, (one, prepared) in enumerate(zip(hung, ready, strict=True)):
        vertices = worn.carried(one.draped, prepared, moved)
        xy = shop.coordinates(shown, size) if one.garment_id == spec.chosen.garment_id else None
        parts.append(worn.mesh(one, prepared, vertices, (layer, PIECES), seen[layer], xy))
        lining.append(worn.lining(one.draped))
    return parts, np.concatenate(lining)


@functools.lru_cache(maxsize=4)
def _person(body_id, seed, levels):
    """The body's looks, hair and shoes, the same in all of its examples."""
    rng, woman = np.random.default_rng([seed, 8, body_id]), specification.is_woman(body_id, seed)
    closet = wardrobe.dress(body_id, seed, levels)
    return people.make(rng, closet.motion.rest, woman, float(closet.shape[1]))


def _shop(spec, closet, size):
    """The shop.Shop of the garment to wear."""
    index = _outfit_of(spec.sheets, closet)
    hung = closet.hung(spec.chosen.garment_id, index)
    draped, seed = hung.draped, [spec.entropy[0], 13, spec.chosen.print_id]
    # As on a ghost, a top that was tucked into a skirt would look knotted.
    lies = hung.tucked or bool(np.random.default_rng(seed).uniform() < 0.5)
    number = (spec.body_id, spec.entropy[0], cloth_levels(size), index, spec.chosen.garment_id)
    return shop.arranged(draped, _laid(*number) if lies else draped.in_a_pose, lies, size)


def _camera(rng, points, size):
    """A camera in which camera-frame points [N, 3], the person in all outfits, fill about 0.9 of the picture."""
    low, high = (np.array([choose(points[:, axis]) for axis in (0, 1)]) for choose in (np.min, np.max))
    fill = rng.uniform(0.84, 0.95)
    scale = (high - low).max() / (fill * size)
    slack = (1 - fill) / 2 * size * scale
    centre = (low + high) / 2 + rng.uniform(-0.7, 0.7, 2) * slack
    return np.array([scale, *centre], np.float32)


@jax.jit
def _sample_light(seed):
    return shade.sample_light(jax.random.key(seed))


def _light(rng):
    return np.asarray(_sample_light(int(rng.integers(2**31))))


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
        made[f"{name}_strain"] = np.asarray(side.strain)
        made[f"{name}_garment_uv"] = np.asarray(side.garment_xy) * (labels == PART[part])[..., None]
    return {**made, "front_fine": np.asarray(front.fine)}


def _photo(rng, front, camera, size):
    """The photo before a background, its part labels, and the same photo taken with twice the pixels a side."""
    feet = 0.5 + float(camera[2] / (camera[0] * size))
    behind = background.finer(rng, size, feet)
    again = copy.deepcopy(rng)  # shadow, lens and contrast are drawn alike; grain is each picture's own
    coverage, fine = np.asarray(front.coverage), np.asarray(front.fine)
    pictures = {
        "person": (rng, np.asarray(front.rgb) * coverage, coverage, _halved(behind)),
        "person_fine": (again, fine[..., :3], fine[..., 3:], behind),
    }
    made = {"person_segmentation": np.asarray(front.labels)}
    for name, (draws, covered, share, ground_behind) in pictures.items():
        shaded = ground.shadow(draws, ground_behind, share[..., 0], feet)
        made[name] = sensor.expose(draws, covered + shaded * (1 - share))
    return made


def _halved(picture):
    """Mean over 2 x 2 pixels of a picture [2S, 2S, C]."""
    # Four pictures added: numpy's mean over two short axes takes five times as long.
    even, odd = picture[::2], picture[1::2]
    return (even[:, ::2] + even[:, 1::2] + odd[:, ::2] + odd[:, 1::2]) / 4


def _keypoints(points, camera, size):
    """Pixel x, y and visibility [17, 3] of world points: visible if inside the picture."""
    points = camera_frame(points)
    x = (points[:, 0] - camera[1]) / camera[0] + size / 2
    y = size / 2 - (points[:, 1] - camera[2]) / camera[0]
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    return np.stack([x, y, inside], axis=-1).astype(np.float32)


def _shop_picture(rng, spec, closet, shown, size):
    """The chosen garment alone, from the front, [S, S, 3], and its cut-out [S, S, 1]."""
    index, levels = _outfit_of(spec.sheets, closet), cloth_levels(size)
    hung = closet.hung(spec.chosen.garment_id, index)
    prepared = _worn(spec.body_id, spec.entropy[0], levels, index, spec.chosen.garment_id)
    texture = _painted(spec.chosen, spec.body_id, spec.entropy[0], levels, size)
    front, _ = shop.sides(hung, prepared, shown, texture, size, size > FINE)
    return shop.picture(front, shop.ground(rng), shown.lies), np.asarray(front.coverage)
