"""Approximate part labels of a person in a photo: pose tells where a part may be, learned colours tell where it is.

No network: cloth, skin and hair colours are learned from seed regions beside the joints of this very photo; where
sleeve, trouser leg or skirt end is one cut along each limb, where skin begins; the waist is where the colours of the
body change most. Wrong where cloth has the colour of skin, for bags, hats (hair), open coats and layered clothes.
"""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.parts import PART, PARTS
from tryon_jax.photo import colours, guided, outfit, skeleton
from tryon_jax.photo.blazepose import packages
from tryon_jax.photo.scores import SIDES, Cuts, score
from tryon_jax.photo.skeleton import arm_place, body_place

LONGEST = 512  # the person's box is labelled at this size; edges come back with the photo's resolution
ROUNDS = 2
TEMPER = 2.0  # what place and colour say is not independent, so that their summed scores say too much


def segment(rgb, mask, landmarks):
    """(part labels int32 [H, W] (geometry.parts) of a photo uint8 [H, W, 3], certainty in [0, 1]).

    Labels are zero where mask [H, W] < 0.5. Certainty is the mean share of the chosen label among all labels at a
    person's pixel. landmarks: BlazePose's [33, 3] in pixels.
    """
    cv2, _ = packages()
    rows, columns = np.nonzero(mask > 0.5)
    labels = np.zeros(mask.shape, np.int32)
    if not len(rows):
        return labels, 0.0
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    photo, inside = np.ascontiguousarray(rgb[box]), mask[box]
    shrink = min(1.0, LONGEST / max(inside.shape))
    size = tuple(max(1, round(length * shrink)) for length in inside.shape)
    moved = landmarks.copy()
    moved[:, :2] = (moved[:, :2] - [columns.min(), rows.min()]) * [
        size[1] / inside.shape[1], size[0] / inside.shape[0],
    ]  # fmt: skip
    small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA)
    small_mask = cv2.resize(inside, size[::-1], interpolation=cv2.INTER_AREA) > 0.5
    coarse, certainty = _label(small, small_mask, moved)
    one_hot = np.eye(len(PARTS), dtype=np.float32)[coarse]
    full = cv2.resize(one_hot, inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    fine = guided.smooth(photo, full, 3.0 / shrink)[..., 1:].argmax(-1) + 1
    labels[box] = np.where(inside > 0.5, fine, 0)
    return labels, certainty


def _label(rgb, mask, landmarks):
    """(labels int32 [h, w], certainty) at the working size: score every label, learn the colours anew, score again."""
    pose = skeleton.measure(landmarks, mask.shape)
    head = skeleton.head_coordinates(pose, mask.shape)
    indices = colours.bin_indices(rgb)
    seeds = _seeds(rgb, indices, mask, pose, head)
    for _ in range(ROUNDS):
        models = _models(indices, seeds)
        cuts = _cuts(indices, mask, pose, head, models)
        scores = score(models, cuts, pose, head)
        scores = guided.smooth(rgb, scores, 0.05 * pose.unit)
        labels = np.where(mask, scores.argmax(-1), 0).astype(np.int32)
        # What a leg looks like by the foot may be a shoe.
        above = body_place(pose)[0] < 2.8
        seeds = {name: _learned(labels, name) & (above | (name != "skin")) for name in models}
    labels = _tidy(labels, mask)
    return outfit.name_garments(labels, indices, cuts, pose), _certainty(scores[mask])


def _certainty(scores):
    """Mean share of the best of the scores [N, parts], in nats, among all."""
    if not len(scores):
        return 0.0
    shares = np.exp((scores - scores.max(-1, keepdims=True)) / TEMPER)
    return float((1.0 / shares.sum(-1)).mean())


def _seeds(rgb, indices, mask, pose, head):
    """Pixels that surely (or nearly so) show each material, a dict of bool [h, w]."""
    place, core = body_place(pose)
    arms = np.minimum(*(arm_place(pose, side)[1] for side in SIDES))
    radius = np.hypot(head[..., 0], head[..., 1])
    face = _even(rgb, mask & (np.hypot(head[..., 0] / 0.75, (head[..., 1] + 0.15) / 0.6) < 1))
    hands = mask & (np.minimum(pose.distance["left_hand"], pose.distance["right_hand"]) < 0.45)
    feet = np.minimum(pose.distance["left_foot"], pose.distance["right_foot"])
    # The heels are often under the trousers' hem: the shoe is learned from its front.
    toes = np.where(
        pose.distance["left_foot"] < pose.distance["right_foot"], pose.along["left_foot"], pose.along["right_foot"]
    )
    body = mask & (core < arms) & (radius > 1.6)
    skin = face if face.sum() > 40 else face | hands
    # Hands join when they look like the face; sleeves over hands and gloves do not.
    alike = colours.log_density(indices, skin, 1e-4, spread=(3.0, 1.2, 1.2)) > -np.log(np.prod(colours.BINS))
    seeds = {
        "skin": skin | (hands & alike),
        "upper": body & (place > 0.25) & (place < 0.75) & (core < 0.7),
        "lower": body & (place > 1.05) & (place < 1.35) & (core < 0.9),
        "shoe": mask & (feet < 0.8) & (place >= 3.0) & (toes > 0.25),
        "hair": mask & (head[..., 1] > 0.55) & (radius > 1.0) & (radius < 1.9),
    }
    seeds["hair"] &= ~(alike & (radius < 1.15))
    if seeds["hair"].sum() < 15:  # the photo ends below the crown: hair that falls beside the face
        seeds["hair"] = mask & ~alike & (np.abs(head[..., 0]) > 1.0) & (radius < 1.6) & (head[..., 1] > -0.7)
    if seeds["lower"].sum() < 40:
        seeds["lower"] = body & (place > 0.9) if (body & (place > 0.9)).sum() >= 40 else seeds["upper"]
    return seeds


def _even(rgb, chosen):
    """The `chosen` pixels less those of another hue than most: lips, painted lids, glasses and hair are no skin."""
    cv2, _ = packages()
    if chosen.sum() < 40:
        return chosen
    hue = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)[..., 1:]
    apart = np.linalg.norm(hue - np.median(hue[chosen], axis=0), axis=-1)
    # 5: less than that, in Lab units, is shading and the camera's noise.
    return chosen & (apart < max(5.0, 1.5 * float(np.median(apart[chosen]))))


def _models(indices, seeds):
    """Log colour densities, a dict of float32 [h, w]; a material that is nowhere seen has none of any colour."""
    # Skin is told by its colours only, cloth may hold prints that the seeds do not show.
    floors = {"skin": 0.003, "upper": 0.15, "lower": 0.15, "shoe": 0.10, "hair": 0.02}
    spreads = {"skin": (2.5, 1.0, 1.0)}
    return {
        name: colours.log_density(indices, chosen, floors[name], spreads.get(name, colours.SPREAD))
        if chosen.sum() >= 15
        else np.full(indices.shape, -12.0, np.float32)
        for name, chosen in seeds.items()
    }


def _learned(labels, name):
    """Seeds of the next round: the pixels now labelled as material `name`."""
    parts = {
        "skin": ("face", "neck", "left_arm", "right_arm", "left_hand", "right_hand", "left_leg", "right_leg"),
        "shoe": ("left_shoe", "right_shoe"),
    }.get(name, (name,))
    return np.isin(labels, [PART[part] for part in parts])


def _cuts(indices, mask, pose, head, models):
    """The Cuts of this photo, by the present colour models."""
    place, core = body_place(pose)
    arms = {side: arm_place(pose, side) for side in SIDES}
    nearest_arm = np.minimum(arms["left"][1], arms["right"][1])
    off_head = np.hypot(head[..., 0], head[..., 1]) > 1.3
    cloth = np.logaddexp(models["upper"], models["lower"]) - np.log(2)
    ratio = np.clip(models["skin"] - cloth, -3, 3)
    legs = mask & (place > 1.0) & (place < 3.0) & (core < nearest_arm) & (core < 1.2)
    # 0.3: in doubt a leg is dressed; the same for arms.
    hem = colours.cut_by_ratio(place[legs], ratio[legs], 1.0, 2.95, start_bias=0.3)
    arm_ratio = np.clip(models["skin"] - models["upper"], -3, 3)
    sleeves = []
    for side in SIDES:
        along, distance = arms[side]
        chosen = mask & off_head & (distance < 1.0) & (distance < core + 0.2) & (along < 2.0)
        sleeves.append(colours.cut_by_ratio(along[chosen], arm_ratio[chosen], 0.0, 2.0, start_bias=0.3))
    body = mask & off_head & (core < nearest_arm) & (place > 0.1) & (place < hem) & (ratio < 1.5)
    waist, contrast = colours.cut_by_information(place[body], indices[body], 0.45, min(1.75, hem), 0.95)
    return Cuts(waist, hem, tuple(sleeves), contrast)


def _tidy(labels, mask):
    """Labels with islands far smaller than their part's largest piece given to the nearest kept label."""
    cv2, _ = packages()
    kept = np.zeros_like(mask)
    for index in np.unique(labels[mask]):
        count, pieces, statistics, _ = cv2.connectedComponentsWithStats((labels == index).astype(np.uint8), None, 8)
        areas = statistics[1:, cv2.CC_STAT_AREA]
        share = 0.15 if PARTS[index] in ("hair", "face", "neck") else 0.03
        large = 1 + np.flatnonzero(areas >= max(share * areas.max(), 4))
        kept |= np.isin(pieces, large)
    nearest = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
    return np.where(mask, labels[tuple(nearest)], 0)
