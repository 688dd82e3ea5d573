"""One person dressed, to look at: python -m tryon_jax.simulation.show [--garment --size --body --pose --seed] --out=DIR

Writes turntable.gif, strain.png (front and back; red is stretched, blue pushed together), shop.png (the garment alone,
laid flat and as on a ghost, front and back), person.glb, and prints how each garment fits. With a --size, strain.png
shows the size that the body should take beside it. A large body in S:

    python -m tryon_jax.simulation.show --garment=tshirt --size=S --body gender=1 weight=0.85 --out=DIR
"""

import argparse
import pathlib
import sys

import numpy as np
import tqdm
from PIL import Image

from tryon_jax import garments
from tryon_jax.errors import UserError
from tryon_jax.garments import sheet
from tryon_jax.render import shade
from tryon_jax.simulation import (
    body,
    drape,
    drawing,
    fabric,
    fit,
    gates,
    laid,
    occlusion,
    people,
    prints,
    shop,
    specification,
    wardrobe,
    worn,
)

FRAMES, PIXELS, TEXELS, LEVELS = 36, 384, 1024, 3
PIECES = 3
LAYERS = 8.0  # how often faces' boxes cover the picture, hair and three layers of fine cloth included
REDDEST = 0.08  # strain that is shown in full red
_RANGES = ", ".join(f"{name} {low:.2g} to {high:.2g}" for name, (low, high) in body.SHAPE.items())
# What is worn with a garment of each class.
WITH = {"upper": ("trousers",), "lower": ("tshirt",), "dress": (), "outer": ("trousers", "tshirt")}


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--garment", default="dress", choices=garments.names())
    parser.add_argument("--size", choices=list(fit.SIZES), help="of the chart; made to measure if not given")
    parser.add_argument(
        "--body", nargs="+", type=_control, default=[], metavar="NAME=VALUE", help=f"{_RANGES}; drawn if not given"
    )
    parser.add_argument("--pose", default="standing", choices=list(body.POSES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    given = parser.parse_args(arguments)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        show(given.garment, given.size, dict(given.body), given.pose, given.seed, given.out)
    except (UserError, OSError) as error:
        print(f"{given.out}: {error}", file=sys.stderr)
        return 1
    return 0


def _control(text):
    """Name and value of one of body.SHAPE's controls out of "name=value"."""
    name, _, value = text.partition("=")
    low, high = body.SHAPE.get(name, (np.inf, -np.inf))
    wrong = argparse.ArgumentTypeError(f"{text}: choose from {_RANGES}")
    try:
        number = float(value)
    except ValueError as error:
        raise wrong from error
    if not low <= number <= high:
        raise wrong
    return name, number


def show(name, size, controls, pose_name, seed, out):
    """Dresses the person of `seed`, but for shape `controls` {name of body.SHAPE: value}, in garment `name` and writes
    everything to the folder `out`."""
    rng = np.random.default_rng([seed, 20])
    shape = body.sample_shape(rng)
    if name in specification.WOMENS:
        shape[0] = max(shape[0], 1 - shape[0])
    for control, value in controls.items():
        shape[list(body.SHAPE).index(control)] = value
    pose = body.sample_pose(rng, pose_name)
    moving = drape.motion(body.load(), shape, pose)
    chart = "woman" if shape[0] > 0.5 else "man"
    hung = _put_on(name, size, chart, moving, seed)
    person = people.make(rng, moving.rest, chart == "woman", float(shape[1]))
    parts, lining, textures = _meshes(person, moving, hung, seed)
    light = np.asarray(
        shade.constant_light(np.full(3, 0.55, np.float32))
        + shade.distant_light(np.array([0.45, 0.55, 0.70], np.float32), np.full(3, 0.55, np.float32))
    )
    _turntable(parts, lining, textures, light, out / "turntable.gif")
    shown = _strain(parts, lining, textures, light)
    if size:
        cut = next(one.cut for one in hung if one.kind == name)
        right, _ = fit.recommend(name, cut.parameters, moving.figure, chart)
        print(f"{name}: this body should take {right}, which strain.png shows beside {size}")
        shown += _strain(*_meshes(person, moving, _put_on(name, right, chart, moving, seed), seed), light)
    Image.fromarray(np.concatenate(shown, 1)).save(out / "strain.png")
    layer = next(number for number, one in enumerate(hung) if one.kind == name)
    _shop(hung[layer], moving, textures[layer * TEXELS : (layer + 1) * TEXELS], out / "shop.png")
    _glb(parts, hung, textures, out / "person.glb")
    print(f"{out}: turntable.gif, strain.png, shop.png, person.glb")


def _put_on(name, size, chart, moving, seed):
    """wardrobe.Hungs of the garment and of what goes with it, in the order in which they are put on."""
    kinds = [*WITH[garments.load(name).CLASS], name]
    if name == "trousers":
        kinds = ["trousers", "tshirt"]
    hung = []
    for layer, kind in enumerate(kinds):
        cut = specification.cut(kind, seed * 16 + garments.names().index(kind), seed)
        drafted = fit.drafted_to(size, chart) if kind == name and size else moving.figure.measurements
        pattern = garments.load(kind).pattern(cut.parameters, drafted)
        tucked = kind == "tshirt" and name == "skirt"
        over = garments.load(name).CLASS == "outer" and garments.load(kind).CLASS == "upper"
        draped = drape.drape(
            pattern, moving, drape.colliders(moving, [one.draped for one in hung]), fabric.FABRICS[cut.fabric], LEVELS,
            offset=wardrobe.LAYER * layer, ceiling=wardrobe.ceiling(moving.figure, tucked, over),
        )  # fmt: skip
        report = gates.report(draped, moving)
        hung.append(wardrobe.Hung(kind, layer, cut, draped, report, (), tucked))
        _tell(hung[-1], size if kind == name else None, fit.ease(pattern, drafted, moving.figure))
    return hung


def _tell(one, size, ease):
    """Prints how a piece fits."""
    regions = ", ".join(f"{region} {100 * metres:+.1f} cm" for region, metres in ease.items())
    report = one.report
    failed = f"; fails {', '.join(report.failed)}" if report.failed else ""
    print(
        f"{one.kind} of {one.cut.fabric}, {size or 'made to measure'}: ease {regions}; 95 % of the cloth is stretched "
        f"by less than {100 * report.strain:.1f} %, {100 * report.inside:.2f} % of it is inside the body{failed}"
    )


def _meshes(person, moving, hung, seed):
    """drawing.Meshes of the person and the clothes; factor on the light of their vertices; stacked textures."""
    ready = [worn.wear(one.draped, moving) for one in hung]
    covers = np.any([one.hides for one in ready], axis=0)
    parts = people.uncovered(person, people.meshes(person, moving.vertices[-1], moving.transforms[-1]), covers)
    lining, textures = [np.ones(len(part.vertices), np.float32) for part in parts], []
    for layer, (one, prepared) in enumerate(zip(hung, ready, strict=True)):
        seen = worn.uncovered(hung, ready, layer)
        parts.append(worn.mesh(one, prepared, one.draped.vertices, (layer, PIECES), seen))
        lining.append(worn.lining(one.draped))
        piece = specification.Piece(one.kind, one.garment_id, seed * 16 + layer)
        design = specification.pattern(piece, one.cut.fabric, seed)
        raster = sheet.raster(prepared.layout, TEXELS)
        textures.append(prints.paint(design, raster, prepared.layout, one.draped.pattern.details, one.cut.fabric))
    textures += [np.zeros_like(textures[0])] * (PIECES - len(textures))
    return parts, np.concatenate(lining), np.concatenate(textures)


def _turned(parts, angle):
    """The same drawing.Meshes turned about the vertical axis through the pelvis."""
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]], np.float32)
    return [part._replace(vertices=part.vertices @ turn, normals=part.normals @ turn) for part in parts]


def _pictures(parts, lining, textures, light, angle):
    """Front and back drawing.Sides of the person turned by an angle."""
    mesh = drawing.join(_turned(parts, angle))
    openness = occlusion.openness(mesh, light)
    openness[: len(lining)] *= lining
    heights = np.concatenate([part.vertices[:, 1] for part in parts])
    camera = np.array([1.08 * np.ptp(heights) / PIXELS, 0, (heights.max() + heights.min()) / 2], np.float32)
    return drawing.draw(mesh, textures, light, camera, PIXELS, LAYERS, openness)


def _on_ground(side, ground=(0.93, 0.93, 0.94)):
    coverage = np.asarray(side.coverage)
    picture = np.asarray(side.rgb) * coverage + np.array(ground) * (1 - coverage)
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _turntable(parts, lining, textures, light, path):
    angles = np.arange(FRAMES) * (2 * np.pi / FRAMES)
    # The back camera sees what the front one would see half a turn later, mirrored.
    half = [
        _pictures(parts, lining, textures, light, angle) for angle in tqdm.tqdm(angles[: FRAMES // 2], desc="turning")
    ]
    frames = [Image.fromarray(_on_ground(front)) for front, _ in half]
    frames += [Image.fromarray(_on_ground(back)[:, ::-1]) for _, back in half]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0)


def _strain(parts, lining, textures, light):
    """Strain on a grey person from the front and from behind, uint8: white cloth is as long as its pattern."""
    shown = []
    for side, mirrored in zip(_pictures(parts, lining, textures, light, 0.0), (False, True), strict=True):
        strain = np.clip(np.asarray(side.strain) / REDDEST, -1, 1)
        cloth = np.asarray(side.strain) != 0
        colour = (
            1 - np.maximum(strain, 0) * np.array([0.1, 0.9, 0.9]) - np.maximum(-strain, 0) * np.array([0.9, 0.6, 0.05])
        )
        grey = np.asarray(side.rgb).mean(-1, keepdims=True) * 0.5 + 0.3
        picture = np.where(cloth, colour * (0.6 + 0.4 * np.abs(np.asarray(side.normals)[..., 2:])), grey)
        picture = np.where(np.asarray(side.labels)[..., None] > 0, picture, 0.96)
        shown.append(picture[:, ::-1] if mirrored else picture)
    return [np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8) for picture in shown]


def _shop(hung, moving, texture, path):
    """The garment alone: laid flat and as on a ghost, each from the front and from behind."""
    prepared, shown = worn.wear(hung.draped, moving), []
    for vertices, lies in ((laid.flat(hung.draped), True), (hung.draped.in_a_pose, False)):
        arranged = shop.arranged(hung.draped, vertices, lies, PIXELS)
        front, back = shop.sides(hung, prepared, arranged, texture, PIXELS, True, behind=True)
        shown += [shop.picture(front, np.ones(3), lies), shop.picture(back, np.ones(3), lies)[:, ::-1]]
    Image.fromarray(np.round(255 * np.clip(np.concatenate(shown, 1), 0, 1)).astype(np.uint8)).save(path)


def _glb(parts, hung, textures, path):
    """The body with vertex colours and each garment with its texture, metres, y up, standing on y = 0."""
    import trimesh

    bare = parts[: len(parts) - len(hung)]
    floor = min(part.vertices[:, 1].min() for part in parts)
    scene = trimesh.Scene()
    side = len(textures) // PIECES
    for number, part in enumerate(parts):
        vertices = part.vertices - np.array([0, floor, 0], np.float32)
        mesh = trimesh.Trimesh(vertices, part.faces, vertex_normals=part.normals, process=False)
        if number < len(bare):
            mesh.visual = trimesh.visual.ColorVisuals(mesh, vertex_colors=np.round(255 * part.colours).astype(np.uint8))
            name = ("body", "hair", "left shoe", "right shoe")[number] if number < 4 else f"part {number}"
        else:
            layer = number - len(bare)
            picture = np.round(255 * textures[layer * side : (layer + 1) * side]).astype(np.uint8)
            uv = part.texture_uv * [1, PIECES] - [0, layer]
            material = trimesh.visual.material.PBRMaterial(
                baseColorTexture=Image.fromarray(picture), roughnessFactor=0.9, metallicFactor=0.0, doubleSided=True
            )
            mesh.visual = trimesh.visual.TextureVisuals(uv=np.stack([uv[:, 0], 1 - uv[:, 1]], -1), material=material)
            name = hung[layer].kind
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    scene.export(path)


if __name__ == "__main__":
    sys.exit(main())
