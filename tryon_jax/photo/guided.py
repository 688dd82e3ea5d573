"""The guided filter: soft maps that follow the colour edges of a photo (He et al. 2013, doi:10.1109/TPAMI.2012.213)."""

import numpy as np

from tryon_jax.photo.blazepose import packages

WINDOW = 4  # pixels, half the window's side, at the shrunk size that coefficients are found at
SMOOTHNESS = 3e-4  # variance of colour in [0, 1] below which a window counts as flat (about 4 grey levels)


def smooth(rgb, maps, radius):
    """Maps f32 [H, W] or [H, W, C] filtered so that, within `radius` pixels, they change where the colours of rgb do.

    rgb uint8 [H, W, 3]. The linear coefficients are found at a size where the radius is WINDOW pixels and
    interpolated (the fast guided filter, He and Sun 2015, arXiv:1505.00996). Not clipped.
    """
    cv2, _ = packages()
    height, width = rgb.shape[:2]
    shrink = max(1.0, radius / WINDOW)
    small = (max(2, round(width / shrink)), max(2, round(height / shrink)))
    guide = rgb.astype(np.float32) / 255.0
    coarse = cv2.resize(guide, small, interpolation=cv2.INTER_AREA)
    planes = maps.reshape(height, width, -1)
    # One by one: cv2 takes at most four channels in this mode.
    values = np.stack(
        [cv2.resize(planes[..., index], small, interpolation=cv2.INTER_AREA) for index in range(planes.shape[-1])], -1
    )
    slopes, offsets = _coefficients(coarse, values, max(1, round(radius / shrink)))
    channels = []
    for index in range(values.shape[-1]):
        slope = cv2.resize(slopes[:, :, index], (width, height), interpolation=cv2.INTER_LINEAR)
        offset = cv2.resize(offsets[:, :, index], (width, height), interpolation=cv2.INTER_LINEAR)
        channels.append((slope * guide).sum(-1) + offset)
    return np.stack(channels, -1).reshape(maps.shape)


def _coefficients(guide, values, radius):
    """Window-averaged slopes [h, w, C, 3] and offsets [h, w, C] of values [h, w, C] as linear in guide [h, w, 3]."""
    cv2, _ = packages()

    def mean(array):
        planes = array.reshape(*array.shape[:2], -1)
        blurred = [cv2.blur(planes[..., index], (2 * radius + 1,) * 2) for index in range(planes.shape[-1])]
        return np.stack(blurred, -1).reshape(array.shape)

    centre, level = mean(guide), mean(values)
    covariance = mean(guide[..., :, None] * guide[..., None, :]) - centre[..., :, None] * centre[..., None, :]
    cross = mean(guide[..., :, None] * values[..., None, :]) - centre[..., :, None] * level[..., None, :]
    slopes = np.swapaxes(np.linalg.solve(covariance + SMOOTHNESS * np.eye(3, dtype=np.float32), cross), -1, -2)
    offsets = level - (slopes * centre[..., None, :]).sum(-1)
    return mean(slopes).astype(np.float32), mean(offsets).astype(np.float32)
