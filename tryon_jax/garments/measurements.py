"""What a tailor writes down: girths and lengths of a body, or of a size of a chart."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import tubes
from tryon_jax.garments.joints import arm_joints, crotch_height, leg_joints


class Measurements(NamedTuple):
    """All in metres. Girths as a tape measures them: chest, waist, hip, thigh, calf, upper arm, wrist, neck.

    shoulder: across the back from joint to joint, outside; nape_to_chest, nape_to_waist, waist_to_hip,
    waist_to_crotch, waist_to_knee, waist_to_ankle: differences in height; arm: from the shoulder's tip to the wrist.
    """

    chest: float
    waist: float
    hip: float
    thigh: float
    calf: float
    upper_arm: float
    wrist: float
    neck: float
    shoulder: float
    nape_to_chest: float
    nape_to_waist: float
    waist_to_hip: float
    waist_to_crotch: float
    waist_to_knee: float
    waist_to_ankle: float
    arm: float


class Levels(NamedTuple):
    """Heights z in metres of a body at rest: nape, shoulder (its joints), chest, waist, hip, crotch, knee, ankle."""

    nape: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    crotch: float
    knee: float
    ankle: float


class Figure(NamedTuple):
    """A body as a tailor sees it: its Measurements, its Levels, and Tubes: trunk (legs included, arms not), left_leg,
    right_leg, left_arm, right_arm; ridge: the line of its shoulders, tables of |x|, and of y and z there."""

    measurements: Measurements
    levels: Levels
    tubes: dict
    ridge: tuple


# How much each measurement grows from one size to the next, metres (as ready-to-wear charts grade them).
GRADE = Measurements(
    chest=0.05, waist=0.05, hip=0.05, thigh=0.026, calf=0.012, upper_arm=0.016, wrist=0.006, neck=0.012,
    shoulder=0.012, nape_to_chest=0.005, nape_to_waist=0.006, waist_to_hip=0.003, waist_to_crotch=0.006,
    waist_to_knee=0.006, waist_to_ankle=0.008, arm=0.008,
)  # fmt: skip


def graded(measurements, sizes):
    """Measurements `sizes` sizes larger (a float; negative is smaller). Raises ValueError if a girth would vanish."""
    grown = Measurements(*(value + sizes * step for value, step in zip(measurements, GRADE, strict=True)))
    if min(grown) < 0.05:
        raise ValueError(f"{sizes:+.1f} sizes from these measurements leave nothing of them")
    return grown


def measure(rest):
    """The Figure of a garments.Rest."""
    arms = sum(rest.limbs[f"{side}_{part}"] for side in ("left", "right") for part in ("arm", "hand"))
    trunk_part = (arms < 0.5) & (rest.limbs["head"] < 0.5)
    nape, shoulder = float(rest.joint("neck01")[2]), float(rest.joint("upperarm01.L")[2])
    crotch, ankle = crotch_height(rest), float(rest.joint("foot.L")[2])
    knee = float(rest.joint("lowerleg01.L")[2])
    trunk = tubes.upright(rest, trunk_part, nape + 0.1, ankle, middle=0.0)
    found = {"trunk": trunk}
    for side in ("left", "right"):
        leg = rest.limbs[f"{side}_leg"] + rest.limbs[f"{side}_foot"] > 0.5
        found[f"{side}_leg"] = tubes.upright(rest, leg, crotch, ankle - 0.02)
        arm = rest.limbs[f"{side}_arm"] > 0.5
        found[f"{side}_arm"] = tubes.along_axis(rest, arm, arm_joints(rest, side))
    chest = shoulder - 0.19 * (shoulder - crotch)
    waist = _extreme(trunk, crotch + 0.62 * (shoulder - crotch), crotch + 0.4 * (shoulder - crotch), min)
    hip = _extreme(trunk, crotch + 0.32 * (shoulder - crotch), crotch + 0.04, max)
    levels = Levels(nape, shoulder, chest, waist, hip, crotch, knee, ankle)
    return Figure(_measurements(rest, levels, found), levels, found, _ridge(rest))


def _ridge(rest):
    """The line of the shoulders: tables of |x|, and of y and z of the highest trunk vertices there."""
    head = rest.limbs["head"] + rest.limbs["neck"]
    chosen = (head < 0.4) & (rest.vertices[:, 2] > rest.joint("upperarm01.L")[2] - 0.06)
    points = rest.vertices[chosen]
    across = np.abs(points[:, 0])
    bins = np.arange(0.05, rest.joint("upperarm01.L")[0] + 0.05, 0.015)
    y, z = [], []
    for middle in bins:
        near = points[np.abs(across - middle) < 0.015]
        top = near[np.argsort(-near[:, 2])[:4]]
        y.append(top[:, 1].mean())
        z.append(top[:, 2].max())
    return bins, np.array(y), np.array(z)


def _extreme(tube, top, bottom, choose):
    """The level between two heights at which the girth is least or largest."""
    levels = np.linspace(top, bottom, 30)
    girths = tube.at(levels, tube.girth)
    return float(choose(zip(girths, levels, strict=True))[1])


def _measurements(rest, levels, found):
    trunk, leg, arm = found["trunk"], found["left_leg"], found["left_arm"]
    joints = arm_joints(rest, "left")
    length = float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum())
    girth = lambda tube, level: float(tube.at(np.array([level]), tube.girth)[0])  # noqa: E731
    knee = leg_joints(rest, "left")[1, 2]
    calf = np.linspace(knee - 0.02, levels.ankle + 0.1, 20)
    return Measurements(
        chest=girth(trunk, levels.chest),
        waist=girth(trunk, levels.waist),
        hip=girth(trunk, levels.hip),
        thigh=girth(leg, levels.crotch - 0.03),
        calf=float(leg.at(calf, leg.girth).max()),
        upper_arm=girth(arm, 0.3 * length),
        wrist=girth(arm, length - 0.05),
        neck=girth(trunk, levels.nape + 0.02),
        shoulder=2 * float(joints[0, 0]) + 0.05,
        nape_to_chest=levels.nape - levels.chest,
        nape_to_waist=levels.nape - levels.waist,
        waist_to_hip=levels.waist - levels.hip,
        waist_to_crotch=levels.waist - levels.crotch,
        waist_to_knee=levels.waist - levels.knee,
        waist_to_ankle=levels.waist - levels.ankle,
        arm=length,
    )
