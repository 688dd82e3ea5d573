"""The user's own copy of a published data set: read where it lies, never fetched, copied or passed on."""

import os
import pathlib
from typing import NamedTuple

from tryon_jax.errors import UserError

# Picture side in pixels of each preset, as in configs/base.py.
SIZES = {"smoke": 32, "cpu": 64, "base": 256, "large": 512}


class Terms(NamedTuple):
    """title: the set's name; where: the page that it is asked for at; licence: in a few words; tree: files and folders
    that its folder must hold."""

    title: str
    where: str
    licence: str
    tree: str


class Source:
    """Random access to read(item), one example of the batch contract, for each of `items`."""

    def __init__(self, items, read):
        self._items, self._read = items, read

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if not 0 <= index < len(self._items):
            raise IndexError(f"example {index} of {len(self._items)}")
        return self._read(self._items[index])


def request(terms):
    """One sentence: where a set of such Terms is asked for, under which licence, and how it must lie on the disk."""
    return (
        f"ask for {terms.title} at {terms.where} ({terms.licence}) and give your own copy as --config.data.folder=DIR, "
        f"with {terms.tree}"
    )


def size_of(preset):
    """Picture side of a preset, one of SIZES. Raises UserError naming them for another."""
    if preset not in SIZES:
        raise UserError(f"data.preset={preset}: no such preset; choose one of {', '.join(SIZES)}")
    return SIZES[preset]


def check_split(split, splits):
    """Raises ValueError unless `split` is one of `splits`."""
    if split not in splits:
        raise ValueError(f"no split {split!r}: choose one of {', '.join(splits)}")


def root(folder, terms):
    """The folder of the user's copy (pathlib.Path). Raises UserError with the Terms if there is none."""
    if not folder:
        raise UserError(f"config.data.folder is empty: {request(terms)}")
    place = pathlib.Path(folder).expanduser()
    if not place.is_dir():
        raise UserError(f"{place}: no such folder; {request(terms)}")
    return place


def one_of(parent, names, terms):
    """The first folder parent/name of `names` (spellings of one folder) that exists. Raises UserError if none does."""
    for name in names:
        if (parent / name).is_dir():
            return parent / name
    raise UserError(f"{parent}: no folder {' or '.join(names)}; {request(terms)}")


def complete(needed, terms):
    """Raises UserError unless each folder holds the files that are needed: {folder: names}."""
    for folder, names in needed.items():
        there = {entry.name for entry in os.scandir(folder)}
        missing = sorted(set(names) - there)
        if missing:
            raise UserError(
                f"{folder}: {len(missing)} of {len(set(names))} files are missing, {missing[0]} first; "
                f"complete your copy of {terms.title} from {terms.where}"
            )
