"""Trees of arrays, nested dicts, in NPZ files: how one framework hands them to another."""

import numpy as np

BETWEEN = "/"


def save(path, tree):
    """Writes nested dicts of arrays."""
    np.savez(path, **dict(_flat(tree, "")))


def load(path):
    """What `save` wrote, as numpy arrays."""
    tree = {}
    with np.load(path) as stored:
        for name in stored.files:
            *parts, last = name.split(BETWEEN)
            place = tree
            for part in parts:
                place = place.setdefault(part, {})
            place[last] = stored[name]
    return tree


def _flat(tree, before):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}{BETWEEN}")
        else:
            yield f"{before}{name}", np.asarray(value)
