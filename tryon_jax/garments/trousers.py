"""Trousers and shorts, cut from the body's surface."""

import numpy as np

from tryon_jax.garments import fields, tailor
from tryon_jax.garments.tailor import mix, ramp

PARAMETERS = {
    "length": (0.0, 1.0),  # shorts above mid-thigh ... to the ankle
    "ease": (0.0, 1.0),  # slim ... wide
    "rise": (0.0, 1.0),  # waistband low on the hips ... at the waist
}
SIDES = ("left", "right")
# Metres that each trouser leg keeps from the plane between the legs.
APART = 0.002


def pattern(parameters, rest):
    """Trousers on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    crotch, shoulder = fields.crotch_height(rest), float(rest.joint("upperarm01.L")[2])
    ankle = float(rest.joint("foot.L")[2])
    top = crotch + (shoulder - crotch) * mix(0.34, 0.5, parameters["rise"])
    bottom = mix(crotch - 0.16 * (crotch - ankle), ankle - 0.01, parameters["length"])
    z = rest.vertices[:, 2]
    edges = (fields.off_arms(rest), top - z, z - bottom)
    piece = tailor.cut(rest, *edges)
    ease, height = parameters["ease"], piece.vertices[:, 2]
    legs = {side: piece.limbs[f"{side}_leg"] + piece.limbs[f"{side}_foot"] for side in SIDES}
    tubes = [tailor.trunk_tube(piece.vertices, ramp(height, crotch - 0.02, crotch + 0.06), top, 0.6, 0.5)]
    for side in SIDES:
        own = legs[side] * ramp(height, crotch + 0.08, crotch - 0.1)
        joints = fields.leg_joints(rest, side)
        tubes.append(tailor.limb_tube(piece.vertices, own, joints, mix(0.4, 1.0, ease), mix(0.22, 0.0, ease)))
    below = ramp(height, top - 0.1, crotch - 0.05)
    gap = np.full(len(height), 0.007)
    thickness = gap + mix(0.001, 0.022, ease) * below
    directions = np.tile([0.0, 0.0, 1.0], (len(height), 1))
    # Which leg a vertex is on, below the crotch.
    sides = np.sign(legs["left"] - legs["right"]) * (piece.vertices[:, 2] < crotch - 0.012)

    def apart(vertices):
        moved = vertices.copy()
        own = sides != 0
        moved[own, 0] = sides[own] * np.maximum(sides[own] * vertices[own, 0], APART)
        return moved

    vertices = tailor.drape(rest, piece, thickness, tubes, directions, gap, int(mix(8, 16, ease)), apart)
    return tailor.finish(piece, vertices, tailor.hidden(rest, np.minimum.reduce(edges)))
