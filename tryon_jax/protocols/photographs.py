"""Folders of photographs in VITON-HD's layout: outputs paired with targets by name, and naive try-ons of them."""

import json

import numpy as np
from PIL import Image

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.protocols import floors, reading
from tryon_jax.scores import lpips

# What a naive try-on needs beside image/: the folder, and what a file's name ends in after the stem.
AGNOSTIC, CLOTH, CLOTH_MASK, POSE = "agnostic-v3.2", "cloth", "cloth-mask", "openpose_json"
PAIRS = ("test_pairs.txt", "test_pairs_unpaired.txt")
# Index into OpenPose's BODY_25 of each of COCO's 17 keypoints, in the order of geometry.parts.KEYPOINTS.
COCO_FROM_BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)
SEEN = 0.1  # OpenPose's confidence from which a joint counts; joints that it does not find have 0


def pairs(outputs, targets, key, limit):
    """(root, list of (name, output's path, target's path)) by `key`, stem -> what both names share.

    root: the folder that holds image/, or None where `targets` holds the pictures itself. Raises UserError if a picture
    has no counterpart, or two have the same key.
    """
    outputs, targets = reading.folder(outputs, "--outputs"), reading.folder(targets, "--targets")
    root = targets if (targets / "image").is_dir() else None
    made = _by_key(reading.pictures(outputs), key)
    true = _by_key(reading.pictures(targets / "image" if root else targets), key)
    for name, path in true.items():
        if name not in made:
            raise UserError(f"{path}: no output {name} in {outputs}; make one for every target, or take the target out")
    for name, path in made.items():
        if name not in true:
            raise UserError(f"{path}: no target {name} in {targets}; take it out of the outputs")
    return root, [(name, made[name], true[name]) for name in protocols.spread(sorted(true), limit)]


def _by_key(files, key):
    found = {}
    for stem, path in files.items():
        try:
            name = key(stem)
        except ValueError as error:
            raise UserError(f"{path}: {error}; rename it") from None
        if name in found:
            raise UserError(f"{path}: {found[name].name} is of {name} too; keep one of them")
        found[name] = path
    return found


def task(found, variant, score, measures, resize):
    """The Task of `pairs`' result: `score` is of paired outputs only, set distances are of both variants.

    resize: (picture uint8, size (H, W)) -> picture, how a target is brought to its output's size.
    """
    root, files = found
    size = reading.colour(files[0][1]).shape[:2]
    given = _given(root, variant, [true.stem for _, _, true in files])

    def read(number):
        name, made, true = files[number]
        target = {"picture": resize(reading.colour(true), size, true), "stem": true.stem}
        return {"picture": reading.colour(made, size)}, target

    def naive(target):
        return given(target["stem"], size) if given else {}

    notes = [f"{variant}: {size[1]} x {size[0]} pixels"]
    if not given:
        notes.append(f"floors need {AGNOSTIC}/, {CLOTH}/, {CLOTH_MASK}/ and {POSE}/ beside image/ under --targets")
    return protocols.Task(
        [name for name, _, _ in files],
        read,
        lambda made, target: score(made["picture"], target["picture"]) if variant == "paired" else {},
        lambda made: {},
        naive,
        lambda made, target: made["picture"],
        measures,
        notes,
    )


def with_lpips(task, perception, weights):
    """The Task with LPIPS among its paired scores: `weights` are lpips.load's of the Perception's backbone.

    Raises UserError if the pictures are too small for it.
    """
    name, first = perception.backbone, perception.seen(task.read(0)[0]["picture"])
    if min(first.shape[:2]) < lpips.LEAST:
        height, width = first.shape[:2]
        raise UserError(f"--lpips: outputs of {width} x {height} pixels; it takes {lpips.LEAST} a side at least")
    lpips.distance(name, weights, first, first)  # compiled here once, or each of the runner's threads would

    def score(made, target):
        pair = [perception.seen(one["picture"]) for one in (made, target)]
        return {**task.score(made, target), f"lpips_{name}": lpips.distance(name, weights, *pair)}

    return task._replace(score=score)


def _given(root, variant, stems):
    """A function (stem, size) -> naive try-ons, or None where the target's folder lacks what they need.

    copied: the person as a method may see it: without the garment where it is to be put back on (paired), else the
    photo. pasted: the garment's cut-out stretched onto that (render/paste.py).
    """
    folders = [CLOTH, CLOTH_MASK, POSE, *([AGNOSTIC] if variant == "paired" else [])]
    if root is None or not all((root / folder).is_dir() for folder in folders):
        return None
    garments = {stem: stem for stem in stems} if variant == "paired" else _unpaired(root, stems)
    persons = AGNOSTIC if variant == "paired" else "image"

    def naive(stem, size):
        person = _scaled(reading.colour(_one(root / persons, stem)), size)
        cloth = reading.colour(_one(root / CLOTH, garments[stem]))
        mask = reading.coverage(_one(root / CLOTH_MASK, garments[stem]), cloth.shape[:2])
        joints, stored = _keypoints(root / POSE / f"{stem}_keypoints.json"), reading.colour(_one(root / "image", stem))
        joints[:, :2] *= np.array(size[::-1]) / stored.shape[1::-1]
        upper = GARMENT_CLASSES.index("upper")
        on = floors.over(cloth / np.float32(255), mask, person / np.float32(255), joints, upper)[0]
        return {"copied": {"picture": person}, "pasted": {"picture": np.round(on * 255).astype(np.uint8)}}

    return naive


def _one(folder, stem):
    for ending in reading.PICTURES:
        if (folder / f"{stem}{ending}").is_file():
            return folder / f"{stem}{ending}"
    raise UserError(f"{folder / stem}.jpg: no such file; the floors need it for every target")


def _unpaired(root, stems):
    """Which garment is put on each person, by the pairs file of the unpaired setting beside the folder or above it."""
    places = [folder / name for name in PAIRS for folder in (root, root.parent)]
    place = next((place for place in places if place.is_file()), None)
    if place is None:
        raise UserError(f"{root}: no {' or '.join(PAIRS)} in it or above it; the pasted floor needs one")
    lines = [line.split() for line in place.read_text().splitlines() if line.strip()]
    found = {line[0].rpartition(".")[0]: line[1].rpartition(".")[0] for line in lines if len(line) == 2}
    missing = next((stem for stem in stems if stem not in found), None)
    if missing:
        raise UserError(f"{place}: no line for {missing}; add `PERSON.jpg GARMENT.jpg`")
    return found


def _keypoints(path):
    """COCO keypoints float32 [17, 3] of an OpenPose file of BODY_25; all zero where it found nobody."""
    try:
        people = json.loads(path.read_text())["people"]
        points = np.array(people[0]["pose_keypoints_2d"] if people else [0.0] * 75, np.float32).reshape(25, 3)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: no OpenPose file of BODY_25 ({error}); make it again") from None
    points = points[list(COCO_FROM_BODY_25)]
    points[:, 2] = points[:, 2] > SEEN
    return points


def _scaled(picture, size):
    if picture.shape[:2] == tuple(size):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS))
