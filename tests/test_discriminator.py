"""What the discriminator is shown, how that is disturbed, and its penalty."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import batch

from tryon_jax.models import adversary
from tryon_jax.models import discriminator as judge

FEATURES, SIZE, COUNT = (4, 8, 8, 16), 32, 3


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("classes", [0, 4])
def test_discriminator_gives_one_logit_an_example_at_any_size(size, classes):
    module = judge.Discriminator(FEATURES, classes=classes, norm=bool(classes))
    x = jax.random.normal(jax.random.key(5), (COUNT, size, size, judge.OBSERVED))
    kinds = jnp.arange(COUNT) % 4
    logits, variables = jax.jit(module.init_with_output)(jax.random.key(0), x, kinds)
    assert logits.shape == (COUNT,) and logits.dtype == jnp.float32
    np.testing.assert_allclose(jax.jit(module.apply)(variables, x[1:2], kinds[1:2])[0], logits[1], atol=1e-5)
    other = jax.jit(module.apply)(variables, x, (kinds + 1) % 4)
    assert bool((other == logits).all()) == (classes == 0)


def test_observation_of_nobody_and_of_real_people():
    people = batch(16, 2)
    observed, complete = adversary.observe_real(people)
    assert observed.shape == (2, 16, 16, judge.OBSERVED) and complete.tolist() == [1, 1]
    off = people["mask"][..., 0] == 0
    np.testing.assert_allclose(np.asarray(observed)[off], np.broadcast_to(judge.NOBODY, (off.sum(), judge.OBSERVED)))
    truth, on = people["front_normals"][0, 8, 8], np.asarray(observed)[0, 8, 8, 6:9]
    assert truth @ on > 0.9
    assert np.asarray(observed)[0, 8, 8, 11] < 0


def test_disturbing_is_the_same_for_equal_keys_and_differentiable():
    observed = adversary.observe_real(batch(16, 1))[0][0]
    ranges = {"colour": 0.3, "shift": 0.2, "cutout": 0.4}
    one, same, other = (judge.disturb(observed, jax.random.key(number), **ranges) for number in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(
        judge.disturb(observed, jax.random.key(0), colour=0, shift=0, cutout=0), observed, atol=1e-6
    )
    gradient = jax.grad(lambda x: judge.disturb(x, jax.random.key(0), **ranges).sum())(observed)
    assert 0 < float((gradient == 0).mean()) < 0.9


def test_shift_moves_whole_pixels_and_brings_in_background():
    marked = jnp.asarray(np.broadcast_to(np.float32(judge.NOBODY), (16, 16, judge.OBSERVED))).at[8, 8].set(1.0)
    for number in range(8):
        moved = np.asarray(judge.disturb(marked, jax.random.key(number), colour=0, shift=0.125, cutout=0))
        ((row, column),) = np.argwhere((moved == 1).all(-1))
        assert abs(row - 8) <= 2 and abs(column - 8) <= 2


def test_penalty_comes_every_so_many_steps():
    x, params = jnp.ones((2, 3)), {"w": jnp.float32(2)}

    def logits(params, x, _):
        return (params["w"] * x).sum(-1)

    found = [adversary.penalty(logits, params, step, x, jnp.ones(2), None, r1=0.5, r1_every=4) for step in (0, 1, 4)]
    # |gradient|^2 = 3 w^2 = 12; its derivative by w is 12; times r1 / 2 * r1_every = 1.
    assert [float(gradient["w"]) for gradient, _ in found] == [12, 0, 12]
    assert [float(value) for _, value in found] == [12, 0, 12]
