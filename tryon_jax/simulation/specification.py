"""What is in one example, as numbers to draw it from: who, in which pose, in which clothes; no splits share any.

A few consecutive examples share a body and its wardrobe, since cutting a garment to a body is the slow part; pose,
prints, camera, light and background are each example's own.
"""

from typing import NamedTuple

import numpy as np

from tryon_jax import garments
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.simulation import prints
from tryon_jax.simulation.pose import POSES

SPLITS = ("train", "test")
EXAMPLES_A_BODY = 8
WARDROBE = 6  # pieces that a body owns
SAME_SHARE = 0.25
# Bodies, garments and prints of split s have numbers from s * POOL on.
POOL = 2**24
PRINTS = 4096
# How often each of prints.KINDS is on each garment.
PRINT_WEIGHTS = {
    "tshirt": (2.0, 2.0, 1.0, 1.2, 1.2, 0.8, 4.0),
    "trousers": (6.0, 0.0, 1.2, 1.2, 0.4, 0.6, 0.0),
    "skirt": (3.0, 1.5, 0.8, 1.8, 1.2, 1.0, 0.0),
    "dress": (2.5, 1.8, 1.0, 1.5, 1.5, 1.2, 2.0),
}


class Piece(NamedTuple):
    """One piece of clothing: its class, one of GARMENT_CLASSES, and the numbers of its shape and of its print."""

    kind: str
    garment_id: int
    print_id: int


class Specification(NamedTuple):
    """One example: worn is the photo's outfit, sheets the sheets' outfit, chosen the piece in the shop picture.

    entropy: the integers that everything else (pose, camera, light, background) is drawn from.
    """

    body_id: int
    pose: str
    worn: tuple
    sheets: tuple
    chosen: Piece
    entropy: tuple

    @property
    def same_garment(self):
        return self.worn == self.sheets

    def identities(self):
        """Numbers of the body and of the pieces in sheets and photo, the chosen one first, -1 for none."""
        pieces = list(dict.fromkeys([self.chosen, *self.sheets, *self.worn]))
        fill = [-1] * (3 - len(pieces))
        return {
            "body_id": self.body_id,
            "garment_ids": [piece.garment_id for piece in pieces] + fill,
            "print_ids": [piece.print_id for piece in pieces] + fill,
        }


def sample(split, number, seed=0):
    """The Specification of example `number` of `split`, one of SPLITS."""
    first = SPLITS.index(split) * POOL
    body_id = first + number // EXAMPLES_A_BODY
    rng = np.random.default_rng([seed, 1, SPLITS.index(split), number])
    woman = is_woman(body_id, seed)
    wardrobe = _wardrobe(body_id, woman, seed)

    def dressed(kind_and_id):
        return Piece(*kind_and_id, first + int(rng.integers(PRINTS)))

    top, other_top = (dressed(wardrobe["upper"][index]) for index in rng.permutation(2))
    bottom, other_bottom = (dressed(wardrobe["lower"][index]) for index in rng.permutation(2))
    group = str(rng.choice(["upper", "lower", "dress"], p=[0.42, 0.34, 0.24] if woman else [0.55, 0.45, 0.0]))
    if group == "upper":
        chosen, sheets, worn = top, (bottom, top), (bottom, other_top)
    elif group == "lower":
        chosen, sheets, worn = bottom, (bottom, top), (other_bottom, top)
    else:
        chosen = dressed(wardrobe["dress"][0])
        another = dressed(wardrobe["dress"][1])
        sheets, worn = (chosen,), (another,) if rng.uniform() < 0.5 else (bottom, top)
    if rng.uniform() < SAME_SHARE:
        worn = sheets
    pose = str(rng.choice(list(POSES)))
    return Specification(body_id, pose, worn, sheets, chosen, (seed, 2, SPLITS.index(split), number))


def is_woman(body_id, seed):
    """Whether the body called `body_id` is a woman's; half of them are."""
    return bool(np.random.default_rng([seed, 3, body_id]).uniform() < 0.5)


def garment_parameters(piece, seed):
    """Parameters of the piece's shape. Who owns a skirt tucks every shirt in, since no shirt hangs over a skirt."""
    parameters = garments.sample(piece.kind, np.random.default_rng([seed, 4, piece.garment_id]))
    body_id = piece.garment_id // WARDROBE
    owned = _wardrobe(body_id, is_woman(body_id, seed), seed)
    if piece.kind == "tshirt" and any(kind == "skirt" for kind, _ in owned["lower"]):
        parameters["tuck"] = 1.0
    return parameters


def pattern(piece, seed):
    """The Print on the piece."""
    weights = PRINT_WEIGHTS[piece.kind]
    return prints.sample(np.random.default_rng([seed, 5, piece.print_id, GARMENT_CLASSES.index(piece.kind)]), weights)


def _wardrobe(body_id, woman, seed):
    """Two (class, garment number) for each group of clothes."""
    rng = np.random.default_rng([seed, 6, body_id])
    kinds = ["tshirt", "tshirt", *rng.choice(["trousers", "skirt"] if woman else ["trousers"], 2), "dress", "dress"]
    owned = [(str(kind), body_id * WARDROBE + index) for index, kind in enumerate(kinds)]
    return {"upper": owned[:2], "lower": owned[2:4], "dress": owned[4:]}
