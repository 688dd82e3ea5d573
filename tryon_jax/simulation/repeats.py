"""Repeats: the patterns of printed or woven cloth, in metres of its panels, so that they meet at equal heights."""

import numpy as np

from tryon_jax.garments.sheet import window
from tryon_jax.simulation.coverage import line, mix, noise, step, stripes

LEG = 1.7  # times as tall as wide: such panels are legs, which rub at the thigh


def woven(design, x, y, texel, heights):
    """Colours [H, W, 3] f32 of a design (prints.Print) at a panel's points x [1, W], y [H, 1] in metres.

    heights: lowest and highest y of the garment, over which a gradient runs. A kind that is no repeat is plain.
    """
    ground, figure, accent = design.colours.astype(np.float32)
    rng = np.random.default_rng([design.seed, 2])
    if design.kind == "tartan":
        return _tartan(design, x, y, texel, rng)
    second = third = np.zeros((1, 1), np.float32)
    if design.kind == "horizontal stripes":
        second, third = _striped(y + np.float32(rng.uniform(0, design.period)), design, texel, rng)
    elif design.kind == "vertical stripes":
        second, third = _striped(x, design, texel, rng)
    elif design.kind == "checks":
        second, third = _checked(design, x, y, texel, rng)
    elif design.kind == "dots":
        second = _dots(x, y, design.period, design.share, texel)
    elif design.kind == "chevron":
        tooth = np.abs(x / design.period - np.round(x / design.period)) * np.float32(2 * design.period)
        second = stripes(y + tooth * np.float32(0.8), design.period, design.share, 1.4 * texel)
    elif design.kind == "gradient":
        second = np.clip((heights[1] - y) / (heights[1] - heights[0]) * 1.4 - 0.2, 0, 1)
    colours = mix(ground, figure, second)
    if np.any(third):
        colours = mix(colours, accent, third)
    return np.broadcast_to(colours, (y.shape[0], x.shape[1], 3))


def _striped(position, design, texel, rng):
    """Weights of figure and accent: even stripes, stripes with a thin line between them, or thick and thin ones."""
    period, share = design.period, design.share
    style = rng.uniform()
    wide = stripes(position, period, share, texel)
    between = position + np.float32(period / 2)
    if style < 0.55:
        return wide, np.zeros((1, 1), np.float32)
    if style < 0.8:
        return wide, stripes(between, period, 0.10, texel)
    return stripes(position, period, 0.8 * share, texel) + stripes(between, period, 0.12, texel), np.zeros((1, 1))


def _checked(design, x, y, texel, rng):
    """Weights of figure and accent: gingham, gingham with lines over it, or a windowpane of lines alone."""
    period, style = design.period, rng.uniform()
    lines = np.maximum(*(stripes(way, period, 0.08, texel) for way in (x, y)))
    if style < 0.2:
        return lines, 0 * lines
    both = 0.5 * (stripes(x, period, 0.5, texel) + stripes(y, period, 0.5, texel))
    return both, (0.7 * lines if style < 0.5 else 0 * lines)


def _dots(x, y, period, share, texel):
    """Coverage by dots on a brick lattice."""
    row = np.round(y / np.float32(period * 0.85))
    column = x / period - (row % 2) * np.float32(0.5)
    right, up = (column - np.round(column)) * np.float32(period), y - row * np.float32(period * 0.85)
    return step(np.float32(share * period * 0.6) - np.sqrt(right**2 + up**2), texel)


def _tartan(design, x, y, texel, rng):
    """A sett of thick and thin bands, mirrored at its ends, in warp and weft alike; half of each is seen."""
    ground, figure, accent = design.colours
    dark = 0.45 * ground
    widths = rng.uniform([0.22, 0.08, 0.05, 0.02, 0.03], [0.34, 0.16, 0.10, 0.05, 0.05])
    colours = np.array([ground, dark, figure, ground, accent])
    edges = np.cumsum(np.concatenate([widths, widths[::-1]]))
    sums = np.cumsum(np.concatenate([colours, colours[::-1]]) * np.diff(edges, prepend=0)[:, None], axis=0)
    edges, sums = np.concatenate([[0], edges]), np.concatenate([np.zeros((1, 3)), sums])

    def total(position):
        whole, part = np.divmod(position / (1.6 * design.period) * edges[-1], edges[-1])
        parts = [np.interp(part, edges, sums[:, channel]) for channel in range(3)]
        return whole[:, None] * sums[-1] + np.stack(parts, axis=-1)

    def threads(position):
        span = texel / (1.6 * design.period) * edges[-1]
        return ((total(position + texel / 2) - total(position - texel / 2)) / span).astype(np.float32)

    return 0.5 * (threads(x[0])[None, :] + threads(y[:, 0])[:, None])


def camouflage(design, layout, size):
    """Colours [S, S, 3] f32 of blots of the design's three colours and a dark one; side of the sheet as in layout."""
    rng = np.random.default_rng([design.seed, 2])
    ground, figure, accent = design.colours.astype(np.float32)
    texel, cell = layout.side / size, design.period * 0.75
    picture = np.broadcast_to(ground, (size, size, 3))
    for colour, level in ((figure, 0.25), (accent, 0.75), (0.35 * ground + 0.02, 1.15)):
        field = noise(rng, layout.side, size, (cell * 1.5, cell)) + 0.4 * noise(rng, layout.side, size, (cell / 3,) * 2)
        # About 1.6 / cell is the field's mean slope, which turns its values into metres from the blot's edge.
        picture = mix(picture, colour, step((field - np.float32(level)) * np.float32(cell / 1.6), texel))
    return picture


def denim_wash(design, sheet, layout):
    """Colours [S, S, 3] f32 of worn denim: pale where legs rub, at seams and hems; whiskers below the waist."""
    rng = np.random.default_rng([design.seed, 2])
    ground, figure, _ = design.colours.astype(np.float32)
    size = len(sheet.panel)
    texel = layout.side / size
    amount, whiskers = rng.uniform(0.25, 0.85), rng.uniform(0, 0.5)
    cloud = noise(rng, layout.side, size, (0.06, 0.10))
    pucker = noise(rng, layout.side, size, (0.012, 0.012))
    worn = 0.12 + np.float32(0.07) * cloud
    edge = np.minimum(sheet.seam, sheet.hem)
    worn += (np.float32(0.20) + np.float32(0.16) * pucker) * np.exp(-edge / np.float32(max(0.009, texel)))
    worn += np.float32(0.18) * np.exp(-sheet.hem / np.float32(max(0.006, texel)))
    for panel in layout.panels:
        low, high = panel.outline.min(axis=0), panel.outline.max(axis=0)
        if high[1] - low[1] < LEG * (high[0] - low[0]):
            continue
        rows, columns = place = window(layout, panel.name, low - layout.margin, high + layout.margin, size)
        x, y = sheet.xy[rows, columns, 0], sheet.xy[rows, columns, 1]
        down = (high[1] - y) / np.float32(high[1] - low[1])
        thigh = np.exp(-((x / np.float32(0.07)) ** 2) - ((down - np.float32(0.40)) / np.float32(0.17)) ** 2)
        lines = sum(line(y - high[1] + 0.16 + 0.03 * k + 0.25 * np.abs(x), 0.009, 1.5 * texel) for k in range(4))
        folds = np.float32(whiskers) * lines * np.exp(-(((down - np.float32(0.26)) / np.float32(0.07)) ** 2))
        rubbed = thigh * (1 + np.float32(0.15) * cloud[place]) + folds * (1 + np.float32(0.5) * cloud[place])
        worn[place] += np.float32(amount) * rubbed
    return mix(ground, figure, np.clip(worn, 0, 1))
