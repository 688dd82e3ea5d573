"""Faults planted into copies of VITON-HD and Dress Code, one a test: each is found, and nothing besides."""

import functools
import json
import shutil

import doctored
import numpy as np
import pytest
from PIL import Image

FAULTS = []
viton = functools.partial(doctored.planted, FAULTS, "viton_hd", "resized")
first = functools.partial(doctored.planted, FAULTS, "viton_hd", "first")
dress = functools.partial(doctored.planted, FAULTS, "dress_code", "")


def edit(path, change):
    """Writes a text file anew as change(text) of it."""
    path.write_text(change(path.read_text()))


def scaled(path, factor):
    """Multiplies the places of OpenPose's keypoints."""
    document = json.loads(path.read_text())
    points = np.reshape(document["people"][0]["pose_keypoints_2d"], (25, 3)) * [factor, factor, 1]
    document["people"][0]["pose_keypoints_2d"] = points.ravel().tolist()
    path.write_text(json.dumps(document))


# ---- damaged files, modes, sizes and labels


@viton("damaged file", "train/image/00000_00.jpg")
def truncated_photo(root):
    path = root / "train/image/00000_00.jpg"
    path.write_bytes(path.read_bytes()[:-3000])


@viton("damaged file", "test/cloth/00003_00.jpg")
def garment_without_bytes(root):
    (root / "test/cloth/00003_00.jpg").write_bytes(b"")


@viton("damaged file", "train/image-parse-v3/00001_00.png")
def truncated_label_map(root):
    path = root / "train/image-parse-v3/00001_00.png"
    path.write_bytes(path.read_bytes()[:1500])


@viton("damaged file", "test/openpose_json/00002_00_keypoints.json")
def broken_keypoints(root):
    edit(root / "test/openpose_json/00002_00_keypoints.json", lambda text: text[:60])


@viton("picture mode", "train/image-parse-v3/00000_00.png")
def label_map_in_colours(root):
    path = root / "train/image-parse-v3/00000_00.png"
    Image.open(path).convert("RGB").save(path)


@viton("picture mode", "train/cloth-mask/00001_00.jpg")
def mask_in_colours(root):
    path = root / "train/cloth-mask/00001_00.jpg"
    Image.open(path).convert("RGB").save(path)


@viton("label range", "test/image-parse-v3/00003_00.png")
def label_20(root):
    doctored.rewrite(root / "test/image-parse-v3/00003_00.png", lambda parse: np.where(parse == 13, 20, parse))


@first("label range", "train/image-parse/00000_00.png")
def label_map_as_grey_picture(root):
    path = root / "train/image-parse/00000_00.png"
    Image.open(path).convert("L").save(path)  # the palette's brightness in place of the numbers


@viton("picture size", "train/image-parse-v3/00000_00.png")
def label_map_of_another_size(root):
    doctored.rewrite(root / "train/image-parse-v3/00000_00.png", lambda parse: parse[::2, ::2])


@viton("picture size", "train/image/00000_00.jpg")
def photo_of_another_size(root):
    doctored.rewrite(root / "train/image/00000_00.jpg", lambda photo: photo[:, 64:-64])


@viton("nobody found", "test/image-parse-v3/00003_00.png")
def nobody(root):
    doctored.rewrite(root / "test/image-parse-v3/00003_00.png", np.zeros_like)


# ---- the tree and its files of pairs


@viton("absent file", "test/cloth/00002_00.jpg")
def listed_garment_absent(root):
    (root / "test/cloth/00002_00.jpg").unlink()


@viton("absent file", "train/image/00001_00.jpg")
def listed_photo_under_another_ending(root):
    (root / "train/image/00001_00.jpg").rename(root / "train/image/00001_00.png")


@viton("absent folder", "train/openpose_json")
def absent_folder(root):
    shutil.rmtree(root / "train/openpose_json")


@viton("file of pairs", "train_pairs.txt")
def line_of_one_name(root):
    edit(root / "train_pairs.txt", lambda text: text + "00001_00.jpg\n")


@viton("file names", "test_pairs.txt")
def names_of_six_digits(root):
    edit(root / "test_pairs.txt", lambda text: text + "000002_0.jpg 000003_1.jpg\n")


@viton("repeated line", "test_pairs.txt")
def repeated_line(root):
    edit(root / "test_pairs.txt", lambda text: text + text.splitlines()[0] + "\n")


@viton("overlap by name", "train_pairs.txt")
def person_in_both_parts(root):
    for path in list((root / "train").glob("*/00000_00*")):
        shutil.copy(path, root / "test" / path.parent.name)
    edit(root / "test_pairs.txt", lambda text: text + "00000_00.jpg 00002_00.jpg\n")


@viton("overlap by content", "train/image/00001_00.jpg")
def person_in_both_parts_under_two_names(root):
    for path in list((root / "test").glob("*/00003_00*")):
        shutil.copy(path, root / "train" / path.parent.name / path.name.replace("00003", "00001"))


# ---- masks


@viton("picture as mask", "train/agnostic-mask/00000_00_mask.png")
def agnostic_picture_as_mask(root):
    with Image.open(root / "train/agnostic-v3.2/00000_00.jpg") as picture:
        picture.save(root / "train/agnostic-mask/00000_00_mask.png")


@viton("picture as mask", "train/agnostic-mask/00001_00_mask.png")
def grey_agnostic_picture_as_mask(root):
    with Image.open(root / "train/agnostic-v3.2/00001_00.jpg") as picture:
        picture.convert("L").save(root / "train/agnostic-mask/00001_00_mask.png")


@viton("inverted mask", "test/agnostic-mask/00002_00_mask.png")
def inverted_agnostic_mask(root):
    doctored.rewrite(root / "test/agnostic-mask/00002_00_mask.png", lambda mask: 255 - mask)


@viton("misplaced mask", "test/agnostic-mask/00003_00_mask.png")
def agnostic_mask_upside_down(root):
    doctored.rewrite(root / "test/agnostic-mask/00003_00_mask.png", lambda mask: np.roll(mask, 400, 0) * (mask < 9))


@viton("empty mask", "train/agnostic-mask/00001_00_mask.png")
def empty_agnostic_mask(root):
    doctored.rewrite(root / "train/agnostic-mask/00001_00_mask.png", np.zeros_like)


@viton("full mask", "train/cloth-mask/00001_00.jpg")
def full_garment_mask(root):
    doctored.rewrite(root / "train/cloth-mask/00001_00.jpg", lambda mask: np.full_like(mask, 255))


@first("inverted mask", "test/cloth-mask/00003_00.jpg")
def inverted_garment_mask(root):
    doctored.rewrite(root / "test/cloth-mask/00003_00.jpg", lambda mask: 255 - mask)


# ---- what does not belong together


@viton("mirrored", "train/image-parse-v3/00000_00.png")
def mirrored_label_map(root):
    doctored.rewrite(root / "train/image-parse-v3/00000_00.png", lambda parse: parse[:, ::-1])


@first("mirrored", "test/image/00003_00.jpg")
def mirrored_photo(root):
    doctored.rewrite(root / "test/image/00003_00.jpg", lambda photo: photo[:, ::-1])


@viton("mirrored", "test/openpose_json/00002_00_keypoints.json")
def mirrored_keypoints(root):
    path = root / "test/openpose_json/00002_00_keypoints.json"
    document = json.loads(path.read_text())
    points = np.reshape(document["people"][0]["pose_keypoints_2d"], (25, 3))
    points[:, 0] = np.where(points[:, 2] > 0, 768 - points[:, 0], 0)
    document["people"][0]["pose_keypoints_2d"] = points.ravel().tolist()
    path.write_text(json.dumps(document))


@viton("keypoint space", "train/openpose_json/00001_00_keypoints.json")
def keypoints_of_half_the_size(root):
    scaled(root / "train/openpose_json/00001_00_keypoints.json", 0.5)


@first("keypoint space", "train/openpose-json/00000_00_keypoints.json")
def keypoints_of_twice_the_size(root):
    scaled(root / "train/openpose-json/00000_00_keypoints.json", 2)


# ---- Dress Code


@dress("keypoint space", "dresses/keypoints/013567_2.json")
def keypoints_in_pixels(root):
    path = root / "dresses/keypoints/013567_2.json"
    points = np.array(json.loads(path.read_text())["keypoints"]) * [2, 2, 1, 1]
    path.write_text(json.dumps({"keypoints": points.tolist()}))


@dress("label range", "upper_body/label_maps/013563_4.png")
def label_18(root):
    doctored.rewrite(root / "upper_body/label_maps/013563_4.png", lambda parse: np.where(parse == 14, 18, parse))


@dress("picture size", "lower_body/label_maps/013566_4.png")
def label_map_of_a_third(root):
    doctored.rewrite(root / "lower_body/label_maps/013566_4.png", lambda parse: parse[::3, ::3])


@dress("mirrored", "upper_body/label_maps/013563_4.png")
def mirrored_label_map_of_18(root):
    doctored.rewrite(root / "upper_body/label_maps/013563_4.png", lambda parse: parse[:, ::-1])


@dress("absent file", "lower_body/images/013565_1.jpg")
def garment_absent(root):
    (root / "lower_body/images/013565_1.jpg").unlink()


@dress("absent file", "upper_body/test_pairs_unpaired.txt")
def list_absent(root):
    (root / "upper_body/test_pairs_unpaired.txt").unlink()


@dress("overlap by name", "dresses/train_pairs.txt")
def training_person_in_the_test_list(root):
    for name in ("paired", "unpaired"):
        edit(root / f"dresses/test_pairs_{name}.txt", lambda text: text + "013567_0.jpg\t013567_1.jpg\n")


@dress("unpaired pair", "upper_body/train_pairs.txt")
def unpaired_list_for_training(root):
    edit(root / "upper_body/train_pairs.txt", lambda text: text.replace("013563_1", "013564_1"))


@dress("empty mask", "upper_body/images/013564_1.jpg")
def blank_garment(root):
    doctored.rewrite(root / "upper_body/images/013564_1.jpg", lambda picture: np.full_like(picture, 250))


@pytest.mark.parametrize(("name", "layout", "damage", "kind", "file"), FAULTS)
def test_a_planted_fault_is_found(name, layout, damage, kind, file, tmp_path):
    assert doctored.found(name, layout, damage, tmp_path) == [(kind, file)]


def test_masks_of_three_equal_channels_are_no_fault(tmp_path):
    root = doctored.copy("viton_hd", tmp_path, "resized")
    path = root / "train/agnostic-mask/00000_00_mask.png"
    Image.open(path).convert("RGB").save(path)
    assert doctored.doctor.examine("viton_hd", root).findings == []


def test_label_maps_of_half_the_photo_are_no_fault(tmp_path):
    root = doctored.copy("dress_code", tmp_path)
    doctored.rewrite(root / "upper_body/label_maps/013563_4.png", lambda parse: parse[::2, ::2])
    assert doctored.doctor.examine("dress_code", root).findings == []
