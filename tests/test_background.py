"""Backgrounds and cameras: valid pictures, repeatable, varied, and modest."""

import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.simulation import background, furniture, ground, sensor, strokes

SIZE = 48


@pytest.mark.parametrize("kind", background.KINDS)
def test_backgrounds_are_pictures_and_repeatable(kind):
    found = []
    for seed in range(6):
        picture = background.sample(np.random.default_rng(seed), SIZE, 0.9, kind)
        assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.float32
        assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1
        np.testing.assert_array_equal(picture, background.sample(np.random.default_rng(seed), SIZE, 0.9, kind))
        found.append(picture)
    assert np.std([picture.mean() for picture in found]) > 0.01
    assert np.abs(found[0] - found[1]).mean() > 0.02


@pytest.mark.parametrize("feet", [0.3, 0.75, 1.0, 1.4])
def test_any_row_of_the_feet_will_do(feet):
    for seed in range(10):
        picture = background.sample(np.random.default_rng(seed), 24, feet)
        shaded = ground.shadow(np.random.default_rng(seed), picture, np.ones((24, 24), np.float32), feet)
        assert np.isfinite(picture).all() and np.isfinite(shaded).all()


def test_two_sizes_show_the_same_place():
    for kind in ("street", "room"):
        small, large = (background.sample(np.random.default_rng(3), size, 0.9, kind) for size in (48, 96))
        reduced = large.reshape(48, 2, 48, 2, 3).mean((1, 3))
        # Noise of the ground differs with the size; houses and furniture do not.
        assert np.corrcoef(small.ravel(), reduced.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("size", [64, 160])
def test_the_finer_picture_is_of_the_same_place(size):
    coarse, fine = (draw(np.random.default_rng(3), size, 0.9, "room") for draw in (background.sample, background.finer))
    np.testing.assert_allclose(fine.reshape(size, 2, size, 2, 3).mean((1, 3)), coarse, atol=1e-6)


@pytest.mark.parametrize("thing", sorted({*furniture.ON_WALL, *furniture.ON_FLOOR}, key=lambda f: f.__name__))
def test_furniture_changes_the_picture_near_its_place(thing):
    picture = np.full((96, 96, 3), 0.5, np.float32)
    thing(np.random.default_rng(1), picture, 0.5, 0.8)
    changed = np.abs(picture - 0.5).max(-1) > 0.02
    assert 0.005 < changed.mean() < 0.7 and np.isfinite(picture).all()
    assert changed[:, 28:68].mean() > changed[:, :10].mean()
    outside = np.full((24, 24, 3), 0.5, np.float32)
    thing(np.random.default_rng(1), outside, 3.0, 0.8)
    np.testing.assert_array_equal(outside, 0.5)


def test_floors_go_to_the_horizon():
    rows, columns = np.meshgrid(*[(np.arange(64, dtype=np.float32) + 0.5) / 64] * 2, indexing="ij")
    x, z, scale = ground.plane(rows, columns, 0.5, 0.9)
    assert (np.diff(scale[36:, 0]) < 0).all() and (np.diff(z[36:, 0]) < 0).all()
    np.testing.assert_allclose(x[:, :32], -x[:, ::-1][:, :32], atol=1e-4)
    for kind in ground.FLOORS:
        colours = ground.floor(np.random.default_rng(0), kind, x, z, scale, 1 / 64)
        assert np.isfinite(colours).all() and colours.shape == (64, 64, 3)
    for kind in ground.WALLS:
        assert np.isfinite(ground.wall(np.random.default_rng(0), kind, rows, columns)).all()


def test_the_shadow_lies_on_the_floor_beneath_the_person():
    picture = np.full((64, 64, 3), 0.8, np.float32)
    coverage = np.zeros((64, 64), np.float32)
    coverage[10:58, 26:38] = 1
    shaded = ground.shadow(np.random.default_rng(0), picture, coverage, 58 / 64)
    assert (shaded <= picture + 1e-6).all() and (shaded >= 0).all()
    assert shaded[56:59, 28:36].mean() < 0.65
    np.testing.assert_array_equal(shaded[:30], picture[:30])
    assert shaded[:, :8].mean() > 0.79


def test_shapes_cover_what_they_say():
    picture = np.zeros((40, 40, 3), np.float32)
    strokes.box(picture, 0.25, 0.5, 0.75, 0.75, (1, 1, 1))
    assert picture[..., 0].sum() == pytest.approx(20 * 10, rel=0.03)
    picture[:] = 0
    strokes.oval(picture, 0.5, 0.5, 0.3, 0.2, (1, 1, 1), turn=0.7)
    assert picture[..., 0].sum() == pytest.approx(np.pi * 12 * 8, rel=0.03)
    picture[:] = 0
    strokes.quad(picture, [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]], (1, 1, 1))
    assert picture[..., 0].sum() == pytest.approx(400, rel=0.1)
    noise = strokes.clouds(np.random.default_rng(0), (64, 48), 0.3)
    assert noise.shape == (64, 48) and abs(noise.mean()) < 1e-4 and noise.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")
def test_the_kernel_paints_the_same_bits():
    one, other = np.full((2, 50, 50, 3), 0.3, np.float32)
    rng = np.random.default_rng(0)
    for soft, shade in zip((0.0, 0.07, 0.0, 0.3) * 5, (0.0, 0.3, -0.4, 0.2) * 5, strict=True):
        colour, place, size = rng.uniform(0, 1, 3), rng.uniform(-0.2, 1.2, 2), rng.uniform(0.01, 0.5, 2)
        turn, strength = rng.uniform(0, 6, 2)
        for picture, path in ((one, "numpy"), (other, "native")):
            strokes.box(picture, *(place - size), *(place + size), colour, soft, shade, path)
            strokes.oval(picture, *place, *size[::-1], colour, turn, soft, strength / 6, shade, path)
        np.testing.assert_array_equal(one, other)
    assert one.std() > 0.1
    with pytest.raises(ValueError, match="contiguous"):
        strokes.box(one[::2, ::2], 0, 0, 1, 1, (1, 1, 1), path="native")


def smooth_picture():
    y, x = np.mgrid[:64, :64] / 63
    return np.stack([0.2 + 0.6 * x, 0.5 + 0.3 * np.sin(6 * y), 0.7 - 0.4 * x * y], -1).astype(np.float32)


def test_cameras_are_modest_and_repeatable():
    picture = smooth_picture()
    for seed in range(30):
        photo = sensor.expose(np.random.default_rng(seed), picture)
        assert photo.shape == picture.shape and photo.dtype == np.float32
        assert photo.min() >= 0 and photo.max() <= 1
        assert np.abs(photo - picture).mean() < 0.06
        np.testing.assert_array_equal(photo, sensor.expose(np.random.default_rng(seed), picture))


def test_jpeg_changes_little_and_less_at_high_quality():
    picture = smooth_picture()
    change = {quality: np.abs(sensor.jpeg(picture, quality) - picture).mean() for quality in (72, 95)}
    assert change[95] < change[72] < 0.02
    assert sensor.jpeg(picture, 90).shape == picture.shape


def test_bright_pixels_are_noisier():
    rng = np.random.default_rng(0)
    dark, bright = (
        sensor.noise(rng, np.full((128, 128, 3), level, np.float32), 0.002, 0.02).std() for level in (0.05, 0.8)
    )
    assert bright > 2 * dark


def test_vignette_and_contrast_keep_what_they_promise():
    light = sensor.vignette(65, 0.2, (0, 0))
    assert light.max() == pytest.approx(1, abs=1e-3) and light.min() == pytest.approx(0.8, abs=0.01)
    levels = np.linspace(0, 1, 101)
    for amount in (-0.1, 0.2):
        curve = sensor.contrast(levels, amount)
        np.testing.assert_allclose(curve[[0, 50, 100]], [0, 0.5, 1], atol=1e-9)
        assert (np.diff(curve) > 0).all()
