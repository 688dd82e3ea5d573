"""Perception of photos on drawn shapes with exact truth."""

import time

import numpy as np
import pytest
from drawn_garments import iou, noisy, on_ground, shirt, trousers

from tryon_jax.geometry.parts import GARMENT_CLASSES, PART, PARTS
from tryon_jax.photo import blazepose, colours, cutout, guided, mask, outline, parts, skeleton


def test_drawings_of_exact_colours_are_cut_out_in_time():
    pytest.importorskip("cv2")
    started = time.process_time()
    exact = np.where(shirt()[..., None], [30, 60, 160], [240, 240, 240]).astype(np.uint8)
    assert iou(cutout.cut_out(exact)[0], shirt()) > 0.97
    halves = np.where(np.arange(240)[:, None, None] > 120, 240, 30) * np.ones((240, 240, 3))
    assert cutout.cut_out(halves.astype(np.uint8))[1] < 0.4
    assert time.process_time() - started < 10


@pytest.mark.parametrize("ground", [(245, 245, 245), (90, 70, 50)])
def test_cut_out_finds_drawn_garments(ground):
    pytest.importorskip("cv2")
    for shape in (trousers(), shirt()):
        assert iou(cutout.cut_out(on_ground(shape, (40, 60, 160), ground))[0], shape) > 0.97


def test_nothing_to_cut_out():
    pytest.importorskip("cv2")
    assert cutout.cut_out(np.full((200, 200, 3), 230, np.uint8)) == (None, 0.0)


def test_outlines_tell_trousers_from_shirts():
    for shape, kind, name in ((trousers(), "trousers", "lower"), (shirt(), "top", "upper")):
        found, chances = outline.classify(shape)
        assert found == kind and GARMENT_CLASSES[int(np.argmax(chances))] == name
        assert abs(chances.sum() - 1) < 1e-9 and (chances >= 0).all()
    # What is known is not guessed, and the kind is one of that class.
    found, chances = outline.classify(trousers(), "outer")
    assert found == "top" and chances[GARMENT_CLASSES.index("outer")] == 1


def test_specks_go_and_armpits_stay():
    pytest.importorskip("cv2")
    shape = np.zeros((200, 200), bool)
    shape[20:180, 50:150] = True
    armpit = shape.copy()
    armpit[80:100, 90:100] = False
    dirty = armpit.copy()
    dirty[5:8, 5:8] = True
    dirty[150, 100] = False
    np.testing.assert_array_equal(mask.without_specks(dirty, mask.SMALLEST), armpit)


def test_guided_filter_moves_a_blurred_edge_to_the_colours_edge():
    pytest.importorskip("cv2")
    truth = np.zeros((80, 80), np.float32)
    truth[:, 37:] = 1
    picture = on_ground(truth > 0, (200, 60, 60), (60, 160, 90), seed=1)
    blurred = np.clip((np.arange(80) - 34) / 12 + 0.5, 0, 1)[None].repeat(80, 0).astype(np.float32)
    assert iou(guided.smooth(picture, blurred, 8) > 0.5, truth) > 0.99 > iou(blurred, truth)
    # What follows no colour stays as it is, and several maps are filtered alike.
    both = guided.smooth(picture, np.stack([blurred, np.full_like(blurred, 0.3)], -1), 8)
    np.testing.assert_allclose(both[..., 1], 0.3, atol=1e-3)
    np.testing.assert_allclose(both[..., 0], guided.smooth(picture, blurred, 8), atol=1e-5)


def test_limb_and_waist_cuts_against_their_definition():
    rng = np.random.default_rng(2)
    along = rng.uniform(0, 2, 4000)
    ratio = np.where(along < 0.65, -1.0, 1.0) + rng.normal(0, 1, 4000)
    assert abs(colours.cut_by_ratio(along, ratio, 0.0, 2.0) - 0.65) < 0.1
    assert colours.cut_by_ratio(along, np.full(4000, -1.0), 0.0, 2.0) == 2.0
    assert colours.cut_by_ratio(along, np.full(4000, 1.0), 0.0, 2.0) == 0.0
    cells = np.where(along < 0.8, 1000, 5000).astype(np.int32)
    place, strength = colours.cut_by_information(along, cells, 0.4, 1.7, 0.95)
    assert abs(place - 0.8) < 0.06 and strength > 0.8
    _, same = colours.cut_by_information(along, np.full(4000, 1000, np.int32), 0.4, 1.7, 0.95)
    assert same < 0.01


def _standing(unit=100.0, middle=(150.0, 80.0)):
    """Landmarks [33, 3] of a figure that stands with hanging arms; left is at the picture's right."""
    places = {
        0: (0, -0.55), 2: (0.07, -0.6), 5: (-0.07, -0.6), 7: (0.14, -0.57), 8: (-0.14, -0.57), 9: (0.05, -0.44),
        10: (-0.05, -0.44), 11: (0.36, 0), 12: (-0.36, 0), 13: (0.5, 0.55), 14: (-0.5, 0.55), 15: (0.55, 1.05),
        16: (-0.55, 1.05), 17: (0.57, 1.2), 18: (-0.57, 1.2), 19: (0.56, 1.22), 20: (-0.56, 1.22), 21: (0.52, 1.15),
        22: (-0.52, 1.15), 23: (0.2, 1), 24: (-0.2, 1), 25: (0.22, 1.85), 26: (-0.22, 1.85), 27: (0.23, 2.65),
        28: (-0.23, 2.65), 29: (0.22, 2.75), 30: (-0.22, 2.75), 31: (0.3, 2.85), 32: (-0.3, 2.85),
    }  # fmt: skip
    landmarks = np.ones((33, 3), np.float32)
    for index in range(33):
        x, y = places.get(index, places[0])
        landmarks[index, :2] = [middle[0] + x * unit, middle[1] + y * unit]
    return landmarks


def _dressed(size=(400, 300), hem=0.92, sleeve=0.5):
    """A picture of the standing figure in a blue shirt and green trousers, with its mask and true labels."""
    pose = skeleton.measure(_standing(), size)
    head = skeleton.head_coordinates(pose, size)
    radius = np.hypot(head[..., 0], head[..., 1])
    place, core = skeleton.body_place(pose)
    labels = np.zeros(size, np.int32)
    labels[core < 1] = np.where(place[core < 1] < hem, PART["upper"], PART["lower"])
    for side in ("left", "right"):
        along, distance = skeleton.arm_place(pose, side)
        arm = (distance < 0.8) & (distance < core)
        bare = np.where(along < 2, PART[f"{side}_arm"], PART[f"{side}_hand"])
        labels[arm] = np.where(along < sleeve, PART["upper"], bare)[arm]
        labels[(pose.distance[f"{side}_foot"] < 1.3) & (place >= 2.97)] = PART[f"{side}_shoe"]
    labels[(np.abs(head[..., 0]) < 0.5) & (head[..., 1] < -0.8) & (labels == 0) & (place < 0.3)] = PART["neck"]
    labels[radius < 1.25] = PART["hair"]
    labels[(radius < 1.0) & (head[..., 1] < 0.75)] = PART["face"]
    paints = np.full((len(PARTS), 3), (222, 172, 140), float)  # skin
    black = (20, 20, 20)
    worn = {"hair": (60, 40, 25), "upper": (50, 80, 190), "lower": (40, 120, 60)}
    worn |= {"left_shoe": black, "right_shoe": black}
    for name, colour in {"background": (230, 230, 225), **worn}.items():
        paints[PART[name]] = colour
    noise = np.random.default_rng(3).normal(0, 5, (*size, 3))
    return np.clip(paints[labels] + noise, 0, 255).astype(np.uint8), (labels > 0).astype(np.float32), labels


@pytest.mark.parametrize(("hem", "sleeve"), [(0.92, 0.5), (0.8, 1.9), (1.05, 0.25)])
def test_parts_of_a_drawn_figure(hem, sleeve):
    pytest.importorskip("cv2")
    picture, silhouette, truth = _dressed(hem=hem, sleeve=sleeve)
    found, certainty = parts.segment(picture, silhouette, _standing())
    assert 0.5 < certainty <= 1
    assert found.dtype == np.int32 and ((found > 0) == (silhouette > 0.5)).all()
    for name in ("upper", "lower", "face", "left_hand", "right_hand", "left_shoe"):
        assert iou(found == PART[name], truth == PART[name]) > 0.75, name
    if sleeve < 1.5:  # a wrist's breadth of arm is too little to ask for
        assert iou(found == PART["left_arm"], truth == PART["left_arm"]) > 0.75


def test_a_one_colour_robe_above_bare_legs_is_a_dress():
    pytest.importorskip("cv2")
    picture, silhouette, truth = _dressed()
    place, _ = skeleton.body_place(skeleton.measure(_standing(), truth.shape))
    rng = np.random.default_rng(4)
    robe = np.isin(truth, [PART["upper"], PART["lower"]]) & (place < 1.8)
    bare = (truth == PART["lower"]) & ~robe
    picture = np.where(robe[..., None], noisy((150, 30, 120), truth.shape, rng), picture)
    picture = np.where(bare[..., None], noisy((222, 172, 140), truth.shape, rng), picture).astype(np.uint8)
    found, _ = parts.segment(picture, silhouette, _standing())
    assert iou(found == PART["dress"], robe) > 0.85 and not (found == PART["upper"]).any()


def test_heat_maps_move_joints_by_no_constant():
    """A joint in the middle of a symmetric peak stays; one beside it goes there, by as much to either side."""
    y, x = np.mgrid[:64, :64]
    cell = np.array([30, 20])
    peak = 8 - 4.0 * np.hypot(x - cell[0], y - cell[1])
    points = np.tile(cell / 64, (39, 1)) + np.linspace(-1, 1, 39)[:, None] / 64
    refined = blazepose._refine(points, np.repeat(peak[..., None], 39, -1))
    np.testing.assert_allclose(refined[19], cell / 64, atol=1e-6)
    assert np.abs(refined - cell / 64).max() < 0.3 / 64


def test_people_of_the_detector_are_told_apart():
    """Raw boxes that decode to two people and echoes of them, found by their definition."""
    boxes, scores = np.zeros((2254, 12)), np.zeros(2254)
    anchors = blazepose._anchors()
    people = np.array([[0.3, 0.4, 0.2], [0.75, 0.5, 0.12]])  # x, y and side of the head's box
    for person, (x, y, side) in enumerate(people):
        for echo in range(3):
            index = 500 * person + echo
            centre = np.array([x, y]) + 0.05 * side * echo
            boxes[index, :2], boxes[index, 2:4] = centre - anchors[index], side
            boxes[index, 4:] = np.tile(centre + [0, 2 * side], 4) - np.tile(anchors[index], 4)
            scores[index] = 0.9
    found = blazepose._people(boxes * blazepose.DETECTOR_SIDE, scores)
    assert len(found) == 2
    for points, (x, y, side) in zip(found, people, strict=True):
        np.testing.assert_allclose(points[0], np.array([x, y]) + [0.05 * side, 2.05 * side], atol=1e-6)
    assert blazepose._people(boxes, np.zeros(2254)) == []


def _with_cloth(picture, where, colour, seed):
    cloth = noisy(colour, where.shape, np.random.default_rng(seed))
    return np.where(where[..., None], cloth, picture).astype(np.uint8)


def test_a_long_coat_over_trousers_is_outer_and_a_shirt_shows_in_it():
    pytest.importorskip("cv2")
    photo_of, silhouette, truth = _dressed(hem=1.6, sleeve=1.95)
    place, _ = skeleton.body_place(skeleton.measure(_standing(), truth.shape))
    columns = np.arange(truth.shape[1])[None]
    shirt = (truth == PART["upper"]) & (np.abs(columns - 150) < 12) & (place > 0.05) & (place < 0.7)
    found, _ = parts.segment(_with_cloth(photo_of, shirt, (235, 230, 240), 5), silhouette, _standing())
    coat = (truth == PART["upper"]) & ~shirt
    assert iou(found == PART["outer"], coat) > 0.8 and iou(found == PART["upper"], shirt) > 0.5
    # The same cloth to the hips only is a top.
    short, silhouette, _ = _dressed(hem=0.92, sleeve=1.95)
    assert not (parts.segment(short, silhouette, _standing())[0] == PART["outer"]).any()


def test_sleeves_of_another_cloth_than_the_dress_are_a_blouse():
    pytest.importorskip("cv2")
    photo_of, silhouette, truth = _dressed(sleeve=1.9)
    pose = skeleton.measure(_standing(), truth.shape)
    place, core = skeleton.body_place(pose)
    cloth = np.isin(truth, [PART["upper"], PART["lower"]])
    arms = np.minimum(*(skeleton.arm_place(pose, side)[1] for side in ("left", "right")))
    sleeves = (truth == PART["upper"]) & (arms < 0.8) & (core > 1)
    robe = cloth & ~sleeves & (place < 1.8)
    painted = _with_cloth(photo_of, robe, (150, 30, 120), 4)
    painted = _with_cloth(painted, sleeves, (240, 240, 240), 5)
    painted = _with_cloth(painted, cloth & ~sleeves & ~robe, (222, 172, 140), 6)
    found, _ = parts.segment(painted, silhouette, _standing())
    assert iou(found == PART["dress"], robe) > 0.8 and iou(found == PART["upper"], sleeves) > 0.6


def test_an_outline_may_lie_inside_the_networks():
    """Near its outline the network's certainty yields to the ground's colour; deep inside it stays."""
    pytest.importorskip("cv2")
    rng = np.random.default_rng(7)
    blurred = np.zeros((240, 240), np.float32)
    blurred[40:200, 60:180] = 1
    truth = blurred > 0.5
    truth[:, 175:] = False
    shown = truth.copy()
    shown[110:114, 110:114] = False  # a white button
    inside, outside = (noisy(colour, truth.shape, rng) for colour in ((40, 60, 160), (225, 225, 220)))
    painted = np.where(shown[..., None], inside, outside).astype(np.uint8)
    assert iou(mask.sharpen(painted, blurred, 3.0), truth) > 0.99 > iou(blurred, truth)


def test_clarity_falls_with_contrast_and_for_half_a_garment():
    cv2 = pytest.importorskip("cv2")

    def clarity(picture, shape):
        lab = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        return cutout._clarity(shape, lab, colours.bin_indices(picture))

    shape = shirt()
    values = [clarity(on_ground(shape, (220 - step,) * 3, (225, 225, 225)), shape) for step in (120, 30, 10, 0)]
    assert values == sorted(values, reverse=True) and values[0] > 0.9 > 0.2 > values[-1]
    half = shape & (np.arange(240) < 120)[None]
    assert clarity(on_ground(shape, (40, 60, 160), (225, 225, 225)), half) < 0.7


def test_two_halves_of_two_colours_are_one_garment():
    pytest.importorskip("cv2")
    shape = shirt()
    picture = on_ground(shape, (40, 60, 160), (235, 235, 230))
    lower = shape & (np.arange(240) > 120)[:, None]
    found, clarity = cutout.cut_out(_with_cloth(picture, lower, (200, 190, 40), 8))
    assert iou(found, shape) > 0.97 and clarity > 0.8
