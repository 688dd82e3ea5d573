"""The garments of made people as a folder of garment photographs, a folder a class."""

import itertools
import pathlib

from tryon_jax.data import garment_photos
from tryon_jax.data.lookalike import canvas
from tryon_jax.geometry.parts import GARMENT_CLASSES

CLASSES = ("upper", "lower", "dress")  # of the examples that it takes


def write(examples, root):
    """Writes {"train": [examples], "test": [examples]} of the batch contract as photographs under `root`, named so that
    each is of its split."""
    for split, chosen in examples.items():
        names = (f"{number:05d}.jpg" for number in itertools.count())
        own = (name for name in names if garment_photos.is_held_out(name) == (split == "test"))
        for example in chosen:
            label = GARMENT_CLASSES[int(example["garment_class"])]
            canvas.save(canvas.as_bytes(example["garment"]), pathlib.Path(root) / label / next(own))
