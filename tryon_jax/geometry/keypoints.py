"""Keypoints as pictures."""

import jax.numpy as jnp

from tryon_jax.geometry.camera import pixel_centres

# Standard deviation of a blob as a share of the picture's height: about a wrist's width on a standing person.
BLOB = 0.02


def heat_maps(keypoints, size):
    """Gaussian blobs [H, W, K] in [0, 1] of keypoints [K, 3] (x, y in pixels, visibility) at size (H, W).

    An invisible keypoint (visibility 0) gives an empty map.
    """
    offsets = pixel_centres(size)[:, :, None] - keypoints[:, :2]
    squared = jnp.square(offsets).sum(-1) / (BLOB * size[0]) ** 2
    return jnp.exp(-squared / 2) * (keypoints[:, 2] > 0)
