"""A person's photo, label map and keypoints: each whole, and all three of one person, the same way round."""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tryon_jax.data.doctor import ERROR, LIKELY, Finding, evidence, pictures, poses
from tryon_jax.data.formats import labels

# Of the picture's pixels: where a silhouette and its mirror differ by less, nothing tells them apart.
LEAST_UNEVEN = 0.01
BEYOND = 1.02  # of the photo: joints at its very border are rounded outward
CLEARLY = 0.3  # by how much more often the person must be on one side than on the other


class Files(NamedTuple):
    """What is known of one person. image, parse, pose: paths; size: (W, H) of the photo; sizes: those that the label
    map may have, the photo's first; names: part of each label number; points: path -> keypoints [17, 3] in pixels of
    the photo; space: words that say which space the file's own numbers are in."""

    image: pathlib.Path
    parse: pathlib.Path
    pose: pathlib.Path
    size: tuple
    sizes: tuple
    names: tuple
    points: Callable
    space: str


class Seen(NamedTuple):
    """Thinned arrays, or None where not to be relied on: rgb uint8 [H, W, 3], parts int32 [H, W], points [17, 3]."""

    files: Files
    rgb: np.ndarray | None
    parts: np.ndarray | None
    points: np.ndarray | None


def look(files):
    """(Seen, findings) of one person's Files."""
    rgb, findings = pictures.colours(files.image, files.size)
    parts, more = read_parts(files)
    findings += more
    points, more = poses.read(files.pose, files.points)
    findings += more
    if points is not None:
        points, more = _inside(files, points, rgb is not None)
        findings += more
    if parts is not None and not parts.any():
        parts, wrong = None, "its label map shows nobody."
        findings.append(Finding(ERROR, "nobody found", files.parse, wrong, "Fetch it again, or leave the pair out."))
    faults = _compared(files, rgb, parts, points)
    astray = {one.file for one in faults}
    arrays = zip((files.image, files.parse, files.pose), (rgb, parts, points), strict=True)
    return Seen(files, *(None if path in astray else array for path, array in arrays)), findings + faults


def read_parts(files):
    """(our parts, int32 [H', W'], thinned, of a label map, or None; findings)."""
    numbers, findings = pictures.indices(files.parse, len(files.names), files.sizes)
    return None if numbers is None else labels.parts(numbers, files.names), findings


def _inside(files, points, visible):
    """(points in thinned pixels or None, findings of joints beyond the photo); visible: whether the photo is."""
    beyond = (points[:, 2] > 0) & (points[:, :2] > BEYOND * np.array(files.size)).any(1)
    if not beyond.any():
        return points / _step(files), []
    x, y = points[beyond][0, :2]
    wrong = f"{beyond.sum()} joints lie beyond the photo, one at {x:.0f}, {y:.0f} of its pixels."
    return None, [_in_space(files, points, 0.5, visible, wrong)]


def _compared(files, rgb, parts, points):
    """Findings of photo, parts and points that do not belong together."""
    if parts is None:
        return []
    photo = None if rgb is None else mirrored(rgb, parts > 0)
    fit = "fits" if points is None else poses.reading(parts, points)
    if photo:
        return [_turned(files, parts, points)]
    if fit == "fits":
        return []
    full = points * _step(files)
    if fit == "mirrored":
        wrong = "its left joints are on the right limbs of the label map, its right ones on the left."
        return [_mirrored(files.pose, wrong, _shown(rgb is not None, evidence.points, files, full, fit))]
    share = f"{poses.share_on_parts(parts, points):.0%} of its joints lie on their parts of the label map"
    if fit == "nowhere":
        shown = _shown(rgb is not None, evidence.points, files, full, None)
        return [Finding(LIKELY, "keypoint space", files.pose, f"{share}.", "Take the file of this photo.", shown)]
    wrong = f"{share}; times {fit:g}, {poses.share_on_parts(parts, points * [fit, fit, 1]):.0%} do."
    return [_in_space(files, full, fit, rgb is not None, wrong)]


def _turned(files, parts, points):
    """The finding of a photo and a label map of which one is mirrored: the keypoints tell which."""
    wrong, file = "the photo's person is where its mirror image is.", files.parse
    if points is not None:
        as_is, mirror = (poses.share_on_parts(each, points, sided=True) for each in (parts, parts[:, ::-1]))
        if as_is > mirror:
            wrong = "its person is where the mirrored label map is, while the keypoints fit the label map as it is."
            file = files.image
    return _mirrored(file, wrong, functools.partial(evidence.silhouettes, files))


def _step(files):
    """What keypoints in pixels of the photo are divided by for thinned pixels."""
    return np.array([*[pictures.step_of(files.size)] * 2, 1])


def _in_space(files, points, factor, visible, wrong):
    remedy = f"Keep the released numbers, which are in {files.space}."
    shown = _shown(visible, evidence.points, files, points, factor)
    return Finding(LIKELY, "keypoint space", files.pose, wrong, remedy, shown)


def _mirrored(path, wrong, shown):
    remedy = "Take the released files, or mirror photo, maps and keypoints together and swap left and right."
    return Finding(LIKELY, "mirrored", path, wrong, remedy, shown)


def _shown(visible, panels, *arguments):
    return functools.partial(panels, *arguments) if visible else None


def mirrored(rgb, mask):
    """Whether a photo, uint8 [H, W, 3], shows its person in the mirror image of mask [H, W]; None if nothing tells."""
    other = mask[:, ::-1]
    here, there, ground = mask & ~other, other & ~mask, ~mask & ~other
    if here.mean() < LEAST_UNEVEN or ground.mean() < LEAST_UNEVEN:
        return None
    person = pictures.differing(rgb, ground)
    more = person[there].mean() - person[here].mean()
    return bool(more > 0) if abs(more) > CLEARLY else None
