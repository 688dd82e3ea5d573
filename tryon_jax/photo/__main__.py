"""What is understood of photos: python -m tryon_jax.photo --person FILE ... --garment FILE ... --out=DIR

DIR gets understood.png, a contact sheet of all files; beside it, for each, NAME.cutout.png, for people NAME.parts.png
(a label map that may be mended and given back to tryon_jax.tryon as --person-segmentation), and NAME.json with joints
or landmarks, class, confidence and doubts.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import tqdm
from PIL import Image

from tryon_jax import photo
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, PALETTE, PARTS
from tryon_jax.photo import landmarks, picture, sheet

SHEET = "understood.png"
ENDINGS = (".cutout.png", ".parts.png", ".json")


def main(arguments=None):
    """Runs the command line; returns the exit status, 1 if any file was refused."""
    parser = argparse.ArgumentParser(prog="python -m tryon_jax.photo", description=__doc__.splitlines()[0])
    parser.add_argument("--person", type=pathlib.Path, nargs="+", default=[], help="photos of a person")
    parser.add_argument("--garment", type=pathlib.Path, nargs="+", default=[], help="pictures of a garment alone")
    parser.add_argument("--person-segmentation", type=pathlib.Path, help="a ready label map of the one photo")
    parser.add_argument("--class", dest="garment_class", choices=GARMENT_CLASSES, help="of all garments; else guessed")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write to")
    given = parser.parse_args(arguments)
    try:
        refused = _write(given)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the sheet was not written", file=sys.stderr)
        return 130
    return int(refused > 0)


def _write(given):
    """Writes the sheet and the files beside it; returns the number of files that were refused."""
    files = [*given.person, *given.garment]
    _check(given, files)
    given.out.mkdir(parents=True, exist_ok=True)
    rows, refused = [], 0
    for number, path in enumerate(tqdm.tqdm(files, unit="photo")):
        try:
            if number < len(given.person):
                found = photo.person(path, given.person_segmentation)
                rows.append(sheet.person_row(path.name, found))
            else:
                found = photo.garment(path, given.garment_class)
                rows.append(sheet.garment_row(path.name, found))
        except UserError as error:
            tqdm.tqdm.write(f"error: {error}", file=sys.stderr)
            rows.append(sheet.refusal_row(path.name, _readable(path), str(error).removeprefix(f"{path}: ")))
            refused += 1
            continue
        _keep(given.out, path.stem, found)
        for doubt in found["doubts"]:
            tqdm.tqdm.write(f"{path}: {doubt}", file=sys.stderr)
    Image.fromarray(sheet.compose(rows)).save(given.out / SHEET)
    print(f"{given.out / SHEET}: {len(files) - refused} of {len(files)} understood")
    return refused


def _check(given, files):
    """Raises UserError if there is nothing to read, names clash, or the folder holds what is not ours."""
    if not files:
        raise UserError("--person, --garment: none given; give at least one file")
    if given.person_segmentation and len(given.person) != 1:
        raise UserError(f"{given.person_segmentation}: a label map is of one photo; give one --person with it")
    for path in files:
        if sum(path.stem == other.stem for other in files) > 1:
            raise UserError(f"{path}: another file has the same name, {path.stem}; rename one")
    if given.out.exists() and not given.out.is_dir():
        raise UserError(f"{given.out}: this is a file; give a folder as --out")
    others = sorted(path.name for path in given.out.iterdir()) if given.out.exists() else []
    others = [name for name in others if name != SHEET and not name.endswith(ENDINGS)]
    if others:
        raise UserError(f"{given.out}: it holds {others[0]}, which is no sheet of this command; give another --out")


def _readable(path):
    """The picture in the file uint8 [H, W, 3], or None if it is that which was refused."""
    try:
        return picture.read(path).rgb
    except UserError:
        return None


def _keep(folder, stem, found):
    """Writes what was found of one file."""
    cut = np.dstack([found["rgb"], np.round(255 * found["mask"]).astype(np.uint8)])
    Image.fromarray(cut).save(folder / f"{stem}.cutout.png")
    told = {"confidence": found["confidence"], "doubts": found["doubts"]}
    if "segmentation" in found:
        labels = Image.fromarray(found["segmentation"].astype(np.uint8))
        labels.putpalette(PALETTE.ravel().tolist())
        labels.save(folder / f"{stem}.parts.png")
        told |= {"parts": PARTS, "joints": found["landmarks"].tolist()}
    else:
        rows = zip(landmarks.LANDMARKS, found["landmarks"].tolist(), strict=True)
        points = {name: [x, y] for name, (x, y, there) in rows if there}
        told |= {"class": GARMENT_CLASSES[found["garment_class"]], "kind": found["kind"], "landmarks": points}
    (folder / f"{stem}.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    sys.exit(main())
