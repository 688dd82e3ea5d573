"""What self-supervision shows its encoder: only what is visible, hints where told, its own guess of the parts."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import example

from configs.ssl import get_config
from tryon_jax import augment, pretext
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import PARTS
from tryon_jax.models.posture import TOLD
from tryon_jax.stages import ssl

SIZE = 32
masked = jax.jit(pretext.masked)


def photo(person):
    """A person's photo, with something in its fine pixels that is in no other's."""
    grain = jax.random.uniform(jax.random.key(9), person["person_fine"].shape, maxval=0.2)
    return pretext.Picture(person["person"], person["person_fine"] + grain)


def _both(visible):
    return pretext.Picture(visible, twice(visible))


@pytest.fixture(scope="module")
def shown():
    """One person, where patches are visible, and the observations of those with and without hints."""
    person = jax.tree.map(jnp.asarray, example(1, SIZE))
    visible = augment.patch_mask(jax.random.key(0), (SIZE, SIZE), 4, 0.5)
    given = (person, photo(person), visible, person["front_depth"], person["mask"])
    return person, visible, masked(*given), masked(*given, parts=1.0, keypoints=1.0)


def test_hidden_patches_show_nothing_of_the_person(shown):
    person, visible, bare, hinted = shown
    hidden = np.asarray(visible)[..., 0] == 0
    for seen in (bare, hinted):
        assert not seen["geometry"][hidden].any() and not seen["parts"][hidden].any()
        # What is filled in is told by the visible pixels alone.
        changed = jax.tree.map(lambda a, there: jnp.where(there > 0, a, 0.0), photo(person), _both(visible))
        other = masked(person, changed, visible, person["front_depth"], person["mask"])
        for name in ("rgb", "detail"):
            np.testing.assert_allclose(other[name], seen[name], atol=1e-6)


def test_hints_are_shown_only_where_told(shown):
    person, visible, bare, hinted = shown
    assert not bare["parts"].any() and not bare["keypoints"].any()
    np.testing.assert_array_equal(hinted["keypoints"], person["keypoints"])
    seen = np.asarray(visible)[..., 0] > 0
    np.testing.assert_array_equal(hinted["parts"].argmax(-1)[seen], person["front_segmentation"][seen])
    np.testing.assert_array_equal(hinted["rgb"], bare["rgb"])


def test_guessed_parts_are_probabilities_with_the_silhouettes_background():
    keys = jax.random.split(jax.random.key(2))
    maps = {
        "mask": 3 * jax.random.normal(keys[0], (SIZE, SIZE, 1)),
        "front_parts": 5 * jax.random.normal(keys[1], (SIZE, SIZE, len(PARTS))),
    }
    guess = np.asarray(ssl._guessed_parts(maps, jnp.ones((SIZE, SIZE, 1))))
    np.testing.assert_allclose(guess.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(guess[..., 0], 1 - jax.nn.sigmoid(maps["mask"][..., 0]), atol=1e-6)
    # Among the parts of the body the odds are the network's own.
    odds = np.log(guess[..., 1:] / guess[..., 1:2])
    np.testing.assert_allclose(odds, maps["front_parts"][..., 1:] - maps["front_parts"][..., 1:2], atol=1e-3)


@pytest.fixture(scope="module")
def prepared():
    """(example, observations, bare) of one person prepared 256 times, moved nowhere."""
    person = jax.tree.map(jnp.asarray, example(1, SIZE))
    config = get_config("smoke")
    still = {**config.augment.to_dict(), "roll": 0.0, "scale": 0.0, "shift": 0.0, "flip": 0.0, "yaw": 0.0}
    prepare = jax.jit(jax.vmap(partial(pretext.prepared, still, config.mask.to_dict()), in_axes=(None, 0)))
    _, seen, _, bare = prepare(person, jax.random.split(jax.random.key(4), 256))
    return person, seen, np.asarray(bare)


def test_bare_examples_are_those_without_parts_and_more_than_half(prepared):
    _, seen, bare = prepared
    np.testing.assert_array_equal(np.asarray(seen["parts"]).any((1, 2, 3)), bare == 0)
    assert 0.55 < bare.mean() < 0.85


def test_more_than_half_of_the_pictures_without_keypoints_are_told_of_them_not_quite_truly(prepared):
    person, seen, _ = prepared
    found, truth = np.asarray(seen["keypoints"]), np.asarray(person["keypoints"])
    visible = truth[:, 2] > 0
    shown, told = (found[:, :, 2] == value for value in (1.0, TOLD))
    assert (shown | told | (found[:, :, 2] == 0)).all()
    share = told.any(1).sum() / (~shown.any(1)).sum()
    assert 0.45 < share < 0.75 and (told[told.any(1)] == visible).all()
    off = (found - truth)[told][:, :2] / (SIZE / 2)
    np.testing.assert_allclose(off.std(), pretext.TOLD_NOISE, rtol=0.1)
    np.testing.assert_allclose(found[shown], np.broadcast_to(truth, found.shape)[shown], atol=1e-4)


@pytest.fixture(scope="module")
def training(shown):
    """(state, compiled train_step, batch of one person twice, keys) of a run that is told of edges."""
    config = get_config("smoke")
    config.loss.oriented = 4.0
    stage = ssl.build(config)
    batch = jax.tree.map(lambda x: jnp.stack([x, x]), shown[0])
    keys = jax.random.split(jax.random.key(1), 2)
    return jax.jit(stage.init)(jax.random.key(0), batch), jax.jit(stage.train_step), batch, keys


def test_bare_examples_are_looked_at_twice_on_every_second_step(training):
    state, train_step, batch, keys = training
    losses = [train_step(state.replace(step=jnp.int32(step)), batch, keys)[1]["loss"] for step in range(4)]
    assert losses[0] == losses[2] and losses[1] == losses[3] and losses[0] != losses[1]


def test_guesses_take_the_place_of_parts_only_where_told(shown):
    person, _, bare, hinted = shown
    stage = ssl.build(get_config("smoke"))
    setup = stage.eval_step.args[0]
    seen = jax.tree.map(lambda a, b: jnp.stack([a, b]), bare, hinted)
    params = jax.jit(stage.init)(jax.random.key(0), jax.tree.map(lambda x: x[None], person)).params
    again = jax.jit(partial(ssl._shown_guesses, setup))(params, seen, jnp.zeros(2), jnp.array([1.0, 0.0]))
    np.testing.assert_array_equal(again["parts"][1], hinted["parts"])
    visible = np.asarray(bare["known"])[..., 0] > 0
    np.testing.assert_allclose(again["parts"][0].sum(-1), visible, atol=1e-5)
    for name in set(seen) - {"parts"}:
        np.testing.assert_array_equal(again[name], seen[name])


def test_directions_of_edges_are_asked_of_the_encoder_where_they_weigh(training):
    state, train_step, batch, keys = training
    plain = jax.eval_shape(ssl.build(get_config("smoke")).init, jax.random.key(0), batch)
    assert set(plain.params) == {"encoder", "decoder"} and set(state.params) == {"encoder", "decoder", "oriented"}
    errors = []
    for _ in range(12):
        state, metrics = train_step(state, batch, keys)
        errors.append(float(metrics["loss/oriented"]))
    assert errors[-1] < 0.8 * errors[0]
    blank = {**batch, "has": {**batch["has"], "rgb": jnp.zeros(2)}}
    assert train_step(state, blank, keys)[1]["loss/oriented"] == 0
