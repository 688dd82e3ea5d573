"""Names for places on the ANNY body: limbs, part labels, facial features and keypoint vertices, found by geometry."""

import numpy as np

from tryon_jax.geometry.parts import PART

FEATURES = ("skin", "eye", "iris", "lips", "brow")
FEATURE = {name: index for index, name in enumerate(FEATURES)}

# First words of the bones of each limb; bones of a side end in ".L" or ".R".
_SIDED = {
    "arm": ("upperarm", "lowerarm"),
    "hand": ("wrist", "finger", "metacarpal"),
    "leg": ("upperleg", "lowerleg"),
    "foot": ("foot", "toe"),
}
_MIDDLE = {"neck": ("neck",), "torso": ("root", "spine", "pelvis", "breast", "clavicle", "shoulder")}
LIMBS = tuple(f"{side}_{limb}" for side in ("left", "right") for limb in _SIDED) + ("neck", "torso", "head")

# Bare torso has no label of its own: what shows of it borders the neck, so it is called that.
_LIMB_PARTS = {
    "left_arm": "left_arm", "right_arm": "right_arm", "left_hand": "left_hand", "right_hand": "right_hand",
    "left_leg": "left_leg", "right_leg": "right_leg", "left_foot": "left_leg", "right_foot": "right_leg",
    "neck": "neck", "torso": "neck", "head": "face",
}  # fmt: skip

# ANNY's vertices run: body, tongue, left and right eye ball.
_BODY, _TONGUE, _EYES = 13348, 226, 144


def limb_of_bone(name):
    """Limb, one of LIMBS, that the bone called `name` moves."""
    side = {"L": "left", "R": "right"}.get(name.split(".")[-1])
    for limb, words in _MIDDLE.items():
        if name.startswith(words):
            return limb
    for limb, words in _SIDED.items():
        if name.startswith(words):
            return f"{side}_{limb}"
    return "head"


def limb_weights(bone_names, skin_indices, skin_weights):
    """Share of each vertex's skin weight by limb: dict of limb -> [V] f32, summing to 1 over LIMBS."""
    of_bone = np.array([LIMBS.index(limb_of_bone(name)) for name in bone_names])
    shares = np.zeros((len(skin_indices), len(LIMBS)), np.float32)
    np.add.at(shares, (np.arange(len(skin_indices))[:, None], of_bone[skin_indices]), skin_weights)
    return {limb: shares[:, index] for index, limb in enumerate(LIMBS)}


def vertex_parts(limbs):
    """Part label, an index into geometry.parts.PARTS, of each vertex: int32 [V]."""
    winner = np.argmax(np.stack([limbs[limb] for limb in LIMBS], -1), -1)
    return np.array([PART[_LIMB_PARTS[limb]] for limb in LIMBS], np.int32)[winner]


def vertex_features(template, bones):
    """Facial feature, an index into FEATURES, of each vertex of ANNY's mean body: int32 [V].

    template [V, 3] is that body at rest, bones a dict of name -> bone head [3]. Ellipses in the frontal plane around
    bones of the mouth and brow; the eyes are balls of their own, their irises the part that looks forward.
    """
    features = np.zeros(len(template), np.int32)
    eyes = np.arange(_BODY + _TONGUE, _BODY + _TONGUE + _EYES)
    features[eyes] = FEATURE["eye"]
    for ball in np.split(eyes, 2):
        front = template[ball[np.argmin(template[ball, 1])]]
        # 6 mm: the radius of a human iris.
        features[ball[np.linalg.norm(template[ball] - front, axis=1) < 0.006]] = FEATURE["iris"]
    mouth = (bones["oris01"] + bones["oris05"]) / 2
    x, y, z = template.T
    face = (np.arange(len(template)) < _BODY) & (y < mouth[1] + 0.02)
    lips = (x / 0.026) ** 2 + ((z - mouth[2]) / 0.0125) ** 2 < 1
    features[face & lips] = FEATURE["lips"]
    brow = bones["oculi01.L"]
    arch = z - (brow[2] + 0.003 - 4.0 * (np.abs(x) - brow[0]) ** 2)
    features[face & (np.abs(arch) < 0.0045) & (np.abs(np.abs(x) - brow[0]) < 0.022)] = FEATURE["brow"]
    return features


def keypoint_vertices(template):
    """Vertices of ANNY that stand for nose, left ear and right ear: three indices."""
    head = np.flatnonzero((template[:, 2] > 0.62) & (np.arange(len(template)) < _BODY))
    nose = head[np.argmin(template[head, 1])]
    return int(nose), int(head[np.argmax(template[head, 0])]), int(head[np.argmin(template[head, 0])])
