"""How fast made data come, by how many examples share a body's drapes: two processes, as a preset is made.

    python experiments/benchmark_data.py [--examples-a-body 4 16] [--bodies 12] [--processes 2]

Each body is dressed twice, in three or four drapes, which all of its examples share. The presets take four examples a
body, since networks want people more than pictures of the same, and the limit is theirs; sixteen show what sharing
saves.
Bodies of the ways of sharing come by turns, so that a machine that slows down does so for all. Compiling is left out.
"""

import argparse
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from experiments import processes  # noqa: E402  (a clone need not be installed)
from experiments.limits import Row, judge  # noqa: E402

SIZE, SEED, FIRST = 64, 0, 2000  # pixels a side; bodies from FIRST on are in no preset's test split
LIMIT, SHARED = 10.0, 4  # examples a second with so many examples a body: specification.EXAMPLES_A_BODY


def timed(task):
    """(wall, processor seconds, drapes) of `share` examples of a body; task: (body, share)."""
    from tryon_jax.data.synthetic import records
    from tryon_jax.simulation import scene, specification, wardrobe

    body, share = task
    wall, processor = time.perf_counter(), time.process_time()
    for number in range(body * share, body * share + share):
        spec = specification.sample("train", number, SEED, share)
        records.pack(scene.example(spec, SIZE), spec.identities(), scene.about(spec, SIZE))
    spent = time.perf_counter() - wall, time.process_time() - processor
    return *spent, wardrobe.dress(spec.body_id, SEED, scene.cloth_levels(SIZE)).drapes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples-a-body", type=int, nargs="+", default=[SHARED, 16])
    parser.add_argument("--bodies", type=int, default=12, help="of each way of sharing")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    if min(arguments.bodies, arguments.processes, *arguments.examples_a_body) < 1:
        parser.error("bodies, processes and examples a body are at least 1")
    ways = arguments.examples_a_body
    # What the first bodies compile is known to every process only once each has met all sizes of cloth.
    warm = 3 * arguments.processes
    tasks = [(FIRST + number, ways[number % len(ways)]) for number in range(warm + arguments.bodies * len(ways))]
    found = {way: [] for way in ways}
    with processes.bar(len(tasks), "body") as bar:
        for number, (task, spent) in enumerate(
            zip(tasks, processes.results(timed, tasks, arguments.processes), strict=True)
        ):
            bar.update()
            if number >= warm:
                found[task[1]].append(spent)
    print(f"{'examples a body':>16} {'drapes':>7} {'processor s an example':>23} {'examples/s':>11}")
    rates = {}
    for way, spent in found.items():
        wall, processor, drapes = np.sum(spent, 0)
        made = way * len(spent)
        rates[way] = arguments.processes * made / wall
        print(f"{way:>16} {drapes / len(spent):>7.1f} {processor / made:>23.3f} {rates[way]:>11.2f}")
    if SHARED not in rates:
        return 0
    return judge([Row(f"examples a second, {SHARED} a body", rates[SHARED], ">=", LIMIT, "{:.2f}")])


if __name__ == "__main__":
    raise SystemExit(main())
