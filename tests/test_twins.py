"""Twins of the training steps in PyTorch (experiments/twins): the same parameters make the same maps and losses."""

import importlib

import jax
import numpy as np
import pytest
from made_people import batch as people

torch = pytest.importorskip("torch", reason='PyTorch is not installed (pip install -e ".[twins]")')

from experiments.twins import arrays, maps, optimizer, prepared, steps, theirs  # noqa: E402
from tryon_jax import stages  # noqa: E402
from tryon_jax.models import maps as ours  # noqa: E402
from tryon_jax.render import holes, palette  # noqa: E402
from tryon_jax.state import optimizers  # noqa: E402

SIZE, COUNT, STEPS = 32, 3, 2


def config_of(name):
    config = importlib.import_module(f"configs.{name}").get_config("cpu")
    config.model.update(size=SIZE, features=(8, 8, 16, 24), latent_dim=8)
    # A rate that is not zero from the first step on; at the full one Muon makes rounding visible.
    config.optimizer.update(warmup_steps=0, learning_rate=1e-3)
    config.mask.patch = 4
    return config


@pytest.mark.parametrize("name", sorted(steps.STEPS))
def test_a_twin_finds_what_our_step_finds(name, tmp_path):
    """Maps, and losses of steps of which later ones see what the optimizer did."""
    config, raw, generator = config_of(name), prepared.people(SIZE, COUNT), np.random.default_rng(1)
    stage = stages.load(name).build(config)
    batch = jax.jit(lambda raw: prepared.prepare(name, stage, raw, 0))(raw)
    state = jax.jit(stage.init)(jax.random.key(0), raw)
    # What starts at zero would hide its layer.
    params = jax.tree.map(lambda p: p + 0.03 * generator.standard_normal(p.shape, np.float32), state.params)
    state = state.replace(params=params, ema={part: params[part] for part in state.ema})

    def both(state, batch, keys):
        return prepared.outputs(name, stage)(state.params, batch, keys), *stage.train_step(state, batch, keys)

    found = []
    with prepared.as_prepared(name):
        step = jax.jit(both)
        for number in range(STEPS):
            made, state, metrics = step(state, batch, prepared.keys(0, number, COUNT))
            found.append((made, metrics))
    drawn = {"example": batch, "draws": prepared.draws(stage, 0, SIZE, COUNT)} if name == "gan" else batch
    arrays.save(tmp_path / "batch.npz", drawn)
    arrays.save(tmp_path / "params.npz", params)
    tensors = theirs.tensors(arrays.load(tmp_path / "batch.npz"), "cpu")
    twin = steps.STEPS[name](config.to_dict(), arrays.load(tmp_path / "params.npz"))
    made = twin.outputs(tensors)
    assert len(made) >= 17
    for key, value in made.items():
        size = np.abs(found[0][0][key]).max()
        np.testing.assert_allclose(value, found[0][0][key], atol=1e-4 * size, rtol=0, err_msg=key)
    for number, (_, metrics) in enumerate(found):
        losses = twin.step(tensors)
        assert losses.keys() == {key.removeprefix("loss/") for key in metrics}
        for key, value in metrics.items():
            its = float(losses[key.removeprefix("loss/")])
            assert abs(its - value) < 1e-4 * max(1.0, abs(value)), (number, key)


@pytest.mark.parametrize("name", ["adam", "muon"])
def test_the_optimizer_is_our_chain(name):
    settings = config_of("ssl").optimizer
    settings.update(name=name, warmup_steps=2, steps=9, weight_decay=0.3, clip_norm=0.7, learning_rate=0.05)
    settings = settings.to_dict()
    chain = optimizers(settings)["networks"]
    generator = np.random.default_rng(0)
    shapes = {"kernel": (3, 3, 4, 5), "weight": (6, 5), "look": (3, 6, 4), "bias": (5,)}
    params = {"encoder": {key: generator.standard_normal(shape, np.float32) for key, shape in shapes.items()}}
    # A kernel lies in PyTorch as [outputs, inputs, k, k], and a matrix as [outputs, inputs].
    there = {"kernel": lambda x: x.transpose(3, 2, 0, 1), "weight": np.transpose}
    back = {"kernel": lambda x: x.transpose(2, 3, 1, 0), "weight": np.transpose}
    twins = {key: there.get(key, np.array)(value).copy() for key, value in params["encoder"].items()}
    twins = {key: torch.nn.Parameter(torch.from_numpy(value)) for key, value in twins.items()}
    chosen = optimizer.Optimizer(twins.values(), settings, settings["learning_rate"])
    mean, state = optimizer.Average(twins.values(), 0.9), chain.init(params)
    for _ in range(4):
        gradients = {key: generator.standard_normal(shape, np.float32) for key, shape in shapes.items()}
        updates, state = chain.update({"encoder": gradients}, state, params)
        params = jax.tree.map(lambda p, u: p + u, params, updates)
        for key, twin in twins.items():
            twin.grad = torch.from_numpy(there.get(key, np.array)(gradients[key]).copy())
        chosen.step()
        mean.update()
    for key, twin in twins.items():
        np.testing.assert_allclose(
            back.get(key, np.array)(twin.detach().numpy()), params["encoder"][key], atol=2e-5, err_msg=key
        )
    assert not np.allclose(mean.kept[0], next(iter(twins.values())).detach())


def test_holes_and_colours_are_filled_as_ours(rng):
    batch, side = 2, 24  # not a power of two
    picture, known = (rng.random((batch, side, side, channels), np.float32) for channels in (3, 1))
    parts = rng.dirichlet(np.full(16, 0.1), (2, batch, side, side)).astype(np.float32)
    given = picture, (known > 0.7).astype(np.float32), *parts
    tensors = [torch.from_numpy(part) for part in given]
    for theirs_, ours_ in ((maps.mend, palette.mend), (maps.behind, palette.behind), (maps.repaint, palette.repaint)):
        np.testing.assert_allclose(theirs_(*tensors), jax.vmap(ours_)(*given), atol=1e-5)
    filled = maps.fill(tensors[0].permute(0, 3, 1, 2), tensors[1].permute(0, 3, 1, 2))[:, 0].permute(0, 2, 3, 1)
    np.testing.assert_allclose(filled, jax.vmap(holes.fill)(*given[:2]), atol=1e-5)


def test_a_twin_knows_what_ours_calls_its_channels():
    assert (maps.HEADS, maps.CHOICES, maps.CHANNELS) == (ours.HEADS, ours.CHOICES, ours.CHANNELS)


def test_unequal_work_is_refused():
    config = config_of("ssl")
    config.model.dropout = 0.1
    with pytest.raises(ValueError, match="model.dropout"):
        steps.STEPS["ssl"](config.to_dict(), {})


def test_people_keep_the_contract():
    from tryon_jax import data

    made = prepared.people(SIZE, COUNT)
    assert jax.tree.structure(made) == jax.tree.structure(people(SIZE, COUNT))
    for number in range(COUNT):
        data.check(jax.tree.map(lambda rows, number=number: rows[number], made), SIZE)
