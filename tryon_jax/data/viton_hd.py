"""VITON-HD: women in tops, photographed from the front, and the tops alone; 11,647 people, and 2,032 held out.

Paper: arXiv:2103.16874. Non-commercial research only (CC BY-NC 4.0); read where the user's own copy lies. Both layouts
are read, that of the first release and "zalando-hd-resized". Photos end above the knees, and so does the silhouette.
Known: colours and silhouette of the front; from the files the parts and keypoints. Not known: back, depth, normals,
garment coordinates.
"""

import functools

from tryon_jax.data import prepared
from tryon_jax.data.formats import access, keypoints, labels, pairs, photographs, pictures
from tryon_jax.geometry.parts import GARMENT_CLASSES

SPLITS = ("train", "test", "test_unpaired")
SIZE = 768, 1024  # pixels, width and height of every picture
TERMS = access.Terms(
    "VITON-HD",
    "https://github.com/shadow2496/VITON-HD",
    "CC BY-NC 4.0, research only",
    "{train,test}_pairs.txt and {train,test}/{image,cloth,cloth-mask,image-parse-v3,openpose_json}/",
)
# Folders of what is read, each with the spellings that exist.
FOLDERS = {
    "image": ("image",),
    "cloth": ("cloth",),
    "mask": ("cloth-mask", "cloth_mask"),
    "parse": ("image-parse-v3", "image-parse"),
    "pose": ("openpose_json", "openpose-json"),
}
MASKED = 128  # grey from which a pixel of the JPEG masks is garment


def open_split(preset, split, folder=""):
    """Random-access source of `split` of the user's copy in `folder`, as published or prepared (data/prepared).

    Pictures are of the preset's side (access.SIZES).

    train, test: people with the garment that they wear; test_unpaired: with that of the second column of
    test_pairs.txt, of which no truth exists. source[i] is one example of the batch contract, numpy, with `caption`.
    Raises UserError for an unknown preset, or a copy that is missing, incomplete or damaged; ValueError for an unknown
    split.
    """
    size = access.size_of(preset)
    access.check_split(split, SPLITS)
    if prepared.is_prepared(folder):
        return prepared.Source(folder, split, size)
    root = access.root(folder, TERMS)
    part = split.partition("_")[0]
    places = {name: access.one_of(root / part, spellings, TERMS) for name, spellings in FOLDERS.items()}
    listed = pairs.read(root / f"{part}_pairs.txt", TERMS)
    chosen = listed if split == "test_unpaired" else [(person, person) for person, _ in listed]
    people, garments = ([pair[index] for pair in chosen] for index in (0, 1))
    needed = {places["image"]: people, places["cloth"]: garments, places["mask"]: garments}
    needed |= {places["parse"]: map(_parse, people), places["pose"]: map(_pose, people)}
    access.complete({place: list(names) for place, names in needed.items()}, TERMS)
    return access.Source(chosen, functools.partial(read, places, size))


def _parse(image):
    return f"{image.rpartition('.')[0]}.png"


def _pose(image):
    return f"{image.rpartition('.')[0]}_keypoints.json"


def read(places, size, pair):
    """One example of the batch contract of a pair (image, cloth); places: {key of FOLDERS: folder}."""
    image, cloth = pair
    person, garment = read_person(places, image), read_garment(places, cloth)
    made, _ = photographs.example(person, garment, size, image == cloth, "a top", places["image"] / image)
    return made


def read_person(places, image):
    """A person as of standardize.standardize, at the file's own size."""
    return {
        "rgb": pictures.colours(places["image"] / image, SIZE),
        "segmentation": labels.parts(
            pictures.indices(places["parse"] / _parse(image), len(labels.LIP), SIZE), labels.LIP
        ),
        "keypoints": keypoints.body_25(places["pose"] / _pose(image)),
    }


def read_garment(places, cloth):
    """A garment as of standardize.standardize, at the file's own size."""
    return {
        "rgb": pictures.colours(places["cloth"] / cloth, SIZE),
        "mask": pictures.grey(places["mask"] / cloth, SIZE) >= MASKED,
        "garment_class": GARMENT_CLASSES.index("upper"),
    }
