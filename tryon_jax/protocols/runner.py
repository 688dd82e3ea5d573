"""A task's examples judged one by one, and the numbers summed up: the same for every protocol."""

import collections
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tqdm

from tryon_jax import metrics
from tryon_jax.errors import UserError
from tryon_jax.scores import sets

OUTPUT, TARGET, TRUTH = "output", "target", "truth"
LEAST = 4  # examples that a set distance and its spread take
CHUNK = 16  # examples at a time: pictures of more would only wait for the networks
THREADS = 4  # at most: decoding and filters leave Python's lock, the rest does not


class Row(NamedTuple):
    """A score: its name and Measure, the output's Estimate, and the value of each floor that has one, a dict."""

    name: str
    measure: object
    estimate: sets.Estimate
    beside: dict


class Network(NamedTuple):
    """What set distances are taken in: picture uint8 [H, W, 3] -> its input; inputs [N, ...] -> features [N, D]."""

    prepare: Callable
    describe: Callable


def run(task, seed=0, networks=None):
    """Rows of a Task's measures, those that the outputs allow, in the task's order.

    seed: of the bootstrap and of the half sets, so that equal files give equal numbers. networks: dict of name ->
    Network, whose set distances are kid_<name> and fid_<name>; none for no set distances. Shows a bar. Raises UserError
    for a file that is bad, or if nothing is left to measure.
    """
    networks = networks or {}
    scores, features = _judged(task, networks)
    distances = {}
    for name in networks:
        distances |= _distances(name, {who: found for (of, who), found in features.items() if of == name}, seed)
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
        raise UserError(
            "nothing to measure: this variant has set distances only; leave --weights=none out or give --inception"
        )
    return rows


def _mean(values):
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _judged(task, networks):
    """(scores: name -> who -> list of floats; features: (network, who) -> list of arrays [., D]) of all examples."""
    scores = collections.defaultdict(lambda: collections.defaultdict(list))
    features = collections.defaultdict(list)
    waiting = collections.defaultdict(list)

    def flush(least):
        for (name, who), found in waiting.items():
            if len(found) >= least:
                features[name, who].append(networks[name].describe(np.stack(found)))
                found.clear()

    bar = tqdm.tqdm(total=len(task.names), desc="scoring", unit="example")
    with bar, ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for start in range(0, len(task.names), CHUNK):
            numbers = range(start, min(start + CHUNK, len(task.names)))
            for found, inputs in pool.map(functools.partial(_one, task, networks), numbers):
                for who, values in found.items():
                    for name, value in values.items():
                        scores[name][who].append(value)
                for place, given in inputs.items():
                    waiting[place].append(given)
                bar.update()
            flush(CHUNK)
        flush(1)
    return {name: values for name, values in scores.items() if OUTPUT in values}, features


def _one(task, networks, number):
    """(who -> scores, (network, who) -> its input) of one example."""
    made, target = task.read(number)
    tried = {OUTPUT: made, **task.floors(target)}
    found = {who: task.score(one, target) for who, one in tried.items()}
    found[OUTPUT] |= task.own(made)
    found[TRUTH] = task.own(target)
    inputs = {}
    if networks:
        seen = {who: task.picture(one, target) for who, one in {**tried, TARGET: target}.items()}
        for who, picture in seen.items():
            if picture is not None:
                inputs |= {(name, who): network.prepare(picture) for name, network in networks.items()}
    return found, inputs


def _distances(name, features, seed):
    """Score -> (Estimate, floors' values) of the set distances between each one's features and the targets'."""
    sets_of = {who: np.concatenate(found) for who, found in features.items()}
    if OUTPUT not in sets_of:
        return {}
    target = sets_of.pop(TARGET)
    output = sets_of.pop(OUTPUT)
    if len(target) < LEAST:
        nothing = sets.Estimate(*[float("nan")] * 3, len(target)), {}
        return dict.fromkeys((f"kid_{name}", f"fid_{name}"), nothing)
    return {
        f"kid_{name}": (
            sets.kernel_distance(output, target, seed),
            {who: metrics.kernel_distance(found, target) for who, found in sets_of.items()},
        ),
        f"fid_{name}": (
            sets.frechet_distance(output, target, seed),
            {who: sets.frechet(found, target) for who, found in sets_of.items()},
        ),
    }
