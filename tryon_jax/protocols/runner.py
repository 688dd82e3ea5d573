"""A task's examples judged one by one, and the numbers summed up: the same for every protocol."""

import collections
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tqdm

from tryon_jax import metrics
from tryon_jax.errors import UserError
from tryon_jax.protocols import DISTANCES
from tryon_jax.scores import efflite0, sets

OUTPUT, TARGET, TRUTH = "output", "target", "truth"
LEAST = 4  # examples that a set distance and its spread take
THREADS = 4  # at most: decoding and filters leave Python's lock, the rest does not


class Row(NamedTuple):
    """A score: its name and Measure, the output's Estimate, and the value of each floor that has one, a dict."""

    name: str
    measure: object
    estimate: sets.Estimate
    beside: dict


def run(task, seed=0, layers=None):
    """Rows of a Task's measures, those that the outputs allow, in the task's order.

    seed: of the bootstrap and of the half sets, so that equal files give equal numbers. layers: efflite0's weights, or
    None to leave the set distances out. Shows a bar. Raises UserError for a file that is bad, or if nothing is left to
    measure.
    """
    scores, features = _judged(task, layers)
    distances = _distances(features, seed)
    rows = []
    for name, measure in task.measures.items():
        if name in distances:
            estimate, beside = distances[name]
        elif name in scores:
            values = scores[name]
            estimate = sets.bootstrap_mean(values[OUTPUT], seed)
            beside = {who: _mean(found) for who, found in values.items() if who != OUTPUT}
        else:
            continue
        rows.append(Row(name, measure, estimate, {who: value for who, value in beside.items() if not np.isnan(value)}))
    if not rows:
        raise UserError("nothing to measure: this variant has set distances only; leave --weights=none out")
    return rows


def _mean(values):
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _judged(task, layers):
    """(scores: name -> who -> list of floats; features: who -> list of arrays [., 1280]) of all examples."""
    scores = collections.defaultdict(lambda: collections.defaultdict(list))
    features = collections.defaultdict(list)
    waiting = collections.defaultdict(list)

    def flush(least):
        for who, found in waiting.items():
            if len(found) >= least:
                features[who].append(efflite0.describe(layers, np.stack(found)))
                found.clear()

    bar = tqdm.tqdm(total=len(task.names), desc="scoring", unit="example")
    with bar, ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for start in range(0, len(task.names), efflite0.BATCH):
            numbers = range(start, min(start + efflite0.BATCH, len(task.names)))
            for found, pictures in pool.map(functools.partial(_one, task, layers is not None), numbers):
                for who, values in found.items():
                    for name, value in values.items():
                        scores[name][who].append(value)
                for who, picture in pictures.items():
                    waiting[who].append(picture)
                bar.update()
            flush(efflite0.BATCH)
        flush(1)
    return {name: values for name, values in scores.items() if OUTPUT in values}, features


def _one(task, pictured, number):
    """(who -> scores, who -> picture for the network) of one example."""
    made, target = task.read(number)
    tried = {OUTPUT: made, **task.floors(target)}
    found = {who: task.score(one, target) for who, one in tried.items()}
    found[OUTPUT] |= task.own(made)
    found[TRUTH] = task.own(target)
    pictures = {}
    if pictured:
        seen = {who: task.picture(one, target) for who, one in {**tried, TARGET: target}.items()}
        pictures = {who: efflite0.prepare(picture) for who, picture in seen.items() if picture is not None}
    return found, pictures


def _distances(features, seed):
    """Name -> (Estimate, floors' values) of the set distances between each one's features and the targets'."""
    sets_of = {who: np.concatenate(found) for who, found in features.items()}
    if OUTPUT not in sets_of:
        return {}
    target = sets_of.pop(TARGET)
    output = sets_of.pop(OUTPUT)
    if len(target) < LEAST:
        nothing = sets.Estimate(*[float("nan")] * 3, len(target)), {}
        return dict.fromkeys(DISTANCES, nothing)
    return {
        "kid_efflite0": (
            sets.kernel_distance(output, target, seed),
            {who: metrics.kernel_distance(found, target) for who, found in sets_of.items()},
        ),
        "fid_efflite0": (
            sets.frechet_distance(output, target, seed),
            {who: sets.frechet(found, target) for who, found in sets_of.items()},
        ),
    }
