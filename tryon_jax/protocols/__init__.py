"""Named ways to score a folder of try-on outputs, each frozen, and how one is found by its name.

A protocol is a file of this folder. Its docstring is what a user reads: which files it takes, what it measures, what
differs from the papers that it follows. It offers VARIANTS, a tuple of names of which the first is the default, and
task(outputs, targets, variant, limit) -> Task, which finds the files of both and raises UserError, one line that names
the file and the remedy, if one is missing. Those that can also look through networks whose weights the user gives offer
PERCEPTION. What a protocol measures never changes: a change is a new name.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

# Files of this folder that protocols share.
SHARED = ("floors", "photographs", "reading", "report", "runner", "sheets")


class Measure(NamedTuple):
    """What a score is: its unit ("" for none), whether "more" or "less" is better, and one line of what it is of."""

    unit: str
    better: str
    about: str


class Task(NamedTuple):
    """A protocol over one pair of folders. An output, a target and a naive try-on are dicts of arrays.

    names: the examples' names. read: number -> (output, target); raises UserError for a file that is bad.
    score: (output, target) -> dict of floats, NaN where a score is not defined for the example; scores whose arrays an
    output lacks are left out. own: output -> dict of floats that need no target, the target's own beside them.
    floors: target -> dict of name -> naive try-on that the target's inputs allow. picture: (output, target) -> uint8
    [H, W, 3], what set distances are taken of, or None where they are not. measures: dict of score's name -> Measure,
    in the table's order. notes: lines for the reader.
    """

    names: list
    read: Callable
    score: Callable
    own: Callable
    floors: Callable
    picture: Callable
    measures: dict
    notes: list


class Perception(NamedTuple):
    """How a protocol looks at pictures uint8 [H, W, 3] through networks whose weights the user gives.

    inception: picture -> input of scores/inception.py. backbone: LPIPS's network, a name of scores/lpips.py.
    seen: picture -> the picture that LPIPS is taken of.
    """

    inception: Callable
    backbone: str
    seen: Callable


DISTANCE_MEASURES = {
    "kid_efflite0": Measure("", "less", "kernel distance in EfficientNet-Lite0's features"),
    "fid_efflite0": Measure("", "less", "Frechet distance in the same features, for this many examples only"),
}
# Only where the user gives the networks' weights.
INCEPTION_MEASURES = {
    "kid_inception": Measure("", "less", "kernel distance (KID) in Inception's features, of all pictures"),
    "fid_inception": Measure("", "less", "Frechet distance (FID) in the same features, for this many examples only"),
}
DISTANCES = tuple(DISTANCE_MEASURES)


def names():
    """Names of all protocols."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)


def load(name):
    """The protocol module called `name`. Raises ValueError naming the choices if there is no such protocol."""
    if name not in names():
        raise ValueError(f"no protocol {name!r}: choose one of {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def spread(found, limit):
    """`limit` of the items of a list, spread evenly over it, since neighbours may show the same person; 0 is all."""
    total = min(limit, len(found)) if limit else len(found)
    return [found[place * len(found) // total] for place in range(total)]


def described():
    """The docstrings of all protocols, for --help."""
    return "\n\n".join(f"{name}\n{'-' * len(name)}\n{load(name).__doc__.strip()}" for name in names())
