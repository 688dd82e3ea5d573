"""The optimizer chain link by link, and the moving average."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tryon_jax import state
from tryon_jax.errors import UserError

PLAIN = {"warmup_steps": 0, "steps": 10**9, "b1": 0.9, "b2": 0.99, "weight_decay": 0.0, "clip_norm": 0.0}


def params():
    keys = jax.random.split(jax.random.key(0), 3)
    return {
        "encoder": {"kernel": jax.random.normal(keys[0], (3, 4)), "bias": jnp.ones(4)},
        "decoder": {"kernel": jax.random.normal(keys[1], (4, 2)), "bias": jnp.ones(2)},
    }


def chain(**changes):
    scale = {"encoder": 1.0, "decoder": 1.0, **changes.pop("scale", {})}
    return state.optimizer(**{**PLAIN, "learning_rate": 0.1, "scale": scale, **changes})


def update(optimizer, gradients, steps=1):
    current, opt_state = params(), optimizer.init(params())
    for _ in range(steps):
        current, opt_state = state.descend(optimizer, gradients, opt_state, current)
    return current


def gradients():
    return jax.tree.map(lambda leaf: jnp.sin(3 * leaf), params())


def moved(after):
    return jax.tree.map(lambda a, b: a - b, after, params())


def test_plain_chain_is_adam():
    expected, opt_state = params(), optax.adam(0.1, b1=0.9, b2=0.99).init(params())
    for _ in range(3):
        updates, opt_state = optax.adam(0.1, b1=0.9, b2=0.99).update(gradients(), opt_state, expected)
        expected = optax.apply_updates(expected, updates)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), update(chain(), gradients(), 3), expected)


def test_muon_moves_every_direction_of_a_kernel_alike():
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 8, 12)) * jnp.logspace(0, -2, 12)  # loud and quiet outputs
    gradients = {"encoder": {"kernel": kernel, "looks": kernel[0], "bias": kernel[0, 0, 0]}}
    optimizer = chain(name="muon", scale={"encoder": 0.5}, b1=0.9)
    updates, _ = optimizer.update(gradients, optimizer.init(gradients), gradients)
    updates = updates["encoder"]
    for matrices, shape in ((updates["kernel"].reshape(1, 72, 12), 1.0), (updates["looks"], (12 / 8) ** 0.5)):
        spread = np.linalg.svd(np.asarray(matrices), compute_uv=False) / (0.1 * 0.5 * state.MUON_STEP * shape)
        assert 0.5 < spread.min() and spread.max() < 1.3
    assert (updates["kernel"] * kernel).sum() < 0  # downhill
    ahead = optax.scale_by_adam(b1=0.9, b2=0.99, nesterov=True)
    expected, _ = ahead.update(gradients, ahead.init(gradients))
    np.testing.assert_allclose(updates["bias"], -0.1 * 0.5 * expected["encoder"]["bias"], rtol=1e-4)
    with pytest.raises(UserError, match="'moun'.*adam, muon"):
        chain(name="moun")


def test_frozen_parts_stay_bit_for_bit_and_do_not_enter_the_clipped_norm():
    huge = {**gradients(), "encoder": jax.tree.map(lambda leaf: 1e6 * leaf, gradients()["encoder"])}
    frozen = update(chain(freeze=("encoder",), clip_norm=1e-7, weight_decay=0.1), huge, 2)
    jax.tree.map(np.testing.assert_array_equal, frozen["encoder"], params()["encoder"])
    alone = update(chain(freeze=("encoder",), clip_norm=1e-7, weight_decay=0.1), gradients(), 2)
    jax.tree.map(np.testing.assert_array_equal, frozen["decoder"], alone["decoder"])
    assert float(jnp.abs(moved(frozen)["decoder"]["kernel"]).max()) > 0
    with pytest.raises(ValueError, match="'hat'.*decoder, encoder"):
        chain(freeze=("hat",))


def test_a_parts_rate_is_scaled():
    whole, half = (moved(update(chain(scale={"encoder": factor}), gradients())) for factor in (1.0, 0.5))
    np.testing.assert_allclose(half["encoder"]["kernel"], whole["encoder"]["kernel"] / 2, atol=1e-6)
    np.testing.assert_allclose(half["decoder"]["kernel"], whole["decoder"]["kernel"], atol=1e-6)


def test_decay_shrinks_kernels_only():
    still = jax.tree.map(jnp.zeros_like, params())
    after = update(chain(weight_decay=0.5), still)
    np.testing.assert_allclose(after["encoder"]["kernel"], params()["encoder"]["kernel"] * (1 - 0.1 * 0.5), rtol=1e-5)
    np.testing.assert_array_equal(after["encoder"]["bias"], params()["encoder"]["bias"])


def test_clipping_bounds_the_first_moment():
    optimizer = chain(clip_norm=0.5)
    _, opt_state = optimizer.update(jax.tree.map(lambda g: 100 * g, gradients()), optimizer.init(params()), params())
    moments = [s.mu for s in jax.tree.leaves(opt_state, is_leaf=lambda s: hasattr(s, "mu")) if hasattr(s, "mu")]
    np.testing.assert_allclose(optax.tree.norm(moments[0]), 0.1 * 0.5, rtol=1e-4)


def test_warm_up_then_cosine():
    optimizer = chain(warmup_steps=10, steps=100, b1=0.0, b2=0.0)
    current, opt_state, sizes = params(), optimizer.init(params()), []
    for _ in range(100):
        updates, opt_state = optimizer.update(gradients(), opt_state, current)
        sizes.append(float(jnp.abs(updates["decoder"]["kernel"]).max()))
    assert sizes[0] == 0 and np.argmax(sizes) == 10
    np.testing.assert_allclose(sizes[5], 0.05, rtol=1e-3)
    np.testing.assert_allclose(max(sizes), 0.1, rtol=1e-3)
    assert sizes[99] < 0.0015


def test_gradients_are_averaged_over_the_axis():
    optimizer = chain(axis_name="devices", b1=0.0, b2=0.0)
    link = state.mean_over_devices("devices")
    several = jnp.arange(4.0)[:, None] * jnp.ones((4, 3))
    found = jax.vmap(lambda g: link.update(g, link.init(g))[0], axis_name="devices")(several)
    np.testing.assert_allclose(found, 1.5 * np.ones((4, 3)))
    assert optimizer.init(params())


def test_average_forgets_its_start_and_leaves_other_parts_out():
    ema = {"decoder": jax.tree.map(jnp.zeros_like, params()["decoder"])}
    early = state.average(ema, params(), 0, 0.999)
    assert early.keys() == {"decoder"}
    np.testing.assert_allclose(early["decoder"]["bias"], 0.9, rtol=1e-5)
    late = state.average(ema, params(), 10**6, 0.999)
    np.testing.assert_allclose(late["decoder"]["bias"], 0.001, rtol=1e-3)


@pytest.mark.parametrize("name", ["adam", "muon"])
def test_changes_of_low_rank_are_of_that_rank_and_leave_vectors_alone(name):
    wide = {"encoder": {"kernel": jax.random.normal(jax.random.key(2), (3, 3, 2, 8)), "bias": jnp.ones(8)}}
    optimizer = chain(low_rank=2, name=name, weight_decay=0.1)
    slopes = jax.tree.map(lambda leaf: jnp.cos(5 * leaf), wide)
    current, opt_state = wide, optimizer.init(wide)
    for _ in range(4):
        current, opt_state = state.descend(optimizer, slopes, opt_state, current)
    change = (current["encoder"]["kernel"] - wide["encoder"]["kernel"]).reshape(18, 8)
    sizes = np.linalg.svd(np.asarray(change), compute_uv=False)
    assert sizes[1] > 1e-3 and sizes[2] < 1e-5
    assert (change * slopes["encoder"]["kernel"].reshape(18, 8)).sum() < 0  # downhill
    np.testing.assert_array_equal(current["encoder"]["bias"], wide["encoder"]["bias"])


def test_factors_descend_as_if_the_product_were_differentiated():
    kernel, target = jax.random.normal(jax.random.key(3), (2, 6, 5))
    link = state.of_low_rank(3, optax.sgd(0.05))
    (factors, _) = opt_state = link.init(kernel)
    current = kernel
    loss = lambda weights: jnp.square(weights - target).sum()  # noqa: E731
    for _ in range(3):
        updates, opt_state = link.update(jax.grad(loss)(current), opt_state)
        current = optax.apply_updates(current, updates)
        by_hand = jax.grad(lambda pair: loss(kernel + pair["down"] @ pair["up"]))(factors)
        factors = jax.tree.map(lambda factor, slope: factor - 0.05 * slope, factors, by_hand)
    np.testing.assert_allclose(current, kernel + factors["down"] @ factors["up"], atol=1e-5)
    assert loss(current) < loss(kernel)
