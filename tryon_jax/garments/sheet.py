"""The texture sheet: all panels of a garment side by side in one square picture, one scale everywhere."""

import math
from typing import NamedTuple

import numpy as np

from tryon_jax import native
from tryon_jax.native import host

# Metres between panels: bilinear samples stay on their own panel while texels are at most half as large.
MARGIN = 0.016
FAR = 1.0  # metres; the largest distance to an edge that a Sheet tells, and the one where a panel has no such edge
CHORD = 0.1  # of a texel; how far curved edges may lie off the chords that distances are measured to


class Layout(NamedTuple):
    """Where panels lie in their sheet. panels: tuple of P Panel; origins [P, 2] f64: each panel's own x = y = 0 in
    metres from the sheet's top left corner, x right, y down; boxes [P, 2, 2]: lowest and highest (x, y) of each panel;
    side: of the sheet, metres; margin: between panels."""

    panels: tuple
    origins: np.ndarray
    boxes: np.ndarray
    side: float
    margin: float

    def index(self, name):
        """Number of the panel called `name`; raises ValueError naming the choices if there is none."""
        names = [panel.name for panel in self.panels]
        if name not in names:
            raise ValueError(f"no panel {name!r}: choose one of {', '.join(names)}")
        return names.index(name)


class Sheet(NamedTuple):
    """The texels of a layout. panel [S, S] i16: the panel's number or -1; xy [S, S, 2] f32: its own coordinates in
    metres (y up), continued around the panel up to half the margin beyond its bounding box, 0 on no panel;
    seam, hem, band [S, S] f32: metres to the nearest edge of that panel that is finished so, from either side, at
    most FAR."""

    panel: np.ndarray
    xy: np.ndarray
    seam: np.ndarray
    hem: np.ndarray
    band: np.ndarray


def lay_out(panels, margin=MARGIN):
    """The Layout of panels (tuple of Panel) on shelves in the smallest square sheet that this finds; none is turned."""
    low, high = (np.array([way(panel.outline, axis=0) for panel in panels]) for way in (np.min, np.max))
    boxes = high - low + margin
    order = sorted(range(len(panels)), key=lambda number: (-boxes[number, 1], number))
    least = max(boxes[:, 0].max(), math.sqrt(boxes.prod(axis=1).sum()))
    sides = boxes.tolist()
    tried = [_shelves(sides, order, width) for width in np.linspace(least, 2 * least, 48).tolist()]
    corners, side = min(tried, key=lambda one: one[1])
    origins = np.array(corners) + margin / 2 + np.stack([-low[:, 0], high[:, 1]], axis=1)
    return Layout(tuple(panels), origins, np.stack([low, high], axis=1), side, margin)


def _shelves(boxes, order, width):
    """Upper left corners [(x, y)] of boxes [(wide, tall)] on shelves up to `width` wide, and the side of their square.

    All are lists of plain floats: there are too few for arrays to be worth it.
    """
    corners, x, y, shelf, side = [None] * len(boxes), 0.0, 0.0, 0.0, 0.0
    for number in order:
        wide, tall = boxes[number]
        if x + wide > width * (1 + 1e-9):  # a single box as wide as the sheet fits in spite of rounding
            x, y, shelf = 0.0, y + shelf, 0.0
        corners[number] = x, y
        x, shelf = x + wide, max(shelf, tall)
        side = max(side, x, y + tall)
    return corners, side


def uv(layout, panel_name, xy):
    """Place [N, 2] f64 in the sheet, in [0, 1], x right and y down, of points xy [N, 2] of a panel in metres."""
    return (layout.origins[layout.index(panel_name)] + np.asarray(xy) * (1, -1)) / layout.side


def window(layout, panel_name, low, high, size):
    """(rows, columns), the slices of a sheet of `size` texels a side that hold the part of a panel between its points
    low (x, y) and high (x, y), both in metres, as far as texels are the panel's own; may be empty."""
    number, texel = layout.index(panel_name), layout.side / size
    (x, y), half = layout.origins[number].tolist(), layout.margin / 2
    (left, bottom), (right, top) = layout.boxes[number].tolist()
    left, right = x + max(low[0], left - half), x + min(high[0], right + half)
    top, bottom = y - min(high[1], top + half), y - max(low[1], bottom - half)

    def texels(start, stop):
        # A texel belongs to the box that holds its centre; rounded first, so that abutting boxes agree about a tie.
        first, end = (min(max(math.ceil(round(edge / texel - 0.5, 6)), 0), size) for edge in (start, stop))
        return slice(first, max(first, end))

    return texels(top, bottom), texels(left, right)


def raster(layout, size):
    """The Sheet of a layout at `size` texels a side."""
    texel = layout.side / size
    panel = np.full((size, size), -1, np.int16)
    xy = np.zeros((size, size, 2), np.float32)
    distances = {finish: np.full((size, size), FAR, np.float32) for finish in ("seam", "hem", "band")}
    for number, (piece, origin) in enumerate(zip(layout.panels, layout.origins, strict=True)):
        rows, columns = place = window(layout, piece.name, (-np.inf, -np.inf), (np.inf, np.inf), size)
        x = ((np.arange(columns.start, columns.stop) + 0.5) * texel - origin[0]).astype(np.float32)
        y = (origin[1] - (np.arange(rows.start, rows.stop) + 0.5) * texel).astype(np.float32)
        panel[place] = number
        xy[rows, columns, 0], xy[rows, columns, 1] = x[None, :], y[:, None]
        for finish, nearest in distances.items():
            edges = [points for name, points in piece.edges.items() if piece.finish[name] == finish]
            if edges:
                nearest[place] = distance(x, y, [_chords(points, CHORD * texel) for points in edges])
    return Sheet(panel, xy, **distances)


def _chords(points, tolerance):
    """As few evenly chosen points [M, 2] of a polyline [N, 2] as keep all others within `tolerance` of its chords."""
    last, (x, y) = len(points) - 1, points.T
    number = np.arange(last + 1)
    for stride in (last, 16, 8, 4, 2) if last > 1 else ():
        start = number // stride * stride
        end = np.minimum(start + stride, last)
        right, up = x[end] - x[start], y[end] - y[start]
        length = np.hypot(right, up) + 1e-12  # metres; the last point is a chord of no length
        off = np.abs(right * (y - y[start]) - up * (x - x[start])) / length
        if off.max() <= tolerance:
            return points[np.unique(np.append(number[::stride], last))]
    return points


def distance(x, y, edges, path="auto"):
    """Metres [H, W] f32, at most FAR, from points at x [W], y [H] f32 to the nearest of polylines, each [N, 2].

    path: "native", the compiled kernel, which gives the same bits as "numpy"; "auto" takes it where it can be had.
    """
    starts = np.concatenate([points[:-1] for points in edges]).astype(np.float32)
    along = np.concatenate([points[1:] for points in edges]).astype(np.float32) - starts
    length = np.maximum(np.hypot(*along.T), np.float32(1e-9))  # metres; two equal points have no direction
    along /= length[:, None]
    if native.takes(path):
        return host.distance(x, y, np.column_stack([starts, along, length]), FAR)
    least = np.full((len(y), len(x)), FAR**2, np.float32)
    for start, (along_x, along_y), whole in zip(starts, along, length, strict=True):
        right, up = (x - start[0])[None, :], (y - start[1])[:, None]
        foot = np.clip(right * along_x + up * along_y, 0, whole)
        np.minimum(least, (right - foot * along_x) ** 2 + (up - foot * along_y) ** 2, out=least)
    return np.sqrt(least)
