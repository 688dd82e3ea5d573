"""Predicted sheets at a finer grid: smooth silhouettes, depth and coordinates that do not mix across edges. Numpy."""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.parts import PARTS

SIDES = ("front", "back")
# Depth steps above this are two surfaces, an arm before the trunk say, and are not bridged; metres.
JUMP = 0.05
# Below this the network is unsure of the silhouette by more than half a pixel; it only bounds the logit.
SURE = 0.02


def spread(values, known):
    """Values [H, W, ...] with those off known [H, W] bool copied from the nearest pixel where it is True."""
    if not known.any():
        return values
    rows, columns = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return values[rows, columns]


def enlarge(sheets, factor, garment_part):
    """One item's sheets at `factor` times the size, a whole number; off the mask every map goes on beyond its edge.

    sheets: numpy mask [H, W, 1] in [0, 1] and per side depth, normals, segmentation, garment_uv, own [H, W, 3] (the
    network's colour), blend [H, W, 3] (shares of own colour, garment picture, photo), shading [H, W, 1];
    garment_part: the label that garment_uv is for. Returns these keys, float32 and int32; only the mask says where
    the person is.
    """
    mask = np.asarray(sheets["mask"])[..., 0]
    solid = mask > 0.5
    logit = np.clip(mask, SURE, 1 - SURE)
    # The blur, under a pixel, turns the staircase of a sure network into slopes; thin limbs keep their width by 2 %.
    logit = ndimage.gaussian_filter(np.log(logit / (1 - logit)), 0.7)
    result = {"mask": (1 / (1 + np.exp(-_zoom(logit, factor, order=3))))[..., None].astype(np.float32)}
    for side in SIDES:
        get = {name.removeprefix(f"{side}_"): np.asarray(sheets[name]) for name in sheets if name.startswith(side)}
        labels = spread(get["segmentation"], solid)
        cloth = solid & (get["segmentation"] == garment_part)
        result[f"{side}_segmentation"] = enlarge_labels(labels, factor)
        result[f"{side}_depth"] = enlarge_depth(spread(get["depth"][..., 0], solid), factor)[..., None]
        result[f"{side}_garment_uv"] = _zoom(_smooth_on(get["garment_uv"], cloth), factor)
        normals = _zoom(spread(get["normals"], solid), factor)
        # 1e-6: where opposite normals meet, the mean has no direction and stays near zero.
        result[f"{side}_normals"] = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
        for name in ("own", "blend", "shading"):
            result[f"{side}_{name}"] = _zoom(spread(get[name], solid), factor)
    return result


def enlarge_depth(depth, factor, jump=JUMP):
    """Depth [H, W] at factor times the size, bilinear among the pixels within `jump` metres of the nearest one."""
    height, width = depth.shape

    def places(count):
        at = (np.arange(count * factor) + 0.5) / factor - 0.5
        low = np.floor(at).astype(int)
        share = (at - low).astype(np.float32)
        return np.clip(low, 0, count - 1), np.clip(low + 1, 0, count - 1), share

    top, bottom, down = places(height)
    left, right, across = places(width)
    down, across = down[:, None], across[None, :]
    values = np.stack([depth[np.ix_(rows, columns)] for rows in (top, bottom) for columns in (left, right)])
    weights = np.stack([(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across])
    nearest = np.take_along_axis(values, weights.argmax(0)[None], 0)
    weights = weights * (np.abs(values - nearest) <= jump)
    return ((weights * values).sum(0) / weights.sum(0)).astype(np.float32)


def enlarge_labels(labels, factor):
    """Labels int [H, W] at factor times the size with smoothed borders, int32."""
    present = np.unique(labels[(labels >= 0) & (labels < len(PARTS))])
    # The blur, under a pixel, rounds the staircases; what is one pixel wide still has the largest share in its middle.
    shares = [ndimage.gaussian_filter((labels == label).astype(np.float32), 0.55) for label in present]
    shares = np.stack([_zoom(share, factor, order=3) for share in shares])
    return present[shares.argmax(0)].astype(np.int32)


def _zoom(values, factor, order=1):
    """Values [H, W] or [H, W, C] at factor times the size; pixel areas keep their place."""
    zoom = (factor, factor) + (1,) * (values.ndim - 2)
    return ndimage.zoom(np.asarray(values, np.float32), zoom, order=order, mode="nearest", grid_mode=True)


def _smooth_on(values, known, sigma=0.7):
    """Values [H, W, C] blurred a little among the known pixels only, then spread beyond them.

    The blur is below a pixel: it takes the network's pixel noise, which would tear the print, and leaves folds.
    """
    if not known.any():
        return values
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    blurred = ndimage.gaussian_filter(values * known[..., None], (sigma, sigma, 0))
    return spread(blurred / np.maximum(weight, 1e-3)[..., None], known)  # known pixels weigh 0.2 at least


def shrink(values, step):
    """Maps [H, W, ...] at every step-th place: means of the block for colours and masks, the middle one's label."""
    if np.issubdtype(values.dtype, np.integer):
        return values[step // 2 :: step, step // 2 :: step]
    height, width = values.shape[0] // step, values.shape[1] // step
    return values.reshape(height, step, width, step, *values.shape[2:]).mean((1, 3)).astype(np.float32)
