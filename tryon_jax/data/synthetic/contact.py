"""A contact sheet: many examples side by side, each as photo, garment to wear, and the front and back of the person."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw

from tryon_jax.data.synthetic.chart import FAINT, INK, PAPER, font
from tryon_jax.data.synthetic.survey import text

KEYS = ("person", "garment", "front_rgb", "back_rgb", "mask", "caption")
EXAMPLES, COLUMNS = 48, 3
TILE, SEAM = 128, 2  # pixels: a picture's side, and between those of an example
GAP, MARGIN, TOP = 18, 24, 100  # pixels between examples, around all, and for the title
WORDS = 40  # pixels for a caption of two lines
BLOCK = 4 * TILE + 3 * SEAM


def spread(count, wanted=EXAMPLES):
    """Numbers of up to `wanted` of `count` examples, evenly apart, so that they show as many bodies as can be."""
    shown = min(count, wanted)
    return [number * count // shown for number in range(shown)]


def size_of(examples):
    """Width and height in pixels of the contact sheet of that many examples."""
    rows = -(-examples // COLUMNS)
    return COLUMNS * BLOCK + (COLUMNS - 1) * GAP + 2 * MARGIN, TOP + rows * (TILE + WORDS + GAP)


def draw(title, note, stored, examples):
    """The picture, size_of(examples), of that many records with KEYS: an iterable, taken one at a time."""
    sheet = Image.new("RGB", size_of(examples), PAPER)
    drawing = ImageDraw.Draw(sheet)
    drawing.text((MARGIN, 24), title, INK, font(30))
    drawing.text((MARGIN, 64), note, FAINT, font(15))
    for number, record in enumerate(stored):
        left = MARGIN + number % COLUMNS * (BLOCK + GAP)
        upper = TOP + number // COLUMNS * (TILE + WORDS + GAP)
        for place, picture in enumerate(_pictures(record)):
            sheet.paste(_tile(picture), (left + place * (TILE + SEAM), upper))
        lines = textwrap.wrap(text(record["caption"]), 88, max_lines=2, placeholder=" ...")
        drawing.multiline_text((left, upper + TILE + 5), "\n".join(lines), FAINT, font(12), spacing=2)
    return sheet


def _pictures(record):
    """The four pictures [S, S, 3] uint8 of a record, both sides of the person on paper."""
    mask = record["mask"].astype(np.float32) / 255
    ground = np.float32(PAPER) * np.float32(0.95)
    sides = (record[key] * mask + ground * (1 - mask) for key in ("front_rgb", "back_rgb"))
    return [record["person"], record["garment"], *(np.round(side).astype(np.uint8) for side in sides)]


def _tile(picture):
    # A picture that is smaller shows its own pixels, as squares.
    whole = TILE % len(picture) == 0
    return Image.fromarray(picture).resize((TILE, TILE), getattr(Image.Resampling, "NEAREST" if whole else "LANCZOS"))
