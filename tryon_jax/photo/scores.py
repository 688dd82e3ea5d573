"""How well each part label fits each pixel of a photo: a log prior of the place plus a log density of the colour.

Costs are in nats, like the colours' log densities, set by eye on a dozen photos. Lengths of limbs and distances
from bones are in the units of photo.skeleton.
"""

from typing import NamedTuple

import numpy as np

from tryon_jax.geometry.parts import PART, PARTS
from tryon_jax.photo.skeleton import arm_place, body_place

SIDES = ("left", "right")
NEVER = -30.0


class Cuts(NamedTuple):
    """Where clothes end. waist, hem: body places (0 shoulders, 1 hips, 2 knees, 3 ankles); sleeves: (left, right)
    arm places (0 shoulder, 1 elbow, 2 wrist); contrast: colour difference across the waist in [0, 1]."""

    waist: float
    hem: float
    sleeves: tuple
    contrast: float


class Places(NamedTuple):
    """Where pixels lie: x, y and radius about the face; face_core < 1 in its inside; place along and distance from the
    body's core; arms: for left and right (place, distance). All [h, w]."""

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    face_core: np.ndarray
    place: np.ndarray
    core: np.ndarray
    arms: tuple


def score(models, cuts, pose, head):
    """Score float32 [h, w, 15] of each label; models: log colour density [h, w] of skin, hair, upper, lower, shoe.

    pose: a Skeleton; head: skeleton.head_coordinates.
    """
    x, y = head[..., 0], head[..., 1]
    face_core = np.hypot(x / 0.95, (y + 0.1) / 0.72)
    arms = tuple(arm_place(pose, side) for side in SIDES)
    places = Places(x, y, np.hypot(x, y), face_core, *body_place(pose), arms)
    found = {**_head(models, places), **_clothes(models, cuts, places)}
    for index, side in enumerate(SIDES):
        found |= _arm(models, cuts, places, pose, side, index)
        found |= _leg(models, cuts, places, pose, side, SIDES[1 - index])
    scores = np.full((*x.shape, len(PARTS)), NEVER, np.float32)
    for name, values in found.items():
        scores[..., PART[name]] = values
    return scores


def _far(distance, free, slope):
    """The cost of lying more than `free` away."""
    return -slope * np.maximum(distance - free, 0)


def _before(value, width):
    """The cost, up to 4, of lying before the place where value is zero."""
    return -4 / (1 + np.exp(np.clip(value / width, -50, 50)))


def _head(models, places):
    """Face, hair (long hair costs more the farther it falls) and neck (with the bare chest below it)."""
    skin, y, radius = models["skin"], places.y, places.radius
    fall = np.where(y > -0.3, _far(radius, 1.9, 4.0), _far(radius, 1.9, 1.5) - 1.5)
    chest = np.maximum(places.place, 0) / 0.35
    beyond = _far(radius, 1.0, 12.0) * np.interp(y, [0.0, 0.4], [1.0, 0.5])  # hairlines differ more than chins
    below = _far(-y, 0.8, 12.0)  # the chin ends the face: the ellipse reaches on, for open mouths
    return {
        # Eyes, lips, beard and shadow are face whatever their colour.
        "face": np.where(places.face_core < 1, np.maximum(skin, -7.0), skin + below + beyond),
        "hair": models["hair"] + fall + np.interp(places.face_core, [0.8, 1.2], [-10.0, 0.0]),
        "neck": skin + np.where(y < -0.75, 0.0, -5.0) - 0.5 + _far(chest, 0.6, 3.0) + _far(radius, 2.6, 3.0),
    }


def _arm(models, cuts, places, pose, side, index):
    """Bare arm beyond the sleeve's end, and hand."""
    along, distance = places.arms[index]
    # A hand before the face is rarer than an arm bone drawn across it.
    off_face = np.interp(places.face_core, [1.0, 1.4], [-10.0, 0.0])
    bare = _before(along - cuts.sleeves[index], 0.06) + np.where(along < 2, 0.0, -3.0)
    hand = _far(pose.distance[f"{side}_hand"], 1.2, 3.0) + np.where(along < 2, -3.0, 0.0)
    return {
        f"{side}_arm": models["skin"] + _far(distance, 1.0, 3.0) + bare + off_face,
        f"{side}_hand": np.maximum(models["skin"], -10.0) + hand + off_face,
    }


def _leg(models, cuts, places, pose, side, other):
    """Bare leg below the hem, and shoe."""

    def nearest(name):
        return np.minimum(np.minimum(pose.distance[f"{name}_thigh"], pose.distance[f"{name}_shin"]), foot(name))

    def foot(name):
        return pose.distance[f"{name}_foot"]

    mine = np.maximum(_far(nearest(side) - nearest(other), 0.0, 1.0), -2.0)
    low = np.where(places.place >= 3.0, 0.0, 2 * _before(places.place - 2.9, 0.03))
    bare = _before(places.place - cuts.hem, 0.05)
    return {
        f"{side}_leg": models["skin"] + _far(nearest(side), 1.3, 2.0) + bare + mine,
        f"{side}_shoe": models["shoe"] + _far(foot(side), 1.3, 2.0) + low + mine,
    }


def _clothes(models, cuts, places):
    """Upper (trunk above the waist, arms up to the sleeves' ends) and lower (below the waist, up to the hem)."""
    place, core = places.place, np.minimum(places.core, 3.0)
    sleeves = [
        _far(distance, 1.0, 3.0) + _before(cut - along, 0.06)
        for (along, distance), cut in zip(places.arms, cuts.sleeves, strict=True)
    ]
    trunk = _far(core, 1.3, 2.0) + 1.5 * _before(cuts.waist - place, 0.03)
    on_head = np.where((places.y > -0.8) & (places.radius < 2.0), -4.0, 0.0)
    nearest_arm = np.minimum(places.arms[0][1], places.arms[1][1])
    # A dark sleeve that hangs before dark trousers is sleeve.
    before_arm = np.where(nearest_arm < 1.1, -2.5 * np.clip(places.core - nearest_arm, 0, 1.5), 0.0)
    reach = _far(core, 1.6, 1.0) + 1.5 * _before(place - cuts.waist, 0.03) + _before(cuts.hem - place, 0.05)
    on_foot = np.where(place >= 3.0, -1.5, 0.0)
    return {
        "upper": models["upper"] + np.maximum(np.maximum(*sleeves), trunk) + on_head,
        "lower": models["lower"] + reach + on_foot + on_head + before_arm,
    }
