"""Scores of pictures and shapes: other people's implementations, brute-force twins and hand-computed cases."""

import numpy as np
import pytest
from made_people import example
from scipy.linalg import sqrtm
from scipy.signal import convolve2d
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from trimesh.triangles import closest_point

from tryon_jax import metrics
from tryon_jax.geometry import camera
from tryon_jax.scores import colour, depth, regions, sets, shapes, similarity, views

GAUSSIAN = {"gaussian_weights": True, "use_sample_covariance": False}


def pictures(rng, *shape):
    first = rng.random(shape)
    return first, np.clip(first + 0.2 * rng.normal(size=shape), 0, 1)


@pytest.mark.parametrize("shape", [(23, 31), (20, 17, 3)])
def test_ssim_is_that_of_scikit_image(rng, shape):
    first, second = pictures(rng, *shape)
    axis = -1 if len(shape) == 3 else None
    for ours, settings in ((similarity.ssim_gaussian, GAUSSIAN), (similarity.ssim_uniform7, {})):
        theirs = structural_similarity(first, second, data_range=1, channel_axis=axis, **settings)
        np.testing.assert_allclose(ours(first, second), theirs, rtol=1e-12)
        eight = [np.round(picture * 255).astype(np.uint8) for picture in (first, second)]
        theirs = structural_similarity(*eight, data_range=255, channel_axis=axis, **settings)
        np.testing.assert_allclose(ours(*eight), theirs, rtol=1e-12)
        assert ours(first, first) == 1


def naive_ms_ssim(first, second):
    """Equation 7 written out for one channel, with whole windows instead of separable ones."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2
    product = 1.0
    for number, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean = [convolve2d(x, window, "valid") for x in (first, second)]
        variance = [convolve2d(x**2, window, "valid") - m**2 for x, m in zip((first, second), mean, strict=True)]
        covariance = convolve2d(first * second, window, "valid") - mean[0] * mean[1]
        found = (2 * covariance + 0.0009) / (sum(variance) + 0.0009)
        if number == 4:
            found = found * (2 * mean[0] * mean[1] + 0.0001) / (mean[0] ** 2 + mean[1] ** 2 + 0.0001)
        product *= found.mean() ** exponent
        first, second = (
            np.pad(x, [(0, side % 2) for side in x.shape], "edge").reshape(-1, 2, (x.shape[1] + 1) // 2, 2).mean((1, 3))
            for x in (first, second)
        )
    return product


def test_ms_ssim_is_its_equation(rng):
    first, second = pictures(rng, 176, 181, 2)
    expected = np.mean([naive_ms_ssim(first[..., c], second[..., c]) for c in range(2)])
    np.testing.assert_allclose(similarity.ms_ssim(first, second), expected, rtol=1e-9)
    np.testing.assert_allclose(similarity.ms_ssim(first, first), 1.0)
    with pytest.raises(ValueError, match="176"):
        similarity.ms_ssim(first[:175], second[:175])


def test_pictures_that_cannot_be_compared_are_refused(rng):
    first, second = pictures(rng, 8, 12)
    with pytest.raises(ValueError, match="11 pixels"):
        similarity.ssim_gaussian(first, second)
    with pytest.raises(ValueError, match="not of one size"):
        similarity.ssim_uniform7(first, second[:, :9])


def test_psnr(rng):
    first, second = pictures(rng, 9, 7, 3)
    np.testing.assert_allclose(
        similarity.psnr(first, second), peak_signal_noise_ratio(first, second, data_range=1), rtol=1e-9
    )
    mask = np.zeros((9, 7), bool)
    mask[2] = True
    second[2] = first[2] + 0.1
    np.testing.assert_allclose(similarity.psnr(first, second, mask), 20.0)
    assert np.isnan(similarity.psnr(first, second, ~mask & mask))


def test_colours_in_lab(rng):
    first, second = pictures(rng, 6, 5, 3)
    np.testing.assert_allclose(colour.lab(first), rgb2lab(first), atol=1e-4)
    mask = rng.random((6, 5)) > 0.5
    expected = np.linalg.norm(rgb2lab(first) - rgb2lab(second), axis=-1)[mask].mean()
    np.testing.assert_allclose(colour.delta_e76(first, second, mask), expected, rtol=1e-5)
    np.testing.assert_allclose(colour.delta_e76(np.zeros((1, 1, 3)), np.ones((1, 1, 3)), mask[:1, :1] | True), 100.0)
    assert np.isnan(colour.delta_e76(first, second, mask & ~mask))


def test_depth_errors_by_hand():
    truth, found = np.array([[1.0, 2.0], [4.0, 9.0]]), np.array([[1.5, 2.0], [3.0, 0.0]])
    mask = np.array([[True, True], [True, False]])
    np.testing.assert_allclose(depth.absolute(found, truth, mask), 0.5)
    np.testing.assert_allclose(depth.squared(found, truth, mask), 1.25 / 3)
    np.testing.assert_allclose(depth.root_mean_squared(found, truth, mask), np.sqrt(1.25 / 3))
    np.testing.assert_allclose(depth.absolute_relative(found, truth, mask), (0.5 + 0.25) / 3)
    np.testing.assert_allclose(depth.squared_relative(found, truth, mask), (0.25 + 0.25) / 3)
    assert np.isnan(depth.absolute(found, truth, mask & False))


def test_normal_angle():
    radians = np.radians([0.0, 30.0, 90.0, 180.0])
    turned = 2 * np.stack([np.sin(radians), 0 * radians, np.cos(radians)], -1)[None]
    ahead = np.broadcast_to([0.0, 0, 1], turned.shape)
    for place, expected in enumerate((0, 30, 90, 180)):
        only = np.arange(4)[None] == place
        np.testing.assert_allclose(depth.normal_angle(turned, ahead, only), expected, atol=1e-9)
    assert depth.normal_angle(0 * turned, ahead, np.ones((1, 4), bool)) == 90


def test_areas(rng):
    found, truth = rng.integers(0, 5, (2, 9, 8))
    each = [
        ((found == k) & (truth == k)).sum() / ((found == k) | (truth == k)).sum()
        for k in range(1, 7)
        if ((found == k) | (truth == k)).any()
    ]
    np.testing.assert_allclose(regions.mean_iou(found, truth, 7), np.mean(each))
    assert np.isnan(regions.mean_iou(0 * found, 0 * truth, 7))
    a, b = found > 1, truth > 1
    np.testing.assert_allclose(regions.silhouette_iou(a, b), (a & b).sum() / (a | b).sum())
    assert regions.silhouette_iou(a & ~a, a & ~a) == 1


@pytest.fixture(scope="module")
def solid():
    """mask, front, back, camera of an egg-shaped person at 48 px."""
    made = example(1, 48)
    return made["mask"][..., 0] > 0.5, made["front_depth"][..., 0], made["back_depth"][..., 0], made["camera"]


def test_a_cloud_lies_where_the_camera_says(solid):
    mask, front, back, view = solid
    points = shapes.cloud(mask, front, back, view)
    rows, columns = np.nonzero(mask)
    for sheet, part in zip((front, back), np.split(points, 2), strict=True):
        pixels = np.stack([columns + 0.5, rows + 0.5, sheet[mask]], -1).astype(np.float32)
        np.testing.assert_allclose(part, camera.unproject(view, pixels, mask.shape), atol=1e-6)


def test_chamfer_distance(rng, solid):
    first, second = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    every = np.linalg.norm(first[:, None] - second, axis=-1)
    np.testing.assert_allclose(shapes.chamfer(first, second), (every.min(0).mean() + every.min(1).mean()) / 2)
    assert np.isnan(shapes.chamfer(first, second[:0]))
    points = shapes.cloud(*solid)
    assert shapes.chamfer(points, points) == 0
    np.testing.assert_allclose(shapes.chamfer(points, points + [0, 0, 1e-3]), 1e-3, rtol=0.05)


def test_points_to_a_surface_are_the_nearest_over_all_triangles(rng, monkeypatch):
    centres = rng.normal(size=(60, 1, 3))
    sizes = np.where(rng.random((60, 1, 1)) < 0.1, 2.0, 0.05)
    vertices = (centres + sizes * rng.normal(size=(60, 3, 3))).reshape(-1, 3)
    faces, points = np.arange(180).reshape(-1, 3), rng.normal(size=(25, 3))
    every = [
        np.linalg.norm(closest_point(vertices[faces], np.tile(point, (60, 1))) - point, axis=1).min()
        for point in points
    ]
    np.testing.assert_allclose(shapes.point_to_surface(points, shapes.prepare(vertices, faces)), np.mean(every))
    monkeypatch.setattr(shapes, "SURFACE_SAMPLES", 2)
    found = shapes.point_to_surface(points, shapes.prepare(vertices, faces))
    np.testing.assert_allclose(found, (every[0] + every[-1]) / 2)
    assert np.isnan(shapes.point_to_surface(points, shapes.prepare(vertices, faces[:0])))


def test_the_surface_of_two_sheets_holds_them_and_has_no_webs(solid):
    mask, front, back, view = solid
    vertices, faces = shapes.surface(*solid)
    surface = shapes.prepare(vertices, faces)
    assert shapes.point_to_surface(shapes.cloud(*solid), surface) < 1e-12
    outside = shapes.cloud(mask, front + 0.01, back - 0.01, view)
    assert 0.004 < shapes.point_to_surface(outside, surface) < 0.01
    columns = np.arange(mask.shape[1])
    stepped = np.where(columns < 24, front, front + 0.5)
    extent = np.ptp(vertices[faces][..., 2], axis=1)
    vertices, faces = shapes.surface(mask, stepped, back, view)
    corners = vertices[faces]
    across = (corners[..., 0].min(1) < 0) & (corners[..., 0].max(1) > 0) & (corners[..., 2].min(1) > 0.3)
    assert across.sum() == 0 and extent.max() < 0.2
    assert len(shapes.surface(mask & False, front, back, view)[1]) == 0


def test_two_views_of_one_person_agree():
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6] = True
    assert views.rim(mask).sum() == 16 and not views.rim(mask)[2:5, 2:5].any()
    front = np.where(mask, 0.2, 0.0)
    np.testing.assert_allclose(views.rim_gap(front, -front, mask), 0.4)
    front[3, 3] = -1
    np.testing.assert_allclose(views.crossing(front, 0 * front, mask), 1 / 25)
    grey = np.full((7, 7, 3), 0.5)
    other = grey.copy()
    other[3, 3] = 0  # inside, where the two views see different things
    assert views.rim_delta_e76(grey, other, mask) == 0
    other[1, 1] = 0
    expected = np.linalg.norm(rgb2lab(grey[:1, :1]))
    np.testing.assert_allclose(views.rim_delta_e76(grey, other, mask), expected / 16, rtol=1e-4)
    assert views.rim_delta_e76(grey, other, mask, same=(np.indices((7, 7)).sum(0) != 2)) == 0
    labels = mask.astype(int)
    np.testing.assert_allclose(views.silhouette_agreement(labels, labels * (np.arange(7) != 1)), 20 / 25)


def test_bootstrap(rng):
    values = np.append(rng.normal(size=50), np.nan)
    found = sets.bootstrap_mean(values, 3)
    again = np.random.default_rng(3)
    means = [np.nanmean(values[:50][row]) for row in again.integers(0, 50, (1000, 50))]
    np.testing.assert_allclose(found, [np.nanmean(values), *np.percentile(means, [2.5, 97.5]), 50])
    assert sets.bootstrap_mean([np.nan], 0).count == 0
    wide = sets.bootstrap_mean(10 * values, 3)
    np.testing.assert_allclose(wide.high - wide.low, 10 * (found.high - found.low))


def reference_frechet(first, second):
    covariances = [np.cov(features, rowvar=False) for features in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    shift = first.mean(0) - second.mean(0)
    return shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)


@pytest.mark.parametrize("count", [40, 7])
def test_frechet_distance_is_its_equation_also_with_few_examples(rng, count):
    first, second = rng.normal(size=(count, 10)), rng.normal(size=(count, 10)) * 2 + 1
    np.testing.assert_allclose(sets.frechet(first, second), reference_frechet(first, second), rtol=1e-5)
    np.testing.assert_allclose(sets.frechet(first, first), 0, atol=1e-9)
    np.testing.assert_allclose(sets.frechet(first, first + 3), 9 * 10)
    with pytest.raises(ValueError, match="at least two"):
        sets.frechet(first[:1], second)


def test_set_distances_have_a_spread_that_shrinks_with_the_sets(rng):
    first, second = rng.normal(size=(400, 4)), rng.normal(size=(400, 4)) + 0.5
    for estimate, value in ((sets.kernel_distance, metrics.kernel_distance), (sets.frechet_distance, sets.frechet)):
        whole, part = estimate(first, second, 0), estimate(first[:50], second[:50], 0)
        np.testing.assert_allclose(whole.value, value(first, second))
        assert whole == estimate(first, second, 0) and whole.count == 400
        assert 0 < whole.high - whole.low < part.high - part.low
        assert np.isnan(estimate(first[:3], second[:3], 0).value)
    with pytest.raises(ValueError, match="pairs"):
        sets.kernel_distance(first, second[:9], 0)


def test_the_spread_of_a_set_distance_is_that_of_new_draws(rng):
    """The delete-half jackknife against the thing itself: 60 sets drawn anew."""
    draws = [(rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 0.7) for _ in range(60)]
    truth = np.std([metrics.kernel_distance(*draw) for draw in draws])
    found = [sets.kernel_distance(*draw, 0) for draw in draws[:20]]
    told = np.mean([(one.high - one.low) / 2 / sets.NORMAL_95 for one in found])
    assert 0.7 < told / truth < 1.4
