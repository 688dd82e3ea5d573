"""Where a pixel lies on the body: the nearest bone of the pose and the place along it."""

from typing import NamedTuple

import numpy as np

# Bones as landmark pairs (start, end); a tuple of landmarks stands for their mean. Radii in torso lengths.
BONES = {
    "torso": ((11, 12), (23, 24), 0.34),
    "left_upper_arm": (11, 13, 0.15),
    "right_upper_arm": (12, 14, 0.15),
    "left_forearm": (13, 15, 0.12),
    "right_forearm": (14, 16, 0.12),
    "left_hand": (15, (17, 19), 0.12),
    "right_hand": (16, (18, 20), 0.12),
    "left_thigh": (23, 25, 0.20),
    "right_thigh": (24, 26, 0.20),
    "left_shin": (25, 27, 0.14),
    "right_shin": (26, 28, 0.14),
    "left_foot": (29, 31, 0.09),
    "right_foot": (30, 32, 0.09),
}
CORE = ("torso", "left_thigh", "right_thigh", "left_shin", "right_shin", "left_foot", "right_foot")
HAND_REACH = 1.6  # the knuckle landmarks stop at the fingers' roots


class Skeleton(NamedTuple):
    """Geometry of one pose over a picture: `along` and `distance` are dicts of bone -> float32 [H, W].

    along: 0 at the bone's start, 1 at its end, unclipped; distance: pixels from the bone over its radius.
    unit: torso length in pixels. head: face centre, up vector (unit), half width and half height in pixels.
    """

    along: dict
    distance: dict
    unit: float
    head: tuple


def measure(landmarks, size):
    """The Skeleton of BlazePose landmarks [33, 3] over a picture of `size` (H, W)."""
    points = np.asarray(landmarks[:, :2], np.float64)
    unit = torso_length(points)
    columns, rows = np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5)
    along, distance = {}, {}
    for name, (start, end, radius) in BONES.items():
        a, b = (points[list(index) if isinstance(index, tuple) else [index]].mean(0) for index in (start, end))
        if name.endswith("hand"):
            b = a + (b - a) * HAND_REACH
        length = max(np.hypot(*(b - a)), 1e-3 * unit)  # foreshortened bones shrink to a point
        axis = (b - a) / length
        t = ((columns - a[0]) * axis[0] + (rows - a[1]) * axis[1]) / length
        nearest = np.clip(t, 0, 1)[..., None] * (b - a) + a
        reach = np.hypot(columns - nearest[..., 0], rows - nearest[..., 1])
        along[name], distance[name] = t.astype(np.float32), (reach / (radius * unit)).astype(np.float32)
    return Skeleton(along, distance, unit, _head(points, unit))


def torso_length(points):
    """Torso length in pixels of points [33, 2]; from the shoulders' width when the body is bent toward the camera."""
    shoulders, hips = points[[11, 12]], points[[23, 24]]
    upright = np.hypot(*(shoulders.mean(0) - hips.mean(0)))
    return float(max(upright, 1.3 * np.hypot(*(shoulders[0] - shoulders[1])), 2.0))


def _head(points, unit):
    """Face ellipse: centre, up vector, half width, half height; proportions of an average adult's face."""
    eyes, mouth, ears = points[[2, 5]].mean(0), points[[9, 10]].mean(0), points[[7, 8]]
    up = eyes - mouth
    drop = np.hypot(*up)
    up = up / max(drop, 1e-6) if drop > 1e-3 * unit else np.array([0.0, -1.0])  # 1e-6: no division by zero
    drop = np.clip(drop, 0.10 * unit, 0.25 * unit)
    half_width = np.clip(0.56 * np.hypot(*(ears[0] - ears[1])), 0.95 * drop, 1.5 * drop)
    # The chin lies one eye-mouth distance and a bit below the mouth, the hairline about as far above the eyes.
    return (eyes + mouth) / 2 + 0.05 * drop * up, up, float(half_width), float(1.55 * drop)


def head_coordinates(skeleton, size):
    """Pixel places relative to the face, float32 [H, W, 2]: sideways and upward, 1 on the face ellipse's axes."""
    centre, up, half_width, half_height = skeleton.head
    columns, rows = np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5)
    x, y = columns - centre[0], rows - centre[1]
    side = np.array([-up[1], up[0]])
    return np.stack([(x * side[0] + y * side[1]) / half_width, (x * up[0] + y * up[1]) / half_height], axis=-1).astype(
        np.float32
    )


def body_place(skeleton):
    """Place along the body, float32 [h, w]: 0 at the shoulders, 1 hips, 2 knees, 3 ankles; and the core's distance."""
    offsets = {"torso": 0.0, "thigh": 1.0, "shin": 2.0, "foot": 3.0}
    distances = np.stack([skeleton.distance[bone] for bone in CORE])
    places = np.stack(
        [
            np.clip(skeleton.along[bone], -0.2 if bone == "torso" else 0, 1) + offsets[bone.split("_")[-1]]
            for bone in CORE
        ]
    )
    nearest = distances.argmin(0)[None]
    return np.take_along_axis(places, nearest, 0)[0], np.take_along_axis(distances, nearest, 0)[0]


def arm_place(skeleton, side):
    """Place along an arm, float32 [h, w]: 0 shoulder, 1 elbow, 2 wrist, up to 3 in the hand; and its distance."""
    bones = [f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand"]
    distances = np.stack([skeleton.distance[bone] for bone in bones])
    places = np.stack([np.clip(skeleton.along[bone], 0, 1) + index for index, bone in enumerate(bones)])
    nearest = distances.argmin(0)[None]
    return np.take_along_axis(places, nearest, 0)[0], np.take_along_axis(distances, nearest, 0)[0]
