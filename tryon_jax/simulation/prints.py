"""Prints: what is dyed, woven or printed on a garment, painted on its texture sheet, and the words for it.

Patterns are laid out in metres of the panels, so that a stripe is as wide on a skirt as on a sleeve and meets its
neighbour at a seam. Colours are display values, not linear light: a picture is print times shading.
"""

import colorsys
from typing import NamedTuple

import numpy as np

from tryon_jax.garments.sheet import window
from tryon_jax.simulation.construction import choose, recoloured, sew
from tryon_jax.simulation.coverage import mix, shaded, step
from tryon_jax.simulation.florals import floral
from tryon_jax.simulation.motifs import SHAPES, TEXTS, motif
from tryon_jax.simulation.notions import attach
from tryon_jax.simulation.repeats import camouflage, denim_wash, woven
from tryon_jax.simulation.weaves import weave

COLOURS = {
    "white": (0.93, 0.93, 0.92), "cream": (0.92, 0.87, 0.76), "beige": (0.80, 0.70, 0.56), "grey": (0.58, 0.59, 0.61),
    "charcoal": (0.25, 0.26, 0.28), "black": (0.12, 0.12, 0.13), "navy": (0.13, 0.18, 0.36), "blue": (0.18, 0.36, 0.74),
    "sky blue": (0.52, 0.72, 0.90), "teal": (0.10, 0.50, 0.52), "mint": (0.62, 0.84, 0.74), "green": (0.18, 0.52, 0.28),
    "olive": (0.42, 0.44, 0.22), "mustard": (0.82, 0.63, 0.17), "yellow": (0.95, 0.83, 0.30),
    "orange": (0.91, 0.48, 0.18), "rust": (0.66, 0.30, 0.16), "red": (0.80, 0.14, 0.16), "burgundy": (0.45, 0.10, 0.18),
    "coral": (0.93, 0.48, 0.42), "pink": (0.93, 0.64, 0.72), "lilac": (0.74, 0.64, 0.86), "purple": (0.42, 0.22, 0.54),
    "brown": (0.40, 0.26, 0.18),
}  # fmt: skip
NEUTRALS = ("white", "cream", "grey", "charcoal", "black", "navy")
KINDS = (
    "plain", "horizontal stripes", "vertical stripes", "checks", "dots", "gradient", "motif", "tartan", "floral",
    "camouflage", "chevron", "colour blocks", "denim wash",
)  # fmt: skip
EVENLY = (1,) * len(KINDS)
# Colours that some kinds take from lists of their own: (ground, figure, accent), by names of the first two.
CAMOUFLAGES = (("olive", "brown", "beige"), ("grey", "charcoal", "white"), ("beige", "brown", "olive"),
               ("sky blue", "navy", "grey"), ("green", "olive", "black"))  # fmt: skip
# Indigo is greyer than other blues: the dye of each name, and of what is left of it where it is worn.
DENIMS = {
    "navy": ((0.13, 0.17, 0.29), (0.42, 0.50, 0.63)), "blue": ((0.21, 0.30, 0.48), (0.60, 0.68, 0.80)),
    "sky blue": ((0.44, 0.56, 0.70), (0.78, 0.85, 0.92)), "charcoal": ((0.20, 0.21, 0.23), (0.46, 0.47, 0.50)),
    "black": ((0.10, 0.10, 0.12), (0.30, 0.31, 0.34)), "grey": ((0.44, 0.46, 0.50), (0.75, 0.77, 0.80)),
}  # fmt: skip
# Shortest and longest repeat, metres.
PERIODS = {
    "horizontal stripes": (0.028, 0.12), "vertical stripes": (0.025, 0.10), "checks": (0.03, 0.14),
    "dots": (0.035, 0.11), "tartan": (0.07, 0.14), "floral": (0.05, 0.13), "camouflage": (0.07, 0.14),
    "chevron": (0.08, 0.15),
}  # fmt: skip
WORDS = {
    "horizontal stripes": "striped", "vertical stripes": "vertically striped", "checks": "checked", "dots": "dotted",
    "tartan": "tartan", "floral": "floral", "camouflage": "camouflage", "chevron": "chevron",
    "colour blocks": "colour-block",
}  # fmt: skip
LUMINANCE = np.array([0.30, 0.59, 0.11])


class Print(NamedTuple):
    """One print: kind, one of KINDS; shape of its motif; colours float [3, 3] (ground, figure, accent); period in
    metres; share of a period that the figure takes; seed of everything else; words for captions; text on the chest.
    """

    kind: str
    shape: str
    colours: np.ndarray
    period: float
    share: float
    seed: int
    words: str
    text: str = "CLUB"


def sample(rng, weights=EVENLY):
    """A random print drawn from numpy generator `rng`; weights say how often each of KINDS comes, the first kinds if
    there are fewer weights than kinds."""
    kind = str(rng.choice(KINDS[: len(weights)], p=np.array(weights, float) / np.sum(weights)))
    names, colours = _palette(rng, kind)
    # As many prints are words as are pictures.
    shape = "letters" if rng.uniform() < 0.4 else str(rng.choice(list(SHAPES)))
    text = str(rng.choice(TEXTS))
    low, high = PERIODS.get(kind, (0.07, 0.14))
    if kind == "plain":
        words = names[0]
    elif kind == "motif":
        subject = f'"{text}"' if shape == "letters" else shape
        words = f"{names[0]} {names[1]}-{subject}-print"
    elif kind == "gradient":
        words = f"{names[0]} to {names[1]} gradient"
    elif kind == "denim wash":
        words = f"washed {names[0]}"
    else:
        words = f"{names[0]} and {names[1]} {WORDS[kind]}"
    return Print(
        kind, shape, colours, float(np.exp(rng.uniform(np.log(low), np.log(high)))), float(rng.uniform(0.3, 0.55)),
        int(rng.integers(2**31)), words, text,
    )  # fmt: skip


def paint(design, sheet, layout, details, fabric):
    """The picture of a garment's cloth, float32 [S, S, 3], display colours in [0, 1].

    design: a Print; sheet, layout: garments.sheet's; details: tuple of garments.pattern's Detail; fabric: one of
    weaves.FABRICS. Texels of no panel have the ground's colour. The same input gives the same bits.
    """
    trim = choose(design, fabric, layout)
    picture = recoloured(_dyed(design, sheet, layout), sheet, layout, trim)
    # Dye makes threads stand apart: pale cloth shows its weave less.
    shown = np.float32(1.15 - 0.7 * float(design.colours[0] @ LUMINANCE))
    picture = shaded(picture, 1 + shown * (weave(fabric, sheet, layout, design.seed) - 1))
    picture = sew(picture, sheet, layout, trim, fabric)
    return np.clip(attach(picture, sheet, layout, details, trim), 0, 1)


def _dyed(design, sheet, layout):
    """The print alone, float32 [S, S, 3], before threads and seams."""
    size = len(sheet.panel)
    if design.kind == "floral":
        return floral(design, layout, size)
    if design.kind == "camouflage":
        return camouflage(design, layout, size)
    if design.kind == "denim wash":
        return denim_wash(design, sheet, layout)
    picture = np.empty((size, size, 3), np.float32)
    picture[:] = design.colours[0]
    if design.kind == "plain":
        return picture
    outlines = np.concatenate([panel.outline for panel in layout.panels])
    heights = outlines[:, 1].min(), outlines[:, 1].max()
    # Blocks of colour are cut by the tallest panel alone, lest a hood moves them up to the shoulders.
    tallest = max(layout.panels, key=lambda panel: np.ptp(panel.outline[:, 1])).outline[:, 1]
    for panel in layout.panels:
        rows, columns = place = window(layout, panel.name, (-np.inf, -np.inf), (np.inf, np.inf), size)
        if picture[place].size == 0:
            continue
        x, y = sheet.xy[rows.start, columns, 0], sheet.xy[rows, columns.start, 1]
        if design.kind == "colour blocks":
            picture[place] = _blocks(
                design, panel, x[None, :], y[:, None], layout.side / size, (tallest.min(), tallest.max())
            )
        else:
            picture[place] = woven(design, x[None, :], y[:, None], layout.side / size, heights)
        if design.kind == "motif" and panel.name == "front":
            held, coverage = _on_chest(design, panel, x, y, layout.side / size)
            chest = picture[place][held]
            for colour, ink in zip(design.colours[1:], coverage, strict=True):
                chest[:] = mix(chest, colour, ink)
    return picture


def _on_chest(design, panel, x, y, texel):
    """What motifs.motif gives of the design's on the front panel, its middle a hand's width below the neckline."""
    rng = np.random.default_rng([design.seed, 4])
    outline = panel.outline
    middle = np.abs(outline[:, 0]) < 0.25 * np.ptp(outline[:, 0])
    neckline = outline[middle & (outline[:, 1] > outline[:, 1].mean()), 1].min()
    radius = min(rng.uniform(0.075, 0.125), 0.27 * np.ptp(outline[:, 0]))
    centre = neckline - 1.15 * radius - rng.uniform(0.03, 0.06)
    return motif(design.shape, design.text, radius, x, y - np.float32(centre), texel, rng)


def _blocks(design, panel, x, y, texel, heights):
    """Colours [H, W, 3] of a panel in a garment of two or three colours, cut as the design's seed says."""
    rng = np.random.default_rng([design.seed, 4])
    style, levels = rng.uniform(), np.sort(rng.uniform(0.3, 0.75, 2))
    ground, figure, accent = design.colours.astype(np.float32)
    other = any(word in panel.name for word in ("sleeve", "hood", "collar", "cuff", "waistband"))
    none = np.zeros_like(x + y)
    if style < 0.35:
        return mix(ground, figure, none + other)
    if style < 0.55:
        if panel.name not in ("front", "back"):
            return mix(ground, figure, none + other)
        # A raglan's seam runs from the neck to the armpit.
        top, half = panel.outline[:, 1].max(), panel.outline[:, 0].max()
        inward = 0.36 * half + (half - 0.36 * half) * (top - y) / 0.24 - np.abs(x)
        return mix(figure, ground, step(inward * np.float32(0.8), texel))
    upper, lower = heights[1] - levels * (heights[1] - heights[0])
    picture = mix(figure, ground, step(upper - y + 0 * x, texel))
    return picture if style < 0.75 else mix(picture, accent, step(lower - y + 0 * x, texel))


def _palette(rng, kind):
    """Names and colours [3, 3] that go together: a ground, a figure that stands out from it, an accent between."""
    names = list(COLOURS)
    if kind == "camouflage":
        chosen = CAMOUFLAGES[int(rng.integers(len(CAMOUFLAGES)))]
        return chosen[:2], np.clip([_jitter(rng, COLOURS[name]) for name in chosen], 0.04, 0.96)
    if kind == "denim wash":
        name = str(rng.choice(list(DENIMS), p=(0.22, 0.34, 0.14, 0.1, 0.12, 0.08)))
        dye, worn = (_jitter(rng, colour) for colour in DENIMS[name])
        return (name, name), np.clip(np.array([dye, worn, worn]), 0.04, 0.96)
    while True:
        first = str(rng.choice(names))
        if rng.uniform() < 0.6 and first not in NEUTRALS:
            second = str(rng.choice(NEUTRALS))
        else:
            second = str(rng.choice(names))
        pair = np.array([_jitter(rng, COLOURS[name]) for name in (first, second)])
        if abs(np.subtract(*(pair @ LUMINANCE))) > 0.2:
            break
    accent = COLOURS[str(rng.choice(NEUTRALS))] if rng.uniform() < 0.5 else COLOURS[str(rng.choice(names))]
    return (first, second), np.clip(np.array([*pair, accent]), 0.04, 0.96)


def _jitter(rng, colour):
    """The colour a little off in hue, saturation and value, so that no two reds are the same."""
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    hue, saturation, value = np.array([hue, saturation, value]) + rng.normal(0, [0.012, 0.04, 0.03])
    return colorsys.hsv_to_rgb(hue % 1.0, np.clip(saturation, 0, 1), np.clip(value, 0, 1))
