"""Small copies of the published data sets' layouts for tests, written once a process of cheap egg-shaped people."""

import functools
import importlib
import pathlib
import shutil
import tempfile

import made_people
import numpy as np

from tryon_jax.data.formats.keypoints import STANDING
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT, PART

SIZE = 64
COUNT = 2
# Of the joints that no figure has: offsets to the person's left and heights, as in STANDING.
OTHERS = {
    "left_eye": (0.02, 0.93), "right_eye": (-0.02, 0.93), "left_ear": (0.04, 0.92), "right_ear": (-0.04, 0.92),
    "left_elbow": (0.13, 0.65), "right_elbow": (-0.13, 0.65), "left_wrist": (0.14, 0.5), "right_wrist": (-0.14, 0.5),
}  # fmt: skip
_FOLDER = tempfile.TemporaryDirectory()  # removed when the process ends


def person(number, garment_class="upper", size=SIZE):
    """An egg of made_people with parts, joints where a standing figure has them, and a garment on white."""
    example = made_people.example(number, size)
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    high, left = -y / 0.8, x > 0  # people face the camera
    cloth = "dress" if garment_class == "dress" else None
    bands = [
        (0.88, "hair", "hair"), (0.72, "face", "face"), (0.66, "neck", "neck"),
        (-0.1, cloth or "upper", cloth or "upper"), (-0.6, cloth or "lower", cloth or "lower"),
        (-0.9, "left_leg", "right_leg"), (-2.0, "left_shoe", "right_shoe"),
    ]  # fmt: skip
    labels = np.zeros((size, size), np.int32)
    for low, on_left, on_right in reversed(bands):
        labels = np.where(high > low, np.where(left, PART[on_left], PART[on_right]), labels)
    arms = (np.abs(x) > 0.24) & (high > -0.1) & (high < 0.66)
    labels = np.where(arms, np.where(left, PART["left_arm"], PART["right_arm"]), labels)
    labels *= example["mask"][..., 0] > 0
    for key in ("front_segmentation", "back_segmentation", "person_segmentation"):
        example[key] = labels
    for name, (aside, height) in (STANDING | OTHERS).items():
        example["keypoints"][KEYPOINT[name]] = [size * (0.5 + 0.8 * aside), size * (0.9 - 0.8 * height), 1]
    box = np.zeros((size, size, 1), np.float32)
    box[size // 8 : -size // 4, size // 4 : -size // 8] = 1
    example["garment"] = example["garment"] * box + 1 - box
    example["garment_mask"], example["garment_class"] = box, np.int32(GARMENT_CLASSES.index(garment_class))
    return example


def people(classes):
    """{"train", "test"}: COUNT people of each garment class."""
    numbers = iter(range(1000))
    splits = ("train", "test")
    return {split: [person(next(numbers), name) for name in classes for _ in range(COUNT)] for split in splits}


@functools.cache
def folder(name, **options):
    """The look-alike of a data set; who changes files takes a `copy`."""
    writer = importlib.import_module(f"tryon_jax.data.lookalike.{name}")
    root = pathlib.Path(_FOLDER.name) / "_".join([name, *options.values()])
    counts = {"train": COUNT, "test": COUNT}
    writer.write(counts if name == "cloth3d" else people(writer.CLASSES), root, **options)
    return root


def copy(name, place, **options):
    """A copy of the look-alike under `place`, to be damaged."""
    return pathlib.Path(shutil.copytree(folder(name, **options), place / name))
