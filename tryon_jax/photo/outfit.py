"""Which garments the cloth of a person is: a top and a bottom, a dress, a dress over a blouse, or a coat over the rest.

Told from where cloth ends on the body and from what colours its regions share. Jackets that end at the hips stay tops.
"""

import numpy as np

from tryon_jax.geometry.parts import PART
from tryon_jax.photo import colours
from tryon_jax.photo.scores import SIDES
from tryon_jax.photo.skeleton import arm_place, body_place

# Skirts and dresses: colours above and below the waist differ by less than this share (colours.cut_by_information).
SAME_CLOTH = 0.30
# Sleeves are of another cloth than the trunk where their colours differ by more (colours.contrast).
OTHER_CLOTH = 0.40
COAT_HEM, COAT_SLEEVE = 1.3, 1.4  # body place (1 hips, 2 knees) and arm place (1 elbow, 2 wrist) that a coat reaches
FEWEST = 60  # pixels at the working size that make a fair histogram


def name_garments(labels, indices, cuts, pose):
    """Labels int32 [h, w] whose upper and lower became `dress` or `outer` where they are one.

    indices: colours.bin_indices of the picture; cuts: scores.Cuts; pose: a Skeleton.
    """
    if _is_dress(labels, cuts):
        cloth = np.isin(labels, [PART["upper"], PART["lower"]])
        blouse = _sleeves_of_another_cloth(labels, indices, pose)
        return np.where(cloth & ~blouse, PART["dress"], labels)
    if _is_coat(labels, cuts):
        coat = (labels == PART["upper"]) & ~_under_the_coat(labels, indices, pose)
        return np.where(coat, PART["outer"], labels)
    return labels


def _is_dress(labels, cuts):
    """One cloth that ends above bare legs."""
    lower = labels == PART["lower"]
    if cuts.contrast >= SAME_CLOTH or not lower.any() or not (labels == PART["upper"]).any():
        return False
    bare = np.isin(labels, [PART["left_leg"], PART["right_leg"]])
    return cuts.hem < 2.8 and bare.sum() > 0.1 * lower.sum()


def _is_coat(labels, cuts):
    """A long-sleeved top that reaches down the thighs over another cloth."""
    over = cuts.waist > COAT_HEM and (labels == PART["lower"]).sum() > FEWEST
    return over and min(cuts.sleeves) > COAT_SLEEVE


def _on_arms(pose):
    """Bool [h, w]: nearer to an arm than to the trunk."""
    arms = np.minimum(*(arm_place(pose, side)[1] for side in SIDES))
    return (arms < 1.3) & (arms < body_place(pose)[1])


def _sleeves_of_another_cloth(labels, indices, pose):
    """Bool [h, w]: the sleeves, where their colours are not those of the trunk; else nothing."""
    upper, arms = labels == PART["upper"], _on_arms(pose)
    trunk = upper & (body_place(pose)[1] < 0.7) & ~arms
    sleeves = upper & arms
    if min(trunk.sum(), sleeves.sum()) < FEWEST or colours.contrast(indices, sleeves, trunk) < OTHER_CLOTH:
        return np.zeros_like(upper)
    # The arm's bone ends within the shoulder; what looks like the sleeves there is theirs.
    like = colours.log_density(indices, sleeves, 0.05) > colours.log_density(indices, trunk, 0.05)
    return upper & like & (body_place(pose)[1] > 0.5)


def _under_the_coat(labels, indices, pose):
    """Bool [h, w]: what shows between a coat's lapels: not of the colours of its sleeves and skirts."""
    upper = labels == PART["upper"]
    place, core = body_place(pose)
    coat = upper & (_on_arms(pose) | (place > 1.1))
    front = upper & (place < 1.0) & (core < 0.6)
    if min(coat.sum(), front.sum()) < FEWEST:
        return np.zeros_like(upper)
    # Less likely in the coat than in a uniform density: colours that it does not have.
    other = colours.log_density(indices, coat, 0.01) < -np.log(np.prod(colours.BINS))
    return front & other
