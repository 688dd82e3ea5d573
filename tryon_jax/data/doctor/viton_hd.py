"""What is looked at in a copy of VITON-HD, of either generation; data/viton_hd.py tells the layout.

Besides the files that the reader wants, those that other try-on code wants are looked at where the copy has them: the
inpainting masks, agnostic pictures and label maps, pose and DensePose renderings.
"""

import functools
import re

from tryon_jax.data import viton_hd
from tryon_jax.data.doctor import WARNING, Job, Plan, masks, overlap, people, pictures, tree
from tryon_jax.data.formats import keypoints, labels
from tryon_jax.geometry.parts import PART

NAMING = tree.Naming(re.compile(r"\d{5}_\d\d\.jpg"), re.compile(r"\d{5}_\d\d\.jpg"), "00006_00.jpg 01260_00.jpg")
# Of other code's: spellings of the folder, and how the person's file is named in it.
OPTIONAL = {
    "agnostic mask": (("agnostic-mask",), "{}_mask.png"),
    "agnostic": (("agnostic-v3.2", "agnostic"), "{}.jpg"),
    "agnostic parse": (("image-parse-agnostic-v3.2",), "{}.png"),
    "rendered pose": (("openpose_img", "openpose-img"), "{}_rendered.png"),
    "densepose": (("image-densepose",), "{}.jpg"),
}
REQUIRED = {"image": "{}.jpg", "parse": "{}.png", "pose": "{}_keypoints.json"}
UPPER = tuple(PART[name] for name in ("upper", "dress", "outer"))


def plan(root):
    """The Plan of the copy in `root`: one Job a person, with the garment worn, and one a garment that nobody wears."""
    findings, jobs, images = [], [], {}
    for part in ("train", "test"):
        listed, found = tree.pairs(root / f"{part}_pairs.txt", NAMING)
        findings += found
        unpaired = root / f"{part}_pairs_unpaired.txt"
        if unpaired.exists():
            more, found = tree.pairs(unpaired, NAMING)
            listed, findings = listed + more, findings + found
        persons = list(dict.fromkeys(person for person, _ in listed))
        clothes = list(dict.fromkeys(persons + [cloth for _, cloth in listed]))
        places, found = _places(root / part, persons, clothes)
        findings += found
        images[part] = places["image"], persons
        everybody = set(persons)
        for name in clothes:
            worn = name in everybody
            jobs.append(Job(_count(places, worn), functools.partial(_look, places, name, worn)))
    (train_place, train), (test_place, test) = images["train"], images["test"]
    findings += overlap.by_name(root / "train_pairs.txt", train, test)
    if train_place and test_place:
        findings += overlap.by_content([train_place / name for name in train], [test_place / name for name in test])
    return Plan(findings, jobs)


def _places(part, persons, clothes):
    """({key: folder or None} of a part of the copy, findings of folders and files that are not there)."""
    places, findings = {}, []
    for key, spellings in viton_hd.FOLDERS.items():
        places[key], found = tree.folder(part, spellings)
        findings += found
        needed = clothes if key in ("cloth", "mask") else [_name(REQUIRED[key], person) for person in persons]
        findings += tree.absent(places[key], needed, f"{part.name}_pairs.txt")
    for key, (spellings, pattern) in OPTIONAL.items():
        places[key], _ = tree.folder(part, spellings, optional=True)
        needed = [_name(pattern, name) for name in persons]
        findings += tree.absent(places[key], needed, "the rest of its folder", WARNING)
    return places, findings


def _count(places, worn):
    return sum(place is not None for key, place in places.items() if worn or key in ("cloth", "mask"))


def _name(pattern, image):
    return pattern.format(image.removesuffix(".jpg"))


def _look(places, name, worn):
    """Findings of one person, if there is one, and of the garment of that name."""
    findings = []
    if places["cloth"] and places["mask"]:
        findings += masks.cloth(places["mask"] / name, places["cloth"] / name, viton_hd.SIZE)
    if worn and places["image"] and places["parse"] and places["pose"]:
        findings += _look_at_person(places, name)
    return findings


def _look_at_person(places, name):
    paths = [places[key] / _name(pattern, name) for key, pattern in REQUIRED.items()]
    space = "pixels of the photo, 768 x 1024"
    files = people.Files(*paths, viton_hd.SIZE, (viton_hd.SIZE,), labels.LIP, keypoints.body_25, space)
    seen, findings = people.look(files)
    others = {key: places[key] / _name(OPTIONAL[key][1], name) for key in OPTIONAL if places[key]}
    if "agnostic mask" in others:
        findings += masks.agnostic(others["agnostic mask"], viton_hd.SIZE, seen, UPPER, "the upper clothes")
    if "agnostic parse" in others:
        findings += pictures.indices(others["agnostic parse"], len(labels.LIP), (viton_hd.SIZE,))[1]
    for key in ("agnostic", "rendered pose", "densepose"):
        if key in others:
            findings += pictures.whole(others[key], viton_hd.SIZE, ("RGB",))
    return findings
