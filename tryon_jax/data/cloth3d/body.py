"""The body beneath, of SMPL files that the user supplies; SMPL is behind a registration of its own."""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax.data.cloth3d.sample import turned
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PART

ENDINGS = (".pkl", ".npz")
# The part of the skin that each of SMPL's 24 joints moves. Its trunk is bare, and "neck" is what bare trunks are.
PARTS = (
    "neck", "left_leg", "right_leg", "neck", "left_leg", "right_leg", "neck", "left_leg", "right_leg", "neck",
    "left_leg", "right_leg", "neck", "neck", "neck", "face", "left_arm", "right_arm", "left_arm", "right_arm",
    "left_hand", "right_hand", "left_hand", "right_hand",
)  # fmt: skip
# Our keypoints: vertices of SMPL's mesh for those of the face, then joints.
FACE = (332, 2800, 6260, 583, 4071)
JOINTS = (16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8)


class Body(NamedTuple):
    """World vertices [V, 3] f32, faces [F, 3] i32, labels [F] i32 of parts, keypoints [17, 3] f32."""

    vertices: np.ndarray
    faces: np.ndarray
    labels: np.ndarray
    keypoints: np.ndarray


def supplied(folder, gender):
    """The path of SMPL's file for a gender, "f" or "m", or None if the user supplied none."""
    paths = (folder / f"model_{gender}{ending}" for ending in ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def posed(path, one, frame):
    """The Body of a Sample's frame, placed as its clothes are. Raises UserError if the file is not SMPL's."""
    model, labels = _model(path)
    pose = one.poses[frame].astype(np.float32).reshape(24, 3)
    options = {"pelvis_rotation": pose[None, 0], "shape": one.shape.astype(np.float32)[None]}
    vertices = np.asarray(model.forward_vertices(pose[None, 1:], **options))[0]
    joints = np.asarray(model.forward_skeleton(pose[None, 1:], **options))[0, :, :3, 3]
    # SMPL's root joint does not lie at its origin; the clothes are placed as if it did.
    place = one.trans[frame] - joints[0]
    vertices, joints = (turned(points + place, one.zrot).astype(np.float32) for points in (vertices, joints))
    return Body(vertices, *labels, np.concatenate([vertices[list(FACE)], joints[list(JOINTS)]]))


@functools.lru_cache(maxsize=2)
def _model(path):
    """SMPL of a file, and its faces with their labels."""
    from body_models.smpl.numpy import SMPL

    try:
        model = SMPL(model_path=path)
        faces, weights = np.asarray(model.faces, np.int32), np.asarray(model.skin_weights)
    except Exception as error:  # its reader raises whatever a file that is not SMPL's leads to
        raise UserError(f"{path}: cannot be read as SMPL ({str(error)[:120]}); take it from its makers' page") from None
    if len(weights) <= max(FACE):
        raise UserError(f"{path}: {len(weights)} vertices, SMPL has 6,890; take it from its makers' page")
    joint = weights.argmax(1)[faces[:, 0]]
    return model, (faces, np.array([PART[name] for name in PARTS], np.int32)[joint])
