"""Made people in made clothes: the data set that the code makes for itself on first use.

Every example is a person photographed in outfit A, a shop picture of garment B, and both sheets of the same person
in B. Bodies, garments and prints of the test split never occur in training.
"""

import contextlib
import fcntl
import functools
import json
import multiprocessing
import os
import pathlib
import shutil
from typing import NamedTuple

from tryon_jax.assets import cache_folder
from tryon_jax.data.synthetic import generator, records, staging
from tryon_jax.errors import UserError


class Preset(NamedTuple):
    """Side of the pictures in pixels, number of examples in each split, examples a staging chunk."""

    size: int
    train: int
    test: int
    chunk: int = 32


PRESETS = {
    "smoke": Preset(32, 32, 8, chunk=16),
    "cpu": Preset(64, 4096, 256),
    # Three times the people of the cpu preset, for weights that are to be kept; the held-out ones are the same.
    "cpu_more": Preset(64, 12288, 256),
    "base": Preset(256, 20000, 1000),
    "large": Preset(512, 20000, 1000),
}
SEED = 0
SPLITS = ("train", "test")
SIZES = "files.json"
# Decoded examples are kept in memory while a split's stay under this: reading them again costs more than a step.
MEMORY_LIMIT = 2 * 2**30


def open_split(preset, split, folder="", workers=None):
    """Random-access source of `split` ("train" or "test") of `preset`, one of PRESETS; made on first use.

    The set lies under `folder` (or $TRYON_JAX_CACHE, or ~/.cache/tryon_jax) in data/synthetic_<preset>/<version>.
    source[i] is one example of the batch contract, numpy, with `caption` (str). Making it takes `workers` processes
    (one a core by default), shows a bar, and continues where it was interrupted. Raises UserError for an unknown
    preset, a folder that is damaged or cannot be written; ValueError for an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: choose one of {', '.join(SPLITS)}")
    return Source(prepare(preset, folder, functools.partial(staging.make, workers=workers)), split)


def prepare(preset, folder="", make=staging.make):
    """Folder (pathlib.Path) of the preset's files; if they are missing, `make` makes their records, as staging.make.

    Raises UserError for an unknown preset, or a folder that cannot be written.
    """
    if preset not in PRESETS:
        raise UserError(f"data.preset={preset}: no such preset; choose one of {', '.join(PRESETS)}")
    place = location(preset, folder)
    if not place.exists():
        _make(preset, place, make)
    return place


def location(preset, folder=""):
    """Folder (pathlib.Path) of the preset's files of this version of the generator."""
    root = pathlib.Path(folder).expanduser() if folder else cache_folder()
    return root / "data" / f"synthetic_{preset}" / generator.version()


class Source:
    """The examples of one split of a prepared folder. Raises UserError if the folder is damaged or half made."""

    def __init__(self, folder, split):
        from tryon_jax.data.synthetic import builder  # TFDS takes seconds to import: only where data is read

        self._folder = folder
        _check(folder)
        with self._damage():
            self._stored = builder.data_source(folder, split)
            self._length = len(self._stored)
        self._memory = {}
        self._room = None  # how many examples may stay in memory, known once one has been read

    def __len__(self):
        return self._length

    def __getitem__(self, index):
        return records.unpack(self.record(index))

    def record(self, index):
        """Example `index` as stored, with body_id, garment_ids and print_ids; pictures uint8."""
        if not 0 <= index < self._length:
            raise IndexError(f"example {index} of {self._length}")
        if index in self._memory:
            return self._memory[index]
        with self._damage():
            stored = self._stored[index]
        if self._room is None:
            one = sum(value.nbytes for value in stored.values() if hasattr(value, "nbytes"))
            self._room = self._length if one * self._length < MEMORY_LIMIT else 0
        if self._room:
            self._memory[index] = stored
        return stored

    @contextlib.contextmanager
    def _damage(self):
        """Turns whatever a reader raises on damaged bytes into the one line that says what to do."""
        try:
            yield
        except Exception as error:
            raise UserError(f"{self._folder}: damaged ({_first_line(error)}); {_REMEDY}") from error


_REMEDY = "delete this folder and start again: it is made anew"


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _check(folder):
    """Raises UserError unless every file that was written is there with its size."""
    try:
        sizes = json.loads((folder / SIZES).read_text())
        wrong = [name for name, size in sizes.items() if (folder / name).stat().st_size != size]
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"{folder}: damaged or half made ({_first_line(error)}); {_REMEDY}") from error
    if wrong:
        raise UserError(f"{folder}: {wrong[0]} has not the size it was written with; {_REMEDY}")


def _make(preset, place, make):
    """Makes the preset's files and moves them to `place`; a second process waits and finds them there."""
    # A worker that imports its parent's script comes back here, and would wait for its parent for ever.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            "data are made in processes that import your script again: put what it does under "
            "`if __name__ == '__main__':`"
        )
    staged = place.parent / f"staging_{place.name}"
    try:
        staged.mkdir(parents=True, exist_ok=True)
        with open(place.parent / f".{place.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released by the system however this process ends
            if not place.exists():
                staged.mkdir(exist_ok=True)
                _fill(preset, place, staged, make)
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"{place.parent}: cannot be written ({_first_line(error)}); free space there, or set data.folder or "
            "TRYON_JAX_CACHE to another folder"
        ) from error


def _fill(preset, place, staged, make):
    """Stages all chunks, packs them and publishes the folder by one rename."""
    from tryon_jax.data.synthetic import builder, card  # TFDS takes seconds to import: only where data is made

    chosen = PRESETS[preset]
    wanted = staging.chunks({split: getattr(chosen, split) for split in SPLITS}, chosen.chunk)
    label = f"making synthetic {preset} data"
    make(staged, wanted, generator.Maker(chosen.size, SEED), label=label)
    packed = staged / "packed"
    shutil.rmtree(packed, ignore_errors=True)
    builder.prepare(preset, place.name, chosen.size, wanted, staged, packed)
    ready = packed / f"synthetic_{preset}" / place.name
    sizes = {path.name: path.stat().st_size for path in sorted(ready.iterdir()) if path.is_file()}
    (ready / SIZES).write_text(json.dumps(sizes, indent=1))
    # The card is for people: whoever edits it afterwards damages no data, so its size is not kept.
    card.write(ready, SEED)
    os.rename(ready, place)
