"""Losses against the formulas written out, pixel by pixel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import example

from tryon_jax import losses
from tryon_jax.geometry.parts import GARMENT_CLASSES, PART
from tryon_jax.geometry.relief import normals_from_depth

SIZE = 16

KNEE = 0.15  # half extents


@pytest.fixture
def pictures(rng):
    return rng.normal(size=(2, 5, 4, 3)).astype(np.float32), (rng.random((5, 4, 1)) > 0.4).astype(np.float32)


def pixels(mask):
    return [(row, column) for row, column in np.ndindex(mask.shape[:2]) if mask[row, column, 0]]


def test_masked_mean_ignores_what_is_off_the_mask(pictures):
    (values, other), mask = pictures
    expected = np.mean([values[at] for at in pixels(mask)])
    np.testing.assert_allclose(losses.masked_mean(values, mask), expected, rtol=1e-5)
    assert losses.masked_mean(values * mask + other * (1 - mask), mask) == losses.masked_mean(values, mask)
    assert losses.masked_mean(values, 0 * mask) == 0


def test_l1_and_huber(pictures):
    (a, b), mask = pictures
    errors = np.array([np.abs(a[at] - b[at]) for at in pixels(mask)])
    np.testing.assert_allclose(losses.l1(a, b, mask), errors.mean(), rtol=1e-5)
    small = np.where(errors < 0.5, errors**2 / (2 * 0.5), errors - 0.25)
    np.testing.assert_allclose(losses.huber(a, b, mask, 0.5), small.mean(), rtol=1e-5)


def test_slopes_of_a_plane_and_of_a_cliff_at_the_silhouette():
    size, mask = 8, np.zeros((8, 8, 1), np.float32)
    mask[2:6, 2:6] = 1
    column = np.broadcast_to(np.arange(size, dtype=np.float32)[None, :, None], (size, size, 1))
    # 3 half extents a pixel to the right is 3 * (size / 2) a half extent; outside the mask anything may stand.
    depth = np.where(mask > 0, 3 * column, 1000.0)
    found = losses.depth_slopes(depth, np.zeros_like(depth), mask)
    # Both neighbours in x are on the mask in the 2 middle ones of 4 columns; y adds nothing: half of half of 12.
    np.testing.assert_allclose(found, 3 * size / 2 * 0.5 * 0.5, rtol=1e-5)


def test_normals_of_a_tilted_plane():
    size, slope = 8, 0.7
    column = np.broadcast_to(np.arange(size, dtype=np.float32)[None, :, None], (size, size, 1))
    normals = normals_from_depth(jnp.asarray(slope * column * 2 / size), jnp.ones((size, size, 1)), 1.0)
    expected = np.array([-slope, 0, 1]) / np.hypot(slope, 1)
    np.testing.assert_allclose(normals[4, 4], expected, atol=1e-6)
    back = normals_from_depth(jnp.asarray(slope * column * 2 / size), jnp.ones((size, size, 1)), -1.0)
    np.testing.assert_allclose(back[4, 4], -expected, atol=1e-6)


def test_normals_loss_is_one_minus_the_cosine():
    angles = np.array([0.0, 1.0, 2.0, 3.0])
    turned = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], -1)[None].astype(np.float32)
    ahead = np.broadcast_to(np.float32([0, 0, 1]), turned.shape)
    np.testing.assert_allclose(
        losses.normals(turned, ahead, np.ones((1, 4, 1))), np.mean(1 - np.cos(angles)), rtol=1e-5
    )


def test_cross_entropy(rng):
    logits, labels = rng.normal(size=(3, 4, 5)).astype(np.float32), rng.integers(0, 5, (3, 4))
    mask = (rng.random((3, 4, 1)) > 0.3).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = np.mean([-np.log(chances[at][labels[at]]) for at in pixels(mask)])
    np.testing.assert_allclose(losses.cross_entropy(logits, labels, mask), expected, rtol=1e-5)


@pytest.mark.parametrize("label", range(5))
def test_cross_entropy_raises_the_true_class_and_lowers_all_others(label):
    gradient = jax.grad(losses.cross_entropy)(jnp.zeros((1, 1, 5)), jnp.full((1, 1), label), jnp.ones((1, 1, 1)))[0, 0]
    assert gradient[label] < 0 and (jnp.delete(gradient, label) > 0).all()


def test_silhouette(rng):
    logits = rng.normal(size=(4, 4, 1)).astype(np.float32)
    mask = (rng.random((4, 4, 1)) > 0.5).astype(np.float32)
    p = 1 / (1 + np.exp(-logits))
    entropy = -np.mean(mask * np.log(p) + (1 - mask) * np.log(1 - p))
    dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    np.testing.assert_allclose(losses.silhouette(logits, mask), entropy + dice, rtol=1e-5)
    assert losses.silhouette(40 * (2 * mask - 1), mask) < 1e-6


def test_garment_region_follows_the_class():
    labels = np.array([[PART["upper"], PART["lower"], PART["dress"], PART["outer"], PART["face"]]])
    for number, name in enumerate(GARMENT_CLASSES):
        expected = [float(part == name) for part in ("upper", "lower", "dress", "outer", "face")]
        np.testing.assert_array_equal(losses.garment_region(labels, number)[0, :, 0], expected)


def perfect(item):
    """Named maps that predict an example exactly."""
    half = item["camera"][0] * SIZE / 2
    maps = {"mask": 40 * (2 * item["mask"] - 1)}
    for side in ("front", "back"):
        maps |= {f"{side}_{name}": item[f"{side}_{name}"] for name in ("rgb", "normals", "garment_uv")}
        maps[f"{side}_depth"] = item[f"{side}_depth"] / half
        maps[f"{side}_parts"] = 40 * np.eye(15, dtype=np.float32)[item[f"{side}_segmentation"]]
    return maps


def test_perfect_sheets_cost_nothing():
    item = example(0, SIZE)
    for name, value in losses.sheets(perfect(item), item, KNEE).items():
        assert abs(float(value)) < 1e-5, name


@pytest.mark.parametrize("name", ["rgb", "depth", "normals", "parts", "garment_uv"])
@pytest.mark.parametrize("side", ["front", "back"])
def test_a_wrong_map_costs_its_own_term_unless_its_truth_is_missing(name, side):
    item = example(0, SIZE)
    maps = perfect(item)
    maps[f"{side}_{name}"] = -maps[f"{side}_{name}"] + 0.3
    term = {"parts": "segmentation"}.get(name, name)
    found = losses.sheets(maps, item, KNEE)
    assert found[term] > 1e-3
    assert all(abs(float(value)) < 1e-5 for key, value in found.items() if key not in (term, "depth_slopes"))
    flag = f"back_{term}" if side == "back" and term in ("rgb", "segmentation") else term
    missing = {**item, "has": {**item["has"], flag: np.float32(0)}}
    assert abs(float(losses.sheets(maps, missing, KNEE)[term])) < 1e-5


def test_objectives_equal_their_formulas():
    real, fake = 0.3, -1.7
    expected = {
        "nonsaturating": (np.log1p(np.exp(-real)), np.log1p(np.exp(fake)), np.log1p(np.exp(-fake))),
        "hinge": (max(0, 1 - real), max(0, 1 + fake), -fake),
        "wasserstein": (-real, fake, -fake),
    }
    for objective in losses.OBJECTIVES:
        found = *losses.discriminator_losses(real, fake, objective), losses.generator_loss(fake, objective)
        np.testing.assert_allclose(found, expected[objective], rtol=1e-5)
    with pytest.raises(ValueError, match="choose one of nonsaturating, hinge, wasserstein"):
        losses.generator_loss(0.0, "least squares")


def test_r1_of_a_quadratic_form():
    x = jnp.arange(12.0).reshape(3, 4)
    found = losses.r1(lambda x: (jnp.arange(4.0) * x**2).sum(-1), x)
    np.testing.assert_allclose(found, ((2 * np.arange(4) * np.asarray(x)) ** 2).sum(-1), rtol=1e-5)


def test_blend_judges_the_composed_colours_of_both_sheets():
    item = example(0, SIZE)
    exact = {f"{side}_colour": item[f"{side}_rgb"] for side in ("front", "back")}
    assert losses.blend(exact, item) == 0
    off = {**exact, "back_colour": exact["back_colour"] + 0.2}
    np.testing.assert_allclose(losses.blend(off, item), 0.1, rtol=1e-5)
    assert losses.blend(off, {**item, "has": {**item["has"], "back_rgb": 0.0}}) == 0


def test_keypoints_count_where_they_are_visible():
    item = example(0, SIZE)
    truth = np.array(item["keypoints"])
    truth[:, 2] = 0
    truth[[2, 5], 2] = 1
    found = truth[:, :2] + 100
    found[2], found[5] = truth[2, :2] + [3, 4], truth[5, :2]
    judged = {**item, "keypoints": truth}
    np.testing.assert_allclose(losses.keypoints(found, judged), 5 / (SIZE / 2) / 2, rtol=1e-3)
    assert losses.keypoints(found, {**judged, "has": {**item["has"], "keypoints": 0.0}}) == 0
    exact = jax.grad(lambda found: losses.keypoints(found, judged))(jnp.asarray(truth[:, :2]))
    assert np.isfinite(exact).all()


def test_keypoint_depths_are_of_both_sheets_where_a_visible_keypoint_is_on_the_person():
    item = example(3, SIZE)
    places = np.array(item["keypoints"])
    places[:, 2] = 0
    places[:4] = [[8.7, 8.2, 1], [7.4, 6.5, 1], [0.5, 0.5, 1], [9.5, 8.5, 0]]  # the third is beside the person
    item = {**item, "keypoints": places, "camera": np.array([2 / SIZE * 1.5, 0, 0], np.float32)}
    truth = np.stack([item[f"{side}_depth"][[8, 6], [8, 7], 0] for side in ("front", "back")], axis=-1) / 1.5
    found = np.full((17, 2), 7.0, np.float32)
    found[:2] = truth
    assert losses.keypoint_depths(found, item, KNEE) < 1e-9
    found[0, 1] += 0.05
    np.testing.assert_allclose(losses.keypoint_depths(found, item, KNEE), 0.05**2 / (2 * KNEE) / 4, rtol=1e-4)
    for flag in ("keypoints", "depth"):
        assert losses.keypoint_depths(found, {**item, "has": {**item["has"], flag: 0.0}}, KNEE) == 0
    outside = {**item, "keypoints": places + [100, -100, 0]}
    assert losses.keypoint_depths(found, outside, KNEE) == 0
