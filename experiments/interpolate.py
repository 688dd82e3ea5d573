"""Walks from one latent of a gan run to another: a strip of people, front above back, and how even the steps are.

    python experiments/interpolate.py --workdir=runs/gan --out=interpolation.png

Each walk is in one held-out garment, one of each class. A row of the table is a walk: the largest of its steps in units
of the mean step (1 is perfectly even), and the length of the way in units of the straight line between its ends. A step
is the root mean square change of both sheets' colours on white.
"""

import argparse
import pathlib
import sys

import jax
import numpy as np
from ml_collections import ConfigDict
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tryon_jax import checkpoint, evaluate, parallel, summaries  # noqa: E402  (a clone need not be installed)
from tryon_jax.data import pipeline  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402
from tryon_jax.geometry.parts import GARMENT_CLASSES  # noqa: E402

TILE = 128


def walk(first, last, count):
    """Latents [count, D] on the great circle from `first` to `last` [D], evenly spaced."""
    first, last = (z / np.linalg.norm(z) for z in (first, last))
    angle = np.arccos(np.clip(first @ last, -1, 1))
    share = np.linspace(0, 1, count)[:, None]
    way = (np.sin((1 - share) * angle) * first + np.sin(share * angle) * last) / np.sin(angle)
    return (way * np.sqrt(len(first))).astype(np.float32)


def pictures(sheets):
    """Both sheets on white, float32 [N, 2, S, S, 3]."""
    both = np.stack([np.asarray(sheets[f"{side}_rgb"]) for side in ("front", "back")], axis=1)
    return both + 1 - (np.asarray(sheets["mask"]) > 0.5)[:, None]


def evenness(strip):
    """Largest step over mean step, and length of the way over the straight line, of pictures [N, ...]."""

    def apart(a, b):
        return np.sqrt(np.square(a - b).mean(tuple(range(1, a.ndim))))

    steps = apart(strip[1:], strip[:-1])
    return steps.max() / steps.mean(), steps.sum() / apart(strip[-1:], strip[:1])[0]


def main():
    """Draws the strips, prints the table and the picture's path."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--workdir", required=True, help="folder of a gan run")
    flags.add_argument("--out", default="interpolation.png", help="PNG to write")
    flags.add_argument("--steps", type=int, default=9, help="people in a strip")
    flags.add_argument("--seed", type=int, default=0)
    chosen = flags.parse_args()
    config = ConfigDict(checkpoint.run_config(chosen.workdir))
    if config.stage != "gan":
        raise UserError(f"{chosen.workdir}: this run is of stage {config.stage}; give the folder of a gan run")
    predict = jax.jit(evaluate.build_stage(config).predict)
    params = checkpoint.restore_parts(chosen.workdir)
    keys = parallel.example_keys(config.seed, parallel.EVALUATION, np.arange(chosen.steps, dtype=np.int32))
    rng, rows = np.random.default_rng(chosen.seed), []
    held_out = evaluate.open_split(config, "test")
    worn = np.array([held_out[index]["garment_class"] for index in range(len(held_out))])
    print(f"{'class':<10}{'largest step':>14}{'way':>8}")
    for number, name in enumerate(GARMENT_CLASSES):
        if not (worn == number).any():
            continue
        batch, _ = next(pipeline.evaluation_batches([held_out[np.argmax(worn == number)]], chosen.steps, 1))
        batch["latent"] = walk(*rng.normal(size=(2, config.model.latent_dim)), chosen.steps)
        strip = pictures(predict(params, batch, keys))
        largest, way = evenness(strip)
        print(f"{name:<10}{largest:>14.2f}{way:>8.2f}")
        shown = np.rint(255 * np.clip(strip, 0, 1)).astype(np.uint8)
        for side in range(2):
            tiles = [Image.fromarray(tile).resize((TILE, TILE), Image.Resampling.NEAREST) for tile in shown[:, side]]
            rows.append(np.concatenate([np.asarray(tile) for tile in tiles], axis=1))
    summaries.save_picture(chosen.out, np.concatenate(rows))
    print(chosen.out)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
