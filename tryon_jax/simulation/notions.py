"""Notions and small parts: buttons, pockets, zips, drawstrings and what else a pattern's Details put on panels.

Each kind is a function of x, y, metres from its centre; its size, metres; texel; a construction.Trim; and the side,
-1 or 1, on which the panel's middle lies. It returns layers (colour [3], coverage [H, W]) to lay one on another.
"""

import numpy as np

from tryon_jax.garments.sheet import window
from tryon_jax.simulation.construction import stitched
from tryon_jax.simulation.coverage import line, mix, step, wave

SHADOW = np.zeros(3, np.float32)
REACH = 0.02  # metres around a detail that its shadow and stitches may take


def attach(picture, sheet, layout, details, trim):
    """The picture [S, S, 3] f32 with every Detail on it; it is written into and returned."""
    size = len(sheet.panel)
    texel = layout.side / size
    for detail in details:
        centre, extent = np.array(detail.centre), np.array(detail.size) / 2 + REACH
        place = window(layout, detail.panel, centre - extent, centre + extent, size)
        x, y = (sheet.xy[place][..., axis] - np.float32(centre[axis]) for axis in (0, 1))
        inward, part = -1.0 if centre[0] > 0 else 1.0, picture[place]
        for colour, coverage in DRAWN[detail.kind](x, y, detail.size, texel, trim, inward):
            part = mix(part, colour, np.clip(coverage, 0, 1))
        picture[place] = part
    return picture


def _inside_box(x, y, wide, tall):
    """Metres inside a rectangle around 0, negative outside."""
    return np.minimum(wide / 2 - np.abs(x), tall / 2 - np.abs(y))


def _soft(distance, width, texel):
    """A shadow's fall-off in [0, 1] over `width` metres, never sharper than texels."""
    return np.exp(-((distance / max(width, texel)) ** 2))


def _to_segment(x, y, start, end):
    """Metres from the segment between two points, and metres along it."""
    (ax, ay), (bx, by) = start, end
    length = float(np.hypot(bx - ax, by - ay))
    along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length
    foot = np.clip(along, 0, length) / length
    return np.hypot(x - ax - foot * (bx - ax), y - ay - foot * (by - ay)), along


def _button(x, y, size, texel, trim, inward):
    radius = size[0] / 2
    away = np.hypot(x, y)
    disc = step(radius - away, texel)
    thrown = np.hypot(x - 0.18 * radius, y + 0.3 * radius)
    rim = line(away - 0.84 * radius, 0.2 * radius, texel)
    light = line(np.hypot(x + 0.1 * radius, y - 0.12 * radius) - 0.62 * radius, 0.2 * radius, texel) * (y > x)
    holes = step(0.14 * radius - np.hypot(np.abs(x) - 0.24 * radius, np.abs(y) - 0.24 * radius), texel)
    # A hole is finer than most texels: it counts by its area, not by whether a texel's centre meets it.
    holes *= min(1.0, 0.28 * radius / texel) if radius > texel else 0.0
    return [
        (SHADOW, 0.4 * step(1.12 * radius - thrown, 1.5 * texel)), (trim.button, disc), (0.72 * trim.button, 0.8 * rim),
        (0.5 + 0.5 * trim.button, 0.5 * light * disc), (SHADOW, 0.75 * holes * disc),
    ]  # fmt: skip


def _patch_pocket(x, y, size, texel, trim, inward):
    """A pocket sewn on along sides and bottom, which runs to a blunt point; open and hemmed at the top."""
    wide, tall = size
    point = 0.16 * tall
    bottom = (y + tall / 2 - point * np.abs(x) / (wide / 2)) / np.hypot(1, 2 * point / wide)
    inside = np.minimum(np.minimum(wide / 2 - np.abs(x), tall / 2 - y), bottom)
    sewn = np.minimum(wide / 2 - np.abs(x), bottom)
    held = y < tall / 2
    below = _soft(inside, 0.005, texel) * (inside < 0)
    layers = [
        (SHADOW, 0.30 * below),
        (np.ones(3), 0.05 * step(inside, texel)), (SHADOW, 0.40 * line(inside, 0.0022, texel)),
        stitched(trim, np.where(held & (inside > 0), sewn - 0.0065, 1), 0.006 if trim.topstitched else 0, x + y, texel),
        stitched(trim, np.where(inside > 0, tall / 2 - y - 0.1 * tall, 1), 0, x, texel),
    ]  # fmt: skip
    if trim.topstitched and wide > 0.12:
        swoop = y - 0.02 - 0.32 * np.abs(np.abs(x) / wide - 0.25) * wide
        layers.append(stitched(trim, np.where(inside > 0.012, swoop * 0.93, 1), 0.006, x, texel))
    return layers


def _slant_pocket(x, y, size, texel, trim, inward):
    """A slit from the top near the panel's middle down to its outer side."""
    wide, tall = size
    across, along = _to_segment(x, y, (inward * wide / 2, tall / 2), (-inward * wide / 2, -tall / 2))
    length = float(np.hypot(wide, tall))
    # Inside is the side of the panel's middle and below: the edge's stitches run there.
    inner = np.sign((x * tall - inward * y * wide) * inward)
    on = (along > 0) & (along < length)
    path = np.where(on & (inner > 0), across - 0.006, 1)
    ends = np.minimum(np.abs(along - 0.006), np.abs(along - length + 0.006))
    bars = line(ends, 0.004, texel) * (across < 0.009) * (inner > 0)
    return [
        (SHADOW, 0.28 * _soft(across, 0.006, texel) * (inner <= 0) * on), (SHADOW, 0.55 * line(across, 0.003, texel)),
        stitched(trim, path, 0.006 if trim.topstitched else 0, along, texel), (trim.thread, 0.8 * bars),
    ]  # fmt: skip


def _fly(x, y, size, texel, trim, inward):
    """The stitching that holds a fly: straight down, then round to the seam."""
    wide, tall = size
    turn_x, turn_y = -inward * wide / 2, -tall / 2 + 1.4 * wide
    curve = (np.hypot((x - turn_x) / wide, (y - turn_y) / (1.4 * wide)) - 1) * wide
    straight = inward * (x - inward * wide / 2)
    path = np.where(y > turn_y, straight, curve)
    here = (inward * (x - turn_x) > 0) & (y < tall / 2) & (y > -tall / 2 - 0.004)
    edge = line(x - turn_x, 0.003, texel) * step(tall / 2 - np.abs(y), texel)
    return [
        (SHADOW, 0.5 * edge), (SHADOW, 0.10 * _soft(path, 0.005, texel) * here),
        stitched(trim, np.where(here, path, 1), 0.006 if trim.topstitched else 0, y, texel),
    ]  # fmt: skip


def _placket(x, y, size, texel, trim, inward):
    """The strip that buttons or buttonholes are in: stitched along both sides, lying on what is below it."""
    wide, tall = size
    inside = _inside_box(x, y, wide, tall)
    on = np.abs(y) < tall / 2
    fall = _soft(np.abs(x) - wide / 2, 0.005, texel) * (np.abs(x) > wide / 2) * on
    return [
        (SHADOW, 0.28 * fall), (np.ones(3), 0.05 * step(inside, texel)), (SHADOW, 0.38 * line(inside, 0.0022, texel)),
        stitched(trim, np.where(on, wide / 2 - np.abs(x) - 0.0055, 1), 0, y, texel),
    ]  # fmt: skip


def _drawstring(x, y, size, texel, trim, inward):
    """Two cords out of eyelets, `size` apart and long, with knots at their ends."""
    wide, tall = size
    layers = []
    cord = 0.25 * trim.trim + 0.75 * np.where(trim.trim.mean() > 0.45, 0.9, 0.2)
    for side, length in ((-1, 0.93), (1, 1.0)):
        top, end = (side * wide / 2, tall / 2), (side * (wide / 2 - 0.008), tall / 2 - tall * length)
        away, along = _to_segment(x, y, top, end)
        thrown, _ = _to_segment(x - 0.003, y + 0.004, top, end)
        eyelet = np.hypot(x - top[0], y - top[1])
        knot = np.hypot(x - end[0], y - end[1])
        layers += [
            (trim.metal, step(0.0065 - eyelet, texel)), (SHADOW, 0.8 * step(0.0035 - eyelet, texel)),
            (SHADOW, 0.30 * step(0.004 - thrown, 1.6 * texel)), (cord, line(away, 0.006, texel)),
            (0.6 * cord, 0.35 * line(away, 0.006, texel) * (0.5 + 0.5 * wave(along + 2 * away, 0.006, texel))),
            (SHADOW, 0.25 * step(0.0075 - np.hypot(knot, 0.002), 1.6 * texel)), (cord, step(0.0055 - knot, texel)),
        ]  # fmt: skip
    return layers


def _kangaroo_pocket(x, y, size, texel, trim, inward):
    """A wide pocket, straight at top and bottom, that is open at its two slanted sides."""
    wide, tall = size
    narrow = 0.30 * wide
    slope = (wide / 2 - narrow) / (0.72 * tall)
    # Half the width at height y: the sides stand upright below and then lean in.
    half = np.minimum(wide / 2, narrow + slope * (tall / 2 - y))
    side = (half - np.abs(x)) / np.hypot(1, slope)
    inside = np.minimum(side, tall / 2 - np.abs(y))
    opening = (y > -0.22 * tall) & (np.abs(y) < tall / 2)
    return [
        (SHADOW, 0.34 * _soft(side, 0.010, texel) * (side < 0) * opening * np.clip(y / tall * 5 + 1, 0, 1)),
        (SHADOW, 0.22 * _soft(inside, 0.004, texel) * (inside < 0)), (np.ones(3), 0.04 * step(inside, texel)),
        (SHADOW, 0.42 * line(inside, 0.0028, texel)),
        stitched(trim, np.where(inside > 0, inside - 0.007, 1), 0, x + y, texel),
        stitched(trim, np.where((inside > 0) & opening, side - 0.019, 1), 0, y, texel),
    ]  # fmt: skip


def _zip(x, y, size, texel, trim, inward):
    """Two tapes, the teeth between them, and a slider with its pull near the top."""
    wide, tall = size
    on = step(tall / 2 - np.abs(y), texel)
    tape = 0.55 * trim.thread
    teeth = line(x, 0.006, texel) * on
    slider, pull = (
        _inside_box(x, y - tall / 2 + 0.022, 0.009, 0.014),
        _inside_box(x, y - tall / 2 + 0.042, 0.005, 0.026),
    )
    return [
        (SHADOW, 0.35 * _soft(np.abs(x) - wide / 2, 0.004, texel) * (np.abs(x) > wide / 2) * on),
        (tape, 0.75 * step(wide / 4 - np.abs(x), texel) * on),
        (SHADOW, 0.35 * line(np.abs(x) - wide / 4, 0.0025, texel) * on), (trim.metal, teeth),
        (0.35 * trim.metal, teeth * (0.35 + 0.35 * wave(y, 0.005, texel)) + 0.4 * line(x, 0.0015, texel) * on),
        stitched(trim, np.where(np.abs(y) < tall / 2, np.abs(x) - wide / 2 + 0.002, 1), 0, y, texel),
        (SHADOW, 0.35 * step(0.003 + np.maximum(slider, pull), 2 * texel)), (trim.metal, step(slider, texel)),
        (0.85 * trim.metal, step(pull, texel)),
    ]  # fmt: skip


def _belt_loop(x, y, size, texel, trim, inward):
    """An upright strip, stitched along both sides and tacked at both ends."""
    wide, tall = size
    inside = _inside_box(x, y, wide, tall)
    ends = line(np.abs(y) - tall / 2 + 0.004, 0.004, texel) * (np.abs(x) < 0.42 * wide)
    return [
        (SHADOW, 0.4 * step(0.003 + _inside_box(x - 0.002, y, wide, tall), 2 * texel) * (inside < 0)),
        (np.ones(3), 0.08 * step(inside, texel)), (SHADOW, 0.4 * line(inside, 0.002, texel)),
        stitched(trim, np.where(np.abs(y) < tall / 2, np.abs(x) - 0.3 * wide, 1), 0, y, texel),
        (trim.thread, 0.8 * ends),
    ]  # fmt: skip


DRAWN = {
    "button": _button, "patch pocket": _patch_pocket, "slant pocket": _slant_pocket, "fly": _fly, "placket": _placket,
    "drawstring": _drawstring, "kangaroo pocket": _kangaroo_pocket, "zip": _zip, "belt loop": _belt_loop,
}  # fmt: skip
