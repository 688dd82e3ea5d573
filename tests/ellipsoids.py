"""A body whose sheets are known by formula: an ellipsoid, bare or dressed up as a person."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import augment, data
from tryon_jax.geometry import camera as cameras
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import PART

SIZE = 48
RADII = (0.4, 0.7, 0.25)
RANGES = {"yaw": 0.6, "roll": 0.3, "scale": 0.2, "shift": 0.1, "flip": 0.5}


def ellipsoid(shape, centre=(0.02, -0.05), offset=(0.0, 0.0, 0.0), size=SIZE):
    """An example whose body is the ellipsoid (X - offset)^T shape (X - offset) = 1 in the camera frame.

    Colour, garment coordinates and labels depend on the camera-frame place only where a test says so.
    """
    camera = np.array([1.6 / size, *centre], np.float32)
    pixels = np.asarray(cameras.pixel_centres((size, size)))
    plane = np.asarray(cameras.unproject(camera, np.concatenate([pixels, 0 * pixels[..., :1]], -1), (size, size)))
    x, y = plane[..., 0] - offset[0], plane[..., 1] - offset[1]
    # a z^2 + b z + c = 0
    a = shape[2, 2]
    b = 2 * (shape[0, 2] * x + shape[1, 2] * y)
    c = shape[0, 0] * x**2 + 2 * shape[0, 1] * x * y + shape[1, 1] * y**2 - 1
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0))
    mask = b**2 > 4 * a * c
    example = {
        key: np.zeros(*value) for key, value in data.specification(size).items() if key not in ("has", "caption")
    }
    example |= {"has": {name: np.float32(1) for name in data.HAS}, "camera": camera}
    example["mask"] = mask[..., None].astype(np.float32)
    for side, sign in (("front", 1), ("back", -1)):
        z = (-b + sign * root) / (2 * a)
        normal = np.stack([x, y, z], -1) @ shape
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        example[f"{side}_depth"] = ((z + offset[2]) * mask)[..., None].astype(np.float32)
        example[f"{side}_normals"] = (normal * mask[..., None]).astype(np.float32)
    return example


def person(size=SIZE):
    """The upright ellipsoid with smooth colours, two parts, coordinates, a photo and keypoints on it."""
    example = ellipsoid(np.diag(1 / np.square(RADII)), size=size)
    pixels = np.asarray(cameras.pixel_centres((size, size))) / size
    mask = example["mask"]
    for side, shade in (("front", 0.2), ("back", 0.6)):
        example[f"{side}_rgb"] = (np.concatenate([pixels, shade + 0 * mask], -1) * mask).astype(np.float32)
        labels = np.where(pixels[..., 0] < 0.5, PART["left_arm"], PART["upper"])
        example[f"{side}_segmentation"] = (labels * mask[..., 0]).astype(np.int32)
        example[f"{side}_garment_uv"] = ((2 * pixels - 1) * mask * (labels == PART["upper"])[..., None]).astype(
            np.float32
        )
    example["person"] = np.concatenate([pixels, pixels[..., :1] ** 2], -1).astype(np.float32)
    example["person_segmentation"] = example["front_segmentation"]
    generator = np.random.default_rng(0)
    # Something in the fine pixels that their means do not tell.
    for key, picture in (("person_fine", example["person"]), ("front_fine", _covered(example))):
        grain = 0.1 * generator.uniform(size=(2 * size, 2 * size, 1)) * twice(mask)
        example[key] = (twice(picture) * (1 - grain)).astype(np.float32)
    example["keypoints"] = np.concatenate([generator.uniform(15, 33, (17, 2)), np.ones((17, 1))], 1).astype(np.float32)
    example["garment"] = generator.uniform(size=(size, size, 3)).astype(np.float32)
    example["garment_mask"] = (generator.uniform(size=(size, size, 1)) > 0.5).astype(np.float32)
    return example


def _covered(example):
    return np.concatenate([example["front_rgb"], example["mask"]], -1)


def transform(**changes):
    return augment.identity()._replace(**{name: jnp.float32(value) for name, value in changes.items()})


def flat(example):
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(example)}


def assert_same(got, wanted, tolerance, where=None, skip=()):
    got, wanted = flat(got), flat(wanted)
    assert got.keys() == wanted.keys()
    for key in got:
        if key in skip:
            continue
        assert got[key].dtype == wanted[key].dtype and got[key].shape == wanted[key].shape, key
        a, b = got[key], wanted[key]
        if where is not None and a.shape[:2] == where.shape:
            a, b = a[where], b[where]
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=0, err_msg=key)


def interior(example, margin):
    """Mask shrunk by `margin` pixels."""
    mask = np.asarray(example["mask"][..., 0]) > 0
    for axis in (0, 1):
        mask = np.min([np.roll(mask, step, axis) for step in range(-margin, margin + 1)], axis=0) > 0
    return mask
