"""Searches a config's keys: trials of a grid or at random, each a run by itself, ranked by a score.

    python experiments/sweep.py --config=configs/gan.py:smoke --out=runs/sweep --trials=12 --score=evaluate/kid_fixed \\
        --set optimizer.learning_rate=1e-3:1e-2:log --set model.latent_dim=16,32,64 [--config.train.steps=200 ...]

OUT holds sweep.json (what is searched), each trial's folder and log, results.jsonl (a line a trial: values, status,
scores, seconds), table.md and sweep.png. The same command goes on where the sweep stands; with more --trials it goes
further. A trial that fails is recorded with its reason and stops no other. matplotlib (extra `bench`) draws the chart.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import tqdm

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from experiments import sweep_report, sweep_space  # noqa: E402  (a clone need not be installed)
from experiments.kill_test import last_step  # noqa: E402
from tryon_jax import checkpoint, summaries  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402

SYNTAX = """\
what --set takes, once for each key:
  key=a,b,c               a list, of numbers or texts: model.latent_dim=16,32,64
  "key=(a,b);(c,d)"       a list of tuples, parted by semicolons: "model.features=(8,8,16,16);(16,16,16,16)"
  key=low:high            a range, both ends included (random only): loss.depth=10:30
  key=low:high:log        the same, evenly in the logarithm: optimizer.learning_rate=1e-3:1e-2:log
  key=low:high[:log]:int  whole numbers; a key that holds a whole number draws them anyway
Any other --config.key=value holds for all trials."""
PROGRAM = (sys.executable, "-m", "tryon_jax.main")
# Exit statuses of a run that somebody stopped; it goes on at the next start.
STOPPED = (130, -signal.SIGINT, -signal.SIGTERM)
LOOK = 1.0  # seconds between looks at a trial


def begin(out, wanted):
    """Writes `wanted`, nested dicts, to OUT/sweep.json. Raises UserError if OUT holds another sweep already."""
    path, wanted = pathlib.Path(out) / "sweep.json", json.loads(json.dumps(wanted))
    if not path.exists():
        summaries.write_json(path, wanted)
        return
    try:
        own = sweep_space.leaves(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); it is the sweep's space as JSON") from None
    given = sweep_space.leaves(wanted)
    for key in sorted(own.keys() | given.keys()):
        if own.get(key) != given.get(key):
            raise UserError(
                f"{out}: it holds another sweep: {key} is {own.get(key, 'absent')} there and "
                f"{given.get(key, 'absent')} here. Nothing was changed; choose another --out"
            )


def read(out):
    """{trial: its result} of OUT/results.jsonl; empty if there is none."""
    path = pathlib.Path(out) / "results.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        found = [checkpoint.as_tuples(json.loads(line)) for line in lines]
        return {result["trial"]: result for result in found}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error}); delete it, finished trials are found again") from None


def write(out, results):
    """Writes OUT/results.jsonl, in the order of trials; the file is either the old one or the whole new one."""
    path = pathlib.Path(out) / "results.jsonl"
    beside = path.with_name(path.name + ".part")
    beside.write_text("".join(json.dumps(results[name], allow_nan=False) + "\n" for name in sorted(results)))
    os.replace(beside, path)


def run(out, trials, fixed, score, steps, retry=False, program=PROGRAM):
    """Runs what is left of `trials`, {name: values}, in OUT; gives {name: result} of all that OUT has.

    fixed: arguments of every trial; steps: how long a trial is where its values do not say; retry: failed ones too.
    Raises UserError if the trials have no such score; KeyboardInterrupt when stopped, what was reached being recorded.
    """
    results = read(out)
    sweep_report.check_score(results.values(), score)
    settled = {"finished"} if retry else {"finished", "failed"}
    left = [name for name in trials if results.get(name, {"status": None})["status"] not in settled]
    with _bar(len(trials), len(trials) - len(left)) as bar:
        for number, name in enumerate(left, len(trials) - len(left)):
            values, folder, log = trials[name], pathlib.Path(out) / name, pathlib.Path(out) / f"{name}.log"
            with checkpoint.held(folder):
                pass  # a sweep that was killed may have left a trial running there: it would be taken for a failure
            bar.set_description(name.partition("_")[0])
            spent = results[name]["seconds"] if name in results else 0.0
            start, said, code = time.perf_counter(), log.stat().st_size if log.exists() else 0, STOPPED[0]
            try:
                command = [*program, *fixed, f"--workdir={folder}", *sweep_space.as_flags(values)]
                code = _wait(command, log, _progress(bar, number, folder, values.get("train.steps", steps)))
            finally:
                spent += time.perf_counter() - start
                results[name] = _result(name, values, folder, code, log, said, spent)
                write(out, results)
            bar.update(number + 1 - bar.n)
            sweep_report.check_score([results[name]], score)
    return results


def _result(name, values, folder, code, log, said, seconds):
    """A line of results.jsonl; said: how long the log was before, in bytes."""
    status = "finished" if code == 0 else "interrupted" if code in STOPPED else "failed"
    step, found = sweep_report.scores(folder)
    error = ""
    if status == "failed":
        error = sweep_report.reason(log.read_bytes()[said:].decode(errors="replace"), code)
    return {
        "trial": name, "values": values, "status": status, "seconds": round(seconds, 1), "step": step,
        "scores": found, "error": error,
    }  # fmt: skip


def _wait(command, log, look):
    """The exit status of a process, its talk in `log`; looks at it now and then, and takes it along when stopped."""
    with open(log, "a") as talk:
        process = subprocess.Popen(command, stdout=talk, stderr=talk, stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                return process.wait(LOOK)
            except subprocess.TimeoutExpired:
                look()
    finally:
        process.terminate()
        process.wait()


def _bar(total, done):
    """A progress bar of trials, with parts of one, and the time left."""
    often = 0.5 if sys.stderr.isatty() else 30  # seconds; a log file gets a line now and then
    shape = "trial {desc}{percentage:3.0f}%|{bar}| {n:.2f}/{total} [{elapsed}<{remaining}]"
    return tqdm.tqdm(
        total=total, initial=done, bar_format=shape, mininterval=often, miniters=0, smoothing=0, dynamic_ncols=True
    )


def _progress(bar, before, folder, steps):
    """A function that moves the bar to where the run in `folder` stands, `before` trials being over."""

    def look():
        bar.update(before + min(1.0, last_step(folder) / steps) - bar.n)

    return look


def report(out, space, results, score, goal):
    """Prints and writes the table, draws the chart, names the best trial."""
    rows = [results[name] for name in sorted(results)]
    text = sweep_report.table(rows, score, goal)
    (pathlib.Path(out) / "table.md").write_text(text + "\n")
    print(text)
    for best in sweep_report.ranked(rows, score, goal)[:1]:
        print(f"best: {pathlib.Path(out) / best['trial']}: {' '.join(sweep_space.as_flags(best['values']))}")
    path = pathlib.Path(out) / "sweep.png"
    try:
        sweep_report.chart(path, space, rows, score, goal)
        print(path)
    except ImportError as error:
        print(f"no picture is drawn: {error} (pip install matplotlib)")


def arguments(given=None):
    """(options, --config.key=value texts) of the command line, or of a list of texts."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=SYNTAX,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", required=True, help="FILE or FILE:PRESET, as tryon_jax.main takes it")
    parser.add_argument("--out", required=True, help="the sweep's folder")
    parser.add_argument("--set", action="append", required=True, metavar="KEY=VALUES", help="what is searched, below")
    parser.add_argument("--score", required=True, help="what ranks the trials, e.g. evaluate/kid_fixed")
    parser.add_argument("--goal", choices=("min", "max"), default="min", help="which score is best (default: min)")
    parser.add_argument("--mode", choices=sweep_space.MODES, default="random", help="default: random")
    parser.add_argument("--trials", type=int, help="how many in all; a grid has all of its own by default")
    parser.add_argument("--seed", type=int, default=0, help="of random trials, 0 or more")
    parser.add_argument("--retry", action="store_true", help="run failed trials again")
    return parser.parse_known_args(given)


def main(given=None, program=PROGRAM):
    """Searches; returns the exit status, 1 if no trial is finished and 130 if it was stopped."""
    options, overrides = arguments(given)
    if options.seed < 0:
        raise UserError(f"--seed={options.seed}: give 0 or more")
    sweep_space.check(options.config, overrides)
    space = sweep_space.parse(options.set, options.mode, options.config, overrides)
    drawn = sweep_space.trials(space, options.mode, options.seed, options.trials)
    trials = {sweep_space.name(number, values): values for number, values in enumerate(drawn)}
    config = sweep_space.locked(options.config, overrides)
    wanted = {
        "mode": options.mode,
        "seed": options.seed,
        "space": {axis.key: {name: value for name, value in axis._asdict().items() if name != "key"} for axis in space},
        "config": config.to_dict(),
    }
    fixed = [f"--config={options.config}", *overrides]
    with checkpoint.held(options.out):
        begin(options.out, wanted)
        try:
            results = run(options.out, trials, fixed, options.score, config.train.steps, options.retry, program)
            code = int(all(found["status"] != "finished" for found in results.values()))
        except KeyboardInterrupt:
            results, code = read(options.out), 130
        report(options.out, space, results, options.score, options.goal)
    if code == 130:
        print("stopped; the same command goes on")
    return code


if __name__ == "__main__":
    # A cluster ends a job by SIGTERM; like Ctrl-C, it takes the running trial along.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"error: {error}")
