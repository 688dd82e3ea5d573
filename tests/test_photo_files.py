"""Perception of whole files: what is refused, a made person, and the real photos where they lie."""

import pathlib

import numpy as np
import pytest
from drawn_garments import iou, on_ground, shirt
from PIL import Image

from tryon_jax import photo
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT, PART, PARTS
from tryon_jax.photo import blazepose, picture

REAL = pathlib.Path(__file__).parents[2] / "shared" / "real" / "free"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the real photos are not beside this checkout")


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
    Image.fromarray(on_ground(shirt(), (40, 60, 160), (240, 240, 240))).save(tmp_path / "shirt.png")
    for name in ("noise.png", "shirt.png"):
        with pytest.raises(UserError, match="no person found") as error:
            photo.person(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_a_picture_without_a_garment_and_a_wrong_class_are_refused(networks, tmp_path):
    Image.fromarray(np.full((100, 100, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    with pytest.raises(UserError, match="no garment"):
        photo.garment(tmp_path / "wall.png")
    with pytest.raises(UserError, match="upper, lower"):
        photo.garment(tmp_path / "wall.png", "hat")


def test_a_print_alone_is_not_taken_for_a_garment(networks, tmp_path):
    white = on_ground(shirt(), (232, 232, 232), (240, 240, 240))
    white[90:130, 90:150] = (180, 20, 30)
    Image.fromarray(white).save(tmp_path / "white_on_white.png")
    with pytest.raises(UserError, match=r"white_on_white.png: only \d+ % of the picture stands out"):
        photo.garment(tmp_path / "white_on_white.png")


def test_a_garment_file_with_transparency_is_its_own_cut_out(tmp_path):
    pytest.importorskip("cv2")
    rgba = np.dstack([np.full((240, 240, 3), 90, np.uint8), shirt().astype(np.uint8) * 255])
    Image.fromarray(rgba).save(tmp_path / "shirt.png")
    found = photo.garment(tmp_path / "shirt.png", "dress")
    np.testing.assert_array_equal(found["mask"] > 0.5, shirt())
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
def test_a_ready_label_map_overrides_what_is_found(networks, tmp_path):
    path, labels_path = REAL / "persons" / "pifu_ryota.png", tmp_path / "labels.png"
    labels = photo.person(path)["segmentation"].astype(np.uint8)
    labels[labels == PART["lower"]] = PART["dress"]
    labels[300:320] = 0
    Image.fromarray(labels).save(labels_path)
    found = photo.person(path, labels_path)
    np.testing.assert_array_equal(found["segmentation"], labels)
    np.testing.assert_array_equal(found["mask"] > 0.5, labels > 0)
    # A map of another photo, and one whose numbers mean other parts, are told; a parser that is named is understood.
    Image.fromarray(np.roll(labels, 200, 1)).save(labels_path)
    with pytest.raises(UserError, match=r"labels.png: the label map holds .* very photo"):
        photo.person(path, labels_path)
    numbers = np.random.default_rng(0).permutation(40)[: len(PARTS)].astype(np.uint8)
    numbers[0] = 0
    Image.fromarray(np.minimum(numbers, 15)[labels]).save(labels_path)
    with pytest.raises(UserError, match="neither a face nor a top"):
        photo.person(path, labels_path)
    Image.fromarray(numbers[labels]).save(labels_path)
    meaning = np.zeros(40, np.int32)
    meaning[numbers] = np.arange(len(PARTS))
    named = picture.Parser(40, lambda raw: meaning[raw])
    np.testing.assert_array_equal(photo.person(path, labels_path, named)["segmentation"], labels)
    with pytest.raises(UserError, match="labels.png: label .* none of the parser's 0..7"):
        photo.person(path, labels_path, picture.Parser(8, lambda raw: raw))


@needs_real
@pytest.mark.parametrize("name", ["lip", "atr"])
def test_label_maps_of_real_parsers_are_understood_when_they_are_named(networks, tmp_path, name):
    from tryon_jax import tryon
    from tryon_jax.data.formats import labels as formats

    path, names = REAL / "persons" / "pifu_ryota.png", {"lip": formats.LIP, "atr": formats.ATR}[name]
    found = photo.person(path)["segmentation"]
    # Parsers have no hands, and ATR's neck is a scarf.
    mine = {part: part.replace("_hand", "_arm") for part in PARTS}
    numbers = np.array([max((i for i, part in enumerate(names) if part == mine[p]), default=0) for p in PARTS])
    Image.fromarray(numbers.astype(np.uint8)[found]).save(tmp_path / "map.png")
    read = photo.person(path, tmp_path / "map.png", tryon.parser(name))["segmentation"]
    expected = np.array([PART[mine[part]] for part in PARTS])[found]
    assert (read == expected)[np.isin(expected, [PART[p] for p in ("upper", "lower", "face", "hair")])].all()
    assert (read == expected).mean() > 0.99
    with pytest.raises(UserError, match="map.png"):  # and are told when they are not
        photo.person(path, tmp_path / "map.png")


@needs_real
@pytest.mark.parametrize(
    ("name", "garment_class", "share"),
    [("cds_05d01bf9", "upper", 0.52), ("cds_259f2358", "upper", 0.41), ("cds_2884d941", "lower", 0.44),
     ("cds_28b09463", "dress", 0.43), ("cds_b0e05193", "lower", 0.345)],
)  # fmt: skip
def test_real_garments_are_cut_out(networks, name, garment_class, share):
    found = photo.garment(REAL / "garments" / f"{name}.jpg")
    assert GARMENT_CLASSES[found["garment_class"]] == garment_class
    # Looked at once: these shares of the picture are the garment, nothing else and nearly all of it.
    assert abs((found["mask"] > 0.5).mean() - share) < 0.02
    edge = np.concatenate([found["mask"][0], found["mask"][-1], found["mask"][:, 0], found["mask"][:, -1]])
    assert edge.max() < 0.5
