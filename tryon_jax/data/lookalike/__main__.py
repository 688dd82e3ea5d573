"""Writes a look-alike of a published data set, of the made people of data/synthetic.

python -m tryon_jax.data.lookalike --dataset=viton_hd --root=DIR --count=4
"""

import argparse
import importlib
import pathlib
import pkgutil
import sys

import numpy as np
import tqdm

from tryon_jax.data import lookalike, names, synthetic
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART
from tryon_jax.simulation.shop import MARGIN


def main(arguments=None):
    """Runs the command line; returns the exit code."""
    sets = sorted(set(names()) & {found.name for found in pkgutil.iter_modules(lookalike.__path__)})
    parser = argparse.ArgumentParser(prog="python -m tryon_jax.data.lookalike", description=__doc__)
    parser.add_argument("--dataset", required=True, choices=sets)
    parser.add_argument("--root", required=True, type=pathlib.Path, help="a new folder, the look-alike's root")
    parser.add_argument("--count", default=4, type=int, help="examples of each split (Dress Code: and category)")
    parser.add_argument("--preset", default="smoke", choices=list(synthetic.PRESETS), help="of the made people")
    parser.add_argument("--layout", default="resized", choices=["resized", "first"], help="generation of VITON-HD")
    given = parser.parse_args(arguments)
    try:
        _write(given)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; delete what is there and start again", file=sys.stderr)
        return 130
    print(f"{given.root}: a look-alike of {given.dataset}; read it by --config.data.name={given.dataset}")
    return 0


def _write(given):
    if given.count < 2:
        raise UserError(f"--count={given.count}: give 2 or more; unpaired examples are of two")
    if given.root.exists() and any(given.root.iterdir()):
        raise UserError(f"{given.root}: not empty; give a new folder, so that no file is mixed with others")
    given.root.mkdir(parents=True, exist_ok=True)
    writer = importlib.import_module(f"{lookalike.__name__}.{given.dataset}")
    if given.dataset == "cloth3d":
        writer.write({"train": given.count, "test": given.count}, given.root)
        return
    options = {"layout": given.layout} if given.dataset == "viton_hd" else {}
    writer.write(_people(writer.CLASSES, given.count, given.preset), given.root, **options)


def _people(classes, count, preset):
    """{"train", "test": examples}, `count` of each garment class in `classes`."""
    found = {name: [] for name in classes}
    wanted = 2 * count
    sources = [synthetic.open_split(preset, split) for split in synthetic.SPLITS]
    with tqdm.tqdm(total=wanted * len(classes), desc="choosing people", unit="example") as bar:
        for source in sources:
            for index in range(len(source)):
                example = source[index]
                for name in classes:
                    if len(found[name]) < wanted and (one := _of_class(example, name)) is not None:
                        found[name].append(one)
                        bar.update()
    short = {name: len(found[name]) for name in classes if len(found[name]) < wanted}
    if short:
        raise UserError(f"--count={count}: the made set has only {short} of {wanted}; give fewer, or a larger --preset")
    # Neighbours show one body: the halves share few.
    halves = {"train": slice(count), "test": slice(count, wanted)}
    return {split: sum((found[name][half] for name in classes), []) for split, half in halves.items()}


def _of_class(example, name):
    """The example with a garment of class `name`, None if nobody wears one in it.

    If the garment to wear is of another class, it is the one that the front sheet shows, cut out.
    """
    if GARMENT_CLASSES[int(example["garment_class"])] == name:
        return example
    cut = example["front_segmentation"] == PART[GARMENT_PARTS[name]]
    if cut.mean() < 0.02:  # of the picture: a garment that others hide
        return None
    rows, columns = np.flatnonzero(cut.any(1)), np.flatnonzero(cut.any(0))
    low, high = np.array([rows[0], columns[0]]), np.array([rows[-1], columns[-1]]) + 1
    side = (high - low).max() / (1 - 2 * MARGIN)
    size = len(cut)
    places = (low + high - side)[:, None] / 2 + (np.arange(size) + 0.5) * side / size
    rows, columns = np.clip(np.floor(places).astype(int), 0, size - 1)
    mask = cut[np.ix_(rows, columns)].astype(np.float32)[..., None]
    garment = example["front_rgb"][np.ix_(rows, columns)] * mask + 1 - mask
    return example | {
        "garment": garment, "garment_mask": mask, "garment_class": np.int32(GARMENT_CLASSES.index(name))
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
