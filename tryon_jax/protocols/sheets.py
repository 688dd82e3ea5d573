"""A folder of examples, each a folder of files: the sheets of outputs, and targets with what a method is given."""

import json
import pathlib
import shutil
import zipfile

import numpy as np
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINTS, PARTS
from tryon_jax.protocols import reading

SIDES = ("front", "back")
# Array, file, and how it is read: a colour, a mask, labels, or float32 of so many channels (0: none).
FILES = {"front_rgb": ("front.png", "colour"), "mask": ("mask.png", "mask")}
FILES |= {"back_rgb": ("back.png", "colour")}
FILES |= {f"{side}_depth": (f"{side}_depth.npy", 0) for side in SIDES}
FILES |= {f"{side}_normals": (f"{side}_normals.npy", 3) for side in SIDES}
FILES |= {f"{side}_segmentation": (f"{side}_labels.png", "labels") for side in SIDES}
REQUIRED = ("front_rgb", "mask")
GIVEN = {"person": ("person.png", "colour"), "person_segmentation": ("person_labels.png", "labels")}
GIVEN |= {"garment": ("garment.png", "colour"), "garment_mask": ("garment_mask.png", "mask")}
NPZ, ABOUT, SET = "sheets.npz", "example.json", "targets.json"


def output_keys(folders):
    """Which of FILES the outputs in `folders` have, a list: all of them the same. Raises UserError otherwise."""
    found = {folder: _keys_of(folder) for folder in folders}
    wanted = set(REQUIRED).union(*found.values())
    for folder, keys in found.items():
        for key in FILES:
            if key in wanted and key not in keys:
                what = f"array {key} in {NPZ}" if (folder / NPZ).is_file() else FILES[key][0]
                needed = "is needed" if key in REQUIRED else "every example needs one, or none may have it"
                raise UserError(f"{folder}: no {what}; {needed}")
    return [key for key in FILES if key in wanted]


def _keys_of(folder):
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; every target needs an output's folder of its name")
    npz = folder / NPZ
    if not npz.is_file():
        return {key for key, (file, _) in FILES.items() if (folder / file).is_file()}
    with _opened(npz) as arrays:
        return {key for key in FILES if key in arrays.files}


def _opened(npz):
    try:
        return np.load(npz, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{npz}: cannot be read ({reason}); write it again") from None


def read_output(folder, keys, size):
    """The output in `folder`: `*_rgb` float32 [H, W, 3] in [0, 1], `mask` bool [H, W], `*_depth` float32 [H, W] metres,
    `*_normals` float32 [H, W, 3], `*_segmentation` int32 [H, W], 0 off the mask (tryon's own go on beyond it). Raises
    UserError naming the file that is bad.
    """
    read = _archive if (folder / NPZ).is_file() else _files
    found = read(folder, keys, size)
    return {key: value * found["mask"] if key.endswith("segmentation") else value for key, value in found.items()}


def _files(folder, keys, size):
    return {key: _file(folder, *FILES[key], size) for key in keys}


def _archive(folder, keys, size):
    with _opened(folder / NPZ) as arrays:
        try:
            stored = {key: arrays[key] for key in keys}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
            raise UserError(f"{folder / NPZ}: damaged ({error}); write it again") from None
    return {key: _stored(f"{folder / NPZ}: {key}", FILES[key][1], value, size) for key, value in stored.items()}


def _file(folder, name, kind, size):
    path = folder / name
    if kind == "colour":
        return reading.colour(path, size) / np.float32(255)
    if kind == "mask":
        return reading.coverage(path, size)
    if kind == "labels":
        return reading.labels(path, len(PARTS), size)
    return reading.numbers(path, kind, size)


def _stored(place, kind, value, size):
    """An array of sheets.npz, checked and in the form that `_file` gives."""
    if kind == "labels":
        if value.dtype.kind not in "iu" or value.ndim != 2 or value.min() < 0 or value.max() >= len(PARTS):
            raise UserError(f"{place}: must be whole numbers 0..{len(PARTS) - 1}, height x width")
        return reading.sized(place, value.astype(np.int32), size)
    value = reading.checked(place, value, {"colour": 3, "mask": 0}.get(kind, kind), size)
    if kind in ("colour", "mask") and (value.min() < 0 or value.max() > 1):
        raise UserError(f"{place}: values from {value.min():.3g} to {value.max():.3g}; they must lie in [0, 1]")
    return value > 0.5 if kind == "mask" else value


def from_example(example):
    """A target of an example of the batch contract (data/__init__.py): what `read_target` gives of its folder."""
    target = {key: np.asarray(example[key], np.float32) for key in ("keypoints", "camera")}
    for key in (*FILES, *GIVEN):
        value = np.asarray(example[key])
        value = value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
        target[key] = value > 0.5 if key.endswith("mask") else value
    return target | {key: int(example[key]) for key in ("garment_class", "same_garment")}


def read_target(folder):
    """The target in `folder`: arrays as `read_output`'s, and what a method is given: person and garment float32
    [H, W, 3], person_segmentation int32, garment_mask bool, keypoints float32 [17, 3], camera float32 [3] (metres a
    pixel, centre x, y), garment_class and same_garment int. Raises UserError naming the file that is bad.
    """
    size = reading.colour(folder / FILES["front_rgb"][0]).shape[:2]
    target = {key: _file(folder, *place, size) for key, place in FILES.items()}
    for key, place in GIVEN.items():
        target[key] = _file(folder, *place, size if key.startswith("person") else None)
    if not target["mask"].any():
        raise UserError(f"{folder / FILES['mask'][0]}: the silhouette is empty; export the targets again")
    return target | _about(folder / ABOUT)


def _about(path):
    try:
        found = json.loads(path.read_text())
        about = {key: np.array(found[key], np.float32) for key in ("camera", "keypoints")}
        about |= {"garment_class": GARMENT_CLASSES.index(found["garment_class"])}
        about |= {"same_garment": int(found["same_garment"])}
        if about["camera"].shape != (3,) or about["keypoints"].shape != (len(KEYPOINTS), 3):
            raise ValueError("camera or keypoints are not of their shape")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: no target's description ({reason}); export the targets again") from None
    return about


def write_targets(source, folder, origin):
    """Writes all examples of a source as targets into `folder`, one folder each; goes on where it was stopped.

    origin: dict of str, what the examples are, kept in targets.json. Raises UserError if the folder holds anything else
    or cannot be written.
    """
    import tqdm

    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / SET).exists():
            if any(folder.iterdir()):
                raise UserError(f"{folder}: it holds something else; give an empty or a new folder as --export")
            (folder / SET).write_text(json.dumps(origin, indent=1) + "\n")
        if json.loads((folder / SET).read_text()) != origin:
            raise UserError(f"{folder}: it holds targets of other data ({SET}); give another folder as --export")
        for number in tqdm.tqdm(range(len(source)), desc="exporting targets", unit="example"):
            if not (folder / f"{number:05d}").is_dir():
                write_target(source[number], folder / f"{number:05d}")
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: cannot be written ({error}); free it or give another --export") from None


def write_target(example, folder):
    """Writes an example of the batch contract as a target's folder, all of it or nothing."""
    folder = pathlib.Path(folder)
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    target = from_example(example)
    for key, (name, kind) in {**FILES, **GIVEN}.items():
        if kind in ("colour", "mask"):
            Image.fromarray(np.round(np.asarray(target[key], np.float32) * 255).astype(np.uint8)).save(beside / name)
        elif kind == "labels":
            Image.fromarray(target[key].astype(np.uint8)).save(beside / name)
        else:
            np.save(beside / name, np.asarray(target[key], np.float32))
    about = {key: target[key].tolist() for key in ("camera", "keypoints")}
    about |= {"garment_class": GARMENT_CLASSES[target["garment_class"]], "same_garment": bool(target["same_garment"])}
    (beside / ABOUT).write_text(json.dumps({**about, "caption": str(example["caption"])}, indent=1) + "\n")
    beside.rename(folder)
