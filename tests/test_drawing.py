"""What is drawn at twice the pixels a side is of the same samples as the sheet: no more light, and none lost."""

import numpy as np
from test_exposure import BLACK, LAMP, ball

from tryon_jax.simulation import drawing


def test_finer_pixels_are_means_of_the_parts_of_samples_in_them():
    samples = np.random.default_rng(0).uniform(size=(15, 15, 2)).astype(np.float32)
    # The twin: samples cut into halves, of which three a side make a fine pixel.
    halves = samples.repeat(2, 0).repeat(2, 1)
    wanted = halves.reshape(10, 3, 10, 3, 2).mean((1, 3))
    np.testing.assert_allclose(drawing._finer(samples, 5), wanted, atol=1e-6)


def test_the_fine_picture_holds_the_colour_of_the_coarse_one():
    mesh = ball(lambda vertices: np.abs(vertices) / 0.3)
    side = drawing.draw(mesh, BLACK, LAMP, np.float32([0.7 / 24, 0.01, 0]), 24, 6.0)[0]
    mean = np.asarray(side.fine).reshape(24, 2, 24, 2, 4).mean((1, 3))
    np.testing.assert_allclose(mean[..., 3:], side.coverage, atol=1e-6)
    np.testing.assert_allclose(mean[..., :3], np.asarray(side.rgb) * side.coverage, atol=1e-6)
    assert ((side.fine[..., 3] > 0.01) & (side.fine[..., 3] < 0.99)).any()
