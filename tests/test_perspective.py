"""The pinhole camera against rays shot one by one at the triangles as they were, near plane and huge faces too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax.render import perspective
from tryon_jax.render import rasterize as raster

SIZE = (24, 32)


def shot(points, faces, camera, size, near, shift=(0.0, 0.0)):
    """Distances [H, W, F] along -z at which each pixel's ray, `shift` pixels off its centre, meets each face, infinity
    where it does not; every ray by itself, in float64."""
    focal, centre_x, centre_y, _ = (float(value) for value in camera)
    rows, columns = np.indices(size) + 0.5
    x, y = columns + shift[0] - centre_x, rows + shift[1] - centre_y
    ray = np.stack([x / focal, -y / focal, -np.ones(size)], -1).reshape(-1, 1, 3)
    a, b, c = (points[faces[:, i]].astype(np.float64)[None] for i in range(3))
    first, second = b - a, c - a
    along = (ray * np.cross(first, second)).sum(-1)
    safe = np.where(along == 0, 1, along)
    weight_b = (ray * np.cross(-a, second)).sum(-1) / safe
    weight_c = (ray * np.cross(first, -a)).sum(-1) / safe
    weights = np.stack([1 - weight_b - weight_c, weight_b, weight_c], -1)
    z = (weights * np.stack([a[..., 2], b[..., 2], c[..., 2]], -1)).sum(-1)
    depth = np.where((weights >= 0).all(-1) & (along != 0) & (-z >= near), -z, np.inf)
    return depth.reshape(*size, -1)


def ordered(depths, sign):
    """Distances [H, W, F] so that the least is the nearest (sign 1) or the farthest (-1) that is met."""
    return np.where(np.isfinite(depths), sign * depths, np.inf)


def scene(seed, count=40):
    """Random triangles around the camera: before it, behind it, across its near plane and far beyond the picture."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (3 * count, 3)) * [3, 3, 4] - [0, 0, 2]
    points[:9] = rng.uniform(-1, 1, (9, 3)) * [300, 300, 60]
    return points.astype(np.float32), rng.permutation(3 * count).reshape(-1, 3).astype(np.int32)


draw = jax.jit(perspective.rasterize, static_argnums=(3, 4, 5, 6))
resolve = jax.jit(perspective.resolve)


@pytest.mark.parametrize("seed", range(6))
def test_ids_and_depth_are_those_of_rays(seed):
    points, faces = scene(seed)
    camera = perspective.looking(SIZE, 1.2, near=0.1)
    capacity = perspective.candidates(points, faces, camera, SIZE)
    fragments = draw(points, faces, camera, SIZE, capacity)
    raster.check(fragments)
    depths = shot(points, faces, camera, SIZE, 0.1)
    # A ray within a hundredth of a pixel of a border may fall either way: corners are snapped to 1/256.
    clear = np.ones(SIZE, bool)
    for shift in ((-0.01, 0.0), (0.01, 0.0), (0.0, -0.01), (0.0, 0.01)):
        beside = shot(points, faces, camera, SIZE, 0.1, shift)
        clear &= (np.isfinite(beside) == np.isfinite(depths)).all(-1)
        for sign in (1, -1):  # nor where two faces cross each other
            clear &= ordered(beside, sign).argmin(-1) == ordered(depths, sign).argmin(-1)
    assert clear.mean() > 0.5
    hit = np.isfinite(depths).any(-1)
    for ids, sign in ((fragments.front_ids, 1), (fragments.back_ids, -1)):
        expected = np.where(hit, ordered(depths, sign).argmin(-1), -1)
        np.testing.assert_array_equal(np.asarray(ids)[clear], expected[clear])
        depth, barycentrics = resolve(points, faces, ids, camera)
        truth = -np.take_along_axis(depths, np.maximum(expected, 0)[..., None], -1)[..., 0]
        seen = clear & hit
        np.testing.assert_allclose(np.asarray(depth)[seen], truth[seen], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(np.asarray(barycentrics).sum(-1), np.asarray(ids) >= 0, atol=1e-4)


def test_a_floor_that_fills_the_screen_and_runs_under_the_camera_is_a_plane():
    size, camera = (64, 64), perspective.looking((64, 64), 1.0, near=0.01)
    corners = np.array([[-900, -1.5, 900], [900, -1.5, 900], [900, -1.5, -900], [-900, -1.5, -900]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    capacity = perspective.candidates(corners, faces, camera, size)
    fragments = draw(corners, faces, camera, size, capacity)
    raster.check(fragments)
    rows = np.arange(64) + 0.5
    slope = (rows - 32) / float(camera.focal)  # how far down a pixel's ray goes for each metre ahead
    ahead = np.where(slope > 0, 1.5 / np.where(slope > 0, slope, 1), np.inf)
    visible = (ahead < 890)[:, None] & np.ones((64, 64), bool)
    np.testing.assert_array_equal(np.asarray(fragments.front_ids) >= 0, visible)
    depth, _ = resolve(corners, faces, fragments.front_ids, camera)
    np.testing.assert_allclose(
        np.asarray(depth)[visible], -np.broadcast_to(ahead[:, None], (64, 64))[visible], rtol=2e-4
    )


def test_neighbours_that_are_cut_leave_no_crack_and_cover_no_pixel_twice():
    size, camera = (48, 48), perspective.looking((48, 48), 1.1, near=0.3)
    side = 9
    grid = np.stack(np.meshgrid(np.linspace(-4, 4, side), np.linspace(1.5, -6, side)), -1).reshape(-1, 2)
    points = np.stack([grid[:, 0], 0.1 * np.sin(3 * grid[:, 0]) - 0.4, grid[:, 1]], -1).astype(np.float32)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    faces = [[corner, corner + 1, corner + side], [corner + 1, corner + side + 1, corner + side]]
    faces = np.concatenate([np.stack(face, -1) for face in faces]).astype(np.int32)
    drawn = jax.jit(lambda face: perspective.rasterize(points, face[None], camera, size, 48 * 48).front_ids >= 0)
    count = np.sum([np.asarray(drawn(face)) for face in faces], axis=0)
    assert count.max() == 1
    below = np.argmax(count > 0, axis=0)
    assert all((count[row:, column] == 1).all() for column, row in enumerate(below) if count[row, column])
    assert (count > 0).mean() > 0.2


def test_more_cuts_than_room_overflow():
    points, faces = scene(0)
    camera = perspective.looking(SIZE, 1.2, near=0.1)
    assert not draw(points, faces, camera, SIZE, 2**17, 40).overflow
    few = draw(points, faces, camera, SIZE, 2**17, 2)
    assert few.overflow and (np.asarray(few.front_ids) == raster.OVERFLOW).all()


def test_depth_gradient_equals_finite_differences_where_a_corner_is_behind_the_camera():
    camera = perspective.looking(SIZE, 1.2, near=0.1)
    points = np.array([[-0.5, -0.8, -2.0], [0.9, -0.5, -2.5], [0.1, 0.6, 0.7]], np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    ids = draw(points, faces, camera, SIZE, 2000).front_ids
    assert (np.asarray(ids) == 0).mean() > 0.1
    weights = jnp.where(ids == 0, jax.random.normal(jax.random.key(0), SIZE), 0)

    def loss(points):
        return (perspective.resolve(points, faces, ids, camera)[0] * weights).sum()

    gradient, value = np.asarray(jax.jit(jax.grad(loss))(points)), jax.jit(loss)
    for corner in range(3):
        for axis in range(3):
            step = np.zeros_like(points)
            step[corner, axis] = 2e-3
            slope = (float(value(points + step)) - float(value(points - step))) / 4e-3
            assert abs(slope - gradient[corner, axis]) < 2e-2 * max(1.0, abs(slope))
