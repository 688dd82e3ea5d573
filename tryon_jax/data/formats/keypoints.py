"""OpenPose's keypoint files as the project's keypoints, and the places of joints that a photo does not show."""

import json

import numpy as np

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import KEYPOINT

# Place of each of our keypoints in OpenPose's lists; both name the person's own left and right.
BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)
COCO_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
# Offsets to the person's left and heights above the floor, over the standing height: of an adult who stands.
STANDING = {
    "nose": (0.0, 0.913), "left_shoulder": (0.1, 0.82), "right_shoulder": (-0.1, 0.82), "left_hip": (0.05, 0.551),
    "right_hip": (-0.05, 0.551), "left_knee": (0.055, 0.29), "right_knee": (-0.055, 0.29), "left_ankle": (0.06, 0.047),
    "right_ankle": (-0.06, 0.047),
}  # fmt: skip
LEAST_SPREAD = 0.08  # of the standing height, between the joints that tell it: knees alone do not


def body_25(path):
    """Float32 [17, 3], x and y in pixels and confidence, of OpenPose's BODY_25 JSON; zeros where nobody was found.

    Of several people the first, as the data sets' own loaders take. Raises UserError if the file is not such.
    """
    document = _document(path)
    try:
        people = document["people"]
        numbers = people[0]["pose_keypoints_2d"] if people else [0.0] * 75
        points = np.array(numbers, np.float32).reshape(25, 3)
    except (KeyError, TypeError, ValueError, IndexError):
        raise UserError(f"{path}: not OpenPose's BODY_25 keypoints (people, 75 numbers); fetch it again") from None
    return _checked(points[list(BODY_25)], path)


def coco_18(path, scale):
    """Float32 [17, 3], x and y in pixels and 1 where seen, of {"keypoints": 18 x 4}; scale (x, y): pixels a unit.

    A point is missing where x or y is at most 1. Raises UserError if the file is not such.
    """
    document = _document(path)
    try:
        points = np.array(document["keypoints"], np.float32).reshape(18, 4)[list(COCO_18), :2]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path}: not 18 keypoints of 4 numbers; fetch it again") from None
    points = points * np.asarray(scale, np.float32)
    seen = (points > 1).all(1, keepdims=True)
    return _checked(np.concatenate([points * seen, seen], axis=1), path)


def _document(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged ({str(error)[:120]}); fetch it again") from None


def _checked(points, path):
    if not np.isfinite(points).all():
        raise UserError(f"{path}: it holds a NaN or an infinity; fetch it again")
    return points.astype(np.float32)


def placed(points, mask):
    """Keypoints [17, 3] in which joints without visibility have a likely place, their visibility still 0.

    A standing figure (STANDING) is fitted to the joints that are seen; where they do not tell its size, to the box of
    mask [H, W] bool, taken for a whole person. Framing asks for nose, shoulders and hips, which photos may cut off.
    """
    points = np.array(points, np.float32)
    names = list(STANDING)
    figure, own = np.array([STANDING[name] for name in names]), np.array([KEYPOINT[name] for name in names])
    seen = points[own, 2] > 0
    if seen.any() and np.ptp(figure[seen, 1]) >= LEAST_SPREAD:
        slope, floor = np.polyfit(figure[seen, 1], points[own][seen, 1], 1)
        height, middle = -slope, np.mean(points[own][seen, 0] + slope * figure[seen, 0])
    else:
        height = 0.0
    if height <= 0:  # nobody stands on the head: what was found is no person's joints
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        height, floor = rows[-1] + 1 - rows[0], rows[-1] + 1
        middle = (columns[0] + columns[-1] + 1) / 2
    # The person faces the camera, so that the own left is at the picture's right.
    likely = np.stack([middle + height * figure[:, 0], floor - height * figure[:, 1]], -1)
    points[own[~seen], :2] = likely[~seen]
    return points
