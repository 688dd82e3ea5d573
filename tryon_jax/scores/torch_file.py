"""Weights out of a PyTorch checkpoint as NumPy arrays, without PyTorch and without running anything of the file's.

Files of before PyTorch 1.6: a magic number, a protocol number, facts about the writer's machine, a dict of tensors that
name their storages, the storages' keys, then each storage: its length (int64) and its numbers. Later files: a zip of
one folder with the dict as data.pkl and each storage's numbers as data/KEY, none of them compressed.
"""

import collections
import hashlib
import io
import math
import pathlib
import pickle
import struct
import zipfile
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

    def __setstate__(self, state):
        """Whether a parameter was trained, which its numbers do not depend on."""


def _tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, shape, strides)


def _parameter(tensor, *_):
    return tensor


KNOWN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.nn.parameter", "Parameter"): _parameter,
}


class _Reader(pickle.Unpickler):
    """Knows an ordered dict, two kinds of storage and the ways to make a tensor of one; any other name is refused."""

    def find_class(self, module, name):
        """What a name in the file stands for; UnpicklingError for any but the few that weights need."""
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no weights need")

    def persistent_load(self, given):
        """The storage that a tensor names; its numbers lie elsewhere in the file."""
        kind, dtype, key, _, length, *view = given
        if kind != "storage" or any(part is not None for part in view):
            raise pickle.UnpicklingError("a storage is not one by itself")
        return _Storage(key, DTYPES[dtype], length)


def read(path):
    """Dict of name -> array (float32 or int64) of the state dict in the file `path`, of either format.

    Raises UserError if the file is missing, damaged, cut short, or asks for anything but arrays.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a .pth file of weights")
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
        file.seek(0)
        try:
            return _zipped(file) if zipped else _state(file)
        # What a file that is cut off, damaged or of another kind makes of unpickling; encrypted zips are RuntimeErrors.
        except (
            pickle.UnpicklingError, struct.error, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError,
            zipfile.BadZipFile, RuntimeError, OverflowError, MemoryError
        ) as error:  # fmt: skip
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
            raise UserError(
                f"{path}: cannot be read as PyTorch weights ({reason}); give a whole file of a state dict"
            ) from None


def read_shaped(path, shapes, remedy):
    """The float32 arrays that `shapes`, dict of name -> shape, names in the file `path`.

    Raises UserError, which ends in `remedy`, if one is missing or of another shape or kind; and as `read` does.
    """
    state = read(path)
    for name, shape in shapes.items():
        if name not in state:
            raise UserError(f"{path}: no tensor {name}; {remedy}")
        if state[name].shape != tuple(shape):
            raise UserError(f"{path}: tensor {name} has shape {state[name].shape}, not {tuple(shape)}; {remedy}")
        if state[name].dtype != np.float32:
            raise UserError(f"{path}: tensor {name} holds {state[name].dtype}, not float32; {remedy}")
    return {name: state[name] for name in shapes}


def fingerprint(path):
    """Name and first 8 hex digits of the sha256 of a file, which PyTorch's own files have at the end of their names."""
    with open(path, "rb") as file:
        return f"{pathlib.Path(path).name}, sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"


def _state(file):
    if _Reader(file).load() != MAGIC or _Reader(file).load() != PROTOCOL:
        raise ValueError("it does not start as one")
    if not _Reader(file).load()["little_endian"]:
        raise ValueError("its numbers are big-endian")
    tensors = _tensors(file)
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {key: _numbers(file, storages[key]) for key in _Reader(file).load()}
    return {name: _array(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _zipped(file):
    with zipfile.ZipFile(file) as archive:
        places = [name for name in archive.namelist() if name.partition("/")[2] == "data.pkl"]
        if len(places) != 1:
            raise ValueError(f"the zip holds {len(places)} data.pkl")
        folder = places[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and _entry(archive, f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        tensors = _tensors(io.BytesIO(_entry(archive, places[0])))
        numbers = {}
        for storage in {tensor.storage.key: tensor.storage for tensor in tensors.values()}.values():
            content = _entry(archive, f"{folder}data/{storage.key}")
            if len(content) != storage.length * storage.dtype.itemsize:
                raise ValueError(f"data/{storage.key} holds {len(content)} bytes, not {storage.length} numbers")
            numbers[storage.key] = np.frombuffer(content, storage.dtype)
        return {name: _array(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _entry(archive, name):
    # PyTorch compresses nothing; what is compressed could grow beyond all memory.
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    return archive.read(name)


def _tensors(file):
    tensors = _Reader(file).load()
    if not isinstance(tensors, dict) or not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
        raise ValueError("it holds something else than a dict of tensors")
    return tensors


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
    inside = min(tensor.offset, *tensor.strides, *tensor.shape, 0) == 0 and 0 <= last < len(numbers)
    # A stride of 0 makes any number of copies of what is there; weights have one of each.
    if not inside or math.prod(tensor.shape) > len(numbers):
        raise ValueError("a tensor lies outside its storage")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()
