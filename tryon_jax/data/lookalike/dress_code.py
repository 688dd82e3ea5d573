"""Made people as Dress Code lays them out: three categories, heads cropped."""

import pathlib

import numpy as np

from tryon_jax.data import dress_code
from tryon_jax.data.formats.keypoints import COCO_18
from tryon_jax.data.lookalike import canvas
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT

CLASSES = tuple(dress_code.CATEGORIES.values())  # of the examples that it takes
# Label numbers of ATR that our parts are written as.
NUMBERS = {
    "background": 0, "hair": 2, "face": 11, "neck": 11, "left_arm": 14, "right_arm": 15, "left_hand": 14,
    "right_hand": 15, "upper": 4, "lower": 6, "dress": 7, "outer": 4, "left_leg": 12, "right_leg": 13,
    "left_shoe": 9, "right_shoe": 10,
}  # fmt: skip
MARGIN = 0.04


def write(examples, root):
    """Writes {"train": [examples], "test": [examples]} of the batch contract as a copy of Dress Code under `root`.

    Each goes to the category of its garment_class; of the other test pairs everybody has the next one's garment.
    """
    root, number = pathlib.Path(root), 13563
    for category, garment_class in dress_code.CATEGORIES.items():
        folder = root / category
        folder.mkdir(parents=True, exist_ok=True)
        for split, chosen in examples.items():
            own = [one for one in chosen if GARMENT_CLASSES[int(one["garment_class"])] == garment_class]
            names = [f"{number + index:06d}" for index in range(len(own))]
            number += len(own)
            for example, name in zip(own, names, strict=True):
                _write(example, folder, name)
            _write_pairs(folder / dress_code.FILES[split], names, names)
            if split == "test":
                _write_pairs(folder / dress_code.FILES["test_unpaired"], names, names[1:] + names[:1])


def _write_pairs(path, people, garments):
    path.write_text("".join(f"{one}_0.jpg\t{other}_1.jpg\n" for one, other in zip(people, garments, strict=True)))


def placement(example):
    """The canvas.Placement of an example's person, cut off above the mouth."""
    left, top, right, bottom = canvas.box_of(example["mask"][..., 0] > 0.5)
    nose = example["keypoints"][KEYPOINT["nose"], 1]
    cut = nose if top < nose < bottom else top
    found = canvas.placed((left, cut, right, bottom), dress_code.SIZE, MARGIN)
    return found._replace(top=cut)


def _write(example, folder, name):
    place = placement(example)
    canvas.save(canvas.enlarged(canvas.photo(example, (1, 1, 1)), place), folder / "images" / f"{name}_0.jpg")
    labels = canvas.enlarged(canvas.numbered(example["front_segmentation"], NUMBERS), place)
    canvas.save(labels, folder / "label_maps" / f"{name}_4.png")
    points = canvas.points_on(example["keypoints"], place)
    scale = np.array(dress_code.KEYPOINT_SPACE) / dress_code.SIZE
    found = np.zeros((18, 4))
    found[list(COCO_18), :2] = points[:, :2] * scale
    canvas.save_json({"keypoints": np.round(found, 4).tolist()}, folder / "keypoints" / f"{name}_2.json")
    side = example["garment"].shape[0]
    garment = example["garment"] * example["garment_mask"] + 1 - example["garment_mask"]
    shown = canvas.enlarged(canvas.as_bytes(garment), canvas.placed((0, 0, side, side), dress_code.SIZE, 0.0))
    canvas.save(shown, folder / "images" / f"{name}_1.jpg")
