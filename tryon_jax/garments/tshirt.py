"""A top of knit cloth: from sleeveless to long-sleeved, fitted to oversized, round neck, boat neck or V."""

from tryon_jax.garments import bodice
from tryon_jax.garments.pattern import Pattern

CLASS = "upper"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "sleeve": (0.0, 1.0),  # none ... to the wrist
    "length": (0.0, 1.0),  # at the waist ... over the hips
    "ease": (0.0, 1.0),  # 4 cm ... 26 cm of girth more than the chest's
    "neck_width": (0.0, 1.0),  # close to the neck ... boat neck
    "neck_depth": (0.0, 1.0),  # at the collar bones ... low
    "neck_v": (0.0, 1.0),  # round ... V
}


def pattern(parameters, measurements):
    """A T-shirt: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    draft = bodice.draft(parameters, measurements)
    hem = draft.hem_level(parameters["length"])
    front = bodice.whole("front", draft, hem, draft.neck_front(parameters))
    back = bodice.whole("back", draft, hem, draft.neck_back())
    sleeves = bodice.sleeves(draft, parameters["sleeve"])
    return Pattern((front, back, *sleeves), bodice.seams(sleeves), hung=bodice.SHOULDERS)
