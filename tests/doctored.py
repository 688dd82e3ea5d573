"""Small clean copies of the published data sets for the doctor's tests: people who are not their own mirror image."""

import functools
import importlib
import pathlib
import shutil
import tempfile

import lookalikes
import numpy as np
import pytest
from PIL import Image

from tryon_jax.data import doctor
from tryon_jax.data.doctor import evidence
from tryon_jax.data.formats import labels
from tryon_jax.geometry.parts import KEYPOINT, PART

COUNT = 2  # people of each split
SETS = (("viton_hd", "resized"), ("viton_hd", "first"), ("dress_code", ""), ("mpv3d", ""), ("cloth3d", ""))
WARNINGS = ("repeated line",)  # kinds that are no errors
_FOLDER = tempfile.TemporaryDirectory()  # removed when the process ends


def reaching(example):
    """The person of lookalikes.person with the left arm stretched out, at the picture's right."""
    size = len(example["mask"])
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    arm = (np.abs(-y / 0.8 - 0.55) < 0.08) & (x > 0) & (x < 0.7) & (example["person_segmentation"] != PART["upper"])
    for side, depth in (("front", 0.05), ("back", -0.05)):
        example[f"{side}_rgb"][arm] = [0.8, 0.6, 0.5]
        example[f"{side}_depth"][arm] = depth
    example["mask"][arm] = 1
    for key in ("front_segmentation", "back_segmentation", "person_segmentation"):
        example[key][arm] = PART["left_arm"]
    for name, place in (("left_elbow", 0.5), ("left_wrist", 0.66)):
        example["keypoints"][KEYPOINT[name]] = [(place + 1) / 2 * size, (1 - 0.55 * 0.8) / 2 * size, 1]
    return example


@functools.cache
def folder(name, layout=""):
    """The clean copy of a data set, made once a process; who changes files takes a `copy`."""
    root = pathlib.Path(_FOLDER.name) / f"{name}_{layout}"
    writer = importlib.import_module(f"tryon_jax.data.lookalike.{name}")
    if name == "cloth3d":
        writer.write({"train": COUNT, "test": COUNT}, root)
        return root
    people = lookalikes.people(writer.CLASSES)
    each = 1 if name == "dress_code" else COUNT  # of every garment class
    chosen = {
        split: [reaching(one) for index, one in enumerate(own) if index % lookalikes.COUNT < each]
        for split, own in people.items()
    }
    writer.write(chosen, root, **({"layout": layout} if layout else {}))
    if layout == "resized":
        for parse in root.glob("*/image-parse-v3/*.png"):
            _write_agnostic(parse)
    return root


def _write_agnostic(parse):
    """The inpainting mask and the garment-agnostic picture of a person, as others' code wants them."""
    part, name = parse.parent.parent, parse.stem
    for folder_name in ("agnostic-mask", "agnostic-v3.2"):
        (part / folder_name).mkdir(exist_ok=True)
    region = np.isin(np.array(Image.open(parse)), [labels.LIP.index("upper"), 14, 15])
    Image.fromarray(region.astype(np.uint8) * 255).save(part / "agnostic-mask" / f"{name}_mask.png")
    photo = np.where(region[..., None], 128, np.array(Image.open(part / "image" / f"{name}.jpg"))).astype(np.uint8)
    Image.fromarray(photo).save(part / "agnostic-v3.2" / f"{name}.jpg")


def copy(name, place, layout=""):
    """A copy of the clean copy under `place`, to be damaged."""
    return pathlib.Path(shutil.copytree(folder(name, layout), place / "copy"))


def rewrite(path, change):
    """Writes a picture anew as change(array) of it, its palette kept."""
    with Image.open(path) as picture:
        palette, array = picture.getpalette(), np.array(picture)
    changed = Image.fromarray(np.ascontiguousarray(change(array)))
    if palette and changed.mode == "L":
        changed.putpalette(palette)
    changed.save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))


def planted(faults, name, layout, kind, file):
    """A decorator that adds a function that damages the copy in a folder to `faults`, as a parameter set for pytest.

    kind, file: of what the doctor must find then, and nothing besides.
    """

    def added(damage):
        faults.append(pytest.param(name, layout, damage, kind, file, id=f"{name}-{damage.__name__}"))
        return damage

    return added


def found(name, layout, damage, place):
    """[(kind, file)] of what the doctor tells of a copy under `place`, once damaged."""
    root = copy(name, place, layout)
    damage(root)
    findings = doctor.examine(name, root).findings
    for one in findings:
        _check_words_and_picture(one)
    return [(one.kind, str(one.file.relative_to(root))) for one in findings]


def _check_words_and_picture(one):
    """Asserts that a finding has the severity of its kind, whole sentences, and a picture in which it is seen."""
    assert one.severity == (doctor.WARNING if one.kind in WARNINGS else doctor.ERROR)
    assert one.wrong.endswith(".") and one.remedy.endswith(".") and "\n" not in one.wrong + one.remedy
    if one.shown:
        panels = one.shown()
        assert panels.found.shape[0] == panels.wanted.shape[0] == evidence.ROWS
        assert not np.array_equal(panels.found, panels.wanted)
