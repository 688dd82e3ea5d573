"""A skirt: from pencil to full circle, from mini to ankle, hung from the waist or the hips."""

import numpy as np

from tryon_jax.garments import darts
from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Pattern, Seam, line, panel

CLASS = "lower"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "length": (0.0, 1.0),  # upper thigh ... above the ankle
    "flare": (0.0, 1.0),  # pencil ... full circle
    "rise": (0.0, 1.0),  # band low on the hips ... at the waist
}
# Share of the way from the band to the hip at which darts end: 11 cm and 14 cm of the mean woman's 27 cm, since the
# belly stands out higher than the buttocks.
REACH = {"front": 0.4, "back": 0.52}


def pattern(parameters, measurements):
    """A skirt: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    m = measurements
    top = -mix(0.09, 0.0, parameters["rise"])
    waist = m.waist + 0.015 + (m.hip - m.waist) * 0.9 * min(-top / m.waist_to_hip, 1)
    bottom = mix(-m.waist_to_crotch - 0.08, -m.waist_to_ankle + 0.12, parameters["length"])
    panels = tuple(
        piece(side, side, m, (top, bottom), waist, parameters["flare"], darted=True) for side in ("front", "back")
    )
    seams = tuple(Seam(("front", f"{side}_side"), ("back", f"{side}_side")) for side in ("left", "right"))
    tops = tuple((one.name, edge) for one in panels for edge in darts.parts(one.edges, "waist"))
    return Pattern(panels, seams + darts.seams(panels), held=tops, hung=tops)


def arc(radius, half, samples=33):
    """Points [N, 2] of a circle around (0, 0) from angle -half to half about straight down."""
    angle = np.linspace(-half, half, samples)
    return radius * np.stack([np.sin(angle), -np.cos(angle)], -1)


def piece(side, name, m, levels, waist, flare, darted=False):
    """The front or back panel of a skirt between two levels (y below the waist, metres), `waist` metres around at the
    top once its darts, if it is straight and `darted`, are sewn; flare in [0, 1], m: measurements.Measurements."""
    top, bottom = levels
    ends = ("left", "right") if side == "front" else ("right", "left")
    names = [f"{ends[0]}_side", f"{ends[1]}_side"]
    if flare < 0.25:
        return _straight(side, name, names, m, levels, waist, mix(0.03, 0.14, flare / 0.25), darted)
    # Half of the opening angle of one piece: a straight A-line ... half a circle; at least as wide as the hips.
    half = mix(0.22, np.pi / 2, (flare - 0.25) / 0.75)
    drop = max(m.waist_to_hip + top, 0.03)
    half = max(half, (m.hip + 0.04 - waist) / 4 / drop)
    radius = waist / 4 / half
    inner, outer = arc(radius, half), arc(radius + top - bottom, half)
    shift = np.array([0.0, radius + top])
    edges = [
        ("hem", outer + shift), (names[0], line(outer[-1] + shift, inner[-1] + shift)),
        ("waist", inner[::-1] + shift), (names[1], line(inner[0] + shift, outer[0] + shift)),
    ]  # fmt: skip
    return panel(name, edges, ("skirt", side, radius + top, half, top), hems=("hem",), bands=("waist",))


def _straight(side, name, names, m, levels, waist, ease, darted):
    """A piece with sides that follow the hip and fall from there; two darts take half of what the waist is narrower."""
    top, bottom = levels
    hip = (m.hip + ease) / 4
    hip_y = min(-m.waist_to_hip, top - 0.03)
    foot = hip + 0.25 * ease * (hip_y - bottom)
    # Half way between the middle and the side seam of the finished waist. Front and back take the same, or their side
    # seams would not be alike: what the shorter one may.
    spare = (m.hip - waist) / 4
    drafted = {face: darts.waist(waist / 8, spare, top - hip_y, 0.5, reach) for face, reach in REACH.items()}
    taken = min(dart.intake for dart in drafted.values()) if darted else 0.0
    dart = drafted[side]._replace(intake=taken)
    middle = (mix(waist / 4 + taken, hip, 0.62), mix(top, hip_y, 0.5))
    left = line((foot, bottom), (hip, hip_y), middle, (waist / 4 + taken, top))
    edges = [
        ("hem", line((-foot, bottom), (foot, bottom))), (names[0], left),
        ("waist", line(left[-1], left[-1] * np.array([-1.0, 1.0]))), (names[1], left[::-1] * np.array([-1.0, 1.0])),
    ]  # fmt: skip
    edges = darts.cut(edges, "waist", (dart, dart._replace(at=3 * waist / 8)))
    return panel(name, edges, ("skirt", side), hems=("hem",), bands=darts.parts(dict(edges), "waist"))
