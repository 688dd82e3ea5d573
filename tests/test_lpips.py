"""LPIPS: its equation, both backbones' shapes, what a distance must be, wrong files."""

import made_weights
import numpy as np
import pytest

from tryon_jax.errors import UserError
from tryon_jax.scores import lpips
from tryon_jax.scores.inception import Convolution

PARAMETERS = {"alex": 2_469_696, "squeeze": 722_496}  # of torchvision's networks without their classifiers


@pytest.fixture(scope="module", params=list(PARAMETERS))
def made(request):
    """(backbone's name, weights) as no training made them; linear weights are not negative, as the published ones."""
    rng = np.random.default_rng(3)
    backbone, linear = lpips.shapes(request.param)
    weights = made_weights.drawn(backbone, rng), {name: rng.random(shape, np.float32) for name, shape in linear.items()}
    return request.param, lpips.arranged(*weights)


def test_backbones_are_the_published_ones():
    for name, count in PARAMETERS.items():
        backbone, linear = lpips.shapes(name)
        assert sum(int(np.prod(shape)) for shape in backbone.values()) == count
    assert backbone["features.12.expand3x3.weight"] == (256, 64, 3, 3)
    assert [shape[1] for shape in linear.values()] == [64, 128, 256, 384, 384, 512, 512]
    assert [shape[1] for shape in lpips.shapes("alex")[1].values()] == [64, 192, 384, 256, 256]


def test_a_distance_is_zero_for_equals_symmetric_and_grows_with_noise(made, rng):
    picture = np.clip(np.add.outer(np.arange(48) * 2, np.arange(35) * 3)[..., None] + [0, 20, 40], 0, 255)
    noise = rng.normal(size=picture.shape)
    pictures = [np.clip(picture + size * noise, 0, 255).astype(np.uint8) for size in (0, 4, 16, 64)]
    found = [lpips.distance(*made, pictures[0], other) for other in pictures]
    assert found[0] == 0 and found == sorted(found) and found[1] > 0 and found[3] > 2 * found[1]
    np.testing.assert_allclose(lpips.distance(*made, pictures[2], pictures[0]), found[2], rtol=1e-5)
    for other in (pictures[0][:-1], pictures[0][:, :31]):
        with pytest.raises(ValueError, match="32 pixels"):
            lpips.distance(*made, other, pictures[1][:, : other.shape[1]])


def test_a_distance_is_its_equation(rng, monkeypatch):
    """On a network of two parts of 1 x 1 kernels, in float64."""
    parts = (Convolution("a", 4),), (Convolution("b", 5),)
    monkeypatch.setitem(lpips.BACKBONES, "tiny", lpips.Backbone(parts, "", ""))
    backbone, linear = lpips.shapes("tiny")
    backbone = {name: rng.normal(size=shape).astype(np.float32) for name, shape in backbone.items()}
    linear = {name: rng.random(shape).astype(np.float32) for name, shape in linear.items()}
    pair = rng.integers(0, 256, (2, 32, 33, 3), np.uint8)
    # ImageNet's means and deviations in 0..1, which the paper's code states for -1..1 and rounds.
    x, expected = (pair / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], 0.0
    for number, name in enumerate("ab"):
        x = np.maximum(x @ backbone[f"{name}.weight"][..., 0, 0].T + backbone[f"{name}.bias"], 0)
        length = np.sqrt((x**2).sum(-1, keepdims=True))
        first, second = x / np.where(length > 0, length, 1)
        expected += ((first - second) ** 2 @ linear[f"lin{number}.model.1.weight"].ravel()).mean()
    found = lpips.distance("tiny", lpips.arranged(backbone, linear), *pair)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("size", [(7, 8), (10, 5), (3, 4)])
def test_the_last_window_may_reach_beyond_the_border(rng, size):
    x = rng.normal(size=(1, *size, 2)).astype(np.float32) - 3
    starts = [range(0, side - 1 if side % 2 == 0 else side - 2, 2) for side in size]
    expected = [[x[0, i : i + 3, j : j + 3].max((0, 1)) for j in starts[1]] for i in starts[0]]
    np.testing.assert_array_equal(lpips._shrunk(x)[0], expected)


def test_files_come_back_and_wrong_ones_are_one_line(tmp_path, rng):
    backbone, linear = lpips.shapes("squeeze")
    state = made_weights.drawn(backbone, rng)
    state["classifier.1.weight"] = np.zeros((10, 512, 1, 1), np.float32)  # which nothing needs
    own = made_weights.write(tmp_path / "backbone.pth", state)
    factors = made_weights.write(tmp_path / "linear.pth", made_weights.drawn(linear, rng))
    layers, factors_read = lpips.load("squeeze", own, factors)
    assert len(factors_read) == 7 and len(layers) == len(backbone) // 2
    kernel = layers["features.3.squeeze"][0]
    np.testing.assert_array_equal(kernel[0, 0], state["features.3.squeeze.weight"][..., 0, 0].T)
    for name, files, says in (
        ("alex", (own, factors), r"features.0.weight has shape .*; give alexnet-owt-7be5be79.pth .* alex.pth"),
        ("squeeze", (factors, own), "no tensor features.0.weight; give squeezenet1_1"),
        ("squeeze", (own, own), "no tensor lin0.model.1.weight; give squeezenet1_1.* squeeze.pth of lpips"),
        ("squeeze", (own, tmp_path / "absent.pth"), "absent.pth: no such file"),
    ):
        with pytest.raises(UserError, match=says):
            lpips.load(name, *files)
