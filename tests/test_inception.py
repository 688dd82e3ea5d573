"""FID's Inception: layers against slow loops, the shapes of all of it, what its pictures become, wrong files."""

import jax
import jax.numpy as jnp
import made_weights
import numpy as np
import pytest
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.scores import inception
from tryon_jax.scores.inception import Convolution, Fork


def slow_windows(x, stride, reach, combine):
    """`combine` of the places that exist in each 3 x 3 window of x [H, W, C], windows from -reach on."""
    starts = [range(-reach, side + reach - 2, stride) for side in x.shape[:2]]
    rows = [[x[max(i, 0) : i + 3, max(j, 0) : j + 3] for j in starts[1]] for i in starts[0]]
    return np.stack([np.stack([combine(part, (0, 1)) for part in row]) for row in rows])


def test_pooling_is_over_the_places_that_exist(rng):
    x = rng.normal(size=(2, 7, 8, 3)).astype(np.float32) - 1
    for found, stride, reach, combine in (
        (inception.mean(x), 1, 1, np.mean),
        (inception.largest(x), 2, 0, np.max),
        (inception.largest(x, 1, (1, 1)), 1, 1, np.max),
    ):
        expected = np.stack([slow_windows(one, stride, reach, combine) for one in x])
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def slow_convolution(x, kernel, bias, stride, pads):
    x = np.pad(x, [(pad, pad) for pad in pads] + [(0, 0)])
    height, width = kernel.shape[:2]
    rows, columns = (range(0, side - size + 1, stride) for side, size in zip(x.shape, (height, width), strict=False))
    return np.array(
        [
            [
                np.maximum(
                    np.tensordot(x[i : i + height, j : j + width], kernel, axes=([0, 1, 2], [0, 1, 2])) + bias, 0
                )
                for j in columns
            ]
            for i in rows
        ]
    )


def test_a_block_is_its_loops(rng):
    """As the last blocks are built: forks in forks, a pool, long kernels, and one that shrinks."""
    ways = Fork("", ((Convolution("row", 3, (1, 3)),), (Convolution("column", 5, (3, 1)),)))
    block = Fork("m.", ((Convolution("one", 4), ways), (inception.mean, Convolution("pool", 2))))
    chain = (block, Convolution("last", 6, (3, 3), 2, "VALID"))
    width, shapes = inception.kernels(3, chain)
    assert width == 6 and shapes["m.row"] == (3, 4, 1, 3) and shapes["last"] == (6, 10, 3, 3)
    layers = {
        name: (rng.normal(size=shape).transpose(2, 3, 1, 0).astype(np.float32), rng.normal(size=shape[0]))
        for name, shape in shapes.items()
    }
    x = rng.normal(size=(7, 6, 3)).astype(np.float32)
    one = slow_convolution(x, *layers["m.one"], 1, (0, 0))
    parts = [
        slow_convolution(one, *layers["m.row"], 1, (0, 1)),
        slow_convolution(one, *layers["m.column"], 1, (1, 0)),
        slow_convolution(slow_windows(x, 1, 1, np.mean), *layers["m.pool"], 1, (0, 0)),
    ]
    expected = slow_convolution(np.concatenate(parts, -1), *layers["last"], 2, (0, 0))
    np.testing.assert_allclose(inception.through(x[None], chain, layers)[0], expected, rtol=1e-4, atol=1e-4)


def layers_of_shapes():
    state = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in inception.shapes().items()}
    return {
        name.removesuffix(".conv.weight"): (
            jax.ShapeDtypeStruct((*kernel.shape[2:], *kernel.shape[1::-1]), kernel.dtype),
            jax.ShapeDtypeStruct(kernel.shape[:1], kernel.dtype),
        )
        for name, kernel in state.items()
        if name.endswith(".conv.weight")
    }


def test_all_layers_have_the_published_shapes():
    shapes = inception.shapes()
    assert (
        sum(int(np.prod(shape)) for shape in shapes.values()) == 23_884_384
    )  # as pytorch-fid builds it, less 1008 biases
    assert len(shapes) == 94 * 5 + 1
    # Channels are put behind each other in this order.
    ways = ["1x1", "3x3_1", "3x3_2a", "3x3_2b", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3a", "3x3dbl_3b", "_pool"]
    found = [name for name in inception.kernels(3, inception.CHAIN)[1] if name.startswith("Mixed_7c.")]
    assert found == [f"Mixed_7c.branch{way}" for way in ways]
    grids = {"Mixed_5d": (35, 288), "Mixed_6a": (17, 768), "Mixed_6e": (17, 768), "Mixed_7a": (8, 1280)}
    grids |= {"Mixed_7c": (8, 2048)}
    layers, inputs = layers_of_shapes(), jax.ShapeDtypeStruct((2, 299, 299, 3), jnp.float32)
    names = [step.prefix[:-1] if isinstance(step, Fork) else None for step in inception.CHAIN]
    for name, (side, width) in grids.items():
        part = inception.CHAIN[: names.index(name) + 1]
        found = jax.eval_shape(lambda layers, x, part=part: inception.through(x, part, layers), layers, inputs)
        assert found.shape == (2, side, side, width)
    assert jax.eval_shape(inception.features, layers, inputs).shape == (2, inception.FEATURES)
    pools = {name: step.chains[-1][0] for name, step in zip(names, inception.CHAIN, strict=True) if name}
    assert pools["Mixed_7b"] is inception.mean and pools["Mixed_5b"] is inception.mean is pools["Mixed_6e"]
    x = -jnp.ones((1, 3, 3, 1))
    assert (pools["Mixed_7c"](x.at[0, 0, 0].set(2.0))[0, :2, :2] == 2).all()


def test_folding_a_batch_norm_changes_nothing(rng):
    kernel = rng.normal(size=(5, 3, 1, 1)).astype(np.float32)
    norm = {name: rng.uniform(0.5, 2, 5) for name in ("weight", "bias", "running_mean", "running_var")}
    state = {"c.conv.weight": kernel, **{f"c.bn.{name}": value for name, value in norm.items()}}
    folded, bias = inception._folded(state, "c")
    x = rng.normal(size=(4, 3))
    y = x @ kernel[..., 0, 0].T
    expected = (y - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-3) * norm["weight"] + norm["bias"]
    np.testing.assert_allclose(x @ folded[0, 0] + bias, expected, rtol=1e-6)


def slow_bilinear(picture, row, column):
    height, width = picture.shape[:2]
    y = min(max((row + 0.5) * height / 299 - 0.5, 0), height - 1)
    x = min(max((column + 0.5) * width / 299 - 0.5, 0), width - 1)
    total = 0.0
    for i in (int(y), min(int(y) + 1, height - 1)):
        for j in (int(x), min(int(x) + 1, width - 1)):
            total = total + max(1 - abs(y - i), 0) * max(1 - abs(x - j), 0) * picture[i, j].astype(float)
        if int(x) == width - 1:  # the last column counts once
            total = total - max(1 - abs(y - i), 0) * picture[i, width - 1]
    return total


@pytest.mark.parametrize("size", [(640, 480), (40, 30)])
def test_pytorch_fid_takes_the_four_nearest_pixels(rng, size):
    picture = rng.integers(0, 256, (*size, 3), np.uint8)
    found = inception.prepare(picture)
    assert found.dtype == np.float32 and found.shape == (299, 299, 3)
    for row, column in ((10, 20), (150, 97), (280, 290)):
        expected = slow_bilinear(picture, row, column) * 2 / 255 - 1
        np.testing.assert_allclose(found[row, column], expected, atol=1e-4)
    np.testing.assert_allclose(inception.prepare(np.full((9, 9, 3), 255, np.uint8)), 1)


def test_clean_fid_takes_all_pixels_and_does_not_round(rng):
    picture = rng.integers(64, 192, (640, 480, 3), np.uint8)
    eight = np.asarray(Image.fromarray(picture).resize((299, 299), Image.Resampling.BICUBIC)).astype(float)
    found = inception.prepare_clean(picture)
    assert found.dtype == np.float32
    assert 0.2 < np.abs(found * 128 + 128 - eight).max() < 1.01  # Pillow rounds twice, once an axis
    np.testing.assert_allclose(inception.prepare_clean(picture[:299, :299]), (picture[:299, :299] - 128.0) / 128)
    # Noise is averaged away by the filter that widens, and stays where four pixels are taken.
    assert found.std() < 0.8 * inception.prepare(picture).std()


def test_pictures_are_described_apart_from_their_batch(monkeypatch):
    monkeypatch.setattr(inception, "_features", lambda layers, inputs: inputs.mean((1, 2)))
    inputs = np.arange(11, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 3), np.float32)
    np.testing.assert_array_equal(inception.describe({}, inputs)[:, 0], np.arange(11))
    assert inception.describe({}, inputs[:0]).shape == (0, inception.FEATURES)


def test_another_network_is_refused(tmp_path):
    path = made_weights.write(tmp_path / "google.pth", {"fc.weight": np.zeros((1000, 2048), np.float32)})
    with pytest.raises(UserError, match=r"fc.weight has shape \(1000, 2048\), not \(1008, 2048\); give pt_inception"):
        inception.load(path)
    path = made_weights.write(tmp_path / "part.pth", {"fc.weight": np.zeros((1008, 2048), np.float32)})
    with pytest.raises(UserError, match="no tensor Conv2d_1a_3x3.conv.weight; give pt_inception") as caught:
        inception.load(path)
    assert str(path) in str(caught.value)
