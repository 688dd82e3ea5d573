"""Coordinates on the body at rest that garments are cut by: along the arms, along the legs, around the neck."""

import numpy as np

_FAR = 10.0  # metres: a field value that no hem reaches


def along(points, joints):
    """Metres along the polyline of joints [N, 3] of the nearest place to each point [V, 3], extended at both ends,
    and that place [V, 3]."""
    starts, ends = joints[:-1], joints[1:]
    vectors = ends - starts
    lengths = np.linalg.norm(vectors, axis=1)
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    share = np.einsum("vnk,nk->vn", points[:, None] - starts, vectors / lengths[:, None] ** 2)
    low = np.where(np.arange(len(starts)) == 0, -np.inf, 0.0)
    high = np.where(np.arange(len(starts)) == len(starts) - 1, np.inf, 1.0)
    share = np.clip(share, low, high)
    places = starts + share[..., None] * vectors
    nearest = np.argmin(np.linalg.norm(points[:, None] - places, axis=-1), axis=1)
    row = np.arange(len(points))
    return before[nearest] + share[row, nearest] * lengths[nearest], places[row, nearest]


def arm_joints(rest, side):
    """Shoulder, elbow and wrist of "left" or "right": [3, 3]."""
    return np.stack([rest.joint(f"{bone}.{side[0].upper()}") for bone in ("upperarm01", "lowerarm01", "wrist")])


def leg_joints(rest, side):
    """Hip, knee and ankle of "left" or "right": [3, 3]."""
    return np.stack([rest.joint(f"{bone}.{side[0].upper()}") for bone in ("upperleg01", "lowerleg01", "foot")])


def arm_share(rest, side):
    """Share of the arm with its hand in each vertex's skin weight: [V]."""
    return rest.limbs[f"{side}_arm"] + rest.limbs[f"{side}_hand"]


def sleeve(rest, length):
    """Field [V] in metres, positive where a sleeve of length 0 (none) to 1 (to the wrist) covers.

    Near the shoulder the coordinate is the arm's share of skin weight, whose iso-lines are armholes; further down it
    is the way along the arm.
    """
    field = np.full(len(rest.vertices), _FAR)
    for side in ("left", "right"):
        joints = arm_joints(rest, side)
        total = np.linalg.norm(np.diff(joints, axis=0), axis=1).sum()
        start = 0.16 * total  # where the arm's share has reached 1
        way = np.clip((along(rest.vertices, joints)[0] - start) / (total - start), 0, 2)
        share = arm_share(rest, side)
        coordinate = 0.15 * np.minimum(share / 0.97, 1) + np.where(share > 0.97, 0.85 * way, 0)
        limit = 0.08 + 0.88 * length
        field = np.minimum(field, np.where(share > 0, (limit - coordinate) * total, _FAR))
    return field


def torso_only(rest, field):
    """field where the vertex belongs to torso, neck or head; far inside on arms, which no hem of the torso cuts."""
    arms = arm_share(rest, "left") + arm_share(rest, "right")
    return np.where(arms > 0.3, _FAR, field)


def off_arms(rest):
    """Field [V] positive off the arms, for garments without sleeves below the armpits."""
    arms = arm_share(rest, "left") + arm_share(rest, "right")
    return 0.5 - arms


def neckline(rest, width, depth, sharpness):
    """Field [V] in metres, positive outside a neck hole of half-width `width` and front `depth`, both metres.

    sharpness 0 is a round neckline, 1 a V. The back is cut 2 cm deep.
    """
    x, y, z = rest.vertices.T
    neck = rest.joint("neck01")
    top = neck[2] + 0.015
    back = np.clip((y - neck[1]) / 0.06 + 0.5, 0, 1)
    drop = depth * (1 - back) + 0.02 * back
    power = 2.2 * (1 - sharpness) + 1.05 * sharpness
    power = power * (1 - back) + 2.2 * back
    down = np.clip(top - z, 0, None) / drop
    reach = (np.abs(x / width) ** power + down**power) ** (1 / power)
    field = (reach - 1) * np.minimum(width, drop)
    # Head and upper neck are never covered.
    return np.where(z > top + 0.05, np.minimum(field, -0.02), field)


def crotch_height(rest):
    """Height of the crotch: lowest midline vertex between the legs, metres."""
    x, _, z = rest.vertices.T
    hip = rest.joint("upperleg01.L")[2]
    middle = (np.abs(x) < 0.012) & (z > hip - 0.25) & (z < hip + 0.05)
    return float(z[middle].min())
