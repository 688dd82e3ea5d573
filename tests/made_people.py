"""Contract-valid batches of egg-shaped people for tests: smooth, cheap, each with its own colour and thickness."""

import jax
import numpy as np

from tryon_jax import data
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import PART


def example(number, size):
    """Example `number`, by the batch contract: an upright ellipsoid with a band of cloth around its middle."""
    rng = np.random.default_rng(number)
    made = {key: np.zeros(*value) for key, value in data.specification(size).items() if key != "has"}
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    wide, thick = rng.uniform(0.3, 0.5), rng.uniform(0.15, 0.3)
    x, y = x / wide, -y / 0.8
    inside = (x**2 + y**2 < 1).astype(np.float32)[..., None]
    height = thick * np.sqrt(np.maximum(1 - x**2 - y**2, 0))[..., None]
    normals = np.stack([x / wide, y / 0.8, height[..., 0] / thick**2], -1)
    # A pixel at the very rim has no height but still a normal.
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    cloth = (np.abs(y) < 0.4) & (inside[..., 0] > 0)
    labels = np.where(cloth, PART["upper"], np.where(inside[..., 0] > 0, PART["face"], 0)).astype(np.int32)
    colour = rng.uniform(0.2, 1.0, 3)
    rgb = np.where(cloth[..., None], colour, [0.9, 0.7, 0.6]) * (0.6 + 0.4 * height / thick) * inside
    for side, sign in (("front", 1), ("back", -1)):
        made[f"{side}_depth"][:] = sign * height * inside
        made[f"{side}_normals"][:] = normals * [1, 1, sign] * inside
        made[f"{side}_rgb"][:] = rgb
        made[f"{side}_segmentation"][:] = labels
        made[f"{side}_garment_uv"][:] = np.stack([x, -y / 0.4], -1) * 0.9 * cloth[..., None]
    made["person_segmentation"][:] = labels
    made["mask"][:], made["person"][:] = inside, rgb + (1 - inside) * 0.4
    made["person_fine"][:] = twice(made["person"])
    made["front_fine"][:] = twice(np.concatenate([rgb, inside], -1))
    made["garment"][:], made["garment_mask"][:] = colour, 1
    made["keypoints"][:, :2] = rng.uniform(0.2, 0.8, (17, 2)) * size
    made["keypoints"][:, 2] = 1
    made["camera"][:] = 2 / size, 0, 0
    made["same_garment"] = np.float32(number % 2)
    made["garment_class"] = np.int32(0)
    made["has"] = {name: np.float32(1) for name in data.HAS}
    data.check(made, size)
    return made


def batch(size, count):
    """Examples 0 to count - 1, stacked."""
    return jax.tree.map(lambda *rows: np.stack(rows), *[example(number, size) for number in range(count)])
