"""Pictures of what is wrong beside what should be there: masks over photos, joints on people, fronts over backs.

Each is made from the files when it is asked for, since a copy may have thousands of faults.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from tryon_jax.geometry.parts import KEYPOINT, PALETTE

ROWS = 320  # of each picture
RED, GREEN, BLUE = (230, 40, 50), (40, 190, 90), (60, 110, 240)
PLAIN = "what is used as mask"
LIMBS = [
    *[(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))],
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
]  # fmt: skip


class Panels(NamedTuple):
    """Two pictures, uint8 [ROWS, W, 3], each with one line about it: what is on the disk, and what should be."""

    found: np.ndarray
    about_found: str
    wanted: np.ndarray
    about_wanted: str


def points(files, found, remedy):
    """Panels of keypoints [17, 3] in pixels of the photo of people.Files.

    remedy: a factor, "mirrored", or None if nothing is known that would fit.
    """
    photo, scale = _photo(files.image), ROWS / files.size[1]
    pixels = np.asarray(found) * [scale, scale, 1]
    if remedy is None:
        parts = PALETTE[_sized(_parts(files))]
        return Panels(_joints(photo, pixels), "the joints as they are", parts, "the parts that they should lie on")
    if remedy == "mirrored":
        parts = PALETTE[_sized(_parts(files))]
        turned = pixels * [-1, 1, 1] + [photo.shape[1], 0, 0]
        about = "left (green) and right (red) as they are", "mirrored: left and right on the limbs of their own"
        return Panels(_joints(parts, pixels), about[0], _joints(parts, turned), about[1])
    wanted = _joints(photo, pixels * [remedy, remedy, 1])
    return Panels(_joints(photo, pixels), "the joints as they are", wanted, f"the joints times {remedy:g}")


def silhouettes(files):
    """Panels of the photo of people.Files under its label map, and under the mirrored one."""
    photo, parts = _photo(files.image), _sized(_parts(files)) > 0
    about = "the label map (red) over the photo", "the mirrored label map (green) over the photo"
    return Panels(_over(photo, parts, RED), about[0], _over(photo, parts[:, ::-1], GREEN), about[1])


def garment(mask_path, cloth_path, plain=False):
    """Panels of a garment under its mask, or the mask's file plain, and under what the picture itself shows of it."""
    photo, mask = _photo(cloth_path), _mask(mask_path)
    border = np.concatenate([photo[:4].reshape(-1, 3), photo[:, :4].reshape(-1, 3)])
    shown = np.abs(photo.astype(int) - np.median(border, axis=0)).max(-1) > 16  # grey levels: JPEG's noise is less
    about = "the mask (red) over the garment", "what differs from the ground (green)"
    found = (_photo(mask_path), PLAIN) if plain else (_over(photo, mask, RED), about[0])
    return Panels(*found, _over(photo, shown, GREEN), about[1])


def agnostic(mask_path, files, wanted, plain=False):
    """Panels of the photo of people.Files under an inpainting mask, or its file plain, and under what it must cover.

    wanted: numbers of the parts that it must cover.
    """
    photo, region = _photo(files.image), np.isin(_sized(_parts(files)), wanted)
    about = "what is used as mask (red) over the photo", "what it must cover at least (green)"
    found = (_photo(mask_path), PLAIN) if plain else (_over(photo, _mask(mask_path), RED), about[0])
    return Panels(*found, _over(photo, region, GREEN), about[1])


def depths(front_path, back_path):
    """Panels of where a front and a back have depth, the back as it is, and flipped."""
    front, back = (np.load(path) > 0 for path in (front_path, back_path))
    # A reader flips the back to lay it under the front; the fault is what comes of it.
    about = "front (red), back (blue), both (white), as they are read", "the same with the other flip of the back"
    return Panels(_two(front, back[:, ::-1]), about[0], _two(front, back), about[1])


def depth_on_photo(front_path, files):
    """Panels of the photo of people.Files under where a front has depth, and under the mirror image of that."""
    photo, solid = _photo(files.image), _sized(np.load(front_path) > 0) > 0
    about = "the front's depth (red) over the photo", "the mirrored depth (green) over the photo"
    return Panels(_over(photo, solid, RED), about[0], _over(photo, solid[:, ::-1], GREEN), about[1])


def depth_order(front_path, back_path):
    """Panels of where a front lies behind its back, as they are read and with 1 - d in place of d."""
    front, back = np.load(front_path), np.load(back_path)[:, ::-1]
    solid, behind = (front > 0) & (back > 0), front + back > 1
    about = "the front behind the back (red), before it (white)", "the same with 1 - d in place of d"
    return Panels(_two(solid, solid & ~behind), about[0], _two(solid, solid & behind), about[1])


def _two(front, back):
    canvas = np.full((*front.shape, 3), 24, np.uint8)
    canvas[front], canvas[back], canvas[front & back] = RED, BLUE, (245, 245, 245)
    return np.asarray(_resized(Image.fromarray(canvas)))


def _photo(path):
    with Image.open(path) as picture:
        return np.asarray(_resized(picture.convert("RGB")))


def _mask(path):
    with Image.open(path) as picture:
        return np.asarray(_resized(picture.convert("L"))) >= 128


def _parts(files):
    from tryon_jax.data.doctor import people  # which makes these Panels

    return people.read_parts(files)[0]


def _sized(labels):
    return np.asarray(_resized(Image.fromarray(labels.astype(np.uint8)), Image.Resampling.NEAREST))


def _resized(picture, how=Image.Resampling.BILINEAR):
    return picture.resize((round(picture.width * ROWS / picture.height), ROWS), how)


def _over(photo, mask, colour):
    blended = (0.5 * photo + 0.5 * np.array(colour)).astype(np.uint8)
    return np.where(mask[..., None], blended, (photo * 0.8 + 50).astype(np.uint8))


def _joints(photo, pixels):
    """The photo with limbs, the person's left ones green and right ones red."""
    picture = Image.fromarray(photo)
    pen = ImageDraw.Draw(picture)
    for first, second in LIMBS:
        ends = pixels[[KEYPOINT[first], KEYPOINT[second]]]
        if (ends[:, 2] > 0).all():
            colour = BLUE if first[:4] != second[:4] else GREEN if first.startswith("left") else RED
            pen.line([tuple(end) for end in ends[:, :2]], fill=colour, width=3)
    for x, y, seen in pixels:
        if seen > 0:
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=(250, 250, 90), outline=(0, 0, 0))
    return np.asarray(picture)
