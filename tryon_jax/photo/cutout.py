"""The cut-out of a garment in a shop or home picture, and a guess of its class from the cut-out's shape."""

import numpy as np
from scipy import ndimage

from tryon_jax.photo import guided
from tryon_jax.photo.blazepose import packages
from tryon_jax.photo.mask import grab_cut, without_specks

LONGEST = 400
BORDER = 0.03  # width of the frame, over the picture's side, whose colours are taken for the ground
THREAD = 0.01  # half the width, over the picture's side, of lines that are no cloth
CLUSTERS = 6  # the ground may be a floor of several tones

# Logistic regression from _outline to tops, trousers, skirts and dresses, balanced, on the training part of
# clothing-dataset-small (CC0, A. Grigorev): right on 83 % of its 233 held-out pictures;
# a quick guess that --class overrules.
CLASS_WEIGHTS = np.array(
    [
        [-5.3, 7.6, -0.8, 1.3, -6.2, 1.1, 1.9, 0.9, 0.5, -0.8, -1.5, -1.2, 0.8],
        [2.7, 0.2, 0.2, 1.0, 5.9, -4.4, -0.7, -1.7, -4.5, -1.6, -0.1, 1.0, 2.4],
        [3.1, -5.5, 4.1, 2.5, 2.4, 2.8, -0.5, -2.6, 0.2, 1.2, -2.2, 0.7, -5.2],
        [-0.6, -2.3, -3.5, -4.8, -2.0, 0.4, -0.6, 3.4, 3.8, 1.2, 3.8, -0.5, 2.0],
    ]
)
# The garment class of each of these; a jacket's outline is a top's.
OUTLINED = ("upper", "lower", "lower", "dress")


def cut_out(rgb):
    """Garment mask float32 [H, W] in [0, 1] of uint8 [H, W, 3], or None if nothing stands out from the ground.

    The frame of the picture gives the ground's colours; what lies far from all of them in Lab starts GrabCut, which
    is held to the ground where a pixel is both alike and connected to the frame.
    """
    cv2, _ = packages()
    height, width = rgb.shape[:2]
    shrink = min(1.0, LONGEST / max(height, width))
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    mask = _hold_to_middle(grab_cut(small, _foreground_probability(small), rounds=6))
    mask = without_specks(_without_threads(mask), (0.2, 0.002))
    if not 0.01 < mask.mean() < 0.97:
        return None
    soft = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(guided.smooth(rgb, soft, max(2.0, 2.0 / shrink)), 0.0, 1.0).astype(np.float32)


def _foreground_probability(rgb):
    """Probability [h, w] that a pixel is garment, from its distance in Lab to the colours of the frame."""
    cv2, _ = packages()
    height, width = rgb.shape[:2]
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    frame = np.ones((height, width), bool)
    edge = max(2, round(BORDER * max(height, width)))
    frame[edge:-edge, edge:-edge] = False
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, which, centres = cv2.kmeans(lab[frame], CLUSTERS, None, stop, 2, cv2.KMEANS_PP_CENTERS)
    # Shadows of the garment on the ground change lightness, not hue: lightness counts half.
    weight = np.array([0.5, 1.0, 1.0], np.float32)
    counts = np.bincount(which.ravel(), minlength=CLUSTERS)
    ground = centres[counts > 0.04 * counts.sum()]  # a garment that runs out of the frame is not ground
    distance = np.linalg.norm((lab[..., None, :] - ground) * weight, axis=-1).min(-1)
    spread = np.median(distance[frame]) + 2.0  # 2: JPEG noise, in Lab units
    y, x = np.mgrid[:height, :width]
    middle = 1.0 - np.maximum(np.abs(x / (width - 1) - 0.5), np.abs(y / (height - 1) - 0.5)) * 2
    evidence = (distance / spread - 3.0) * 0.7 + (middle - 0.35) * 2.0
    probability = 1.0 / (1.0 + np.exp(-np.clip(evidence, -30, 30)))
    return np.where(frame, 0.0, np.clip(cv2.GaussianBlur(probability, None, 2.0), 0.06, 0.97))


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


def guess_class(mask):
    """Garment class (geometry.parts.GARMENT_CLASSES) that a cut-out [H, W] looks most like by its outline."""
    return OUTLINED[int(np.argmax(CLASS_WEIGHTS @ _outline(mask)))]


def _outline(mask):
    """Features [13] of a cut-out's bounding box: filled share of six bands from the top and of four windows of the
    middle column (neckline, three where trousers part), log aspect, its square, one."""
    rows, columns = np.nonzero(mask > 0.5)
    crop = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] > 0.5
    height, width = crop.shape

    def filled(part, low, high):
        first = int(low * height)
        return part[first : max(int(high * height), first + 1)].mean()

    column = crop[:, int(0.42 * width) : max(int(0.58 * width), int(0.42 * width) + 1)]
    bands = [filled(crop, index / 6, (index + 1) / 6) for index in range(6)]
    windows = [filled(column, low, high) for low, high in ((0.0, 0.08), (0.5, 0.7), (0.7, 0.85), (0.85, 1.0))]
    aspect = np.log(height / width)
    return np.array([*bands, *windows, aspect, aspect**2, 1.0])
