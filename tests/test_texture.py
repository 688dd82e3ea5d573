"""Textures: ramps are exact, and a pixel that spans many texels shows their mean."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.render import perspective, surface
from tryon_jax.render.texture import footprint, mip_levels, sample_mipmapped, sample_texture

sampled = jax.jit(sample_mipmapped)
CHECKER = np.kron(np.indices((64, 64)).sum(0) % 2, np.ones((2, 2)))[..., None].astype(np.float32)


def test_levels_halve_to_one_texel_and_keep_the_mean():
    levels = mip_levels(np.random.default_rng(0).random((16, 8, 3)).astype(np.float32))
    assert [level.shape[:2] for level in levels] == [(16, 8), (8, 4), (4, 2), (2, 1), (1, 1)]
    for level in levels[1:]:
        np.testing.assert_allclose(level.mean((0, 1)), levels[0].mean((0, 1)), rtol=1e-5)
    assert [level.shape[:2] for level in mip_levels(np.ones((5, 3, 1)))] == [(5, 3), (3, 2), (2, 1), (1, 1)]


def test_small_footprints_are_plain_samples_and_large_ones_the_mean():
    rng = np.random.default_rng(1)
    texture, uv = rng.random((12, 20, 3)).astype(np.float32), rng.random((50, 2)).astype(np.float32)
    levels = mip_levels(texture)
    np.testing.assert_allclose(sampled(levels, uv, jnp.full(50, 0.3)), sample_texture(texture, uv), atol=1e-6)
    np.testing.assert_allclose(
        sampled(levels, uv, jnp.full(50, 1e6)), np.tile(levels[-1].reshape(-1), (50, 1)), atol=1e-6
    )
    # Half way between two levels, in the logarithm, is their mean.
    between = sampled(levels, uv, jnp.full(50, 2**1.5))
    halves = [sample_texture(levels[index], uv) for index in (1, 2)]
    np.testing.assert_allclose(between, (halves[0] + halves[1]) / 2, atol=1e-5)


def test_gradients_reach_texture_and_coordinates():
    rng = np.random.default_rng(2)
    texture, uv = rng.random((8, 8, 1)).astype(np.float32), jnp.array([[0.43, 0.57], [0.21, 0.83]])
    spans = jnp.array([1.7, 3.1])

    def value(texture, uv):
        return (sample_mipmapped(mip_levels(texture), uv, spans) ** 2).sum()

    value = jax.jit(value)
    of_texture, of_uv = jax.jit(jax.grad(value, argnums=(0, 1)))(texture, uv)
    way = rng.normal(size=texture.shape).astype(np.float32)
    slope = (value(texture + 1e-2 * way, uv) - value(texture - 1e-2 * way, uv)) / 2e-2
    np.testing.assert_allclose((of_texture * way).sum(), slope, rtol=1e-2)
    step = jnp.array([[1e-3, 0], [0, 1e-3]])
    slope = (value(texture, uv + step) - value(texture, uv - step)) / 2e-3
    np.testing.assert_allclose(of_uv[0, 0] + of_uv[1, 1], slope, rtol=1e-2)


def test_the_footprint_of_a_flat_picture_is_its_reduction():
    size = (16, 16)
    vertices = np.array([[-20, -20, 0], [60, -20, 0], [-20, 60, 0]], np.float32)
    faces, uv = np.array([[0, 1, 2]], np.int32), vertices[:, :2] * [3 / 128, 5 / 64]  # 3 and 5 texels a pixel
    ids = jnp.zeros(size, jnp.int32)

    def uv_at(shift):
        moved = vertices - jnp.append(shift, 0.0)
        return surface.interpolate(uv.astype(np.float32), faces, ids, surface.resolve(moved, faces, ids)[1])

    np.testing.assert_allclose(jax.jit(lambda: footprint(uv_at, (64, 128)))(), 5, rtol=1e-3)


def test_a_floor_of_squares_fades_to_grey_far_away():
    size, camera = (96, 96), perspective.looking((96, 96), 0.9, near=0.05)
    corners = np.array([[-60, -1, 3], [60, -1, 3], [60, -1, -117], [-60, -1, -117]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    ids = jax.jit(lambda: perspective.rasterize(corners, faces, camera, size, 2**15).front_ids)()

    def uv_at(shift):
        moved = camera._replace(centre_x=camera.centre_x - shift[0], centre_y=camera.centre_y - shift[1])
        return surface.interpolate(uv, faces, ids, perspective.resolve(corners, faces, ids, moved)[1])

    coordinates, spans = jax.jit(lambda: (uv_at(jnp.zeros(2)), footprint(uv_at, CHECKER.shape[:2])))()
    smooth = sampled(mip_levels(CHECKER), coordinates, spans)
    rows = np.flatnonzero((np.asarray(ids) >= 0).all(1))
    far, near = np.asarray(smooth)[rows[:3], :, 0], np.asarray(smooth)[rows[-12:], :, 0]
    assert np.abs(far - 0.5).max() < 0.15  # squares of a fraction of a pixel
    assert near.max() > 0.95 and near.min() < 0.05  # squares of many pixels
    plain = np.asarray(sample_texture(CHECKER, coordinates))[rows[:3], :, 0]
    assert np.abs(plain - 0.5).max() > 0.4  # which plain samples turn into noise
