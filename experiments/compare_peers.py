"""Our try-on beside published networks: trained on the same pictures in the same order, scored by the same measures.

    python experiments/compare_peers.py --preset cpu --ours runs/transfer --out runs/peers

Trains each of --peers for as many steps, with as large batches and by the same seed as --ours was (or as the preset
says, or --steps, --batch-size, --seed), under OUT/<peer>; the same command goes on where it was stopped. Then it scores
all on the held-out split, prints a table, and writes compare.json and compare.png there. The peers are
experiments/peers/*.py, which say where they leave their papers; ours is a finished run of the transfer stage. "paste"
is the cut-out pasted on the photo, its depth the best constant a sheet. Normals are those that a method predicts, and
for one that predicts none those that its depth makes; "relief" is the latter for all. FLOPs are of one look at one
example (ours looks at its mirror image too), CPU time is of one training step, all threads together.
"""

import argparse
import pathlib
import sys

import jax
import numpy as np
from ml_collections import ConfigDict
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from configs import base  # noqa: E402
from configs import transfer as transfer_config  # noqa: E402
from experiments.peers import m3d_vton, measures, pix2pix, training  # noqa: E402
from tryon_jax import checkpoint, evaluate, parallel, summaries  # noqa: E402
from tryon_jax.data import pipeline  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402
from tryon_jax.stages import Stage, transfer  # noqa: E402

PEERS = {"pix2pix": pix2pix.build, "m3d_vton": m3d_vton.build}
# Channels of the first level: 64 in both papers; on a CPU a step then takes about as long as ours.
WIDTHS = {"smoke": 8, "cpu": 32, "base": 64, "large": 64}
COLUMNS = {  # heading -> score, digits after the point
    "garment dB": ("garment_psnr", 2),
    "behind dB": ("back_garment_psnr", 2),
    "person dB": ("person_psnr", 2),
    "back dB": ("back_psnr", 2),
    "depth mm": ("front_depth_mm", 1),
    "behind mm": ("back_depth_mm", 1),
    "normals deg": ("normal_degrees", 1),
    "relief deg": ("relief_degrees", 1),
    "mask IoU": ("mask_iou", 3),
    "MFLOPs": ("megaflops", 0),
    "parameters": ("parameters", 0),
    "CPU ms/step": ("cpu_ms", 0),
}
TILE = 128  # pixels, side of a picture in the grid, at least


def ours_of(workdir):
    """(config, look, parameters) of a transfer run; its maps are those that its own scores are taken of.

    Raises UserError if the folder holds no such run.
    """
    told = checkpoint.run_config(workdir)
    if told["stage"] != "transfer":
        raise UserError(f"{workdir}: this run is of stage {told['stage']}; give the folder of a transfer run")
    config = transfer_config.get_config(told["data"]["preset"])
    config.update(ConfigDict(told))  # keys that are younger than the run stay as they are
    setup = evaluate.build_stage(config).eval_step.args[0]
    # Predicted sheets end at their own silhouette; scores look at the maps beneath, which only the stage's inside has.
    return (
        config,
        lambda params, batch, rng: transfer._dress(setup, params, batch)[0],
        checkpoint.restore_parts(workdir),
    )


def config_of(flags, ours):
    """Transfer's config at the preset, with ours' (a config or None) data, steps, batch and seed, or those of flags.

    Raises UserError if ours is of another preset.
    """
    try:
        config = transfer_config.get_config(flags.preset)
    except ValueError as error:
        raise UserError(f"--preset: {error}") from None
    if ours is not None:
        if (ours.data.preset, ours.model.size) != (config.data.preset, config.model.size):
            raise UserError(f"{flags.ours}: a run at preset {ours.data.preset}; give --preset={ours.data.preset}")
        config.data.update(ours.data)
        config.augment.update(ours.augment)
        config.batch_size, config.seed, config.train.steps = ours.batch_size, ours.seed, ours.train.steps
    for key, value in (("batch_size", flags.batch_size), ("seed", flags.seed)):
        config[key] = config[key] if value is None else value
    config.train.steps = flags.steps or config.train.steps
    return config.lock()


def trained(name, config, flags):
    """(look, parameters, CPU milliseconds of a step) of a peer, trained in its folder."""
    width = flags.width or WIDTHS[flags.preset]
    optimization = {"learning_rate": flags.learning_rate, "b1": 0.5, "b2": 0.999, "steps": config.train.steps}
    optimization |= {"warmup_steps": 0, "weight_decay": 0.0, "clip_norm": 0.0}
    decay = config.optimizer.ema_decay
    peer = PEERS[name](config.model.size, width, optimization, decay, parallel.AXIS)
    settings = {"name": name, "width": width, "learning_rate": flags.learning_rate, "ema_decay": decay}
    params = training.train(peer, pathlib.Path(flags.out) / name, settings, config)
    step, source = training.step_of(peer, config.augment.to_dict()), evaluate.open_split(config, "train")
    return peer.look, params, training.step_cost(peer.init, step, _first(source, config.batch_size), config.seed)


def _first(source, count):
    return pipeline.stack([source[index % len(source)] for index in range(count)])


def scores_of(look, params, held_out, config):
    """Scores of a method over the whole held-out split, and its costs."""

    def judge(params, batch, rng):
        return jax.vmap(measures.score)(look(params, batch, rng), batch)

    stage = Stage(init=None, train_step=None, eval_step=judge, summarize=measures.summarize, predict=None)
    scores = evaluate.scorer(stage, held_out, config.batch_size, config.seed)(parallel.replicate(params))
    keys = parallel.example_keys(config.seed, np.uint32(parallel.EVALUATION), np.arange(1, dtype=np.int32))
    scores["megaflops"] = training.forward_cost(look, params, _first(held_out, 1), keys) / 1e6
    return scores | {"parameters": training.size_of(params)}


def table(scores):
    """Lines of text: a row a method; a dash where it makes nothing to score."""
    rows = [["", *COLUMNS]]
    for name, found in scores.items():
        cells = (f"{found[key]:,.{digits}f}" if key in found else "-" for key, digits in COLUMNS.values())
        rows.append([name, *cells])
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def shown(held_out, looks, config, count):
    """Columns of pictures [count, S, S, 3] in [0, 1] by heading: held-out examples in another garment than the photo's.

    looks: name -> (look, parameters). People are on white, each in the silhouette that the method finds.
    """
    most = min(8 * count, len(held_out))
    batch, _ = next(pipeline.evaluation_batches(held_out, most, most))
    chosen = np.argsort(batch["same_garment"], kind="stable")[:count]
    batch = jax.tree.map(lambda rows: rows[np.sort(chosen)], batch)
    keys = parallel.example_keys(config.seed, np.uint32(parallel.EVALUATION), np.arange(len(chosen), dtype=np.int32))

    def looked(look, params):
        # One at a time: that has been compiled already, to count its operations.
        once = jax.jit(look)
        ones = [jax.tree.map(lambda rows, row=row: rows[row : row + 1], (batch, keys)) for row in range(len(chosen))]
        found = [jax.device_get(once(params, *one)) for one in ones]
        return jax.tree.map(lambda *rows: np.concatenate(rows), *found)

    found = {name: looked(*method) for name, method in looks.items()}
    columns = {"photo": batch["person"], "garment": batch["garment"]}
    for side in measures.SIDES:
        columns[f"truth\n{side}"] = batch[f"{side}_rgb"] + 1 - batch["mask"]
        for name, maps in found.items():
            solid = maps["mask"] > 0
            columns[f"{name}\n{side}"] = np.where(solid, maps[f"{side}_colour"], 1.0)
    return columns


def grid(columns):
    """A picture uint8 [H, W, 3]: a row an example, a column a heading, each pixel repeated to be seen."""
    gap, header, count = 2, 32, len(next(iter(columns.values())))
    picture = Image.new("RGB", (len(columns) * (TILE + gap), header + count * (TILE + gap)), (255, 255, 255))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    for column, (heading, pictures) in enumerate(columns.items()):
        left = column * (TILE + gap)
        pen.text((left + 3, 1), heading, fill=(0, 0, 0), font=font, spacing=1)
        for row, pixels in enumerate(np.rint(255 * np.clip(pictures, 0, 1)).astype(np.uint8)):
            tile = Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.NEAREST)
            picture.paste(tile, (left, header + row * (TILE + gap)))
    return np.asarray(picture)


def flags_of(arguments):
    """The command line's flags."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--preset", default="cpu", help=" | ".join(base.PRESETS))
    flags.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}, separated by commas")
    flags.add_argument("--ours", default="", help="folder of a finished transfer run to score beside them")
    flags.add_argument("--out", default="runs/peers", help="folder of the peers' runs and the results")
    flags.add_argument("--steps", type=int, default=0, help="0: ours', or the preset's")
    flags.add_argument("--batch-size", type=int, help="ours', or the preset's")
    flags.add_argument("--seed", type=int, help="ours', or the preset's")
    flags.add_argument("--width", type=int, default=0, help="channels of the peers' first level; 0: the preset's")
    flags.add_argument("--learning-rate", type=float, default=2e-4, help="the peers', 2e-4 in both papers")
    flags.add_argument("--examples", type=int, default=8, help="rows of the picture")
    return flags.parse_args(arguments)


def main(arguments=None):
    """Trains, scores, prints, draws."""
    flags, ours = flags_of(arguments), None
    names = [name for name in flags.peers.split(",") if name]
    unknown = sorted(set(names) - set(PEERS))
    if unknown:
        raise UserError(f"--peers: no peer {unknown[0]!r}: choose of {', '.join(PEERS)}")
    parallel.cache_compilations()
    if flags.ours:
        ours, look, params = ours_of(flags.ours)
    config = config_of(flags, ours)
    parallel.indices(config.batch_size)  # a batch that the devices cannot share is refused before anything is written
    looks, costs = {"paste": (lambda _, batch, rng: jax.vmap(measures.pasted)(batch), {})}, {}
    if ours is not None:
        looks["ours"] = look, params
        stage = evaluate.build_stage(ours, parallel.AXIS)
        batch = _first(evaluate.open_split(config, "train"), config.batch_size)
        costs["ours"] = training.step_cost(stage.init, stage.train_step, batch, config.seed)
    for name in names:
        *looks[name], costs[name] = trained(name, config, flags)
    held_out = evaluate.open_split(config, "test")
    scores = {name: scores_of(*method, held_out, config) for name, method in looks.items()}
    for name, cost in costs.items():
        scores[name]["cpu_ms"] = cost
    for side in measures.SIDES:
        scores["paste"][f"{side}_depth_mm"] = scores["paste"][f"{side}_depth_mm/constant"]
    _report(pathlib.Path(flags.out), flags, config, scores)
    if ours is not None and (done := checkpoint.latest_step(flags.ours)) != config.train.steps:
        print(f"ours was trained for {done} steps, the peers for {config.train.steps}")
    path = pathlib.Path(flags.out) / "compare.png"
    del looks["paste"]
    summaries.save_picture(path, grid(shown(held_out, looks, config, flags.examples)))
    print(path)


def _report(out, flags, config, scores):
    about = {"preset": flags.preset, "steps": config.train.steps, "batch_size": config.batch_size, "seed": config.seed}
    about |= {"learning_rate": flags.learning_rate, "ours": flags.ours}
    summaries.write_json(out / "compare.json", {**about, "methods": scores})
    print(f"{config.train.steps} steps of {config.batch_size}, {scores['paste']['examples']:.0f} held-out examples")
    print(table(scores))
    print(out / "compare.json")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
