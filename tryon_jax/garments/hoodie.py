"""A jumper of heavy knit, with a crew neck or with a hood that lies on the back."""

from tryon_jax.garments import bodice
from tryon_jax.garments.bodice import mix
from tryon_jax.garments.pattern import Detail, Pattern

CLASS = "upper"  # of geometry.parts.GARMENT_CLASSES
PARAMETERS = {
    "length": (0.3, 1.0),  # below the waist ... over the hips
    "ease": (0.0, 1.0),  # 10 cm ... 30 cm of girth more than the chest's
    "hood": (0.0, 1.0),  # below 0.5 a crew neck
}


def pattern(parameters, measurements):
    """A jumper or hoodie: parameters as in PARAMETERS, drafted to measurements.Measurements -> pattern.Pattern."""
    draft = bodice.draft(parameters, measurements, girth=(0.10, 0.30), drop=(0.0, 0.06))
    hem = draft.hem_level(parameters["length"])
    hooded = parameters["hood"] >= 0.5
    neckline = draft.neck_front({"neck_depth": 0.12, "neck_v": 0.0})
    front = bodice.whole("front", draft, hem, neckline, split_neck=hooded)
    back = bodice.whole("back", draft, hem, draft.neck_back())
    sleeves = bodice.sleeves(draft, 1.0, measurements.wrist + 0.06)
    panels, seams = (front, back, *sleeves), bodice.seams(sleeves)
    if not hooded:
        return Pattern(panels, seams, hung=bodice.SHOULDERS)
    hood, joined = bodice.collar(panels, "hood", 0.045, lambda share: mix(0.05, 0.14, share**1.5), 0.72)
    pocket = Detail("kangaroo pocket", "front", (0.0, hem + 0.13), (0.26, 0.16))
    return Pattern((*panels, hood), (*seams, *joined), (pocket,), held=(("hood", None),), hung=bodice.SHOULDERS)
