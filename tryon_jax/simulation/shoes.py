"""Shoes: cut from the feet, their toes bridged, with a sole."""

import numpy as np

from tryon_jax.garments import Garment, tailor
from tryon_jax.garments.tailor import mix

PARAMETERS = {"height": (0.0, 1.0)}  # low shoe ... ankle boot
# Metres of a sole below the bare foot, which stands at z = 0.
SOLE = 0.012


def pattern(parameters, rest):
    """A pair of shoes on a body at rest: parameters as in PARAMETERS, a garments.Rest -> garments.Garment."""
    left, right = (_shoe(parameters, rest, sign) for sign in (1, -1))
    count = len(left.vertices_rest)
    # The pair shares one texture: shoes are plain.
    joined = {
        name: np.concatenate([getattr(left, name), getattr(right, name)])
        for name in ("vertices_rest", "uv", "picture_xy", "skin_indices", "skin_weights")
    }
    return Garment(
        faces=np.concatenate([left.faces, right.faces + count]),
        weld=np.concatenate([left.weld, right.weld + count]),
        covers=left.covers | right.covers,
        metres_per_uv=max(left.metres_per_uv, right.metres_per_uv),
        **joined,
    )


def _shoe(parameters, rest, sign):
    """One shoe, as a Garment; sign 1 is the left foot."""
    x, z = rest.vertices[:, 0], rest.vertices[:, 2]
    ankle = rest.joint("foot.L")[2]
    top = ankle + mix(-0.012, 0.06, parameters["height"])
    field = np.where(sign * x > 0, top - z, -1.0)
    piece = tailor.cut(rest, field)
    heights = top - piece.vertices[:, 2]
    middle = (piece.vertices.min(0) + piece.vertices.max(0)) / 2
    centres = piece.vertices * np.array([0, 0, 1]) + np.array([middle[0], middle[1], 0])
    tube = tailor.Tube(np.arange(len(heights)), centres, np.eye(3)[:2], heights, np.full(len(heights), 0.9), 0.5)
    upright = np.tile([0.0, 0.0, 1.0], (len(heights), 1))
    gap = np.full(len(heights), 0.004)

    def on_sole(vertices):
        moved = vertices.copy()
        low = moved[:, 2] < 0.012
        moved[low, 2] = -SOLE
        return moved

    vertices = tailor.drape(rest, piece, gap + 0.002, [tube], upright, gap, 10, on_sole)
    return tailor.finish(piece, vertices, tailor.hidden(rest, field, 0.012))
