"""A jacket worn open over a top, with a collar."""

from tryon_jax.garments import bodice
from tryon_jax.garments.pattern import Detail, Pattern

CLASS = "outer"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "length": (0.4, 1.0),  # at the hips ... below them
    "ease": (0.0, 1.0),  # 16 cm ... 30 cm of girth more than the chest's
}


def pattern(parameters, measurements):
    """A jacket: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    draft = bodice.draft(parameters, measurements, girth=(0.16, 0.30), drop=(0.01, 0.05), arm=(0.13, 0.22))
    hem = draft.hem_level(parameters["length"])
    neckline = draft.neck_front({"neck_depth": 0.35, "neck_v": 0.5})
    fronts = bodice.halves(draft, hem, neckline, overlap=-0.012)
    back = bodice.whole("back", draft, hem, draft.neck_back())
    sleeves = bodice.sleeves(draft, 1.0, measurements.wrist + 0.13)
    collar, joined = bodice.collar((*fronts, back), "collar", 0.03, lambda share: 0.06, 0.5)
    seams = (*bodice.seams(sleeves, ("left_front", "right_front")), *joined)
    pockets = tuple(
        Detail("patch pocket", f"{side}_front", (sign * 0.12, hem + 0.14), (0.13, 0.15))
        for side, sign in (("left", 1), ("right", -1))
    )
    shoulders = (("back", "left_shoulder"), ("back", "right_shoulder"))
    return Pattern((*fronts, back, *sleeves, collar), seams, pockets, held=(("collar", None),), hung=shoulders)
