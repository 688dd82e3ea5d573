"""A person's colours by material, against the sums written out."""

import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.parts import FLIP_PARTS, MATERIAL, MATERIALS, PART, PARTS
from tryon_jax.render.holes import fill
from tryon_jax.render.palette import behind, materials, mend, repaint

SIZE = 12


def one_hot(labels):
    return jnp.asarray(np.eye(len(PARTS), dtype=np.float32)[labels])


def test_every_part_but_the_background_is_of_one_material_the_same_on_both_sides():
    assert MATERIAL.shape == (len(PARTS), len(MATERIALS))
    assert MATERIAL.sum(1).tolist() == [0.0] + [1.0] * (len(PARTS) - 1)
    np.testing.assert_array_equal(MATERIAL[FLIP_PARTS], MATERIAL)
    assert (MATERIAL.sum(0) > 0).all()


def test_shares_of_materials_ignore_the_background():
    parts = jnp.zeros(len(PARTS)).at[0].set(0.6).at[PART["face"]].set(0.1).at[PART["upper"]].set(0.3)
    found = dict(zip(MATERIALS, materials(parts[None, None])[0, 0].tolist(), strict=True))
    np.testing.assert_allclose([found["skin"], found["upper"]], [0.25, 0.75], atol=1e-6)
    assert not materials(one_hot(np.zeros((1, 1), int))).any()


def test_a_part_takes_the_mean_colour_of_its_material_where_the_person_is_known():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(PARTS), (SIZE, SIZE))
    picture = rng.random((SIZE, SIZE, 3)).astype(np.float32)
    known = (rng.random((SIZE, SIZE, 1)) < 0.7).astype(np.float32)
    wanted = rng.integers(1, len(PARTS), (SIZE, SIZE))
    found = np.asarray(repaint(jnp.asarray(picture), jnp.asarray(known), one_hot(labels), one_hot(wanted)))
    on = (known[..., 0] > 0) & (labels > 0)
    person = picture[on].mean(0)
    for row, column in np.ndindex(SIZE, SIZE):
        material = MATERIAL[wanted[row, column]].argmax()
        same = on & (MATERIAL[labels].argmax(-1) == material)
        expected = (picture[same].sum(0) + person) / (same.sum() + 1)
        np.testing.assert_allclose(found[row, column], expected, atol=1e-5)


def test_what_is_not_shown_takes_the_persons_mean_and_nothing_known_is_black():
    picture = jnp.full((SIZE, SIZE, 3), 0.4)
    face, shoes = (one_hot(np.full((SIZE, SIZE), PART[name])) for name in ("face", "left_shoe"))
    np.testing.assert_allclose(repaint(picture, 1.0, face, shoes), 0.4, atol=1e-5)
    assert not repaint(picture, 0.0, face, face).any()


def test_a_hole_is_mended_from_its_own_material_and_not_from_its_neighbours():
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(16)[:, None] < 8, PART["face"], PART["upper"]) * np.ones((1, 16), int)
    picture = np.where(labels[..., None] == PART["face"], [0.9, 0.7, 0.6], [0.1, 0.2, 0.5]).astype(np.float32)
    picture[8:] += np.linspace(0, 0.3, 16, dtype=np.float32)[:, None]  # cloth that brightens to the right
    known = (rng.random((16, 16, 1)) < 0.5).astype(np.float32)
    shown = one_hot(labels)
    found = np.asarray(mend(jnp.asarray(picture), jnp.asarray(known), shown, shown))
    np.testing.assert_allclose(found[:8], picture[:8], atol=1e-5)
    assert np.abs(found[8:] - picture[8:]).max() < 0.1
    # One material alone is filled as holes are.
    alone = fill(jnp.asarray(picture), jnp.asarray(known * (labels == PART["upper"])[..., None]))
    np.testing.assert_allclose(found[8:], alone[8:], atol=1e-6)
    assert not np.asarray(mend(picture, known, shown, one_hot(np.full((16, 16), PART["left_shoe"])))).any()


def test_behind_is_the_picture_where_the_material_is_the_same_but_for_the_face():
    rng = np.random.default_rng(0)
    picture = rng.random((16, 16, 3)).astype(np.float32)
    labels = np.full((16, 16), PART["lower"])
    labels[:6], labels[6:8] = PART["face"], PART["neck"]
    back = np.where(labels == PART["face"], PART["neck"], labels)
    found = np.asarray(behind(jnp.asarray(picture), 1.0, one_hot(labels), one_hot(back)))
    np.testing.assert_allclose(found[6:], picture[6:], atol=1e-6)
    # The nape is filled from the neck alone.
    neck = fill(jnp.asarray(picture), jnp.asarray((labels == PART["neck"])[..., None].astype(np.float32)))
    np.testing.assert_allclose(found[:6], neck[:6], atol=1e-6)
