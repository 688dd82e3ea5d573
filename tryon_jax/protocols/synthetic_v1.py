"""Sheets of made people against their exact truth: colours, shape, labels, and whether front and back agree.

Targets: --targets=synthetic:PRESET (smoke, cpu, base, large) takes the held-out examples of the made data; or a folder
of theirs that --export=DIR has written, one folder an example (00000, 00001, ...), with what a method is given:
  person.png person_labels.png    the photo, and its part labels (geometry/parts.py, PARTS)
  garment.png garment_mask.png    the garment's picture and its cut-out
  example.json                    camera (metres a pixel, centre), keypoints (COCO's 17: x, y in pixels, visibility),
                                  garment_class, same_garment, caption
and the truth in the files of an output. Outputs: a folder an example, of the target's name, at the target's size, with
  front.png mask.png              needed: RGB of the dressed person, and the silhouette (grey, 255 inside)
  back.png                        RGB, the pixel behind the front's pixel
  front_depth.npy back_depth.npy  float32, metres toward the front camera from the root plane
  front_normals.npy back_normals.npy   float32, 3 channels: x right, y up, z toward the front camera
  front_labels.png back_labels.png     8-bit part labels; outside the silhouette they count as background
or the sheets.npz that tryon writes (which then counts alone). Files but the needed ones may be left out, of all
examples alike: then the scores that they allow are left out.

Scores are means over examples. Pictures are shown on mid-grey outside their own silhouette. What is of pictures and
labels is of the examples whose photo shows another garment (same_garment 0), since a photo that shows the garment
already gives the answer; what is of shapes is of all. Depths and normals are judged on the target's silhouette; what
an output leaves at 0 there counts as the root plane, and a normal of 0 as 90 degrees. Floors, scored alike: constant
(the photo's silhouette at the set's one best depth a sheet), copied (the photo as it is), pasted (the garment's
cut-out stretched onto the photo's joints); truth is the target's own value of a score that needs no target.
"""

import functools

import numpy as np

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART, PARTS
from tryon_jax.protocols import floors, reading, sheets
from tryon_jax.scores import colour, depth, regions, shapes, similarity, views

VARIANTS = ("all",)
GREY = 0.5
M = protocols.Measure
MEASURES = {
    "ssim_gaussian": M("", "more", "structural similarity of the front, 11 x 11 Gaussian window"),
    "ms_ssim": M("", "more", "structural similarity at five scales"),
    "psnr": M("dB", "more", "front, where either silhouette is"),
    "garment_delta_e76": M("", "less", "colour difference in L*a*b* where the garment shows in front"),
    "back_psnr": M("dB", "more", "back, where either silhouette is"),
    "back_garment_delta_e76": M("", "less", "colour difference where the garment shows behind"),
    "label_miou": M("", "more", "part labels, mean of both sheets"),
    "silhouette_iou": M("", "more", "silhouette"),
    "depth_abs": M("m", "less", "mean absolute error of depth, both sheets"),
    "depth_sq": M("m2", "less", "mean squared error of depth"),
    "depth_rmse": M("m", "less", "root mean squared error of depth"),
    "normal_angle": M("degrees", "less", "angle between normals, both sheets"),
    "chamfer": M("m", "less", "symmetric Chamfer distance of both sheets' points"),
    "point_to_surface": M("m", "less", "from the output's points to the target's surface"),
    "view_silhouette_iou": M("", "more", "where front and back labels show a person"),
    "view_crossing": M("", "less", "share of pixels whose back lies before the front"),
    "view_rim_gap": M("m", "less", "thickness at the silhouette's outermost pixels"),
    "view_rim_delta_e76": M("", "less", "colour difference of front and back there"),
    **protocols.DISTANCE_MEASURES,
}


def task(outputs, targets, variant=VARIANTS[0], limit=0):
    """The Task of a folder of outputs against targets: a folder, or a random-access source of examples."""
    outputs = reading.folder(outputs, "--outputs")
    names, read_target = _targets(targets)
    names = protocols.spread(names, limit)
    keys = sheets.output_keys([outputs / name for name in names])

    def read(number):
        target = read_target(names[number])
        if {"front_depth", "back_depth"} <= set(keys):  # once for the output and its floors
            target["surface"] = shapes.prepare(*shapes.surface(*_solid(target)))
        return sheets.read_output(outputs / names[number], keys, target["mask"].shape), target

    size = read_target(names[0])["mask"].shape
    notes = ["scores of pictures and labels are of examples with another garment in the photo"]
    if min(size) < similarity.MS_SSIM_SIDE:
        notes.append(f"ms_ssim takes pictures of {similarity.MS_SSIM_SIDE} pixels or more: left out")
    missing = [sheets.FILES[key][0] for key in sheets.FILES if key not in keys]
    if missing:
        notes.append(f"the outputs have no {', '.join(missing)}: scores of these are left out")
    naive = functools.partial(_floors, keys=keys, constants=best_constants(read_target(name) for name in names))
    return protocols.Task(names, read, score, own, naive, picture, MEASURES, notes)


def _targets(targets):
    """(names, name -> target) of a folder of exported targets or of a source of examples."""
    if not isinstance(targets, str) and hasattr(targets, "__getitem__"):
        names = [f"{number:05d}" for number in range(len(targets))]
        return names, lambda name: sheets.from_example(targets[int(name)])
    folder = reading.folder(targets, "--targets")
    names = sorted(path.name for path in folder.iterdir() if (path / sheets.ABOUT).is_file())
    if not names:
        raise UserError(f"{folder}: no folder with {sheets.ABOUT} in it; write the targets by --export=DIR")
    return names, lambda name: sheets.read_target(folder / name)


def best_constants(targets):
    """The mean depth of each sheet, metres, over targets: means of each one's mean over its silhouette."""
    each = ([target[f"{side}_depth"][target["mask"]].mean() for side in sheets.SIDES] for target in targets)
    return np.mean(list(each), 0)


def _floors(target, keys, constants):
    """The naive try-ons, without what the outputs have not: that is not measured."""
    tried = {
        "constant": floors.constant(target["person_segmentation"] > 0, *constants),
        "copied": floors.copied(target["person"], target["person_segmentation"]),
        "pasted": floors.pasted(target),
    }
    return {name: {key: one[key] for key in keys if key in one} for name, one in tried.items()}


def shown(made, side):
    """The picture float32 [H, W, 3] of one side on mid-grey outside its own silhouette."""
    return np.where(made["mask"][..., None], made[f"{side}_rgb"], np.float32(GREY))


def picture(made, target):
    """What set distances are taken of: the front on mid-grey, uint8; None for a naive try-on without one, or where the
    photo shows the garment already.
    """
    if target["same_garment"] or "front_rgb" not in made:
        return None
    return np.round(shown(made, "front") * 255).astype(np.uint8)


def score(made, target):
    """The scores of an output, or a naive try-on, against its target, by what arrays it has."""
    found = {"silhouette_iou": regions.silhouette_iou(made["mask"], target["mask"])}
    return found | _shape(made, target) | ({} if target["same_garment"] else _looks(made, target))


def _looks(made, target):
    found, either = {}, made["mask"] | target["mask"]
    worn = PART[GARMENT_PARTS[GARMENT_CLASSES[target["garment_class"]]]]
    for side, prefix in (("front", ""), ("back", "back_")):
        if f"{side}_rgb" not in made:
            continue
        seen, truth = shown(made, side), shown(target, side)
        region = (target[f"{side}_segmentation"] == worn) & target["mask"]
        found[f"{prefix}psnr"] = similarity.psnr(seen, truth, either)
        found[f"{prefix}garment_delta_e76"] = colour.delta_e76(seen, truth, region)
        if side == "front":
            found["ssim_gaussian"] = similarity.ssim_gaussian(seen, truth)
            if min(seen.shape[:2]) >= similarity.MS_SSIM_SIDE:
                found["ms_ssim"] = similarity.ms_ssim(seen, truth)
    if "front_segmentation" in made and "back_segmentation" in made:
        found["label_miou"] = _both(lambda key: regions.mean_iou(made[key], target[key], len(PARTS)), "segmentation")
    return found


def _shape(made, target):
    found, mask = {}, target["mask"]
    if "front_depth" in made and "back_depth" in made:
        for name, error in (
            ("depth_abs", depth.absolute), ("depth_sq", depth.squared), ("depth_rmse", depth.root_mean_squared)
        ):  # fmt: skip
            found[name] = _both(lambda key, error=error: error(made[key], target[key], mask), "depth")
        points = shapes.cloud(made["mask"], made["front_depth"], made["back_depth"], target["camera"])
        found["chamfer"] = shapes.chamfer(points, shapes.cloud(*_solid(target)))
        found["point_to_surface"] = shapes.point_to_surface(points, target["surface"])
    if "front_normals" in made and "back_normals" in made:
        found["normal_angle"] = _both(lambda key: depth.normal_angle(made[key], target[key], mask), "normals")
    return found


def _solid(target):
    return tuple(target[key] for key in ("mask", "front_depth", "back_depth", "camera"))


def _both(measure, what):
    """The mean of the front's and the back's value."""
    return float(np.mean([measure(f"{side}_{what}") for side in sheets.SIDES]))


def own(made):
    """How well an output's two views agree, by what arrays it has (scores/views.py)."""
    found, mask, same = {}, made["mask"], None
    if "front_segmentation" in made and "back_segmentation" in made:
        same = made["front_segmentation"] == made["back_segmentation"]
        found["view_silhouette_iou"] = views.silhouette_agreement(made["front_segmentation"], made["back_segmentation"])
    if "front_depth" in made and "back_depth" in made:
        found["view_crossing"] = views.crossing(made["front_depth"], made["back_depth"], mask)
        found["view_rim_gap"] = views.rim_gap(made["front_depth"], made["back_depth"], mask)
    if "back_rgb" in made:
        found["view_rim_delta_e76"] = views.rim_delta_e76(made["front_rgb"], made["back_rgb"], mask, same)
    return found
