"""Ease grows with the size in every region, and larger bodies take larger sizes."""

import functools

import numpy as np
import pytest

from tryon_jax import garments
from tryon_jax.garments import measurements
from tryon_jax.simulation import body, fit

BODIES = 50


@functools.cache
def figure_of(number):
    """Figure and chart of a random body."""
    shape = body.sample_shape(np.random.default_rng([5, number]))
    rest = body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest
    return measurements.measure(rest), "woman" if shape[0] > 0.5 else "man"


@functools.cache
def parameters_of(name, number):
    return garments.sample(name, np.random.default_rng([6, number]))


@pytest.mark.parametrize("name", garments.names())
def test_a_size_more_gives_more_ease_everywhere(name):
    for number in range(BODIES):
        figure, chart = figure_of(number)
        parameters = parameters_of(name, number)
        eases = [
            fit.ease(fit.sized(name, parameters, size, chart), fit.drafted_to(size, chart), figure)
            for size in fit.SIZES
        ]
        assert eases[0]
        for smaller, larger in zip(eases[:-1], eases[1:], strict=True):
            for region in smaller.keys() & larger.keys():
                assert larger[region] > smaller[region] + 0.003, (number, region, smaller, larger)


@pytest.mark.parametrize("name", garments.names())
def test_a_garment_drafted_to_the_body_has_the_ease_of_its_design(name):
    for number in range(BODIES):
        figure, _ = figure_of(number)
        for region, metres in fit.designed(name, parameters_of(name, number), figure).items():
            assert -0.02 < metres < (0.6 if name not in ("skirt", "dress") else 5.0), (number, region, metres)


def test_the_recommended_size_grows_with_the_body():
    names = list(fit.SIZES)
    for name in ("tshirt", "trousers"):
        parameters = {key: 0.5 * (low + high) for key, (low, high) in garments.load(name).PARAMETERS.items()}
        for gender, chart in ((1.0, "woman"), (0.0, "man")):
            order = []
            for weight in (0.15, 0.4, 0.65, 0.9):
                shape = np.array([gender, 0.7, 0.5, weight, 0.5, 0.5], np.float32)
                rest = body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest
                size, eases = fit.recommend(name, parameters, measurements.measure(rest), chart)
                order.append(names.index(size))
                assert set(eases) == set(names)
            assert (np.diff(order) >= 0).all() and order[-1] > order[0], (name, chart, order)


def test_a_small_size_on_a_large_body_is_tight_and_strained():
    shape = np.array([1.0, 0.7, 0.5, 0.8, 0.5, 0.5], np.float32)
    parameters = {key: 0.3 for key in garments.load("tshirt").PARAMETERS}
    small, large = (fit.fit(shape, "tshirt", parameters, size, "woman") for size in ("XS", "XL"))
    assert small.verdict == "tight" and large.verdict != "tight"
    assert small.strain["chest"] > 2 * large.strain["chest"]
    assert small.strain["chest"] > 0.03


def test_unknown_sizes_are_refused():
    with pytest.raises(ValueError, match="XS, S"):
        fit.sized("tshirt", parameters_of("tshirt", 0), "XXXL", "woman")
    with pytest.raises(ValueError, match="woman, man"):
        fit.sized("tshirt", parameters_of("tshirt", 0), "M", "child")
