"""What is looked at in a copy of Dress Code; data/dress_code.py tells the layout.

Besides the files that the reader wants, inpainting masks, skeletons and DensePose are looked at where they are there.
"""

import functools
import re

import numpy as np

from tryon_jax.data import dress_code
from tryon_jax.data.doctor import ERROR, WARNING, Finding, Job, Plan, masks, overlap, people, pictures, tree
from tryon_jax.data.formats import keypoints, labels
from tryon_jax.geometry.parts import PART

NAMING = tree.Naming(re.compile(r"\d{6}_0\.jpg"), re.compile(r"\d{6}_1\.jpg"), "013563_0.jpg 013563_1.jpg")
SIZE, SPACE = dress_code.SIZE, dress_code.KEYPOINT_SPACE
SCALE = [pixels / units for pixels, units in zip(SIZE, SPACE, strict=True)]
SIZES = tuple(tuple(length // times for length in SIZE) for times in (1, 2, 4))  # of label maps
# Folders that must be there and those of other code, each with the end of the person's file in it.
REQUIRED = {"label_maps": "4.png", "keypoints": "2.json"}
OPTIONAL = {"agnostic_masks": "0.png", "skeletons": "5.jpg", "dense": "5.png", "image-densepose": "0.jpg"}
# What inpainting masks of a category must cover.
COVERED = {"upper_body": ("upper", "outer"), "lower_body": ("lower",), "dresses": ("dress",)}


def plan(root):
    """The Plan of the copy in `root`: one Job a pair of one number, a person and a garment, of the three categories."""
    findings, jobs, images = [], [], {"train": [], "test": []}
    for category in dress_code.CATEGORIES:
        place, found = tree.folder(root, (category,))
        findings += found
        if place is None:
            continue
        listed, found = _listed(place)
        findings += found
        places, found = _places(place, listed)
        findings += found
        persons = {split: {person for person, _ in pairs} for split, pairs in listed.items()}
        persons = {"train": persons["train"], "test": persons["test"] | persons["test_unpaired"]}
        findings += overlap.by_name(place / dress_code.FILES["train"], *persons.values())
        if places["images"]:
            for split, names in persons.items():
                images[split] += [places["images"] / name for name in names]
        everybody = persons["train"] | persons["test"]
        garments = {garment for pairs in listed.values() for _, garment in pairs}
        numbers = sorted({name[:6] for name in everybody | garments})
        jobs += [_job(places, number, everybody, garments) for number in numbers]
    return Plan(findings + overlap.by_content(images["train"], images["test"]), jobs)


def _listed(place):
    """({split: pairs} of a category, findings)."""
    listed, findings = {}, []
    for split, name in dress_code.FILES.items():
        listed[split], found = tree.pairs(place / name, NAMING)
        findings += found
        if split != "test_unpaired":
            findings += tree.worn(place / name, listed[split], lambda name: name[:6], "number")
    return listed, findings


def _places(place, listed):
    """({folder's name: path or None} of a category, findings of folders and files that are not there)."""
    places, findings = {}, []
    for name in ("images", *REQUIRED):
        places[name], found = tree.folder(place, (name,))
        findings += found
        for split, pairs in listed.items():
            needed = [person[:7] + REQUIRED.get(name, "") for person, _ in pairs]
            if name == "images":
                needed = [file for pair in pairs for file in pair]
            findings += tree.absent(places[name], needed, dress_code.FILES[split])
    persons = {person for pairs in listed.values() for person, _ in pairs}
    for name, ending in OPTIONAL.items():
        places[name], _ = tree.folder(place, (name,), optional=True)
        needed = [person[:7] + ending for person in persons]
        findings += tree.absent(places[name], needed, "the rest of its folder", WARNING)
    # A file that several lists ask for is one fault.
    return places, list({one.file: one for one in findings}.values())


def _job(places, number, persons, garments):
    person, garment = f"{number}_0.jpg" in persons, f"{number}_1.jpg" in garments
    count = person * sum(place is not None for place in places.values()) + garment
    return Job(count, functools.partial(_look, places, number, person, garment))


def _look(places, number, person, garment):
    """Findings of the person and the garment of one number."""
    findings = []
    if garment and places["images"]:
        path = places["images"] / f"{number}_1.jpg"
        rgb, findings = pictures.colours(path, SIZE)
        if rgb is not None and not dress_code.cut_out(rgb).any():
            wrong = "nothing in it differs from its border, so that no garment can be cut out."
            findings.append(Finding(ERROR, "empty mask", path, wrong, "Fetch it again, or leave the pair out."))
    if person and places["images"] and all(places[name] for name in REQUIRED):
        findings += _look_at_person(places, number)
    return findings


def _look_at_person(places, number):
    category = places["images"].parent.name
    paths = [places[name] / f"{number}_{ending}" for name, ending in ({"images": "0.jpg"} | REQUIRED).items()]
    names = labels.ATR_DRESSED if dress_code.CATEGORIES[category] == "dress" else labels.ATR
    points = functools.partial(keypoints.coco_18, scale=SCALE)
    space = f"a space of {SPACE[0]} x {SPACE[1]}, half of the photo's"
    seen, findings = people.look(people.Files(*paths, SIZE, SIZES, names, points, space))
    others = {name: places[name] / f"{number}_{ending}" for name, ending in OPTIONAL.items() if places[name]}
    if "agnostic_masks" in others:
        wanted = tuple(PART[name] for name in COVERED[category])
        findings += masks.agnostic(others["agnostic_masks"], SIZE, seen, wanted, "the garment's category")
    for name in ("skeletons", "image-densepose"):
        if name in others:
            findings += pictures.whole(others[name], SIZE, ("RGB",))
    if "dense" in others:
        findings += pictures.whole(others["dense"], SIZE, ("L", "P"))
        findings += _coordinates(places["dense"] / f"{number}_5_uv.npz")
    return findings


def _coordinates(path):
    """Findings of DensePose's coordinates, key `uv`, channel first."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            shape = arrays["uv"].shape
    except Exception as error:  # zipfile and numpy raise whatever damaged bytes lead to
        return [Finding(WARNING, "damaged file", path, f"it has no array uv ({str(error)[:80]}).", "Fetch it again.")]
    if len(shape) == 3 and shape[0] == 2:
        return []
    return [Finding(WARNING, "picture size", path, f"uv has shape {shape}, not [2, H, W].", "Fetch it again.")]
