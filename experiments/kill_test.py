"""Kills a run at random moments, finishes it, and compares it bit for bit with one that was never stopped.

python experiments/kill_test.py --config=configs/gan.py:smoke --kills 10 [--folder DIR] [--config.key=value ...]

Prints a table and exits with 1 if a parameter, an optimizer state, a line of metrics or a sample differs.
"""

import argparse
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import jax
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tryon_jax import checkpoint  # noqa: E402  (a clone need not be installed)

POLL = 0.01  # seconds between looks at a run
STARTING = 20.0  # seconds within which a run that stands past its target is killed


def last_step(workdir):
    """The step of the last whole line of metrics.jsonl; 0 if there is none yet."""
    file = workdir / "metrics.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    return json.loads(whole[-1])["step"] if whole else 0


def begin(command, workdir):
    """The training process, its talk in <workdir>.log."""
    with open(f"{workdir}.log", "a") as log:
        return subprocess.Popen([*command, f"--workdir={workdir}"], stdout=log, stderr=log)


def kill_once(command, workdir, target, draw):
    """Starts the run and kills it at a random moment. (last step seen, whether it was killed)

    If the run stands before step `target`, the moment is up to two steps after it, by the run's own pace; else it
    is while the run starts up, at the latest when it shows a new step.
    """
    before, behind = last_step(workdir), last_step(workdir) < target
    end = time.perf_counter() + draw.uniform(0, STARTING)
    process = begin(command, workdir)
    seen, at, pace = before, None, 0.0
    while process.poll() is None:
        step, now = last_step(workdir), time.perf_counter()
        if step != seen:
            pace = now - at if at else 0.0
            seen, at = step, now
        if step != before and step >= target or not behind and now > end:
            time.sleep(draw.uniform(0, max(2 * pace, POLL)) if behind else 0)
            process.send_signal(signal.SIGKILL)
            return last_step(workdir), process.wait() == -signal.SIGKILL
        time.sleep(POLL)
    if process.returncode:
        sys.exit(f"the run failed by itself, see {workdir}.log")
    return last_step(workdir), False


def compare(one, other):
    """Rows (what, how many, how many differ) of two finished runs."""
    trees = [jax.tree_util.tree_leaves_with_path(checkpoint.restore_tree(folder)) for folder in (one, other)]
    rows = []
    for part in ("params", "opt_state", "ema", "step"):
        leaves = [
            {jax.tree_util.keystr(path): leaf for path, leaf in tree if str(path[0].key) == part} for tree in trees
        ]
        same = leaves[0].keys() == leaves[1].keys()
        differ = sum(
            np.asarray(leaves[0][key]).tobytes() != np.asarray(leaves[1].get(key)).tobytes() for key in leaves[0]
        )
        rows.append((part, len(leaves[0]), differ if same else len(leaves[0])))
    lines = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (one, other)]
    differ = sum(a != b for a, b in zip(*lines, strict=False)) + abs(len(lines[0]) - len(lines[1]))
    rows.append(("metrics.jsonl lines", len(lines[0]), differ))
    pictures = sorted(path.name for path in (one / "samples").iterdir())
    differ = sum((one / "samples" / name).read_bytes() != (other / "samples" / name).read_bytes() for name in pictures)
    return [*rows, ("sample grids", len(pictures), differ)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the two runs lie; a new temporary folder by default")
    options, overrides = parser.parse_known_args()
    command = [sys.executable, "-m", "tryon_jax.main", f"--config={options.config}", *overrides]
    folder = pathlib.Path(options.folder or tempfile.mkdtemp(prefix="kill_test_"))
    folder.mkdir(parents=True, exist_ok=True)
    whole, killed = folder / "whole", folder / "killed"
    if whole.exists() or killed.exists():
        sys.exit(f"{folder}: it holds an earlier comparison; give another --folder")

    if begin(command, whole).wait():
        sys.exit(f"the run failed by itself, see {whole}.log")
    steps = last_step(whole)
    print(f"{options.config}: {steps} steps, both runs in {folder}", flush=True)

    draw = random.Random(options.seed)
    targets = sorted(draw.randrange(steps) for _ in range(options.kills))
    print("kill  after seeing step  newest checkpoint", flush=True)
    kills = 0
    for target in targets:
        seen, was_killed = kill_once(command, killed, target, draw)
        kills += was_killed
        kept = [int(path.name) for path in (killed / "checkpoints").glob("*") if path.name.isdigit()]
        print(f"{kills if was_killed else '-':>4}  {seen:>16}  {max(kept, default='none'):>17}", flush=True)
    if begin(command, killed).wait():
        sys.exit(f"the run failed by itself, see {killed}.log")

    rows = compare(whole, killed)
    print(f"{'compared bit for bit':<22}{'all':>6}{'differ':>8}")
    for name, count, differ in rows:
        print(f"{name:<22}{count:>6}{differ:>8}")
    print(f"{kills} kills: {'EQUAL' if not any(row[2] for row in rows) else 'DIFFERENT'}")
    sys.exit(any(row[2] for row in rows))


if __name__ == "__main__":
    main()
