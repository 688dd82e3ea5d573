"""A dress: a T-shirt's top down to a seam at the waist or hip, and a skirt that hangs from that seam."""

import numpy as np

from tryon_jax.garments import loft, tailor, tshirt
from tryon_jax.garments.tailor import mix, ramp

PARAMETERS = {
    "sleeve": (0.0, 1.0),  # none ... to the wrist
    "length": (0.0, 1.0),  # upper thigh ... above the ankle
    "flare": (0.0, 1.0),  # straight ... 0.5 m of radius a metre
    "pleats": (0.0, 1.0),  # smooth ... deep folds
    "ease": (0.0, 1.0),  # close ... loose, of the top
    "waist": (0.0, 1.0),  # the seam at the hips ... under the chest
    "neck_width": (0.0, 1.0),
    "neck_depth": (0.0, 1.0),
    "neck_v": (0.0, 1.0),
}


def pattern(parameters, rest):
    """A dress on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    crotch, shoulder = tshirt.torso(rest)
    ankle = float(rest.joint("foot.L")[2])
    seam = crotch + (shoulder - crotch) * mix(0.3, 0.58, parameters["waist"])
    bottom = mix(crotch - 0.2 * (crotch - ankle), ankle + 0.1, parameters["length"])
    ease = parameters["ease"]
    piece = tailor.cut(rest, *tshirt.outline(parameters, rest, seam))
    limbs, arms = tshirt.tubes(rest, piece, ease, mix(0.4, 0.05, ease))
    upper = ramp(piece.vertices[:, 2], shoulder + 0.02, shoulder - 0.1)
    gap = np.full(len(arms), mix(0.005, 0.008, ease))
    thickness = gap + mix(0.001, 0.014, ease) * np.maximum(upper, 0.25)
    hems = tshirt.hems(rest, piece, arms)
    vertices = tailor.drape(rest, piece, thickness, limbs, hems, gap, int(mix(8, 18, ease)))
    piece = piece._replace(vertices=vertices)
    flare = mix(0.05, 0.5, parameters["flare"])
    whole = loft.hang_from(rest, piece, loft.lowest_loop(piece), bottom, flare, parameters["pleats"])
    # The top is settled already, except for a hand's breadth above the seam, which blends into the skirt.
    fixed = (np.arange(len(whole.vertices)) < len(arms)) & (whole.vertices[:, 2] > seam + 0.03)
    vertices = loft.settle(rest, whole, fixed, 0.006)
    field = np.minimum.reduce(tshirt.outline(parameters, rest, bottom))
    return tailor.finish(whole, vertices, loft.hidden(rest, field, bottom))
