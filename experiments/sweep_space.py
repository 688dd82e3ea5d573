"""What a sweep draws from: lists and ranges for keys of a config, checked against that config, and the trials in them.

Axes are in the order of their keys, so the order in which they are given changes nothing.
"""

import difflib
import itertools
import math
import pathlib
import re
import zlib
from typing import NamedTuple

import numpy as np
from absl import flags
from ml_collections import config_flags

from tryon_jax.errors import UserError

MODES = ("random", "grid")
KINDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a text", tuple: "such a tuple"}


class Choices(NamedTuple):
    """A key of the config and the values that it takes."""

    key: str
    values: tuple


class Range(NamedTuple):
    """A key of the config and the range that it is drawn from, both ends included.

    log: evenly in the logarithm instead of evenly; whole: whole numbers only.
    """

    key: str
    low: float
    high: float
    log: bool
    whole: bool


def locked(file, overrides=()):
    """The locked config of FILE[:PRESET] under texts --config.key=value, read as tryon_jax.main reads them.

    Raises UserError if there is no such file or preset, a key is misspelt, or a value is of another type.
    """
    path = file.partition(":")[0]
    if not pathlib.Path(path).is_file():
        raise UserError(f"--config={path}: no such file; run from the folder that holds configs/")
    line, values = ["sweep", f"--config={file}", *overrides], flags.FlagValues()
    holder = config_flags.DEFINE_config_file("config", None, "", values, lock_config=True, sys_argv=line)
    try:
        values(line)
        holder.value.to_dict()
    except Exception as error:  # a config file is anybody's program and may raise anything
        # absl wraps what a config file raised: its own sentence is in the last line.
        raise UserError((str(error).strip().splitlines() or [repr(error)])[-1].strip()) from None
    return holder.value


def leaves(tree, prefix=""):
    """{key with dots: value} of nested dicts."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    inner = ((f"{prefix}.{name}" if prefix else name, value) for name, value in tree.items())
    return {key: leaf for name, value in inner for key, leaf in leaves(value, name).items()}


def check(file, overrides):
    """Raises UserError at the first of `overrides` that is no --config.key=value of the config's own keys and types."""
    known = leaves(locked(file).to_dict())
    for text in overrides:
        found = re.match(r"--config\.([\w.]+)=", text)
        if not found:
            raise UserError(f"{text}: not a flag of this program; overrides are given as --config.key=value")
        _check_key(f"--config.{found[1]}", found[1], known)
    locked(file, overrides)


def parse(texts, mode, file, overrides=()):
    """The axes, in the order of their keys, of texts key=values; values are read under the config's own types.

    Raises UserError naming the key if it is misspelt, fixed or given twice, a value is of another type or stands there
    twice, a range is none, or `mode` is grid and there is one.
    """
    known = leaves(locked(file, overrides).to_dict())
    fixed = [text.partition("=")[0] for text in overrides]
    space = {}
    for text in texts:
        key, equals, values = text.partition("=")
        if not equals:
            raise UserError(f"--set {text}: give the key and its values, key=values")
        _check_key(f"--set {key}", key, known)
        if key in space or f"--config.{key}" in fixed:
            raise UserError(f"--set {key}: the key is given twice")
        like = known[key]

        def read(value, key=key, like=like):
            return _value(file, overrides, key, value, like)

        is_range = type(like) in (int, float) and ":" in values
        space[key] = _range(key, values, like, read) if is_range else _choices(key, values, like, read)
        if mode == "grid" and is_range:
            raise UserError(f"--set {key}: a grid has no ranges; list its values, or choose --mode=random")
    return tuple(space[key] for key in sorted(space))


def _check_key(said, key, known):
    if key not in known:
        nearest = difflib.get_close_matches(key, known, 1, 0)[0]
        raise UserError(f"{said}: no such key; did you mean {nearest}?")


def _choices(key, text, like, read):
    values = tuple(read(value) for value in text.split(";" if isinstance(like, tuple) else ","))
    twice = next((value for number, value in enumerate(values) if value in values[:number]), None)
    if twice is not None:
        raise UserError(f"--set {key}: {twice} stands there twice")
    return Choices(key, values)


def _range(key, text, like, read):
    low, high, *words = text.split(":")
    if not set(words) <= {"log", "int"}:
        raise UserError(f"--set {key}: {text!r} is no range; it is low:high, then :log, :int or both")
    low, high, whole = read(low), read(high), isinstance(like, int) or "int" in words
    if whole and not (low == int(low) and high == int(high)):
        raise UserError(f"--set {key}: the ends of a range of whole numbers are whole numbers, not {low} and {high}")
    if low >= high:
        raise UserError(f"--set {key}: the range's low end {low} is not below its high end {high}")
    if "log" in words and low <= 0:
        raise UserError(f"--set {key}: the low end of a log range is above 0, not {low}")
    return Range(key, low, high, "log" in words, whole)


def _value(file, overrides, key, text, like):
    """The value that main would read, of the type of `like` down to the elements of a tuple."""
    wrong = UserError(f"--set {key}: {text!r} is not {KINDS[type(like)]}; it is {like!r} in the config")
    text = text if isinstance(like, str) else text.strip()
    try:
        value = leaves(locked(file, [*overrides, f"--config.{key}={text}"]).to_dict())[key]
    except UserError:
        raise wrong from None
    if isinstance(like, float) and not math.isfinite(value):
        raise wrong
    if isinstance(like, tuple) and like:
        allowed = {type(element) for element in like} | ({int} if isinstance(like[0], float) else set())
        if not value or {type(element) for element in value} - allowed:
            raise wrong
    return value


def size(space):
    """How many different trials there are; infinite with a range of real numbers."""
    return math.prod(
        len(axis.values)
        if isinstance(axis, Choices)
        else int(axis.high) - int(axis.low) + 1
        if axis.whole
        else math.inf
        for axis in space
    )


def draw(space, seed, number):
    """{key: value}, draw `number` of the endless sequence of `seed`; a key's value does not depend on other keys."""
    return {
        axis.key: _draw(axis, np.random.default_rng((seed, number, zlib.crc32(axis.key.encode())))) for axis in space
    }


def _draw(axis, rng):
    if isinstance(axis, Choices):
        return axis.values[rng.integers(len(axis.values))]
    top = axis.high + 1 if axis.whole else axis.high  # a whole number stands for what lies between it and the next
    value = math.exp(rng.uniform(math.log(axis.low), math.log(top))) if axis.log else rng.uniform(axis.low, top)
    # Rounding of the exponential may leave the range by one unit in the last place.
    return type(axis.low)(min(max(math.floor(value) if axis.whole else value, axis.low), axis.high))


def trials(space, mode, seed=0, count=None):
    """[{key: value}] of `count` trials, all different; more of them begin with the same ones.

    grid: the product, the last key fastest, all of it if count is None. random: the draws of `seed` in their order,
    without those that were drawn before. Raises UserError if there are not as many, or count is missing or below 1.
    """
    most = size(space)
    if count is None and mode == "random":
        raise UserError("--trials: say how many, a random search has no end")
    count = most if count is None else count
    if count < 1:
        raise UserError(f"--trials={count}: give 1 or more")
    if count > most:
        raise UserError(f"--trials={count}: the space has no more than {most} different trials")
    if mode == "grid":
        product = itertools.product(*(axis.values for axis in space))
        keys = [axis.key for axis in space]
        return [dict(zip(keys, values, strict=True)) for values in itertools.islice(product, count)]
    found = {}
    for number in itertools.count():
        if len(found) == count:
            return list(found.values())
        drawn = draw(space, seed, number)
        found.setdefault(tuple(drawn.values()), drawn)


def as_flags(values):
    """The values as texts --config.key=value, from which main reads the same values."""
    return [f"--config.{key}={value}" for key, value in values.items()]


def shown(value):
    """A value in a table or a name: numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def name(number, values):
    """A trial's name, of its number and values, such as 003_latent_dim_32_learning_rate_0.0035."""
    words = [f"{number:03d}", *(f"{key.rpartition('.')[2]} {shown(value)}" for key, value in values.items())]
    # Folders' names have at most 255 bytes; the number keeps shortened ones apart.
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", " ".join(words))[:120].strip("_")
