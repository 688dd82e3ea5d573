"""A garment picture without what is printed on its front alone: what its back may be coloured with. Numpy.

A shop shows the front. Stripes, checks and all-over prints go on behind, and reach the cut-out's sides; a logo, or the
label inside the collar, does not, and would stand mirrored on the wearer's back.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from tryon_jax.render.refine import spread

WORK = 160  # pixels, height at which a motif is looked for: letters' strokes are a few of these
# Shares of the garment's height: how near to the outline cloth is of the rim, and above which the rim is no side, since
# collars and shoulders may have colours of their own; and how wide a collar is.
BAND, COLLAR, NECK = 0.08, 0.2, 0.4
# Weight of lightness against the two differences of colour, which folds and shadows leave as they are.
LIGHTNESS = 0.6
# Distance from the sides' colours, in these units, above which colour is another; the share of the sides' pixels that
# must have a colour for it to count as theirs.
OTHER, COMMON = 0.09, 0.04
# Shares of the garment's pixels: a smaller spot is a crease, and more is what the garment looks like.
LEAST, MOST = 0.0015, 0.6
# Share of a motif that may lie at the rim, but for the collar; and how much sparser other colours must be at the sides
# than between them. More is a piece of the garment, or a pattern that runs over all of it.
AT_RIM, SPARSER = 0.2, 0.4
JOIN, RIM = 0.04, 0.025  # of the height: gaps between letters that are closed, and how far print bleeds around
GRAIN = 0.12  # of the height: what a row's colour beside a motif is averaged over


def plain(picture, mask):
    """The picture float32 [H, W, 3] in [0, 1] with its motifs painted over from both sides, row by row.

    mask: bool [H, W], the garment. A picture without motifs comes back as it is.
    """
    found = motifs(picture, mask)
    return _painted(np.asarray(picture, np.float32), found, mask & ~found) if found.any() else picture


def motifs(picture, mask):
    """Where a garment picture [H, W, 3] in [0, 1] with its mask [H, W] has a motif, bool [H, W]."""
    step = max(1, mask.shape[0] // WORK)
    height, width = (side // step for side in mask.shape)
    small = np.asarray(picture, np.float32)[: height * step, : width * step]
    colours = _units(small.reshape(height, step, width, step, 3).mean((1, 3)))
    cloth = np.asarray(mask[: height * step, : width * step], np.float32).reshape(height, step, width, step)
    cloth = cloth.mean((1, 3)) > 0.5
    result = np.zeros(mask.shape, bool)
    rows = np.flatnonzero(cloth.any(1))
    if not len(rows):
        return result
    tall = len(rows)
    rim = cloth & (ndimage.distance_transform_edt(np.pad(cloth, 1))[1:-1, 1:-1] <= BAND * tall)
    below, middle = rows[0] + int(COLLAR * tall), np.flatnonzero(cloth.any(0)).mean()
    sides = rim & (np.arange(height) >= below)[:, None]
    if not sides.any():
        return result
    rim[:below] &= np.abs(np.arange(width) - middle) > NECK / 2 * tall
    other = cloth & (_distance(colours, colours[sides]) > OTHER)
    inside = cloth & ~sides
    inside[:below] = False
    if not inside.any() or other[sides].mean() > SPARSER * other[inside].mean():
        return result
    chosen = _whole(other, cloth, rim, max(1, round(JOIN * tall)))
    reach = max(1, round(RIM * tall))
    chosen = ndimage.binary_dilation(chosen, iterations=reach) & cloth
    large = chosen.repeat(step, axis=0).repeat(step, axis=1)
    result[: large.shape[0], : large.shape[1]] = large
    return result & mask


def _units(rgb):
    """Lightness, weighed, and two differences of colour [..., 3] of colours [..., 3]."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    lightness = (red + 2 * green + blue) / 4
    return np.stack([LIGHTNESS * lightness, red - lightness, blue - lightness], axis=-1)


def _distance(colours, theirs):
    """Distance [H, W] of colours [H, W, 3] from the nearest that is common among theirs [N, 3].

    Colours are counted in cells half of OTHER wide, so that one far off is not theirs for a few stray pixels.
    """
    cell = OTHER / 2
    keys, counts = np.unique(np.round(theirs / cell).astype(int), axis=0, return_counts=True)
    # A colour that falls on the border of two cells counts in both.
    near = np.abs(keys[:, None] - keys[None]).max(-1) <= 1
    common = keys[(near * counts).sum(1) >= COMMON * len(theirs)] * cell
    if not len(common):
        return np.zeros(colours.shape[:2])
    return np.sqrt(np.square(colours[..., None, :] - common).sum(-1).min(-1))


def _whole(other, cloth, rim, join):
    """The motifs among pixels of another colour: letters joined, holes filled, too small and too large ones left."""
    joined = ndimage.binary_closing(np.pad(other, join), iterations=join)[join:-join, join:-join] & cloth
    labels, count = ndimage.label(joined)
    chosen = np.zeros_like(cloth)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        whole = labels[place] == number
        if (other[place] & whole).sum() < LEAST * cloth.sum():
            continue
        if (rim[place] & whole).sum() <= AT_RIM * whole.sum():
            chosen[place] |= _hull(whole)
    # Beside a print, what is too small to be one by itself belongs to it.
    near = ndimage.distance_transform_edt(~chosen) < 3 * join if chosen.any() else chosen
    chosen = (chosen | (other & ~rim & near)) & cloth
    return chosen if chosen.sum() <= MOST * cloth.sum() else np.zeros_like(chosen)


def _hull(shape):
    """Convex hull, bool [h, w], of the pixels of a shape: a print is of one piece, though the cloth shows in it."""
    corners = [np.argwhere(shape) + offset for offset in ((-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5))]
    hull = ConvexHull(np.concatenate(corners))
    places = np.indices(shape.shape).reshape(2, -1).T
    # Half a thousandth of a pixel: rounding.
    inside = (places @ hull.equations[:, :2].T + hull.equations[:, 2] <= 5e-4).all(1)
    return inside.reshape(shape.shape)


def _painted(picture, motif, cloth):
    """The picture with the motif's pixels between the colours of the cloth left and right of them, by distance.

    Row by row, since what goes on behind a motif is most often striped across.
    """
    width = max(1, round(GRAIN * len(cloth)))
    weight = ndimage.uniform_filter1d(cloth.astype(np.float32), width, axis=1, mode="constant")
    mean = ndimage.uniform_filter1d(picture * cloth[..., None], width, axis=1, mode="constant")
    # A pixel of cloth counts itself: at least 1 of `width`.
    mean /= np.maximum(weight, 1 / (2 * width))[..., None]
    result = picture.copy()
    for row in np.flatnonzero(motif.any(1)):
        columns, known = np.flatnonzero(motif[row]), np.flatnonzero(cloth[row])
        if len(known):
            for channel in range(3):
                result[row, columns, channel] = np.interp(columns, known, mean[row, known, channel])
    missing = motif & ~cloth.any(1)[:, None]
    if missing.any():
        result[missing] = spread(result, (cloth | motif) & ~missing)[missing]
    # Rows differ by the grain of what is beside them; a stripe is wider than that.
    smooth = ndimage.gaussian_filter1d(result, width / 24, axis=0)
    result[motif] = smooth[motif]
    return result
