"""The person mask sharpened to the photo's own edges: GrabCut inside the band where the network is unsure."""

import numpy as np

from tryon_jax.photo import guided
from tryon_jax.photo.blazepose import packages

LONGEST = 768  # GrabCut's time grows with the pixels; the guided filter restores the photo's resolution
SURE = (0.05, 0.95)  # probabilities beyond which the network is believed whatever the colours say
DEPTH = 2.0  # pixels of the network's mask: how near to its outline it is not believed to the last
SMALLEST = (0.02, 0.001)  # islands and holes below these shares of the person are noise; a hole may be an armpit


def sharpen(rgb, probability, mask_pixel):
    """Person mask float32 [H, W] in [0, 1] with soft, edge-true borders from a blurred `probability` [H, W].

    rgb uint8 [H, W, 3]; mask_pixel: picture pixels per pixel of the network's mask (blazepose.Pose).
    """
    cv2, _ = packages()
    height, width = probability.shape
    shrink = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    # Near the outline the network's high probabilities fill gaps between limbs, so only the inside is sure.
    reach = 2 * round(DEPTH * mask_pixel * shrink) + 1
    inside = cv2.erode(coarse, np.ones((reach, reach), np.uint8))
    held = np.where(inside > SURE[1], coarse, np.minimum(coarse, SURE[1]))
    person = without_specks(grab_cut(small, held), SMALLEST).astype(np.float32)
    soft = cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(guided.smooth(rgb, soft, max(2.0, mask_pixel)), 0.0, 1.0).astype(np.float32)


def grab_cut(rgb, probability, rounds=3):
    """Foreground bool [H, W] of uint8 [H, W, 3] given its prior probability (GrabCut, Rother et al. 2004)."""
    cv2, _ = packages()
    low, high = SURE
    labels = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    labels = np.where(probability > high, cv2.GC_FGD, np.where(probability < low, cv2.GC_BGD, labels)).astype(np.uint8)
    foreground, background = labels % 2 == 1, labels % 2 == 0
    if min(foreground.sum(), background.sum()) < 64:  # GrabCut's mixtures need samples of both sides
        return probability > 0.5
    mixtures = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its k-means draws from a global generator: the same picture must give the same mask
    cv2.grabCut(np.ascontiguousarray(rgb[..., ::-1]), labels, None, *mixtures, rounds, cv2.GC_INIT_WITH_MASK)
    return labels % 2 == 1


def without_specks(mask, shares):
    """Mask bool [H, W] less islands, and plus holes, smaller than `shares` (islands, holes) of its area."""
    cv2, _ = packages()
    area = mask.sum()
    for wanted, share in zip((True, False), shares, strict=True):
        least = share * area
        count, labels, statistics, _ = cv2.connectedComponentsWithStats((mask == wanted).astype(np.uint8), None, 8)
        small = [index for index in range(1, count) if statistics[index, cv2.CC_STAT_AREA] < least]
        mask = np.where(np.isin(labels, small), not wanted, mask)
    return mask
