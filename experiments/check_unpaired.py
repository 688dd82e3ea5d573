"""Whether a person is the same to the last bit under one outfit and under another.

    python experiments/check_unpaired.py --examples 100 [--size 64] [--first BODY] [--processes N]

For consecutive bodies, one unpaired example each: its photo shows outfit A and its sheets outfit B. It is built as it
is, then every body, drape and dressed person is forgotten, and it is built again with A and B changed places. What is
compared, byte for byte, of the sheets in B and the sheets in A:

numbers: keypoints, camera and light; figure: the body's vertices in all key poses of its drape, and its pose; bare:
places, normals and colours of all vertices of body, hair and shoes in the camera frame; pixels: labels, depth, normals
and unshaded colour of pixels that show a person and no sample of cloth in either outfit; lit: the colour in light of
those among them that no vertex touches whose share of the light the clothes change. The same is asked of one build's
photo in A (from the front, before background and camera noise) and its sheets in B.

Skin that clothes surely hide is left out of the stored sheets. So that pixels tell of the body alone, they are compared
with all skin drawn; holes are the pixels of the stored sheets at whose centre skin is missed that no cloth hides there.
Exits with 1 if anything differs, or if too few pixels are bare to tell.
"""

import argparse
import pathlib
import sys
from typing import NamedTuple
from unittest import mock

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments import drawings, processes  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax.simulation import drawing, people, scene, specification, wardrobe  # noqa: E402

SEED = 0
UNLIT = ("labels", "depth", "normals", "albedo")
PARTS = ("numbers", "figure", "bare", "pixels", "lit", "holes")
SAID = {"holes": "pixels of holes in the skin"}


class Build(NamedTuple):
    """One build of an example: its keypoints; drawings.Drawings of its sheets as stored, and of its sheets and photo
    with all skin; the body's vertices [K, V, 3] in the key poses of its drape, and its pose as text."""

    keypoints: np.ndarray
    stored: drawings.Drawing
    sheets: drawings.Drawing
    photo: drawings.Drawing
    frames: np.ndarray
    pose: str


class Compared(NamedTuple):
    """What differs between two drawn people: {one of PARTS: how many arrays or pixels}; bare and lit pixels that were
    compared."""

    differ: dict
    bare: int
    lit: int


def unpaired(body_id):
    """The Specification of the first unpaired example of a training body, or None if it has none."""
    numbers = range(body_id * specification.EXAMPLES_A_BODY, (body_id + 1) * specification.EXAMPLES_A_BODY)
    specs = (specification.sample("train", number, SEED) for number in numbers)
    return next((spec for spec in specs if not spec.same_garment), None)


def swapped(spec):
    """The Specification with its outfits changed places."""
    # Without the jacket nothing new is worn: then any piece may be in the shop picture.
    chosen = next((piece for piece in reversed(spec.worn) if piece not in spec.sheets), spec.worn[-1])
    return spec._replace(sheets=spec.worn, worn=spec.sheets, chosen=chosen)


def forget():
    """Empties every cache of bodies, drapes and dressed people."""
    for module in (scene, wardrobe, specification):
        for made in vars(module).values():
            if hasattr(made, "cache_clear") and made.__module__ == module.__name__:
                made.cache_clear()


def build(spec, size):
    """The Build of a Specification, from nothing that was made before."""
    forget()
    example, stored, *_ = drawings.example(spec, size)
    uncovered = people.uncovered
    with mock.patch.object(people, "uncovered", lambda *given: uncovered(*given[:2], np.zeros_like(given[2]))):
        _, sheets, photo, _ = drawings.example(spec, size)
    closet = wardrobe.dress(spec.body_id, SEED, scene.cloth_levels(size))
    turns = {bone: np.asarray(turn).tobytes() for bone, turn in sorted(closet.pose.rotations.items())}
    pose = repr((closet.pose.name, closet.pose.yaw, turns))
    return Build(example["keypoints"], stored, sheets, photo, closet.motion.vertices, pose)


def same(one, other):
    """Whether two arrays have the same shape, type and bytes."""
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def is_cloth(mesh):
    """Whether each vertex [V] of a joined drawing.Mesh is of cloth: only that has a texture."""
    return mesh.texture_uv[:, 0] >= 0


def touched(drawn, changed, size):
    """Pixels [sides, S, S, 2] of a Drawing in which a sample shows cloth, or a vertex of changed [V]."""
    mesh = drawn.mesh
    marks = np.stack([is_cloth(mesh), changed, changed], -1).astype(np.float32)
    marked = mesh._replace(colours=marks, texture_uv=np.full_like(mesh.texture_uv, -1))
    # As the example itself was drawn, so that nothing is compiled anew and the same samples are met.
    sides = drawing.draw(
        marked, drawn.textures, drawn.light, drawn.camera, size, scene.PERSON_LAYERS, drawn.openness,
        drawn.back is not None,
    )  # fmt: skip
    # Not equal, since beside a snapped edge a corner may weigh less than nothing.
    return [np.asarray(side.albedo)[..., :2] != 0 for side in sides if side is not None]


def compare(one, other, size):
    """The Compared of two Drawings of one person in different clothes; of the front alone if either has no back."""
    count = int(np.argmax(is_cloth(one.mesh)))
    pairs = [(one.light, other.light), (one.camera, other.camera)]
    differ = {"numbers": sum(not same(*pair) for pair in pairs)}
    rows = [[getattr(each.mesh, name)[:count] for each in (one, other)] for name in ("vertices", "normals", "colours")]
    differ["bare"] = sum(not same(*pair) for pair in rows) + (count != int(np.argmax(is_cloth(other.mesh))))
    changed = one.openness[:count] != other.openness[:count]
    padded = [np.pad(changed, (0, len(each.mesh.vertices) - count)) for each in (one, other)]
    marks = [touched(each, mark, size) for each, mark in zip((one, other), padded, strict=True)]
    found = np.zeros(4, int)
    for first, second, *reached in zip((one.front, one.back), (other.front, other.back), *marks, strict=False):
        cloth, shaded = np.moveaxis(np.logical_or(*reached), -1, 0)
        bare = ~cloth & ((np.asarray(first.labels) > 0) | (np.asarray(second.labels) > 0))
        lit = bare & ~shaded
        found += [
            (unlike(first, second) & bare).sum(),
            (_unlike(first.rgb, second.rgb) & lit).sum(),
            bare.sum(),
            lit.sum(),
        ]
    pixels, lit, *compared = found.tolist()
    return Compared(differ | {"pixels": pixels, "lit": lit}, *compared)


def holes(stored, whole, size):
    """How many pixels of a stored Drawing lack skin that no cloth hides: their centres show another part or depth
    than the `whole`, without cloth in both. Beside a centre it may lack what would come through the cloth."""
    marks = [touched(each, np.zeros(len(each.mesh.vertices), bool), size) for each in (stored, whole)]
    sides = zip((stored.front, stored.back), (whole.front, whole.back), *marks, strict=True)
    return sum(int((unlike(one, other, ("labels", "depth")) & ~(a | b)[..., 0]).sum()) for one, other, a, b in sides)


def unlike(one, other, names=UNLIT):
    """Pixels [S, S] in which two drawing.Sides differ in any bit of what light does not change."""
    return np.any([_unlike(getattr(one, name), getattr(other, name)) for name in names], axis=0)


def _unlike(one, other):
    """Pixels [S, S] in which two pictures [S, S] or [S, S, C] of one type differ in any bit."""
    one, other = (np.asarray(each) for each in (one, other))
    unlike = one.view(np.uint32) != other.view(np.uint32)
    return unlike if unlike.ndim == 2 else unlike.any(-1)


def measure(task):
    """(Compared of two builds, Compared of photo and sheets of the first) of a body; None if all its examples are
    paired."""
    body_id, size = task
    spec = unpaired(body_id)
    if spec is None:
        return None
    one, other = build(spec, size), build(swapped(spec), size)
    between = compare(one.sheets, other.sheets, size)
    between.differ["numbers"] += not same(one.keypoints, other.keypoints)
    between.differ["figure"] = (not same(one.frames, other.frames)) + (one.pose != other.pose)
    between.differ["holes"] = sum(holes(each.stored, each.sheets, size) for each in (one, other))
    return between, compare(one.photo, one.sheets, size)


def main():
    """Measures, prints, and exits with 1 if anything differs."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--examples", type=int, default=100)
    flags.add_argument("--size", type=int, default=64, help="pixels a side")
    flags.add_argument("--first", type=int, default=0, help="number of the first body")
    flags.add_argument("--processes", type=int, help="one a core if not given")
    chosen = flags.parse_args()
    found, bodies = [], range(chosen.first, chosen.first + 2 * chosen.examples)
    measured = processes.results(measure, ((body_id, chosen.size) for body_id in bodies), chosen.processes)
    with processes.bar(chosen.examples, "example") as bar:
        for one in measured:
            found += [one] if one else []
            bar.update(len(found) - bar.n)
            if len(found) == chosen.examples:
                break
    measured.close()
    sys.exit(judged(found))


def judged(found):
    """Prints what all pairs of Compared come to beside the limits; gives the exit status."""
    rows = []
    for name, number in (("two builds", 0), ("photo and sheets", 1)):
        mine = [pair[number] for pair in found]
        bare, lit = (np.array([getattr(one, kind) for one in mine]) for kind in ("bare", "lit"))
        print(
            f"{name}: {len(mine)} examples, {bare.sum()} bare pixels, {lit.sum()} of them in light that nothing changes"
        )
        for part in (part for part in PARTS if part in mine[0].differ):
            rows.append(
                Row(
                    f"{name}: {SAID.get(part, part + ' that differ')}",
                    sum(one.differ[part] for one in mine),
                    "=",
                    0,
                    "{:.0f}",
                )
            )
        rows.append(Row(f"{name}: bare pixels an example, median", float(np.median(bare)), ">=", 20, "{:.0f}"))
        rows.append(Row(f"{name}: lit ones, median", float(np.median(lit)), ">=", 10, "{:.0f}"))
    return judge(rows)


if __name__ == "__main__":
    main()
