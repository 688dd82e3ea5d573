"""What cloth is made of: the threads' structure as a factor on the colours of a sheet."""

import numpy as np

from tryon_jax.simulation.coverage import noise, stripes, wave

FABRICS = ("cotton", "denim", "silk", "knit", "wool")


def weave(fabric, sheet, layout, seed):
    """The factor [S, S] f32, near 1, of `fabric`, one of FABRICS, on the texels of a garments.sheet.Sheet."""
    rng = np.random.default_rng([seed, 1])
    texel = layout.side / len(sheet.panel)
    x, y = sheet.xy[..., 0], sheet.xy[..., 1]

    def grain(amount, wide, tall):
        return np.float32(amount) * noise(rng, layout.side, len(sheet.panel), (wide, tall))

    threads = {"cotton": _cotton, "denim": _denim, "silk": _silk, "knit": _knit, "wool": _wool}[fabric]
    return np.clip(1 + threads(x, y, texel, grain, rng), 0.5, 1.5).astype(np.float32)


def _cotton(x, y, texel, grain, rng):
    fine = grain(0.008, 0.03, 0.002) + grain(0.007, 0.002, 0.04) + grain(0.010, 0.05, 0.05) + grain(0.010, 0.003, 0.003)
    return fine + 0.04 * wave(x, 0.0012, texel) * wave(y, 0.0012, texel)


def _denim(x, y, texel, grain, rng):
    warp = grain(0.045, 0.0015, 0.06) + grain(0.014, 0.005, 0.2)
    weft, flecks = grain(0.012, 0.03, 0.002), grain(0.045, 0.002, 0.0024)
    return warp + weft + flecks + grain(0.022, 0.05, 0.07) + 0.10 * wave(x + y, 0.0036, 1.4 * texel)


def _silk(x, y, texel, grain, rng):
    # A smooth cloth mirrors light in broad soft streaks that run across its folds.
    return grain(0.035, 0.045, 0.22) + grain(0.02, 0.12, 0.06) + grain(0.006, 0.003, 0.05)


def _knit(x, y, texel, grain, rng):
    gauge = np.float32(rng.uniform(0.005, 0.011))
    column = np.abs(x * (1 / gauge) - np.round(x * (1 / gauge))) * gauge
    stitches = 0.10 * wave(y + 1.1 * column, 0.8 * gauge, texel) + 0.09 * wave(x + gauge / 2, gauge, texel)
    made = stitches + grain(0.02, 0.004, 0.004) + grain(0.012, 0.03, 0.03)
    style = rng.uniform()
    if style < 0.3:
        return made + _cables(x, y, texel, float(rng.uniform(0.085, 0.13)))
    if style < 0.55:
        width = float(rng.uniform(0.012, 0.022))
        return made + 0.16 * (stripes(x, width, 0.6, texel) - 0.6) + 0.05 * wave(x, width, texel)
    return made


def _cables(x, y, texel, spacing):
    """Pairs of strands that cross each other again and again, with a purl ditch on either side."""
    across = x - np.round(x * np.float32(1 / spacing)) * np.float32(spacing)
    turn = y * np.float32(2 * np.pi / 0.065)
    swing = np.float32(0.0095) * np.sin(turn)
    width = np.float32(max(0.0085, texel))
    first, second = (np.exp(-(((across - way * swing) / width) ** 2)) for way in (1, -1))
    over = np.cos(turn) > 0  # which of the two lies on top after their last crossing
    strand = np.where(over, np.maximum(first, 0.55 * second), np.maximum(second, 0.55 * first))
    ditch = np.exp(-(((np.abs(across) - np.float32(0.024)) / max(0.004, texel)) ** 2))
    inside = np.exp(-((across / np.float32(0.023)) ** 4))
    return 0.26 * inside * (strand - np.float32(0.62)) - 0.14 * ditch


def _wool(x, y, texel, grain, rng):
    melange = grain(0.045, 0.0025, 0.0025) + grain(0.014, 0.006, 0.006) + grain(0.010, 0.04, 0.04)
    if rng.uniform() < 0.5:
        return melange
    column, period = np.float32(rng.uniform(0.018, 0.034)), float(rng.uniform(0.006, 0.010))
    folded = np.abs(x / (2 * column) - np.round(x / (2 * column))) * (2 * column)
    return 0.6 * melange + 0.13 * wave(y + folded, period, texel) - 0.03 * wave(x, float(column), texel)
