"""Every stage takes real steps: it learns, freezes what it should, and treats examples apart."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import batch as people

from tryon_jax import data, stages

SIZE, COUNT = 16, 4
# One stage has a frozen part in all tests here, since a step of its own would have to be compiled for it.
FROZEN = {"transfer": ("encoder",)}


def config_of(name):
    config = importlib.import_module(f"configs.{name}").get_config("smoke")
    config.model.update(size=SIZE, features=(4, 8, 8, 8), latent_dim=8)
    config.mask.patch = 4
    config.optimizer.update(learning_rate=4e-3, warmup_steps=0, clip_norm=0.0, weight_decay=1e-4, steps=10**6, b1=0.5)
    config.optimizer.freeze = FROZEN.get(name, ())
    config.loss.r1_every = 2
    return config.lock()


def keys(step, count=COUNT):
    key = jax.random.fold_in(jax.random.key(0), step)
    return jax.vmap(lambda place: jax.random.fold_in(key, place))(jnp.arange(count))


def distance(one, other):
    """Largest difference between two trees of parameters."""
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(jnp.abs(a - b).max()) for a, b in leaves)


@pytest.fixture(scope="module", params=stages.names())
def built(request):
    """(name, stage, state, batch, compiled step) of a stage, compiled once for all tests here."""
    stage = stages.load(request.param).build(config_of(request.param))
    batch = people(SIZE, COUNT)
    state = jax.jit(stage.init)(jax.random.key(0), batch)
    return request.param, stage, state, batch, jax.jit(stage.train_step)


@pytest.fixture(scope="module")
def judge(built):
    """(ema, batch, keys) -> (sheets, rows of scores), in one program: the network that both run is compiled once."""
    stage = built[1]
    judge = jax.jit(lambda *given: (stage.predict(*given), stage.eval_step(*given)))
    return lambda *given: jax.tree.map(np.asarray, judge(*given))


def test_a_step_is_finite_and_changes_every_part_but_frozen_ones(built):
    name, _, state, batch, step = built
    after, metrics = step(state, batch, keys(0))
    assert all(np.isfinite(value) and np.ndim(value) == 0 for value in metrics.values())
    assert int(after.step) == 1
    assert jax.tree.structure(after) == jax.tree.structure(state)
    for part, before in state.params.items():
        change = distance(before, after.params[part])
        assert (change == 0) if part in FROZEN.get(name, ()) else (change > 1e-5), part
    assert set(after.ema) == set(state.params) - {"discriminator"}


def moments(state):
    """First moments of Adam after one step from zero: the gradients times 1 - b1."""
    found = jax.tree.leaves(state.opt_state, is_leaf=lambda leaf: hasattr(leaf, "mu"))
    return [leaf.mu for leaf in found if hasattr(leaf, "mu")]


def test_gradients_of_halves_average_to_the_wholes(built):
    """A half is given twice over, which is the same mean: so one compiled step serves both sizes."""
    _, _, state, batch, step = built
    whole = moments(step(state, batch, keys(0))[0])
    halves = []
    for half in (np.array([0, 1, 0, 1]), np.array([2, 3, 2, 3])):
        part = jax.tree.map(lambda leaf, half=half: leaf[half], batch)
        halves.append(moments(step(state, part, keys(0)[half])[0]))
    mean = jax.tree.map(lambda a, b: (a + b) / 2, *halves)
    size = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(whole))
    assert size > 1e-4
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6 * size), whole, mean)


def test_no_gradient_is_rounding_alone(built):
    """Adam makes full steps of any gradient: a parameter that changes nothing must have a true zero, or not exist."""
    _, _, state, batch, step = built
    found = jax.tree_util.tree_leaves_with_path(moments(step(state, batch, keys(0))[0]))
    sizes = {jax.tree_util.keystr(path): np.abs(leaf).max() for path, leaf in found if leaf.size}
    assert len(sizes) > 50
    assert {name: size for name, size in sizes.items() if 0 < size < 1e-7} == {}


def test_same_keys_same_step(built):
    _, _, state, batch, step = built
    one, two, other = (step(state, batch, keys(number))[0] for number in (3, 3, 4))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)
    assert distance(one.params, other.params) > 0


def test_predict_keeps_the_contract(built, judge):
    _, _, state, batch, _ = built
    sheets, _ = judge(state.ema, batch, keys(0))
    spec = data.specification(SIZE)
    targets = {"mask", *(f"{side}_{name}" for side in data.SIDES for name in data.PREDICTED)}
    assert targets <= set(sheets)
    for name in targets:
        value, (shape, dtype) = sheets[name], spec[name]
        assert value.shape == (COUNT, *shape) and value.dtype == dtype, name
    on = sheets["mask"][..., 0] > 0.5
    assert sheets["mask"].min() >= 0 and sheets["mask"].max() <= 1
    assert (sheets["front_depth"] >= sheets["back_depth"]).all()
    for side, sign in (("front", 1), ("back", -1)):
        normals = sheets[f"{side}_normals"]
        np.testing.assert_allclose(np.linalg.norm(normals[on], axis=-1), 1, atol=1e-4)
        assert (sign * normals[on][:, 2] > 0).all() and not normals[~on].any()
        assert 0 <= sheets[f"{side}_rgb"].min() and sheets[f"{side}_rgb"].max() <= 1
        assert not sheets[f"{side}_segmentation"][~on].any()


def test_a_gan_makes_the_person_of_a_named_latent(built):
    name, stage, state, batch, _ = built
    if name != "gan":
        pytest.skip("only the generator has a latent")
    named = {**batch, "latent": jax.random.normal(jax.random.key(1), (COUNT, 8))}
    one, two = (jax.jit(stage.predict)(state.ema, named, keys(number)) for number in (0, 1))
    jax.tree.map(np.testing.assert_array_equal, one, two)
    other = jax.jit(stage.predict)(state.ema, {**named, "latent": -named["latent"]}, keys(0))
    assert np.abs(np.asarray(other["front_rgb"]) - np.asarray(one["front_rgb"])).max() > 1e-4


def test_scores_are_finite(built, judge):
    _, stage, state, batch, _ = built
    _, rows = judge(state.ema, batch, keys(0))
    assert all(len(value) == COUNT for value in rows.values())
    scores = stage.summarize(rows)
    assert all(np.isfinite(value) for value in scores.values())
    assert any("/" in name for name in scores), "a score without a baseline says little"


def test_one_batch_can_be_learned(built, judge):
    name, stage, state, batch, step = built
    found = []

    def learned():
        if name == "gan":
            # An adversarial loss need not fall: the made sheets have to come nearer to the real ones.
            scores = stage.summarize(judge(state.ema, batch, keys(0))[1])
            return scores["kid_fixed"] < 0.5 * scores["kid_fixed/untrained"]
        losses = [metrics["loss"] for metrics in found]
        return np.mean(losses[-20:]) < 0.7 * np.mean(losses[:5])

    for number in range(400):
        state, metrics = step(state, batch, keys(number))
        found.append({key: float(value) for key, value in metrics.items()})
        assert all(np.isfinite(value) for value in found[-1].values())
        if number % 50 == 49 and learned():
            return
    raise AssertionError(f"not learned in {len(found)} steps; the last: {found[-1]}")
