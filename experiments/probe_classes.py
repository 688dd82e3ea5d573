"""What a run's encoder knows of garments: classes of held-out photographs by their nearest neighbours, against pixels.

    python experiments/probe_classes.py --folder=DIR [--workdir=runs/ssl] [--classes=10] [--neighbours=5] [--cells=8]

DIR is a folder of data/garment_photos: the photographs to learn from are the neighbours, the held-out ones ask. Prints
the accuracy over the classes with the most photographs, each with a 95 % interval (bootstrap over what is asked): of
pixels, 8 x 8 means of the colours; without a run that is all. With one, of what its encoder makes of the photograph
alone, in means over cells x cells of the picture: of its bottleneck (the coarse level), of the other levels, and of all
of them; the same of the encoder untrained; and how much better than both the bottleneck is, over the same photographs.
No label is fitted: each number, also a pixel's, is scaled by its spread over the neighbours, and of several levels each
has an equal weight. What is near is told by distances, by angles, and by angles between principal components, which
sharpen pixels as well: compare within a column. The interval is that of the first.
"""

import argparse
import pathlib
import sys
from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tryon_jax import checkpoint, parallel, pretext  # noqa: E402  (a clone need not be installed)
from tryon_jax.data import garment_photos  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402
from tryon_jax.models.encoder_decoder import Encoder, nothing  # noqa: E402
from tryon_jax.scores.sets import bootstrap_mean  # noqa: E402

LEVELS = ("coarse", "middle", "fine", "sharp")  # of the pyramid, as the encoder gives it
PIXELS, SIDE = 8, 64  # cells a side of the colours' means, and side of the pictures where there is no run
BATCH = 64
WIDTH = 44  # letters of a row's name
COMPONENTS = 128
READOUTS = ("distances", "angles", "components")  # what may tell how near two photographs are


def chosen(folder, count):
    """{split: Photographs} of the `count` classes with the most photographs. Raises UserError if there are fewer."""
    found = {split: garment_photos.photographs(folder, split) for split in garment_photos.SPLITS}
    often = Counter(one.label for split in found.values() for one in split)
    if not 2 <= count <= len(often):
        raise UserError(f"--classes={count}: {folder} has {len(often)}; give 2 or more of them")
    kept = {label for label, _ in often.most_common(count)}
    found = {split: [one for one in ones if one.label in kept] for split, ones in found.items()}
    if missing := kept - {one.label for one in found["train"]}:
        raise UserError(f"{folder}: no photograph of {min(missing)} is to learn from; give fewer --classes")
    return found


def photos(found, size):
    """{split: pretext.Picture of float32 [N, size, size, 3] and [N, 2 size, 2 size, 3]}: the contract's photo."""

    def stacked(ones):
        read = [garment_photos.read(size, one) for one in ones]
        return pretext.Picture(*(np.stack([made[key] for made in read]) for key in ("person", "person_fine")))

    return {split: stacked(ones) for split, ones in found.items()}


def means(pictures, cells):
    """Means [N, cells^2 C] of pictures [N, S, S, C] over cells x cells squares; all pixels where S is less."""
    count, side = pictures.shape[:2]
    cells = min(cells, side)
    cut = pictures.reshape(count, cells, side // cells, cells, side // cells, -1)
    return cut.mean((2, 4)).reshape(count, -1)


def encoded(encoder, params, pictures, cells):
    """{level: scaled {split: [N, D]}} of {split: pretext.Picture}, beside which the encoder is shown nothing."""
    size = next(iter(pictures.values())).rgb.shape[1]

    @jax.jit
    def look(batch):
        seen = {"rgb": 2 * batch.rgb - 1, "detail": jax.vmap(pretext.detail)(batch)}
        pyramid, _ = encoder.apply({"params": params}, {**nothing(BATCH, size), **seen})
        return [means(level.astype(jnp.float32), cells) for level in pyramid]

    found = {level: {} for level in LEVELS}
    for split, whole in pictures.items():
        rows = [jax.tree.map(np.asarray, look(batch)) for batch in batches(whole)]
        for level, parts in zip(LEVELS, zip(*rows, strict=True), strict=True):
            found[level][split] = np.concatenate(parts)[: len(whole.rgb)]
    return {level: scaled(features) for level, features in found.items()}


def batches(pictures):
    """BATCH rows after BATCH rows of a pretext.Picture, the last ones filled up with black."""
    for start in range(0, len(pictures.rgb), BATCH):
        rows = [leaf[start : start + BATCH] for leaf in pictures]
        yield pretext.Picture(*(np.pad(leaf, [(0, BATCH - len(leaf)), *[(0, 0)] * 3]) for leaf in rows))


def scaled(features):
    """{split: [N, D]} less the neighbours' mean, over their spread, and of a length of about 1."""
    mean, spread = (of(features["train"].astype(np.float64), axis=0) for of in (np.mean, np.std))
    # What is the same for all neighbours tells nothing apart.
    told = spread > 1e-6 * np.abs(mean).max()
    return {
        split: ((rows - mean) / np.where(told, spread, np.inf) / np.sqrt(max(told.sum(), 1))).astype(np.float32)
        for split, rows in features.items()
    }


def voted(asked, neighbours, labels, count):
    """Labels [N] of features [N, D] by vote of the `count` nearest of neighbours [M, D], int labels [M].

    Of classes with as many votes it is that with the nearer neighbours.
    """
    return elected(nearest(asked, neighbours, count), labels)


def nearest(asked, neighbours, count):
    """Numbers [N, count] of the neighbours [M, D] nearest to features [N, D], the nearest first."""
    distances = (neighbours**2).sum(1) - 2 * asked @ neighbours.T
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def elected(near, labels):
    """Labels [N] by the votes of neighbours of these numbers [N, count], the nearest first; labels [M] of all."""
    count = near.shape[1]
    # All bonuses together stay below one vote.
    weights = 1 + (count - np.arange(count)) / (count * (count + 1))
    votes = np.zeros((len(near), labels.max() + 1))
    for place, weight in enumerate(weights):
        np.add.at(votes, (np.arange(len(near)), labels[near[:, place]]), weight)
    return votes.argmax(1)


def readouts(features):
    """{name: {split: rows}} of READOUTS: scaled features as they are, of length 1, and their COMPONENTS of length 1.

    Components are over the roots of their spreads (halfway to whitening), so that the first do not rule alone.
    """
    train = features["train"].astype(np.float64)
    mean = train.mean(0)
    _, spreads, axes = np.linalg.svd(train - mean, full_matrices=False)
    # A spread that is rounding alone tells nothing apart.
    count = min(COMPONENTS, int((spreads > 1e-6 * spreads[0]).sum()))
    axes = axes[:count].T / np.sqrt(spreads[:count])
    components = {split: (rows - mean) @ axes for split, rows in features.items()}
    return dict(zip(READOUTS, (features, unit(features), unit(components)), strict=True))


def unit(features):
    """{split: rows} of length 1; what is all zero stays."""
    return {
        split: rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for split, rows in features.items()
    }


def right(features, labels, count):
    """{readout: which held-out photographs are named rightly, float [N]}; features, labels: {split: rows}, scaled."""
    return {
        way: (voted(rows["test"], rows["train"], labels["train"], count) == labels["test"]).astype(float)
        for way, rows in readouts(features).items()
    }


def joined(levels):
    """{split: [N, D]} of scaled {level: {split: [N, D]}}, each level with an equal weight."""
    return {
        split: np.concatenate([level[split] for level in levels.values()], axis=1) for split in garment_photos.SPLITS
    }


def line(name, values, sign=""):
    """A row of the table: means in percent, or in points, by each readout, and the interval of the first."""
    found = [bootstrap_mean(values[way], 0) for way in READOUTS]
    means_of = "".join(f"{100 * one.value:>{sign}12.1f}" for one in found)
    return f"{name:<{WIDTH}}{means_of} {100 * found[0].low:>{sign}9.1f} {100 * found[0].high:>{sign}7.1f}"


def of_run(workdir):
    """(encoder, its parameters, side of its pictures) of a run. Raises UserError if it has none."""
    config = ConfigDict(checkpoint.run_config(workdir))
    params = checkpoint.restore_parts(workdir, ["encoder"])["encoder"]
    dtype = jnp.dtype(config.model.dtype)
    return Encoder(tuple(config.model.features), config.model.more_blocks, dtype=dtype), params, config.model.size


def main():
    """Prints the table."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--folder", required=True, help="of garment photographs")
    flags.add_argument("--workdir", default="", help="a run with an encoder, or pretrained; none: pixels alone")
    flags.add_argument("--classes", type=int, default=10, help="how many, those with the most photographs")
    flags.add_argument("--neighbours", type=int, default=5)
    flags.add_argument("--cells", type=int, default=8, choices=[1, 2, 4, 8], help="a side, that levels have means of")
    given = flags.parse_args()
    found = chosen(given.folder, given.classes)
    if not 1 <= given.neighbours <= len(found["train"]):
        raise UserError(f"--neighbours={given.neighbours}: give 1 to {len(found['train'])}")
    names = sorted({one.label for one in found["train"]})
    labels = {split: np.array([names.index(one.label) for one in ones]) for split, ones in found.items()}
    judge = partial(right, labels=labels, count=given.neighbours)
    encoder, params, size = of_run(given.workdir) if given.workdir else (None, None, SIDE)
    pictures = photos(found, size)
    pixels = scaled({split: means(rows.rgb, PIXELS) for split, rows in pictures.items()})
    print(f"{len(labels['test'])} held-out photographs, {len(labels['train'])} neighbours, classes {', '.join(names)}")
    columns = "".join(f"{way:>12}" for way in READOUTS)
    print(f"{f'{given.neighbours} nearest, % right':<{WIDTH}}{columns}{'95 % interval':>18}")
    frequent = labels["test"] == np.bincount(labels["train"]).argmax()
    print(line("the most frequent class", dict.fromkeys(READOUTS, frequent)))
    found = {"pixels": show(f"pixels, {PIXELS} x {PIXELS}", pixels, judge)}
    if encoder is None:
        return
    fresh = jax.jit(encoder.init)(jax.random.key(0), nothing(1, size))["params"]
    for name, weights in (("untrained", fresh), (given.workdir, params)):
        levels = encoded(encoder, weights, pictures, given.cells)
        found[name] = show(f"{name}: its bottleneck", levels["coarse"], judge)
        for level in LEVELS[1:]:
            show(f"  its level {level}", levels[level], judge)
        show("  all levels", joined(levels), judge)
    for name in ("untrained", "pixels"):
        more = {way: found[given.workdir][way] - found[name][way] for way in READOUTS}
        print(line(f"more than {name}, points", more, "+"))


def show(name, features, judge):
    """Prints the row of some features; returns which photographs are named rightly, by each readout."""
    values = judge(features)
    print(line(name, values))
    return values


if __name__ == "__main__":
    parallel.cache_compilations()
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
