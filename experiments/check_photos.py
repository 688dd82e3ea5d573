"""What is understood of real photographs, against truth where there is some, and a contact sheet of all of it.

    python experiments/check_photos.py --real=DIR --out=FILE

DIR/*/persons and DIR/*/garments hold the pictures. DIR/*/truth may hold NAME_mask.png, a person's mask, and
NUMBER.json, DeepFashion2's polygons of a photo whose name ends in that number. Prints a line a photo: intersection over
union where there is truth, confidence, doubts and seconds, or the line of the refusal. The sheet adds the crop that the
networks see, in the canonical camera. Never put a sheet of people's photos where their licence does not let it be.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from tryon_jax import photo, summaries  # noqa: E402
from tryon_jax.data import standardize  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402
from tryon_jax.geometry.parts import GARMENT_CLASSES, PART  # noqa: E402
from tryon_jax.photo import picture, sheet  # noqa: E402

# DeepFashion2's categories: tops and coats, trousers and skirts, dresses.
PARTS_OF = {**dict.fromkeys(range(1, 7), "upper"), **dict.fromkeys(range(7, 10), "lower")}
PARTS_OF |= dict.fromkeys(range(10, 14), "dress")


def main():
    """Prints a line a photo and writes the sheet."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--real", type=pathlib.Path, required=True, help="folder of the photographs")
    flags.add_argument("--out", type=pathlib.Path, required=True, help="PNG to write")
    chosen = flags.parse_args()
    rows = []
    for kind, read, draw in (
        ("persons", photo.person, sheet.person_row),
        ("garments", photo.garment, sheet.garment_row),
    ):
        for path in sorted(chosen.real.glob(f"*/{kind}/*"), key=lambda path: path.name):
            started = time.perf_counter()
            try:
                found = read(path)
            except UserError as error:
                print(f"{path.name}: REFUSED, {error}")
                rows.append(_with_crop(sheet.refusal_row(path.name, picture.read(path).rgb, str(error)), None))
                continue
            seconds = time.perf_counter() - started
            print(f"{path.name}: {_told(found, _scores(path, found))}, {seconds:.1f} s")
            rows.append(_with_crop(draw(path.name, found), found))
    if not rows:
        raise SystemExit(f"{chosen.real}: no */persons or */garments in it; give the folder of the photographs")
    summaries.save_picture(chosen.out, sheet.compose(rows))
    print(chosen.out)


def _told(found, scores):
    """One line on a photo."""
    parts = [f"{name} IoU {value:.4f}" for name, value in scores.items()]
    if "garment_class" in found:
        parts.append(f"{GARMENT_CLASSES[found['garment_class']]} ({found['kind']})")
    parts += [f"{name} {value:.2f}" for name, value in found["confidence"].items()]
    return ", ".join(parts + found["doubts"])


def _scores(path, found):
    """{name: intersection over union} of what there is truth of."""
    folder, scores = path.parents[1] / "truth", {}
    for file in folder.glob("*_mask.png"):
        if path.stem.endswith(file.stem.removesuffix("_mask")):
            scores["mask"] = _overlap(found["mask"] > 0.5, np.asarray(Image.open(file).convert("L")) > 127)
    for file in folder.glob("*.json"):
        if path.stem.endswith(file.stem) and "segmentation" in found:
            for item in json.loads(file.read_text()).values():
                if isinstance(item, dict):
                    name = PARTS_OF[item["category_id"]]
                    truth = _filled(item["segmentation"], found["mask"].shape)
                    scores[name] = _overlap(found["segmentation"] == PART[name], truth)
    return scores


def _filled(polygons, size):
    """Bool (H, W): inside any of the polygons, lists of x, y, x, y, ..."""
    image = Image.new("1", size[::-1])
    for polygon in polygons:
        ImageDraw.Draw(image).polygon(polygon, fill=1)
    return np.asarray(image)


def _overlap(first, second):
    return float((first & second).sum() / max((first | second).sum(), 1))


def _with_crop(row, found):
    """A row with the square that the networks are shown, of a person or garment, at its right end."""
    crop = np.full((sheet.TILE + sheet.GAP, sheet.TILE, 3), sheet.PAPER, np.uint8)
    if found is not None:
        if "segmentation" in found:
            framed = standardize.crop_person(found, standardize.frame_person(found), sheet.TILE)["person"]
        else:
            framed = standardize.crop_garment(found, sheet.TILE)["garment"]
        crop[: sheet.TILE] = np.round(255 * np.clip(framed, 0, 1))
    return np.concatenate([row, crop], 1)


if __name__ == "__main__":
    main()
