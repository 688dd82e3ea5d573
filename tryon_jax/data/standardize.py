"""A photographed person and garment as one example of the batch contract, framed as the synthetic data frames its own.

The person's whole figure, of which the photo may show a part, fills 0.9 of a square picture; the camera assumes an
adult of 1.7 m. The garment's cut-out fills 0.88 of a square of near-white ground.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from tryon_jax import data
from tryon_jax.geometry.fine import FINER
from tryon_jax.geometry.parts import KEYPOINT

FILL = 0.9  # the synthetic cameras' mean share of the picture that the person's longer side fills
GARMENT_MARGIN = 0.06  # free share of the shop picture on each side of the garment
GROUND = 0.97  # grey of the shop pictures' ground
HEIGHT = 1.7  # metres, of whoever stands in the photo: one picture does not tell
# Shares of the standing height, means over ANNY bodies in A-pose (spread 2 %).
NOSE_TO_ANKLE, TORSO, NOSE_TO_CROWN = 0.866, 0.269, 0.087
CUT = 0.01  # a figure nearer to the photo's border than this share of its height is cut off by it
SEEN = 0.5  # visibility above which a joint counts as seen


class Frame(NamedTuple):
    """A square of the photo: left and top corner and side in photo pixels; metres per photo pixel; the camera-frame
    origin (between the hips, on the floor) in photo pixels, x and y."""

    left: float
    top: float
    side: float
    metres: float
    origin: tuple


def standardize(person, garment, size):
    """One example of the batch contract at picture side `size`, its targets zero with `has` 0.

    person: dict of rgb uint8 [H, W, 3], mask [H, W] in [0, 1], keypoints [17, 3] (pixels, visibility), segmentation
    int32 [H, W]; garment: dict of rgb uint8 [h, w, 3], mask [h, w], garment_class int. Called again with a larger
    size it gives the same pictures at the photos' own detail.
    """
    example, frame = _empty(size), frame_person(person)
    example |= crop_person(person, frame, size)
    example["person_fine"] = crop_person(person, frame, FINER * size)["person"]
    example |= crop_garment(garment, size)
    example["camera"] = camera(frame, size)
    example["has"]["keypoints"] = example["has"]["person_segmentation"] = np.float32(1)
    return example


def _empty(size):
    """An example of zeros at picture side `size`."""
    specification = data.specification(size)
    empty = {key: np.zeros(*value) for key, value in specification.items() if key != "has"}
    return empty | {"has": {key: np.float32(0) for key in specification["has"]}}


def frame_person(person):
    """The Frame of a person, a dict as in `standardize`; parts that the photo cuts off have their place in it."""
    mask = np.asarray(person["mask"]) > 0.5
    if not mask.any():
        raise ValueError("the person's mask is empty")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    points = np.asarray(person["keypoints"], np.float64)
    height = figure_height(points, mask)
    nose = points[KEYPOINT["nose"], 1]
    if top <= CUT * height:
        top = min(top, nose - NOSE_TO_CROWN * height)
    floor = nose + (1 - NOSE_TO_CROWN) * height
    if bottom >= mask.shape[0] - CUT * height:
        bottom = max(bottom, floor)
    else:
        floor = bottom
    side = max(bottom - top, right - left) / FILL
    hips = points[[KEYPOINT["left_hip"], KEYPOINT["right_hip"]], 0].mean()
    return Frame(
        (left + right - side) / 2, (top + bottom - side) / 2, side, HEIGHT / height, (float(hips), float(floor))
    )


def figure_height(points, mask):
    """Standing height in photo pixels of keypoints [17, 3]: from nose to ankles if seen, else by the torso."""
    named = {name: points[index] for name, index in KEYPOINT.items()}
    ankles = [named[f"{side}_ankle"] for side in ("left", "right")]
    seen = [p for p in ankles if p[2] > SEEN and 0 <= p[1] < mask.shape[0] and 0 <= p[0] < mask.shape[1]]
    shoulders, hips = ((named[f"left_{joint}"][:2] + named[f"right_{joint}"][:2]) / 2 for joint in ("shoulder", "hip"))
    torso = np.hypot(*(shoulders - hips)) / TORSO
    if not seen:
        return max(torso, 1.0)
    # The lower ankle is the standing leg's. Bent or seated people are shorter than their torso says.
    return max((max(p[1] for p in seen) - named["nose"][1]) / NOSE_TO_ANKLE, 0.8 * torso, 1.0)


def camera(frame, size):
    """The contract's camera [3] of a Frame drawn at picture side `size`."""
    middle_x, middle_y = frame.left + frame.side / 2, frame.top + frame.side / 2
    x, floor = frame.origin
    return np.array(
        [frame.metres * frame.side / size, (middle_x - x) * frame.metres, (floor - middle_y) * frame.metres], np.float32
    )


def crop_person(person, frame, size):
    """The contract's person, person_segmentation and keypoints of a photo's Frame at picture side `size`.

    Outside the photo the ground has the median colour of the photo's own, or light grey where all of it is person.
    """
    rgb, mask = np.asarray(person["rgb"]), np.asarray(person["mask"])
    ground = rgb[mask < 0.5]
    fill = np.median(ground, axis=0) if len(ground) else np.full(3, 200)
    points = np.array(person["keypoints"], np.float32)
    points[:, :2] = (points[:, :2] - [frame.left, frame.top]) * (size / frame.side)
    inside = ((points[:, :2] >= 0) & (points[:, :2] < size)).all(1)
    points[:, 2] = (points[:, 2] > SEEN) & inside
    return {
        "person": _square(rgb, frame, size, fill) / np.float32(255),
        "person_segmentation": _square_labels(person["segmentation"], frame, size),
        "keypoints": points,
    }


def crop_mask(person, frame, size):
    """(person mask, known) float32 [size, size] in [0, 1] of a photo's Frame; known is 0 outside the photo."""
    mask = np.asarray(person["mask"], np.float32)
    return tuple(np.clip(_square(layer, frame, size, 0.0), 0, 1) for layer in (mask, np.ones_like(mask)))


def crop_garment(garment, size):
    """The contract's garment, garment_mask and garment_class at picture side `size`: the cut-out on near-white."""
    mask = np.asarray(garment["mask"], np.float32)
    rows, columns = np.nonzero(mask > 0.5)
    if not len(rows):
        raise ValueError("the garment's mask is empty")
    low = np.array([columns.min(), rows.min()], np.float64)
    high = np.array([columns.max(), rows.max()], np.float64) + 1
    side = (high - low).max() / (1 - 2 * GARMENT_MARGIN)
    frame = Frame(*((low + high - side) / 2), side, 1.0, (0.0, 0.0))
    cut = np.clip(_square(mask, frame, size, 0.0), 0, 1)[..., None]
    # Colours weighted by the cut-out first, so that the old ground does not shine through at the edge.
    weighted = _square(np.asarray(garment["rgb"], np.float32) / 255 * mask[..., None], frame, size, 0.0)
    return {
        "garment": np.clip(weighted + GROUND * (1 - cut), 0, 1),
        "garment_mask": cut,
        "garment_class": np.asarray(garment["garment_class"], np.int32)[()],
    }


def _padded(array, frame, fill):
    """`array` with a margin of `fill` that holds the Frame, and the Frame's box in it, both in pixels."""
    height, width = array.shape[:2]
    beyond = -frame.left, -frame.top, frame.left + frame.side - width, frame.top + frame.side - height
    margin = int(np.ceil(max(0.0, *beyond)))
    padded = np.empty((height + 2 * margin, width + 2 * margin, *array.shape[2:]), array.dtype)
    padded[...] = np.asarray(fill).astype(array.dtype)
    padded[margin : margin + height, margin : margin + width] = array
    left, top = max(frame.left + margin, 0.0), max(frame.top + margin, 0.0)
    # Rounding must not push the box over the border.
    right, bottom = min(left + frame.side, padded.shape[1]), min(top + frame.side, padded.shape[0])
    return padded, (left, top, right, bottom)


def _square(array, frame, size, fill):
    """The Frame's square of an array [H, W] or [H, W, C], resampled to float32 [size, size(, C)] without aliasing."""
    padded, box = _padded(np.asarray(array, np.float32), frame, fill)
    planes = padded.reshape(*padded.shape[:2], -1)
    drawn = [
        np.asarray(Image.fromarray(np.ascontiguousarray(planes[..., index])).resize((size, size), _FILTER, box))
        for index in range(planes.shape[-1])
    ]
    return np.stack(drawn, -1).reshape(size, size, *padded.shape[2:])


def _square_labels(labels, frame, size):
    """The Frame's square of labels int [H, W]: int32 [size, size], each that of the pixel under its centre."""
    padded, box = _padded(np.asarray(labels, np.uint8), frame, 0)
    return np.asarray(Image.fromarray(padded).resize((size, size), Image.Resampling.NEAREST, box), np.int32)


_FILTER = Image.Resampling.BILINEAR  # Pillow widens it when shrinking, so it averages what a pixel covers
