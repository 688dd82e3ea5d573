"""The naive try-on that every model must beat: the flat garment picture pasted onto the photo."""

import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINTS
from tryon_jax.render.texture import sample_texture

# Keypoints whose bounding box the cut-out's is laid onto, a class; sides left and right.
COVERS = {
    "upper": ("shoulder", "elbow", "hip"),
    "lower": ("hip", "knee", "ankle"),
    "dress": ("shoulder", "elbow", "knee"),
    "outer": ("shoulder", "elbow", "wrist", "hip"),
}
# What the garment reaches beyond its joints, as a share of the person's height.
MARGIN = 0.04


def _covered():
    """Which keypoints span each garment class's box, bool [classes, K]."""
    return np.array([[name.split("_")[-1] in COVERS[kind] for name in KEYPOINTS] for kind in GARMENT_CLASSES])


def _box(points, weights):
    """Smallest and largest x, y, [2, 2], of points [..., 2] where weights [...] are positive."""
    inside = (weights > 0)[..., None]
    low = jnp.where(inside, points, jnp.inf).reshape(-1, 2).min(0)
    high = jnp.where(inside, points, -jnp.inf).reshape(-1, 2).max(0)
    return jnp.stack([low, high])


def paste(garment, garment_mask, person, keypoints, garment_class):
    """The photo [H, W, 3] with the garment's cut-out stretched onto the box of the joints that it covers.

    garment [Hg, Wg, 3], garment_mask [Hg, Wg, 1], keypoints [17, 3] pixels. The box is that of the visible
    keypoints of COVERS, MARGIN of the person's height wider on each side. Uses nothing of the truth. Without a
    cut-out or without such keypoints the photo comes back unchanged.
    """
    height, width = person.shape[:2]
    picture = pixel_centres(garment.shape[:2]) / jnp.array([garment.shape[1], garment.shape[0]], jnp.float32)
    cut = _box(picture, garment_mask[..., 0] > 0.5)
    seen = keypoints[:, 2] > 0
    whole = _box(keypoints[:, :2], seen)
    target = _box(keypoints[:, :2], seen & jnp.asarray(_covered())[garment_class])
    target = target + MARGIN * (whole[1, 1] - whole[0, 1]) * jnp.array([[-1.0], [1.0]])
    usable = jnp.isfinite(cut).all() & jnp.isfinite(target).all()
    cut, target = (jnp.where(usable, box, jnp.array([[0.0, 0.0], [1.0, 1.0]])) for box in (cut, target))
    # A box of a single point has no size; a pixel is the least that a box can be.
    share = (pixel_centres((height, width)) - target[0]) / jnp.maximum(target[1] - target[0], 1.0)
    uv = cut[0] + share * (cut[1] - cut[0])
    inside = ((share >= 0) & (share <= 1)).all(-1, keepdims=True) & usable
    opacity = sample_texture(garment_mask, uv) * inside
    return sample_texture(garment, uv) * opacity + person * (1 - opacity)
