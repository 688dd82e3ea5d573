"""Hair: a cap cut from the scalp, and for longer hair from neck and back too, hung from the head like cloth."""

import numpy as np

from tryon_jax.garments import tailor
from tryon_jax.garments.tailor import mix, ramp

PARAMETERS = {
    "length": (0.0, 1.0),  # cropped ... below the shoulders; longer than the nape from 0.35 on
    "volume": (0.0, 1.0),  # flat ... full
    "hairline": (0.0, 1.0),  # low ... high forehead
}


def hairline(parameters, rest):
    """Field [V] in metres, positive where hair grows or hangs on a garments.Rest."""
    x, y, z = rest.vertices.T
    eye, head, neck = rest.joint("eye.L"), rest.joint("head"), rest.joint("neck01")
    crown = z.max()
    unit = (crown - eye[2]) / 0.11  # 1 on a mean body
    forehead = eye[2] + mix(0.045, 0.07, parameters["hairline"]) * unit
    nape = head[2] - 0.025 * unit
    long = np.clip((parameters["length"] - 0.35) / 0.65, 0, 1)
    lowest = mix(nape, neck[2] - 0.16 * unit, long) if long > 0 else nape
    ear = head[1] + 0.012
    # From the forehead down the temple to a sideburn before the ear, then behind the ear to the nape.
    temple = mix(forehead, eye[2] - 0.01 * unit, ramp(y, eye[1] + 0.03, ear - 0.03))
    line = mix(temple, lowest, ramp(y, ear - 0.015, ear + 0.025))
    field = z - line
    # Below the nape hair hangs behind the neck only, as wide as the head.
    hanging = np.minimum(0.075 * unit - np.abs(x), y - neck[1] - 0.01)
    return np.where(z < nape, np.minimum(field, hanging), field)


def pattern(parameters, rest):
    """Hair on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    field = hairline(parameters, rest)
    piece = tailor.cut(rest, field)
    z = piece.vertices[:, 2]
    head = rest.joint("head")[2]
    top = float(z.max())
    # Far enough out to lie over a collar.
    below = ramp(z, head - 0.02, head - 0.07)
    gap = 0.004 + 0.018 * below
    thickness = gap + mix(0.004, 0.018, parameters["volume"])
    tube = tailor.trunk_tube(piece.vertices, np.ones(len(z)), top - 0.06, 0.9, 0.15)
    upright = np.tile([0.0, 0.0, 1.0], (len(z), 1))
    vertices = tailor.drape(rest, piece, thickness, [tube], upright, gap, 8)
    return tailor.finish(piece, vertices, tailor.hidden(rest, field, 0.02))
