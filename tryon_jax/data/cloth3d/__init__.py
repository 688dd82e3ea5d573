"""CLOTH3D: simulated clothes on moving bodies, drawn here from its meshes as pairs of sheets; 8,000 sequences.

Paper: arXiv:1912.02792. Research only, after registration; read where the user's own copy lies. The videos, which a
perspective camera saw, are not read: sheets, photo and shop picture are drawn by this project's rasteriser, so that
all geometry of the garments, their coordinates included, is exact. The body is drawn where the user supplies SMPL's
files as smpl/model_f.pkl and smpl/model_m.pkl (or .npz) beside the samples; without, the clothes are empty. Not known:
strain; without a body, keypoints.
"""

import functools
import zlib

from tryon_jax.data.cloth3d import drawn, sample
from tryon_jax.data.formats import access
from tryon_jax.errors import UserError

SPLITS = ("train", "test")
TERMS = access.Terms(
    "CLOTH3D",
    "https://chalearnlap.cvc.uab.cat/dataset/38/description/",
    "research only, after registration",
    "<sample>/{info.mat,<Garment>.obj,<Garment>.pc16} in it, or in its folders train/ and test/",
)
TEST_SHARE = 10  # one sample in so many is held out, by its name, where the copy has no folders of the splits
EVERY = 5  # frames from one example to the next: at 30 a second, neighbours look alike


def open_split(preset, split, folder=""):
    """Random-access source of `split` ("train" or "test") of the user's copy, pictures of the preset's side.

    An example is a garment of a frame of a sample. source[i] is one of the batch contract, numpy, with `caption`; the
    person is pictured in the same clothes. Raises UserError for an unknown preset, or a copy that is missing,
    incomplete or damaged; ValueError for an unknown split.
    """
    size = access.size_of(preset)
    access.check_split(split, SPLITS)
    root = access.root(folder, TERMS)
    places = _places(root, split)
    if not places:
        raise UserError(f"{root}: no sample for the split {split}; {access.request(TERMS)}")
    items = [item for place in places for item in _items(place)]
    return access.Source(items, functools.partial(read, root, size))


def _places(root, split):
    """Folders of the samples of a split, in order."""
    if all((root / name).is_dir() for name in SPLITS):
        return [place.parent for place in sorted((root / split).glob("*/info.mat"))]
    places = [place.parent for place in sorted(root.glob("*/info.mat"))]
    return [place for place in places if is_held_out(place.name) == (split == "test")]


def is_held_out(name):
    """Whether the sample of that name is for testing; so a copy may grow without moving any."""
    return zlib.crc32(name.encode()) % TEST_SHARE == 0


def _items(place):
    """(folder, frame, garment) of a sample's examples."""
    caches = sample.caches(place)
    frames = min(cache.frames for cache in caches.values())
    return [(place, frame, garment) for frame in range(0, frames, EVERY) for garment in caches]


def read(root, size, item):
    """One example of the batch contract of (folder of the sample, frame, garment)."""
    place, frame, garment = item
    return drawn.example(sample.loaded(place), frame, garment, size, root / "smpl")
