"""A contact sheet of made examples, each on another body: photo, shop picture, and both sheets in colour.

    python experiments/contact_sheet.py --examples 48 --size 256 --out FILE [--columns 3] [--split train] [--first BODY]

Draws at 64, 256 or 512 px (several CPU seconds an example from 256 px on) and prints the captions.
"""

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments import processes  # noqa: E402
from tryon_jax import summaries  # noqa: E402
from tryon_jax.simulation import scene, specification  # noqa: E402

SEED = 0
GROUND = 0.96  # grey behind the sheets, which have no background


def strip(task):
    """Photo, garment, front and back side by side, uint8 [S, 4 S, 3], of an example (split, number, size); caption."""
    split, number, size = task
    made = scene.example(specification.sample(split, number, SEED), size)
    sheets = [made[f"{side}_rgb"] + GROUND * (1 - made["mask"]) for side in ("front", "back")]
    # The back as one sees it who walks around the person.
    shown = [made["person"], made["garment"], sheets[0], sheets[1][:, ::-1]]
    return np.round(255 * np.clip(np.concatenate(shown, 1), 0, 1)).astype(np.uint8), made["caption"]


def tiled(strips, columns, gap):
    """One picture uint8 [H, W, 3] of pictures of one size, `columns` in a row, with white between them."""
    framed = [np.pad(picture, ((gap, 0), (gap, 0), (0, 0)), constant_values=255) for picture in strips]
    framed += [np.full_like(framed[0], 255)] * (-len(framed) % columns)
    rows = [np.concatenate(framed[first : first + columns], 1) for first in range(0, len(framed), columns)]
    return np.pad(np.concatenate(rows), ((0, gap), (0, gap), (0, 0)), constant_values=255)


def main():
    """Draws the sheet and prints its path."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--examples", type=int, default=48)
    flags.add_argument("--size", type=int, default=64, choices=(64, 256, 512), help="pixels a side of each picture")
    flags.add_argument("--columns", type=int, default=3, help="examples in a row")
    flags.add_argument("--split", default="train", choices=specification.SPLITS)
    flags.add_argument("--first", type=int, default=0, help="the first body's place in its split")
    flags.add_argument("--processes", type=int, help="one a core if not given")
    flags.add_argument("--out", required=True, help="PNG to write")
    chosen = flags.parse_args()
    each = specification.EXAMPLES_A_BODY
    numbers = [(chosen.first + body) * each + body % each for body in range(chosen.examples)]
    strips = []
    with processes.bar(len(numbers), "example") as bar:
        tasks = ((chosen.split, number, chosen.size) for number in numbers)
        for number, (picture, caption) in zip(numbers, processes.results(strip, tasks, chosen.processes), strict=True):
            strips.append(picture)
            bar.update()
            bar.write(f"{number}: {caption}")
    summaries.save_picture(chosen.out, tiled(strips, chosen.columns, max(2, chosen.size // 32)))
    print(chosen.out)


if __name__ == "__main__":
    main()
