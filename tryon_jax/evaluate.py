"""Scores a run over its held-out split, or anybody's folder of try-on outputs under a named protocol, floors beside.

python -m tryon_jax.evaluate --protocol=NAME[:VARIANT] --outputs=DIR --targets=DIR [--out=FILE.json] [--limit=N]
    [--seed=0] [--weights=FILE] [--inception=FILE] [--lpips=BACKBONE,LINEAR]
python -m tryon_jax.evaluate --protocol=synthetic_v1 --targets=synthetic:cpu --export=DIR      writes the targets
A run is scored by python -m tryon_jax.main --config=FILE --mode=evaluate.
"""

import functools
import os
import pathlib
import sys

import numpy as np
from absl import app, flags, logging

from tryon_jax import checkpoint, data, parallel, protocols, stages, summaries, weights
from tryon_jax.data import pipeline, subset
from tryon_jax.errors import UserError
from tryon_jax.protocols import photographs, report, runner, sheets
from tryon_jax.scores import efflite0, inception, lpips, torch_file

FLAGS = flags.FLAGS
MADE = "synthetic:"  # what --targets starts with where the made data are meant


def build_stage(config, axis_name=None):
    """The config's stage. Raises UserError if there is none of that name."""
    try:
        module = stages.load(config.stage)
    except ValueError as error:
        raise UserError(f"config.stage: {error}") from None
    return module.build(config, axis_name=axis_name)


def open_split(config, split):
    """What the config wants of its data, split "train" or "test": a random-access source of examples.

    Made data are made on first use. Raises UserError if there is no such data set, it cannot be read or made, or
    nothing of it is wanted.
    """
    try:
        module = data.load(config.data.name)
    except ValueError as error:
        raise UserError(f"config.data.name: {error}") from None
    source = module.open_split(config.data.preset, split, config.data.folder)
    return subset.chosen(source, config.data.classes, config.data.share if split == "train" else 1.0)


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


def sampler(stage, source, seed, count=8, known_only=False):
    """A function params -> grid, uint8 [H, W, 3], of held-out examples spread over the split: `count` or more.

    known_only: leave out the maps of which no example has a truth.
    A batch needs an example for every device, so on more than `count` devices there are as many rows.
    """
    devices = parallel.device_count()
    rows = -(-count // devices) * devices
    draw = parallel.per_example(lambda params, batch, rng: (batch, stage.predict(params, batch, rng)), seed)
    batch, _ = next(iter(pipeline.evaluation_batches(source, rows, rows, *parallel.processes())))

    def sample(params):
        _, (real, made) = parallel.on_host(draw(params, parallel.split(batch), parallel.split(parallel.indices(rows))))
        return summaries.sample_grid(real, made, rows, known_only=known_only)

    return sample


def run(config, workdir):
    """Scores the newest checkpoint in `workdir` over the whole held-out split: a table, and evaluation.json.

    Of weights that were passed on (weights.py) only the table: their folder is not ours to write into.

    Raises UserError if there is no run or it is of another config.
    """
    step = checkpoint.latest_step(workdir)
    checkpoint.changes(workdir, config.to_dict())
    stage = build_stage(config)
    source = open_split(config, "test")
    params = parallel.replicate(checkpoint.restore_parts(workdir))
    scores = scorer(stage, source, config.batch_size, config.seed)(params)
    if parallel.is_lead():
        print(f"{workdir}, step {step}, {len(source)} held-out examples")
        print(table(scores))
        if not weights.are_in(workdir):
            path = pathlib.Path(workdir) / "evaluation.json"
            summaries.write_json(path, {"step": step, "examples": len(source), "split": "test", **scores})
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


def score_folder(protocol, outputs, targets, limit=0, seed=0, network=None, perceived=(None, None)):
    """What a protocol, as NAME or NAME:VARIANT, finds of a folder of outputs: a dict that JSON can hold.

    targets: a folder, or synthetic:PRESET. network: the file of weights for set distances, fetched if None; "none"
    leaves them out. perceived: what --inception and --lpips name, or None. Prints a table. Equal files and seeds give
    equal numbers. Raises UserError, one line, for whatever is missing or wrong.
    """
    module, variant = _protocol(protocol)
    _check_perceived(module, variant, *perceived)
    task = module.task(outputs, _targets(module, str(targets)), variant, limit)
    networks = {}
    if network != "none" and any(name in task.measures for name in protocols.DISTANCES):
        networks["efflite0"] = runner.Network(
            efflite0.prepare, functools.partial(efflite0.describe, efflite0.load(network))
        )
    task, more = _perceived(module, task, *perceived)
    rows = runner.run(task, seed, networks | more)
    print(f"{protocol}, {outputs} against {targets}, {len(task.names)} examples")
    print(report.table(rows))
    print("\n".join(task.notes))
    about = {"protocol": module.__name__.rpartition(".")[2], "variant": variant, "examples": len(task.names)}
    about |= {"outputs": str(outputs), "targets": str(targets), "limit": limit, "seed": seed, "notes": task.notes}
    return {**about, "scores": report.as_json(rows)}


def _check_perceived(module, variant, of_inception, of_lpips):
    """UserError if the protocol has no use for a file of weights that is given."""
    flag = "--inception" if of_inception else "--lpips"
    if not hasattr(module, "PERCEPTION") and (of_inception or of_lpips):
        known = [name for name in protocols.names() if hasattr(protocols.load(name), "PERCEPTION")]
        raise UserError(f"{flag}: is for --protocol={' and '.join(known)} only; leave it out")
    if of_lpips and variant != "paired":
        raise UserError(f"--lpips: compares pairs, which {variant} outputs are not; leave it out")
    if of_lpips and len(of_lpips.split(",")) != 2:
        raise UserError(f"--lpips={of_lpips}: give two files, BACKBONE,LINEAR")


def _perceived(module, task, of_inception, of_lpips):
    """(task, networks for its set distances) with what the user's own weights add."""
    networks, files = {}, []
    if of_inception:
        describe = functools.partial(inception.describe, inception.load(of_inception))
        networks["inception"] = runner.Network(module.PERCEPTION.inception, describe)
        files.append(of_inception)
    if of_lpips:
        pair = of_lpips.split(",")
        task = photographs.with_lpips(task, module.PERCEPTION, lpips.load(module.PERCEPTION.backbone, *pair))
        files += pair
    notes = [f"weights: {torch_file.fingerprint(file)}" for file in files]
    return task._replace(notes=[*task.notes, *notes]), networks


def export(targets, place):
    """Writes the held-out examples of synthetic:PRESET as targets into the folder `place`; UserError if it cannot."""
    from tryon_jax.data.synthetic import generator

    if not targets.startswith(MADE):
        raise UserError(f"--targets={targets}: --export writes made data; give {MADE}PRESET")
    source = _source(targets)
    sheets.write_targets(source, place, {"data": targets, "split": "test", "version": generator.version()})
    print(f"{len(source)} targets in {place}")


def _protocol(text):
    """(module, variant) of NAME or NAME:VARIANT."""
    name, _, variant = text.partition(":")
    try:
        module = protocols.load(name)
    except ValueError as error:
        raise UserError(f"--protocol={text}: {error}") from None
    variant = variant or module.VARIANTS[0]
    if variant not in module.VARIANTS:
        raise UserError(f"--protocol={text}: no variant {variant!r}; choose one of {', '.join(module.VARIANTS)}")
    return module, variant


def _targets(module, text):
    if not text.startswith(MADE):
        return text
    if module.__name__.rpartition(".")[2] != "synthetic_v1":
        raise UserError(f"--targets={text}: made data are for --protocol=synthetic_v1; give this protocol a folder")
    return _source(text)


def _source(text):
    return data.load("synthetic").open_split(text.removeprefix(MADE), "test")


def command():
    """The request that the flags make. Raises UserError for whatever the user can mend."""
    _check_flags()
    if FLAGS.export:
        export(FLAGS.targets, FLAGS.export)
        return
    out = pathlib.Path(FLAGS.out) if FLAGS.out else None
    if out and (out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK)):
        raise UserError(f"{out}: cannot be written; give a file in an existing folder as --out")
    given = FLAGS.protocol, FLAGS.outputs, FLAGS.targets, FLAGS.limit, FLAGS.seed, FLAGS.weights
    found = score_folder(*given, (FLAGS.inception, FLAGS.lpips))
    if out:
        summaries.write_json(out, found)
        print(f"written to {out}")


def _check_flags():
    if bool(FLAGS.outputs) == bool(FLAGS.export):
        raise UserError("give --outputs=DIR to score, or --export=DIR to write targets")
    if FLAGS.limit < 0:
        raise UserError(f"--limit={FLAGS.limit}: must be 0, for all, or more")
    if FLAGS.export:
        module, _ = _protocol(FLAGS.protocol)
        if module.__name__.rpartition(".")[2] != "synthetic_v1":
            raise UserError(f"--protocol={FLAGS.protocol}: only synthetic_v1's targets can be exported")


def main(arguments):
    """Runs the request; what the user can mend is one line and exit code 1."""
    logging.set_verbosity(logging.ERROR)
    try:
        if arguments[1:]:
            raise UserError(f"{arguments[1]}: not a flag; give --name=value")
        parallel.cache_compilations()
        command()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def define_flags(values=FLAGS):
    """Declares the command's flags in absl's `values`; not on import, since main.py has its own."""

    def text(name, about):
        flags.DEFINE_string(name, None, about, flag_values=values)

    text("protocol", f"{', '.join(protocols.names())}, some with :VARIANT; see above.")
    text("outputs", "The folder of outputs to score.")
    text("targets", f"The folder of targets, or {MADE}PRESET.")
    text("out", "A JSON file to write the scores to.")
    text("export", f"A folder to write the targets of {MADE}PRESET to, instead of scoring.")
    text("weights", f"A copy of {efflite0.FILE}; fetched if not given. none: no set distances in its features.")
    text("inception", f"Your copy of {inception.FILE}, for real FID and KID.")
    text("lpips", "Your copies of two files, BACKBONE,LINEAR, for LPIPS; the protocols say which.")
    for name, about in (
        ("limit", "How many examples, spread over the set; 0 is all."),
        ("seed", "Of the bootstrap and of the half sets."),
    ):
        flags.DEFINE_integer(name, 0, about, flag_values=values)
    flags.mark_flags_as_required(["protocol", "targets"], values)


def parse(arguments):
    """The arguments left after the flags; a mistake in them is one line and exit code 2."""
    try:
        return FLAGS(arguments)
    except flags.Error as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    __doc__ = f"{__doc__}\n{protocols.described()}\n"  # --help shows it
    define_flags()
    app.run(main, flags_parser=parse)
