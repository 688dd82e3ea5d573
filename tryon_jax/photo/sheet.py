"""A contact sheet of what was understood of photos: a row each of pictures, with numbers, doubts or the refusal."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tryon_jax.geometry.parts import GARMENT_CLASSES, PALETTE, PARTS
from tryon_jax.photo import landmarks

TILE, GAP, WORDS = 256, 6, 330  # pixels: a picture's side, between pictures, and the column of words
PICTURES = 4
PAPER, INK, WRONG, DOUBT = (250, 249, 246), (38, 41, 51), (190, 30, 40), (176, 104, 0)
LEFT, RIGHT, MIDDLE = (235, 60, 50), (40, 90, 230), (30, 150, 60)  # of joints and landmarks, by the wearer's own sides
# The 33 joints' bones, of BlazePose: (start, end).
BONES = (
    (11, 12), (23, 24), (11, 23), (12, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26),
    (26, 28), (27, 29), (29, 31), (28, 30), (30, 32), (15, 19), (16, 20), (7, 2), (2, 0), (0, 5), (5, 8), (9, 10),
)  # fmt: skip


def person_row(name, found):
    """A row uint8 [TILE + GAP, ., 3] of a photo.person: photo, cut-out, joints on the mask, parts, and words."""
    rgb, mask, labels = found["rgb"], found["mask"], found["segmentation"]
    parts = np.where((labels > 0)[..., None], 0.35 * rgb + 0.65 * PALETTE[labels], 0.5 * rgb + 127)
    shares = np.bincount(labels.ravel(), minlength=len(PARTS)) / max((labels > 0).sum(), 1)
    order = [index for index in np.argsort(-shares[1:]) + 1 if shares[index] > 0.005]
    seen = ", ".join(f"{PARTS[index]} {100 * shares[index]:.0f} %" for index in order)
    joints = _joints(np.repeat(np.uint8(255 * (1 - 0.35 * mask))[..., None], 3, -1), found["landmarks"])
    count = int((found["landmarks"][:, 2] > 0.5).sum())
    words = [(_numbers(found["confidence"]), INK), (f"{count} of 33 joints seen", INK), (seen, INK)]
    return _row(name, [rgb, _cut(rgb, mask), joints, parts], words + [(text, DOUBT) for text in found["doubts"]])


def garment_row(name, found):
    """A row of a photo.garment: picture, cut-out, landmarks on the mask, and words."""
    mask, points = found["mask"], found["landmarks"]
    plain = np.repeat(np.uint8(255 * (1 - 0.35 * mask))[..., None], 3, -1)
    length = landmarks.sleeve_length(points)
    sleeve = "no sleeves seen" if not length else f"{'short' if length < 0.75 else 'long'} sleeves ({length:.2f})"
    about = f"{GARMENT_CLASSES[found['garment_class']]}: {found['kind']}"
    if found["kind"] in ("top", "dress"):
        about += f", {sleeve}"
    words = [(about, INK), (_numbers(found["confidence"]), INK)]
    pictures = [found["rgb"], _cut(found["rgb"], mask), _points(plain, points)]
    return _row(name, pictures, words + [(text, DOUBT) for text in found["doubts"]])


def refusal_row(name, rgb, message):
    """A row of a photo that was refused: uint8 [H, W, 3], or None if it could not be read; message: the line why."""
    return _row(name, [] if rgb is None else [rgb], [(message, WRONG)])


def compose(rows):
    """One picture uint8 [H, W, 3] of rows."""
    return np.concatenate(rows, 0)


def _numbers(confidence):
    return ", ".join(f"{name} {value:.2f}" for name, value in confidence.items())


def _row(name, pictures, words):
    width = PICTURES * (TILE + GAP) + WORDS
    row = Image.new("RGB", (width, TILE + GAP), PAPER)
    for place, picture in enumerate(pictures):
        tile = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        tile.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
        row.paste(tile, (place * (TILE + GAP) + (TILE - tile.width) // 2, (TILE - tile.height) // 2))
    drawing, top = ImageDraw.Draw(row), 6
    for text, colour in [(name, INK), *words]:
        for line in textwrap.wrap(text, 50) or [""]:
            drawing.text((width - WORDS + 8, top), line, colour, ImageFont.load_default(13))
            top += 17
        top += 5
    return np.asarray(row)


def _cut(rgb, mask):
    return rgb * mask[..., None] + np.array(PAPER) * (1 - mask[..., None])


def _joints(picture, joints):
    """The picture with bones and joints [33, 3]; joints that are not seen are hollow."""
    image = Image.fromarray(picture)
    drawing, size = ImageDraw.Draw(image), max(image.size) / TILE
    for start, end in BONES:
        drawing.line([*joints[start, :2], *joints[end, :2]], _of_side(start), max(1, round(1.5 * size)))
    for index, (x, y, visibility) in enumerate(joints):
        box = [x - 2.5 * size, y - 2.5 * size, x + 2.5 * size, y + 2.5 * size]
        drawing.ellipse(box, _of_side(index) if visibility > 0.5 else PAPER, _of_side(index), max(1, round(size)))
    return np.asarray(image)


def _of_side(index):
    """Colour of a joint: 1 to 3 are the left eye, 4 to 6 the right one; from there on odd numbers are left."""
    if index == 0:
        return MIDDLE
    return LEFT if (index <= 3 if index <= 6 else index % 2) else RIGHT


def _points(picture, points):
    """The picture with named landmarks."""
    image = Image.fromarray(picture)
    drawing, size = ImageDraw.Draw(image), max(image.size) / TILE
    for name, (x, y, found) in zip(landmarks.LANDMARKS, points, strict=True):
        if found:
            side, _, what = name.partition("_")
            colour = {"left": LEFT, "right": RIGHT}.get(side, MIDDLE)
            drawing.ellipse([x - 4 * size, y - 4 * size, x + 4 * size, y + 4 * size], colour)
            drawing.text((x + 5 * size, y - 6 * size), what or side, INK, ImageFont.load_default(10 * size))
    return np.asarray(image)
