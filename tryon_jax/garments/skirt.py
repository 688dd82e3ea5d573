"""A skirt: from pencil to full circle, from mini to ankle, hung from the waist or the hips."""

import numpy as np

from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Pattern, Seam, line, panel

CLASS = "lower"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "length": (0.0, 1.0),  # upper thigh ... above the ankle
    "flare": (0.0, 1.0),  # pencil ... full circle
    "rise": (0.0, 1.0),  # band low on the hips ... at the waist
}


def pattern(parameters, measurements):
    """A skirt: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    m = measurements
    top = -mix(0.09, 0.0, parameters["rise"])
    waist = m.waist + 0.015 + (m.hip - m.waist) * 0.9 * min(-top / m.waist_to_hip, 1)
    bottom = mix(-m.waist_to_crotch - 0.08, -m.waist_to_ankle + 0.12, parameters["length"])
    panels = tuple(piece(side, side, m, (top, bottom), waist, parameters["flare"]) for side in ("front", "back"))
    seams = tuple(Seam(("front", f"{side}_side"), ("back", f"{side}_side")) for side in ("left", "right"))
    tops = (("front", "waist"), ("back", "waist"))
    return Pattern(panels, seams, held=tops, hung=tops)


def arc(radius, half, samples=33):
    """Points [N, 2] of a circle around (0, 0) from angle -half to half about straight down."""
    angle = np.linspace(-half, half, samples)
    return radius * np.stack([np.sin(angle), -np.cos(angle)], -1)


def piece(side, name, m, levels, waist, flare):
    """The front or back panel of a skirt between two levels (y below the waist, metres), `waist` metres around at the
    top; flare in [0, 1], m: measurements.Measurements."""
    top, bottom = levels
    ends = ("left", "right") if side == "front" else ("right", "left")
    names = [f"{ends[0]}_side", f"{ends[1]}_side"]
    if flare < 0.25:
        return _straight(side, name, names, m, levels, waist, mix(0.03, 0.14, flare / 0.25))
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


def _straight(side, name, names, m, levels, waist, ease):
    """A piece with sides that follow the hip and fall from there."""
    top, bottom = levels
    hip = (m.hip + ease) / 4
    hip_y = min(-m.waist_to_hip, top - 0.03)
    foot = hip + 0.25 * ease * (hip_y - bottom)
    middle = (mix(waist / 4, hip, 0.62), mix(top, hip_y, 0.5))
    left = line((foot, bottom), (hip, hip_y), middle, (waist / 4, top))
    edges = [
        ("hem", line((-foot, bottom), (foot, bottom))), (names[0], left),
        ("waist", line((waist / 4, top), (-waist / 4, top))), (names[1], left[::-1] * np.array([-1.0, 1.0])),
    ]  # fmt: skip
    return panel(name, edges, ("skirt", side), hems=("hem",), bands=("waist",))
