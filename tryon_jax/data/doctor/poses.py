"""Keypoints: whether the file is whole, and whether its joints lie on the person's own parts in the photo's pixels."""

import numpy as np

from tryon_jax.data.doctor import ERROR, WARNING, Finding
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import KEYPOINT, PART

_ARMS = ("left_arm", "right_arm", "left_hand", "right_hand")
_LEGS = ("left_leg", "right_leg", "left_shoe", "right_shoe")
_CLOTHES = ("upper", "dress", "outer")
# Parts that may lie at a joint; it may be hidden by the arms.
EXPECTED = {
    "nose": ("face", "hair"), "shoulder": (*_CLOTHES, *_ARMS, "neck", "hair"), "elbow": (*_CLOTHES, *_ARMS),
    "wrist": (*_CLOTHES, *_ARMS), "hip": (*_CLOTHES, *_ARMS, "lower"), "knee": (*_LEGS, "lower", "dress", "outer"),
    "ankle": (*_LEGS, "lower", "dress"),
}  # fmt: skip
SIDED = {"elbow": _ARMS, "wrist": _ARMS, "knee": _LEGS, "ankle": _LEGS}
RADIUS = 0.02  # of the picture's height: estimators put joints that near, and maps are soft at their rim
FEWEST = 4  # joints that a judgement needs
FITS, BETTER = 0.6, 0.3  # share of joints on their parts that will do; how much more another reading must reach
FACTORS = (0.25, 0.5, 2.0, 4.0)  # other sizes of the photo that keypoints are written for
VOTES = 2  # joints on the other side's limb, and none on their own


def read(path, reader):
    """(keypoints [17, 3] as reader(path) gives them or None, findings); none at all where the file is not there."""
    if not path.exists():
        return None, []
    try:
        points = reader(path)
    except UserError as error:
        wrong = str(error).removeprefix(f"{path}: ").rpartition(";")[0]
        return None, [Finding(ERROR, "damaged file", path, f"{wrong}.", "Fetch it again.")]
    if points[:, 2].any():
        return points, []
    return None, [Finding(WARNING, "nobody found", path, "it has no joint.", "Leave the pair out of the list.")]


def share_on_parts(parts, points, sided=False):
    """Share of the seen joints [17, 3], in pixels of parts [H, W], that lie on or near a part of theirs; -1 if few.

    sided: limbs must be those of the joint's own side.
    """
    near = [
        bool(np.isin(window, _expected(name, sided)).any())
        for name, window in _windows(parts, points)
        if name.rpartition("_")[2] in EXPECTED
    ]
    return sum(near) / len(near) if len(near) >= FEWEST else -1.0


def _expected(name, sided):
    """Numbers of the parts that may lie at the joint of that name."""
    side, _, joint = name.rpartition("_")
    others = {"left": "right", "right": "left"}.get(side, "-") if sided else "-"
    return [PART[part] for part in EXPECTED[joint] if not part.startswith(others)]


def crossed(parts, points):
    """Whether limbs' joints lie on the labels of the other side, and none on its own's."""
    own = other = 0
    for name, window in _windows(parts, points):
        side, _, joint = name.rpartition("_")
        if joint not in SIDED:
            continue
        limbs = [[PART[part] for part in SIDED[joint] if part.startswith(side) is same] for same in (True, False)]
        mine, theirs = (np.isin(window, limb).sum() for limb in limbs)
        own, other = own + (mine > 2 * theirs), other + (theirs > 2 * mine)
    return other >= VOTES and not own


def reading(parts, points):
    """How the keypoints [17, 3] fit parts [H, W]: "fits", "mirrored", "nowhere", or the factor that would fit."""
    share = share_on_parts(parts, points)
    if share < 0:
        return "fits"
    if share >= FITS:
        return "mirrored" if crossed(parts, points) else "fits"
    others = {factor: share_on_parts(parts, points * [factor, factor, 1]) for factor in FACTORS}
    others["mirrored"] = share_on_parts(parts[:, ::-1], points)
    best = max(others, key=others.get)
    if others[best] >= max(FITS, share + BETTER):
        return best
    return "nowhere" if share < FITS / 2 else "fits"


def _windows(parts, points):
    """(name, parts around it) of the joints that are seen; outside of the picture there is nothing."""
    radius = max(1, round(RADIUS * len(parts)))
    padded = np.pad(parts, radius)
    for name, index in KEYPOINT.items():
        x, y, seen = points[index]
        if seen <= 0:
            continue
        inside = 0 <= x < parts.shape[1] and 0 <= y < parts.shape[0]
        row, column = (int(y), int(x)) if inside else (-1, -1)
        yield name, padded[row : row + 2 * radius + 1, column : column + 2 * radius + 1] if inside else parts[:0]
