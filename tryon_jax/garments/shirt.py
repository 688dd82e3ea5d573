"""A shirt: woven cloth, buttoned in front, with a collar; sleeves from short to the wrist."""

from tryon_jax.garments import bodice
from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Detail, Pattern, Seam

CLASS = "upper"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "sleeve": (0.3, 1.0),  # above the elbow ... to the wrist
    "length": (0.3, 1.0),  # below the waist ... over the hips
    "ease": (0.0, 1.0),  # 7 cm ... 24 cm of girth more than the chest's
}
STAND, FALL = 0.03, 0.045  # metres of the collar


def pattern(parameters, measurements):
    """A shirt: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    draft = bodice.draft(parameters, measurements, girth=(0.07, 0.24))
    hem = draft.hem_level(parameters["length"])
    neckline = draft.neck_front({"neck_depth": 0.1, "neck_v": 0.2})
    fronts = bodice.halves(draft, hem, neckline)
    back = bodice.whole("back", draft, hem, draft.neck_back())
    cuff = measurements.wrist + 0.07 if parameters["sleeve"] > 0.8 else None
    sleeves = bodice.sleeves(draft, parameters["sleeve"], cuff)
    collar, joined = bodice.collar((*fronts, back), "collar", STAND, lambda share: FALL + 0.015 * (1 - share), 0.45)
    seams = bodice.seams(sleeves, ("left_front", "right_front"))
    placket = Seam(("left_front", "middle"), ("right_front", "middle"))
    shoulders = (("back", "left_shoulder"), ("back", "right_shoulder"))
    return Pattern(
        (*fronts, back, *sleeves, collar), (*seams, placket, *joined), buttons(hem, float(neckline[:, 1].min())),
        held=(("collar", None),), hung=shoulders,
    )  # fmt: skip


def buttons(hem, top, count=6):
    """A placket and its buttons on the left front, evenly from the neck to the hem."""
    middle = (top + hem) / 2
    rows = [mix(top - 0.015, hem + 0.06, index / (count - 1)) for index in range(count)]
    placket = Detail("placket", "left_front", (0.0125, middle), (0.025, top - hem))
    return (placket, *(Detail("button", "left_front", (0.0125, y), (0.011, 0.011)) for y in rows))
