"""Our drape against the same XPBD in warp on the CPU: the same cloth, start, body and schedule, until both hang still.

    python experiments/benchmark_drape.py [--rounds 5] [--garments tshirt skirt]

Prints, for one core and for all: medians of CPU and wall time of whole coarse-to-fine solves in the A-pose, stretch
and share inside the body; then the CPU time of our whole drapes into a pose, by phase, at three sizes. Warp is wanted
by this program only: `pip install warp-lang`. Warp has no cloth solver any more, so warp_xpbd.py writes ours with its
kernels; on a CPU it runs a kernel's threads one after another, so that more cores do not help it.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if "--one-core" in sys.argv and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX starts its threads

import jax  # noqa: E402
import numpy as np  # noqa: E402

from tryon_jax import garments  # noqa: E402  (a clone need not be installed)
from tryon_jax.garments import placement, sewn  # noqa: E402
from tryon_jax.simulation import body, drape, gates, level  # noqa: E402
from tryon_jax.simulation.fabric import FABRICS  # noqa: E402

SHAPE = np.array([0.9, 0.7, 0.5, 0.45, 0.5, 0.5], np.float32)
# Spacings in metres of the first of two levels that end near 5,000 vertices on that body.
SPACING = {"tshirt": 0.026, "skirt": 0.030}
# (spacing, levels) whose T-shirts on that body have about 2,000, 5,000 and 10,000 vertices.
SIZES = ((0.040, 2), (0.026, 2), (0.036, 3))
# A solver is done when 14 more frames at the fine level change the mean stretch by less than this share, and has failed
# if that takes MOST times 14 frames. Stretch grows while the cloth sinks to its place, so no threshold of it would do.
STILL, MOST = 0.02, 12


class Scene:
    """A garment at two levels on a body that stands still, as both solvers take it."""

    def __init__(self, model, name, fabric):
        self.fabric, self.moving = fabric, drape.motion(model, SHAPE, body.Pose("a_pose", {}, 0.0))
        pattern = middle_pattern(name, self.moving)
        start = time.process_time()
        self.bodies = drape.colliders(self.moving)
        self.collider_seconds = time.process_time() - start
        coarse = sewn.sew(pattern, SPACING[name])
        fine = sewn.refine(coarse, pattern)
        self.placed, self.panels = placement.place(pattern, coarse, self.moving.rest, self.moving.figure, placement.GAP)
        self.source = drape._prolongation(coarse, fine)
        common = (self.moving, self.bodies, fabric, 0.0)
        self.levels = [level.prepare(pattern, mesh, *common) for mesh in (coarse, fine)]

    def report(self, x):
        """(mean and 95th percentile of the stretch, share deeper inside the body than gates.DEEP) of x [V, 3]."""
        fine = self.levels[-1]
        start, end = fine.edges.T
        stretch = np.linalg.norm(x[start] - x[end], axis=1) / fine.lengths - 1
        high = gates.heights(x, gates.surface(self.moving.vertices[-1], self.moving.rest.faces))
        return np.abs(stretch).mean(), np.percentile(stretch, 95), (high < -gates.DEEP).mean()


class Ours:
    """simulation.cloth on a Scene, level after level as drape.drape runs it."""

    def __init__(self, scene):
        self.scene, self.now = scene, -1

    def run(self, number, x, schedule):
        """Positions [V, 3] of level `number` after a schedule, from x [V, 3] or where the last run ended."""
        coarse, fine = self.scene.levels
        if number == 0:
            self.level, lanes, self.near = level.touching(coarse, x, self.scene.panels, (-np.inf, 0.0))
        else:
            if self.now == 0:
                self.level = level.inherited(fine, self.level, self.scene.source)
                _, self.near = level.prolonged(self.level, self.x, self.near, self.scene.source)
            lanes = np.zeros((3, len(self.level.cloth.area)), np.float32)
            lanes[:, : self.level.count] = x.T
        self.now = number
        self.x, self.near, _ = level.run(self.level, lanes, self.near, schedule)
        return np.asarray(self.x)[:, : self.level.count].T


class Warp:
    """warp_xpbd on a Scene; records its launches on building, as ours compiles."""

    def __init__(self, scene):
        import warp_xpbd

        start = time.process_time()
        mesh = warp_xpbd.body(scene.moving.vertices[-1], scene.moving.rest.faces)
        self.collider_seconds = time.process_time() - start
        bending, friction = scene.fabric.bending / scene.fabric.density, scene.fabric.friction
        self.solvers = [
            warp_xpbd.Solver(one.cloth, one.count, one.pins[0], mesh, bending, friction) for one in scene.levels
        ]

    def run(self, number, x, schedule):
        """As Ours.run."""
        return self.solvers[number].run(x, schedule)


def solve(engine, scene):
    """(positions [V, 3], rounds at the fine level, CPU and wall seconds) of a solve until it is still."""
    spent = np.zeros(2)

    def timed(number, x, schedule):
        start = np.array([time.process_time(), time.perf_counter()])
        x = engine.run(number, x, schedule)
        spent[:] += np.array([time.process_time(), time.perf_counter()]) - start
        return x

    x = timed(0, scene.placed, drape.ASSEMBLE)
    x = timed(0, x, drape.REST)[scene.source].mean(1)
    stretch, before, rounds = 1.0, 0.0, 0
    while abs(stretch - before) > STILL * stretch and rounds < MOST:
        x, rounds = timed(1, x, drape.SETTLE_A), rounds + 1
        stretch, before = scene.report(x)[0], stretch
    return x, rounds, spent


def compare(model, name, rounds):
    """Prints the lines of one garment: both solvers in turn, medians over `rounds`."""
    scene = Scene(model, name, FABRICS["cotton"])
    engines = {"ours": Ours(scene)}
    if importlib.util.find_spec("warp"):
        engines["warp"] = Warp(scene)
    for engine in engines.values():
        solve(engine, scene)  # compiles
    seconds = {key: [] for key in engines}
    for _ in range(rounds):
        for key, engine in engines.items():
            found = solve(engine, scene)
            seconds[key].append(found[2])
            engine.found = found
    medians = {key: np.median(spent, axis=0) for key, spent in seconds.items()}
    for key, engine in engines.items():
        x, settled, _ = engine.found
        mean, high, inside = scene.report(x)
        cpu, wall = medians[key]
        ratio = "".join(f"{ours / its:8.2f} " for ours, its in zip(medians["ours"], medians[key], strict=True))
        collider_seconds = getattr(engine, "collider_seconds", scene.collider_seconds)
        print(
            f"{name:9}{len(x):8}  {key:7}{14 * settled:6} {cpu:8.3f} {wall:8.3f} {ratio}"
            f"{100 * mean:7.2f}% {100 * high:7.2f}% {100 * inside:7.2f}% {collider_seconds:8.3f}",
            flush=True,
        )


def middle_pattern(name, moving):
    """The pattern of the garment called `name`, its parameters in the middle of their ranges."""
    ranges = garments.load(name).PARAMETERS
    middle = {key: (low + high) / 2 for key, (low, high) in ranges.items()}
    return garments.load(name).pattern(middle, moving.figure.measurements)


class Phases:
    """CPU seconds in the functions of other modules, which it wraps while it is entered."""

    PLACES = (
        ("sewing", sewn, "sew"), ("sewing", sewn, "refine"), ("placing", placement, "place"),
        ("preparing", level, "prepare"), ("solving", level, "run"), ("starting", level, "touching"),
    )  # fmt: skip

    def __init__(self):
        self.seconds = dict.fromkeys((phase for phase, _, _ in self.PLACES), 0.0)

    def __enter__(self):
        self.kept = [(place, name, getattr(place, name)) for _, place, name in self.PLACES]
        for (phase, _, _), (place, name, function) in zip(self.PLACES, self.kept, strict=True):
            setattr(place, name, self._timed(phase, function))
        return self

    def __exit__(self, *_):
        for place, name, function in self.kept:
            setattr(place, name, function)

    def _timed(self, phase, function):
        def timed(*arguments, **named):
            start = time.process_time()
            # Solving comes back before it is done.
            done = jax.block_until_ready(function(*arguments, **named))
            self.seconds[phase] += time.process_time() - start
            return done

        return timed


def phases(model, rounds):
    """Prints our CPU seconds a T-shirt, draped into a standing pose, by phase and size."""
    pose = body.sample_pose(np.random.default_rng(0), "standing")
    moving = drape.motion(model, SHAPE, pose)
    pattern, bodies = middle_pattern("tshirt", moving), drape.colliders(moving)
    print(
        f"\n{'vertices':>9}"
        + "".join(f"{name:>10}" for name in dict.fromkeys(p[0] for p in Phases.PLACES))
        + "     total   strain95    inside"
    )
    for spacing, levels in SIZES:
        rows = []
        for _ in range(rounds + 1):
            start = time.process_time()
            with Phases() as clock:
                draped = drape.drape(pattern, moving, bodies, FABRICS["cotton"], levels, spacing)
            rows.append([*clock.seconds.values(), time.process_time() - start])
        report = gates.report(draped, moving)
        middle = np.median(rows[1:], axis=0)  # the first compiles
        print(
            f"{len(draped.vertices):9}" + "".join(f"{value:10.3f}" for value in middle)
            + f"{100 * report.strain:9.2f} %{100 * report.inside:8.2f} %", flush=True,
        )  # fmt: skip


def main():
    """Runs itself on one core and on all."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--rounds", type=int, default=5, help="repetitions, of which the medians are taken")
    flags.add_argument("--garments", nargs="+", default=list(SPACING), choices=list(SPACING))
    flags.add_argument("--one-core", action="store_true", help="only this half of the measurement")
    flags.add_argument("--all-cores", action="store_true", help="only this half of the measurement")
    chosen = flags.parse_args()
    if not (chosen.one_core or chosen.all_cores):
        if not importlib.util.find_spec("warp"):
            print("warp is not installed: only ours is timed. To compare: pip install warp-lang", flush=True)
        for half in ("--one-core", "--all-cores"):
            subprocess.run([sys.executable, __file__, *sys.argv[1:], half], check=True)
        return
    model = body.load()
    cores = "one core" if chosen.one_core else f"all {os.cpu_count()} cores"
    print(f"\n{cores}; x: ours over its; frames at the fine level; collider: CPU s to make it, not in the CPU s")
    names = ("CPU s", "wall s", "CPU x", "wall x", "stretch", "95th", "inside", "collider")
    print("garment  vertices         frames " + "".join(f"{name:>8} " for name in names))
    for name in chosen.garments:
        compare(model, name, chosen.rounds)
    if chosen.one_core:
        phases(model, chosen.rounds)


if __name__ == "__main__":
    main()
