"""How a garment is put together, as it shows on the cloth: seams, turned hems, topstitching and ribbed bands."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments.sheet import FAR
from tryon_jax.simulation.coverage import line, mix, shaded, step, wave

# How far from the edge a hem is stitched and how far apart its two lines run, metres; none on blind hems.
HEMS = {"cotton": (0.019, 0.006), "denim": (0.014, 0.0), "silk": (0.006, 0.0), "knit": (0.022, 0.006), "wool": None}
PART = 0.22  # of a panel's smaller side: hems of collars and cuffs are narrower, as everything on them
TRIM = ("collar", "cuff")  # panels that are cut from other cloth where a garment has contrasting trim


class Trim(NamedTuple):
    """What a garment is finished with. thread, button, metal, trim: colours [3]; band: width of bound edges, metres;
    contrast: whether bands, collars and cuffs have the colour `trim`; topstitched: seams have two lines of thread."""

    thread: np.ndarray
    button: np.ndarray
    metal: np.ndarray
    trim: np.ndarray
    band: float
    contrast: bool
    topstitched: bool


def choose(design, fabric, layout):
    """The Trim that goes with a design (prints.Print), a fabric and a layout's panels; the design's seed decides."""
    rng = np.random.default_rng([design.seed, 3])
    ground, figure, _ = design.colours.astype(np.float32)
    tone = ground * (0.72 if ground.mean() > 0.45 else 1.0) + (0.0 if ground.mean() > 0.45 else 0.13)
    draws = rng.uniform(size=4)
    thread = tone
    if fabric == "denim":
        gold = np.array([[0.80, 0.50, 0.20], [0.84, 0.66, 0.34], [0.86, 0.84, 0.78]])
        thread = gold[int(3 * draws[0] ** 2)]
    elif draws[0] < 0.2:
        thread = 0.4 * tone + 0.6 * figure
    buttons = np.array([[0.92, 0.90, 0.85], [0.30, 0.20, 0.13], [0.12, 0.12, 0.13], [0.62, 0.46, 0.30]])
    button = buttons[int(rng.integers(4))] if draws[1] < 0.7 else 0.85 * ground
    metals = np.array([[0.72, 0.72, 0.72], [0.70, 0.56, 0.34], [0.42, 0.36, 0.32]])
    metal = metals[int(rng.integers(3))]
    # Sweaters and hoodies end in broad ribs, T-shirts in a narrow neckband.
    broad = fabric in ("knit", "denim") or any("hood" in panel.name for panel in layout.panels)
    wide = (0.032, 0.055) if broad else (0.016, 0.024)
    kinds = ("plain", "motif", "horizontal stripes", "gradient")
    return Trim(
        thread, metal if fabric == "denim" else button, metal, figure, float(rng.uniform(*wide)),
        bool(design.kind in kinds and draws[2] < 0.3), fabric == "denim" or (fabric == "cotton" and draws[3] < 0.12),
    )  # fmt: skip


def stitched(trim, path, gap, dash, texel):
    """(colour, coverage): a line of dashes of thread where `path`, metres from the line, is 0; two lines if `gap` > 0.

    dash: a position along the line in metres. Stitches show as such where texels are fine enough.
    """
    lines = line(path, 0.0016, texel) if gap == 0 else line(np.abs(path) - np.float32(gap / 2), 0.0016, texel)
    return trim.thread, lines * (np.float32(0.75) + np.float32(0.25) * wave(dash, 0.0042, texel))


def recoloured(picture, sheet, layout, trim):
    """The picture [S, S, 3] with bands and, on its own panels, collars and cuffs in the contrasting colour."""
    if not trim.contrast:
        return picture
    named = np.array([any(word in panel.name for word in TRIM) for panel in layout.panels] + [False])
    texel = layout.side / len(sheet.panel)
    return mix(picture, trim.trim, np.maximum(named[sheet.panel], step(trim.band - sheet.band, texel)))


def sew(picture, sheet, layout, trim, fabric):
    """The picture [S, S, 3] f32 with seams, hems, topstitching and ribbed bands of a garment in `fabric`."""
    texel = layout.side / len(sheet.panel)
    along = sheet.xy[..., 0] + sheet.xy[..., 1]
    # Cloth is thicker beside a seam and rolls into it: a soft shade that is wider than the seam itself.
    soft = np.float32(1 / max(0.006, texel))
    # A band is a piece of its own, sewn on where the panel ends: seams and darts do not run on through it.
    seam = sheet.seam.copy()
    seam[sheet.band < trim.band] = FAR
    shade = 1 - np.float32(0.13) * np.exp(-seam * soft) - np.float32(0.42) * line(seam, 0.0024, texel)
    shade *= _ribs(sheet, texel, trim, fabric)
    sizes, threads = _sizes(layout)[sheet.panel], []
    if HEMS[fabric]:
        depth, gap = HEMS[fabric]
        depths = np.minimum(depth, PART * sizes)
        shade *= 1 - np.float32(0.10) * line(sheet.hem - depths - gap / 2 - 0.0015, 0.003, texel)
        threads.append(stitched(trim, sheet.hem - depths, gap, along, texel))
    shade *= 1 - np.float32(0.22) * line(sheet.hem, 0.003, texel)
    if trim.topstitched:
        depths = np.minimum(0.006, PART * sizes)
        threads.append(stitched(trim, seam - depths, 0.006 if fabric == "denim" else 0.0, along, texel))
    if fabric != "knit":
        threads.append(stitched(trim, sheet.band - np.float32(trim.band + 0.004), 0.0, along, texel))
    picture = shaded(picture, shade)
    for colour, coverage in threads:
        picture = mix(picture, colour, 0.85 * coverage)
    return picture


def _sizes(layout):
    """The smaller side [P + 1] f32 of each panel's box in metres; the last is for texels of no panel."""
    return np.array([np.ptp(panel.outline, axis=0).min() for panel in layout.panels] + [1.0], np.float32)


def _ribs(sheet, texel, trim, fabric):
    """A factor [S, S] f32: ribs across bound edges, a shadow where the band is sewn on."""
    inside = step(trim.band - sheet.band, texel)
    edge = np.exp(-np.abs(sheet.band - np.float32(trim.band)) * np.float32(1 / max(0.004, texel)))
    shade = 1 - np.float32(0.16) * edge - np.float32(0.3) * line(sheet.band - np.float32(trim.band), 0.002, texel)
    upright = wave(sheet.xy[..., 0], 0.010 if fabric == "knit" else 0.006, texel)
    return shade * (1 + np.float32(0.12) * inside * upright)
