"""Augmentation: a transform moves everything together and is undone by its inverse; what it leaves alone stays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ellipsoids import RANGES, SIZE, assert_same, flat, interior, person, transform

from tryon_jax import augment, data
from tryon_jax.geometry import camera as cameras
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import FLIP_KEYPOINTS, FLIP_PARTS, KEYPOINT, PART

apply = jax.jit(augment.apply)


def test_the_example_keeps_the_contract():
    example = person()
    data.check(example, SIZE)
    for seed in range(4):
        moved = apply(example, augment.sample(jax.random.key(seed), RANGES))
        data.check(jax.tree.map(np.asarray, moved), SIZE)
        assert not np.array_equal(moved["mask"], example["mask"])


@pytest.mark.parametrize("yaw", [None, 0.0])
def test_identity_changes_nothing(yaw):
    example = person()
    moved = apply(example, augment.identity()._replace(yaw=yaw if yaw is None else jnp.float32(yaw)))
    # Normals are renormalised, means divide by a sum: nothing else may differ, not even in the last bit.
    inexact = [key for key in flat(example) if "normals" in key]
    assert_same(moved, example, 0, skip=inexact)
    assert_same(moved, example, 3e-7)


@pytest.mark.parametrize(
    "changes", [{"flip": 1}, {"roll": np.pi}, {"roll": np.pi / 2}, {"roll": -np.pi / 2, "flip": 1}]
)
def test_flips_and_quarter_turns_are_undone_exactly(changes):
    example, forth = person(), transform(**changes)
    moved = apply(example, forth)
    assert not np.allclose(moved["front_rgb"], example["front_rgb"], atol=0.05)
    for back in augment.invert(forth):
        moved = apply(moved, back)
    assert_same(moved, example, 2e-5)


def test_two_flips_are_none():
    example = person()
    assert_same(apply(apply(example, transform(flip=1)), transform(flip=1)), example, 2e-6)


@pytest.mark.parametrize("flip", [0, 1])
def test_inverse_undoes_all_of_the_plane(flip):
    example = person()
    forth = transform(roll=0.2, scale=1.1, shift_x=0.05, shift_y=-0.03, flip=flip)
    moved = apply(example, forth)
    for back in augment.invert(forth):
        moved = apply(moved, back)
    np.testing.assert_allclose(moved["keypoints"], example["keypoints"], atol=1e-4)
    np.testing.assert_allclose(moved["camera"], example["camera"], atol=1e-6)
    where = interior(example, 4)
    assert where.sum() > 150
    labels = np.asarray(moved["front_segmentation"])[where] == example["front_segmentation"][where]
    assert labels.mean() > 0.95
    for side in ("front", "back"):
        for name, tolerance in (("rgb", 2e-3), ("depth", 3e-3), ("normals", 0.03)):
            key = f"{side}_{name}"
            np.testing.assert_allclose(np.asarray(moved[key])[where], example[key][where], atol=tolerance, err_msg=key)
    overlap = (np.asarray(moved["mask"]) > 0) == (example["mask"] > 0)
    assert overlap.mean() > 0.97


def test_a_dot_stays_under_its_keypoint():
    example = person()
    dot = (21, 19)
    for key in ("person", "front_rgb"):
        example[key] = np.zeros_like(example[key])
        example[key][dot[1] - 1 : dot[1] + 2, dot[0] - 1 : dot[0] + 2, 0] = 1
    left, right = KEYPOINT["left_wrist"], KEYPOINT["right_wrist"]
    example["keypoints"][left] = (dot[0] + 0.5, dot[1] + 0.5, 1)
    for flip in (0, 1):
        move = transform(roll=0.4, scale=1.2, shift_x=0.1, shift_y=-0.05, flip=flip)
        moved = apply(example, move)
        found = np.asarray(moved["keypoints"])[right if flip else left]
        for key in ("person", "front_rgb"):
            weight = np.asarray(moved[key])[..., 0]
            pixels = np.asarray(cameras.pixel_centres((SIZE, SIZE)))
            centre = (pixels * weight[..., None]).sum((0, 1)) / weight.sum()
            np.testing.assert_allclose(centre, found[:2], atol=0.15)
        assert found[2] == 1
    away = np.asarray(apply(example, transform(shift_x=0.9))["keypoints"])
    assert away[left, 2] == 0


def test_a_fine_picture_moves_with_its_sheet():
    """A dot of one sheet pixel, four fine ones, goes where that goes."""
    example = person()
    rows, columns = np.mgrid[:SIZE, :SIZE]
    blob = np.exp(-((rows - 20) ** 2 + (columns - 27) ** 2) / 8).astype(np.float32)[..., None]
    example["person"] = np.repeat(blob, 3, -1)
    example["person_fine"] = twice(example["person"])
    example["front_fine"] = twice(np.repeat(blob, 4, -1))
    for seed in range(4):
        moved = apply(example, augment.sample(jax.random.key(seed), {**RANGES, "yaw": 0.0}))
        for key in ("person_fine", "front_fine"):
            fine = np.asarray(moved[key])[..., :1].reshape(SIZE, 2, SIZE, 2, 1).mean((1, 3))
            np.testing.assert_allclose(fine, moved["person"][..., :1], atol=0.06)
            centres = [np.unravel_index(picture.argmax(), picture.shape) for picture in (fine, moved["person"])]
            assert np.abs(np.subtract(centres[0][:2], centres[1][:2])).max() <= 1


def test_a_turned_sheets_fine_picture_is_the_turned_sheet():
    moved = apply(person(), transform(yaw=0.3))
    wanted = np.concatenate([moved["front_rgb"], moved["mask"]], -1)
    np.testing.assert_allclose(moved["front_fine"], twice(wanted), atol=1e-5)


def test_covered_colours_change_as_they_would_alone():
    rng = np.random.default_rng(1)
    colour = augment.sample_colour(jax.random.key(1), 0.3)
    alone, cover = rng.uniform(0.2, 0.8, (8, 8, 3)), rng.uniform(0.2, 1.0, (8, 8, 1))
    covered = np.concatenate([alone * cover, cover], -1).astype(np.float32)
    wanted = np.concatenate([augment.recolour(alone, colour) * cover, cover], -1)
    np.testing.assert_allclose(augment.recolour_covered(covered, colour), wanted, atol=1e-5)
    assert not np.asarray(augment.recolour_covered(np.zeros((2, 2, 4)), colour)).any()


def test_a_flip_mirrors_person_and_garment():
    example = person()
    moved = apply(example, transform(flip=1))
    mirrored = FLIP_PARTS[example["front_segmentation"][:, ::-1]]
    assert (mirrored == PART["right_arm"]).any()
    np.testing.assert_array_equal(moved["front_segmentation"], mirrored)
    np.testing.assert_array_equal(moved["person_segmentation"], FLIP_PARTS[example["person_segmentation"][:, ::-1]])
    for key in ("garment", "garment_mask", "person", "front_rgb", "mask"):
        np.testing.assert_allclose(moved[key], example[key][:, ::-1], atol=1e-6)
    keypoints = example["keypoints"][FLIP_KEYPOINTS]
    np.testing.assert_allclose(moved["keypoints"], keypoints * [-1, 1, 1] + [SIZE, 0, 0], atol=1e-4)
    for side in ("front", "back"):
        np.testing.assert_allclose(
            moved[f"{side}_normals"], example[f"{side}_normals"][:, ::-1] * [-1, 1, 1], atol=1e-6
        )
        uv = example[f"{side}_garment_uv"][:, ::-1] * [-1, 1]
        np.testing.assert_allclose(moved[f"{side}_garment_uv"], uv, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_sheets_stay_aligned(seed):
    """Depths in order, unit normals on their side, one label a mask pixel, zeros off the mask."""
    example = person()
    moved = jax.tree.map(np.asarray, apply(example, augment.sample(jax.random.key(seed), RANGES)))
    mask = moved["mask"][..., 0] > 0
    assert 50 < mask.sum() < mask.size
    assert (moved["front_depth"] >= moved["back_depth"] - 1e-6).all()
    for side, sign in (("front", 1), ("back", -1)):
        length = np.linalg.norm(moved[f"{side}_normals"], axis=-1)
        np.testing.assert_allclose(length, mask, atol=1e-5)
        assert (sign * moved[f"{side}_normals"][..., 2] >= 0).all()
        np.testing.assert_array_equal(moved[f"{side}_segmentation"] > 0, mask)
        for name in ("rgb", "depth", "garment_uv"):
            assert (moved[f"{side}_{name}"][~mask] == 0).all()
        # No black leaks in from off the mask: blue is 0.2 on the front, 0.6 on the back, walls lie between.
        blue = moved[f"{side}_rgb"][mask][:, 2]
        assert 0.2 - 1e-5 <= blue.min() and blue.max() <= 0.6 + 1e-5


def test_missing_targets_stay_zero_and_keep_an_example_from_turning():
    example = person()
    for side in ("front", "back"):
        example[f"{side}_depth"] = np.zeros_like(example[f"{side}_depth"])
        example[f"{side}_normals"] = np.zeros_like(example[f"{side}_normals"])
    example["keypoints"] = np.zeros_like(example["keypoints"])
    example["has"] |= {"depth": np.float32(0), "normals": np.float32(0), "keypoints": np.float32(0)}
    assert_same(apply(example, transform(yaw=0.5)), example, 3e-7)
    moved = apply(example, transform(roll=0.3, shift_x=0.1))
    for key in ("front_depth", "back_normals", "keypoints"):
        assert not np.asarray(moved[key]).any()
    example["has"]["mask"], example["mask"] = np.float32(0), np.zeros_like(example["mask"])
    moved = apply(example, transform(roll=0.3))
    assert not np.asarray(moved["mask"]).any() and np.asarray(moved["front_rgb"]).any()


def test_a_depth_jump_stays_sharp():
    """Bilinear means never invent a surface between an arm and the body behind it."""
    example = person()
    step = np.where(np.arange(SIZE)[None, :, None] < 20, 0.4, 0.0) * example["mask"]
    example["front_depth"], example["back_depth"] = step.astype(np.float32), (step - 0.1).astype(np.float32)
    moved = apply(example, transform(roll=0.35, scale=1.07))
    depth = np.asarray(moved["front_depth"])[np.asarray(moved["mask"]) > 0]
    assert (np.minimum(np.abs(depth), np.abs(depth - 0.4)) < 1e-5).all()
    assert 0.1 < (depth > 0.2).mean() < 0.9


def test_samples_follow_key_and_ranges():
    keys = jax.random.split(jax.random.key(1), 200)
    drawn = jax.vmap(lambda key: augment.sample(key, RANGES))(keys)
    again = jax.vmap(lambda key: augment.sample(key, RANGES))(keys)
    assert all((a == b).all() for a, b in zip(drawn, again, strict=True))
    for values, bound in ((drawn.yaw, 0.6), (drawn.roll, 0.3), (drawn.shift_x, 0.1), (drawn.shift_y, 0.1)):
        assert 0.8 * bound < np.abs(values).max() <= bound and abs(values.mean()) < 0.2 * bound
    assert 1 / 1.2 <= drawn.scale.min() < 0.9 and 1.1 < drawn.scale.max() <= 1.2 + 1e-6
    assert 0.35 < drawn.flip.mean() < 0.65
    assert augment.sample(keys[0], RANGES | {"yaw": 0}).yaw is None


def test_vmap_equals_a_loop():
    example = person()
    keys = jax.random.split(jax.random.key(3), 3)
    batch = jax.tree.map(lambda a: np.stack([a] * 3), example)
    together = jax.jit(jax.vmap(lambda item, key: augment.apply(item, augment.sample(key, RANGES))))(batch, keys)
    for i, key in enumerate(keys):
        alone = apply(example, augment.sample(key, RANGES))
        # A compiler may round a coordinate the other way: single pixels of labels may differ, no more.
        for name, value in flat(jax.tree.map(lambda a, i=i: a[i], together)).items():
            close = np.isclose(value, flat(alone)[name], atol=1e-4)
            assert close.mean() > 0.995, name


def test_turning_refuses_a_picture_that_is_too_wide():
    from tryon_jax.geometry.turn import turn_sheets

    wide = {"depth": jnp.zeros((1, 700, 1))}
    with pytest.raises(ValueError, match="681"):
        turn_sheets(wide, wide, jnp.zeros((1, 700, 1)), jnp.ones(3), 0.1)


def test_corrupted_depth():
    depth = np.full((64, 64, 1), 0.3, np.float32)
    mask = np.zeros((64, 64, 1), np.float32)
    mask[8:56, 8:56] = 1
    noisy, valid = augment.corrupt_depth(jax.random.key(0), depth, mask, noise=0.01, dropout=0.3)
    kept = np.asarray(valid) > 0
    assert not kept[mask == 0].any() and not np.asarray(noisy)[~kept].any()
    assert 0.5 < kept[mask > 0].mean() < 0.9
    assert 0.008 < (np.asarray(noisy)[kept] - 0.3).std() < 0.012
    clean, valid = augment.corrupt_depth(jax.random.key(0), depth, mask, noise=0.0, dropout=0.0)
    np.testing.assert_array_equal(clean, depth * mask)
    np.testing.assert_array_equal(valid, mask)


def test_colour():
    picture = np.random.default_rng(0).uniform(0.2, 0.8, (8, 8, 3)).astype(np.float32)
    none = augment.sample_colour(jax.random.key(0), 0.0)
    np.testing.assert_allclose(augment.recolour(picture, none), picture, atol=1e-6)
    one, two = (augment.recolour(picture, augment.sample_colour(jax.random.key(k), 0.4)) for k in (0, 1))
    assert np.abs(one - two).max() > 0.02 and (one >= 0).all() and (one <= 1).all()
    # Hue and saturation leave grey alone; what remains for grey is one gain and one offset.
    grey = np.repeat(np.linspace(0.3, 0.7, 8, dtype=np.float32)[None, :, None], 3, -1)
    changed = np.asarray(augment.recolour(grey, augment.sample_colour(jax.random.key(2), 0.2)))
    np.testing.assert_allclose(changed, changed[..., :1].repeat(3, -1), atol=1e-6)
    mask = np.zeros((8, 8, 1), np.float32)
    assert not np.asarray(augment.recolour(picture, augment.sample_colour(jax.random.key(2), 0.2), mask)).any()
