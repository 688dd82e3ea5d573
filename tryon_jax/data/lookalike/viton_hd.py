"""Made people as VITON-HD lays them out, in either of its two generations."""

import pathlib

from tryon_jax.data import viton_hd
from tryon_jax.data.formats.keypoints import BODY_25
from tryon_jax.data.lookalike import canvas
from tryon_jax.geometry.parts import KEYPOINT

CLASSES = ("upper",)  # of the examples that it takes
# Folders of the two generations: that of the first release, and zalando-hd-resized.
LAYOUTS = {
    "resized": {"parse": "image-parse-v3", "pose": "openpose_json"},
    "first": {"parse": "image-parse", "pose": "openpose-json"},
}
# Label numbers of LIP that our parts are written as.
NUMBERS = {
    "background": 0, "hair": 2, "face": 13, "neck": 10, "left_arm": 14, "right_arm": 15, "left_hand": 14,
    "right_hand": 15, "upper": 5, "lower": 9, "dress": 6, "outer": 7, "left_leg": 16, "right_leg": 17,
    "left_shoe": 18, "right_shoe": 19,
}  # fmt: skip
THIGH = 0.35  # of the way from hips to ankles, where the photos end
MARGIN = 0.03


def write(examples, root, layout="resized"):
    """Writes {"train": [examples], "test": [examples]} of the batch contract as a copy of VITON-HD under `root`.

    In the unpaired column of the test pairs everybody has the next one's garment.
    """
    root, number = pathlib.Path(root), 0
    for split, chosen in examples.items():
        names = [f"{number + index:05d}_00.jpg" for index in range(len(chosen))]
        number += len(chosen)
        for example, name in zip(chosen, names, strict=True):
            _write(example, root / split, name.removesuffix(".jpg"), LAYOUTS[layout])
        others = names if split == "train" else names[1:] + names[:1]
        lines = [f"{person} {cloth}" for person, cloth in zip(names, others, strict=True)]
        (root / f"{split}_pairs.txt").write_text("\n".join(lines) + "\n")


def placement(example):
    """The canvas.Placement of an example's person, cut off above the knees."""
    left, top, right, bottom = canvas.box_of(example["mask"][..., 0] > 0.5)
    hips, ankles = (example["keypoints"][[KEYPOINT[f"left_{j}"], KEYPOINT[f"right_{j}"]], 1] for j in ("hip", "ankle"))
    cut = hips.mean() + THIGH * (ankles.mean() - hips.mean())
    found = canvas.placed((left, top, right, cut), viton_hd.SIZE, MARGIN)
    # The canvas ends at the cut; above the head there is room.
    return found._replace(top=cut - viton_hd.SIZE[1] / found.scale)


def _write(example, folder, name, spelling):
    place = placement(example)
    canvas.save(canvas.enlarged(canvas.photo(example, (0.87, 0.87, 0.88)), place), folder / "image" / f"{name}.jpg")
    parse = canvas.enlarged(canvas.numbered(example["front_segmentation"], NUMBERS), place)
    canvas.save(parse, folder / spelling["parse"] / f"{name}.png", palette=True)
    points = canvas.points_on(example["keypoints"], place)
    canvas.save_json(canvas.body_25(points, BODY_25), folder / spelling["pose"] / f"{name}_keypoints.json")
    write_garment(example, folder, f"{name}.jpg", f"{name}.jpg", viton_hd.SIZE)


def write_garment(example, folder, cloth, mask, size):
    """Writes the garment's picture and its cut-out, JPEG both, as VITON-HD and MPV-3D name their folders."""
    side = example["garment"].shape[0]
    place = canvas.placed((0, 0, side, side), size, 0.0)
    canvas.save(canvas.enlarged(canvas.as_bytes(example["garment"]), place), folder / "cloth" / cloth)
    cut = (example["garment_mask"][..., 0] >= 0.5).astype("uint8") * 255
    canvas.save(canvas.enlarged(cut, place), folder / "cloth-mask" / mask)
