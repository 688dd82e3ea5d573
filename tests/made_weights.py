"""Files of weights as PyTorch's zip format has them, written by hand: its pickle opcodes one by one."""

import zipfile

import numpy as np

KINDS = {np.dtype(np.float32): "FloatStorage", np.dtype(np.int64): "LongStorage"}
DICT = b"ccollections\nOrderedDict\n)R"


def text(value):
    return b"V" + value.encode() + b"\n"


def numbers(values):
    return b"(" + b"".join(b"I%d\n" % value for value in values) + b"t"


def tensor(key, array, offset=0, make="torch._utils\n_rebuild_tensor_v2"):
    kind = b"ctorch\n" + KINDS[array.dtype].encode() + b"\n"
    storage = b"(" + text("storage") + kind + text(key) + text("cpu") + b"I%d\nt" % array.size + b"Q"
    strides = numbers(stride // array.itemsize for stride in array.strides)
    given = storage + b"I%d\n" % offset + numbers(array.shape) + strides + b"\x89" + DICT
    return b"c" + make.encode() + b"\n(" + given + b"tR"


def pickled(entries):
    """The pickle of an ordered dict of names and already pickled values."""
    return b"\x80\x02" + DICT + b"(" + b"".join(text(name) + value for name, value in entries.items()) + b"u."


def write(path, arrays, extra=None, offset=0, folder="archive", compression=zipfile.ZIP_STORED, **files):
    """Writes dict of name -> array as a file of weights; extra: further entries, files: what takes a part's place."""
    entries = {name: tensor(str(place), array, offset) for place, (name, array) in enumerate(arrays.items())}
    parts = {"data.pkl": pickled(entries | (extra or {})), "byteorder": b"little"}
    parts |= {f"data/{place}": array.tobytes("A") for place, array in enumerate(arrays.values())}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in (parts | files).items():
            if content is not None:
                archive.writestr(f"{folder}/{name}", content)
    return path


def drawn(shapes, rng):
    """Float32 arrays of the shapes that keep activations about as large as they come (He et al. 2015)."""
    made = {}
    for name, shape in shapes.items():
        spread = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        made[name] = (spread * rng.standard_normal(shape, np.float32)).astype(np.float32)
    return made
