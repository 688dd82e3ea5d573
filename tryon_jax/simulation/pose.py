"""Poses of the body: a rotation a bone, about the body's own axes, with random perturbation.

A rotation is an axis-angle vector in the axes of the A-pose (x to the person's left, y backward, z up), applied at the
bone's head before the rotations of its parents. So "-x" lifts a hanging limb forward and "+x" backward; about y, "-"
lifts the left arm sideways and "+" the right one.
"""

from typing import NamedTuple

import numpy as np

# Mean rotations in degrees of the left side; the right side mirrors them (y and z change sign).
POSES = {
    "a_pose": {},
    "standing": {"upperarm01.L": (0, 24, 0), "lowerarm01.L": (6, 8, 0)},
    "walking": {
        "upperarm01.L": (0, 22, 0), "lowerarm01.L": (-6, 4, 0),
    },
    "hands_on_hips": {"upperarm01.L": (14, 2, 12), "lowerarm01.L": (17, 47, -47), "wrist.L": (-28, -20, 7)},
    "arms_raised": {"upperarm01.L": (0, -75, 0), "clavicle.L": (0, -14, 0), "lowerarm01.L": (0, -18, 0)},
}  # fmt: skip

# Standard deviation in degrees of the perturbation about each axis: enough to vary, too little to strain a joint.
SPREAD = {
    "spine03": (3, 3, 5), "spine01": (2, 2, 4), "neck01": (4, 3, 6), "head": (4, 3, 7),
    "upperarm01.L": (7, 5, 5), "upperarm01.R": (7, 5, 5), "lowerarm01.L": (8, 4, 4), "lowerarm01.R": (8, 4, 4),
    "wrist.L": (6, 6, 6), "wrist.R": (6, 6, 6), "upperleg01.L": (4, 2, 4), "upperleg01.R": (4, 2, 4),
}  # fmt: skip
# Hands stay near the hips only if the arms move little.
CALM = {"hands_on_hips": 0.35}


class Pose(NamedTuple):
    """name, one of POSES; rotations {bone name: axis-angle [3] in radians}; the body's turn about z in radians."""

    name: str
    rotations: dict
    yaw: float


def _mirrored(rotations):
    """Rotations of both sides, from those of the left."""
    right = {bone[:-2] + ".R": (x, -y, -z) for bone, (x, y, z) in rotations.items() if bone.endswith(".L")}
    return {**rotations, **right}


def _stride(rng):
    """Degrees of the legs and the swinging arms in one moment of a walk; either foot may lead."""
    swing, lead = rng.uniform(14, 26), rng.choice((-1, 1))
    lift, bend = rng.uniform(8, 26), rng.uniform(4, 14)
    front, back = ("L", "R") if lead > 0 else ("R", "L")
    return {
        f"upperleg01.{front}": (-swing, 0, 0), f"lowerleg01.{front}": (bend, 0, 0),
        f"upperleg01.{back}": (swing * 0.8, 0, 0), f"lowerleg01.{back}": (lift, 0, 0),
        f"upperarm01.{front}": (swing * 0.9, 0, 0), f"upperarm01.{back}": (-swing * 0.9, 0, 0),
    }  # fmt: skip


def sample_pose(rng, name, perturbation=1.0):
    """A Pose called `name`, one of POSES, its joints perturbed by a numpy Generator; perturbation scales the spread.

    Raises ValueError for an unknown name.
    """
    if name not in POSES:
        raise ValueError(f"no pose {name!r}: choose one of {', '.join(POSES)}")
    degrees = {bone: np.array(angles, float) for bone, angles in _mirrored(POSES[name]).items()}
    if name == "walking":
        for bone, angles in _stride(rng).items():
            degrees[bone] = degrees.get(bone, np.zeros(3)) + angles
    scale = perturbation * CALM.get(name, 1.0)
    for bone, spread in SPREAD.items():
        noise = np.clip(rng.normal(size=3), -2, 2) * spread * scale
        degrees[bone] = degrees.get(bone, np.zeros(3)) + noise
    return Pose(name, {bone: np.radians(angles) for bone, angles in degrees.items()}, 0.0)


def moved(rng, pose, share):
    """A Pose moved at random from `pose` by `share` of each joint's SPREAD."""
    rotations = dict(pose.rotations)
    for bone, spread in SPREAD.items():
        noise = np.radians(np.clip(rng.normal(size=3), -2, 2) * spread * share * CALM.get(pose.name, 1.0))
        rotations[bone] = rotations.get(bone, np.zeros(3)) + noise
    return Pose(pose.name, rotations, pose.yaw)
