"""Limbs that a shorter garment bares, as thick as limbs are: a photo shows how wide the old sleeve was. Numpy."""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.parts import KEYPOINT, PART

# Joints of each limb, and its radius along it: places, in bones from the first joint on, and metres. Nine in ten of 60
# of the generator's bodies are thinner, taken to a stature of 1.7 m.
LIMBS = {
    "arm": (("shoulder", "elbow", "wrist"), (0.0, 1.0, 2.0), (0.070, 0.045, 0.028)),
    "leg": (("hip", "knee", "ankle"), (0.0, 1.0, 1.25, 2.0), (0.114, 0.072, 0.077, 0.051)),
}
SEEN = 0.5  # visibility of a joint from which its place is believed
THIN = 0.004  # metres, least half thickness: what is thinner is lifted as a sheet with sharp edges


def slimmed(sheets, labels, replaced, keypoints, metres):
    """{mask, front_depth, back_depth} of enlarged sheets (refine.enlarge) with bared limbs round about their bones.

    labels: (front, back) int [R, R]; replaced bool [R, R]: where the photo shows clothes that are taken off; keypoints
    [17, 3], pixels here, with visibility; metres: a pixel's side. Only pixels that are a limb's on both sides and were
    hidden by such clothes are changed: beyond the limb's radius nobody is left, and within it front and back keep their
    middle, no further apart than a circle about the bone is thick. What lies beyond the bones' ends, a hand, stays.
    """
    front, back = (np.array(sheets[f"{side}_depth"][..., 0]) for side in ("front", "back"))
    mask = np.array(sheets["mask"][..., 0])
    # Where the old sleeve ends in the photo its outline is a pixel or two uncertain.
    hidden = ndimage.binary_dilation(replaced, iterations=2)
    for limb, (joints, places, radii) in LIMBS.items():
        for side in ("left", "right"):
            points = keypoints[[KEYPOINT[f"{side}_{joint}"] for joint in joints]]
            bare = (labels[0] == PART[f"{side}_{limb}"]) & (labels[1] == PART[f"{side}_{limb}"]) & hidden
            if not bare.any() or (points[:, 2] < SEEN).any():
                continue
            rows, columns = np.nonzero(bare)
            distance, along = _from_bones(np.stack([columns, rows], -1) + 0.5, points[:, :2])
            beside = (along > 0) & (along < len(joints) - 1)
            bare[rows[~beside], columns[~beside]] = False
            distance, along = distance[beside], along[beside]
            radius = np.interp(along, places, radii) / metres
            # A pixel at the limb's edge is as much of it as it covers.
            mask[bare] = np.minimum(mask[bare], np.clip(radius - distance + 0.5, 0, 1))
            half = metres * np.sqrt(np.maximum(radius**2 - distance**2, 0))
            half = np.minimum((front[bare] - back[bare]) / 2, np.maximum(half, THIN))
            middle = (front[bare] + back[bare]) / 2
            front[bare], back[bare] = middle + half, middle - half
    return {"mask": mask[..., None], "front_depth": front[..., None], "back_depth": back[..., None]}


def _from_bones(points, joints):
    """(distance [N], place along [N], in bones from the first joint) of points [N, 2] from a line through joints."""
    nearest, along = np.full(len(points), np.inf), np.zeros(len(points))
    for number, (start, end) in enumerate(zip(joints[:-1], joints[1:], strict=True)):
        bone = end - start
        # A thousandth of a pixel, squared: a bone that points to the camera has no length.
        share = np.clip((points - start) @ bone / max(bone @ bone, 1e-6), 0, 1)
        distance = np.linalg.norm(points - start - share[:, None] * bone, axis=1)
        along = np.where(distance < nearest, number + share, along)
        nearest = np.minimum(nearest, distance)
    return nearest, along
