"""A photo is framed as the synthetic data frames its people, whatever the photo's own size and cut."""

import numpy as np
import pytest
from PIL import Image

from tryon_jax import data
from tryon_jax.data import standardize
from tryon_jax.geometry import camera
from tryon_jax.geometry.parts import KEYPOINT, KEYPOINTS, PART

# Offsets to the picture's right and heights above the floor, over the standing height.
FIGURE = {
    "nose": (0.0, 0.913), "left_shoulder": (0.1, 0.82), "right_shoulder": (-0.1, 0.82), "left_hip": (0.05, 0.551),
    "right_hip": (-0.05, 0.551), "left_ankle": (0.06, 0.047), "right_ankle": (-0.06, 0.047),
}  # fmt: skip


def _person(height=400, size=(600, 500), feet=(250, 550)):
    """A block figure `height` pixels tall with its feet at pixel x, y of a photo of `size` (H, W)."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    mask = (np.abs(columns + 0.5 - feet[0]) < 0.12 * height) & (rows >= feet[1] - height) & (rows < feet[1])
    points = np.zeros((len(KEYPOINTS), 3), np.float32)
    for name, (x, y) in FIGURE.items():
        points[KEYPOINT[name]] = [feet[0] + x * height, feet[1] - y * height, 1.0]
    inside = ((points[:, :2] >= 0) & (points[:, :2] < size[::-1])).all(1)
    points[:, 2] *= inside
    rgb = np.where(mask[..., None], [200, 30, 40], [10, 120, 60]).astype(np.uint8)
    labels = np.where(mask, PART["upper"], 0).astype(np.int32)
    return {"rgb": rgb, "mask": mask.astype(np.float32), "keypoints": points, "segmentation": labels}


def _garment(box=(30, 100, 90, 160), size=(120, 200)):
    mask = np.zeros(size, np.float32)
    mask[box[0] : box[2], box[1] : box[3]] = 1
    rgb = np.where(mask[..., None] > 0, [20, 40, 220], [200, 180, 20]).astype(np.uint8)
    return {"rgb": rgb, "mask": mask, "garment_class": 2}


def test_the_example_keeps_the_contract():
    for size in (32, 64):
        example = standardize.standardize(_person(), _garment(), size)
        data.check(example, size)
        assert example["has"]["keypoints"] == 1 and example["has"]["depth"] == 0 and example["garment_class"] == 2


def test_the_person_fills_nine_tenths_and_stands_in_the_middle():
    labels = standardize.standardize(_person(), _garment(), 200)["person_segmentation"]
    rows, columns = np.nonzero(labels)
    assert abs((rows.max() + 1 - rows.min()) / 200 - standardize.FILL) < 0.01
    middle = [(axis.max() + 1 + axis.min()) / 2 for axis in (rows, columns)]
    np.testing.assert_allclose(middle, 100, atol=1.5)


def test_picture_labels_and_keypoints_stay_aligned():
    person = _person()
    example = standardize.standardize(person, _garment(), 240)
    red = example["person"][..., 0] > 0.45
    assert (red == (example["person_segmentation"] > 0)).mean() > 0.99
    x, y, seen = example["keypoints"][KEYPOINT["nose"]]
    top = np.nonzero(red)[0].min()
    assert seen == 1 and abs(y - (top + 0.087 * standardize.FILL * 240)) < 1.5 and abs(x - 120) < 1


def test_the_camera_is_metric():
    example = standardize.standardize(_person(), _garment(), 128)
    points = example["keypoints"]
    pixels = np.concatenate([points[:, :2], points[:, :1] * 0], axis=1)
    metres = np.asarray(camera.unproject(example["camera"], pixels, (128, 128)))
    for name, (x, y) in FIGURE.items():
        np.testing.assert_allclose(metres[KEYPOINT[name], :2], [x * 1.7, y * 1.7], atol=0.02)


def test_size_of_the_photo_does_not_matter():
    small = standardize.standardize(_person(400), _garment(), 64)
    large = standardize.standardize(_person(800, (1200, 1000), (500, 1100)), _garment(), 64)
    np.testing.assert_allclose(small["camera"], large["camera"], rtol=0.02, atol=0.01)
    assert np.abs(small["person"] - large["person"]).mean() < 0.01


def test_a_cut_off_figure_keeps_its_scale():
    whole = standardize.standardize(_person(400), _garment(), 128)
    person = _person(400, (380, 500), (250, 550))  # the photo ends above the knees
    cut = standardize.standardize(person, _garment(), 128)
    np.testing.assert_allclose(cut["camera"], whole["camera"], rtol=0.05, atol=0.05)
    frame = standardize.frame_person(person)
    mask, known = standardize.crop_mask(person, frame, 128)
    assert known[64, 64] == 1 and known[120, 64] == 0 and mask[known < 0.5].max() <= 0.5
    # What lies outside the photo has the ground's colour, not smeared trousers.
    np.testing.assert_allclose(cut["person"][120, 64] * 255, [10, 120, 60], atol=1)
    assert cut["keypoints"][KEYPOINT["left_ankle"], 2] == 0


def test_the_garment_is_centred_on_a_near_white_ground():
    for box in ((30, 100, 90, 160), (0, 0, 120, 60), (40, 10, 60, 190)):
        example = standardize.standardize(_person(), _garment(box), 100)
        mask = example["garment_mask"][..., 0] > 0.5
        rows, columns = np.nonzero(mask)
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert abs(longest - 88) <= 1 and abs(rows.mean() - 49.5) < 1 and abs(columns.mean() - 49.5) < 1
        np.testing.assert_allclose(example["garment"][0, 0], standardize.GROUND, atol=1e-6)
        np.testing.assert_allclose(example["garment"][50, 50], np.array([20, 40, 220]) / 255, atol=1e-3)
        # Nothing of the old yellow ground is left, not even at the edge.
        assert (example["garment"][..., 2] >= 0.8).all()


def test_a_larger_size_shows_the_same_picture():
    small, large = (standardize.standardize(_person(), _garment(), size) for size in (64, 256))
    shrunk = np.asarray(Image.fromarray((large["person"] * 255).astype(np.uint8)).resize((64, 64), Image.BOX)) / 255
    assert np.abs(shrunk - small["person"]).mean() < 0.01
    np.testing.assert_allclose(large["camera"] * [4, 1, 1], small["camera"], rtol=1e-5)


def test_empty_masks_are_refused():
    person, garment = _person(), _garment()
    with pytest.raises(ValueError, match="mask"):
        standardize.standardize({**person, "mask": person["mask"] * 0}, garment, 32)
    with pytest.raises(ValueError, match="mask"):
        standardize.standardize(person, {**garment, "mask": garment["mask"] * 0}, 32)


def test_it_is_no_data_set():
    assert "standardize" not in data.names()
