"""Weights out of a PyTorch checkpoint as NumPy arrays, without PyTorch and without running anything of the file's.

The files of before PyTorch 1.6: a magic number, a protocol number, facts about the writer's machine, a dict of tensors
that name their storages, the storages' keys, then each storage: its length (int64) and its numbers.
"""

import collections
import pathlib
import pickle
import struct
from typing import NamedTuple

import numpy as np

from tryon_jax.errors import UserError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def _tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, shape, strides)


class _Reader(pickle.Unpickler):
    """Knows an ordered dict, two kinds of storage and one way to make a tensor; any other name is refused."""

    def find_class(self, module, name):
        """What a name in the file stands for; UnpicklingError for any but the few that weights need."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no weights need")

    def persistent_load(self, given):
        """The storage that a tensor names; its numbers come later in the file."""
        kind, dtype, key, _, length, view = given
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError("a storage is not one by itself")
        return _Storage(key, dtype, length)


def read(path):
    """Dict of name -> array (float32 or int64) of the state dict in the file `path`.

    Raises UserError if the file is missing, cut short, of the later zip format, or asks for anything but arrays.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a .pth file of weights")
    with open(path, "rb") as file:
        if file.read(2) == b"PK":
            raise UserError(f"{path}: PyTorch's zip format; save it with _use_new_zipfile_serialization=False")
        file.seek(0)
        try:
            return _state(file)
        # What a file that is cut off, damaged or of another kind makes of unpickling.
        except (
            pickle.UnpicklingError, struct.error, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError
        ) as error:  # fmt: skip
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
            raise UserError(f"{path}: cannot be read as PyTorch weights ({reason}); download it again") from None


def _state(file):
    if _Reader(file).load() != MAGIC or _Reader(file).load() != PROTOCOL:
        raise ValueError("it does not start as one")
    if not _Reader(file).load()["little_endian"]:
        raise ValueError("its numbers are big-endian")
    tensors = _Reader(file).load()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {key: _numbers(file, storages[key]) for key in _Reader(file).load()}
    return {name: _array(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _numbers(file, storage):
    (length,) = struct.unpack("<q", file.read(8))
    if length != storage.length:
        raise ValueError(f"a storage holds {length} numbers, {storage.length} are announced")
    found = np.frombuffer(file.read(length * storage.dtype.itemsize), storage.dtype)
    if len(found) != length:
        raise ValueError("it is cut off")
    return found


def _array(numbers, tensor):
    last = tensor.offset + sum((side - 1) * stride for side, stride in zip(tensor.shape, tensor.strides, strict=True))
    if tensor.offset < 0 or min(tensor.strides, default=0) < 0 or not 0 <= last < len(numbers):
        raise ValueError("a tensor lies outside its storage")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()
