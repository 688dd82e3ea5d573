"""Weights that are passed on: written and read back whole, standing where a run may, and those of the package."""

import jax
import made_people
import numpy as np
import pytest
from ml_collections import ConfigDict

from tryon_jax import checkpoint, evaluate, train, weights
from tryon_jax.errors import UserError

PARAMS = {
    "encoder": {"conv": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(3, np.float32)}},
    "decoder": {"head": {"kernel": np.full((1, 2), 0.5, np.float32)}},
}
SETTINGS = {"stage": "transfer", "model": {"features": [1, 2]}}


@pytest.fixture
def folder(tmp_path):
    weights.publish(tmp_path / "given", PARAMS, SETTINGS, {"step": 7, "scores": {"depth": 0.5}})
    return tmp_path / "given"


def test_a_folder_of_weights_stands_for_a_run(folder):
    jax.tree.map(np.testing.assert_array_equal, checkpoint.restore_parts(folder), PARAMS)
    assert list(checkpoint.restore_parts(folder, ["decoder"])) == ["decoder"]
    assert checkpoint.latest_step(folder) == 7
    assert checkpoint.run_config(folder) == {"stage": "transfer", "model": {"features": (1, 2)}}
    fresh = jax.tree.map(np.zeros_like, PARAMS)
    found, said = checkpoint.started(fresh, {"encoder": str(folder), "decoder": ""})
    np.testing.assert_array_equal(found["encoder"]["conv"]["kernel"], PARAMS["encoder"]["conv"]["kernel"])
    assert not found["decoder"]["head"]["kernel"].any()
    assert said == [f"encoder from {folder}, step 7"]


def test_numbers_are_kept_to_eleven_bits_and_none_is_lost(tmp_path, rng):
    leaf = (rng.normal(size=(40, 9)) * 10.0 ** rng.uniform(-3, 3, (40, 9))).astype(np.float32)
    params = {"encoder": {"kernel": leaf}}
    weights.publish(tmp_path, params, SETTINGS, {"step": 1})
    found = weights.read(tmp_path)["encoder"]["kernel"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, leaf, rtol=2**-11, atol=2**-25)
    np.testing.assert_array_equal(weights.kept(params)["encoder"]["kernel"], found)
    for wrong in (1e5, np.nan):
        with pytest.raises(UserError, match="cannot be kept as float16"):
            weights.publish(tmp_path, {"encoder": {"kernel": leaf * wrong}}, SETTINGS, {"step": 1})


def test_a_missing_part_and_damage_are_told(folder):
    with pytest.raises(UserError, match="it has no mapping; its parts are decoder, encoder"):
        checkpoint.restore_parts(folder, ["mapping"])
    path = folder / weights.PARAMS
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match="params.safetensors: damaged"):
        checkpoint.restore_parts(folder)
    (folder / weights.SCORES).write_text("{}")
    with pytest.raises(UserError, match="scores.json: damaged"):
        checkpoint.latest_step(folder)


@pytest.mark.parametrize("name", weights.PRETRAINED)
def test_nobody_trains_into_the_packages_own_weights(name):
    with pytest.raises(UserError, match=f"--workdir={name}"):
        train.run(ConfigDict(), name)


@pytest.mark.parametrize("name", weights.PRETRAINED)
def test_the_packages_weights_fit_its_networks(name):
    config = ConfigDict(checkpoint.run_config(name))
    stage, params = evaluate.build_stage(config), checkpoint.restore_parts(name)
    wanted = jax.eval_shape(stage.init, jax.random.key(0), made_people.batch(config.model.size, 1)).ema
    shapes = [{name: leaf.shape for name, leaf in _named(tree)} for tree in (params, wanted)]
    assert shapes[0] == shapes[1], "the networks changed: train anew and run experiments/publish.py"
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params))


def test_the_packages_weights_are_small():
    assert sum((weights.folder(name) / weights.PARAMS).stat().st_size for name in weights.PRETRAINED) < 12 * 2**20


def _named(tree):
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
