"""How a garment fits: ease in metres by region, strain by region, and the size that a body should take."""

from typing import NamedTuple

import numpy as np

from tryon_jax import garments
from tryon_jax.garments import darts, measurements
from tryon_jax.garments.bodice import NECK_POINT, OVER_SHOULDER
from tryon_jax.garments.placement import across, extent
from tryon_jax.simulation import body, drape, gates
from tryon_jax.simulation.fabric import FABRICS

# Sizes as steps of measurements.GRADE from M.
SIZES = {"XS": -2, "S": -1, "M": 0, "L": 1, "XL": 2, "XXL": 3}
# Measurements of M: ANNY's mean woman and man.
CHART = {
    "woman": measurements.Measurements(
        chest=0.912, waist=0.716, hip=1.012, thigh=0.559, calf=0.374, upper_arm=0.267, wrist=0.160, neck=0.330,
        shoulder=0.387, nape_to_chest=0.203, nape_to_waist=0.358, waist_to_hip=0.266, waist_to_crotch=0.316,
        waist_to_knee=0.635, waist_to_ankle=1.065, arm=0.506,
    ),
    "man": measurements.Measurements(
        chest=1.049, waist=0.847, hip=1.034, thigh=0.599, calf=0.412, upper_arm=0.315, wrist=0.170, neck=0.370,
        shoulder=0.461, nape_to_chest=0.227, nape_to_waist=0.441, waist_to_hip=0.242, waist_to_crotch=0.282,
        waist_to_knee=0.646, waist_to_ankle=1.118, arm=0.586,
    ),
}  # fmt: skip
# Less ease than the design by more than this is too tight: woven cloth gives little, and people breathe.
TIGHT, LOOSE = 0.025, 0.09


class Fit(NamedTuple):
    """ease {region: metres that the garment is wider than the body}; strain {region: 95th percentile of the stretch};
    verdict: "tight", "fits" or "loose"; draped: the drape.Draped that was measured."""

    ease: dict
    strain: dict
    verdict: str
    draped: drape.Draped


def sized(name, parameters, size, chart):
    """The pattern.Pattern of a garment in a size of SIZES, from the chart "woman" or "man".

    Raises ValueError naming the choices for an unknown size or chart.
    """
    if size not in SIZES or chart not in CHART:
        raise ValueError(f"no size {size!r} of {chart!r}: choose one of {', '.join(SIZES)} of {', '.join(CHART)}")
    garments.check(name, parameters)
    return garments.load(name).pattern(parameters, drafted_to(size, chart))


def drafted_to(size, chart):
    """The Measurements of a size of SIZES."""
    return measurements.graded(CHART[chart], SIZES[size])


def ease(pattern, drafted, figure):
    """Ease {region: metres} on a measurements.Figure of a Pattern drafted to Measurements `drafted`: its girth at its
    own chest, waist, hip, thigh and upper arm lines, as far as it has them, less the body's there."""
    tape, found = figure.measurements, {}
    shoulder = NECK_POINT - OVER_SHOULDER
    hole = [
        points[:, 1].min()
        for panel in pattern.panels
        for edge, points in panel.edges.items()
        if edge.endswith("armhole")
    ]
    if hole:
        # Below the armholes cloth goes all around.
        found["chest"] = _girth(pattern, {"torso": min(hole) - 0.005}) - tape.chest
    tops = [panel.edges[edge][:, 1].min() for panel in pattern.panels for edge in darts.parts(panel.edges, "waist")]
    below = {"torso": shoulder - drafted.nape_to_waist}
    # A low waistband lies on a wider place of the body.
    top = min(min(tops) - 0.002, 0.0) if tops and not hole else 0.0
    lower = min(-top / drafted.waist_to_hip, 1.0)
    waist = _girth(pattern, {**below, "skirt": top, "leg": top} if not hole else below)
    if waist is not None:
        found["waist"] = waist - (tape.waist + 0.9 * lower * (tape.hip - tape.waist))
    hip = _girth(
        pattern,
        {"torso": below["torso"] - drafted.waist_to_hip, "skirt": -drafted.waist_to_hip, "leg": -drafted.waist_to_hip},
    )
    if hip is not None:
        found["hip"] = hip - tape.hip
    thigh = _girth(pattern, {"leg": -drafted.waist_to_crotch - 0.05})
    if thigh is not None:
        found["thigh"] = thigh / 2 - tape.thigh
    for panel in pattern.panels:
        if panel.place[:2] == ("sleeve", "left"):
            cap = min(points[:, 1].min() for edge, points in panel.edges.items() if edge.endswith("cap"))
            least, most = extent(panel, np.array([cap - 0.002]))
            found["upper arm"] = float(most[0] - least[0]) - tape.upper_arm
    return found


def _girth(pattern, levels):
    """Width in metres of all panels at the height of paper that `levels` {kind of place: y} says for theirs, or None
    if there is no cloth all around."""
    total, sides = 0.0, set()
    for panel in pattern.panels:
        kind, side = panel.place[:2]
        if kind not in levels:
            continue
        y, outline = levels[kind], panel.outline
        if kind == "skirt" and len(panel.place) > 2:
            apex, half, top = panel.place[2:]
            covered, width = outline[:, 1].min() <= y <= top + 1e-9, 2 * half * (apex - y)  # 1 nm: the edge itself
        else:
            # A dart is sewn shut: it is no part of the girth.
            width = float(across(panel, np.array([[0, y]]))[1][0])
            covered = outline[:, 1].min() <= y <= outline[:, 1].max()
        if covered:
            total += width
            sides.add(side.split("_")[-1])
    return total if {"front", "back"} <= sides else None


def designed(name, parameters, figure):
    """Ease {region: metres} of a garment drafted to the body itself."""
    tape = figure.measurements
    return ease(garments.load(name).pattern(parameters, tape), tape, figure)


def recommend(name, parameters, figure, chart):
    """The smallest of SIZES in which no region is TIGHT against the design, or the largest there is; and the ease of
    every size {size: {region: metres}}. Larger bodies never get smaller sizes."""
    eases = {size: ease(sized(name, parameters, size, chart), drafted_to(size, chart), figure) for size in SIZES}
    wanted = designed(name, parameters, figure)
    good = [size for size, found in eases.items() if all(found[r] >= wanted[r] - TIGHT for r in found if r in wanted)]
    return (good[0] if good else list(SIZES)[-1]), eases


def fit(shape, name, parameters, size, chart, fabric="cotton", levels=2):
    """The Fit of a garment in a size of SIZES on the body of shape controls [6], standing in its A-pose."""
    moving = drape.motion(body.load(), shape, body.Pose("a_pose", {}, 0.0))
    pattern = sized(name, parameters, size, chart)
    draped = drape.drape(pattern, moving, drape.colliders(moving), FABRICS[fabric], levels)
    found = ease(pattern, drafted_to(size, chart), moving.figure)
    wanted = designed(name, parameters, moving.figure)
    spare = [found[region] - wanted[region] for region in found if region in wanted]
    verdict = "tight" if min(spare) < -TIGHT else "loose" if min(spare) > LOOSE else "fits"
    return Fit(found, strain_by_region(draped, moving.figure.levels), verdict, draped)


def strain_by_region(draped, levels):
    """95th percentile of the stretch of the edges around each of chest, waist, hip and thigh {region: share}, by the
    heights at which they lie in the A-pose; regions without cloth are left out."""
    stretch = gates.strain(draped)
    height = draped.in_a_pose[draped.edges].mean(1)[:, 2]
    heights = {"chest": levels.chest, "waist": levels.waist, "hip": levels.hip, "thigh": levels.crotch - 0.05}
    near = {region: np.abs(height - level) < 0.06 for region, level in heights.items()}
    return {region: float(np.percentile(stretch[rows], 95)) for region, rows in near.items() if rows.sum() > 20}
