"""The one camera of both sheets: frames, inverses, and what a mirrored picture does to it."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry import camera as geometry

CAMERA = np.array([0.03, 0.2, 0.9], np.float32)
SIZE = (48, 64)


def points(count=30):
    return np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)


def test_project_and_unproject_are_inverse():
    p = points()
    np.testing.assert_allclose(geometry.unproject(CAMERA, geometry.project(CAMERA, p, SIZE), SIZE), p, atol=2e-6)
    pixels = p * 20 + 30
    np.testing.assert_allclose(
        geometry.project(CAMERA, geometry.unproject(CAMERA, pixels, SIZE), SIZE), pixels, atol=2e-4
    )


def test_up_is_up_and_right_is_right():
    middle = geometry.project(CAMERA, jnp.array([0.2, 0.9, 0.5]), SIZE)
    np.testing.assert_allclose(middle, [32, 24, 0.5], atol=1e-5)
    right, up, near = (geometry.project(CAMERA, jnp.array([0.2, 0.9, 0.5]) + 0.3 * axis, SIZE) for axis in jnp.eye(3))
    np.testing.assert_allclose(right - middle, [10, 0, 0], atol=1e-4)
    np.testing.assert_allclose(up - middle, [0, -10, 0], atol=1e-4)
    np.testing.assert_allclose(near - middle, [0, 0, 0.3], atol=1e-5)


def test_world_axes():
    # Up stays up; the person faces -y of the world, which is toward the camera.
    np.testing.assert_allclose(geometry.camera_from_world(jnp.array([0.0, 0.0, 1.7])), [0, 1.7, 0])
    np.testing.assert_allclose(geometry.camera_from_world(jnp.array([0.0, -1.0, 0.0])), [0, 0, 1])
    p = points()
    matrix = np.array(geometry.ROTATION_CAMERA_WORLD)
    np.testing.assert_allclose(geometry.camera_from_world(p), p @ matrix.T, atol=1e-6)
    assert np.linalg.det(matrix) == 1


def test_yaw_is_a_rotation_about_the_vertical():
    p = points()
    turned = geometry.camera_from_world(p, 0.7)
    np.testing.assert_allclose(turned[:, 1], p[:, 2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(p, axis=1), rtol=1e-5)
    np.testing.assert_allclose(geometry.camera_from_world(p, 2 * np.pi), geometry.camera_from_world(p), atol=1e-5)
    # Turning the person first by a and then by b is turning by a + b.
    again = jnp.stack([turned[:, 0], -turned[:, 2], turned[:, 1]], -1)
    np.testing.assert_allclose(geometry.camera_from_world(again, 0.4), geometry.camera_from_world(p, 1.1), atol=1e-5)


def test_mirroring_the_picture_is_mirroring_x():
    p = points()
    mirrored_camera = CAMERA * [1, -1, 1]
    mirrored = geometry.project(mirrored_camera, p * [-1, 1, 1], SIZE)
    expected = np.asarray(geometry.project(CAMERA, p, SIZE)) * [-1, 1, 1] + [SIZE[1], 0, 0]
    np.testing.assert_allclose(mirrored, expected, atol=1e-4)


def test_pixel_centres_lie_on_the_grid_and_half_extent_is_half_the_height():
    centres = geometry.pixel_centres(SIZE)
    assert centres.shape == (*SIZE, 2)
    np.testing.assert_array_equal(centres[3, 5], [5.5, 3.5])
    corners = jnp.array([[0.0, 0.0, 0.0], [SIZE[1], SIZE[0], 0.0]])
    extent = geometry.unproject(CAMERA, corners, SIZE)
    np.testing.assert_allclose(extent[0, 1] - extent[1, 1], 2 * geometry.half_extent(CAMERA, SIZE), rtol=1e-5)
    cameras = jnp.stack([CAMERA, 2 * CAMERA])
    np.testing.assert_allclose(geometry.half_extent(cameras, SIZE), [0.72, 1.44], rtol=1e-5)


def test_camera_is_differentiable():
    gradient = jax.grad(lambda c: geometry.project(c, points(), SIZE)[:, :2].sum())(jnp.asarray(CAMERA))
    assert np.isfinite(gradient).all() and (np.abs(gradient) > 0).all()
