"""Where on ANNY's head brows, lashes, lips, cheeks and beard are: soft masks on the vertices of a refined mean body."""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax.simulation import body, refinement
from tryon_jax.simulation.drawing import vertex_normals
from tryon_jax.simulation.regions import FEATURE

# Metres from the eye's centre outward and up: the rims of the lids of the mean body, whose half eye distance is UNIT.
UNIT = 0.0312
_UPPER = np.array(
    [[-0.0110, -0.0030], [-0.0085, 0.0004], [-0.0050, 0.0024], [0.0006, 0.0034], [0.0043, 0.0034], [0.0080, 0.0027],
     [0.0110, 0.0015], [0.0140, -0.0012]]
)  # fmt: skip
_LOWER = np.array(
    [[-0.0110, -0.0034], [-0.0064, -0.0050], [0.0004, -0.0057], [0.0048, -0.0055], [0.0100, -0.0043], [0.0140, -0.0015]]
)


class Canvas(NamedTuple):
    """The refined mean body: refined (refinement.Refined); points, normals [W, 3]; masks {name: [W] f32 in [0, 1]};
    noise [W, 2] f32, smooth and grainy, of about zero mean and unit deviation."""

    refined: refinement.Refined
    points: np.ndarray
    normals: np.ndarray
    masks: dict
    noise: np.ndarray


def soft(values, low, high):
    """Smooth step [...] f32 from 0 at low to 1 at high (either order)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


@functools.cache
def canvas():
    """The Canvas of body.load()'s mean body, made once."""
    model = body.load()
    template, bones = model.template, model.bones
    eye = bones["eye.L"]
    scale = eye[0] / UNIT

    mouth = (bones["oris01"] + bones["oris05"]) / 2

    def longest(points):
        # Fine around eyes, brows and lips, finer on the eye balls, and as it is elsewhere and inside the head.
        u, v = (np.abs(points[:, 0]) - eye[0]) / scale, (points[:, 2] - eye[2]) / scale
        depth = (points[:, 1] - eye[1]) / scale
        lids = (np.abs(u) < 0.026) & (v > -0.013) & (v < 0.031) & (depth < -0.006)
        ball = (np.abs(u - 0.002) < 0.0125) & (v > -0.0065) & (v < 0.006) & (depth < -0.009)
        level = (points[:, 2] - mouth[2]) / scale
        lips = (np.abs(points[:, 0]) < 0.03 * scale) & (np.abs(level) < 0.015) & (points[:, 1] < mouth[1] + 0.004)
        return np.select([ball, lids, lips], [0.0014, 0.0030, 0.0032], 1.0) * scale

    refined = refinement.refine(template, model.faces, longest, 2)
    points = refinement.extend(template, refined)
    normals = refinement.extend(vertex_normals(template, model.faces), refined)
    eyes = refinement.extend(np.isin(model.features, [FEATURE["eye"], FEATURE["iris"]]).astype(np.float32), refined)
    masks = {"eye": eyes} | _around_eyes(points, eyes, eye, scale) | _mouth(points, eyes, bones, scale)
    masks |= _cheeks(points, normals, template[model.landmarks[0]], eye, scale)
    masks |= _beard(points, masks, bones, eye, scale) | _joints(points, bones, scale)
    return Canvas(refined, points, normals, {k: v.astype(np.float32) for k, v in masks.items()}, _noise(points))


def _around_eyes(points, eyes, eye, scale):
    """Iris, pupil, glint, lashes, lid shadow and brows."""
    x, y, z = points.T
    u, v = (np.abs(x) - eye[0]) / scale, (z - eye[2]) / scale
    skin, front = 1 - eyes, y < eye[1]
    radius = np.hypot(u, v)
    upper, lower = np.interp(u, *_UPPER.T), np.interp(u, *_LOWER.T)
    across = soft(u, -0.0135, -0.0095) * soft(u, 0.0175, 0.0125) * front
    brow_u = np.clip((u + 0.019) / 0.043, 0, 1)  # 0 at the nose, 1 at the temple
    arch = 0.0205 + 0.0055 * np.sin(np.pi * np.clip(brow_u * 0.85, 0, 1)) - 0.0045 * brow_u**3
    thick = 0.0042 - 0.0027 * brow_u**1.5
    ends = soft(u, -0.0225, -0.016) * soft(u, 0.0275, 0.021)
    return {
        "iris": eyes * front * soft(radius, 0.0062, 0.0056),
        "limbus": eyes * front * soft(np.abs(radius - 0.0059), 0.0011, 0.0003),
        "pupil": eyes * front * soft(radius, 0.0029, 0.0021),
        # The lamp mirrors at the same side of both eyes.
        "glint": eyes
        * front
        * soft(np.hypot(x - np.sign(x) * eye[0] - 0.0018, z - eye[2] - 0.0018) / scale, 2e-3, 1e-3),
        "lid_shade": eyes * front * soft(v, upper - 0.003, upper + 0.0012),
        "corner": eyes * front * soft(np.abs(u - 0.002), 0.0075, 0.0115),
        "lashes": skin * across * soft(np.abs(v - upper - 0.0012), 0.0026, 0.0008),
        "lower_lashes": skin * across * soft(np.abs(v - lower + 0.0006), 0.0022, 0.0006),
        "crease": skin * across * soft(np.abs(v - upper - 0.0058), 0.0028, 0.0008),
        "eyeshadow": skin * across * soft(v, upper, upper + 0.002) * soft(v, upper + 0.013, upper + 0.006),
        "tired": skin * across * soft(v, lower - 0.012, lower - 0.006) * soft(v, lower, lower - 0.004),
        "brows": skin * front * ends * soft(np.abs(v - arch), thick + 0.0014, thick - 0.0010),
    }


def _mouth(points, eyes, bones, scale):
    """Lips, the line between them and the light on the lower one."""
    x, y, z = points.T
    mouth = (bones["oris01"] + bones["oris05"]) / 2
    u, v = np.abs(x) / scale, (z - mouth[2]) / scale - 0.0012
    share = np.clip(1 - (u / 0.0255) ** 2, 0, 1)
    # The upper lip dips in the middle: Cupid's bow.
    top = 0.0095 * share**0.8 - 0.0022 * np.exp(-((u / 0.005) ** 2))
    bottom = -0.0115 * share**0.7
    skin = (1 - eyes) * (y < mouth[1] + 0.02)
    lips = skin * soft(v, top + 0.0010, top - 0.0012) * soft(v, bottom - 0.0012, bottom + 0.0012) * (u < 0.0255)
    return {
        "lips": lips,
        "lip_line": skin * (u < 0.027) * soft(np.abs(v + 0.0004 * (1 - share)), 0.0021, 0.0004),
        "lower_lip": lips * soft(v, -0.0015, -0.0045) * soft(u, 0.017, 0.006),
        "below_lip": skin * soft(u, 0.022, 0.008) * soft(np.abs(v - bottom + 0.004), 0.004, 0.001),
    }


def _cheeks(points, normals, nose, eye, scale):
    """Cheeks, nose, nostrils, ears and the fold from nose to mouth."""
    x, y, z = points.T
    u, v = np.abs(x) / scale, (z - eye[2]) / scale
    front = soft(y, eye[1] + 0.03, eye[1] + 0.005)
    tip = (z - nose[2]) / scale
    fold = 0.0165 + 0.30 * np.clip(-tip, 0, 0.04)
    return {
        "cheeks": front * soft(np.hypot((u - 0.043) / 1.15, v + 0.043), 0.027, 0.006),
        "nose": front * soft(np.hypot(u, tip), 0.02, 0.006),
        "nostrils": front
        * soft(np.hypot((u - 0.0062) / 1.35, tip + 0.0092), 0.0042, 0.0022)
        * soft(normals[:, 2], -0.2, -0.6),
        "wings": front * soft(np.abs(np.hypot((u - 0.0085), tip + 0.003) - 0.0085), 0.003, 0.001) * (u > 0.011),
        "ears": soft(u, 0.069, 0.076) * soft(np.abs(y - eye[1] - 0.09), 0.05, 0.03) * soft(np.abs(v), 0.055, 0.045),
        "fold": front * soft(np.abs(u - fold), 0.0045, 0.001) * soft(tip, 0.004, -0.004) * soft(tip, -0.04, -0.022),
        "bridge": front * soft(u, 0.008, 0.002) * soft(v, -0.03, -0.005) * soft(v, 0.06, 0.02),
    }


def _beard(points, masks, bones, eye, scale):
    """Moustache, chin, jaw and sideburns."""
    x, y, z = points.T
    mouth = (bones["oris01"] + bones["oris05"]) / 2
    u, v = np.abs(x) / scale, (z - mouth[2]) / scale
    moustache = soft(u, 0.034, 0.026) * soft(v, 0.0065, 0.0095) * soft(v, 0.019, 0.0155) * soft(u, 0.0012, 0.0035)
    line = np.interp(u, [0.0, 0.022, 0.034, 0.050, 0.062, 0.070], [-0.016, -0.014, 0.004, 0.012, 0.04, 0.075])
    jaw = soft(v, line + 0.004, line - 0.005) * soft(v, -0.060, -0.045)
    beside = soft(u, 0.0255, 0.030) * soft(u, 0.042, 0.036) * soft(v, 0.014, 0.008) * soft(v, -0.03, -0.02)
    before_ear = soft(y, bones["head"][1] + 0.004, bones["head"][1] - 0.010)
    shown = before_ear * (1 - masks["lips"]) * (1 - masks["eye"])
    return {"moustache": moustache * shown, "beard": np.maximum(jaw, beside) * shown}


def _joints(points, bones, scale):
    """Knuckles, elbows, knees and palms: where skin is redder; and finger nails."""
    red = np.zeros(len(points), np.float32)
    places = [(f"{bone}.{side}", size) for bone, size in (("lowerarm01", 0.05), ("lowerleg01", 0.075)) for side in "LR"]
    places += [(f"finger{finger}-{joint}.{side}", 0.012) for finger in range(2, 6) for joint in (1, 2) for side in "LR"]
    for name, size in places:
        distance = np.linalg.norm(points - bones[name], axis=1) / scale
        red = np.maximum(red, soft(distance, size, 0.35 * size))
    nails = np.zeros(len(points), np.float32)
    for finger in range(1, 6):
        for side in "LR":
            last, before = bones[f"finger{finger}-3.{side}"], bones[f"finger{finger}-2.{side}"]
            along = (last - before) / np.linalg.norm(last - before)
            offset = points - last
            way = offset @ along
            apart = np.linalg.norm(offset - way[:, None] * along, axis=1)
            back = soft(-offset[:, 1] + 0.0 * way, 0.004, 0.001)
            nails = np.maximum(nails, soft(way, 0.008, 0.012) * soft(apart, 0.02, 0.012) * back)
    return {"red": red, "nails": nails}


def _noise(points):
    """Smooth and grainy noise [W, 2]: sums of waves of 2 to 12 cm, and a number of its own for each vertex."""
    rng = np.random.default_rng(20)
    waves = rng.normal(size=(24, 3)) / np.geomspace(0.02, 0.12, 24)[:, None] * 2.2
    smooth = np.sin(points @ waves.T + rng.uniform(0, 6.3, 24)).sum(1) / np.sqrt(12)
    return np.stack([smooth, rng.normal(size=len(points))], -1).astype(np.float32)
