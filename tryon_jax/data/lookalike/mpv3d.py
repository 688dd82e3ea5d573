"""Made people as MPV-3D lays them out, their depth as it writes depth."""

import pathlib

import numpy as np

from tryon_jax.data import mpv3d
from tryon_jax.data.formats.keypoints import BODY_25
from tryon_jax.data.lookalike import canvas, viton_hd

CLASSES = ("upper",)  # of the examples that it takes
MARGIN = 0.06


def write(examples, root):
    """Writes {"train": [examples], "test": [examples]} of the batch contract as a copy of MPV-3D under `root`.

    The test pairs are of two products, as in the published sample: everybody with the next one's garment.
    """
    root, number = pathlib.Path(root), 0
    for split, chosen in examples.items():
        products = [f"LOOK{number + index:04d}A-A11" for index in range(len(chosen))]
        number += len(chosen)
        people = [f"{product}@9{mpv3d.PERSON}" for product in products]
        clothes = [f"{product}@12{mpv3d.CLOTH}" for product in products]
        for example, person, cloth in zip(chosen, people, clothes, strict=True):
            _write(example, root, person.removesuffix(".png"), cloth.removesuffix(".jpg"))
        others = clothes if split == "train" else clothes[1:] + clothes[:1]
        lines = [f"{person}    {cloth}" for person, cloth in zip(people, others, strict=True)]
        (root / f"{split}_pairs.txt").write_text("\n".join(lines))


def placement(example):
    """The canvas.Placement of an example's whole person."""
    return canvas.placed(canvas.box_of(example["mask"][..., 0] > 0.5), mpv3d.SIZE, MARGIN)


def _write(example, root, person, cloth):
    place = placement(example)
    canvas.save(canvas.enlarged(canvas.photo(example, (0, 0, 0)), place), root / "image" / f"{person}.png")
    parse = canvas.enlarged(canvas.numbered(example["front_segmentation"], viton_hd.NUMBERS), place)
    canvas.save(parse, root / "image-parse" / f"{person}_label.png")
    points = canvas.points_on(example["keypoints"], place)
    canvas.save_json(canvas.body_25(points, BODY_25), root / "pose" / f"{person}_keypoints.json")
    viton_hd.write_garment(example, root, f"{cloth}.jpg", f"{cloth}_mask.jpg", mpv3d.SIZE)
    (root / "depth").mkdir(exist_ok=True)
    for name, depth in zip(("front", "back"), window_depths(example, place), strict=True):
        np.save(root / "depth" / f"{person.removesuffix('front')}{name}_depth.npy", depth)


def window_depths(example, place):
    """Window depth of an example's front and back, float32 [512, 320], the back as a camera behind sees it."""
    units = place.scale / (example["camera"][0] * mpv3d.UNIT)  # canvas pixels a metre, over those a unit
    mask = example["mask"][..., 0] > 0.5
    front, back = (canvas.smoothed(example[f"{side}_depth"][..., 0] * units, mask, place) for side in ("front", "back"))
    solid = canvas.enlarged(mask, place)
    front, back = np.where(solid, (1 - front) / 2, 0), np.where(solid, (1 + back) / 2, 0)
    return front.astype(np.float32), np.ascontiguousarray(back[:, ::-1]).astype(np.float32)
