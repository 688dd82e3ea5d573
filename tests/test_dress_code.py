"""Dress Code: three categories are read as they were written, pairs are right, and what is damaged is named."""

import json

import lookalikes
import numpy as np
import pytest
from PIL import Image
from test_viton_hd import rewritten

from tryon_jax import data
from tryon_jax.data import dress_code
from tryon_jax.data.formats import labels
from tryon_jax.data.lookalike import canvas
from tryon_jax.data.lookalike import dress_code as writer
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT, PART


@pytest.fixture(scope="module")
def root():
    return lookalikes.folder("dress_code")


def first_of(root, category):
    """(folder, number) of the first training person of a category."""
    place = root / category
    return place, (place / "train_pairs.txt").read_text().split("_")[0]


@pytest.mark.parametrize("category", dress_code.CATEGORIES)
def test_files_hold_what_was_written(category, root):
    wanted_class = GARMENT_CLASSES.index(dress_code.CATEGORIES[category])
    example = next(e for e in lookalikes.people(writer.CLASSES)["train"] if e["garment_class"] == wanted_class)
    place, number = first_of(root, category)
    person, garment = (
        dress_code.read_person(place, f"{number}_0.jpg"),
        dress_code.read_garment(place, f"{number}_1.jpg"),
    )
    at = writer.placement(example)
    difference = np.abs(person["rgb"].astype(int) - canvas.enlarged(canvas.photo(example, (1, 1, 1)), at))
    assert difference.mean() < 1 and np.percentile(difference, 99) < 12
    wanted = rewritten(canvas.enlarged(example["front_segmentation"], at), writer.NUMBERS, labels.ATR)
    np.testing.assert_array_equal(person["segmentation"], wanted)
    points = canvas.points_on(example["keypoints"], at)
    np.testing.assert_allclose(person["keypoints"][:, :2], points[:, :2], atol=6e-4)
    np.testing.assert_array_equal(person["keypoints"][:, 2], points[:, 2] > 0)
    assert not person["keypoints"][KEYPOINT["left_eye"], 2] and person["keypoints"][KEYPOINT["left_ankle"], 2]
    cut = canvas.enlarged(example["garment_mask"][..., 0] > 0.5, canvas.placed((0, 0, 64, 64), dress_code.SIZE, 0))
    assert garment["garment_class"] == wanted_class and (garment["mask"] == cut).mean() > 0.995


def test_splits_pairs_and_classes(root):
    sources = {split: dress_code.open_split("smoke", split, root) for split in dress_code.SPLITS}
    assert {split: len(source) for split, source in sources.items()} == dict.fromkeys(dress_code.SPLITS, 6)
    for index, name in enumerate(("upper", "upper", "lower", "lower", "dress", "dress")):
        example = sources["test"][index]
        assert GARMENT_CLASSES[example["garment_class"]] == name and example["same_garment"] == 1
    paired, unpaired = sources["test"][2], sources["test_unpaired"][2]
    np.testing.assert_array_equal(paired["person"], unpaired["person"])
    np.testing.assert_array_equal(unpaired["garment"], sources["test"][3]["garment"])
    assert unpaired["same_garment"] == 0 and unpaired["has"]["rgb"] == 0 and not unpaired["mask"].any()


def test_what_is_known_is_flagged_and_framed(root):
    example = dress_code.open_split("cpu", "train", root)[4]
    data.check({key: value for key, value in example.items() if key != "caption"}, 64)
    flags = {"rgb", "mask", "segmentation", "keypoints", "person_segmentation"}
    assert {name for name, flag in example["has"].items() if flag} == flags
    mask = example["mask"][..., 0] > 0
    rows = np.flatnonzero(mask.any(1))
    # The head above the mouth is cut off; the whole person would fill nine tenths.
    assert 0.8 < (np.ptp(rows) + 1) / (0.9 * 64) < 0.96 and rows[-1] in (59, 60, 61)
    assert (example["front_segmentation"][mask] == PART["dress"]).mean() > 0.2
    assert abs(example["camera"][0] * 64 * 0.9 - 1.7) < 0.1


def test_skirts_are_bottoms_and_belts_go_with_what_they_hold():
    numbers = np.arange(18, dtype=np.uint8)[None]
    found, dressed = (labels.parts(numbers, names)[0] for names in (labels.ATR, labels.ATR_DRESSED))
    assert found[5] == found[6] == found[8] == PART["lower"] and dressed[8] == PART["dress"]
    assert found[7] == PART["dress"] and found[16] == PART["background"]
    np.testing.assert_array_equal(np.delete(found, 8), np.delete(dressed, 8))


@pytest.mark.parametrize(("ground", "cloth"), [(255, 244), (233, 90), (246, 20)])
def test_a_garment_is_what_differs_from_the_border(ground, cloth):
    rng = np.random.default_rng(0)
    inside = np.hypot(*(np.mgrid[:160, :120] - [[[80.0]], [[60.0]]])) < 45
    shade = ground - np.linspace(0, 6, 160)[:, None]  # the ground of real pictures is not quite even
    grey = np.where(inside, cloth, shade) + rng.normal(0, 1, inside.shape)
    rim = inside & (np.hypot(*(np.mgrid[:160, :120] - [[[80.0]], [[60.0]]])) > 42)
    grey = np.where(rim, cloth - 40, grey)  # the edge, by which white cloth is told from a white ground
    rgb = np.clip(np.repeat(grey[..., None], 3, -1), 0, 255).astype(np.uint8)
    rgb[3:5, 20:22] = 0  # dust
    assert (dress_code.cut_out(rgb) == inside).mean() > 0.999


def test_small_label_maps_are_enlarged(root, tmp_path):
    copy = lookalikes.copy("dress_code", tmp_path)
    place, number = first_of(copy, "upper_body")
    path = place / "label_maps" / f"{number}_4.png"
    whole = np.asarray(Image.open(path))
    Image.fromarray(whole[1::2, 1::2]).save(path)
    found = dress_code.read_person(place, f"{number}_0.jpg")["segmentation"]
    assert (found == dress_code.read_person(root / "upper_body", f"{number}_0.jpg")["segmentation"]).mean() > 0.99


@pytest.mark.parametrize("what", ["labels", "size of labels", "photo", "keypoints", "garment"])
def test_a_damaged_file_is_named(what, tmp_path):
    root = lookalikes.copy("dress_code", tmp_path)
    folder, number = first_of(root, "upper_body")
    parse, pose = folder / "label_maps" / f"{number}_4.png", folder / "keypoints" / f"{number}_2.json"
    photo, garment = (folder / "images" / f"{number}_{which}.jpg" for which in (0, 1))
    place = {"labels": parse, "size of labels": parse, "photo": photo, "keypoints": pose, "garment": garment}[what]
    if what == "labels":
        Image.new("L", dress_code.SIZE, 18).save(parse)
    elif what == "size of labels":
        Image.new("L", (200, 256)).save(parse)
    elif what == "keypoints":
        pose.write_text(json.dumps({"keypoints": [[1.0, 2.0]] * 18}))
    else:
        place.write_bytes(place.read_bytes()[:1500])
    source = dress_code.open_split("smoke", "train", root)
    with pytest.raises(UserError) as raised:
        source[0]
    assert str(raised.value).startswith(f"{place}: ") and "\n" not in str(raised.value)


def test_a_copy_that_is_missing_or_incomplete_is_refused(tmp_path):
    with pytest.raises(UserError) as raised:
        dress_code.open_split("smoke", "train", tmp_path)
    assert all(part in str(raised.value) for part in (dress_code.TERMS.where, "non-commercial", "label_maps"))
    root = lookalikes.copy("dress_code", tmp_path)
    pairs = root / "dresses" / "train_pairs.txt"
    before = pairs.read_text()
    pairs.write_text("013563.jpg 013563_1.jpg\n")
    with pytest.raises(UserError, match="013563.jpg is not named"):
        dress_code.open_split("smoke", "train", root)
    pairs.write_text(before)
    next((root / "dresses" / "keypoints").iterdir()).unlink()
    with pytest.raises(UserError, match="1 of 2 files are missing"):
        for split in ("train", "test"):
            dress_code.open_split("smoke", split, root)
