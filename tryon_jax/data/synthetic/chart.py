"""Bar charts as a picture: panels of labelled bars in columns, and a strip of colours; drawn with Pillow alone."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FAINT, TRACK = (250, 249, 246), (38, 41, 51), (122, 124, 132), (236, 234, 228)
WIDTH, MARGIN, GAP, COLUMNS = 1600, 48, 44, 4
ROW, BAR = 25, 13  # pixels from one bar to the next, and a bar's height


class Bar(NamedTuple):
    """One bar: its label, how long it is, what is written beside it, and its colour, uint8 [3]."""

    label: str
    length: float
    value: str
    colour: tuple


class Panel(NamedTuple):
    """Bars under a title; note: one line in grey below the title."""

    title: str
    note: str
    bars: tuple


def font(size):
    """Pillow's own font at `size` pixels, the same on every machine."""
    return ImageFont.load_default(size)


def page(title, note, strip, panels):
    """A picture [H, WIDTH] of a title, a strip of display colours [N, 3] (none if empty) and Panels in columns."""
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) // COLUMNS
    top = 128 + (96 if len(strip) else 0)
    ends = [top] * COLUMNS
    placed = []
    for panel in panels:
        column = int(np.argmin(ends))
        placed.append((panel, MARGIN + column * (width + GAP), ends[column]))
        ends[column] += _height(panel)
    picture = Image.new("RGB", (WIDTH, max(ends) + MARGIN // 2), PAPER)
    drawing = ImageDraw.Draw(picture)
    drawing.text((MARGIN, 34), title, INK, font(34))
    drawing.text((MARGIN, 82), note, FAINT, font(17))
    if len(strip):
        picture.paste(_strip(strip, WIDTH - 2 * MARGIN, 62), (MARGIN, 128))
    for panel, left, upper in placed:
        _draw(drawing, panel, left, upper, width)
    return picture


def _height(panel):
    return 66 + ROW * len(panel.bars) + 26


def _strip(colours, width, height):
    """The colours side by side, each a stripe of its own if there is room."""
    chosen = np.asarray(colours)[np.arange(width) * len(colours) // width]
    row = np.round(255 * np.clip(chosen, 0, 1)).astype(np.uint8)
    return Image.fromarray(np.tile(row[None], (height, 1, 1)))


def _draw(drawing, panel, left, upper, width):
    drawing.text((left, upper), panel.title, INK, font(20))
    drawing.text((left, upper + 28), panel.note, FAINT, font(13))
    small = font(14)
    labels = max(drawing.textlength(bar.label, small) for bar in panel.bars) + 12
    values = max(drawing.textlength(bar.value, small) for bar in panel.bars) + 8
    room, longest = width - labels - values, max(bar.length for bar in panel.bars) or 1
    for number, bar in enumerate(panel.bars):
        middle = upper + 66 + ROW * number
        drawing.text((left, middle), bar.label, INK, small, anchor="lm")
        start, half = left + labels, BAR // 2
        drawing.rectangle((start, middle - half, start + room, middle + half), TRACK)
        if bar.length:
            drawing.rectangle((start, middle - half, start + room * bar.length / longest, middle + half), bar.colour)
        drawing.text((left + width, middle), bar.value, FAINT, small, anchor="rm")
