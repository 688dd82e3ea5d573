"""Group normalisation: the compiled kernels, the form in JAX and flax's agree, in value and in two derivatives."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.models import norm

needs_kernels = pytest.mark.skipif(
    jax.default_backend() != "cpu" or not native.available(), reason="no C++ compiler or no CPU: nothing to compare"
)
# Shape and groups: pictures of no whole number of rows, one channel a group, one group, channels beside vectors' lanes.
CASES = [((2, 5, 4, 12), 3), ((3, 8, 8, 24), 3), ((1, 3, 3, 40), 5), ((2, 7, 5, 6), 6), ((2, 1, 1, 5), 1)]
FORMS = {"compiled": pytest.param(norm._compiled, marks=needs_kernels), "plain": norm._plain}


def drawn(shape):
    """x, scale, bias and a gradient of the result."""
    keys = jax.random.split(jax.random.key(0), 4)
    x, gradient = 3 + 2 * jax.random.normal(keys[0], shape), jax.random.normal(keys[1], shape)
    scale, bias = (jax.random.normal(key, shape[-1:]) for key in keys[2:])
    return x, scale, bias, gradient


def theirs(x, scale, bias, groups, activated):
    module = nn.GroupNorm(num_groups=groups, epsilon=norm.VARIANCE_FLOOR)
    result = module.apply({"params": {"scale": scale, "bias": bias}}, x)
    return nn.silu(result) if activated else result


def assert_close(ours, other):
    for one, twin in zip(jax.tree.leaves(ours), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(one, twin, atol=2e-5 * float(np.abs(twin).max()) + 1e-6)


@pytest.mark.parametrize("activated", [False, True])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("shape, groups", CASES)
def test_every_form_equals_flax_and_so_does_its_gradient(shape, groups, form, activated):
    *arrays, gradient = drawn(shape)

    def both(function):
        result, back = jax.vjp(lambda *arrays: function(*arrays, groups, activated), *arrays)
        return result, back(gradient)

    assert_close(both(form), both(theirs))


@needs_kernels
@pytest.mark.parametrize("activated", [False, True])
def test_the_gradients_gradient_is_that_of_the_form_in_jax(activated):
    *arrays, weights = drawn((2, 5, 4, 12))

    def penalty(form):
        """R1's: the squared norm of a gradient by x."""

        def squared(*arrays):
            slope = jax.grad(lambda x: (weights * form(x, *arrays[1:], 3, activated)).sum())(arrays[0])
            return jnp.square(slope).sum()

        return jax.grad(squared, (0, 1, 2))(*arrays)

    assert_close(penalty(norm._compiled), penalty(norm._plain))


@needs_kernels
def test_a_plain_picture_becomes_its_bias_and_has_no_slope():
    x, (scale, bias) = jnp.full((1, 16, 16, 8), 0.7), jnp.ones((2, 8))
    np.testing.assert_allclose(norm._compiled(x, scale, bias, 1, False), 1.0, atol=1e-3)
    slope = jax.grad(lambda x: norm._compiled(x, scale, bias, 1, False).sum())(x)
    np.testing.assert_allclose(slope, 0.0, atol=1e-3)


@needs_kernels
def test_far_from_zero_the_rectifier_is_the_identity_or_nothing():
    x = jnp.tile(jnp.array([1.0, -1.0]), (1, 4, 4, 1))
    for scale in (100.0, 1e6):
        found = norm._compiled(x, jnp.full(2, scale), jnp.zeros(2), 1, True)
        np.testing.assert_allclose(found, scale * jnp.maximum(x, 0), rtol=1e-4, atol=1e-6)


@needs_kernels
def test_pictures_do_not_meet_and_maps_are_loops():
    x, scale, bias, _ = drawn((3, 8, 8, 24))
    whole = norm._compiled(x, scale, bias, 3, True)
    np.testing.assert_array_equal(norm._compiled(x[1:2], scale, bias, 3, True), whole[1:2])
    mapped = jax.vmap(lambda x: norm._compiled(x, scale, bias, 3, True))(x[:, None])
    np.testing.assert_array_equal(mapped[:, 0], whole)


def test_other_dtypes_take_the_form_in_jax_and_keep_theirs():
    x, scale, bias, _ = drawn((2, 5, 4, 12))
    found = norm.group_norm(x.astype(jnp.bfloat16), scale, bias, 3)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(found.astype(jnp.float32), norm.group_norm(x, scale, bias, 3), atol=0.05)
