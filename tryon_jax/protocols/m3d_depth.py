"""Double depth maps of MPV-3D as M3D-VTON predicts them (arXiv:2108.05126), against its PIFuHD depth.

Targets: MPV-3D's root, with depth/ in it, or that folder: ID=person_whole_front_depth.npy and ..._back_depth.npy, the
files as published: float32 of 512 rows and 320 columns, window depth in (0, 1), 0 off the person, the back seen from
behind. With test_pairs.txt in the root only its people count. Outputs: ID=person_*_front_depth.npy and ..._back_depth
.npy, as M3D-VTON's test.py writes initial-depth/ and final-depth/: float32 of the same size, z in world units (1 is
about a metre: the pixel pitch is 1/256), positive toward the front camera, the back in the front's pixel grid. The
people must wear what they wear in the data: there is no truth for another garment.

Judged where the target's own map is not 0; what an output leaves at 0 there counts as z = 0. The paper names its scores
Abs., Sq. and RMSE; its public code has no evaluation that would tell whether they are relative and which pixels count,
so both readings are here: of z, and relative to the distance from the camera (2 - z in front, 2 + z behind), after
arXiv:1406.2283. No number here is claimed to be the paper's. PIFuHD made the truth: errors below its own mean nothing,
and its silhouettes differ from the photographs' (IoU 0.92 and 0.97 on the two people of its example). Floors: constant
is the one best z a sheet over the set, own_mean each map's own mean, which no guess could know. There are no colours
here, so nothing to copy or paste.
"""

import functools

import numpy as np

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import reading
from tryon_jax.scores import depth, views

VARIANTS = ("all",)
SIDES = ("front", "back")
SIZE = (512, 320)
CAMERA = 2.0  # world units from the root plane to either camera
FARTHEST = 0.35  # no person's z is that large in the mean: such a map holds window depth, not z
ERRORS = {
    "abs": ("units", depth.absolute, "mean absolute error of z"),
    "sq": ("units2", depth.squared, "mean squared error of z"),
    "rmse": ("units", depth.root_mean_squared, "root mean squared error of z"),
}
RELATIVE = {
    "abs_rel": ("", depth.absolute_relative, "mean absolute error relative to the distance from the camera"),
    "sq_rel": ("units", depth.squared_relative, "mean squared error over the distance from the camera"),
}
MEASURES = {
    f"{side}_{name}": protocols.Measure(unit, "less", f"{side}: {about}")
    for side in SIDES
    for name, (unit, _, about) in {**ERRORS, **RELATIVE}.items()
} | {"view_crossing": protocols.Measure("", "less", "share of the person whose back lies before the front")}


def task(outputs, targets, variant=VARIANTS[0], limit=0):
    """The Task of a folder of double depth maps against MPV-3D's."""
    outputs, targets = reading.folder(outputs, "--outputs"), reading.folder(targets, "--targets")
    made = _people(outputs)
    true = _people(targets / "depth" if (targets / "depth").is_dir() else targets)
    people = protocols.spread(_listed(targets, sorted(true)), limit)
    for person in people:
        for side in SIDES:
            if side not in true.get(person, {}):
                raise UserError(f"{targets}: no {person}=person_whole_{side}_depth.npy; add it")
            if side not in made.get(person, {}):
                raise UserError(f"{outputs}: no {person}=person_*_{side}_depth.npy; every target needs one")

    def read_target(person):
        return target(*(reading.numbers(true[person][side], 0, SIZE) for side in SIDES), true[person]["front"])

    def read(number):
        person = people[number]
        wanted = read_target(person)
        found = {side: reading.numbers(made[person][side], 0, SIZE) for side in SIDES}
        for side in SIDES:
            if abs(found[side][wanted[f"{side}_mask"]].mean()) > FARTHEST:
                raise UserError(f"{made[person][side]}: this looks like window depth; give z, 1 - 2 d in front")
        return found, wanted

    def means(person):
        found = read_target(person)
        return [found[side][found[f"{side}_mask"]].mean() for side in SIDES]

    naive = functools.partial(_floors, constants=np.mean([means(person) for person in people], 0))
    return protocols.Task(people, read, score, own, naive, lambda made, target: None, MEASURES, [])


def _people(folder):
    """Dict of person -> side -> path, of files that end in _front_depth.npy and _back_depth.npy."""
    found = {}
    for path in sorted(folder.glob("*_depth.npy")):
        person, _, rest = path.name.partition("=")
        side = rest.removesuffix("_depth.npy").rpartition("_")[2]
        if side in SIDES:
            if side in found.setdefault(person, {}):
                raise UserError(f"{path}: {found[person][side].name} is of the same person; keep one of them")
            found[person][side] = path
    if not found:
        raise UserError(f"{folder}: no file like ID=person_whole_front_depth.npy in it; give the folder of the maps")
    return found


def _listed(root, people):
    """The people that the root's test_pairs.txt lists, each once; all of `people` where there is none."""
    place = root / "test_pairs.txt"
    if not place.is_file():
        return people
    lines = [line.split() for line in place.read_text().splitlines() if line.strip()]
    return sorted({line[0].partition("=")[0] for line in lines})


def target(front, back, path):
    """front, back: z [H, W], the back in the front's pixel grid, of window depths; *_mask bool: where there is any.

    Raises UserError naming `path` if a map does not lie in [0, 1] or is empty.
    """
    for window in (front, back):
        if window.min() < 0 or window.max() > 1 or not (window > 0).any():
            raise UserError(f"{path}: it or its back is no window depth in 0..1, 0 off the person; take the data's own")
    back = back[:, ::-1]
    return {
        "front": (1 - 2 * front) * (front > 0),
        "back": (2 * back - 1) * (back > 0),
        "front_mask": front > 0,
        "back_mask": back > 0,
    }


def score(made, target):
    """Errors of both maps by MEASURES' names."""
    found = {}
    for side, sign in (("front", -1), ("back", 1)):
        mask = target[f"{side}_mask"]
        for name, (_, error, _) in ERRORS.items():
            found[f"{side}_{name}"] = error(made[side], target[side], mask)
        distances = [CAMERA + sign * maps[side] for maps in (made, target)]
        for name, (_, error, _) in RELATIVE.items():
            found[f"{side}_{name}"] = error(*distances, mask)
    return found


def own(made):
    """How much of the person lies inside out, where both maps of an output, or of a target, are not 0."""
    return {"view_crossing": views.crossing(made["front"], made["back"], (made["front"] != 0) & (made["back"] != 0))}


def _floors(target, constants):
    own_mean = {side: target[side][target[f"{side}_mask"]].mean() for side in SIDES}
    flat = {"constant": dict(zip(SIDES, constants, strict=True)), "own_mean": own_mean}
    return {name: {side: np.full(SIZE, at[side], np.float32) for side in SIDES} for name, at in flat.items()}
