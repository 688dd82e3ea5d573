"""Perception of photos: on drawn shapes with exact truth, on a made person, and on the real photos where they lie."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from tryon_jax import photo
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT, PART, PARTS
from tryon_jax.photo import blazepose, colours, cutout, guided, mask, parts, skeleton

REAL = pathlib.Path(__file__).parents[2] / "shared" / "real" / "free"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the real photos are not beside this checkout")


def iou(first, second):
    first, second = np.asarray(first) > 0.5, np.asarray(second) > 0.5
    return (first & second).sum() / max((first | second).sum(), 1)


@pytest.fixture(scope="module")
def networks():
    """Skips where the optional packages or the networks cannot be had."""
    pytest.importorskip("cv2")
    pytest.importorskip("ai_edge_litert")
    try:
        from tryon_jax import assets

        return assets.fetch("blazepose")
    except UserError as error:
        pytest.skip(str(error))


def _noisy(colour, shape, rng, spread=6):
    return np.clip(np.asarray(colour) + rng.normal(0, spread, (*shape, 3)), 0, 255)


def _on_ground(shape_mask, colour, ground, seed=0):
    rng = np.random.default_rng(seed)
    inside, outside = (_noisy(paint, shape_mask.shape, rng) for paint in (colour, ground))
    return np.where(shape_mask[..., None], inside, outside).astype(np.uint8)


def _trousers(size=240):
    rows, columns = np.mgrid[:size, :size] / size
    whole = (rows > 0.1) & (rows < 0.92) & (np.abs(columns - 0.5) < 0.2)
    return whole & ~((rows > 0.4) & (np.abs(columns - 0.5) < 0.05))


def _shirt(size=240):
    rows, columns = np.mgrid[:size, :size] / size
    trunk = (rows > 0.2) & (rows < 0.85) & (np.abs(columns - 0.5) < 0.2)
    sleeves = (rows > 0.2) & (rows < 0.4) & (np.abs(columns - 0.5) < 0.38)
    return trunk | sleeves


@pytest.mark.parametrize("ground", [(245, 245, 245), (90, 70, 50)])
def test_cut_out_finds_drawn_garments(ground):
    pytest.importorskip("cv2")
    for shape in (_trousers(), _shirt()):
        assert iou(cutout.cut_out(_on_ground(shape, (40, 60, 160), ground)), shape) > 0.97


def test_nothing_to_cut_out():
    pytest.importorskip("cv2")
    assert cutout.cut_out(np.full((200, 200, 3), 230, np.uint8)) is None


def test_outlines_tell_trousers_from_shirts():
    assert cutout.guess_class(_trousers()) == "lower" and cutout.guess_class(_shirt()) == "upper"


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
    picture = _on_ground(truth > 0, (200, 60, 60), (60, 160, 90), seed=1)
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
    found = parts.segment(picture, silhouette, _standing())
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
    picture = np.where(robe[..., None], _noisy((150, 30, 120), truth.shape, rng), picture)
    picture = np.where(bare[..., None], _noisy((222, 172, 140), truth.shape, rng), picture).astype(np.uint8)
    found = parts.segment(picture, silhouette, _standing())
    assert iou(found == PART["dress"], robe) > 0.85 and not (found == PART["upper"]).any()


def test_missing_packages_are_one_line(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.split(".")[0] == "cv2":
            raise ImportError("No module named 'cv2'", name="cv2")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r'pip install "tryon_jax\[photo\]"'):
        blazepose.packages()


def test_a_picture_without_a_person_is_refused(networks, tmp_path):
    rng = np.random.default_rng(5)
    Image.fromarray(rng.integers(0, 256, (200, 160, 3), dtype=np.uint8)).save(tmp_path / "noise.png")
    Image.fromarray(_on_ground(_shirt(), (40, 60, 160), (240, 240, 240))).save(tmp_path / "shirt.png")
    for name in ("noise.png", "shirt.png"):
        with pytest.raises(UserError, match="no person found") as error:
            photo.person(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_a_picture_without_a_garment_and_a_wrong_class_are_refused(tmp_path):
    pytest.importorskip("cv2")
    Image.fromarray(np.full((100, 100, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    with pytest.raises(UserError, match="no garment"):
        photo.garment(tmp_path / "wall.png")
    with pytest.raises(UserError, match="upper, lower"):
        photo.garment(tmp_path / "wall.png", "hat")


def test_a_garment_file_with_transparency_is_its_own_cut_out(tmp_path):
    pytest.importorskip("cv2")
    rgba = np.dstack([np.full((240, 240, 3), 90, np.uint8), _shirt().astype(np.uint8) * 255])
    Image.fromarray(rgba).save(tmp_path / "shirt.png")
    found = photo.garment(tmp_path / "shirt.png", "dress")
    np.testing.assert_array_equal(found["mask"] > 0.5, _shirt())
    assert GARMENT_CLASSES[found["garment_class"]] == "dress"


@needs_real
def test_the_real_photo_with_exact_mask(networks, tmp_path):
    # Only the colours are shown: were there a useful alpha channel, it would give the answer away.
    Image.open(REAL / "persons" / "pifu_ryota.png").convert("RGB").save(tmp_path / "photo.png")
    found = photo.person(tmp_path / "photo.png")
    truth = np.asarray(Image.open(REAL / "truth" / "ryota_mask.png")) > 127
    assert iou(found["mask"], truth) >= 0.98
    _check_pose(found)
    shares = np.bincount(found["segmentation"].ravel(), minlength=15) / truth.sum()
    # Looked at once: a man in hooded jumper and trousers, the hood about his neck.
    expected = {"hair": 0.04, "face": 0.035, "upper": 0.57, "lower": 0.28, "left_shoe": 0.02, "right_shoe": 0.02}
    for name, share in expected.items():
        assert abs(shares[PART[name]] - share) < 0.35 * share + 0.01, (name, shares[PART[name]])
    assert shares[PART["dress"]] == 0 and shares[PART["left_arm"]] < 0.02


def _check_pose(found):
    points = found["keypoints"]
    assert points.shape == (17, 3) and found["landmarks"].shape == (33, 3)
    assert all(found["mask"][int(y), int(x)] > 0.5 for x, y, _ in points)
    y = {name: points[index, 1] for name, index in KEYPOINT.items()}
    x = {name: points[index, 0] for name, index in KEYPOINT.items()}
    for side in ("left", "right"):
        order = ["nose", *(f"{side}_{joint}" for joint in ("shoulder", "elbow", "hip", "knee", "ankle"))]
        assert all(y[above] < y[below] for above, below in zip(order, order[1:], strict=False))
    assert x["left_shoulder"] > x["right_shoulder"] and x["left_hip"] > x["right_hip"]


@needs_real
def test_a_ready_label_map_is_taken_as_it_is(networks, tmp_path):
    labels = np.zeros((512, 512), np.uint8)
    labels[100:400, 200:300] = PART["upper"]
    Image.fromarray(labels).save(tmp_path / "labels.png")
    found = photo.person(REAL / "persons" / "pifu_ryota.png", tmp_path / "labels.png")
    np.testing.assert_array_equal(found["segmentation"], labels)
    np.testing.assert_array_equal(found["mask"] > 0.5, labels > 0)


@needs_real
@pytest.mark.parametrize(
    ("name", "garment_class", "share"),
    [("cds_05d01bf9", "upper", 0.52), ("cds_259f2358", "upper", 0.41), ("cds_2884d941", "lower", 0.44),
     ("cds_28b09463", "dress", 0.43), ("cds_b0e05193", "lower", 0.345)],
)  # fmt: skip
def test_real_garments_are_cut_out(name, garment_class, share):
    pytest.importorskip("cv2")
    found = photo.garment(REAL / "garments" / f"{name}.jpg")
    assert GARMENT_CLASSES[found["garment_class"]] == garment_class
    # Looked at once: these shares of the picture are the garment, nothing else and nearly all of it.
    assert abs((found["mask"] > 0.5).mean() - share) < 0.02
    edge = np.concatenate([found["mask"][0], found["mask"][-1], found["mask"][:, 0], found["mask"][:, -1]])
    assert edge.max() < 0.5
