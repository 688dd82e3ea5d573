"""Light: constants stay constant, lamps equal the integral they stand for, sampled light is pleasant."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.render import shade


def directions(count, seed=0):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_harmonics_are_orthonormal():
    # The Fibonacci lattice integrates polynomials of this degree to about 1e-3.
    values = np.asarray(shade.harmonics(shade._sphere_points(20000)), np.float64)
    np.testing.assert_allclose(values.T @ values * 4 * np.pi / len(values), np.eye(9), atol=2e-3)


def test_constant_light_is_constant():
    colour = jnp.array([0.2, 0.5, 0.9])
    light = shade.spherical_harmonics(directions(50).reshape(5, 10, 3), shade.constant_light(colour))
    np.testing.assert_allclose(light, np.broadcast_to(colour, (5, 10, 3)), atol=1e-6)


def test_a_lamp_is_lambert_within_the_known_error():
    normals = directions(4000)
    for seed in range(3):
        lamp = directions(1, seed + 7)[0]
        light = shade.spherical_harmonics(normals, shade.distant_light(lamp, jnp.array([1.0, 0.5, 2.0])))
        cosine = normals @ lamp
        # Order-2 series of the clamped cosine, 1/4 + t/2 + 5/32 (3 t^2 - 1).
        np.testing.assert_allclose(light[:, 0], 1 / 4 + cosine / 2 + 5 / 32 * (3 * cosine**2 - 1), atol=1e-5)
        assert np.abs(light[:, 0] - np.maximum(cosine, 0)).max() <= 3 / 32 + 1e-5
        np.testing.assert_allclose(light, light[:, :1] * np.array([1, 0.5, 2]), atol=1e-5)


def test_many_lamps_equal_the_integral_over_them():
    # Sky: radiance 1 above, 0 below. Light on a normal is (1 + n_y) / 2 times pi, exactly within nine harmonics.
    sky = shade._sphere_points(4000)
    sky = sky[sky[:, 1] > 0]
    lamps = jax.vmap(lambda direction: shade.distant_light(direction, jnp.ones(3)))(sky)
    coefficients = lamps.mean(0) * 2 * np.pi
    normals = directions(200)
    light = shade.spherical_harmonics(normals, coefficients)
    np.testing.assert_allclose(light[:, 0], np.pi * (1 + normals[:, 1]) / 2, atol=5e-3)


def test_sampled_light_is_bright_in_front_and_never_black():
    normals = directions(500)
    coefficients = jax.vmap(shade.sample_light)(jax.random.split(jax.random.key(0), 64))
    light = np.asarray(jax.vmap(lambda c: shade.spherical_harmonics(normals, c))(coefficients))
    assert light.min() > 0.45
    assert light.max() < 1.27
    front, back = light[:, normals[:, 2] > 0.5].mean((1, 2)), light[:, normals[:, 2] < -0.5].mean((1, 2))
    above, below = light[:, normals[:, 1] > 0.5].mean((1, 2)), light[:, normals[:, 1] < -0.5].mean((1, 2))
    assert np.mean(front > back) > 0.9
    assert np.mean(above > below) > 0.9
    assert front.std() > 0.01
