"""A made example's square pictures on a canvas of another shape, pixel for block, so that all of them stay aligned."""

import json
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from tryon_jax.geometry.parts import KEYPOINT, PARTS

CONFIDENCE = 0.9  # of every joint that is in the picture, as OpenPose writes it
QUALITY = 95  # of the JPEG files


class Placement(NamedTuple):
    """Canvas pixels a source pixel, and the source x, y of the canvas's upper left corner; size: its width, height."""

    scale: float
    left: float
    top: float
    size: tuple


def box_of(mask):
    """(left, top, right, bottom) of a mask [S, S] in pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def placed(box, size, margin):
    """The Placement in which `box` fills the canvas of `size` (W, H) but for that share of it on each side."""
    left, top, right, bottom = box
    width, height = size
    scale = (1 - 2 * margin) * min(width / (right - left), height / (bottom - top))
    return Placement(scale, (left + right - width / scale) / 2, (top + bottom - height / scale) / 2, size)


def enlarged(array, placement):
    """An array [S, S(, C)] on the canvas [H, W(, C)]; beyond its own border, its border goes on."""
    rows, columns = (np.floor(places).astype(int) for places in _places(placement))
    return array[np.ix_(np.clip(rows, 0, array.shape[0] - 1), np.clip(columns, 0, array.shape[1] - 1))]


def smoothed(array, mask, placement):
    """Values [S, S] on the canvas, linear from centre to centre over mask [S, S] bool and zero off it.

    For depth, whose slopes are looked at: steps from block to block would be cliffs.
    """
    centres = np.stack(np.meshgrid(*_places(placement), indexing="ij")) - 0.5
    values, weights = (map_coordinates(a, centres, order=1, mode="nearest") for a in (array * mask, mask.astype(float)))
    # Where the nearest centre is on the mask it weighs a quarter at least.
    return values / np.maximum(weights, 0.25) * enlarged(mask, placement)


def _places(placement):
    """Source rows and columns of the canvas's pixel centres."""
    width, height = placement.size
    places = (np.arange(height) + 0.5) / placement.scale, (np.arange(width) + 0.5) / placement.scale
    return placement.top + places[0], placement.left + places[1]


def points_on(points, placement):
    """Keypoints [17, 3] on the canvas; those beyond it are zeros, those seen have CONFIDENCE."""
    places = (points[:, :2] - [placement.left, placement.top]) * placement.scale
    seen = (points[:, 2] > 0) & (places > 1).all(1) & (places < np.array(placement.size) - 1).all(1)
    return np.concatenate([places, np.full((len(points), 1), CONFIDENCE)], 1) * seen[:, None]


def photo(example, ground):
    """Uint8 [S, S, 3]: the example's front sheet before a ground of colour [3] in [0, 1]."""
    return as_bytes(example["front_rgb"] + (1 - example["mask"]) * np.float32(ground))


def as_bytes(picture):
    """Uint8 of a picture in [0, 1]."""
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def numbered(segmentation, numbers):
    """Uint8 label numbers of our parts; numbers: {part: number}."""
    return np.array([numbers[part] for part in PARTS], np.uint8)[segmentation]


def body_25(points, order):
    """OpenPose's document of keypoints [17, 3]; order: place of each in its 25; neck and mid hip are means."""
    found = np.zeros((25, 3))
    found[list(order)] = points
    for place, joint in ((1, "shoulder"), (8, "hip")):
        pair = points[[KEYPOINT[f"left_{joint}"], KEYPOINT[f"right_{joint}"]]]
        found[place] = pair.mean(0) if pair[:, 2].all() else 0
    person = {"person_id": [-1], "pose_keypoints_2d": np.round(found, 3).ravel().tolist()}
    return {"version": 1.3, "people": [person]}


def save_json(document, path):
    """Writes a JSON file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def save(array, path, palette=False):
    """Writes uint8 [H, W] or [H, W, 3] as the path's ending says, its folder too; palette: as mode P."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(array)
    if palette:
        picture.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tobytes())
    picture.save(path, **({"quality": QUALITY, "subsampling": 0} if path.suffix == ".jpg" else {}))
