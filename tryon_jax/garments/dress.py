"""A dress: a top to the waist, and a skirt sewn to it."""

from tryon_jax.garments import bodice, skirt
from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Pattern, Seam

CLASS = "dress"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "sleeve": (0.0, 1.0),  # none ... to the wrist
    "length": (0.0, 1.0),  # upper thigh ... above the ankle
    "flare": (0.0, 1.0),  # straight ... full circle
    "ease": (0.0, 1.0),  # 3 cm ... 16 cm of girth more than the chest's
    "neck_width": (0.0, 1.0),
    "neck_depth": (0.0, 1.0),
    "neck_v": (0.0, 1.0),
}


def pattern(parameters, measurements):
    """A dress: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    m = measurements
    draft = bodice.draft(parameters, m, girth=(0.03, 0.16), drop=(-0.015, 0.02))
    top = draft.waist[1]
    front = bodice.whole("front", draft, top, draft.neck_front(parameters), bottom="waist")
    back = bodice.whole("back", draft, top, draft.neck_back(), bottom="waist")
    sleeves = bodice.sleeves(draft, parameters["sleeve"])
    bottom = mix(-m.waist_to_crotch - 0.08, -m.waist_to_ankle + 0.1, parameters["length"])
    # No darts: the top hangs from the shoulders and is loose at the waist, each quarter at most 3 cm narrower than at
    # the chest, so that it has nothing for darts to take that would go on in those of the skirt.
    pieces = [
        skirt.piece(side, f"{side}_skirt", m, (0.0, bottom), 4 * draft.waist[0], parameters["flare"])
        for side in ("front", "back")
    ]
    seams = [Seam((side, "waist"), (f"{side}_skirt", "waist")) for side in ("front", "back")]
    seams += [Seam(("front_skirt", f"{end}_side"), ("back_skirt", f"{end}_side")) for end in ("left", "right")]
    return Pattern((front, back, *sleeves, *pieces), (*bodice.seams(sleeves), *seams), hung=bodice.SHOULDERS)
