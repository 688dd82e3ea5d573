"""Nearest points: the compiled tree and scipy's find the same, and both what brute force finds."""

import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.garments import nearby

PATHS = [
    pytest.param("native", marks=pytest.mark.skipif(not native.available(), reason="no C++ compiler")),
    "scipy",
]


def squares(places, points):
    return ((places[:, None] - points) ** 2).sum(-1)


@pytest.mark.parametrize("width", [3, 4, 5])
@pytest.mark.parametrize("path", PATHS)
def test_nearest_equal_brute_force(rng, path, width):
    for count in (1, 9, 400):
        points = rng.uniform(-1, 1, (count, width)) * [1.0, 0.2, 0.0, 1.0, 0.1][:width]  # a flat sheet in space
        places = np.concatenate([points[: count // 2], rng.uniform(-2, 2, (150, width))])
        away, found = nearby.tree(points, path).query(places)
        wanted = squares(places, points)
        np.testing.assert_array_equal(found, wanted.argmin(1))
        np.testing.assert_allclose(away, np.sqrt(wanted.min(1)), rtol=1e-12)


@pytest.mark.parametrize("path", PATHS)
def test_several_nearest_in_rising_order(rng, path):
    points = rng.uniform(-1, 1, (60, 3))
    away, found = nearby.tree(points, path).query(points, 7)
    order = squares(points, points).argsort(1, kind="stable")[:, :7]
    np.testing.assert_array_equal(found, order)
    assert (np.diff(away, axis=1) > 0).all() and (away[:, 0] == 0).all()
    away, found = nearby.tree(points[:5], path).query(points, 7)  # fewer than asked for
    assert (found[:, 5:] == 5).all() and np.isinf(away[:, 5:]).all() and (found[:, :5] < 5).all()


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_near_enough(rng, path):
    points, places = rng.uniform(-1, 1, (300, 3)), rng.uniform(-1.5, 1.5, (200, 3))
    least = np.sqrt(squares(places, points).min(1))
    bound = np.sort(least)[100]  # one lies as far as the bound, which is not within it
    away, found = nearby.tree(points, path).query(places, distance_upper_bound=bound)
    assert ((found == 300) == np.isinf(away)).all() and np.isinf(away).sum() == 100
    np.testing.assert_array_equal(np.isinf(away), least >= bound)


@pytest.mark.parametrize("path", PATHS)
def test_of_no_points_none_is_near(path):
    away, found = nearby.tree(np.zeros((0, 3)), path).query(np.zeros((4, 3)))
    assert np.isinf(away).all() and (found == 0).all()


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_finite_is_refused(path):
    with pytest.raises(ValueError, match="finite"):
        nearby.tree(np.zeros((2, 3)), path).query(np.full((1, 3), np.nan))


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel")
def test_the_kernel_takes_the_first_of_points_as_near(rng):
    points = rng.integers(0, 4, (500, 3)).astype(float)  # most places several times
    places = rng.integers(0, 7, (200, 3)) / 2
    _, found = nearby.tree(points, "native").query(places)
    np.testing.assert_array_equal(found, squares(places, points).argmin(1))
    _, found = nearby.tree(points, "native").query(places, 12)
    np.testing.assert_array_equal(found, squares(places, points).argsort(1, kind="stable")[:, :12])
