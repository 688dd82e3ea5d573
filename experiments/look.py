"""The README's picture: made people of the test split, photographed at 512 px, dressed by a transfer run.

A row an example: the photo, the garment, the try-on from the front and the back, two views between, depth, normals.
    python experiments/look.py --workdir=runs/transfer --out=docs/look.png --numbers=20,45,61
With --logo=TEXT the garments come as pictures of 256 px with the text printed on them: is it legible when worn?
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tryon_jax import summaries, tryon  # noqa: E402  (a clone need not be installed)
from tryon_jax.data import HAS  # noqa: E402
from tryon_jax.render import view  # noqa: E402
from tryon_jax.simulation import scene, specification  # noqa: E402

SIDE, TILE, LOGO_SIDE = 512, 256, 256


def photographed(number, size):
    """Example `number` of the test split at picture side `size`, by the batch contract."""
    made = scene.example(specification.sample("test", number), size)
    return {**made, "has": {name: np.float32(1) for name in HAS}}


def lettered(garment, mask, text):
    """A garment's picture [H, W, 3] of mask [H, W, 1] at LOGO_SIDE with text printed on its middle, as wide as half."""
    small = Image.fromarray((255 * garment).astype(np.uint8)).resize((LOGO_SIDE, LOGO_SIDE), Image.Resampling.LANCZOS)
    rows, columns = (np.flatnonzero(mask[..., 0].any(axis)) * LOGO_SIDE / len(mask) for axis in (1, 0))
    width, middle = np.ptp(columns), (columns.mean(), rows[0] + 0.42 * np.ptp(rows))
    draw, font = ImageDraw.Draw(small), ImageFont.load_default(10)
    font = ImageFont.load_default(10 * 0.5 * width / draw.textlength(text, font))
    dark = np.asarray(small)[int(middle[1]), int(middle[0])].mean() < 128
    draw.text(middle, text, fill="white" if dark else "black", font=font, anchor="mm")
    return np.asarray(small, np.float32) / 255


def row(model, number, logo=""):
    """Pictures uint8 [TILE, TILE, 3] of one example."""
    fine, coarse = photographed(number, SIDE), photographed(number, model.size)
    if logo:
        garment = lettered(fine["garment"], fine["garment_mask"], logo)
        seen = Image.fromarray((255 * garment).astype(np.uint8)).resize((model.size,) * 2, Image.Resampling.BOX)
        coarse["garment"] = np.asarray(seen, np.float32) / 255
        fine["garment"] = np.asarray(garment)
        mask = Image.fromarray((255 * fine["garment_mask"][..., 0]).astype(np.uint8)).resize((LOGO_SIDE,) * 2)
        fine["garment_mask"] = np.asarray(mask, np.float32)[..., None] / 255
    _, pictures = tryon.from_example(fine)
    result = tryon.wear(model, tryon.from_example(coarse)[0], pictures)
    turned = view.turntable(result.mesh, TILE, 8)
    sheets = {name: value[None] for name, value in result.sheets.items()}
    limits = summaries.depth_range(sheets["front_depth"], sheets["mask"])
    maps = summaries.sheet_pictures(sheets, "front", limits)
    seen = [(255 * fine[name]).astype(np.uint8) for name in ("person", "garment")]
    tiles = [*seen, *turned[[0, 1, 3, 4, 6]], maps["depth"][0], maps["normals"][0]]
    return [np.asarray(Image.fromarray(tile).resize((TILE, TILE), Image.Resampling.LANCZOS)) for tile in tiles]


def main():
    """Draws the picture and prints its path."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--workdir", required=True, help="folder of a transfer run")
    flags.add_argument("--out", default="docs/look.png", help="PNG to write")
    flags.add_argument("--numbers", default="20,45,61", help="numbers of test examples, one a row")
    flags.add_argument("--logo", default="", help="text to print on the garments")
    chosen = flags.parse_args()
    model = tryon.load(chosen.workdir)
    rows = [np.concatenate(row(model, int(number), chosen.logo), axis=1) for number in chosen.numbers.split(",")]
    summaries.save_picture(chosen.out, np.concatenate(rows))
    print(chosen.out)


if __name__ == "__main__":
    main()
