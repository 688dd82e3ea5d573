"""The names that every other part agrees on: body and clothing parts, keypoints, garment classes.

Left and right are the person's own. `FLIP_*` say where each index goes when a picture is mirrored.
"""

import numpy as np

PARTS = (
    "background", "hair", "face", "neck", "left_arm", "right_arm", "left_hand", "right_hand",
    "upper", "lower", "dress", "outer", "left_leg", "right_leg", "left_shoe", "right_shoe",
)  # fmt: skip
PART = {name: index for index, name in enumerate(PARTS)}

# COCO's 17 keypoints: the largest set that BlazePose, BODY_25 and OpenPose-18 files can all be read into.
KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
KEYPOINT = {name: index for index, name in enumerate(KEYPOINTS)}

# Classes of garments, each the part label that it puts on the person: tops, bottoms, dresses, and what is worn over
# them. Every garment is of one of these, so that a new garment needs no new class.
GARMENT_CLASSES = ("upper", "lower", "dress", "outer")
GARMENT_PARTS = {name: name for name in GARMENT_CLASSES}

# What has one colour on a person, by and large: all skin, the hair, each garment, both shoes.
MATERIALS = ("skin", "hair", "upper", "lower", "dress", "outer", "shoes")
_MADE_OF = {"hair": "hair", "upper": "upper", "lower": "lower", "dress": "dress", "outer": "outer"}
_MADE_OF |= {"left_shoe": "shoes", "right_shoe": "shoes"}
# 1 where a part is of a material, float32 [parts, materials]; the background is of none.
MATERIAL = np.array(
    [[part != "background" and _MADE_OF.get(part, "skin") == material for material in MATERIALS] for part in PARTS],
    np.float32,
)

# One distinct colour a part, for pictures that people look at.
PALETTE = np.array(
    [
        [24, 24, 28], [92, 60, 40], [242, 194, 160], [220, 160, 130], [255, 160, 90], [90, 160, 255],
        [255, 205, 130], [130, 205, 255], [214, 64, 84], [60, 140, 110], [160, 80, 190], [150, 150, 60],
        [200, 120, 70], [70, 110, 200], [250, 230, 90], [120, 230, 220],
    ],
    np.uint8,
)  # fmt: skip


def _mirror(names):
    """Index of the mirrored name of each name, int32 [N]."""
    swap = {"left": "right", "right": "left"}
    mirrored = ["_".join([swap.get(name.split("_")[0], name.split("_")[0]), *name.split("_")[1:]]) for name in names]
    return np.array([names.index(name) for name in mirrored], np.int32)


FLIP_PARTS = _mirror(PARTS)
FLIP_KEYPOINTS = _mirror(KEYPOINTS)
