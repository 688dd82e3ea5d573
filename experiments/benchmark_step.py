"""Our training steps beside the same networks in PyTorch: same layers, losses and optimizers, turn about in one run.

    python experiments/benchmark_step.py [--stages ssl transfer gan] [--sizes 64] [--rounds 9] [--threads 2]

A step is forward pass, losses, gradients, clipping, Adam or Muon, and the average of parameters, as the stage's config
at preset cpu has them, on a batch that was augmented beforehand: our own step (parallel.train_step), its twin under
torch.compile, and the twin eager. "whole" is our step as training runs it, augmentation included. experiments/twins
says how a twin is built; that it does the same work is shown by what it finds: from the same parameters the same maps,
and the same losses step after step.

Each contender has a process of its own, `threads` threads and, as training has it, memory in large pages
(tryon_jax.large_pages); they take turns: medians of wall and CPU time (all threads of the process). Compilation is the
first turn less a median one, with empty caches. Memory is the most that the process held while stepping, and, in
brackets, compiling. FLOPs are those of the twin's convolutions and products; the share is of the fastest large matrix
product that any contender made here. Exits with 1 if a limit is missed.
PyTorch is wanted by this program only: extra `twins`.
"""

import argparse
import importlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import tqdm

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone need not be installed

from experiments.benchmark_render import table  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from experiments.twins import arrays  # noqa: E402
from experiments.twins.contender import NAMES  # noqa: E402
from tryon_jax import large_pages  # noqa: E402

# The most wall time that ours may take, in times of the twin's: of torch.compile's or the eager one's, the faster.
LIMITS = {"ssl": 1.0, "transfer": 1.0, "gan": 1.2}
# The most that maps may differ, as a share of the largest number in each, and losses of the first turn's steps, as a
# share of each: rounding, which Muon makes larger where a gradient is nearly of low rank.
MAPS, LOSSES = 1e-4, 1e-3
# Steps of a turn: every second of ssl looks twice, every eighth of a gan has the penalty.
TURNS = {"ssl": 4, "transfer": 4, "gan": 8}
BATCHES = {64: 16, 128: 8, 256: 4}  # of other sides: BATCH
BATCH = 4
PAUSE = 0.05  # seconds between turns, in which threads that spin after their work come to rest
TWINS = ("compiled", "eager")
WORDS = {"ours": "JAX (ours)", "whole": "with augmentation", "compiled": "torch.compile", "eager": "PyTorch eager"}


class Process:
    """A contender in its process (twins/contender.py)."""

    def __init__(self, name, folder):
        self.name, self.errors = name, open(folder / f"{name}.log", "w+", errors="replace")
        command = [sys.executable, str(ROOT / "experiments" / "twins" / "contender.py"), name, str(folder)]
        # Nobody may find what an earlier run has compiled.
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"), "CUDA_VISIBLE_DEVICES": "0"}
        environment = {**environment, "JAX_ENABLE_COMPILATION_CACHE": "false", "PYTHONPATH": str(ROOT)}
        environment = large_pages.here(environment) or environment
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors, "text": True}
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, **pipes)
        self.device = self._answer()["device"]

    def ask(self, word):
        """The answer to a word of twins/contender.py. Raises RuntimeError with its last words if the process ended."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            said = (self.errors.read().strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"the process of {self.name} ended with {self.process.returncode}: {said}")
        return json.loads(line)

    def end(self):
        """Ends the process."""
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def specification(stage, size, threads, seed=0):
    """What contenders are told, JSON; the config is the stage's at preset cpu with pictures of `size`."""
    config = importlib.import_module(f"configs.{stage}").get_config("cpu")
    config.batch_size = BATCHES.get(size, BATCH)
    config.model.size, config.mask.patch = size, size // 16
    told = {"stage": stage, "size": size, "batch": config.batch_size, "threads": threads, "seed": seed}
    return {**told, "turn": TURNS[stage], "config": config.to_dict()}


def measure(spec, names, rounds):
    """{name: what was measured of it}, and the two differences of `agreement`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "spec.json").write_text(json.dumps(spec))
        held = {}
        try:
            found = {name: {} for name in names}
            for name in tqdm.tqdm(names, desc="starting and compiling", unit="contender"):
                held[name] = Process(name, folder)
                found[name] |= {"device": held[name].device, "first": held[name].ask("first")}
            _take_turns(held, found, rounds, spec)
            counter = next((name for name in names if name in TWINS), None)
            flops = {name: held[name].ask("count")["flops"] for name in ("ours", counter) if name}
            for name, process in held.items():
                found[name] |= {"rate": process.ask("rate")["flops"], "flops": flops.get(name)}
            return found, agreement(held, found, counter) if counter else None
        finally:
            for process in held.values():
                process.end()


def _take_turns(held, found, rounds, spec):
    spent = {name: [] for name in held}
    for number in tqdm.trange(rounds, desc=f"{spec['stage']} {spec['size']} px", unit="round", mininterval=1.0):
        # In another order each time: who comes after whom finds other caches and other pages free.
        for name in np.random.default_rng(number).permutation(list(held)):
            time.sleep(PAUSE)
            took = held[name].ask("turn")
            spent[name].append([took["wall"], took["cpu"]])
    for name, process in held.items():
        wall, cpu = np.median(spent[name], axis=0)
        first = found[name]["first"]
        forgets = first["forgets"]
        found[name] |= {
            "wall": wall / spec["turn"],
            "cpu": cpu / spec["turn"],
            "compile": (first["wall"] - wall) / 1000,
            "compile_peak": first["peak"],
            "peak": process.ask("peak")["peak"] if forgets else None,
        }


def agreement(held, found, counter):
    """(largest difference of maps, the map's name; largest difference of losses, the step's and the loss's name).

    Of maps, ours against the twin's from the same parameters, as shares of the largest number of each; of losses, ours
    against each twin's over the first turn, as shares of each, or of the whole loss where that is larger than it.
    """
    ours, theirs = (arrays.load(held[name].ask("outputs")["path"]) for name in ("ours", counter))
    shared = sorted(ours.keys() & theirs.keys())
    maps = max((np.abs(ours[name] - theirs[name]).max() / np.abs(ours[name]).max(), name) for name in shared)
    losses = (0.0, "none")
    for name in (name for name in found if name in TWINS):
        steps = zip(found["ours"]["first"]["losses"], found[name]["first"]["losses"], strict=True)
        for number, (mine, its) in enumerate(steps):
            for term in sorted(mine.keys() & its.keys()):
                share = abs(mine[term] - its[term]) / max(abs(mine[term]), 1.0)
                losses = max(losses, (share, f"{term} of step {number}, {name}"))
    return {"maps": maps, "losses": losses, "counted": (len(shared), len(mine.keys() & its.keys()))}


def faster(found):
    """Name of the twin whose steps take the least wall time; None if none was measured."""
    return min((name for name in found if name in TWINS), key=lambda name: found[name]["wall"], default=None)


def report(spec, found, agreed):
    """Prints what was measured of one stage at one size."""
    print(f"\n{spec['stage']}, {spec['size']} px, batch {spec['batch']}, {spec['threads']} threads, "
          f"optimizer {spec['config']['optimizer']['name']}")  # fmt: skip
    fastest = max(one["rate"] for one in found.values())
    flops = next((found[name]["flops"] for name in TWINS if found.get(name, {}).get("flops")), None)
    twin = found.get(faster(found))
    rows = []
    for name, one in found.items():
        memory = "" if one["compile_peak"] is None else f"({one['compile_peak']:.0f})"
        memory = memory if one["peak"] is None else f"{one['peak']:.0f} {memory}"
        share = f"{100 * flops / (one['wall'] / 1000) / fastest:.0f} %" if flops and name != "whole" else ""
        ratios = [f"{one[kind] / twin[kind]:.2f}" if twin else "" for kind in ("wall", "cpu")]
        times = [f"{one['wall']:.1f}", f"{one['cpu']:.1f}", *ratios, f"{1000 * spec['batch'] / one['wall']:.1f}"]
        rows.append([WORDS[name], *times, f"{one['compile']:.0f}", memory, share])
    table(
        ["contender", "wall ms", "CPU ms", "wall x", "CPU x", "images/s", "compiles s", "MiB", "of peak"],
        rows,
    )
    print(f"x: over the faster twin's; peak: {fastest / 1e9:.0f} GFLOP/s; a step of the twin: "
          f"{(flops or np.nan) / 1e9:.2f} GFLOP; ours, by XLA's count: {found['ours']['flops'] / 1e9:.2f}")  # fmt: skip
    if "whole" in found:
        print(f"augmentation takes {found['whole']['wall'] - found['ours']['wall']:.1f} ms of a step, "
              f"{found['whole']['cpu'] - found['ours']['cpu']:.1f} of the processor's")  # fmt: skip
    if agreed:
        (maps, which), (losses, where), (many, terms) = agreed["maps"], agreed["losses"], agreed["counted"]
        print(f"outputs agree to {maps:.1e} of their range ({many} maps; {which} the worst), "
              f"{terms} losses over {spec['turn']} steps to {losses:.1e} ({where})")  # fmt: skip


def judged(spec, found, agreed):
    """The Rows of the limits of one stage at one size, of whom was measured."""
    what, limit = f"{spec['stage']}, {spec['size']} px", LIMITS[spec["stage"]]
    twin = faster(found)
    if twin:
        yield Row(f"{what}: wall over {WORDS[twin]}'s", found["ours"]["wall"] / found[twin]["wall"], "<=", limit)
    if agreed:
        yield Row(f"{what}: maps differ by", agreed["maps"][0], "<=", MAPS)
        yield Row(f"{what}: losses differ by", agreed["losses"][0], "<=", LOSSES)


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", nargs="+", default=list(LIMITS), choices=list(LIMITS))
    parser.add_argument("--sizes", type=int, nargs="+", default=[64], help="sides of pictures in pixels, powers of two")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each, of which medians are taken")
    parser.add_argument("--threads", type=int, default=2, help="of each contender")
    others = NAMES[1:]
    parser.add_argument("--others", nargs="*", default=others, choices=others, help="contenders beside our step")
    return parser.parse_args()


def main():
    """Prints what was found beside what is wanted; returns the exit status."""
    given = arguments()
    if any(size < 32 or size & (size - 1) for size in given.sizes):
        print("error: --sizes: give powers of two from 32 on", file=sys.stderr)
        return 1
    if not importlib.util.find_spec("torch") and set(TWINS) & set(given.others):
        print('error: no PyTorch to compare with: pip install -e ".[twins]", or --others whole', file=sys.stderr)
        return 1
    names, rows = ("ours", *(name for name in NAMES[1:] if name in given.others)), []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, medians of {given.rounds} turns")
    for size in given.sizes:
        for stage in given.stages:
            spec = specification(stage, size, given.threads)
            found, agreed = measure(spec, names, given.rounds)
            report(spec, found, agreed)
            rows += judged(spec, found, agreed)
    return judge(rows) if rows else 0


if __name__ == "__main__":
    sys.exit(main())
