"""Fine-tuning on the published sets: the configs start from the package's own weights, and train on the look-alikes."""

import importlib

import jax
import lookalikes
import numpy as np
import pytest
from test_contracts import batch_of

from configs import transfer
from tryon_jax import checkpoint, data, stages
from tryon_jax.data import pipeline
from tryon_jax.stages import transfer as stage_of_transfer

SETS = ("viton_hd", "mpv3d")
# Terms of the loss that have a truth in each set.
TOLD = {"rgb", "blend", "segmentation", "mask", "keypoints"}
KNOWN = {"viton_hd": TOLD, "mpv3d": TOLD | {"depth", "depth_slopes", "normals", "keypoint_depths"}}


def config_of(name, preset):
    return importlib.import_module(f"configs.transfer_{name}").get_config(preset)


@pytest.mark.parametrize("name", SETS)
def test_the_packages_weights_fit_and_are_tuned_slowly(name):
    config, plain = config_of(name, "cpu"), transfer.get_config("cpu")
    assert config.data.name == name and config.loss.adversarial == 0
    stage = stages.load(config.stage).build(config)
    state = jax.eval_shape(stage.init, jax.random.key(0), batch_of(config.model.size))
    params, said = checkpoint.started(state.params, config.init.to_dict())
    assert {sentence.split(" from ")[0] for sentence in said} == set(stage_of_transfer.MAKING) == set(params)
    fastest = max(config.optimizer.learning_rate_scale.values())
    assert config.optimizer.learning_rate * fastest < plain.optimizer.learning_rate
    for preset in ("smoke", "base", "large"):
        other = config_of(name, preset)
        assert other.data.name == name and not any(other.init.values())
        assert other.optimizer.learning_rate == transfer.get_config(preset).optimizer.learning_rate


@pytest.fixture(scope="module")
def compiled():
    """(init, train_step compiled once): at this preset the two configs differ in the data alone."""
    config, other = (config_of(name, "smoke") for name in SETS)
    other.data.name = config.data.name
    assert config.to_dict() == other.to_dict()
    stage = stages.load(config.stage).build(config)
    return stage.init, jax.jit(stage.train_step)


def drawn(leaf):
    """Numbers for a parameter: to compile what draws the stage's own would take longer than the step."""
    return 0.05 * np.random.default_rng(leaf.size).standard_normal(leaf.shape, np.float32)


@pytest.mark.parametrize("name", SETS)
def test_a_smoke_step_on_the_lookalike_is_of_what_the_set_knows(name, compiled):
    init, step = compiled
    source = data.load(name).open_split("smoke", "train", str(lookalikes.folder(name)))
    batch = pipeline.stack([source[index] for index in range(lookalikes.COUNT)])
    keys = jax.random.split(jax.random.key(1), lookalikes.COUNT)
    shapes = jax.eval_shape(init, jax.random.key(0), batch)
    params = jax.tree.map(drawn, shapes.params)
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    state = zeros.replace(params=params, ema={part: params[part] for part in shapes.ema})
    for _ in range(3):
        state, metrics = step(state, batch, keys)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((state.params, metrics)))
    terms = {key.removeprefix("loss/") for key, value in metrics.items() if key.startswith("loss/") and value != 0}
    assert terms == KNOWN[name]
