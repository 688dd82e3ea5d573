"""Every fast operator equals its textbook form, in value, gradient and the gradient's gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from tryon_jax.models import layers

NHWC = ("NHWC", "HWIO", "NHWC")


def plain(x, kernel, stride, padding):
    return lax.conv_general_dilated(x, kernel, (stride, stride), (padding, padding), dimension_numbers=NHWC)


def plain_upsample(x):
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


PAIRS = {
    "same": (lambda x, k: layers.conv(x, k, (1, 1)), lambda x, k: plain(x, k, 1, (1, 1)), 3),
    "valid": (lambda x, k: layers.conv(x, k, (0, 0)), lambda x, k: plain(x, k, 1, (0, 0)), 3),
    "even": (lambda x, k: layers.conv(x, k, (1, 1)), lambda x, k: plain(x, k, 1, (1, 1)), 2),
    "lopsided": (lambda x, k: layers.conv(x, k, (1, 0)), lambda x, k: plain(x, k, 1, (1, 0)), 2),
    "down": (layers.conv_down, lambda x, k: plain(x, k, 2, (1, 1)), 4),
    "up": (layers.upsample_conv, lambda x, k: plain(plain_upsample(x), k, 1, (1, 1)), 3),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    fast, textbook, size = PAIRS[request.param]
    keys = jax.random.split(jax.random.key(0))
    return (
        fast,
        textbook,
        jax.random.normal(keys[0], (2, 6, 8, 3)),
        0.3 * jax.random.normal(keys[1], (size, size, 3, 5)),
    )


def energy(operator):
    return lambda x, kernel: jnp.sin(operator(x, kernel)).sum()


def test_values(pair):
    fast, textbook, x, kernel = pair
    np.testing.assert_allclose(fast(x, kernel), textbook(x, kernel), atol=1e-5)


def test_gradients(pair):
    fast, textbook, x, kernel = pair
    ours, theirs = (jax.jit(jax.grad(energy(f), (0, 1)))(x, kernel) for f in (fast, textbook))
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-4)


def test_gradients_of_a_gradient_penalty(pair):
    fast, textbook, x, kernel = pair

    def penalty(operator):
        return lambda kernel, x: jnp.square(jax.grad(energy(operator))(x, kernel)).sum()

    ours, theirs = (jax.jit(jax.grad(penalty(f), (0, 1)))(kernel, x) for f in (fast, textbook))
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5 * np.abs(its).max())


def test_rearrangements():
    x = jax.random.normal(jax.random.key(2), (2, 4, 6, 3))
    np.testing.assert_array_equal(layers.depth_to_space(layers.space_to_depth(x)), x)
    np.testing.assert_array_equal(layers.space_to_depth(x)[0, 1, 2, 3:6], x[0, 2, 5])


def test_pointwise():
    keys = jax.random.split(jax.random.key(3))
    x, kernel = jax.random.normal(keys[0], (2, 4, 6, 3)), jax.random.normal(keys[1], (3, 5))
    np.testing.assert_allclose(layers.pointwise(x, kernel), x @ kernel, atol=1e-6)


def test_dropout_follows_each_examples_own_key():
    keys, x = jax.random.split(jax.random.key(5), 3), jnp.ones((3, 50, 40))
    dropped = layers.dropout(x, keys, 0.25)
    np.testing.assert_array_equal(layers.dropout(x[1:2], keys[1:2], 0.25)[0], dropped[1])
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert abs(float((dropped == 0).mean()) - 0.25) < 0.03
    assert layers.dropout(x, None, 0.25) is x


@pytest.mark.parametrize("kind", ["same", "down", "up"])
def test_bfloat16_computes_in_it_and_keeps_float32_parameters(kind):
    module = layers.Conv(4, kind=kind, dtype=jnp.bfloat16)
    out, variables = module.init_with_output(jax.random.key(0), jnp.ones((1, 8, 8, 3)))
    assert out.dtype == jnp.bfloat16
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
