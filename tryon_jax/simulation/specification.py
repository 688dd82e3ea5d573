"""What is in one example, as numbers to draw it from: who, in which pose, in which clothes; no splits share any.

A few consecutive examples share a body in a pose and two outfits draped on it, since draping is the slow part; prints,
small movements of head and limbs, camera, light and background are each example's own.
"""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax import garments
from tryon_jax.simulation import prints
from tryon_jax.simulation.fabric import FABRICS, WORN_IN

SPLITS = ("train", "test")
EXAMPLES_A_BODY = 4
WARDROBE = 8  # pieces that a body may own
SAME_SHARE = 0.25
# Bodies of split s have numbers from s * POOL on; garments are numbered by body, prints by garment.
POOL = 2**24
PRINTS = 3  # in which each garment comes: painting one takes longer than drawing a person
# How often the class of the garment to wear is each of geometry.parts.GARMENT_CLASSES, of a woman and of a man.
CLASS_SHARES = {
    True: {"upper": 0.36, "lower": 0.31, "dress": 0.22, "outer": 0.11},
    False: {"upper": 0.47, "lower": 0.41, "dress": 0.0, "outer": 0.12},
}  # fmt: skip
# How often each of prints.KINDS is on each garment; on all others evenly. And what men do not wear here.
PRINT_WEIGHTS = {
    "tshirt": (2.0, 2.0, 0.6, 0.6, 0.8, 0.5, 4.5, 0.2, 0.7, 0.4, 0.5, 1.0),
    "hoodie": (3.0, 0.7, 0.0, 0.0, 0.2, 0.4, 4.0, 0.0, 0.0, 0.4, 0.3, 1.5),
    "shirt": (3.0, 0.6, 2.0, 2.0, 0.7, 0.0, 0.0, 1.5, 1.2, 0.2),
    "jacket": (4.0, 0.0, 0.4, 0.5, 0.0, 0.0, 0.0, 0.8, 0.2, 0.8, 0.0, 0.8, 1.0),
    "trousers": (5.0, 0.0, 0.5, 0.8, 0.1, 0.0, 0.0, 0.4, 0.2, 0.7, 0.0, 0.0, 3.0),
    "skirt": (3.0, 1.0, 0.7, 1.2, 1.2, 0.9, 0.0, 1.5, 1.5, 0.2, 0.4, 0.0, 0.8),
    "dress": (2.5, 1.3, 0.7, 1.0, 1.5, 1.0, 0.0, 0.6, 3.0, 0.1, 0.4),
}
WOMENS = ("skirt", "dress")
SIZES = (-0.4, 1.2)  # sizes by which a garment may differ from its wearer's own measurements


class Piece(NamedTuple):
    """One piece of clothing: its kind, a name of garments, and the numbers of its shape and of its print."""

    kind: str
    garment_id: int
    print_id: int


class Cut(NamedTuple):
    """What decides a piece's shape: parameters as in garments, sizes from the wearer's own, name of its fabric."""

    parameters: dict
    sizes: float
    fabric: str


class Specification(NamedTuple):
    """One example: worn is the photo's outfit, sheets the sheets' outfit, chosen the piece in the shop picture; outfits
    run from the lower body up, then what is worn over it.

    entropy: the integers that everything else (movement, camera, light, background) is drawn from.
    """

    body_id: int
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
        fill = [-1] * (4 - len(pieces))
        return {
            "body_id": self.body_id,
            "garment_ids": [piece.garment_id for piece in pieces] + fill,
            "print_ids": [piece.print_id for piece in pieces] + fill,
        }


def sample(split, number, seed=0, examples_a_body=EXAMPLES_A_BODY):
    """The Specification of example `number` of `split`, one of SPLITS."""
    first = SPLITS.index(split) * POOL
    body_id = first + number // examples_a_body
    rng = np.random.default_rng([seed, 1, SPLITS.index(split), number])
    pieces = {}

    def dressed(outfit):
        for kind, garment_id in outfit:
            pieces.setdefault(garment_id, Piece(kind, garment_id, PRINTS * garment_id + int(rng.integers(PRINTS))))
        return tuple(pieces[garment_id] for _, garment_id in outfit)

    this, other = outfits(body_id, seed)
    if len(this) == len(other) == 1 or this[-1] != other[-1] or this[0] != other[0]:
        swapped = len(this) == len(other) and rng.uniform() < 0.5
        this, other = (other, this) if swapped else (this, other)
    sheets, worn = dressed(this), dressed(other)
    chosen = next(piece for piece in reversed(sheets) if piece not in worn)
    if rng.uniform() < SAME_SHARE:
        worn = sheets
    return Specification(body_id, worn, sheets, chosen, (seed, 2, SPLITS.index(split), number))


def is_woman(body_id, seed):
    """Whether the body called `body_id` is a woman's; half of them are."""
    return bool(np.random.default_rng([seed, 3, body_id]).uniform() < 0.5)


@functools.lru_cache(maxsize=16)
def outfits(body_id, seed):
    """The two outfits of a body, the first to be shown: tuples of (kind, garment number), from the lower body up."""
    woman = is_woman(body_id, seed)
    rng = np.random.default_rng([seed, 6, body_id])
    shares = CLASS_SHARES[woman]
    group = str(rng.choice(list(shares), p=list(shares.values())))
    numbers = iter(range(body_id * WARDROBE, (body_id + 1) * WARDROBE))

    def own(garment_class):
        kinds = [name for name in garments.names(garment_class) if woman or name not in WOMENS]
        return str(rng.choice(kinds)), next(numbers)

    bottom, top = own("lower"), own("upper")
    if group == "upper":
        return (bottom, top), (bottom, own("upper"))
    if group == "lower":
        return (bottom, top), (own("lower"), top)
    if group == "dress":
        return (own("dress"),), ((own("dress"),) if rng.uniform() < 0.6 else (bottom, top))
    over = own("outer")
    return (bottom, top, over), ((bottom, top, own("outer")) if rng.uniform() < 0.4 else (bottom, top))


def cut(kind, garment_id, seed, attempt=0):
    """The Cut of a garment; `attempt` counts how often it was drawn anew since it failed a gate."""
    rng = np.random.default_rng([seed, 4, garment_id, attempt])
    fabric = str(rng.choice(WORN_IN.get(kind, tuple(FABRICS))))
    return Cut(garments.sample(kind, rng), float(rng.uniform(*SIZES)), fabric)


@functools.lru_cache(maxsize=64)
def pattern(piece, fabric, seed):
    """The Print on the piece, made of the fabric of that name."""
    weights = np.zeros(len(prints.KINDS))
    given = PRINT_WEIGHTS.get(piece.kind, prints.EVENLY)
    weights[: len(given)] = given
    washed = prints.KINDS.index("denim wash")
    if fabric == "denim":
        # Denim is dyed, seldom printed.
        weights = np.where(np.isin(prints.KINDS, ("plain", "denim wash")), (weights[0] + 1) * 0.5, 0.03 * weights)
    else:
        weights[washed] = 0.0
    rng = np.random.default_rng([seed, 5, piece.print_id, *piece.kind.encode()])
    return prints.sample(rng, tuple(weights))
