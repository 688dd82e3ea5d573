"""Histograms of oriented gradients: directions of ramps, what they leave out, and a slow twin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax.models.oriented import BINS, CELL, ENERGY_FLOOR, Oriented, histograms


def ramp(angle, slope=0.02, size=32):
    """A picture [size, size, 3] that grows along `angle`, radians, from x to y."""
    y, x = np.mgrid[:size, :size] - size / 2
    return np.repeat((0.5 + slope * (x * np.cos(angle) + y * np.sin(angle)))[..., None], 3, axis=-1)


@pytest.mark.parametrize("number", range(BINS))
def test_a_ramp_along_the_middle_of_a_bin_is_all_in_that_bin(number):
    for turned in (0, np.pi):  # over half a turn: up is as down
        found = np.asarray(histograms(jnp.asarray(ramp(number * np.pi / BINS + turned))))[1:-1, 1:-1]
        others = np.delete(found, number, axis=-1)
        assert (found[..., number] > 0.95).all() and np.abs(others).max() < 0.01


def test_a_ramp_between_two_bins_is_shared_by_both():
    found = np.asarray(histograms(jnp.asarray(ramp(2.25 * np.pi / BINS))))[1, 1]
    np.testing.assert_allclose(found[2] / found[3], 3, rtol=0.01)


def test_brightness_does_not_count_and_contrast_hardly():
    picture = jax.random.uniform(jax.random.key(0), (32, 32, 3))
    found = histograms(picture)
    np.testing.assert_allclose(histograms(picture + 0.3), found, atol=1e-4)
    np.testing.assert_allclose(histograms(0.5 * picture), found, rtol=0.02, atol=0.01)
    assert np.abs(histograms(jnp.full((32, 32, 3), 0.4))).max() < 1e-3


def test_the_mirror_image_has_the_mirrored_directions():
    picture = jax.random.uniform(jax.random.key(1), (32, 48, 3))
    mirrored = histograms(picture[:, ::-1])[:, ::-1][..., -np.arange(BINS) % BINS]
    np.testing.assert_allclose(mirrored, histograms(picture), atol=1e-4)


def test_histograms_equal_those_made_pixel_by_pixel():
    picture = np.asarray(jax.random.uniform(jax.random.key(2), (16, 24, 3)), np.float64)
    height, width = picture.shape[:2]
    grey = np.pad(picture.mean(-1), 1, mode="edge")
    cells = np.zeros((height // CELL, width // CELL, BINS))
    for row in range(height):
        for column in range(width):
            right = grey[row + 1, column + 2] - grey[row + 1, column]
            down = grey[row + 2, column + 1] - grey[row, column + 1]
            place = (np.arctan2(down, right) % np.pi) / np.pi * BINS
            low, share = int(place) % BINS, place - int(place)
            cells[row // CELL, column // CELL, low] += (1 - share) * np.hypot(right, down)
            cells[row // CELL, column // CELL, (low + 1) % BINS] += share * np.hypot(right, down)
    expected = np.zeros_like(cells)
    for row, column in np.ndindex(cells.shape[:2]):
        rows = np.clip(np.arange(row - 1, row + 2), 0, cells.shape[0] - 1)
        columns = np.clip(np.arange(column - 1, column + 2), 0, cells.shape[1] - 1)
        energy = (cells[np.ix_(rows, columns)] ** 2).sum(-1).mean()
        expected[row, column] = cells[row, column] / np.sqrt(energy + ENERGY_FLOOR)
    np.testing.assert_allclose(histograms(jnp.asarray(picture, jnp.float32)), expected, atol=1e-3)


def test_the_head_tells_one_histogram_a_cell():
    head, coarse = Oriented(), jax.random.normal(jax.random.key(3), (2, 4, 4, 16))
    found, _ = head.init_with_output(jax.random.key(4), coarse)
    assert found.shape == (2, 4, 4, BINS) == (2, *histograms(jnp.zeros((32, 32, 3))).shape) and found.std() > 0
