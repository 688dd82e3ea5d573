"""How many views a second a lifted person is drawn at, by both paths, turn about; the machine's load beside it.

    python experiments/benchmark_view.py [--size 256] [--frames 60] [--rounds 15]

A held-out person's sheets at `size` pixels are lifted once (render.lift) and held on the device (render.view); each
path in turn then draws `frames` views of a turn, a new yaw each, and waits for the last. Medians over the rounds of
views a second on the wall, and of processor time a view. Exits with 1 if the C++ path draws fewer than 60 views a
second, or if a yaw was compiled anew.
"""

import argparse
import os
import pathlib
import sys
import time

import numpy as np
import tqdm

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments.check_lift import person  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax import native  # noqa: E402
from tryon_jax.render import view  # noqa: E402
from tryon_jax.render.lift import lift  # noqa: E402

PATHS = {"C++": "native", "JAX": "jax"}
PERSON = 5  # an arm before the trunk


def turn(held, yaws):
    """(views a second, milliseconds on the processor a view) of one turn of the View."""
    wall, busy = time.perf_counter(), time.process_time()
    for yaw in yaws:
        picture, overflow = view.draw(held, yaw)
    picture.block_until_ready()
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    if overflow:
        raise ValueError("a view overflowed the rasteriser: nothing was drawn")
    return len(yaws) / wall, 1000 * busy / len(yaws)


def main():
    """Measures, prints, and gives the exit status: 1 if a limit is missed."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--size", type=int, default=256, help="pixels a side of sheets and views")
    flags.add_argument("--frames", type=int, default=60)
    flags.add_argument("--rounds", type=int, default=15)
    chosen = flags.parse_args()
    if not native.available():
        print("error: no C++ kernel to time; install a compiler", file=sys.stderr)
        return 1
    sheets = person(PERSON, chosen.size)
    mesh = lift(sheets, sheets["camera"])
    held = {name: view.prepare(mesh, chosen.size, path=path) for name, path in PATHS.items()}
    yaws = np.arange(chosen.frames) * 2 * np.pi / chosen.frames
    for each in held.values():
        turn(each, yaws[:2])
    compiled, found = view._draw._cache_size(), {name: [] for name in held}
    before = os.getloadavg()[0]
    for _ in tqdm.trange(chosen.rounds, unit="round"):
        for name, each in held.items():
            found[name].append(turn(each, yaws))
    print(f"\n{len(mesh.faces):,} triangles, {chosen.size} px, 2 x 2 samples a pixel; {os.cpu_count()} cores, "
          f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after")  # fmt: skip
    print("| path | views/s | CPU ms a view |\n| ---- | ------: | ------------: |")
    for name, rows in found.items():
        print("| {} | {:.1f} | {:.2f} |".format(name, *np.median(rows, 0)))
    return judge(
        [
            Row("views a second, C++", np.median(found["C++"], 0)[0], ">=", 60, "{:.1f}"),
            Row("compilations while turning", view._draw._cache_size() - compiled, "=", 0, "{:.0f}"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
