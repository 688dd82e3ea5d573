"""Garments photographed alone: a plain folder of anybody's pictures, for self-supervision without people or labels.

DIR/<class>/*.jpg, .jpeg or .png, at any depth: the folder that a picture lies in names its class. Also pairs of IDX
files as Fashion-MNIST's, whose classes are numbers. Such as https://github.com/alexeygrigorev/clothing-dataset-small
(CC0).

One photograph in ten is held out, by a hash of its name alone, so that a folder may grow without moving any; folders
called train or validation count for nothing. Of files with the same bytes one is kept, a held-out one if there is any.
Known: the colours of the front sheet, which is the photograph as it is, and the silhouette, its whole rectangle: what
is garment and what is ground no file tells. Not known: all else; the camera is that of a person's photo.
Command: python -m tryon_jax.main --config=configs/ssl.py --config.data.name=garment_photos --config.data.folder=DIR
"""

import functools
import hashlib
import os
import pathlib
import zlib
from collections import Counter
from typing import NamedTuple

import numpy as np
from PIL import Image

from tryon_jax import data
from tryon_jax.data import prepared, standardize
from tryon_jax.data.formats import access, idx, pictures
from tryon_jax.errors import UserError
from tryon_jax.geometry.fine import FINER, twice
from tryon_jax.geometry.parts import GARMENT_CLASSES

SPLITS = ("train", "test")
TERMS = access.Terms(
    "a folder of garment photographs",
    "https://github.com/alexeygrigorev/clothing-dataset-small",
    "CC0 there; pictures of your own do as well",
    f"<class>/*.jpg or *.png, or *{idx.IMAGES}[.gz] and *{idx.LABELS}[.gz] in it",
)
SUFFIXES = (".jpg", ".jpeg", ".png")
TEST_SHARE = 10  # one photograph in so many is held out
# Classes of garments that names of folders tell; the first class where they tell none, as zeros stand for the unknown.
CLASS_OF = {
    **dict.fromkeys(("pants", "trousers", "jeans", "shorts", "skirt", "skirts", "leggings", "bottoms"), "lower"),
    **dict.fromkeys(("dress", "dresses"), "dress"),
    **dict.fromkeys(("outer", "outwear", "outerwear", "jacket", "jackets", "coat", "coats", "blazer"), "outer"),
    "lower": "lower",
}


class Photograph(NamedTuple):
    """name: what decides its split; label: its class, "" directly in the root; path: its file; pixels: uint8 [H, W],
    where the file holds many pictures, else None."""

    name: str
    label: str
    path: pathlib.Path
    pixels: np.ndarray | None = None


def open_split(preset, split, folder=""):
    """Random-access source of `split` ("train" or "test") of a folder of photographs, or of a prepared one.

    Pictures are of the preset's side (access.SIZES). source[i] is the example of photographs(folder, split)[i], one of
    the batch contract, numpy, with `caption`. Raises UserError for an unknown preset, or a folder that is missing,
    empty or damaged; ValueError for an unknown split.
    """
    size = access.size_of(preset)
    access.check_split(split, SPLITS)
    if prepared.is_prepared(folder):
        return prepared.Source(folder, split, size)
    return access.Source(photographs(folder, split), functools.partial(read, size))


def photographs(folder, split):
    """The Photographs of a split, in an order that only their names decide, so that any share of them is a fair one.

    Raises UserError if the folder is missing, has no photograph for the split, or a folder of a class has none.
    """
    root = access.root(folder, TERMS)
    found = [one for place, folders, files in _places(root) for one in _in_folder(root, place, folders, files)]
    if not found:
        raise UserError(f"{root}: no picture {' or '.join(SUFFIXES)} and no IDX file in it; {access.request(TERMS)}")
    distinct = _distinct(found)
    chosen = [one for one in distinct if is_held_out(one.name) == (split == "test")]
    if not chosen:
        raise UserError(
            f"{root}: none of {len(distinct)} photographs is for the split {split}, as a hash of their names decides; "
            "put more there"
        )
    return chosen


def is_held_out(name):
    """Whether the photograph of that name is for testing."""
    return _hash(name) % TEST_SHARE == 0


def _hash(name):
    return zlib.crc32(os.fsencode(name))


def _places(root):
    """(folder, names of folders, names of files) of all folders under root, hidden ones left out."""
    for place, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        yield pathlib.Path(place), folders, sorted(name for name in files if not name.startswith("."))


def _in_folder(root, place, folders, files):
    """The Photographs that lie directly in a folder. Raises UserError if it has none and no folders either."""
    label = "" if place == root else place.name
    found = [Photograph(name, label, place / name) for name in files if name.lower().endswith(SUFFIXES)]
    packs = [name for name in files if name.removesuffix(".gz").endswith(idx.IMAGES)]
    if not (found or packs or folders or place == root):
        raise UserError(f"{place}: no picture {' or '.join(SUFFIXES)} in it; put some there, or remove the folder")
    for name in packs:
        stem = name.removesuffix(".gz").removesuffix(idx.IMAGES)
        ending = ".gz" if f"{stem}{idx.LABELS}.gz" in files else ""
        images, labels = idx.pair(place / name, place / f"{stem}{idx.LABELS}{ending}")
        rows = enumerate(zip(images, labels, strict=True))
        found += [Photograph(f"{stem}-{number}", str(label), place / name, image) for number, (image, label) in rows]
    return found


def _distinct(found):
    """Photographs, each content once, ordered by the hashes of their names.

    Only what is equally long is compared, so that large files need not be read.
    """
    order = sorted(found, key=lambda one: (not is_held_out(one.name), _hash(one.name), one.name, one.path))
    lengths = [_length(one) for one in order]
    often = Counter(lengths)
    kept, seen = [], set()
    for one, length in zip(order, lengths, strict=True):
        if often[length] > 1:
            content = length, _digest(one)
            if content in seen:
                continue
            seen.add(content)
        kept.append(one)
    return kept


def _length(one):
    try:
        return one.path.stat().st_size if one.pixels is None else one.pixels.shape
    except OSError as error:
        raise _unreadable(one, error) from None


def _digest(one):
    try:
        return hashlib.sha256(one.path.read_bytes() if one.pixels is None else one.pixels.tobytes()).digest()
    except OSError as error:
        raise _unreadable(one, error) from None


def _unreadable(one, error):
    return UserError(f"{one.path}: cannot be read ({error.strerror or error}); fetch it again, or take it away")


def read(size, one):
    """One example of the batch contract at picture side `size` of a Photograph. Raises UserError if it is damaged."""
    if one.pixels is None:
        rgb = pictures.photograph(one.path, size)
    else:
        rgb = one.pixels[..., None].repeat(3, axis=-1)
    return example(rgb, one.label, size)


def example(rgb, label, size):
    """One example of the batch contract at picture side `size` of a photograph uint8 [H, W, 3] of class `label`.

    Its longer side fills the square. Around it the photo of the contract has the median colour of its border.
    """
    longer = max(rgb.shape[:2])
    height, width = (max(1, round(size * side / longer)) for side in rgb.shape[:2])
    small, close = (_resized(rgb, width * times, height * times) for times in (1, FINER))
    rows, columns = (slice((size - side) // 2, (size - side) // 2 + side) for side in (height, width))
    border = np.concatenate([small[[0, -1]].reshape(-1, 3), small[:, [0, -1]].reshape(-1, 3)])
    garment_class = GARMENT_CLASSES.index(CLASS_OF.get(label.lower(), GARMENT_CLASSES[0]))

    spec = data.specification(size)
    made = {key: np.zeros(*entry) for key, entry in spec.items() if key != "has"}
    made |= standardize.crop_garment(
        {"rgb": small, "mask": np.ones(small.shape[:2]), "garment_class": garment_class}, size
    )
    made["front_rgb"][rows, columns] = small / np.float32(255)
    made["mask"][rows, columns] = 1
    ground = np.median(border, axis=0).astype(np.float32) / 255
    made["person"] = made["front_rgb"] + (1 - made["mask"]) * ground
    shown, cover = np.zeros_like(made["person_fine"]), twice(made["mask"])
    shown[cover[..., 0] > 0] = close.reshape(-1, 3) / np.float32(255)
    made["front_fine"], made["person_fine"] = np.concatenate([shown, cover], -1), shown + (1 - cover) * ground
    # An equal camera for all: one photo has no scale, and what it shows is no person.
    metres = standardize.HEIGHT / standardize.FILL
    made["camera"] = np.array([metres / size, 0, standardize.HEIGHT / 2], np.float32)
    made |= {"same_garment": np.float32(1), "caption": f"a garment: {label}" if label else "a garment"}
    return made | {"has": {name: np.float32(name in ("rgb", "mask")) for name in spec["has"]}}


def _resized(rgb, width, height):
    # Pillow's filter widens when it shrinks: it averages what a pixel covers.
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR))
