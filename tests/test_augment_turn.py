"""Augmentation keeps the metric truth: a moved ellipsoid's sheets are those of the ellipsoid that was moved."""

import jax
import numpy as np
import pytest
from ellipsoids import RADII, RANGES, SIZE, ellipsoid, interior, person, transform

from tryon_jax import augment
from tryon_jax.geometry import camera as cameras

apply = jax.jit(augment.apply)


def turned(shape, rotation):
    return rotation @ shape @ rotation.T


def about_z(angle):
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def about_y(angle):
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def assert_is_ellipsoid(moved, shape, offset=(0.0, 0.0, 0.0), margin=2, depth=0.006, degrees=4.0):
    """Every interior pixel, unprojected by the moved camera, lies on the quadric and has its normal."""
    where = interior(moved, margin)
    assert where.sum() > 80
    pixels = np.asarray(cameras.pixel_centres((SIZE, SIZE)))
    for side in ("front", "back"):
        pixel = np.concatenate([pixels, np.asarray(moved[f"{side}_depth"])], -1)
        points = np.asarray(cameras.unproject(moved["camera"], pixel, (SIZE, SIZE)))[where] - offset
        gradient = points @ shape
        # First-order distance to the quadric: f / |grad f|.
        distance = (np.sum(gradient * points, -1) - 1) / (2 * np.linalg.norm(gradient, axis=-1))
        assert np.abs(distance).max() < depth, side
        normal = np.asarray(moved[f"{side}_normals"])[where]
        cosine = np.sum(normal * gradient, -1) / np.linalg.norm(gradient, axis=-1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < degrees, side
        assert (normal[:, 2] * (1 if side == "front" else -1) >= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_unprojected_pixels_lie_on_the_moved_body(seed):
    tilt = about_z(0.3) @ about_y(0.4)
    shape = turned(np.diag(1 / np.square((0.35, 0.55, 0.25))), tilt)
    offset = np.array([0.05, 0.02, 0.1])
    move = augment.sample(jax.random.key(seed), RANGES | {"yaw": 0})
    moved = apply(ellipsoid(shape, offset=offset), move)
    motion = about_z(float(move.roll)) @ np.diag([1 - 2 * float(move.flip), 1, 1])
    assert_is_ellipsoid(moved, turned(shape, motion), motion @ offset)


@pytest.mark.parametrize("yaw", [-0.5, 0.2, 0.9])
def test_yaw_of_an_ellipsoid_is_the_turned_ellipsoid(yaw):
    shape = np.diag(1 / np.square(RADII))
    moved = apply(ellipsoid(shape), transform(yaw=yaw))
    wanted = ellipsoid(turned(shape, about_y(yaw)))
    assert ((np.asarray(moved["mask"]) > 0) == (wanted["mask"] > 0)).mean() > 0.97
    # Sheets end steeply at the silhouette, and that rim comes into view: its normals are coarse.
    assert_is_ellipsoid(moved, turned(shape, about_y(yaw)), margin=4, depth=0.02, degrees=15.0)
    np.testing.assert_array_equal(moved["camera"], wanted["camera"])


def test_yaw_agrees_with_the_camera():
    """The direction of yaw is that of camera_from_world."""
    world = np.array([[0.3, -0.2, 0.5], [-0.1, 0.4, 1.0]], np.float32)
    straight = np.asarray(cameras.camera_from_world(world))
    np.testing.assert_allclose(cameras.camera_from_world(world, 0.7), straight @ about_y(0.7).T, atol=1e-6)


def test_yaw_and_back_returns_in_the_interior():
    example, forth = person(), transform(yaw=0.3)
    moved = apply(example, forth)
    for back in augment.invert(forth):
        moved = apply(moved, back)
    where = interior(example, 5)
    assert where.sum() > 80
    for side in ("front", "back"):
        for name, tolerance in (("rgb", 0.02), ("depth", 0.02), ("normals", 0.1)):
            key = f"{side}_{name}"
            np.testing.assert_allclose(np.asarray(moved[key])[where], example[key][where], atol=tolerance, err_msg=key)


def test_yaw_moves_keypoints_with_the_surface():
    example = person()
    example["keypoints"][:, :2] = (24.5, 24.5)
    depth = 0.1
    example["front_depth"] = (depth * example["mask"]).astype(np.float32)
    example["back_depth"] = example["front_depth"]
    moved = apply(example, transform(yaw=0.4))
    x = np.asarray(cameras.unproject(example["camera"], np.array([24.5, 24.5, depth]), (SIZE, SIZE)))
    wanted = np.asarray(cameras.project(example["camera"], about_y(0.4) @ x, (SIZE, SIZE)))
    np.testing.assert_allclose(np.asarray(moved["keypoints"])[:, :2], wanted[None, :2].repeat(17, 0), atol=1e-3)
