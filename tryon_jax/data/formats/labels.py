"""Label maps of human parsers as the project's parts (geometry/parts.py)."""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.parts import PART

# Labels of the parsers in their order, each the part that it is here. "hand" and "leg" of no side are gloves and
# socks: they go to the side whose limb is nearest. A hat covers hair, sunglasses the face; a scarf stays, as the neck
# does, when clothes are changed. Hands have no label: they are part of the arms.
# LIP and CIHP, 20 labels. Its upper clothes, dress and coat are one: what VITON-HD and MPV-3D dress people in are tops,
# however they were parsed, and VITON-HD's own merge of labels does so too.
LIP = (
    "background", "hair", "hair", "hand", "face", "upper", "upper", "upper", "leg", "lower", "neck", "neck", "lower",
    "face", "left_arm", "right_arm", "left_leg", "right_leg", "left_shoe", "right_shoe",
)  # fmt: skip
# ATR, 18 labels. Its head has no neck of its own; a bag is no part of the person.
ATR = (
    "background", "hair", "hair", "face", "upper", "lower", "lower", "dress", "lower", "left_shoe", "right_shoe",
    "face", "left_leg", "right_leg", "left_arm", "right_arm", "background", "neck",
)  # fmt: skip
# The same where a dress is worn: the belt is its.
ATR_DRESSED = tuple("dress" if index == 8 else name for index, name in enumerate(ATR))
# Where gloves and socks belong: their own part, and the parts that tell the side.
_SIDES = {"hand": ("hand", ("arm",)), "leg": ("leg", ("leg", "shoe"))}


def parts(labels, names):
    """Int32 [H, W] of our parts of label numbers [H, W] whose meanings are `names`, LIP or ATR."""
    found = np.array([PART.get(name, 0) for name in names], np.int32)[labels]
    for limb, (own, near) in _SIDES.items():
        sideless = np.isin(labels, [index for index, name in enumerate(names) if name == limb])
        if sideless.any():
            left = _nearer_left(found, sideless, near)
            found[sideless] = np.where(left, PART[f"left_{own}"], PART[f"right_{own}"])
    return found


def _nearer_left(found, where, near):
    """For each pixel of `where`: whether the left one of the parts `near` is nearer than the right one."""
    left, right = (np.isin(found, [PART[f"{side}_{part}"] for part in near]) for side in ("left", "right"))
    if not left.any() and not right.any():
        # Nothing else of the limbs is bare; people face the camera, so that the own left is at the picture's right.
        columns = np.nonzero(where)[1]
        return columns > np.flatnonzero((found > 0).any(0) | where.any(0)).mean()
    if not left.any() or not right.any():
        return np.full(where.sum(), left.any())
    return ndimage.distance_transform_edt(~left)[where] < ndimage.distance_transform_edt(~right)[where]
