"""What M3D-VTON's networks are shown: the person without its clothes, the garment in its place, slopes of pictures."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.keypoints import heat_maps
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINTS, PARTS
from tryon_jax.render.paste import COVERS, MARGIN
from tryon_jax.render.texture import sample_texture

# What stays of the photo when a garment of the class is put on; the paper's, for tops, are head, hands and below.
_BELOW = ("left_leg", "right_leg", "left_shoe", "right_shoe")
_HEAD, _HANDS, _ARMS = ("hair", "face"), ("left_hand", "right_hand"), ("left_arm", "right_arm")
KEPT = {
    "upper": (*_HEAD, *_HANDS, "lower", *_BELOW),
    "lower": (*_HEAD, "neck", *_ARMS, *_HANDS, "upper", "left_shoe", "right_shoe"),
    "dress": (*_HEAD, *_HANDS, "left_shoe", "right_shoe"),
    "outer": (*_HEAD, *_HANDS, "upper", "lower", "dress", *_BELOW),
}
_KEPT = np.array([[part in KEPT[kind] for part in PARTS] for kind in GARMENT_CLASSES], np.float32)
_COVERED = np.array([[name.split("_")[-1] in COVERS[kind] for name in KEYPOINTS] for kind in GARMENT_CLASSES])


def sobel(picture):
    """Sobel's slopes of [..., H, W, 1] along x (right) and y (down), [..., H, W, 2]; a plane's are eight times its rise
    from one pixel to the next. The picture goes on beyond its border as it ends there.
    """
    edge = [(0, 0)] * (picture.ndim - 3)
    d = jnp.pad(picture, [*edge, (1, 1), (1, 1), (0, 0)], mode="edge")
    across = d[..., 2:, :] - d[..., :-2, :]
    down = d[..., 2:, :, :] - d[..., :-2, :, :]
    x = across[..., :-2, :, :] + 2 * across[..., 1:-1, :, :] + across[..., 2:, :, :]
    y = down[..., :-2, :] + 2 * down[..., 1:-1, :] + down[..., 2:, :]
    return jnp.concatenate([x, y], axis=-1)


def kept(example):
    """Where the photo of one example shows what stays, float32 [S, S, 1]."""
    return jnp.asarray(_KEPT)[example["garment_class"]][example["person_segmentation"]][..., None]


def agnostic(example):
    """The person of one example without its clothes, [S, S, 21] in [-1, 1]: silhouette, parts that stay, joints.

    The silhouette is made as coarse as the paper's: 32 cells a side.
    """
    size, stays = example["mask"].shape[0], kept(example)
    cell = max(size // 32, 2)
    outline = (example["person_segmentation"] > 0).astype(jnp.float32)[..., None]
    outline = outline.reshape(size // cell, cell, size // cell, cell, 1).mean((1, 3))
    outline = jax.image.resize(outline, (size, size, 1), "linear")
    joints = heat_maps(example["keypoints"], (size, size))
    return jnp.concatenate([2 * outline - 1, 2 * example["person"] * stays - 1, 2 * joints - 1], axis=-1)


def _box(points, inside):
    """Smallest and largest x, y, [2, 2], of points [..., 2] that are inside [...]."""
    inside = inside[..., None]
    low = jnp.where(inside, points, jnp.inf).reshape(-1, 2).min(0)
    return jnp.stack([low, jnp.where(inside, points, -jnp.inf).reshape(-1, 2).max(0)])


def laid(example, places):
    """Garment and cut-out [S, S, 4] at places [S, S, 2] in [-1, 1] of a picture in which it lies on its joints.

    Its box is stretched onto that of the joints which its class covers, as the pasted baseline's is (render/paste.py);
    without a cut-out or joints, onto the whole picture. White where it is not.
    """
    side, seen = example["mask"].shape[0], example["keypoints"][:, 2] > 0
    picture = pixel_centres(example["garment"].shape[:2]) / example["garment"].shape[0]
    cut = _box(picture, example["garment_mask"][..., 0] > 0.5)
    joints = example["keypoints"][:, :2] / side * 2 - 1
    whole = _box(joints, seen)
    onto = _box(joints, seen & jnp.asarray(_COVERED)[example["garment_class"]])
    onto = onto + MARGIN * (whole[1, 1] - whole[0, 1]) * jnp.array([[-1.0], [1.0]])
    usable = jnp.isfinite(cut).all() & jnp.isfinite(onto).all()
    cut = jnp.where(usable, cut, jnp.array([[0.0, 0.0], [1.0, 1.0]]))
    onto = jnp.where(usable, onto, jnp.array([[-1.0, -1.0], [1.0, 1.0]]))
    # A box of a single point has no size; a pixel is the least that a box can be.
    share = (places - onto[0]) / jnp.maximum(onto[1] - onto[0], 2 / side)
    found = cut[0] + share * (cut[1] - cut[0])
    inside = ((found >= 0) & (found <= 1)).all(-1, keepdims=True)
    texture = jnp.concatenate([example["garment"], example["garment_mask"]], axis=-1)
    cloth, mask = jnp.split(sample_texture(texture, found), [3], axis=-1)
    mask = mask * inside
    return jnp.concatenate([cloth * mask + 1 - mask, mask], axis=-1)
