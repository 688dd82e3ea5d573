"""Made people as a source of targets, and outputs written as anybody would, for tests of protocols."""

import numpy as np
from made_people import example
from PIL import Image

from tryon_jax.protocols import sheets

SIDE, COUNT = 32, 4


class Source:
    """Made people as the made data hold them: colours in steps of 1/255, a photo in other clothes."""

    def __len__(self):
        return COUNT

    def __getitem__(self, number):
        made = example(number, SIDE)
        made["person"] = np.roll(made["person"][..., ::-1], 3, axis=1)
        made["person_segmentation"] = np.roll(made["person_segmentation"], 3, axis=1)
        for key in ("person", "garment", "front_rgb", "back_rgb"):
            made[key] = (np.round(made[key] * 255) / 255).astype(np.float32)
        return made | {"caption": "a person"}


def save(folder, target):
    """Writes the files of an output."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in target.items():
        name, kind = sheets.FILES[key]
        if kind == "colour" or kind == "mask":
            Image.fromarray(np.round(value.astype(np.float32) * 255).astype(np.uint8)).save(folder / name)
        elif kind == "labels":
            Image.fromarray(value.astype(np.uint8)).save(folder / name)
        else:
            np.save(folder / name, value.astype(np.float32))
