"""The batch contract: one schema for every data set, and how a data set is found by its name."""

import ast
import importlib
import pathlib
import pkgutil

import numpy as np

from tryon_jax.geometry.fine import FINER
from tryon_jax.geometry.parts import KEYPOINTS, PARTS

SIDES = ("front", "back")
TARGETS = ("rgb", "depth", "normals", "segmentation", "garment_uv", "strain")
# Those that networks predict: a sheet that a stage makes has these.
PREDICTED = ("rgb", "depth", "normals", "segmentation", "garment_uv")
# One flag a target: 1 where the example holds its truth, 0 where the array is zeros.
HAS = (
    "rgb", "back_rgb", "depth", "normals", "segmentation", "back_segmentation", "garment_uv", "strain", "mask",
    "keypoints", "person_segmentation",
)  # fmt: skip


def specification(size, garment_size=None):
    """Shape and dtype of every key of one example at picture side `size` pixels.

    Returns a dict of key -> (shape, dtype); `has` is a nested dict of float32 scalars; `caption` is bytes.
    `person`, `garment` and `*_rgb` lie in [0, 1]; `keypoints` are x, y in pixels and visibility;
    `*_depth` metres toward the front camera from the body's root plane; `*_normals` unit, camera frame;
    `*_garment_uv` x, y in [-1, 1] over the garment picture (x right, y down; zeros off the garment);
    `*_strain` how much longer the cloth is than on its pattern, as a share, negative where it is pushed together;
    `garment_class` indexes GARMENT_CLASSES; `camera` is geometry.camera's. `person_fine` is the photo with twice the
    pixels a side, `front_fine` the front sheet's colour times coverage, and coverage, likewise.
    """
    garment_size = garment_size or size
    picture, fine, one = (size, size), (FINER * size, FINER * size), np.float32
    spec = {
        "person": ((*picture, 3), one),
        "person_fine": ((*fine, 3), one),
        "front_fine": ((*fine, 4), one),
        "person_segmentation": (picture, np.int32),
        "keypoints": ((len(KEYPOINTS), 3), one),
        "garment": ((garment_size, garment_size, 3), one),
        "garment_mask": ((garment_size, garment_size, 1), one),
        "garment_class": ((), np.int32),
        "mask": ((*picture, 1), one),
        "camera": ((3,), one),
        "same_garment": ((), one),
    }
    for side in SIDES:
        spec[f"{side}_rgb"] = ((*picture, 3), one)
        spec[f"{side}_depth"] = ((*picture, 1), one)
        spec[f"{side}_normals"] = ((*picture, 3), one)
        spec[f"{side}_segmentation"] = (picture, np.int32)
        spec[f"{side}_garment_uv"] = ((*picture, 2), one)
        spec[f"{side}_strain"] = ((*picture, 1), one)
    spec["has"] = {name: ((), one) for name in HAS}
    return spec


def check(example, size, garment_size=None):
    """Raises ValueError naming the key if one example [no batch axis] breaks the contract."""
    spec = specification(size, garment_size)
    flat = {**{k: v for k, v in spec.items() if k != "has"}, **{f"has.{k}": v for k, v in spec["has"].items()}}
    given = {**{k: v for k, v in example.items() if k != "has"}, **{f"has.{k}": v for k, v in example["has"].items()}}
    for key, (shape, dtype) in flat.items():
        if key not in given:
            raise ValueError(f"example lacks {key!r}")
        value = np.asarray(given[key])
        if value.shape != shape or value.dtype != dtype:
            raise ValueError(f"{key!r} is {value.dtype}{value.shape}, the contract says {np.dtype(dtype)}{shape}")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"{key!r} holds a NaN or an infinity")
        if key.endswith("segmentation") and value.ndim == 2 and not (0 <= value.min() and value.max() < len(PARTS)):
            raise ValueError(f"{key!r} has labels outside 0..{len(PARTS) - 1}")


def names():
    """Names of all data sets: the files and folders of this folder that define `open_split`."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if _offers_open_split(found))


def _offers_open_split(found):
    """Read from the text: importing a file in order to ask it would take seconds."""
    file = found.module_finder.find_spec(found.name).origin
    body = ast.parse(pathlib.Path(file).read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "open_split" for node in body)


def load(name):
    """The data set module called `name`; it offers open_split(preset, split, folder) -> random-access source.

    Raises ValueError naming the choices if there is no such data set.
    """
    if name not in names():
        raise ValueError(f"no data set {name!r}: choose one of {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")
