"""The cut-out of a garment in a shop or home picture: several guesses of where it lies, each let grow to the edges of
its colours, and of the outlines found the one that stands out most."""

import numpy as np
from scipy import ndimage

from tryon_jax.photo import colours, guided
from tryon_jax.photo.blazepose import packages
from tryon_jax.photo.mask import grab_cut, without_specks

LONGEST = 400
BORDER = 0.03  # width of the frame, over the picture's side, whose colours are taken for the ground
THREAD = 0.01  # half the width, over the picture's side, of lines that are no cloth
CLUSTERS = 6  # the ground may be a floor of several tones
SMALLEST, LARGEST = 0.02, 0.9  # shares of the picture that a garment covers
FLAT = 2.0  # Lab units: a picture that varies less shows nothing
DRAWN = 64  # colours: a photograph has thousands
CLEAR = 0.75  # clarity at which no other guess is tried
STEP = 10.0  # Lab units between the two sides of an outline that is surely seen
RING = 0.015  # width, over the picture's side, of the strips beside an outline that are compared


def cut_out(rgb):
    """(garment mask float32 [H, W] in [0, 1] of uint8 [H, W, 3], clarity in [0, 1]); (None, 0.0) if none is found.

    Clarity is the share of the outline where colours change, times how unlike the colours of both sides are, times the
    share of what is unlike the picture's frame that the mask holds: a print stands out too, but its shirt is left over.
    """
    cv2, _ = packages()
    height, width = rgb.shape[:2]
    shrink = min(1.0, LONGEST / max(height, width))
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    indices, lab = colours.bin_indices(small), cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    best, clarity, frame = None, 0.0, _frame(size[::-1])
    if np.ptp(lab, axis=(0, 1)).max() < FLAT:
        return None, 0.0
    grained = _grained(small)
    unlike = (colours.log_density(indices, frame, 0.05) < -np.log(np.prod(colours.BINS))) & ~frame
    for start in _starts(lab, frame):
        mask = _hold_to_middle(grab_cut(grained, start, rounds=4))
        mask = without_specks(_without_threads(mask), (0.2, 0.002))
        if SMALLEST < mask.mean() < LARGEST:
            found = _clarity(mask, lab, indices) * mask.sum() / (mask | unlike).sum()
            if found > clarity:
                best, clarity = mask, found
        if clarity > CLEAR:
            break
    if best is None:
        return None, 0.0
    soft = cv2.resize(best.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(guided.smooth(rgb, soft, max(2.0, 2.0 / shrink)), 0.0, 1.0).astype(np.float32), clarity


def _grained(rgb):
    """A drawing of few exact colours with a grain: all cuts through one colour cost the same, and GrabCut would take a
    minute to choose. Photographs stay as they are: grain hides what ground shows between sleeve and trunk."""
    shades = rgb.reshape(-1, 3).astype(np.int32) @ [65536, 256, 1]
    if len(np.unique(shades)) > DRAWN:
        return rgb
    grain = np.random.default_rng(0).integers(-2, 3, rgb.shape)
    return np.clip(rgb.astype(int) + grain, 0, 255).astype(np.uint8)


def _frame(size):
    """Bool (H, W): the frame of a picture of that size, taken for its ground."""
    frame = np.ones(size, bool)
    edge = max(2, round(BORDER * max(size)))
    frame[edge:-edge, edge:-edge] = False
    return frame


def _starts(lab, frame):
    """Probabilities [h, w] that a pixel is garment to start from: by colour, by rank of that, and by place alone."""
    height, width = frame.shape
    distance, spread = _unlike_frame(lab, frame)
    y, x = np.mgrid[:height, :width]
    middle = 1.0 - np.maximum(np.abs(x / (width - 1) - 0.5), np.abs(y / (height - 1) - 0.5)) * 2
    evidence = (distance / spread - 3.0) * 0.7 + (middle - 0.35) * 2.0
    yield _start(1.0 / (1.0 + np.exp(-np.clip(evidence, -30, 30))), frame)
    # Where the garment's colours are near the ground's, its third of the picture is still the least alike.
    for share in (0.35, 0.15):
        yield _start(np.where(evidence > np.quantile(evidence[~frame], 1 - share), 0.75, 0.25), frame)
    yield _start(np.where(np.hypot(x / width - 0.5, y / height - 0.5) < 0.33, 0.75, 0.25), frame)


def _start(probability, frame):
    cv2, _ = packages()
    blurred = cv2.GaussianBlur(probability.astype(np.float32), None, 2.0)
    return np.where(frame, 0.0, np.clip(blurred, 0.06, 0.94))  # GrabCut may turn every pixel but the frame's


def _unlike_frame(lab, frame):
    """Distance [h, w] in Lab to the colours of the frame, and the distance that is noise there."""
    cv2, _ = packages()
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, which, centres = cv2.kmeans(lab[frame], CLUSTERS, None, stop, 2, cv2.KMEANS_PP_CENTERS)
    # Shadows of the garment on the ground change lightness, not hue: lightness counts half.
    weight = np.array([0.5, 1.0, 1.0], np.float32)
    counts = np.bincount(which.ravel(), minlength=CLUSTERS)
    ground = centres[counts > 0.04 * counts.sum()]  # a garment that runs out of the frame is not ground
    distance = np.linalg.norm((lab[..., None, :] - ground) * weight, axis=-1).min(-1)
    return distance, np.median(distance[frame]) + 2.0  # 2: JPEG noise, in Lab units


def _clarity(mask, lab, indices):
    """How clearly a garment's outline, bool [h, w], is seen in a picture, in [0, 1] (cut_out)."""
    cv2, _ = packages()
    width = max(2, round(RING * max(mask.shape)))
    inside = mask.astype(np.float32)
    window = (2 * width + 1,) * 2
    share = cv2.blur(inside, window)
    sides = []
    for side, weight in ((inside, share), (1 - inside, 1 - share)):
        sides.append(cv2.blur(lab * side[..., None], window) / np.maximum(weight, 1e-3)[..., None])  # 1e-3: none there
    outline = mask & ~cv2.erode(inside, np.ones((3, 3), np.uint8)).astype(bool)
    step = np.linalg.norm(sides[0] - sides[1], axis=-1)[outline]
    return float(np.clip(step / STEP, 0, 1).mean() * colours.contrast(indices, mask, ~mask)) if len(step) else 0.0


def _hold_to_middle(mask):
    """The piece of the mask with the most weight near the picture's middle, holes kept."""
    pieces, count = ndimage.label(mask)
    if count == 0:
        return mask
    height, width = mask.shape
    y, x = np.mgrid[:height, :width]
    centrality = np.exp(-(((x / width - 0.5) / 0.35) ** 2) - ((y / height - 0.5) / 0.35) ** 2)
    weights = ndimage.sum(centrality, pieces, np.arange(1, count + 1))
    return pieces == 1 + int(np.argmax(weights))


def _without_threads(mask):
    """Mask less hooks, cracks of the floor and other lines, with notches as narrow filled (closing, then opening)."""
    radius = max(1, round(THREAD * max(mask.shape)))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = x * x + y * y <= radius * radius + 0.5
    closed = ndimage.binary_closing(np.pad(mask, 2 * radius), disc)
    return ndimage.binary_opening(closed, disc)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
