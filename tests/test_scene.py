"""Made examples keep the contract, agree with themselves, and share nothing between splits."""

import functools

import numpy as np
import pytest

from tryon_jax import data, garments
from tryon_jax.data import synthetic
from tryon_jax.geometry.parts import GARMENT_CLASSES, PART, PARTS
from tryon_jax.simulation import scene, specification, wardrobe

SIZE = 64


@functools.cache
def find(wanted, start=0):
    """Number and Specification of the first training example that `wanted` accepts."""
    return next(
        (number, spec) for number in range(start, 4096) if wanted(spec := specification.sample("train", number))
    )


def class_of(piece):
    return garments.load(piece.kind).CLASS


def design_of(piece):
    """The print on a piece that passed its gates at once, as most do."""
    return specification.pattern(piece, specification.cut(piece.kind, piece.garment_id, 0).fabric, 0)


def is_motif_shirt(spec):
    design = design_of(spec.chosen)
    plain_shapes = ("circle", "ring", "diamond", "bars")
    return (
        spec.chosen.kind == "tshirt"
        and not spec.same_garment
        and design.kind == "motif"
        and design.shape in plain_shapes
    )


WANTED = {
    name: (lambda spec, name=name: class_of(spec.chosen) == name and not spec.same_garment) for name in GARMENT_CLASSES
}
WANTED["same"] = lambda spec: spec.same_garment


@functools.cache
def made(name):
    """Specification and example, once for all tests."""
    _, spec = find(WANTED[name] if name != "motif" else is_motif_shirt)
    return spec, {**scene.example(spec, SIZE), "has": {key: np.float32(1) for key in data.HAS}}


@pytest.fixture(params=[*WANTED, "motif"])
def example(request):
    return made(request.param)


def test_contract(example):
    _, arrays = example
    data.check(arrays, SIZE)
    with pytest.raises(ValueError, match="mask"):
        data.check(arrays | {"mask": arrays["mask"][1:]}, SIZE)


def test_front_lies_before_back_and_both_share_the_mask(example):
    _, arrays = example
    on = arrays["mask"][..., 0] > 0
    assert 0.03 < on.mean() < 0.6
    assert (arrays["front_depth"] >= arrays["back_depth"]).all()
    for side, sign in (("front", 1), ("back", -1)):
        np.testing.assert_array_equal(arrays[f"{side}_segmentation"] > 0, on)
        for key in ("rgb", "depth", "normals", "garment_uv", "strain"):
            assert not arrays[f"{side}_{key}"][~on].any(), f"{side}_{key} off the mask"
        normals = arrays[f"{side}_normals"][on]
        np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-4)
        assert (sign * normals[:, 2] >= 0).all()
        assert (arrays[f"{side}_rgb"][on].max(-1) > 0).mean() > 0.99


def test_garment_coordinates_are_on_the_garment_only(example):
    spec, arrays = example
    label = PART[class_of(spec.chosen)]
    # The outline may be met one pixel off.
    near = np.max([np.roll(arrays["garment_mask"], shift, (0, 1)) for shift in np.ndindex(3, 3)], axis=0)
    near = np.roll(near, (-1, -1), (0, 1))
    for side in data.SIDES:
        worn = arrays[f"{side}_segmentation"] == label
        assert worn.sum() > 20
        assert not arrays[f"{side}_garment_uv"][~worn].any()
        inside = sampled(near, arrays[f"{side}_garment_uv"][worn])
        assert (inside > 0).mean() > 0.99, f"{side} coordinates point off the garment picture"


def sampled(picture, uv):
    """Nearest pixels [N, C] of a picture at coordinates [N, 2] of the contract."""
    side = len(picture)
    place = np.clip(((uv + 1) / 2 * side).astype(int), 0, side - 1)
    return picture[place[:, 1], place[:, 0]]


def test_garment_coordinates_lead_to_the_colour_that_is_worn():
    _, arrays = made("motif")
    worn = arrays["front_segmentation"] == PART["upper"]
    # Inner pixels only: at the edge of the garment a pixel's colour is a mean with its neighbours.
    inner = worn.copy()
    for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inner &= np.roll(worn, shift, axis)
    seen = arrays["front_rgb"][inner]
    picture = arrays["garment"]
    told = sampled(picture, arrays["front_garment_uv"][inner])
    mirrored = sampled(picture, arrays["front_garment_uv"][inner] * np.array([1, -1]))
    right = np.corrcoef(seen.mean(-1), told.mean(-1))[0, 1]
    wrong = np.corrcoef(seen.mean(-1), mirrored.mean(-1))[0, 1]
    assert right > 0.8 and right > wrong + 0.3, (right, wrong)


def test_the_motif_is_not_on_the_back():
    _, arrays = made("motif")
    spread = {}
    for side in data.SIDES:
        light = arrays[f"{side}_rgb"][arrays[f"{side}_segmentation"] == PART["upper"]].mean(-1)
        spread[side] = np.subtract(*np.percentile(light, [97, 3])) / np.median(light)
    assert spread["front"] > 1.5 * spread["back"], spread


@pytest.mark.parametrize("name", GARMENT_CLASSES)
def test_unpaired_truth_shows_the_other_garment(name):
    spec, arrays = made(name)
    assert spec.chosen in spec.sheets and spec.chosen not in spec.worn
    assert arrays["same_garment"] == 0
    worn = arrays["front_segmentation"] == PART[class_of(spec.chosen)]
    shop = arrays["garment"][arrays["garment_mask"][..., 0] > 0.9].mean(0)
    in_sheet = arrays["front_rgb"][worn].mean(0)
    assert np.abs(shop / shop.sum() - in_sheet / in_sheet.sum()).max() < 0.08, "the sheet is not in the shop's colours"
    hands = [PARTS.index(part) for part in ("face", "left_hand", "right_hand")]
    for part in hands:
        difference = (arrays["person_segmentation"] == part) != (arrays["front_segmentation"] == part)
        assert difference.mean() < 0.01, "photo and sheets do not show the same body"


def test_same_garment_is_the_photo_itself():
    _, arrays = made("same")
    on = arrays["mask"][..., 0] > 0
    np.testing.assert_array_equal(arrays["person_segmentation"], arrays["front_segmentation"])
    assert np.abs(arrays["person"] - arrays["front_rgb"])[on].mean() < 0.08  # what the camera makes of it
    assert arrays["same_garment"] == 1


def test_fine_pictures_are_of_the_same_person_place_and_light(example):
    _, arrays = example
    coarse = {key: halved(arrays[key]) for key in ("person_fine", "front_fine")}
    covered = coarse["front_fine"][..., 3:] > 0.999
    np.testing.assert_allclose(
        np.where(covered, coarse["front_fine"][..., :3], 0), np.where(covered, arrays["front_rgb"], 0), atol=2e-5
    )
    # The lens draws anew only its grain; JPEG has other blocks.
    assert np.abs(coarse["person_fine"] - arrays["person"]).mean() < 0.03
    silhouette = (coarse["front_fine"][..., 3] > 0.5) != (arrays["mask"][..., 0] > 0)
    assert silhouette.mean() < 0.02


def halved(picture):
    return picture.reshape(len(picture) // 2, 2, -1, 2, picture.shape[-1]).mean((1, 3))


def test_keypoints_lie_on_the_person(example):
    _, arrays = example
    x, y, seen = arrays["keypoints"].T
    near = arrays["mask"][..., 0] > 0
    near = near | np.roll(near, 1, 0) | np.roll(near, -1, 0) | np.roll(near, 1, 1) | np.roll(near, -1, 1)
    assert seen.all()
    assert near[y.astype(int), x.astype(int)].mean() > 0.9
    left, right = arrays["keypoints"][5], arrays["keypoints"][6]
    assert left[0] > right[0], "a person who faces the camera has the left shoulder on the picture's right"


def test_the_same_specification_gives_the_same_arrays():
    spec, arrays = made("upper")
    again = scene.example(spec, SIZE)
    for key, value in again.items():
        np.testing.assert_array_equal(value, arrays[key])


def test_splits_share_no_body_garment_or_print():
    identities = {
        split: [
            specification.sample(split, number).identities()
            for number in range(getattr(synthetic.PRESETS["cpu"], split))
        ]
        for split in specification.SPLITS
    }
    for key in ("body_id", "garment_ids", "print_ids"):
        train, test = (
            {int(value) for one in identities[split] for value in np.atleast_1d(one[key]) if value >= 0}
            for split in ("train", "test")
        )
        assert train and test and not train & test, key
    shares = np.mean([specification.sample("train", number).same_garment for number in range(2048)])
    assert shares == pytest.approx(specification.SAME_SHARE, abs=0.04)


def test_outfits_have_a_top_and_a_bottom_or_a_dress():
    for number in range(0, 4800, 8):
        spec = specification.sample("train", number)
        for outfit in (spec.sheets, spec.worn):
            parts = sorted(class_of(piece) for piece in outfit)
            assert parts in (["dress"], ["lower", "upper"], ["lower", "outer", "upper"])
        assert spec.chosen in spec.sheets
        if not spec.same_garment:
            assert spec.chosen not in spec.worn
            kept = set(spec.sheets) & set(spec.worn)
            assert len(kept) == {"dress": 0, "outer": 2}.get(class_of(spec.chosen), 1)
            assert {piece.garment_id for piece in spec.sheets} != {piece.garment_id for piece in spec.worn}


def test_captions_name_the_print_and_the_piece():
    for name, nouns in (
        ("lower", ("trousers", "shorts", "jeans", "skirt")),
        ("dress", ("dress",)),
        ("outer", ("jacket",)),
    ):
        spec, arrays = made(name)
        assert design_of(spec.chosen).words in arrays["caption"]
        assert any(noun in arrays["caption"] for noun in nouns)
        assert "\n" not in arrays["caption"]


def test_strain_is_on_cloth_alone(example):
    _, arrays = example
    for side in data.SIDES:
        cloth = np.isin(arrays[f"{side}_segmentation"], [PART[name] for name in GARMENT_CLASSES])
        strain = arrays[f"{side}_strain"][..., 0]
        assert not strain[~cloth].any() and strain[cloth].any()
        assert np.median(np.abs(strain[cloth])) < 0.1


def test_made_set_keeps_the_contract(smoke_data):
    for split in synthetic.SPLITS:
        source = synthetic.open_split("smoke", split, smoke_data)
        assert len(source) == getattr(synthetic.PRESETS["smoke"], split)
        for number in range(0, len(source), 7):
            data.check(source[number], 32)
            spec = specification.sample(split, number, synthetic.SEED)
            record = source.record(number)
            assert int(record["body_id"]) == spec.body_id
            assert record["garment_ids"].tolist() == spec.identities()["garment_ids"]


@pytest.mark.parametrize("name", ["upper", "lower"])
def test_both_outfits_are_on_the_same_body(name):
    spec, _ = made(name)
    closet = wardrobe.dress(spec.body_id, 0, scene.cloth_levels(SIZE))
    assert {hung.garment_id for hung in closet.outfits[0]} != {hung.garment_id for hung in closet.outfits[1]}
    swapped = spec._replace(
        sheets=spec.worn, worn=spec.sheets, chosen=next(p for p in spec.worn if p not in spec.sheets)
    )
    one, other = (scene.example(each, SIZE) for each in (spec, swapped))
    # The camera frames both outfits, so that bare skin is drawn in the same place, to the last bit.
    np.testing.assert_array_equal(one["camera"], other["camera"])
    np.testing.assert_array_equal(one["keypoints"], other["keypoints"])
    for side in data.SIDES:
        bare = np.isin(one[f"{side}_segmentation"], [PART[part] for part in ("face", "left_hand", "right_hand")])
        bare &= one[f"{side}_segmentation"] == other[f"{side}_segmentation"]
        assert bare.sum() > 10
        np.testing.assert_array_equal(one[f"{side}_depth"][bare], other[f"{side}_depth"][bare])


def test_what_hangs_passed_its_gates():
    for name in GARMENT_CLASSES:
        spec, _ = made(name)
        closet = wardrobe.dress(spec.body_id, 0, scene.cloth_levels(SIZE))
        assert 0 <= closet.redraws < 8
        for outfit in closet.outfits:
            assert all(not hung.report.failed for hung in outfit)
