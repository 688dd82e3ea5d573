"""Dress Code: people in tops, bottoms and dresses, their heads cropped, and each garment alone; 53,792 pairs.

Paper: arXiv:2204.08532. Academic, non-commercial use only; altered copies must not be passed on, so that it is read
where the user's own copy lies. No masks of garments come with it: a garment is what differs from its picture's border
(`cut_out`). Known: colours and silhouette of the front; from the files the parts and keypoints. Not known: back, depth,
normals, garment coordinates.
"""

import functools

import numpy as np
from scipy import ndimage

from tryon_jax.data import prepared
from tryon_jax.data.formats import access, keypoints, labels, pairs, photographs, pictures
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES

SPLITS = ("train", "test", "test_unpaired")
FILES = {"train": "train_pairs.txt", "test": "test_pairs_paired.txt", "test_unpaired": "test_pairs_unpaired.txt"}
CATEGORIES = {"upper_body": "upper", "lower_body": "lower", "dresses": "dress"}
SIZE = 768, 1024  # pixels, width and height of every photo
KEYPOINT_SPACE = 384, 512  # units in which its keypoints are written
TERMS = access.Terms(
    "Dress Code",
    "https://github.com/aimagelab/dress-code",
    "academic, non-commercial, no altered copies passed on",
    "{upper_body,lower_body,dresses}/{images,label_maps,keypoints}/ and train_pairs.txt, test_pairs_paired.txt, "
    "test_pairs_unpaired.txt in each of the three",
)
# Grey levels that a garment differs from the ground, beyond what the ground differs from itself: JPEG's noise.
MARGIN = 8
SPECK = 0.002  # share of the picture below which a patch is dust


def open_split(preset, split, folder=""):
    """Random-access source of `split` of the user's copy in `folder`, as published or prepared (data/prepared).

    Pictures are of the preset's side (access.SIZES).

    train, test: people with the garment that they wear; test_unpaired: with another, of which no truth exists. Tops,
    then bottoms (trousers and skirts), then dresses. source[i] is one example of the batch contract, numpy, with
    `caption`. Raises UserError for an unknown preset, or a copy that is missing, incomplete or damaged; ValueError for
    an unknown split.
    """
    size = access.size_of(preset)
    access.check_split(split, SPLITS)
    if prepared.is_prepared(folder):
        return prepared.Source(folder, split, size)
    root = access.root(folder, TERMS)
    items = []
    for category in CATEGORIES:
        place = access.one_of(root, (category,), TERMS)
        listed = pairs.read(place / FILES[split], TERMS)
        wrong = next((name for pair in listed for name in pair if not _is_named(name)), None)
        if wrong:
            raise UserError(f"{place / FILES[split]}: {wrong} is not named ID_0.jpg or ID_1.jpg; take it anew")
        needed = {access.one_of(place, ("images",), TERMS): [name for pair in listed for name in pair]}
        for name, ending in (("label_maps", "4.png"), ("keypoints", "2.json")):
            needed[access.one_of(place, (name,), TERMS)] = [_other(person, ending) for person, _ in listed]
        access.complete(needed, TERMS)
        items += [(place, *pair) for pair in listed]
    return access.Source(items, functools.partial(read, size))


def _is_named(name):
    return name.endswith(("_0.jpg", "_1.jpg"))


def _other(name, ending):
    """The file of the same number: 013563_0.jpg, "4.png" -> 013563_4.png."""
    return f"{name.rpartition('_')[0]}_{ending}"


def read(size, item):
    """One example of the batch contract of (folder of the category, image, garment)."""
    place, image, garment = item
    worn = _other(image, "") == _other(garment, "")
    garment_class = CATEGORIES[place.name]
    caption = {"upper": "a top", "lower": "trousers or a skirt", "dress": "a dress"}[garment_class]
    person, shown = read_person(place, image), read_garment(place, garment)
    return photographs.example(person, shown, size, worn, caption, place / "images" / image)[0]


def read_person(place, image):
    """A person as of standardize.standardize, at the photo's own size; place: folder of the category."""
    names = labels.ATR_DRESSED if CATEGORIES[place.name] == "dress" else labels.ATR
    path = place / "label_maps" / _other(image, "4.png")
    scale = [pixels / units for pixels, units in zip(SIZE, KEYPOINT_SPACE, strict=True)]
    return {
        "rgb": pictures.colours(place / "images" / image, SIZE),
        "segmentation": labels.parts(_enlarged(pictures.indices(path, len(names)), path), names),
        "keypoints": keypoints.coco_18(place / "keypoints" / _other(image, "2.json"), scale),
    }


def _enlarged(numbers, path):
    """Label numbers at the photo's size; maps of half or a quarter of it are taken too, pixel for block."""
    height, width = numbers.shape
    times = SIZE[0] // width
    if times < 1 or (width * times, height * times) != SIZE:
        raise UserError(f"{path}: {width} x {height} pixels do not fit photos of {SIZE[0]} x {SIZE[1]}; fetch it again")
    return numbers.repeat(times, 0).repeat(times, 1)


def read_garment(place, garment):
    """A garment as of standardize.standardize, at the file's own size; place: folder of the category."""
    path = place / "images" / garment
    rgb = pictures.colours(path, SIZE)
    return {
        "rgb": rgb,
        "mask": cut_out(rgb),
        "garment_class": GARMENT_CLASSES.index(CATEGORIES[place.name]),
    }


def cut_out(rgb):
    """Where a garment is, bool [H, W], on an even, mostly white ground, uint8 [H, W, 3].

    A pixel is not ground if a channel differs from the median of the picture's border by more than MARGIN beyond the
    border's own spread. Holes are filled, since white cloth is told from a white ground by its edges alone, and specks
    below SPECK of the picture left out.
    """
    border = np.concatenate([rgb[:8].reshape(-1, 3), rgb[-8:].reshape(-1, 3), rgb[:, :8].reshape(-1, 3)])
    border = np.concatenate([border, rgb[:, -8:].reshape(-1, 3)]).astype(np.int16)
    ground = np.median(border, axis=0).astype(np.int16)
    # Of the border, since a garment may run out of the picture, the inner nine tenths.
    spread = np.percentile(np.abs(border - ground).max(1), 90)
    different = np.abs(rgb.astype(np.int16) - ground).max(-1) > spread + MARGIN
    patches, _ = ndimage.label(ndimage.binary_fill_holes(different))
    large = np.bincount(patches.ravel()) >= SPECK * patches.size
    large[0] = False
    return large[patches]
