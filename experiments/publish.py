"""A run's averaged weights as a folder to pass on (tryon_jax/weights.py), with its config and its held-out scores.

python experiments/publish.py --workdir=runs/transfer --out=tryon_jax/pretrained
"""

import argparse
import sys

import jax
from ml_collections import ConfigDict

from tryon_jax import checkpoint, evaluate, weights
from tryon_jax.data.synthetic import generator
from tryon_jax.errors import UserError

LARGEST = 12 * 2**20  # bytes: what a package may weigh more without anybody minding
# Presets whose held-out people another has too, which is made sooner: these are scored on that, and their config names
# it, so that whoever asks for a held-out example need not wait for all that was learned from, which the scores name.
SOONER = {"cpu_more": "cpu"}


def publish(workdir, out):
    """Scores the newest checkpoint of the run in `workdir` and writes it into `out`; returns the scores."""
    config = ConfigDict(checkpoint.run_config(workdir))
    learned_from = config.data.preset
    config.data.preset = SOONER.get(learned_from, learned_from)
    stage, source = evaluate.build_stage(config), evaluate.open_split(config, "test")
    params = weights.kept(checkpoint.restore_parts(workdir))  # what is scored is what is passed on
    size = sum(leaf.nbytes // 2 for leaf in jax.tree.leaves(params))
    if size > LARGEST:
        raise UserError(f"{workdir}: {size / 2**20:.1f} MiB of weights; at most {LARGEST / 2**20:.0f} are passed on")
    found = evaluate.scorer(stage, source, config.batch_size, config.seed)(params)
    data = {"name": config.data.name, "preset": learned_from, "examples": len(source)}
    if config.data.name == "synthetic":
        data["version"] = generator.version()
    # Paths of the machine that trained it tell nobody anything.
    config.data.folder = ""
    for part in config.init:
        config.init[part] = ""
    scores = {"step": checkpoint.latest_step(workdir), "data": data, "scores": found}
    weights.publish(out, params, config.to_dict(), scores)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workdir", required=True, help="folder of a finished run")
    parser.add_argument("--out", required=True, help="folder to write")
    chosen = parser.parse_args()
    try:
        print(evaluate.table(publish(chosen.workdir, chosen.out)))
    except UserError as error:
        sys.exit(f"error: {error}")
    print(f"written to {chosen.out}")


if __name__ == "__main__":
    main()
