"""The network behind the set distances: its file read safely, its layers right, and what it makes of real photos."""

import collections
import pathlib
import pickle
import struct
import sys
import types

import jax
import numpy as np
import pytest
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.scores import efflite0, torch_file

REAL = pathlib.Path(__file__).parents[2] / "shared" / "real" / "free" / "garments"
JEANS, JERSEY = 608, 610  # ImageNet's classes "jean" and "jersey, T-shirt"


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        return thing[1] if isinstance(thing, tuple) and thing[:1] == ("persistent",) else None


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes arrays as a PyTorch file of the earlier format, and its parts for tests that harm them."""
    torch, utilities = types.ModuleType("torch"), types.ModuleType("torch._utils")

    class FloatStorage:
        pass

    class LongStorage:
        pass

    def _rebuild_tensor_v2(*given):
        return given

    for module, thing in ((torch, FloatStorage), (torch, LongStorage), (utilities, _rebuild_tensor_v2)):
        thing.__module__, thing.__qualname__ = module.__name__, thing.__name__
        setattr(module, thing.__name__, thing)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utilities)

    class Tensor:
        def __init__(self, key, array, offset):
            self.key, self.array, self.offset = key, array, offset

        def __reduce__(self):
            kind = FloatStorage if self.array.dtype == np.float32 else LongStorage
            storage = ("persistent", ("storage", kind, self.key, "cpu", self.array.size, None))
            strides = tuple(stride // self.array.itemsize for stride in self.array.strides)
            given = (storage, self.offset, self.array.shape, strides, False, collections.OrderedDict())
            return _rebuild_tensor_v2, given

    def made(arrays, offset=0, extra=None):
        path = tmp_path / "weights.pth"
        tensors = collections.OrderedDict((name, Tensor(name, array, offset)) for name, array in arrays.items())
        tensors |= extra or {}
        with open(path, "wb") as file:
            for part in (torch_file.MAGIC, torch_file.PROTOCOL, {"little_endian": True}, tensors, list(arrays)):
                Pickler(file, 2).dump(part)
            for array in arrays.values():
                file.write(struct.pack("<q", array.size) + array.tobytes("A"))
        return path

    return made


def test_arrays_come_back(rng, write):
    arrays = {
        "plain": rng.normal(size=(2, 3)).astype(np.float32),
        "turned": np.asfortranarray(rng.normal(size=(4, 2)).astype(np.float32)),
        "count": np.array(7),
    }
    found = torch_file.read(write(arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype and found[name].flags.owndata


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_nothing_of_the_file_is_run(write, capsys):
    path = write({"a": np.zeros(2, np.float32)}, extra={"b": Evil()})
    with pytest.raises(UserError, match="print, which no weights need"):
        torch_file.read(path)
    assert capsys.readouterr().out == ""


def test_bad_files_are_one_line(tmp_path, write):
    arrays = {"a": np.arange(6, dtype=np.float32)}
    whole = write(arrays).read_bytes()
    cases = {
        "missing": (None, "no such file"),
        "cut": (whole[:-4], "it is cut off"),
        "half": (whole[:50], "cannot be read"),
        "text": (b"hello, world", "cannot be read"),
        "zip": (b"PK\x03\x04", "not a zip file"),
        "beyond": (write(arrays, offset=1).read_bytes(), "outside its storage"),
    }
    for name, (content, says) in cases.items():
        path = tmp_path / f"{name}.pth"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=says) as caught:
            torch_file.read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("size", "stride", "side"), [(3, 1, 7), (3, 2, 8), (5, 2, 7)])
def test_depthwise_is_the_grouped_convolution(rng, size, stride, side):
    x = rng.normal(size=(2, side, side + 1, 4)).astype(np.float32)
    kernel, bias = rng.normal(size=(size, size, 1, 4)).astype(np.float32), np.float32([1, 2, 3, 4])
    form = ("NHWC", "HWIO", "NHWC")
    expected = jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=form, feature_group_count=4
    )
    np.testing.assert_allclose(efflite0.depthwise(x, kernel, bias, stride), expected + bias, atol=1e-5)


def test_folding_a_batch_norm_changes_nothing(rng):
    kernel = rng.normal(size=(5, 3, 1, 1)).astype(np.float32)
    norm = {name: rng.uniform(0.5, 2, 5) for name in ("weight", "bias", "running_mean", "running_var")}
    state = {"c.weight": kernel, **{f"n.{name}": value for name, value in norm.items()}}
    folded, bias = efflite0._folded(state, "c", "n")
    x = rng.normal(size=(4, 3))
    y = x @ kernel[..., 0, 0].T
    expected = (y - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-3) * norm["weight"] + norm["bias"]
    np.testing.assert_allclose(x @ folded[0, 0] + bias, expected, rtol=1e-6)


def test_another_file_of_weights_is_refused(write):
    path = write({"a": np.zeros(2, np.float32)})
    with pytest.raises(UserError, match="sha256") as caught:
        efflite0.load(path)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def layers():
    """Skips where the weights cannot be had."""
    try:
        return efflite0.load()
    except UserError as error:
        pytest.skip(str(error))


def test_the_network_is_the_published_one(layers):
    count = sum(array.size for layer in layers for weights in layer.values() for array in weights)
    norms = sum(weights[1].size for layer in layers[:-1] for weights in layer.values())
    assert count + norms == 4_652_008  # each folded norm had a factor beside its bias
    assert len(layers) == 1 + 16 + 2


def square(path):
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return efflite0.prepare(np.asarray(image.crop((left, top, left + side, top + side))))


@pytest.mark.skipif(not REAL.exists(), reason="the real photos are not beside this checkout")
def test_it_knows_jeans_and_t_shirts(layers):
    photos = np.stack([square(REAL / name) for name in ("cds_2884d941.jpg", "cds_259f2358.jpg")])
    found = efflite0.describe(layers, photos)
    assert found.shape == (2, efflite0.FEATURES) and (found >= 0).all()
    logits = efflite0.logits(layers, found)
    assert logits.argmax(-1).tolist() == [JEANS, JERSEY]
    share = np.exp(logits - logits.max(-1, keepdims=True))
    assert (share.max(-1) / share.sum(-1) > 0.8).all()
    # A picture's features do not depend on what else is in its batch.
    np.testing.assert_allclose(efflite0.describe(layers, photos[1:]), found[1:], atol=1e-5)
