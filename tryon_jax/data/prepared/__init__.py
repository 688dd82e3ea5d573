"""The user's own copy of a photographed data set, standardised once: what training reads again and again.

Reading a photo of 768 x 1024 pixels and framing it takes longer than a step at the smaller presets. `python -m
tryon_jax.data.prepared` writes the examples as the reader gives them into the user's cache, through a TFDS builder
whose manual folder is the copy; the set's open_split takes that folder in the copy's place.
"""

import functools
import json
import pathlib
from typing import NamedTuple

import numpy as np

from tryon_jax import data
from tryon_jax.assets import cache_folder
from tryon_jax.data.synthetic import records
from tryon_jax.errors import UserError

VERSION = "1.1.0"  # raised by hand where the readers or the records change
MARK = "dataset_info.json"  # what TFDS writes into every prepared folder
# Made sets: what draws them draws as quickly as files are read, and CLOTH3D's frames would fill terabytes.
DRAWN = ("synthetic", "cloth3d")
# Keys of the made set's records that photographs have nothing for.
_UNKNOWN = {key: np.full(shape, -1) for key, shape in records.IDENTITIES.items()}
_UNSAID = {key: np.zeros(shape, "U1" if dtype is str else dtype) for key, (shape, dtype) in records.ABOUT.items()}


def location(name, preset, root=""):
    """Folder (pathlib.Path) of a prepared set under `root`, or the user's cache."""
    base = pathlib.Path(root).expanduser() if root else cache_folder()
    return base / "data" / f"{name}_{preset}" / VERSION


def is_prepared(folder):
    """Whether `folder` is one that was prepared, rather than a copy as it was published."""
    return bool(folder) and (pathlib.Path(folder).expanduser() / MARK).is_file()


class Maker(NamedTuple):
    """Makes the records of a copy of the set `name` in `folder`; picklable, so that it can be sent to processes."""

    name: str
    preset: str
    folder: str

    def __call__(self, split, number):
        """Arrays to store of example `number` of `split`."""
        import jax

        jax.config.update("jax_platforms", "cpu")  # a training process may hold the accelerator
        return pack(_opened(*self, split)[number])


@functools.lru_cache(maxsize=4)
def _opened(name, preset, folder, split):
    return data.load(name).open_split(preset, split, folder)


def pack(example):
    """Arrays to store of one example of the batch contract, `has` as one array [len(HAS)]."""
    packed = records.pack(example, _UNKNOWN, _UNSAID)
    packed = {key: value for key, value in packed.items() if key not in (*_UNKNOWN, *_UNSAID)}
    return packed | {"has": np.array([example["has"][key] for key in data.HAS], np.float32)}


class Source:
    """The examples of one split of a prepared folder. Raises UserError if it is damaged or of another preset."""

    def __init__(self, folder, split, size):
        from tryon_jax.data.prepared import builder  # TFDS takes seconds to import: only where such a set is read

        self._folder = pathlib.Path(folder).expanduser()
        try:
            about = json.loads((self._folder / MARK).read_text())
            self._names = about["description"].split(": ", 1)[1].split(", ")
            self._stored = builder.data_source(self._folder, split)
            self._length = len(self._stored)
            side = self[0]["person"].shape[0] if self._length else size
        except UserError:
            raise
        except Exception as error:  # whatever damaged bytes lead to
            raise self._damaged(error) from None
        if side != size:
            raise UserError(f"{folder}: prepared at {side} pixels, the preset has {size}; prepare it for this preset")

    def __len__(self):
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < self._length:
            raise IndexError(f"example {index} of {self._length}")
        try:
            stored = self._stored[index]
            has = dict(zip(self._names, stored["has"], strict=True))
            return records.unpack(stored) | {"has": {name: np.float32(has[name]) for name in data.HAS}}
        except Exception as error:  # whatever damaged bytes lead to
            raise self._damaged(error) from None

    def _damaged(self, error):
        return UserError(f"{self._folder}: damaged or of another version ({str(error)[:120]}); delete it, prepare anew")
