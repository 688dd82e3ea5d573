"""Trousers and shorts: four legs sewn at the sides, the insides and the crotch, hung from a waistband."""

import numpy as np

from tryon_jax.garments import darts
from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Detail, Pattern, Seam, curve, line, mirrored, panel

CLASS = "lower"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "length": (0.0, 1.0),  # shorts above mid-thigh ... cropped (0.35) ... to the ankle, as from 0.5 on most are
    "ease": (0.0, 1.0),  # slim ... wide
    "rise": (0.0, 1.0),  # waistband low on the hips ... at the waist
}
LEGS = ("left_front", "left_back", "right_front", "right_back")
# Share of the way to the ankle at shares of "length": half of all trousers are long.
LENGTHS = ((0.0, 0.35, 0.5, 1.0), (0.0, 0.55, 0.95, 1.0))
BACK = 0.53  # of the girth that the back pieces have
# What a back piece's dart takes of what its waist is narrower than its hip, as its middle seam leans as well; and how
# far it reaches of the way from the band to the hip, 13 cm of the mean woman's 27 cm.
DART, DART_REACH = 0.4, 0.5


def pattern(parameters, measurements):
    """Trousers: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    panels = tuple(_leg(name, parameters, measurements) for name in LEGS)
    seams = [
        Seam((f"{leg}_front", edge), (f"{leg}_back", edge))
        for leg in ("left", "right")
        for edge in ("outside", "inside")
    ]
    seams += [Seam((f"left_{face}", "rise"), (f"right_{face}", "rise")) for face in ("front", "back")]
    seams += darts.seams(panels)
    tops = tuple((one.name, edge) for one in panels for edge in darts.parts(one.edges, "waist"))
    details = tuple(_pocket(one) for one in panels if one.name.endswith("front"))
    return Pattern(panels, tuple(seams), details, held=tops, hung=tops)


def _pocket(front):
    """The slant pocket of a front piece: from its waist down to where its outer side leaves it."""
    wide, tall = 0.05, 0.14
    top, side = front.edges["waist"][:, 1].min(), 1.0 if front.name.startswith("left") else -1.0
    outer = np.abs(front.edges["waist"][:, 0]).max()
    return Detail("slant pocket", front.name, (side * float(outer - wide / 2), float(top - tall / 2)), (wide, tall))


def _leg(name, parameters, m):
    """One leg's front or back; x grows toward the outer side of the left front."""
    leg, face = name.split("_")
    ease, back = parameters["ease"], face == "back"
    portion = BACK if back else 1 - BACK
    top = -mix(0.11, 0.0, parameters["rise"]) * m.waist_to_crotch / 0.28
    rise_share = -top / m.waist_to_hip
    waist = (m.waist + 0.02 + (m.hip - m.waist) * rise_share * 0.9) / 2 * portion
    hip = (m.hip + mix(0.03, 0.12, ease)) / 2 * portion
    crotch = -m.waist_to_crotch - mix(0.006, 0.03, ease)
    reach = (0.09 if back else 0.045) * m.hip
    knee_y, ankle_y = -m.waist_to_knee, -m.waist_to_ankle
    thigh_x = hip + reach
    knee = max(m.calf + mix(0.03, 0.18, ease), 0.55 * 2 * thigh_x * mix(0.62, 0.95, ease)) / 2 * (portion / 0.5)
    ankle = max(0.75 * m.calf + mix(0.02, 0.24, ease), 0.2) / 2 * (portion / 0.5)
    hem_y = mix(crotch - 0.3 * (crotch - knee_y), ankle_y + 0.015, float(np.interp(parameters["length"], *LENGTHS)))
    crease = thigh_x / 2 - reach  # x of the leg's middle, measured from the body's middle
    widths = lambda y: np.interp(y, [ankle_y, knee_y, crotch], [ankle, knee, thigh_x])  # noqa: E731
    half = float(widths(hem_y)) / 2
    outside = [(crease + half, hem_y)]
    inside = [(crease - half, hem_y)]
    if hem_y < knee_y:
        outside.append((crease + float(widths(knee_y)) / 2, knee_y))
        inside.append((crease - float(widths(knee_y)) / 2, knee_y))
    hip_y = -m.waist_to_hip
    lift = 0.025 if back else 0.0
    finished = float(np.hypot(waist, lift))
    spare = m.hip / 2 * portion - waist
    dart = darts.waist(finished / 2, spare, top - hip_y, DART if back else 0.0, DART_REACH)
    waist = float(np.sqrt((finished + dart.intake) ** 2 - lift**2))
    slope = (hip - waist) * (0.55 if back else 0.35)  # how far the middle leans at the waist
    # From the crotch the outside runs to the hip, then curves to the waist.
    outer = np.concatenate(
        [
            line(*outside, (hip, min(hip_y, top - 0.02))),
            curve(
                (hip, min(hip_y, top - 0.02)),
                (mix(waist + slope, hip, 0.8), mix(top, hip_y, 0.6)),
                (waist + slope, top),
            )[1:],
        ]
    )
    inner = line((-reach, crotch), *reversed(inside))
    rise = curve(
        (slope, top + lift),
        (0.0, mix(top, crotch, 0.45)),
        (0.0, crotch + 0.004),
        (-reach * 0.45, crotch + 0.002),
        (-reach, crotch),
    )
    edges = [
        ("hem", line(inside[0], outside[0])), ("outside", outer),
        ("waist", line((waist + slope, top), (slope, top + lift))), ("rise", rise), ("inside", inner),
    ]  # fmt: skip
    if (leg == "left") == back:
        edges = mirrored(edges)
    edges = darts.cut(edges, "waist", (dart,))
    return panel(name, edges, ("leg", name), hems=("hem",), bands=darts.parts(dict(edges), "waist"))
