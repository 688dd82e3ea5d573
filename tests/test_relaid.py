"""A garment laid otherwise: its coordinates find the colours that they found, and nothing else has changed."""

import jax
import jax.numpy as jnp
import made_people
import numpy as np
import pytest

from tryon_jax import relaid
from tryon_jax.render.texture import sample_texture

SIZE = 64
TAPERS = (-0.4, -0.2, 0.3, 0.4)


def example():
    """Made of waves slow enough to be sampled anew, in the cut-out of a shirt with wide shoulders."""
    rows, columns = np.indices((SIZE, SIZE)) / SIZE
    waves = 0.5 + 0.4 * np.sin(np.stack([9 * columns, 8 * rows, 6 * (rows + columns)], -1))
    cut = (np.abs(columns - 0.5) < 0.42 - 0.2 * (rows > 0.4)) & (rows > 0.1) & (rows < 0.9)
    made = made_people.example(0, SIZE) | {
        "garment": jnp.asarray(waves, jnp.float32),
        "garment_mask": jnp.asarray(cut[..., None], jnp.float32),
    }
    inner = np.stack([1.4 * columns - 0.7, 1.4 * rows - 0.7], -1)
    inner[:8] = 0  # as off the garment
    return made | {name: jnp.asarray(inner, jnp.float32) for name in relaid.UV}


@pytest.mark.parametrize("taper", TAPERS)
def test_coordinates_find_the_colours_that_they_found(taper):
    before = example()
    after = relaid.apply(before, jnp.float32(taper))
    for name in relaid.UV:
        wanted, found = (sample_texture(one["garment"], (one[name] + 1) / 2) for one in (before, after))
        np.testing.assert_allclose(found, wanted, atol=0.02)
        assert jnp.abs(after[name]).max() <= 1
        assert not after[name][:8].any()  # what was no coordinate is none
    assert jnp.abs(after["garment"] - before["garment"]).max() > 0.1


@pytest.mark.parametrize("taper", TAPERS)
def test_the_cut_out_keeps_width_and_height_and_tapers(taper):
    before = np.asarray(example()["garment_mask"])[..., 0] > 0.5
    after = np.asarray(relaid.apply(example(), jnp.float32(taper))["garment_mask"])[..., 0] > 0.5
    assert abs(int(after.any(0).sum()) - int(before.any(0).sum())) <= 2
    np.testing.assert_array_equal(after.any(1), before.any(1))
    hem, chest = (slice(48, 56), slice(12, 20))
    wider = (after[hem].sum() / after[chest].sum()) / (before[hem].sum() / before[chest].sum())
    assert (wider > 1.1) if taper > 0 else (wider < 0.95)


def test_no_taper_changes_nothing_and_the_person_never_changes():
    before = example()
    same = relaid.apply(before, jnp.float32(0.0))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), same, before)
    after = relaid.apply(before, jnp.float32(0.4))
    moved = {"garment", "garment_mask", *relaid.UV}
    for name in set(before) - moved:
        jax.tree.map(np.testing.assert_array_equal, after[name], before[name])


def test_a_missing_cut_out_gives_finite_numbers():
    blank = example() | {"garment_mask": jnp.zeros((SIZE, SIZE, 1))}
    after = relaid.apply(blank, jnp.float32(0.5))
    assert all(jnp.isfinite(after[name]).all() for name in ("garment", "garment_mask", *relaid.UV))


def test_drawn_tapers_keep_their_range():
    keys = jax.random.split(jax.random.key(0), 200)
    drawn = jax.vmap(lambda key: relaid.sample(key, 0.4))(keys)
    assert jnp.abs(drawn).max() <= 0.4 and drawn.min() < -0.3 and drawn.max() > 0.3
    assert not jax.vmap(lambda key: relaid.sample(key, 0.0))(keys).any()
