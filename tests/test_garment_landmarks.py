"""Landmarks of drawn garments lie where they were drawn, whatever the garment's place and size in the picture."""

import numpy as np
import pytest

from tryon_jax.photo.landmarks import LANDMARK, LANDMARKS, find, sleeve_length

SIZE = 300


def _grid(size):
    rows, columns = np.mgrid[:size, :size] / size
    return rows, columns


def _top(sleeve, size=SIZE):
    """A top of width 0.4 from 0.15 to 0.85, with sleeves that go `sleeve` outward and down at 45 degrees."""
    rows, columns = _grid(size)
    aside = np.abs(columns - 0.5)
    trunk = (rows > 0.15) & (rows < 0.85) & (aside < 0.2)
    neckline = (aside < 0.07) & (rows < 0.2)
    across = rows - 0.15 - (aside - 0.2)  # zero along the sleeve's upper edge
    sleeves = (aside >= 0.2) & (aside < 0.2 + sleeve) & (across > 0) & (across < 0.15)
    return (trunk & ~neckline) | sleeves


def _trousers(size=SIZE):
    rows, columns = _grid(size)
    aside = np.abs(columns - 0.5)
    return (rows > 0.1) & (rows < 0.9) & (aside < 0.2) & ~((rows > 0.4) & (aside < 0.15 * (rows - 0.4)))


def _skirt(size=SIZE):
    rows, columns = _grid(size)
    return (rows > 0.3) & (rows < 0.8) & (np.abs(columns - 0.5) < 0.12 + 0.3 * (rows - 0.3))


def _at(points, name):
    assert points[LANDMARK[name], 2] == 1, name
    return points[LANDMARK[name], :2] / SIZE


@pytest.mark.parametrize("sleeve", [0.12, 0.28])
def test_a_top_with_sleeves(sleeve):
    points = find(_top(sleeve), "top")
    for side, sign in (("left", 1), ("right", -1)):
        np.testing.assert_allclose(_at(points, f"{side}_hem"), [0.5 + sign * 0.2, 0.85], atol=0.02)
        np.testing.assert_allclose(_at(points, f"{side}_armpit"), [0.5 + sign * 0.2, 0.3], atol=0.04)
        np.testing.assert_allclose(_at(points, f"{side}_sleeve")[0], 0.5 + sign * (0.19 + sleeve), atol=0.03)
        assert _at(points, f"{side}_sleeve")[1] > 0.15 + sleeve
        assert 0.06 < sign * (_at(points, f"{side}_neck")[0] - 0.5) < 0.2
    assert points[LANDMARK["crotch"], 2] == 0 == points[LANDMARK["left_waist"], 2]


def test_longer_sleeves_are_longer_and_a_vest_has_none():
    lengths = [sleeve_length(find(_top(sleeve), "top")) for sleeve in (0.0, 0.1, 0.18, 0.28)]
    assert lengths[0] == 0 and lengths == sorted(lengths) and len(set(lengths)) == 4


def test_flounces_are_no_sleeves():
    rows, columns = _grid(SIZE)
    dress = (rows > 0.1) & (rows < 0.95) & (np.abs(columns - 0.5) < np.where(rows > 0.75, 0.3, 0.12))
    points = find(dress, "dress")
    assert sleeve_length(points) == 0
    np.testing.assert_allclose(_at(points, "left_hem"), [0.8, 0.95], atol=0.02)


def test_trousers_and_skirts():
    points = find(_trousers(), "trousers")
    np.testing.assert_allclose(_at(points, "crotch"), [0.5, 0.4], atol=0.05)
    np.testing.assert_allclose(_at(points, "left_waist"), [0.7, 0.1], atol=0.02)
    np.testing.assert_allclose(_at(points, "right_hem"), [0.37, 0.9], atol=0.03)
    points = find(_skirt(), "skirt")
    np.testing.assert_allclose(_at(points, "right_waist"), [0.38, 0.3], atol=0.03)
    np.testing.assert_allclose(_at(points, "left_hem"), [0.77, 0.8], atol=0.04)
    assert points[LANDMARK["crotch"], 2] == 0


@pytest.mark.parametrize(("shape", "kind"), [(_top(0.2), "top"), (_trousers(), "trousers"), (_skirt(), "skirt")])
def test_places_move_with_the_picture_and_change_sides_in_its_mirror(shape, kind):
    points = find(shape, kind)
    moved = np.zeros((SIZE + 60, SIZE + 80), bool)
    moved[40 : 40 + SIZE, 25 : 25 + SIZE] = shape
    there = points[:, 2] > 0
    np.testing.assert_allclose(find(moved, kind)[there, :2], points[there, :2] + [25, 40], atol=1e-4)
    mirrored = find(shape[:, ::-1], kind)
    for index, name in enumerate(LANDMARKS):
        other = LANDMARK[name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")]
        assert mirrored[other, 2] == points[index, 2]
        if points[index, 2]:
            np.testing.assert_allclose(SIZE - mirrored[other, 0], points[index, 0], atol=0.02 * SIZE)
            np.testing.assert_allclose(mirrored[other, 1], points[index, 1], atol=0.03 * SIZE)


def test_an_empty_cut_out_and_a_speck_have_no_landmarks_that_lie_outside():
    assert not find(np.zeros((40, 40)), "top").any()
    for kind in ("top", "trousers", "skirt", "dress"):
        speck = np.zeros((40, 40))
        speck[20, 11] = 1
        points = find(speck, kind)
        assert (np.abs(points[points[:, 2] > 0, :2] - [11.5, 20.5]) <= 1).all()
