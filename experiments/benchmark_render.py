"""Our rasteriser against other ways to draw a mesh on a CPU: the same deforming mesh, the same outputs, in one run.

    python experiments/benchmark_render.py [--rounds 15] [--sizes 256 512] [--peers warp ...] [--quick]

A body in a draped T-shirt, about 51,000 triangles, whose vertices move from picture to picture, seen orthographically.
A picture is, of every pixel, the nearest and the farthest triangle: numbers, depth and eight attributes interpolated,
as numpy arrays; whatever a library has to do because vertices moved is part of it. render_peers.py says what each does.

Contenders take turns of TURN pictures each; medians over the rounds of CPU time (all threads of the process) and wall
time. Then how CPU time grows with triangles, resolution and batch, and the peak memory of processes that hold one
contender each. A peer that is missing or does not start is skipped, with the reason. Exits with 1 if a limit is missed.
They are all wanted by this program only: extra `bench`, better in an environment of its own, since Open3D brings much.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import tqdm

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a clone need not be installed

from experiments import render_chart, render_peers, render_scene  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402

TURN = 4  # pictures that a contender draws in a row, as loops do: what others left in the caches is soon forgotten
# Threads of a pool spin for a while after their work, at the cost of who is next: a turn begins when the process has
# rested for PAUSE seconds, that is, used less than REST of them, or after LONGEST.
PAUSE, REST, LONGEST = 0.02, 0.02, 2.0
# How many times as much CPU time peers take, at least: {side of the picture: {ours: {peer: times}}}.
LIMITS = {
    256: {
        "C++": {"warp": 3.5, "llvmpipe": 5.0, "Open3D": 5.0, "embreex": 10.0},
        "JAX": {"warp": 1.2, "llvmpipe": 2.0, "Open3D": 2.0, "embreex": 4.0},
    },
    512: {"C++": {"llvmpipe": 4.0}, "JAX": {"llvmpipe": 1.0}},
}
# What growth is measured over; triangles other than the scene's own are made coarser or finer from it.
COARSER, SIDES, BATCHES = (3000, 12000), (128, 256, 512, 1024), (1, 4, 16)
SIDE = 256  # of pictures, where something else grows
MEMORY = ((256, 1), (512, 16))  # (side, batch)
ROOM = 2048.0  # MiB that pure JAX may take at the last of them, all of the process included
DISTRIBUTIONS = {
    "C++": "jax", "JAX": "jax", "warp": "warp-lang", "llvmpipe": "moderngl", "Open3D": "open3d",
    "embreex": "embreex", "mitsuba": "mitsuba",
}  # fmt: skip


def begin(names, scene, size, skipped):
    """{name: Contender} of those that start; the reasons of the others are printed once and put into `skipped`."""
    found = {}
    for name in (name for name in names if name not in skipped):
        try:
            found[name] = render_peers.start(name, scene, size)
        # Whatever the drivers and libraries of a machine raise.
        except Exception as error:
            reason = (str(error) or repr(error)).splitlines()[0]
            if isinstance(error, ModuleNotFoundError):
                reason += f" (pip install {DISTRIBUTIONS[name]})"
            skipped[name] = reason
            print(f"{name} is skipped: {reason}", flush=True)
    return found


def measure(contenders, scene, size, rounds, what, batch=0):
    """{name: (CPU ms, wall ms) a picture}, medians of turns; batch: pictures of one call, 0 for one by one."""
    placed = scene.placed(size)
    turns = {
        name: [contender.laid(placed[index % len(placed)]) for index in range(batch or TURN)]
        for name, contender in contenders.items()
    }
    spent = {name: [] for name in contenders}
    # The first round compiles and warms up.
    for number in tqdm.trange(rounds + 1, desc=what, unit="round", mininterval=1.0):
        for name, contender in contenders.items():
            settle()
            start = time.process_time(), time.perf_counter()
            if batch:
                contender.draw_batch(turns[name])
            else:
                for vertices in turns[name]:
                    contender.draw(vertices)
            if number:
                spent[name].append((time.process_time() - start[0], time.perf_counter() - start[1]))
    return {name: 1000 * np.median(pairs, axis=0) / len(turns[name]) for name, pairs in spent.items()}


def settle():
    """Waits until no thread of this process works."""
    end = time.perf_counter() + LONGEST
    while time.perf_counter() < end:
        busy = time.process_time()
        time.sleep(PAUSE)
        if time.process_time() - busy < REST * PAUSE:
            return


def agreement(contenders, scene, size):
    """{name: (share of ids that are the first contender's, where either sees anything; pixels that only one of them
    covers; mean difference in mm of the depth, and of the attributes, where both do)}, over all frames."""
    first, found = None, {}
    for name, contender in contenders.items():
        drawn = []
        for vertices in scene.placed(size):
            layers = contender.draw(contender.laid(vertices))
            values = np.concatenate([np.array(part) for part in layers.values], -1)
            drawn.append((np.array(layers.ids), np.array(layers.depth), values))
        ids, depth, values = (np.stack(parts) for parts in zip(*drawn, strict=True))
        first = first or (ids, depth, values)
        seen, either, both = ids >= 0, (ids >= 0) | (first[0] >= 0), (ids >= 0) & (first[0] >= 0)
        found[name] = (
            (ids == first[0])[either].mean(), int((seen != (first[0] >= 0)).sum()),
            1000 * np.abs(depth - first[1])[both].mean(), np.abs(values - first[2])[both].mean(),
        )  # fmt: skip
    return found


def growth(names, scene, rounds, skipped):
    """{what grows: {how much: {name: CPU ms a picture}}}."""
    scenes = [*(render_scene.coarser(scene, wanted) for wanted in COARSER), scene, render_scene.finer(scene)]
    triangles = {len(one.faces): (one, SIDE, 0) for one in scenes}
    cases = {
        f"triangles, at {SIDE} px": triangles,
        f"side in pixels, {len(scene.faces):,} triangles": {side: (scene, side, 0) for side in SIDES},
        f"batch of pictures, at {SIDE} px": {batch: (scene, SIDE, batch) for batch in BATCHES},
    }
    found = {}
    for title, places in cases.items():
        found[title] = {}
        for place, (one, side, batch) in places.items():
            contenders = begin(names, one, side, skipped)
            times = measure(contenders, one, side, rounds, f"{place:,} {title}", batch)
            found[title][place] = {name: cpu for name, (cpu, _) in times.items()}
    return found


def peak():
    """(most memory that this process has held, memory that it holds), MiB."""
    try:
        # A child's ru_maxrss starts at what its parent held, since it is kept across exec.
        with open("/proc/self/status") as status:
            held = dict(line.split(":", 1) for line in status)
        return tuple(int(held[key].split()[0]) / 1024 for key in ("VmHWM", "VmRSS"))
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
        return most, most


def alone(name, path, size, batch):
    """Prints the peak memory of this process once it has drawn, and what it held before, as JSON."""
    scene = render_scene.load(path)
    contender = render_peers.start(name, scene, size)
    placed = scene.placed(size)
    given = [contender.laid(placed[index % len(placed)]) for index in range(batch)]
    before = peak()[1]
    kept = contender.draw_batch(given) if batch > 1 else contender.draw(given[0])
    print(json.dumps({"peak": peak()[0], "before": before, "pictures": len(kept.ids)}))


def memory(names, scene, settings, skipped):
    """{(side, batch): {name: (peak MiB, MiB of it that drawing added)}}, each in a process of its own."""
    found = {setting: {} for setting in settings}
    wanted = [(setting, name) for setting in settings for name in names if name not in skipped]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "scene.npz"
        scene.save(path)
        for setting, name in tqdm.tqdm(wanted, desc="memory", unit="process"):
            command = [sys.executable, __file__, "--alone", name, str(path), *map(str, setting)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                why = (done.stderr.strip().splitlines() or ["no message"])[-1]
                print(f"memory of {name} is not measured, its process ended with {done.returncode}: {why}")
                continue
            told = json.loads(done.stdout.splitlines()[-1])
            found[setting][name] = told["peak"], told["peak"] - told["before"]
    return found


def table(head, rows):
    """Prints a table in Markdown; the first column is text, the others are numbers as text."""
    widths = [max(len(str(row[column])) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * (width - 1) + ("-" if not column else ":") for column, width in enumerate(widths)], *rows]
    for line in lines:
        cells = [
            str(cell).rjust(width) if column else str(cell).ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)


def report(size, times, found):
    """Prints times and agreement at one side of the picture."""
    print(f"\n{size} px, a picture of two layers; ids, pixels, depth and attributes against {next(iter(times))}")
    rows = []
    for name, (cpu, wall) in times.items():
        against = [f"{cpu / times[ours][0]:.2f}" if ours in times else "" for ours in render_peers.PATHS]
        same, pixels, depth, values = found[name]
        label = f"{name} ({DISTRIBUTIONS[name]} {importlib.metadata.version(DISTRIBUTIONS[name])})"
        rows.append(
            [label, f"{cpu:.2f}", f"{wall:.2f}", *against, f"{same:.6f}", pixels, f"{depth:.5f}", f"{values:.1e}"]
        )
    ours = [f"over {name}" for name in render_peers.PATHS]
    table(["contender", "CPU ms", "wall ms", *ours, "same ids", "pixels off", "depth off mm", "attributes off"], rows)


def report_growth(grown):
    """Prints what `growth` found, a table for each thing that grows."""
    for title, places in grown.items():
        names = list(dict.fromkeys(name for times in places.values() for name in times))
        rows = [
            [f"{place:,}", *(f"{times[name]:.2f}" if name in times else "" for name in names)]
            for place, times in places.items()
        ]
        print("\nCPU ms a picture")
        table([title, *names], rows)


def report_memory(held):
    """Prints what `memory` found."""
    for (side, batch), found in held.items():
        print(f"\npeak memory of a process that draws {batch} at {side} px, and what drawing added to it, MiB")
        table(
            ["contender", "peak", "added"], [[name, *(f"{part:.0f}" for part in both)] for name, both in found.items()]
        )


def picture(path, *drawn):
    """Draws the chart, or says why there is none."""
    try:
        render_chart.draw(path, *drawn)
        print(path)
    except ImportError as error:
        print(f"no picture is drawn: {error} (pip install matplotlib)")


def judged(size, times):
    """The Rows of the limits at one side of the picture, of whom was measured."""
    for ours, peers in LIMITS.get(size, {}).items():
        for peer, times_as_much in peers.items():
            if ours in times and peer in times:
                what = f"{size} px: CPU time of {peer} over {ours}"
                yield Row(what, times[peer][0] / times[ours][0], ">=", times_as_much, "{:.2f}")


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each, of which medians are taken")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="sides of pictures in pixels")
    peers = [name for name in render_peers.NAMES if name not in render_peers.PATHS]
    parser.add_argument("--peers", nargs="*", default=peers, choices=peers)
    parser.add_argument("--quick", action="store_true", help="no growth, and the memory that has a limit only")
    parser.add_argument("--out", default="runs/benchmark_render.png", help="PNG to write")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Prints what was found beside what is wanted; returns the exit status."""
    given = arguments()
    if given.alone:
        name, path, size, batch = given.alone
        return alone(name, path, int(size), int(batch))
    names, skipped, rows = (*render_peers.PATHS, *given.peers), {}, []
    scene = render_scene.dressed()
    print(f"{len(scene.faces):,} triangles, {os.cpu_count()} cores, medians of {given.rounds} turns of {TURN} pictures")
    for size in given.sizes:
        contenders = begin(names, scene, size, skipped)
        times = measure(contenders, scene, size, given.rounds, f"{size} px")
        report(size, times, agreement(contenders, scene, size))
        rows += judged(size, times)
    grown = {} if given.quick else growth(names, scene, max(3, given.rounds // 3), skipped)
    report_growth(grown)
    # The limit is that of pure JAX at the last setting.
    held = memory(names, scene, MEMORY, skipped) if grown else memory(("JAX",), scene, MEMORY[-1:], skipped)
    report_memory(held)
    last, (side, batch) = held[MEMORY[-1]], MEMORY[-1]
    if "JAX" in last:
        rows.append(Row(f"MiB of pure JAX at {side} px, batch {batch}", last["JAX"][0], "<", ROOM, "{:.0f}"))
    if grown:
        picture(given.out, grown, {name: most for name, (most, _) in last.items()}, f"{side} px, batch {batch}")
    return judge(rows)


if __name__ == "__main__":
    sys.exit(main())
