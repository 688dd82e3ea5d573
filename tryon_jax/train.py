"""The only training loop: build, start or go on, step, log, score, draw, save.

A run's folder holds config.json, metrics.jsonl, checkpoints/<step>/, samples/<step>.png and tensorboard/.
All that a step draws follows from the seed, the step and the example's place in the batch, and a step's lines
are on the disk before its checkpoint is, so a run that was killed and started again ends as if it never was.
"""

import contextlib
import json
import math
import pathlib
import sys
import time

import jax
import tqdm

from tryon_jax import checkpoint, evaluate, parallel, summaries, weights
from tryon_jax.data import pipeline
from tryon_jax.errors import UserError


def run(config, workdir):
    """Trains `config` (a ConfigDict) in the folder `workdir` up to config.train.steps, from where it stands.

    Raises UserError for what the user can mend: a folder of another config, a metric that is not finite, ...
    """
    if str(workdir) in weights.PRETRAINED:
        raise UserError(f"--workdir={workdir}: this names the weights that come with the package; give another folder")
    workdir = pathlib.Path(workdir)
    parallel.indices(config.batch_size)  # a batch that the devices cannot share is refused before anything is written
    stage = evaluate.build_stage(config, parallel.AXIS)
    with checkpoint.held(workdir, parallel.is_lead()):
        changes = checkpoint.changes(workdir, config.to_dict())
        with checkpoint.open_run(workdir, config.train.keep, parallel.is_lead()) as manager:
            done = manager.latest_step() or 0
            if done >= config.train.steps:
                _say(f"{workdir}: finished at step {done}; give more --config.train.steps to go on")
                return
            _train(config, workdir, stage, manager, done, changes)
    _say(f"{workdir}: finished at step {config.train.steps}; samples: {workdir / 'samples'}/{config.train.steps}.png")


def _train(config, workdir, stage, manager, done, changes):
    """The run from step `done` to its end."""
    source, held_out = evaluate.open_split(config, "train"), evaluate.open_split(config, "test")
    state, position, said = _begin(config, stage, manager, source)
    if parallel.is_lead():
        summaries.write_json(workdir / "config.json", json.loads(config.to_json()))
    _say(f"{workdir}: {config.stage}, {len(source)} examples, {parallel.describe()}")
    for sentence in (*changes, *said):
        _say(f"{workdir}: {sentence}")
    score = evaluate.scorer(stage, held_out, config.batch_size, config.seed, config.train.evaluate_examples)
    # What self-supervision was never told of is noise; try-on may have it from an earlier run.
    sample = evaluate.sampler(stage, held_out, config.seed, known_only=config.stage == "ssl")
    batches = pipeline.batches(
        source, config.batch_size, config.seed, *parallel.processes(), threads=config.data.threads
    )
    with contextlib.closing(batches), summaries.Writer(workdir, done, parallel.is_lead()) as writer:
        if position is not None:
            batches.set_state(position)
        _loop(config, stage, manager, state, batches, writer, score, sample)


def _begin(config, stage, manager, source):
    """(state on the devices, the pipeline's state or None, sentences): the newest checkpoint's, or fresh."""
    key, example = jax.random.key(config.seed), pipeline.stack([source[0]])
    if manager.latest_step() is not None:
        state, position = checkpoint.restore(manager, jax.eval_shape(stage.init, key, example))
        return parallel.replicate(state), position, [f"goes on from step {manager.latest_step()}"]
    state = jax.jit(stage.init)(key, example)
    params, said = checkpoint.started(state.params, config.init.to_dict())
    state = state.replace(params=params, ema={name: params[name] for name in state.ema})
    return parallel.replicate(state), None, [f"starts with {sentence}" for sentence in said]


def _loop(config, stage, manager, state, batches, writer, score, sample):
    take_step = parallel.train_step(stage.train_step, config.seed)
    record = parallel.replicate(parallel.healthy())
    places = parallel.split(parallel.indices(config.batch_size))
    ahead = parallel.prefetch(batches)
    first = manager.latest_step() or 0
    last = first, time.perf_counter()
    with _bar(first, config.train.steps) as bar:
        for step in range(first + 1, config.train.steps + 1):
            batch, position = next(ahead)
            state, record, metrics = take_step(state, record, batch, places)
            parallel.settle((state, metrics))
            bar.update()
            due = _due(step, config.train)
            if due:
                _check_metrics(manager, parallel.on_host(record), sorted(metrics))
            if "log" in due:
                rate = (step - last[0]) / (time.perf_counter() - last[1])
                _log(writer, bar, step, parallel.on_host(metrics), (rate, rate * config.batch_size))
            if "evaluate" in due:
                scores = {f"evaluate/{name}": value for name, value in score(state.ema).items()}
                _check_finite(manager, step, scores)
                writer.scalars(step, scores)
            if "sample" in due:
                writer.grid(step, sample(state.ema))
            if "checkpoint" in due:
                _check_state(manager, step, state)
                writer.sync()
                checkpoint.save(manager, step, parallel.on_host(state), position, json.loads(config.to_json()))
            if due:
                last = step, time.perf_counter()  # speed is that of steps, without scores, samples and saving
    checkpoint.finish(manager)


def _due(step, train):
    """What is due after `step`: a set of log, evaluate, sample, checkpoint; the last step has all of them."""
    every = {
        "log": train.log_every,
        "evaluate": train.evaluate_every,
        "sample": train.sample_every,
        "checkpoint": train.checkpoint_every,
    }
    return {name for name, period in every.items() if step == train.steps or (period and step % period == 0)}


def _bar(done, steps):
    """A progress bar of steps with their rate and the time left; silent where this process is not the lead."""
    often = 0.1 if sys.stderr.isatty() else 10  # seconds; a log file gets a line now and then
    quiet = not parallel.is_lead()
    return tqdm.tqdm(initial=done, total=steps, unit="step", mininterval=often, dynamic_ncols=True, disable=quiet)


def _log(writer, bar, step, metrics, speed):
    """The step's own values: a mean over the last steps would depend on where a run was resumed."""
    writer.scalars(step, metrics)
    writer.speed(step, *speed)
    shown = {name: f"{float(metrics[name]):.3g}" for name in sorted(metrics) if "loss" in name}
    bar.set_postfix({"examples/s": f"{speed[1]:.3g}", **dict(list(shown.items())[:3])}, refresh=False)


def _check_metrics(manager, record, names):
    """Stops the run if a step since the last look gave a metric that is not finite."""
    if record[0] >= 0:
        raise UserError(_stopped(manager, int(record[0]), f"metric {names[record[1]]!r}"))


def _check_finite(manager, step, values):
    for name, value in values.items():
        if not math.isfinite(value):
            raise UserError(_stopped(manager, step, f"metric {name!r}"))


def _check_state(manager, step, state):
    """A state that is not finite is never saved, even if no metric shows it yet."""
    leaf = parallel.first_not_finite(state)
    if leaf:
        raise UserError(_stopped(manager, step, leaf))


def _stopped(manager, step, what):
    checkpoint.finish(manager)
    kept = manager.latest_step()
    kept = "no checkpoint had been saved" if kept is None else f"the checkpoint of step {kept} is kept"
    return (
        f"{manager.directory.parent}: {what} is not finite at step {step}; {kept}. "
        "Start a new run with a lower config.optimizer.learning_rate or another config.loss"
    )


def _say(sentence):
    if parallel.is_lead():
        tqdm.tqdm.write(sentence)
