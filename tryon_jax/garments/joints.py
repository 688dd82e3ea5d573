"""Joints and heights of a body at rest that clothes are drafted and placed by."""

import numpy as np


def arm_joints(rest, side):
    """Shoulder, elbow and wrist of "left" or "right": [3, 3]."""
    return np.stack([rest.joint(f"{bone}.{side[0].upper()}") for bone in ("upperarm01", "lowerarm01", "wrist")])


def leg_joints(rest, side):
    """Hip, knee and ankle of "left" or "right": [3, 3]."""
    return np.stack([rest.joint(f"{bone}.{side[0].upper()}") for bone in ("upperleg01", "lowerleg01", "foot")])


def crotch_height(rest):
    """Height of the crotch: lowest midline vertex between the legs, metres."""
    x, _, z = rest.vertices.T
    hip = rest.joint("upperleg01.L")[2]
    middle = (np.abs(x) < 0.012) & (z > hip - 0.25) & (z < hip + 0.05)
    return float(z[middle].min())
