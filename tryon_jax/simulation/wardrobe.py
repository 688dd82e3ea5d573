"""A body's two outfits draped on it in its pose: what all examples of that body share."""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax import garments
from tryon_jax.garments import measurements
from tryon_jax.simulation import body, drape, gates, specification
from tryon_jax.simulation.fabric import FABRICS

LAYER = 0.0015  # metres between one garment and the next, more than between cloth and skin
UNDER = 0.009  # metres off the skin at most of a top that has a jacket over it
WAISTBAND = 0.03  # metres below the waist from which a top inside a skirt is tucked
# Of drawing garments anew: before a pose is given up, and before the body is, since a coat over a hood on broad
# shoulders may be strained in every pose; and how many bodies are tried.
PATIENCE, ATTEMPTS, BODIES = 4, 20, 4


class Hung(NamedTuple):
    """One piece of an outfit on the body: kind and garment_id as in specification.Piece, its Cut, its drape.Draped,
    its Report, a name that is the same for pieces that hang alike, and whether it is tucked into a skirt."""

    kind: str
    garment_id: int
    cut: specification.Cut
    draped: drape.Draped
    report: gates.Report
    key: tuple
    tucked: bool


class Wardrobe(NamedTuple):
    """shape: the body's controls [6]; motion: its drape.Motion; pose: body.Pose; outfits: two tuples of Hung, in the
    order in which they are put on; redraws: how many garments failed a gate and were drawn anew; drapes: how many were
    made in all."""

    shape: np.ndarray
    motion: drape.Motion
    pose: body.Pose
    outfits: tuple
    redraws: int
    drapes: int

    def hung(self, garment_id, outfit):
        """The Hung of a garment in outfit 0 or 1."""
        return next(one for one in self.outfits[outfit] if one.garment_id == garment_id)


def _shape(body_id, seed, attempt):
    """The six shape controls of a body, its gender as the specification has it; `attempt` counts those given up."""
    shape = body.sample_shape(np.random.default_rng([seed, 7, body_id, attempt]))
    away = min(shape[0], 1 - shape[0])
    shape[0] = 1 - away if specification.is_woman(body_id, seed) else away
    return shape


@functools.lru_cache(maxsize=3)
def dress(body_id, seed, levels):
    """The Wardrobe of a body; `levels` of detail as in drape.drape. The same arguments give the same bits.

    Raises ValueError if no garment passed the gates on any of BODIES bodies, which none of ours does.
    """
    chosen, attempts, made, drapes = specification.outfits(body_id, seed), {}, {}, 0
    for redraws in range(BODIES * ATTEMPTS):
        if redraws % PATIENCE == 0:
            shape = _shape(body_id, seed, redraws // ATTEMPTS)
            pose, moving = _posed(body_id, seed, redraws // PATIENCE, shape)
            drapes, made = drapes + _drapes(made), {}
        outfits = [_put_on(outfit, moving, seed, levels, attempts, made) for outfit in chosen]
        refused = next((hung for hung in outfits if hung[-1].report.failed), None)
        if refused is None:
            return Wardrobe(shape, moving, pose, tuple(outfits), redraws, drapes + _drapes(made))
        for one in _blamed(refused, attempts):
            attempts[one.garment_id] = attempts.get(one.garment_id, 0) + 1
    raise ValueError(
        f"body {body_id} of seed {seed}: {redraws + 1} garments in a row failed a gate, the last {refused[-1].report}"
    )


def _drapes(made):
    return sum(isinstance(one, Hung) for one in made.values())


def _blamed(refused, attempts):
    """The Hungs to cut anew of an outfit whose last one failed: that, and each second time what it hangs on."""
    *beneath, failed = refused
    # A jacket hangs on the top, which a skirt may hold at the waist: the skirt bears nothing of it.
    tops = [one for one in beneath if garments.load(one.kind).CLASS == "upper"]
    again = attempts.get(failed.garment_id, 0) % 2 == 1
    return [failed, *(tops or beneath)[-1:]] if again else [failed]


def _posed(body_id, seed, attempt, shape):
    """The body's pose and its drape.Motion; `attempt` counts the poses given up before."""
    rng = np.random.default_rng([seed, 12, body_id, attempt])
    pose = body.sample_pose(rng, str(rng.choice(list(body.POSES))))
    return pose, drape.motion(body.load(), shape, pose)


def order(outfit):
    """The pieces (kind, garment_id) of an outfit as they are put on: a top before a skirt, into which it is tucked."""
    if len(outfit) > 1 and outfit[0][0] == "skirt":
        return (outfit[1], outfit[0], *outfit[2:])
    return tuple(outfit)


def _put_on(outfit, moving, seed, levels, attempts, made):
    """The Hungs of an outfit, up to the first that fails; `made` keeps what hangs alike."""
    worn = []
    for layer, (kind, garment_id) in enumerate(order(outfit)):
        garment_class = garments.load(kind).CLASS
        tucked = garment_class == "upper" and outfit[0][0] == "skirt"
        covered = garment_class == "upper" and len(outfit) > 2
        cut = specification.cut(kind, garment_id, seed, attempts.get(garment_id, 0))
        key = (garment_id, attempts.get(garment_id, 0), tucked, covered, worn[-1].key if worn else ())
        if key not in made:
            beneath = ("beneath", key[-1])
            if beneath not in made:
                made[beneath] = drape.colliders(moving, [one.draped for one in worn])
            made[key] = _drape(kind, garment_id, cut, moving, made[beneath], (layer, levels, tucked, covered), key)
        worn.append(made[key])
        if made[key].report.failed:
            break
    return tuple(worn)


def ceiling(figure, tucked, covered):
    """drape.drape's `ceiling` of a top that is tucked into a skirt, or has a jacket over it, or neither."""
    if tucked:
        return figure.levels.waist - WAISTBAND, drape.TUCKED
    return (np.inf if covered else -np.inf), UNDER


def _drape(kind, garment_id, cut, moving, beneath, how, key):
    layer, levels, tucked, covered = how
    figure = moving.figure
    sized = measurements.graded(figure.measurements, cut.sizes)
    pattern = garments.load(kind).pattern(cut.parameters, sized)
    draped = drape.drape(
        pattern, moving, beneath, FABRICS[cut.fabric], levels, offset=LAYER * layer,
        ceiling=ceiling(figure, tucked, covered),
    )  # fmt: skip
    return Hung(kind, garment_id, cut, draped, gates.report(draped, moving), key, tucked)
