"""MPV-3D: files are read as they were written, its depth in particular; pairs are right; what is damaged is named."""

import lookalikes
import numpy as np
import pytest
from PIL import Image
from test_viton_hd import rewritten

from tryon_jax import data
from tryon_jax.data import mpv3d, standardize
from tryon_jax.data.formats import labels
from tryon_jax.data.lookalike import canvas, viton_hd
from tryon_jax.data.lookalike import mpv3d as writer
from tryon_jax.errors import UserError
from tryon_jax.geometry import camera
from tryon_jax.geometry.parts import KEYPOINT

PERSON, CLOTH = "LOOK0000A-A11@9=person_whole_front.png", "LOOK0000A-A11@12=cloth_front.jpg"


@pytest.fixture(scope="module")
def root():
    return lookalikes.folder("mpv3d")


@pytest.fixture(scope="module")
def example(root):
    return mpv3d.open_split("base", "train", root)[0]


def test_files_hold_what_was_written(root):
    written = lookalikes.people(writer.CLASSES)["train"][0]
    at, person = writer.placement(written), mpv3d.read_person(root, PERSON)
    np.testing.assert_array_equal(person["rgb"], canvas.enlarged(canvas.photo(written, (0, 0, 0)), at))
    wanted = rewritten(canvas.enlarged(written["front_segmentation"], at), viton_hd.NUMBERS, labels.LIP)
    np.testing.assert_array_equal(person["segmentation"], wanted)
    np.testing.assert_allclose(person["keypoints"], canvas.points_on(written["keypoints"], at), atol=6e-4)
    cut = canvas.enlarged(written["garment_mask"][..., 0] > 0.5, canvas.placed((0, 0, 64, 64), mpv3d.SIZE, 0))
    assert (mpv3d.read_garment(root, CLOTH)["mask"] == cut).mean() > 0.998


def test_window_depth_is_decoded_by_hand(tmp_path):
    """Of a camera at z = 2 with near 1 and far 3, window depth 0.25 is z = 0.5; the camera behind sees it mirrored."""
    front, back = (np.zeros((512, 320), np.float32) for _ in range(2))
    front[100, 40], back[100, 319 - 40] = 0.25, 0.375
    (tmp_path / "depth").mkdir()
    for side, depth in (("front", front), ("back", back)):
        np.save(tmp_path / "depth" / f"A@1=person_whole_{side}_depth.npy", depth)
    found = mpv3d.read_depths(tmp_path, "A@1=person_whole_front.png")
    assert found["front"][100, 40] == 0.5 and found["back"][100, 40] == -0.25
    assert found["solid"].sum() == 1 and found["solid"][100, 40] and np.count_nonzero(found["back"]) == 1


def test_depth_comes_back_within_a_step(root):
    written = lookalikes.people(writer.CLASSES)["train"][0]
    at, found = writer.placement(written), mpv3d.read_depths(root, PERSON)
    mask = written["mask"][..., 0] > 0
    solid = canvas.enlarged(mask, at)
    units = at.scale / written["camera"][0] / mpv3d.UNIT
    np.testing.assert_array_equal(found["solid"], solid)
    for side in ("front", "back"):
        wanted = canvas.smoothed(written[f"{side}_depth"][..., 0] * units, mask, at)
        # Window depth near a half has steps of 2^-24 or 2^-25; z is twice it.
        assert np.abs(found[side] - wanted)[solid].max() < 2**-22


def test_sheets_are_metric_and_true_to_shape(example, root):
    """The person is an ellipsoid: its thickness over its height, and its normals, are known."""
    data.check({key: value for key, value in example.items() if key != "caption"}, 256)
    written = lookalikes.people(writer.CLASSES)["train"][0]
    assert {name for name, flag in example["has"].items() if flag} == {
        "rgb", "mask", "segmentation", "depth", "normals", "keypoints", "person_segmentation"
    }  # fmt: skip
    mask = example["mask"][..., 0] > 0
    rows, columns = np.nonzero(mask)
    thickness = (example["front_depth"] - example["back_depth"])[..., 0]
    tall = (np.ptp(rows) + 1) * example["camera"][0]
    wanted = 2 * written["front_depth"].max() / 1.6  # the egg is 1.6 m tall
    assert abs(tall - standardize.HEIGHT) < 0.06 and abs(thickness.max() / tall / wanted - 1) < 0.03
    assert (thickness[mask] >= 0).all() and not example["front_depth"][~mask].any()
    points = np.stack([columns + 0.5, rows + 0.5, example["front_depth"][rows, columns, 0]], -1).astype(np.float32)
    points = np.asarray(camera.unproject(example["camera"], points, (256, 256)))
    low, high = points.min(0), points.max(0)
    axes = (high - low)[:2] / 2
    depth_axis = thickness.max() / 2
    middle = (thickness > 0.5 * thickness.max())[rows, columns]
    offset = points - [*(low + high)[:2] / 2, high[2] - depth_axis]
    normals = offset / np.array([*axes, depth_axis]) ** 2
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    for side, mirror in (("front", 1), ("back", -1)):
        found = example[f"{side}_normals"][rows, columns]
        assert (mirror * found[:, 2] >= 0).all()
        cosine = (found * normals * [1, 1, mirror]).sum(-1)[middle]
        # Slopes of a depth that was written at 64 pixels are stepped.
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 4


def test_the_hips_lie_where_those_of_made_people_do(example):
    x, y = example["keypoints"][[KEYPOINT["left_hip"], KEYPOINT["right_hip"]], :2].astype(int).T
    middle = (example["front_depth"] + example["back_depth"])[y, x, 0] / 2
    np.testing.assert_allclose(middle, mpv3d.HIPS, atol=0.005)


def test_the_mask_is_where_photo_and_depth_agree(tmp_path):
    root = lookalikes.copy("mpv3d", tmp_path)
    whole = mpv3d.open_split("smoke", "train", root)[0]
    path = root / "depth" / f"{PERSON.removesuffix('front.png')}back_depth.npy"
    depth = np.load(path)
    depth[: depth.shape[0] // 2] = 0
    np.save(path, depth)
    half = mpv3d.open_split("smoke", "train", root)[0]
    assert not half["mask"][:15].any() and (half["mask"] <= whole["mask"]).all()
    np.testing.assert_array_equal(half["mask"][17:], whole["mask"][17:])
    assert not half["front_rgb"][:15].any() and half["person_segmentation"][:15].any()


def test_splits_and_pairs(root, tmp_path):
    sources = {split: mpv3d.open_split("smoke", split, root) for split in mpv3d.SPLITS}
    assert {split: len(source) for split, source in sources.items()} == dict.fromkeys(mpv3d.SPLITS, 2)
    paired, unpaired = sources["test"][0], sources["test_unpaired"][0]
    assert paired["same_garment"] == 1 and paired["has"]["depth"] == 1
    assert unpaired["same_garment"] == 0 and not any(unpaired["has"][name] for name in ("rgb", "depth", "mask"))
    np.testing.assert_array_equal(paired["person"], unpaired["person"])
    np.testing.assert_array_equal(unpaired["garment"], sources["test"][1]["garment"])
    # Who has no garment of the own product is left out of the paired split.
    copy = lookalikes.copy("mpv3d", tmp_path)
    (copy / "cloth" / "LOOK0002A-A11@12=cloth_front.jpg").unlink()
    assert len(mpv3d.open_split("smoke", "test", copy)) == 1
    with pytest.raises(UserError, match="1 of 2 files are missing"):
        mpv3d.open_split("smoke", "test_unpaired", copy)


@pytest.mark.parametrize("what", ["truncated", "float64", "shape", "NaN", "range", "nowhere", "parse", "photo"])
def test_a_damaged_file_is_named(what, tmp_path):
    root = lookalikes.copy("mpv3d", tmp_path)
    place = root / "depth" / f"{PERSON.removesuffix('.png')}_depth.npy"
    depth = np.load(place)
    if what == "truncated":
        place.write_bytes(place.read_bytes()[:3000])
    elif what == "float64":
        np.save(place, depth.astype(np.float64))
    elif what == "shape":
        np.save(place, depth.T)
    elif what in ("NaN", "range"):
        depth[5, 5] = np.nan if what == "NaN" else 1.5
        np.save(place, depth)
    elif what == "nowhere":
        place = root / "depth" / f"{PERSON.removesuffix('front.png')}back_depth.npy"
        np.save(place, np.zeros_like(depth))
    elif what == "parse":
        place = root / "image-parse" / f"{PERSON.removesuffix('.png')}_label.png"
        Image.new("RGB", mpv3d.SIZE).save(place)
    else:
        place = root / "image" / PERSON
        Image.new("RGB", (192, 256)).save(place)
    source = mpv3d.open_split("smoke", "train", root)
    with pytest.raises(UserError) as raised:
        source[0]
    assert str(raised.value).startswith(f"{place}: ") and "\n" not in str(raised.value)


def test_a_copy_that_is_missing_is_refused(tmp_path):
    with pytest.raises(UserError) as raised:
        mpv3d.open_split("smoke", "train", tmp_path / "nothing")
    assert all(part in str(raised.value) for part in (mpv3d.TERMS.where, "non-commercial", "test_pairs.txt"))
    root = lookalikes.copy("mpv3d", tmp_path)
    (root / "train_pairs.txt").write_text("a.png b.jpg")
    with pytest.raises(UserError, match="a.png b.jpg: not names"):
        mpv3d.open_split("smoke", "train", root)
