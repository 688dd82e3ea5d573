"""A T-shirt: from sleeveless top to long-sleeved shirt, cut from the body's surface."""

import numpy as np

from tryon_jax.garments import fields, tailor
from tryon_jax.garments.tailor import mix, ramp

PARAMETERS = {
    "sleeve": (0.0, 1.0),  # none ... to the wrist
    "hem": (0.0, 1.0),  # at the waist ... over the hips
    "ease": (0.0, 1.0),  # close ... loose
    "neck_width": (0.0, 1.0),  # 7 to 11 cm from the middle on a mean body
    "neck_depth": (0.0, 1.0),  # 5 to 14 cm below the neck in front
    "neck_v": (0.0, 1.0),  # round ... V
    "tuck": (0.0, 1.0),  # above 0.5 the shirt ends inside what is worn below, as it must with a skirt
}
SIDES = ("left", "right")
# Metres between the body and the lower part of a top, which hangs over trousers (they stay within 9 mm there).
OVER = 0.014
# The same where a shirt is tucked into a waistband.
UNDER = 0.003


def outline(parameters, rest, bottom):
    """Fields [V] in metres of hem, sleeves and neck, all positive where a top covers, down to height `bottom`."""
    shoulder = rest.joint("upperarm01.L")[0]
    width = shoulder * mix(0.44, 0.68, parameters["neck_width"])
    depth = mix(0.05, 0.14, parameters["neck_depth"]) * shoulder / 0.16
    hem = fields.torso_only(rest, rest.vertices[:, 2] - bottom)
    neck = fields.neckline(rest, width, depth, parameters["neck_v"])
    return hem, fields.sleeve(rest, parameters["sleeve"]), neck


def torso(rest):
    """Heights in metres of the crotch and of the shoulder joints."""
    return fields.crotch_height(rest), float(rest.joint("upperarm01.L")[2])


def tubes(rest, piece, ease, taper):
    """Trunk and sleeves of a top, as far as it has them; and its share of arms [G]."""
    crotch, shoulder = torso(rest)
    armpit = shoulder - 0.13 * (shoulder - crotch)
    shares = {side: piece.limbs[f"{side}_arm"] + piece.limbs[f"{side}_hand"] for side in SIDES}
    arms = sum(shares.values())
    found = [tailor.trunk_tube(piece.vertices, 1 - ramp(arms, 0.05, 0.5), armpit, mix(0.5, 1.0, ease), taper)]
    for side, share in shares.items():
        if (share > 0.5).sum() > 60:  # fewer vertices are no sleeve
            joints = fields.arm_joints(rest, side)
            found.append(tailor.limb_tube(piece.vertices, share, joints, mix(0.3, 0.9, ease), mix(0.5, 0.1, ease)))
    return found, arms


def hems(rest, piece, arms):
    """Unit vectors [G, 3] along which edges keep their place: the arm's on sleeves, upright elsewhere."""
    directions = np.tile([0.0, 0.0, 1.0], (len(piece.vertices), 1))
    for side, sign in (("left", 1), ("right", -1)):
        joints = fields.arm_joints(rest, side)
        axis = (joints[2] - joints[0]) / np.linalg.norm(joints[2] - joints[0])
        directions[(arms > 0.4) & (np.sign(piece.vertices[:, 0]) == sign)] = axis
    return directions


def pattern(parameters, rest):
    """A T-shirt on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    crotch, shoulder = torso(rest)
    tucked = parameters["tuck"] > 0.5
    # Waistbands lie between 0.34 and 0.5: a tucked shirt reaches below all of them.
    bottom = crotch + (shoulder - crotch) * (0.29 if tucked else mix(0.42, 0.07, parameters["hem"]))
    edges = outline(parameters, rest, bottom)
    piece = tailor.cut(rest, *edges)
    ease = parameters["ease"]
    z = piece.vertices[:, 2]
    limbs, arms = tubes(rest, piece, ease, mix(0.3, 0.02, ease))
    start, end = (0.66, 0.52) if tucked else (0.55, 0.35)
    lower = ramp(z, crotch + start * (shoulder - crotch), crotch + end * (shoulder - crotch)) * (arms < 0.3)
    if tucked:
        limbs[0] = limbs[0]._replace(blend=limbs[0].blend * (1 - lower[limbs[0].rows]))
    upper = ramp(z, shoulder + 0.02, shoulder - 0.1)
    gap = mix(mix(0.005, 0.007, ease), UNDER if tucked else OVER, lower)
    thickness = gap + mix(0.002, 0.018, ease) * np.maximum(upper, 0.25) * ((1 - lower) if tucked else 1)
    vertices = tailor.drape(rest, piece, thickness, limbs, hems(rest, piece, arms), gap, int(mix(8, 20, ease)))
    return tailor.finish(piece, vertices, tailor.hidden(rest, np.minimum.reduce(edges)))
