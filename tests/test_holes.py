"""Holes are filled from around: what is known stays, what was hidden does not count."""

import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax.render.holes import fill


@pytest.mark.parametrize("size", [8, 12])
def test_holes_are_filled_from_around_and_what_is_known_stays(size):
    rng = np.random.default_rng(0)
    values = rng.random((size, size, 2)).astype(np.float32)
    known = (rng.random((size, size, 1)) < 0.4).astype(np.float32)
    filled = fill(jnp.asarray(values), jnp.asarray(known))
    on = known[..., 0] > 0
    np.testing.assert_allclose(filled[on], values[on], atol=1e-6)
    assert filled.min() >= values[on].min() - 1e-6 and filled.max() <= values[on].max() + 1e-6
    # What was in the holes does not count.
    np.testing.assert_allclose(fill(jnp.asarray(values + 1 - known), jnp.asarray(known)), filled, atol=1e-6)


def test_one_known_pixel_fills_everything_and_none_leaves_zero():
    values, known = jnp.full((8, 8, 3), 0.7), jnp.zeros((8, 8, 1))
    np.testing.assert_allclose(fill(values, known.at[2, 5].set(1)), 0.7, atol=1e-6)
    assert not fill(values, known).any()


def test_what_is_half_known_counts_half():
    values = jnp.zeros((2, 2, 1)).at[0, 0].set(1.0)
    filled = fill(values, jnp.zeros((2, 2, 1)).at[0, 0].set(0.5).at[1, 1].set(0.25))
    # Around it all is (0.5 * 1 + 0.25 * 0) / 0.75; the pixel's own value takes the share to which it is known.
    np.testing.assert_allclose(filled[0, 1, 0], 2 / 3, atol=1e-6)
    np.testing.assert_allclose(filled[0, 0, 0], 0.5 * 1 + 0.5 * 2 / 3, atol=1e-6)


def test_a_hole_takes_the_colour_beside_it_not_the_far_one():
    values = jnp.zeros((16, 16, 1)).at[:, 8:].set(1.0)
    known = jnp.ones((16, 16, 1)).at[4:6, 2:4].set(0).at[4:6, 12:14].set(0)
    filled = fill(values, known)
    assert filled[4:6, 2:4].max() < 0.2 and filled[4:6, 12:14].min() > 0.8
