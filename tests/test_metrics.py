"""Scores: known values, brute-force twins, and a kernel distance that sees what it should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import batch

from tryon_jax import metrics
from tryon_jax.geometry.keypoints import heat_maps
from tryon_jax.models.adversary import observe_real
from tryon_jax.render.paste import paste


def test_psnr_of_a_known_error():
    a, mask = np.zeros((4, 4, 3)), np.ones((4, 4, 1))
    np.testing.assert_allclose(metrics.psnr(metrics.squared_error(a, a + 0.1, mask)), 20.0, atol=1e-4)
    np.testing.assert_allclose(metrics.psnr(np.float32(0)), 100.0, atol=1e-3)


def test_angle_is_right_at_every_size_of_it():
    degrees = np.array([0.0, 0.05, 30.0, 90.0, 179.0])
    radians = np.radians(degrees)
    turned = np.stack([np.sin(radians), 0 * radians, np.cos(radians)], -1)[None].astype(np.float32)
    ahead = np.broadcast_to(np.float32([0, 0, 1]), turned.shape)
    for index, expected in enumerate(degrees):
        only = np.zeros((1, 5, 1), np.float32)
        only[0, index] = 1
        np.testing.assert_allclose(metrics.angle(turned, ahead, only), expected, atol=2e-3)


def test_intersection_over_union(rng):
    a, b = rng.random((2, 9, 7, 1))
    expected = ((a > 0.5) & (b > 0.5)).sum() / ((a > 0.5) | (b > 0.5)).sum()
    np.testing.assert_allclose(metrics.intersection_over_union(a, b), expected, rtol=1e-6)
    assert metrics.intersection_over_union(0 * a, 0 * b) == 1


def test_surface_scores_are_of_all_pixels_and_truth_has_no_error():
    people = batch(16, 3)
    half = 1.0  # metres: cameras of made_people see two metres
    truth = {"mask": 40.0 * (2 * people["mask"] - 1)}
    for side in ("front", "back"):
        truth |= {f"{side}_depth": people[f"{side}_depth"] / half, f"{side}_normals": people[f"{side}_normals"]}
    perfect = metrics.surface_scores(jax.tree.map(np.asarray, jax.vmap(metrics.surface)(truth, people)))
    assert perfect["mask_iou"] == 1 and perfect["depth_rmse"] < 1e-6 and perfect["normal_degrees"] < 1e-3
    wrong = {name: maps + 0.1 * name.endswith("depth") for name, maps in truth.items()}
    scores = metrics.surface_scores(jax.tree.map(np.asarray, jax.vmap(metrics.surface)(wrong, people)))
    np.testing.assert_allclose(scores["depth_rmse"], 0.1, rtol=1e-5)
    # The baselines written out: an example counts as one, whatever its size.
    constants, own = [], []
    for side in ("front", "back"):
        depths = [depth[mask > 0] for depth, mask in zip(people[f"{side}_depth"], people["mask"], strict=True)]
        middle = np.mean([depth.mean() for depth in depths])
        constants += [np.mean((depth - middle) ** 2) for depth in depths]
        own += [depth.var() for depth in depths]
    np.testing.assert_allclose(scores["depth_rmse/constant"], np.sqrt(np.mean(constants)), rtol=1e-4)
    np.testing.assert_allclose(scores["depth_rmse/own_mean"], np.sqrt(np.mean(own)), rtol=1e-4)
    np.testing.assert_allclose(
        scores["depth_share_of_constant"], scores["depth_rmse"] / scores["depth_rmse/constant"], rtol=1e-6
    )


def test_kernel_distance_equals_the_double_sum(rng):
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)) + 0.5

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within_x = np.mean([kernel(x[i], x[j]) for i in range(5) for j in range(5) if i != j])
    within_y = np.mean([kernel(y[i], y[j]) for i in range(4) for j in range(4) if i != j])
    between = np.mean([kernel(a, b) for a in x for b in y])
    np.testing.assert_allclose(metrics.kernel_distance(x, y), within_x + within_y - 2 * between, rtol=1e-9)
    with pytest.raises(ValueError, match="at least two"):
        metrics.kernel_distance(x[:1], y)


@pytest.fixture(scope="module")
def features():
    observed = observe_real(batch(32, 24))[0]
    return observed, jax.jit(jax.vmap(metrics.fixed_features))


def test_kernel_distance_is_near_zero_between_halves_and_grows_with_damage(features):
    observed, describe = features
    real = np.asarray(describe(observed))
    chance = metrics.kernel_distance(real[::2], real[1::2])
    noise = jax.random.normal(jax.random.key(0), observed.shape)
    damages = {
        "noise": lambda strength: observed + strength * noise,
        "colour": lambda strength: observed.at[..., 0].add(-2 * strength),
        "shift": lambda strength: jnp.roll(observed, round(20 * strength), axis=2),
        "flat relief": lambda strength: observed.at[..., 6:12].multiply(1 - 2 * strength),
        "other back": lambda strength: observed.at[..., 3:6].multiply(1 - 2 * strength),
    }
    for name, damage in damages.items():
        weak, strong = (metrics.kernel_distance(np.asarray(describe(damage(s))), real) for s in (0.1, 0.4))
        assert strong > weak, name
        assert strong > 5 * abs(chance), name


def test_fixed_features_are_of_like_size_and_finite(features):
    observed, describe = features
    found = np.asarray(describe(observed))
    assert np.isfinite(found).all() and np.abs(found).max() < 20
    empty = describe(jnp.broadcast_to(jnp.float32(-1), observed.shape))
    assert np.isfinite(empty).all()


def test_heat_maps_peak_at_their_keypoints_and_hide_invisible_ones():
    keypoints = np.float32([[4.5, 9.5, 1], [11.5, 2.5, 1], [8, 8, 0]])
    maps = np.asarray(heat_maps(keypoints, (16, 16)))
    assert np.unravel_index(maps[..., 0].argmax(), (16, 16)) == (9, 4) and maps[9, 4, 0] == 1
    assert np.unravel_index(maps[..., 1].argmax(), (16, 16)) == (2, 11)
    assert not maps[..., 2].any()


def test_paste_fills_the_torso_and_leaves_the_rest():
    size = 32
    person, garment = np.zeros((size, size, 3), np.float32), np.ones((16, 16, 3), np.float32)
    cut = np.zeros((16, 16, 1), np.float32)
    cut[4:12, 4:12] = 1
    keypoints = np.zeros((17, 3), np.float32)
    for index, (x, y) in {5: (20, 8), 6: (12, 8), 7: (20, 12), 8: (12, 12), 11: (18, 18), 12: (14, 18)}.items():
        keypoints[index] = x, y, 1
    pasted = np.asarray(paste(garment, cut, person, keypoints, 0))
    assert pasted[13, 16].min() > 0.9 and pasted[2].max() == 0 and pasted[:, 28].max() == 0 and pasted[26].max() == 0
    np.testing.assert_array_equal(paste(garment, 0 * cut, person, keypoints, 0), person)
    np.testing.assert_array_equal(paste(garment, cut, person, 0 * keypoints, 0), person)
