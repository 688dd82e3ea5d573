"""Trains a peer as the transfer stage is trained: the same examples in the same order, moved and recoloured alike.

A peer's folder is a run's (tryon_jax/checkpoint.py): config.json, metrics.jsonl and checkpoints; the same call goes on
where it stands. A step draws from its seed, its number and the example's place, as the package's own loop does, so a
peer of the same seed and batch size sees the very pictures that ours has seen.
"""

import contextlib
import statistics
import sys
import time
from functools import partial
from unittest import mock

import jax
import tqdm

from tryon_jax import checkpoint, evaluate, native, parallel, summaries
from tryon_jax.data import pipeline
from tryon_jax.errors import UserError
from tryon_jax.stages import transfer


def step_of(peer, ranges):
    """The peer's step (state, batch, rng) -> (state, metrics) on a batch as it is stored."""

    def step(state, batch, rng):
        # Transfer deals five keys an example and moves it by the first.
        keys = jax.vmap(partial(jax.random.split, num=5))(rng)
        return peer.train_step(state, jax.vmap(partial(transfer.moved, ranges))(batch, keys[:, 0]), keys[:, 1])

    return step


def train(peer, folder, settings, config):
    """Trains in `folder` (pathlib.Path) to config.train.steps, from where it stands; gives its averaged parameters.

    settings: what makes it this peer, a JSON tree kept beside the run; config: transfer's ConfigDict, which says what
    data, batch, seed and augmentation. Raises UserError if the folder holds another run or cannot be written, or if a
    metric is not finite.
    """
    source, told = evaluate.open_split(config, "train"), _told(settings, config)
    with checkpoint.held(folder):
        checkpoint.changes(folder, told)
        with checkpoint.open_run(folder, keep=1) as manager:
            example, done = pipeline.stack([source[0]]), manager.latest_step() or 0
            if done < config.train.steps:
                summaries.write_json(folder / "config.json", told)
                if done:
                    state, _ = checkpoint.restore(manager, jax.eval_shape(peer.init, jax.random.key(0), example))
                else:
                    state = jax.jit(peer.init)(jax.random.key(config.seed), example)
                batches = pipeline.batches(
                    source, config.batch_size, config.seed, start_step=done, threads=config.data.threads
                )
                lines = summaries.Lines(folder / "metrics.jsonl", done)
                with contextlib.closing(batches), contextlib.closing(lines):
                    _loop(step_of(peer, config.augment.to_dict()), state, batches, manager, lines, told, config)
    return checkpoint.restore_parts(folder)


def _told(settings, config):
    """What must not change when a peer goes on, besides how long (checkpoint.CHANGEABLE)."""
    data, train = config.data.to_dict(), {"steps": config.train.steps}
    shared = {"data": data, "augment": config.augment.to_dict(), "batch_size": config.batch_size, "seed": config.seed}
    return {"peer": settings, "train": train, **shared}


def _loop(step, state, batches, manager, lines, told, config):
    take_step, state = parallel.train_step(step, config.seed), parallel.replicate(state)
    record, places = parallel.replicate(parallel.healthy()), parallel.split(parallel.indices(config.batch_size))
    steps, first, ahead = config.train.steps, int(state.step), parallel.prefetch(batches)
    often = 0.1 if sys.stderr.isatty() else 10  # seconds; a log file gets a line now and then
    name = told["peer"]["name"]
    with tqdm.tqdm(initial=first, total=steps, unit="step", desc=name, mininterval=often, dynamic_ncols=True) as bar:
        for number in range(first + 1, steps + 1):
            batch, position = next(ahead)
            state, record, metrics = take_step(state, record, batch, places)
            parallel.settle((state, metrics))
            bar.update()
            if number == steps or number % config.train.log_every == 0:
                found = {key: float(value) for key, value in parallel.on_host(metrics).items()}
                bad = int(parallel.on_host(record)[0])
                if bad >= 0:
                    raise UserError(f"{name}: a metric is not finite at step {bad}; try a lower --learning-rate")
                lines.write(number, found)
                bar.set_postfix({"loss": f"{found['loss']:.3g}"}, refresh=False)
            if number == steps or number % config.train.checkpoint_every == 0:
                lines.sync()
                checkpoint.save(manager, number, parallel.on_host(state), position, told)
    checkpoint.finish(manager)


def step_cost(init, step, batch, seed, rounds=5):
    """CPU milliseconds of one training step of `batch` [B, ...], all threads together: the median of some rounds.

    init: (key, batch) -> state; step: as of `step_of` or a stage's train_step. Reading data is no part of it.
    """
    take_step, places = parallel.train_step(step, seed), parallel.split(parallel.indices(len(batch["person"])))
    state = parallel.replicate(jax.jit(init)(jax.random.key(seed), batch))
    record, batch, spent = parallel.replicate(parallel.healthy()), parallel.split(batch), []
    for _ in range(rounds + 1):
        start = time.process_time()
        state, record, _ = jax.block_until_ready(take_step(state, record, batch, places))
        spent.append(1000 * (time.process_time() - start))
    return statistics.median(spent[1:])  # the first compiles


def forward_cost(look, params, batch, rng):
    """Floating-point operations of `look` (params, batch, rng) for a batch of one, as XLA counts what it compiled."""
    one = jax.tree.map(lambda rows: rows[:1], (batch, rng))
    # XLA does not see into the package's own kernels: it is shown the same layers in JAX.
    with mock.patch.object(native, "available", return_value=False):
        return float(jax.jit(look).lower(params, *one).compile().cost_analysis()["flops"])


def size_of(params):
    """Number of parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
