"""A process that holds one contender of benchmark_step.py and takes its turns when told to.

    python experiments/twins/contender.py NAME FOLDER

FOLDER holds spec.json and is where contenders leave arrays for each other. Each line on the standard input names what
to do, each line on the standard output is the answer in JSON; all else that is printed goes to the standard error.
"""

import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("ours", "whole", "compiled", "eager")


def limit(threads):
    """Leaves this process, and those that it starts, so many threads. Before any library is imported."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["OMP_NUM_THREADS"] = str(threads)


def start(name, spec, folder):
    """The contender: an object with turn, count, rate and outputs (ours.py, theirs.py)."""
    if name in ("ours", "whole"):
        from experiments.twins.ours import Ours

        return Ours(spec, folder, augmenting=name == "whole")
    from experiments.twins.theirs import Theirs

    return Theirs(spec, folder, name)


def timed(function):
    """What a function returns, and the wall and CPU milliseconds that it takes."""
    begun = time.perf_counter(), time.process_time()
    found = function()
    return found, {
        "wall": 1000 * (time.perf_counter() - begun[0]),
        "cpu": 1000 * (time.process_time() - begun[1]),
    }


def peak():
    """The most memory in MiB that this process has held since `forget_peak`; None where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            held = dict(line.split(":", 1) for line in status)
        return int(held["VmHWM"].split()[0]) / 1024
    except (OSError, KeyError):
        return None


def forget_peak():
    """Starts the count of `peak` anew. Whether the system does so."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def answer(word, contender):
    """What the line `word` asks for."""
    if word == "first":  # its steps' losses, and the time that they took: compilation is part of it
        losses, spent = timed(contender.first)
        told = {"losses": losses, **spent, "peak": peak()}
        return {**told, "forgets": forget_peak()}
    if word == "turn":
        return timed(contender.turn)[1]
    if word == "peak":
        return {"peak": peak()}
    if word == "rate":
        return {"flops": contender.rate()}
    if word == "count":
        return {"flops": contender.count()}
    if word == "outputs":
        return {"path": contender.outputs()}
    raise ValueError(f"a contender cannot {word!r}")


def main():
    """Answers until the input ends."""
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    spec = json.loads((folder / "spec.json").read_text())
    # What libraries and compilers print would break the protocol.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    limit(spec["threads"])
    sys.path.insert(0, str(ROOT))
    contender = start(name, spec, folder)
    print(json.dumps({"device": contender.device}), file=told, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.strip(), contender)), file=told, flush=True)


if __name__ == "__main__":
    main()
