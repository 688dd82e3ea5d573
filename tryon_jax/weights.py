"""Trained weights to pass on: a folder of params.safetensors, config.json and scores.json, which stands wherever the
folder of a run is read. Two come with the package: `pretrained` dresses people, `pretrained_ssl` is what it began with,
for trainings of one's own to begin with."""

import json
import pathlib

import jax
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tryon_jax.errors import UserError

PRETRAINED = ("pretrained", "pretrained_ssl")
PARAMS, CONFIG, SCORES = "params.safetensors", "config.json", "scores.json"


def folder(name):
    """The folder (pathlib.Path) that a run's name stands for: one of PRETRAINED for the package's own weights."""
    return pathlib.Path(__file__).parent / str(name) if str(name) in PRETRAINED else pathlib.Path(name)


def are_in(name):
    """Whether the folder holds weights that were passed on, and not a run."""
    return (folder(name) / PARAMS).is_file()


def publish(path, params, config, scores):
    """Writes averaged parameters {part: nested dict of arrays}, their run's config and scores (JSON trees) into `path`.

    They are written as float16, half of the size. scores holds `step` and whatever was measured. Raises UserError if
    the folder cannot be written, or a number is too large for float16.
    """
    path = pathlib.Path(path)
    flat = {name: np.ascontiguousarray(leaf, np.float16) for name, leaf in _flat(kept(params))}
    try:
        path.mkdir(parents=True, exist_ok=True)
        save_file(flat, path / PARAMS)
        for name, value in ((CONFIG, config), (SCORES, scores)):
            (path / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}); give another folder") from None


def kept(params):
    """Parameters as `read` gives them back after `publish`: float32 with float16's eleven bits, of which a network
    notices nothing. Raises UserError if one is no number or too large for that."""
    largest = max(float(np.abs(leaf).max(initial=0.0)) for leaf in jax.tree.leaves(params))
    if not largest <= float(np.finfo(np.float16).max):
        raise UserError(f"weights as large as {largest:g} cannot be kept as float16; train again with a lower rate")
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float16).astype(np.float32), params)


def _flat(tree, prefix=""):
    """(name, leaf) of a nested dict's leaves, names joined by slashes."""
    for key, value in sorted(tree.items()):
        name = f"{prefix}{key}"
        yield from _flat(value, f"{name}/") if isinstance(value, dict) else ((name, value),)


def read(name):
    """Parameters {part: nested dict of numpy arrays} of a folder of weights. Raises UserError if they are damaged."""
    path = folder(name) / PARAMS
    try:
        flat = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: damaged ({str(error)[:160]}); fetch it again") from None
    tree = {}
    for key, leaf in flat.items():
        *parents, last = key.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = leaf.astype(np.float32)
    return tree


def step(name):
    """After how many steps of training the weights were passed on. Raises UserError if their scores are damaged."""
    path = folder(name) / SCORES
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error}); fetch it again") from None
