"""Scores the averaged parameters of a run over the held-out split, baselines beside."""

import pathlib

import numpy as np

from tryon_jax import checkpoint, data, parallel, stages, summaries
from tryon_jax.data import pipeline
from tryon_jax.errors import UserError


def build_stage(config, axis_name=None):
    """The config's stage. Raises UserError if there is none of that name."""
    try:
        module = stages.load(config.stage)
    except ValueError as error:
        raise UserError(f"config.stage: {error}") from None
    return module.build(config, axis_name=axis_name)


def open_split(config, split):
    """The config's data, split "train" or "test": a random-access source of examples. Makes them on first use.

    Raises UserError if there is no such data set, or it cannot be read or made.
    """
    try:
        module = data.load(config.data.name)
    except ValueError as error:
        raise UserError(f"config.data.name: {error}") from None
    return module.open_split(config.data.preset, split, config.data.folder)


def scorer(stage, source, batch_size, seed, limit=0):
    """A function params -> dict of floats: the stage's scores over `limit` examples spread over the source (0 is all).

    What it draws follows from the seed and each example's place alone, so every call judges alike.
    """
    judge = parallel.per_example(stage.eval_step, seed)
    total = min(limit, len(source)) if limit else len(source)

    def score(params):
        places, outputs = [], []
        rounds = pipeline.evaluation_batches(source, batch_size, total, *parallel.processes())
        for number, (batch, _) in enumerate(rounds):
            place = parallel.indices(batch_size) + number * batch_size
            found = parallel.on_host(judge(params, parallel.split(batch), parallel.split(place)))
            places.append(found[0])
            outputs.append(found[1])
        order = np.argsort(np.concatenate(places))[:total]  # the last batch's padding lies beyond `total`
        rows = {name: np.concatenate([output[name] for output in outputs])[order] for name in outputs[0]}
        return {name: float(value) for name, value in stage.summarize(rows).items()}

    return score


def sampler(stage, source, seed, count=8):
    """A function params -> grid, uint8 [H, W, 3], of held-out examples spread over the split: `count` or more.

    A batch needs an example for every device, so on more than `count` devices there are as many rows.
    """
    devices = parallel.device_count()
    rows = -(-count // devices) * devices
    draw = parallel.per_example(lambda params, batch, rng: (batch, stage.predict(params, batch, rng)), seed)
    batch, _ = next(iter(pipeline.evaluation_batches(source, rows, rows, *parallel.processes())))

    def sample(params):
        _, (real, made) = parallel.on_host(draw(params, parallel.split(batch), parallel.split(parallel.indices(rows))))
        return summaries.sample_grid(real, made, rows)

    return sample


def run(config, workdir):
    """Scores the newest checkpoint in `workdir` over the whole held-out split: a table, and evaluation.json.

    Raises UserError if there is no run or it is of another config.
    """
    step = checkpoint.latest_step(workdir)
    checkpoint.changes(workdir, config.to_dict())
    stage = build_stage(config)
    source = open_split(config, "test")
    params = parallel.replicate(checkpoint.restore_parts(workdir))
    scores = scorer(stage, source, config.batch_size, config.seed)(params)
    if parallel.is_lead():
        path = pathlib.Path(workdir) / "evaluation.json"
        summaries.write_json(path, {"step": step, "examples": len(source), "split": "test", **scores})
        print(f"{workdir}, step {step}, {len(source)} held-out examples")
        print(table(scores))
        print(f"written to {path}")


def table(scores):
    """Lines of text: a score a row, its baselines `<name>/<baseline>` beside it."""
    names = [name for name in scores if "/" not in name]
    rows = [[name, f"{scores[name]:.4g}", *_beside(name, scores)] for name in names]
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{row[0]:<{width}}  {row[1]:>9}  {'  '.join(row[2:])}".rstrip() for row in rows)


def _beside(name, scores):
    mine = [key for key in scores if key.startswith(f"{name}/")]
    return [f"{key.split('/', 1)[1]} {scores[key]:.4g}" for key in mine]
