"""Whether what a GAN makes is solid, and how much of what real people look like it covers.

    python experiments/check_samples.py --workdir=runs/gan [--people 64] [--out runs/check_samples]

As many people are drawn as --people says, in held-out garments, and lifted to meshes as try-on lifts them, with the
garment's picture looked up at --factor times the sheets' pixels a side. Each must be closed: watertight, wound one way,
no two fans of triangles in one vertex. Then their shapes are measured against as
many held-out ones: coverage, the share of these that are the nearest to some made person, and the minimum matching
distance, the mean distance of each to the nearest made one (arXiv:1707.02392, section 2), by the Chamfer distance of
both sheets' points. Beside it the same of as many real people that were trained on, which chance alone keeps from
covering all; and of one person, always the same. Draws OUT/people.png, all made people in front and behind, and
OUT/turned.png, some of the meshes from around; writes these as OUT/NUMBER.glb. Exits with 1 if a limit is missed.
"""

import argparse
import pathlib
import sys

import jax
import numpy as np
from ml_collections import ConfigDict
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments.check_lift import is_closed  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax import checkpoint, evaluate, parallel, summaries  # noqa: E402
from tryon_jax.data import SIDES, pipeline  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402
from tryon_jax.geometry import files  # noqa: E402
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART  # noqa: E402
from tryon_jax.render import compose, refine, view  # noqa: E402
from tryon_jax.render.lift import JUMP, JUMP_PIXELS, lift  # noqa: E402
from tryon_jax.scores import shapes  # noqa: E402
from tryon_jax.tryon import OUTLINE_BLUR  # noqa: E402

GARMENT = ("garment", "garment_mask", "garment_class")
TILE, ACROSS = 128, 16  # pixels a side of one person on the picture, and people in a row
SHOWN, TURNS = 6, np.radians([0, 30, 60, 90, 135, 180, 240, 300])


def made(config, workdir, batch, size):
    """What a run's generator makes in the garments of a batch, a list of dicts of arrays; `size` at a time."""
    predict, params = jax.jit(evaluate.build_stage(config).predict), checkpoint.restore_parts(workdir)
    keys = parallel.example_keys(config.seed, parallel.EVALUATION, np.arange(len(batch["mask"]), dtype=np.int32))
    found = []
    for start in range(0, len(keys), size):
        some = jax.tree.map(lambda rows, start=start: rows[start : start + size], (batch, keys))
        found.append(jax.device_get(predict(params, *some)))
    return _rows(jax.tree.map(lambda *rows: np.concatenate(rows), *found), batch["camera"])


def _rows(sheets, cameras):
    return [{name: rows[index] for name, rows in sheets.items()} | {"camera": c} for index, c in enumerate(cameras)]


def cloud(sheets):
    """The points of one person's two sheets, metres, [N, 3]."""
    front, back = (np.asarray(sheets[f"{side}_depth"])[..., 0] for side in SIDES)
    return shapes.cloud(np.asarray(sheets["mask"])[..., 0] > 0.5, front, back, sheets["camera"])


def distances(made, real):
    """Chamfer distances [made, real] of clouds, metres; far away where one is empty."""
    found = np.array([[shapes.chamfer(one, other) for other in real] for one in made])
    return np.where(np.isnan(found), np.inf, found)


def coverage(distances):
    """Share of the columns that are the nearest of some row."""
    return len(np.unique(distances.argmin(1))) / distances.shape[1]


def matching(distances):
    """Mean over the columns of the nearest row's distance."""
    return float(distances.min(0).mean())


def solid(sheets, example, factor):
    """(mesh, both sides' colours [R, R, 3]) of one made person, R being `factor` times the sheets' side."""
    worn = GARMENT_CLASSES[int(example["garment_class"])]
    fine = refine.enlarge(sheets, factor, PART[GARMENT_PARTS[worn]])
    nobody = np.zeros(fine["mask"].shape[:2], np.float32)
    pictures = {name: np.asarray(example[name]) for name in ("garment", "garment_mask")}
    pictures |= {"person": np.stack([nobody] * 3, axis=-1), "person_mask": nobody}
    pictures["person_segmentation"] = nobody.astype(np.int32)
    rgb = [compose.colours(fine, fine[f"{side}_segmentation"], pictures, worn, side) for side in SIDES]
    fine |= {f"{side}_rgb": colour for side, colour in zip(SIDES, rgb, strict=True)}
    camera = np.asarray(sheets["camera"], np.float32) * [1 / factor, 1, 1]
    # Steps that the network's own pixels make are none that anything should come apart at.
    jump = max(JUMP, JUMP_PIXELS * float(sheets["camera"][0]))
    smooth = {"radius": factor, "pixels": factor / 1.5}
    mesh = lift(fine, camera, smooth=smooth, jump=jump, blur=OUTLINE_BLUR)
    return mesh, [np.where(fine["mask"] > 0.5, colour, 1.0) for colour in rgb]


def people(pictures):
    """A picture of all, front above back, of their two sides [R, R, 3] on white."""
    both = [np.concatenate([_tile(side) for side in sides]) for sides in pictures]
    both += [np.full_like(both[0], 255)] * (-len(both) % ACROSS)
    rows = [np.concatenate(both[start : start + ACROSS], axis=1) for start in range(0, len(both), ACROSS)]
    return np.concatenate(rows)


def _tile(pixels):
    tile = Image.fromarray(np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8))
    return np.asarray(tile.resize((TILE, TILE), Image.Resampling.LANCZOS))


def main():
    """Draws, lifts, measures, prints; the exit status."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--workdir", required=True, help="folder of a gan run")
    flags.add_argument("--people", type=int, default=64)
    flags.add_argument("--factor", type=int, default=4, help="pixels of a mesh a pixel of the sheets, a side")
    flags.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/check_samples"))
    chosen = flags.parse_args()
    config = ConfigDict(checkpoint.run_config(chosen.workdir))
    if config.stage != "gan":
        raise UserError(f"{chosen.workdir}: this run is of stage {config.stage}; give the folder of a gan run")
    count = chosen.people
    real = {split: evaluate.open_split(config, split) for split in ("test", "train")}
    if not 0 < count <= min(map(len, real.values())):
        raise UserError(f"--people={count}: give a number from 1 to {min(map(len, real.values()))}")
    batch, seen = (next(pipeline.evaluation_batches(real[split], count, count))[0] for split in ("test", "train"))
    drawn = made(config, chosen.workdir, batch, config.batch_size)
    examples = [{name: batch[name][index] for name in GARMENT} for index in range(count)]
    solids = [solid(*pair, chosen.factor) for pair in zip(drawn, examples, strict=True)]
    meshes, pictures = zip(*solids, strict=True)
    clouds = {"made": [cloud(one) for one in drawn]}
    clouds |= {name: [cloud(one) for one in _rows(*_sheets(rows))] for name, rows in (("real", batch), ("seen", seen))}
    against = {name: distances(clouds[name], clouds["real"]) for name in ("made", "seen")}
    against["one person"] = against["seen"][:1]
    for name, found in against.items():
        print(
            f"{name:<12} coverage {coverage(found):6.1%}   minimum matching distance {1000 * matching(found):5.1f} mm"
        )
    chosen.out.mkdir(parents=True, exist_ok=True)
    summaries.save_picture(chosen.out / "people.png", people(pictures))
    print(chosen.out / "people.png")
    turned = [np.concatenate(list(view.render(mesh, 192, TURNS)), axis=1) for mesh in meshes[:SHOWN]]
    summaries.save_picture(chosen.out / "turned.png", np.concatenate(turned))
    print(chosen.out / "turned.png")
    for number, mesh in enumerate(meshes[:SHOWN]):
        files.write(mesh, chosen.out / f"{number}.glb")
    return judge([Row("meshes that are closed", float(np.mean([is_closed(mesh) for mesh in meshes])), "=", 1.0)])


def _sheets(batch):
    return {name: batch[name] for name in ("mask", *(f"{side}_depth" for side in SIDES))}, batch["camera"]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
