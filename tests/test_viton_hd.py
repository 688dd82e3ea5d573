"""VITON-HD: both layouts are read as they were written, pairs are right, and what is damaged is named."""

import json

import lookalikes
import numpy as np
import pytest
from PIL import Image

from tryon_jax import data
from tryon_jax.data import prepared, standardize, viton_hd
from tryon_jax.data.formats import access, keypoints, labels, pairs, photographs
from tryon_jax.data.lookalike import canvas
from tryon_jax.data.lookalike import viton_hd as writer
from tryon_jax.data.prepared import builder
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import KEYPOINT, KEYPOINTS, PART, PARTS

LAYOUTS = tuple(writer.LAYOUTS)


def places_of(root, split="train"):
    return {
        name: access.one_of(root / split, spellings, viton_hd.TERMS) for name, spellings in viton_hd.FOLDERS.items()
    }


def rewritten(segmentation, numbers, names):
    """The parts that label numbers of our parts mean when they are read."""
    return np.array([PART[names[numbers[part]]] for part in PARTS])[segmentation]


# ---- what is written is read


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_hold_what_was_written(layout):
    root = lookalikes.folder("viton_hd", layout=layout)
    example = lookalikes.people(writer.CLASSES)["train"][1]
    place, places = writer.placement(example), places_of(root)
    person, garment = viton_hd.read_person(places, "00001_00.jpg"), viton_hd.read_garment(places, "00001_00.jpg")
    photo = canvas.enlarged(canvas.photo(example, (0.87, 0.87, 0.88)), place)
    difference = np.abs(person["rgb"].astype(int) - photo)
    assert person["rgb"].shape == (1024, 768, 3) and difference.mean() < 1 and np.percentile(difference, 99) < 12
    wanted = rewritten(canvas.enlarged(example["front_segmentation"], place), writer.NUMBERS, labels.LIP)
    np.testing.assert_array_equal(person["segmentation"], wanted)
    np.testing.assert_allclose(person["keypoints"], canvas.points_on(example["keypoints"], place), atol=6e-4)
    seen = person["keypoints"][:, 2] > 0
    assert seen[KEYPOINT["nose"]] and seen[KEYPOINT["left_hip"]] and not seen[KEYPOINT["left_ankle"]]
    cut = canvas.enlarged(example["garment_mask"][..., 0] > 0.5, canvas.placed((0, 0, 64, 64), viton_hd.SIZE, 0))
    assert (garment["mask"] == cut).mean() > 0.999  # JPEG's noise may move the border by a pixel


@pytest.mark.parametrize("layout", LAYOUTS)
def test_splits_and_pairs(layout):
    root = lookalikes.folder("viton_hd", layout=layout)
    sources = {split: viton_hd.open_split("smoke", split, root) for split in viton_hd.SPLITS}
    assert {split: len(source) for split, source in sources.items()} == dict.fromkeys(viton_hd.SPLITS, 2)
    paired, unpaired = sources["test"][0], sources["test_unpaired"][0]
    assert paired["same_garment"] == 1 and unpaired["same_garment"] == 0
    np.testing.assert_array_equal(paired["person"], unpaired["person"])
    np.testing.assert_array_equal(unpaired["garment"], sources["test"][1]["garment"])
    assert not np.array_equal(unpaired["garment"], paired["garment"])
    with pytest.raises(IndexError):
        sources["test"][2]
    with pytest.raises(ValueError, match="test_unpaired"):
        viton_hd.open_split("smoke", "validation", root)


def test_what_is_known_is_flagged():
    root = lookalikes.folder("viton_hd", layout="resized")
    known = {"rgb", "mask", "segmentation", "keypoints", "person_segmentation"}
    for split, flags in (("train", known), ("test_unpaired", known - {"rgb", "mask", "segmentation"})):
        example = viton_hd.open_split("smoke", split, root)[0]
        data.check({key: value for key, value in example.items() if key != "caption"}, 32)
        assert {name for name, flag in example["has"].items() if flag} == flags
        assert not example["back_rgb"].any() and not example["front_depth"].any()
        assert example["mask"].any() == example["front_rgb"].any() == ("rgb" in flags)


def test_pictures_labels_and_keypoints_stay_aligned():
    root = lookalikes.folder("viton_hd", layout="resized")
    example = viton_hd.open_split("base", "train", root)[0]
    for name, part in (("nose", "face"), ("left_shoulder", "upper"), ("left_hip", "upper")):
        x, y, seen = example["keypoints"][KEYPOINT[name]].astype(int)
        assert seen and example["person_segmentation"][y, x] == PART[part], name
    mask = example["mask"][..., 0] > 0
    np.testing.assert_array_equal(mask, example["person_segmentation"] > 0)
    inner = np.abs(example["front_rgb"] - example["person"])[mask]
    assert np.median(inner) < 0.01
    # Cut off above the knees: as tall a person in the square as a whole one, of whom the lower part is missing.
    rows = np.flatnonzero(mask.any(1))
    assert 0.45 < np.ptp(rows) / (0.9 * 256) < 0.75
    assert abs(example["camera"][0] * 256 * 0.9 - 1.7) < 0.15


# ---- the parts that it is made of


def test_colours_at_the_rim_are_the_persons_own():
    rng = np.random.default_rng(0)
    mask = np.hypot(*(np.mgrid[:200, :150] - [[[100.0]], [[75.0]]])) < 60
    points = np.zeros((17, 3), np.float32)
    person = {
        "rgb": np.where(mask[..., None], [200, 30, 30], rng.integers(0, 255, (200, 150, 3))).astype(np.uint8),
        "segmentation": mask.astype(np.int32), "keypoints": points,
    }  # fmt: skip
    garment = {"rgb": np.zeros((8, 8, 3), np.uint8), "mask": np.ones((8, 8)), "garment_class": 0}
    example, _ = photographs.example(person, garment, 32, True, "", "photo")
    inside = example["mask"][..., 0] > 0
    assert np.abs(example["front_rgb"][inside] - np.array([200, 30, 30]) / 255).max() < 0.02


def test_at_centres_is_what_lies_under_each_centre():
    array = np.arange(20.0).reshape(4, 5)
    frame = standardize.Frame(-2.0, 0.0, 4.0, 1.0, (0, 0))
    np.testing.assert_array_equal(photographs.at_centres(array, frame, 2), [[0, array[1, 1]], [0, array[3, 1]]])


def test_gloves_and_socks_go_to_the_nearer_side():
    numbers = np.zeros((4, 12), np.uint8)
    numbers[1, 1:3], numbers[1, 8:10] = 17, 16  # the own right leg is at the left of the picture
    numbers[2, 1], numbers[2, 9], numbers[2, 4] = 8, 8, 8
    found = labels.parts(numbers, labels.LIP)
    assert found[2, 1] == found[2, 4] == PART["right_leg"] and found[2, 9] == PART["left_leg"]
    alone = labels.parts(np.where(numbers == 8, 3, 0), labels.LIP)
    assert alone[2, 1] == PART["right_hand"] and alone[2, 9] == PART["left_hand"]


def test_every_label_has_a_meaning():
    assert len(labels.LIP) == 20 and len(labels.ATR) == len(labels.ATR_DRESSED) == 18
    assert set(labels.LIP + labels.ATR_DRESSED) - set(PARTS) == {"hand", "leg"}


@pytest.mark.parametrize("order", [keypoints.BODY_25, keypoints.COCO_18])
def test_keypoint_orders_keep_left_and_right(order):
    # OpenPose's first 15 of 25, and 14 of 18, run nose, neck, right arm, left arm, then hips and legs, right first.
    assert len(set(order)) == len(KEYPOINTS)
    for joint, first in (("shoulder", 2), ("elbow", 3), ("wrist", 4)):
        assert order[KEYPOINT[f"right_{joint}"]] == first and order[KEYPOINT[f"left_{joint}"]] == first + 3
    hip = 9 if order is keypoints.BODY_25 else 8
    for index, joint in enumerate(("hip", "knee", "ankle")):
        assert order[KEYPOINT[f"right_{joint}"]] == hip + index and order[KEYPOINT[f"left_{joint}"]] == hip + 3 + index


def test_joints_out_of_sight_are_placed_by_those_seen():
    points = np.zeros((17, 3), np.float32)
    for name, (aside, high) in keypoints.STANDING.items():
        points[KEYPOINT[name]] = [100 + 400 * aside, 500 - 400 * high, 1]
    mask = np.zeros((600, 200), bool)
    for hidden in (["nose", "left_shoulder", "right_shoulder"], ["left_hip", "right_hip", "left_ankle", "right_ankle"]):
        few = points.copy()
        few[[KEYPOINT[name] for name in hidden]] = 0
        found = keypoints.placed(few, mask)
        np.testing.assert_allclose(found[:, :2], points[:, :2], atol=0.01)
        np.testing.assert_array_equal(found[:, 2], few[:, 2])
    mask[100:500, 60:140] = True
    nobody = keypoints.placed(np.zeros((17, 3)), mask)
    np.testing.assert_allclose(nobody[:, :2], points[:, :2], atol=0.01)


# ---- refusals: each is one line that names the file


def damage(root, what):
    train = root / "train"
    image, parse = train / "image" / "00000_00.jpg", train / "image-parse-v3" / "00000_00.png"
    pose = train / "openpose_json" / "00000_00_keypoints.json"
    if what == "a truncated photo":
        image.write_bytes(image.read_bytes()[:2000])
    elif what == "no picture at all":
        image.write_bytes(b"not a picture")
    elif what == "another size":
        Image.new("RGB", (384, 512)).save(image)
    elif what == "another mode":
        Image.new("RGBA", viton_hd.SIZE).save(parse)
    elif what == "a label out of range":
        Image.new("L", viton_hd.SIZE, 20).save(parse)
    elif what == "nobody":
        Image.new("L", viton_hd.SIZE, 0).save(parse)
    elif what == "broken keypoints":
        pose.write_text(pose.read_text()[:50])
    elif what == "too few keypoints":
        pose.write_text(json.dumps({"people": [{"pose_keypoints_2d": [1.0] * 54}]}))
    elif what == "a NaN among the keypoints":
        pose.write_text(json.dumps({"people": [{"pose_keypoints_2d": [float("nan")] * 75}]}))
    elif what == "an empty garment mask":
        Image.new("L", viton_hd.SIZE, 100).save(train / "cloth-mask" / "00000_00.jpg")
    return {"a truncated photo": image, "no picture at all": image, "another size": image, "nobody": image}.get(
        what, image if what.startswith("an empty") else pose if "keypoints" in what else parse
    )


@pytest.mark.parametrize(
    "what",
    [
        "a truncated photo", "no picture at all", "another size", "another mode", "a label out of range", "nobody",
        "broken keypoints", "too few keypoints", "a NaN among the keypoints", "an empty garment mask",
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(what, tmp_path):
    root = lookalikes.copy("viton_hd", tmp_path, layout="resized")
    place = damage(root, what)
    source = viton_hd.open_split("smoke", "train", root)
    with pytest.raises(UserError) as raised:
        source[0]
    assert str(raised.value).startswith(f"{place}: ") and "\n" not in str(raised.value)
    source[1]


def test_a_missing_copy_says_where_to_ask_for_it(tmp_path):
    for folder in ("", tmp_path / "nothing"):
        with pytest.raises(UserError) as raised:
            viton_hd.open_split("smoke", "train", folder)
        for part in (viton_hd.TERMS.where, "CC BY-NC 4.0", "image-parse-v3", "data.folder"):
            assert part in str(raised.value)
        assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="smoke"):
        viton_hd.open_split("tiny", "train", tmp_path)


def test_an_incomplete_copy_is_refused_when_it_is_opened(tmp_path):
    root = lookalikes.copy("viton_hd", tmp_path, layout="first")
    (root / "test" / "cloth" / "00003_00.jpg").unlink()
    with pytest.raises(UserError, match="1 of 2 files are missing, 00003_00.jpg"):
        viton_hd.open_split("smoke", "test", root)
    viton_hd.open_split("smoke", "train", root)
    (root / "train" / "openpose-json").rename(root / "train" / "poses")
    with pytest.raises(UserError, match="no folder openpose_json or openpose-json"):
        viton_hd.open_split("smoke", "train", root)
    (root / "test_pairs.txt").unlink()
    with pytest.raises(UserError, match="test_pairs.txt: no such file"):
        viton_hd.open_split("smoke", "test", root)


@pytest.mark.parametrize(
    ("text", "message"), [("", "no pairs"), ("a.jpg b.jpg\nc.jpg\n", "line 2"), ("../a.jpg b.jpg", "line 1")]
)
def test_bad_pairs_are_refused(text, message, tmp_path):
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        pairs.read(tmp_path / "pairs.txt", viton_hd.TERMS)


# ---- the command line of the look-alikes, and prepared copies


def test_the_command_writes_a_look_alike(tmp_path, capsys):
    from tryon_jax.data.lookalike import __main__ as command

    assert command.main(["--dataset=cloth3d", f"--root={tmp_path / 'made'}", "--count=2"]) == 0
    assert command.main(["--dataset=cloth3d", f"--root={tmp_path / 'made'}", "--count=2"]) == 1
    assert command.main(["--dataset=viton_hd", f"--root={tmp_path / 'one'}", "--count=1"]) == 1
    assert capsys.readouterr().err.count("error: ") == 2
    example = lookalikes.person(0)
    cut = command._of_class(example, "lower")
    assert command._of_class(example, "upper") is example and command._of_class(example, "dress") is None
    assert cut["garment_class"] == 1 and abs(max(cut["garment_mask"].any(axis).mean() for axis in (0, 1)) - 0.88) < 0.05


class InThisProcess:
    """Stands in for staging.make: spawned processes would import everything again."""

    def __call__(self, folder, wanted, maker, workers, label):
        from tryon_jax.data.synthetic import staging

        for chunk in wanted:
            staging.write(folder, chunk, [maker(chunk.split, number) for number in range(chunk.first, chunk.last)])


def test_a_prepared_copy_holds_the_same_examples(tmp_path, monkeypatch):
    monkeypatch.setattr(builder.staging, "make", InThisProcess())
    root = lookalikes.folder("viton_hd", layout="resized")
    place = builder.prepare("viton_hd", "smoke", str(root), str(tmp_path))
    assert place == builder.prepare("viton_hd", "smoke", str(root), str(tmp_path))
    assert prepared.is_prepared(place) and not prepared.is_prepared(root)
    for split in ("test", "test_unpaired"):
        ours, direct = viton_hd.open_split("smoke", split, place), viton_hd.open_split("smoke", split, root)
        assert len(ours) == len(direct) == 2
        example, wanted = ours[1], direct[1]
        data.check({key: value for key, value in example.items() if key != "caption"}, 32)
        assert example["has"] == wanted["has"] and example["caption"] == wanted["caption"]
        for key in ("person_segmentation", "front_segmentation", "keypoints", "camera", "same_garment", "mask"):
            np.testing.assert_array_equal(example[key], wanted[key], err_msg=key)
        for key in ("person", "garment", "front_rgb"):
            assert np.abs(example[key] - wanted[key]).max() <= 0.5 / 255 + 1e-6
    with pytest.raises(UserError, match="prepared at 32 pixels"):
        viton_hd.open_split("cpu", "test", place)
    with pytest.raises(UserError, match="no such folder"):
        builder.prepare("viton_hd", "smoke", str(tmp_path / "nothing"), str(tmp_path / "elsewhere"))
    (place / "features.json").write_text("{}")
    with pytest.raises(UserError, match="delete it"):
        viton_hd.open_split("smoke", "test", place)
