"""PyTorch's zip format, read from files written by hand: arrays come back, nothing is run, bad files are one line."""

import zipfile

import made_weights
import numpy as np
import pytest

from tryon_jax.errors import UserError
from tryon_jax.scores import torch_file


def arrays(rng):
    return {
        "plain": rng.normal(size=(2, 3)).astype(np.float32),
        "turned": np.asfortranarray(rng.normal(size=(4, 2)).astype(np.float32)),
        "count": np.array(7),
    }


@pytest.mark.parametrize("folder", ["archive", "squeezenet1_1-b8a52dc0"])
def test_arrays_come_back(rng, tmp_path, folder):
    given = arrays(rng)
    found = torch_file.read(made_weights.write(tmp_path / "a.pth", given, folder=folder))
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype and found[name].flags.owndata


def test_a_file_of_old_has_no_byte_order_and_parameters_are_their_tensors(rng, tmp_path):
    array = rng.normal(size=3).astype(np.float32)
    inner = made_weights.tensor("0", array)
    extra = {
        "rebuilt": b"ctorch._utils\n_rebuild_parameter\n(" + inner + b"\x88" + made_weights.DICT + b"tR",
        # As before PyTorch 0.4: made of its numbers, then told whether it is trained.
        "old": b"ctorch.nn.parameter\nParameter\n(" + inner + b"tR(\x88\x89" + made_weights.DICT + b"tb",
        "first": made_weights.tensor("0", array, make="torch._utils\n_rebuild_tensor"),
    }
    found = torch_file.read(made_weights.write(tmp_path / "a.pth", {"a": array}, extra, byteorder=None))
    for name in ("a", *extra):
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("opcodes", "says"),
    [
        (b"cbuiltins\nprint\n(Vrun\ntR", "builtins.print, which no weights need"),
        (b"cos\nsystem\n(Vtrue\ntR", "os.system, which no weights need"),
        (b"ctorch\nload\n(Vrun\ntR", "torch.load, which no weights need"),
        (b"ccollections\nOrderedDict.__class__\n(Vrun\ntR", "which no weights need"),
        (b"(Vmodule\nVrun\nV0\nVcpu\nI1\ntQ", "not one by itself"),
        (b"I7\n", "something else than a dict of tensors"),
    ],
)
def test_nothing_of_the_file_is_run(rng, tmp_path, capsys, opcodes, says):
    path = made_weights.write(tmp_path / "a.pth", arrays(rng), {"evil": opcodes})
    with pytest.raises(UserError, match=says):
        torch_file.read(path)
    assert capsys.readouterr().out == ""


def test_bad_files_are_one_line(tmp_path):
    given = {"a": np.arange(6, dtype=np.float32)}
    whole = made_weights.write(tmp_path / "whole.pth", given).read_bytes()
    place = whole.index(given["a"].tobytes())
    cases = {
        "cut": whole[:-30],
        "half": whole[: len(whole) // 2],
        "start": b"PK\x03\x04",
        "damaged": whole[:place] + b"\xff" + whole[place + 1 :],
    }
    made = {
        "storage": {"data/0": None},
        "short": {"data/0": b"\0" * 20},
        "big": {"byteorder": b"big"},
        "empty": {"data.pkl": None},
        "pickle": {"data.pkl": b"\x80\x02"},
        "list": {"data.pkl": b"\x80\x02]."},
        "beyond": {"offset": 1},
        "compressed": {"compression": zipfile.ZIP_DEFLATED},
    }
    says = {
        "damaged": "Bad CRC-32", "storage": "data/0", "short": "20 bytes, not 6 numbers", "big": "big-endian",
        "empty": "0 data.pkl", "list": "something else than a dict", "beyond": "outside its storage",
        "compressed": "compressed",
    }  # fmt: skip
    for name in (*cases, *made):
        path = tmp_path / f"{name}.pth"
        if name in cases:
            path.write_bytes(cases[name])
        else:
            made_weights.write(path, given, **made[name])
        with pytest.raises(UserError, match=says.get(name, "cannot be read as PyTorch weights")) as caught:
            torch_file.read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_tensor_that_claims_more_than_there_is_takes_no_memory(tmp_path):
    array = np.zeros(2, np.float32)
    vast = np.lib.stride_tricks.as_strided(array, (1 << 40,), (0,))
    claim = made_weights.tensor("0", vast).replace(b"I%d\ntQ" % vast.size, b"I2\ntQ")
    path = made_weights.write(tmp_path / "a.pth", {"a": array}, {"vast": claim})
    with pytest.raises(UserError, match="outside its storage"):
        torch_file.read(path)


def test_tensors_of_the_wrong_name_shape_or_kind_are_one_line(rng, tmp_path):
    path = made_weights.write(tmp_path / "a.pth", arrays(rng))
    assert torch_file.read_shaped(path, {"plain": (2, 3)}, "x").keys() == {"plain"}
    for shapes, says in (
        ({"absent": (1,)}, "no tensor absent; give another"),
        ({"plain": (3, 2)}, r"tensor plain has shape \(2, 3\), not \(3, 2\); give another"),
        ({"count": ()}, "tensor count holds int64, not float32; give another"),
    ):
        with pytest.raises(UserError, match=says) as caught:
            torch_file.read_shaped(path, shapes, "give another")
        assert str(caught.value).startswith(str(path))


def test_a_fingerprint_is_what_the_published_names_end_in(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"abc")
    assert torch_file.fingerprint(tmp_path / "a.pth") == "a.pth, sha256 ba7816bf"  # FIPS 180-2, appendix B.1
