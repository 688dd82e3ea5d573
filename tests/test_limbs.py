"""Bared limbs are round about their bones; all that is no limb, or was bare before, stays as it is."""

import numpy as np
import pytest

from tryon_jax.geometry.parts import KEYPOINT, PART
from tryon_jax.render import limbs

SIZE, METRES = 200, 0.01
WIDE = np.s_[40:160, 60:100]  # the old sleeve: 40 pixels wide about the bone at column 80


@pytest.fixture
def scene():
    """(sheets, labels, replaced, keypoints) of a bared arm that the network made as wide as the old sleeve."""
    mask = np.zeros((SIZE, SIZE, 1), np.float32)
    labels = np.zeros((SIZE, SIZE), int)
    mask[WIDE], labels[WIDE] = 1, PART["left_arm"]
    mask[:40, 40:120], labels[:40, 40:120] = 1, PART["upper"]
    mask[160:185, 65:95], labels[160:185, 65:95] = 1, PART["left_hand"]
    sheets = {"mask": mask, "front_depth": 0.30 + 0 * mask, "back_depth": 0.10 + 0 * mask}
    replaced = np.zeros((SIZE, SIZE), bool)
    replaced[WIDE] = True
    keypoints = np.zeros((17, 3), np.float32)
    for name, row in (("shoulder", 40), ("elbow", 100), ("wrist", 160)):
        keypoints[KEYPOINT[f"left_{name}"]] = 80, row, 1
    return sheets, (labels, labels.copy()), replaced, keypoints


def test_a_bared_arm_is_as_wide_and_as_thick_as_its_radius(scene):
    found = limbs.slimmed(*scene, METRES)
    _, places, radii = limbs.LIMBS["arm"]
    for row in (55, 100, 140):
        radius = np.interp((row + 0.5 - 40) / 60, places, radii) / METRES
        width = found["mask"][row, :, 0].sum()
        np.testing.assert_allclose(width, 2 * radius, atol=0.6)
        columns = np.flatnonzero(found["mask"][row, :, 0] == 1)
        thick = (found["front_depth"] - found["back_depth"])[row, columns, 0]
        away = np.abs(columns + 0.5 - 80)
        expected = 2 * np.maximum(METRES * np.sqrt(np.maximum(radius**2 - away**2, 0)), limbs.THIN)
        np.testing.assert_allclose(thick, expected, atol=1e-5)
        np.testing.assert_allclose((found["front_depth"] + found["back_depth"])[row, columns, 0], 0.4, atol=1e-6)


def test_all_but_the_bared_arm_stays(scene):
    sheets, labels, replaced, keypoints = scene
    found = limbs.slimmed(*scene, METRES)
    others = labels[0] != PART["left_arm"]
    for name, value in found.items():
        np.testing.assert_array_equal(value[others], sheets[name][others])
    before = {name: value.copy() for name, value in sheets.items()}
    unseen = np.where(np.arange(17)[:, None] == KEYPOINT["left_wrist"], 0, keypoints)
    behind = (labels[0], np.where(labels[1] == PART["left_arm"], PART["upper"], labels[1]))  # an arm before the trunk
    never = np.zeros_like(replaced)
    for case in ((labels, never, keypoints), (labels, replaced, unseen), (behind, replaced, keypoints)):
        found = limbs.slimmed(sheets, *case, METRES)
        for name, value in found.items():
            np.testing.assert_array_equal(value, before[name])


def test_what_is_thinner_already_stays_as_thin(scene):
    sheets, labels, replaced, keypoints = scene
    sheets = {**sheets, "front_depth": 0.2 + 0.01 + 0 * sheets["mask"], "back_depth": 0.2 - 0.01 + 0 * sheets["mask"]}
    found = limbs.slimmed(sheets, labels, replaced, keypoints, METRES)
    inside = found["mask"][..., 0] > 0.5
    assert ((found["front_depth"] - found["back_depth"])[inside] <= 0.02 + 1e-6).all()


def test_a_bone_towards_the_camera_has_a_distance():
    distance, along = limbs._from_bones(np.array([[3.0, 4.0]]), np.zeros((2, 2)))
    np.testing.assert_allclose(distance, 5)
    assert along[0] == 0
