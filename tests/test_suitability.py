"""Photos that no try-on can be made of are refused in one line; what is merely doubtful is said."""

import numpy as np
import pytest

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PART
from tryon_jax.photo import blazepose, suitability

SIZE = 400, 300
LEFT, RIGHT = (11, 13, 15, 23, 25, 27), (12, 14, 16, 24, 26, 28)
# Offsets and depths below the shoulders of the left half's joints, over the torso's length.
FIGURE = {11: (0.33, 0), 13: (0.45, 0.5), 15: (0.5, 1.0), 23: (0.19, 1.0), 25: (0.2, 1.8), 27: (0.2, 2.6)}


def _landmarks(unit=100.0, middle=(150.0, 90.0)):
    """Landmarks [33, 3] of somebody who stands and faces the camera."""
    points = np.ones((33, 3), np.float32)
    points[:, :2] = middle[0], middle[1] - 0.55 * unit
    for left, right in zip(LEFT, RIGHT, strict=True):
        x, y = FIGURE[left]
        points[left, :2] = middle[0] + x * unit, middle[1] + y * unit
        points[right, :2] = middle[0] - x * unit, middle[1] + y * unit
    for index, knee in ((29, 27), (31, 27), (30, 28), (32, 28)):
        points[index, :2] = points[knee, :2] + [0, 0.1 * unit]
    return points


def _doubts(points, size=SIZE, other=0.0):
    return suitability.check_pose("me.jpg", blazepose.Pose(points, np.zeros(size), 1.0, 1.0, other), size)


def _refusal(*arguments, **keywords):
    with pytest.raises(UserError) as error:
        _doubts(*arguments, **keywords)
    message = str(error.value)
    assert "\n" not in message and message.startswith("me.jpg: ") and ("give" in message or "crop" in message)
    return message


def _turned(points, degrees):
    """The landmarks of somebody turned about the vertical: 180 is the back."""
    turned = points.copy()
    turned[:, 0] = 150 + (points[:, 0] - 150) * np.cos(np.radians(degrees))
    return turned


def test_who_stands_and_faces_the_camera_is_taken_without_doubt():
    assert _doubts(_landmarks()) == [] == _doubts(_landmarks(), other=0.3)


@pytest.mark.parametrize(("degrees", "words"), [(180, "behind"), (135, "behind"), (85, "side"), (45, None), (0, None)])
def test_turned_people(degrees, words):
    if words:
        assert words in _refusal(_turned(_landmarks(), degrees))
    else:
        assert _doubts(_turned(_landmarks(), degrees)) == (["the person is turned to the side"] if degrees else [])


@pytest.mark.parametrize("lift", [0.9, 0.7, 0.4])
def test_sitting_people_are_refused_and_one_lifted_knee_is_not(lift):
    """A lifted thigh shows shorter by its cosine, whether it points at the camera or aside."""
    sitting = _landmarks()
    sitting[[25, 26], 1] -= lift * 80
    sitting[[25, 26], 0] += 40
    assert "sits or crouches" in _refusal(sitting)
    hidden = sitting.copy()
    hidden[[25, 26], 2] = 0.1  # where no knee is seen, nothing is known
    assert "sits" not in " ".join(_doubts(hidden))
    stepping = _landmarks()
    stepping[25, 1] -= lift * 80
    assert _doubts(stepping) == []


def test_several_people_and_people_who_lie_are_refused():
    assert "more than one person" in _refusal(_landmarks(), other=0.9)
    for turn in (-90, 90, 180, 50):
        angle = np.radians(turn)
        lying = _landmarks(40)
        centre = np.array([150, 200])
        turning = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        lying[:, :2] = (lying[:, :2] - lying[:, :2].mean(0)) @ turning.T + centre
        assert "not upright" in _refusal(lying)


def test_crops_are_refused_when_the_trunk_is_not_there_and_doubted_when_it_ends():
    assert "little more than the head" in _refusal(_landmarks(), size=(140, 300))
    assert _doubts(_landmarks(), size=(175, 300)) == ["the photo ends above the hips"]
    assert _doubts(_landmarks(), size=(230, 300)) == ["the photo ends above the knees"]
    assert _doubts(_landmarks(middle=(150.0, 60.0))) == ["the head is cut off"]
    assert "pixels from shoulders to hips" in _refusal(_landmarks(10))


def test_a_mask_must_hold_the_joints():
    points = _landmarks()
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    whole = (np.abs(columns - 150) < 60).astype(np.float32)
    suitability.check_mask("me.jpg", whole, points, "the label map")
    for wrong in (np.roll(whole, 130, 1), np.where(rows < 90, whole, 0), np.zeros(SIZE, np.float32)):
        with pytest.raises(UserError, match="me.jpg: the label map holds") as error:
            suitability.check_mask("me.jpg", wrong, points, "the label map")
        assert "this very photo" in str(error.value)


def test_labels_must_agree_with_the_body_somewhere():
    points = _landmarks()
    rows = np.arange(SIZE[0])[:, None].repeat(SIZE[1], 1)
    labels = np.where(rows < 70, PART["face"], np.where(rows < 190, PART["upper"], PART["lower"]))
    suitability.check_labels("map.png", labels, points)
    # A dress, or a hand before the face, are no reason to refuse.
    suitability.check_labels("map.png", np.where(labels == PART["upper"], PART["dress"], labels), points)
    suitability.check_labels("map.png", np.where(labels == PART["face"], PART["left_hand"], labels), points)
    with pytest.raises(UserError, match="map.png: its labels show neither"):
        suitability.check_labels("map.png", labels[::-1], points)
