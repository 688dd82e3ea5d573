"""What a person's pyramid is told of a garment, and the guesses of garment coordinates that lead to it."""

import jax
import jax.numpy as jnp
import made_people
import numpy as np
import pytest

from tryon_jax import losses
from tryon_jax.models.garment import GarmentEncoder, look_up
from tryon_jax.render.texture import sample_texture
from tryon_jax.scores import dressing

FEATURES, SIZE, COUNT = (4, 8, 8, 16), 32, 2


@pytest.fixture(scope="module")
def told():
    keys = jax.random.split(jax.random.key(0), 5)
    sides = zip((4, 8, 16, 32), reversed(FEATURES), keys, strict=False)
    pyramid = tuple(jax.random.normal(key, (COUNT, side, side, channels)) for side, channels, key in sides)
    garment = jax.random.uniform(keys[4], (COUNT, 24, 24, 3))
    shown = pyramid, garment, jnp.ones((COUNT, 24, 24, 1)), jnp.zeros(COUNT, jnp.int32)
    encoder = GarmentEncoder(FEATURES)
    found, variables = jax.jit(encoder.init_with_output)(keys[0], *shown)
    return encoder, variables, shown, found


def test_at_first_the_pyramid_stays_as_it_was(told):
    _, _, (pyramid, *_), (restyled, _) = told
    jax.tree.map(np.testing.assert_array_equal, restyled, pyramid)


def test_guesses_go_from_coarse_to_fine(told):
    *_, (_, guesses) = told
    assert [guess.shape for guess in guesses] == [(COUNT, side, side, 2, 2) for side in (4, 8, 16)]
    assert all(jnp.isfinite(guess).all() for guess in guesses)


def test_examples_are_kept_apart_and_garments_told_apart(told):
    encoder, variables, (pyramid, garment, *rest), (_, guesses) = told
    other = garment.at[1].set(1 - garment[1])
    _, found = jax.jit(encoder.apply)(variables, pyramid, other, *rest)
    np.testing.assert_allclose(found[0][0], guesses[0][0], atol=1e-5)
    assert jnp.abs(found[0][1] - guesses[0][1]).max() > 1e-4


def test_looking_up_is_sampling_and_hands_coordinates_no_gradient():
    keys = jax.random.split(jax.random.key(1))
    features = jax.random.normal(keys[0], (6, 6, 3))
    places = jax.random.uniform(keys[1], (40, 2), minval=-1.3, maxval=1.3)
    np.testing.assert_allclose(look_up(features, places), sample_texture(features, (places + 1) / 2), atol=1e-5)
    assert not jax.grad(lambda places: look_up(features, places).sum())(places).any()
    by_features = jax.grad(lambda features: look_up(features, places).sum())(features)
    np.testing.assert_allclose(by_features.sum((0, 1)), len(places), rtol=1e-5)


def test_a_true_guess_costs_nothing_and_counts_for_every_pixel_of_its_place():
    example = made_people.example(0, SIZE)
    example |= {f"{side}_garment_uv": jnp.full((SIZE, SIZE, 2), 0.25) for side in ("front", "back")}
    true = tuple(jnp.full((side, side, 2, 2), 0.25) for side in (8, 16))
    assert losses.garment_guesses(true, example) == 0
    off = (true[0] + jnp.array([0.1, 0.0]), true[1])
    knee = losses.GARMENT_UV_KNEE
    shown = [
        losses.garment_region(example[f"{side}_segmentation"], example["garment_class"]).any()
        for side in dressing.SIDES
    ]
    assert any(shown)
    # Mean over two levels, two sides, and two coordinates, of which one is off by more than the knee.
    expected = (0.1 - knee / 2) / 2 * np.mean(shown) / 2
    np.testing.assert_allclose(losses.garment_guesses(off, example), expected, rtol=1e-5)


def test_median_error_is_that_of_all_pixels():
    rng = np.random.default_rng(0)
    values, mask = rng.exponential(0.05, (20, 20, 1)), (rng.uniform(size=(20, 20, 1)) < 0.4).astype(np.float32)
    counts = np.asarray(dressing._counted(jnp.asarray(values), jnp.asarray(mask)))
    assert counts.sum() == mask.sum()
    np.testing.assert_allclose(
        dressing._median(counts), np.median(values[mask > 0]), atol=dressing.FARTHEST / dressing.BINS
    )
    assert dressing._median(np.zeros(dressing.BINS)) == 0
