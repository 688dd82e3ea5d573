"""What is looked at in a copy of MPV-3D; data/mpv3d.py tells the layout.

Besides the files that the reader wants, the masks of palms are looked at where the copy has them.
"""

import functools
import re

from tryon_jax.data import mpv3d
from tryon_jax.data.doctor import Job, Plan, depth, masks, overlap, people, pictures, tree
from tryon_jax.data.formats import keypoints, labels

NAMING = tree.Naming(
    re.compile(rf".+@.+{re.escape(mpv3d.PERSON)}"),
    re.compile(rf".+@.+{re.escape(mpv3d.CLOTH)}"),
    f"BJ721E05W-J11@9{mpv3d.PERSON}   BJ721E05W-J11@12{mpv3d.CLOTH}",
)
# How the files of a person and of a garment are named in each folder, of the name without its ending.
OF_PERSON = {
    "image": ("{}front.png",), "image-parse": ("{}front_label.png",), "pose": ("{}front_keypoints.json",),
    "depth": ("{}front_depth.npy", "{}back_depth.npy"),
}  # fmt: skip
OF_CLOTH = {"cloth": ("{}.jpg",), "cloth-mask": ("{}_mask.jpg",)}
PALMS = "palm-mask"


def plan(root):
    """The Plan of the copy in `root`: one Job a person with the first garment listed, and one a further garment."""
    findings, listed = [], {}
    for part in ("train", "test"):
        listed[part], found = tree.pairs(root / f"{part}_pairs.txt", NAMING)
        findings += found
    findings += tree.worn(root / "train_pairs.txt", listed["train"], mpv3d.product, "product")
    places = {}
    for name in (*OF_PERSON, *OF_CLOTH):
        places[name], found = tree.folder(root, (name,))
        findings += found
        for part, pairs in listed.items():
            needed = [file for pair in pairs for file in _files(name, *pair)]
            findings += tree.absent(places[name], needed, f"{part}_pairs.txt")
    places[PALMS], _ = tree.folder(root, (PALMS,), optional=True)
    findings = list({(one.kind, one.file, one.wrong): one for one in findings}.values())
    train, test = ([person for person, _ in listed[part]] for part in ("train", "test"))
    findings += overlap.by_name(root / "train_pairs.txt", train, test)
    if places["image"]:
        findings += overlap.by_content(*([places["image"] / name for name in names] for names in (train, test)))
    return Plan(findings, _jobs(places, listed["train"] + listed["test"]))


def _jobs(places, pairs):
    persons, clothes, jobs = set(), set(), []
    for person, cloth in pairs:
        new = None if person in persons else person, None if cloth in clothes else cloth
        persons.add(person)
        clothes.add(cloth)
        if any(new):
            jobs.append(Job(5 * bool(new[0]) + 2 * bool(new[1]), functools.partial(_look, places, *new)))
    return jobs


def _files(folder, person, cloth):
    """Names in `folder` of a pair's files."""
    if folder in OF_CLOTH:
        return [pattern.format(cloth.removesuffix(".jpg")) for pattern in OF_CLOTH[folder]]
    return [pattern.format(person.removesuffix("front.png")) for pattern in OF_PERSON[folder]]


def _look(places, person, cloth):
    """Findings of a person and a garment; None for one that was looked at before."""
    findings = []
    if cloth and places["cloth"] and places["cloth-mask"]:
        mask, picture = (places[name] / _files(name, "", cloth)[0] for name in ("cloth-mask", "cloth"))
        findings += masks.cloth(mask, picture, mpv3d.SIZE)
    if person and all(places[name] for name in OF_PERSON):
        findings += _look_at_person(places, person)
    return findings


def _look_at_person(places, person):
    paths = {name: [places[name] / file for file in _files(name, person, "")] for name in OF_PERSON}
    image, parse, pose = (paths[name][0] for name in ("image", "image-parse", "pose"))
    space = "pixels of the photo, 320 x 512"
    files = people.Files(image, parse, pose, mpv3d.SIZE, (mpv3d.SIZE,), labels.LIP, keypoints.body_25, space)
    seen, findings = people.look(files)
    findings += depth.pair(*paths["depth"], mpv3d.SIZE, seen)
    if places[PALMS]:
        palms = places[PALMS] / person.replace("whole_front", "palm_mask")
        raw, more = pictures.raw(palms, mpv3d.SIZE)
        findings += more
        # Hands may be hidden: an empty mask is none of its faults.
        if raw is not None and raw.any():
            findings += masks.two_valued(raw, palms)
    return findings
