"""A skirt: from straight to wide, from mini to ankle, hung from a band that is cut from the body's surface."""

import numpy as np

from tryon_jax.garments import fields, loft, tailor
from tryon_jax.garments.tailor import mix

PARAMETERS = {
    "length": (0.0, 1.0),  # upper thigh ... above the ankle
    "flare": (0.0, 1.0),  # straight ... 0.5 m of radius a metre
    "pleats": (0.0, 1.0),  # smooth ... deep folds
    "rise": (0.0, 1.0),  # band low on the hips ... at the waist
}
# Metres of the band's height, and between band and body.
BAND, GAP = 0.05, 0.007


def pattern(parameters, rest):
    """A skirt on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    crotch, shoulder = fields.crotch_height(rest), float(rest.joint("upperarm01.L")[2])
    ankle = float(rest.joint("foot.L")[2])
    top = crotch + (shoulder - crotch) * mix(0.38, 0.5, parameters["rise"])
    bottom = mix(crotch - 0.2 * (crotch - ankle), ankle + 0.1, parameters["length"])
    z = rest.vertices[:, 2]
    below = np.minimum(top - z, fields.off_arms(rest))
    piece = tailor.cut(rest, fields.off_arms(rest), top - z, z - (top - BAND))
    gap = np.full(len(piece.vertices), GAP)
    upright = np.tile([0.0, 0.0, 1.0], (len(gap), 1))
    tube = tailor.trunk_tube(piece.vertices, np.ones(len(gap)), top + 0.04, 1.0, 0.5)
    piece = piece._replace(vertices=tailor.drape(rest, piece, gap, [tube], upright, gap, 10))
    flare = mix(0.02, 0.5, parameters["flare"])
    whole = loft.hang_from(rest, piece, loft.lowest_loop(piece), bottom, flare, parameters["pleats"])
    vertices = loft.settle(rest, whole, np.arange(len(whole.vertices)) < len(gap), GAP)
    return tailor.finish(whole, vertices, loft.hidden(rest, below, bottom))
