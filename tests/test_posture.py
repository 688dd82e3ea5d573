"""Where the joints are, what is measured of them, and who hears of it: against closed forms and a twin of scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy import ndimage

from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.parts import KEYPOINT
from tryon_jax.models.joints import Correction, Joints
from tryon_jax.models.posture import BONES, Posture, measured, sampled


def test_joints_are_places_in_the_picture():
    module = Joints(count=2)
    coarse, middle = jnp.zeros((1, 4, 4, 3)), jnp.zeros((1, 8, 8, 1)).at[0, 2, 5].set(1.0)
    params = jax.jit(module.init)(jax.random.key(0), coarse, middle)["params"]
    for name in ("mix_0", "mix_1", "broad"):  # nothing but what is seen, normalised
        params[name] = jax.tree.map(jnp.zeros_like, params[name])
    params["mix_0"]["norm"] = params["mix_1"]["norm"] = {"scale": jnp.ones(1), "bias": jnp.zeros(1)}
    params["heat"]["kernel"] = jnp.array([50.0, 0.0]).reshape(1, 1, 1, 2)
    params["offset"] = {"kernel": jnp.zeros((1, 1, 1, 4)), "bias": jnp.zeros(4)}
    found = module.apply({"params": params}, coarse, middle)[0]
    # A sharp peak is its cell's centre (cells of a quarter of a half side), an even map the middle of the picture.
    np.testing.assert_allclose(found, [[5.5 / 4 - 1, 2.5 / 4 - 1], [0, 0]], atol=1e-3)
    params["offset"]["bias"] = jnp.array([0.25, -0.5, 0.0, 0.0])
    # Offsets, in cells, move the first keypoint alone.
    found = module.apply({"params": params}, coarse, middle)[0]
    np.testing.assert_allclose(found, [[5.75 / 4 - 1, 2.0 / 4 - 1], [0, 0]], atol=1e-3)


def test_a_correction_learns_to_see_how_far_a_guess_is_off_and_leaves_the_guess_to_its_own_judge():
    keys = jax.random.split(jax.random.key(1), 2)
    side, truth = 16, jax.random.uniform(keys[0], (8, 17, 2), minval=-0.5, maxval=0.5)
    guess = truth + 0.05 * jax.random.normal(keys[1], truth.shape)
    # Features in which each keypoint is a blob of its own channel.
    away = (pixel_centres((side, side)) * (2 / side) - 1)[None, :, :, None] - truth[:, None, None]
    fine = jnp.exp(-jnp.square(away / 0.1).sum(-1))
    middle, coarse = fine.reshape(8, 8, 2, 8, 2, 17).mean((2, 4)), jnp.ones((8, 2, 2, 3))
    module = Correction(width=64, look=16)
    # Nothing is seen at the joints but blobs at S/2: edges are plain.
    look = coarse, middle, fine, jnp.zeros((8, 32, 32, 4))
    params = jax.jit(module.init)(jax.random.key(0), *look, guess)
    chain = optax.adam(3e-3)

    @jax.jit
    def error(params, guess):
        return jnp.abs(module.apply(params, *look, guess) - truth).mean()

    def step(_, both):
        updates, opt_state = chain.update(jax.grad(error)(both[0], guess), both[1])
        return optax.apply_updates(both[0], updates), opt_state

    trained, _ = jax.jit(lambda both: jax.lax.fori_loop(0, 200, step, both))((params, chain.init(params)))
    assert error(trained, guess) < 0.3 * error(params, guess)
    assert error(params, guess) < 1.1 * jnp.abs(guess - truth).mean()  # a fresh one hardly moves it
    np.testing.assert_array_equal(jax.grad(error, argnums=1)(trained, guess), 0)


def test_a_posture_is_measured_from_the_pelvis_and_along_the_bones():
    joints = jax.random.uniform(jax.random.key(3), (2, 17, 2), minval=-0.5, maxval=0.5)
    numbers = measured(joints)
    beside = measured(joints + jnp.array([0.2, -0.1]))
    np.testing.assert_allclose(beside[:, :-2], numbers[:, :-2], atol=1e-6)
    np.testing.assert_allclose(beside[:, -2:] - numbers[:, -2:], [[0.2, -0.1]] * 2, atol=1e-6)
    forearm = numbers.reshape(2, -1, 2)[:, 17 + BONES.index(("left_elbow", "left_wrist"))]
    ends = (joints[:, KEYPOINT[name]] for name in ("left_elbow", "left_wrist"))
    np.testing.assert_allclose(forearm, 3 * -jnp.subtract(*ends), atol=1e-6)


def test_features_at_joints_equal_scipys_interpolation(rng):
    features = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
    joints = rng.uniform(-1.4, 1.4, size=(2, 17, 2)).astype(np.float32)
    found = sampled(jnp.asarray(features), jnp.asarray(joints))
    rows, columns = ((joints[..., axis] + 1) * 4 - 0.5 for axis in (1, 0))
    for item, channel in np.ndindex(2, 3):
        expected = ndimage.map_coordinates(
            features[item, ..., channel], [rows[item], columns[item]], order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(found[item, :, channel], expected, atol=1e-5)


def test_what_is_around_joints_is_what_lies_a_cell_off(rng):
    features = jnp.asarray(rng.normal(size=(2, 16, 16, 3)), jnp.float32)
    joints = jnp.asarray(rng.uniform(-1.1, 1.1, size=(2, 5, 2)), jnp.float32)
    found = sampled(features, joints, 1).reshape(2, 5, 9, 3)
    for index, (down, right) in enumerate(np.ndindex(3, 3)):
        there = joints + jnp.array([right - 1.0, down - 1.0]) / 8
        np.testing.assert_allclose(found[:, :, index], sampled(features, there), atol=1e-5)


def test_the_gradient_of_what_is_sampled_is_the_adjoint(rng):
    features = jnp.asarray(rng.normal(size=(2, 8, 8, 3)), jnp.float32)
    joints = jnp.asarray(rng.uniform(-1.4, 1.4, size=(2, 5, 2)), jnp.float32)
    found, back = jax.vjp(lambda features: sampled(features, joints, 1), features)
    gradient = jnp.asarray(rng.normal(size=found.shape), jnp.float32)
    np.testing.assert_allclose((back(gradient)[0] * features).sum(), (found * gradient).sum(), rtol=1e-4, atol=1e-3)


def test_a_place_hears_the_joints_that_are_near_it():
    joints = jnp.stack(jnp.meshgrid(jnp.linspace(-0.9, 0.9, 5), jnp.linspace(-0.9, 0.9, 4)), -1).reshape(1, 20, 2)
    joints = joints[:, :17]
    module, levels = Posture(), [jnp.zeros((1, side, side, 128 // side)) for side in (32, 64, 128)]
    shown = (*levels, joints, jnp.ones((1, 17)))
    (told, depths), variables = jax.jit(module.init_with_output)(jax.random.key(0), *shown)
    assert told.shape == (1, 32, 32, module.channels) and depths.shape == (1, 17, 2)
    bias = jnp.repeat(jnp.arange(17.0), module.channels)  # joint k says k
    said = {"kernel": jnp.zeros_like(variables["params"]["message"]["kernel"]), "bias": bias}
    told = module.apply({"params": {**variables["params"], "message": said}}, *shown)[0][0, ..., 0]
    column, row = np.floor((np.asarray(joints[0]) + 1) * 16).astype(int).T
    np.testing.assert_allclose(told[row, column], np.arange(17), atol=1e-3)
