"""Checkpoints: whole states come back exactly, parts start other runs, and what does not fit is told by name."""

import json
import pathlib
import shutil

import jax
import numpy as np
import pytest

from tests import fake_run
from tryon_jax import checkpoint
from tryon_jax.data import pipeline
from tryon_jax.errors import UserError
from tryon_jax.models.layers import GROWN
from tryon_jax.state import TrainState


def state(seed=0):
    stage = fake_run.build(fake_run.config())
    made = stage.init(jax.random.key(seed), pipeline.stack([fake_run.example(0)]))
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(leaf.dtype), made)


def saved(folder, *steps, keep=2):
    """A run folder with a state saved at each step, its number the seed."""
    with checkpoint.open_run(folder, keep) as manager:
        for step in steps:
            checkpoint.save(manager, step, state(step), {"next_index": step}, fake_run.config().to_dict())
        checkpoint.finish(manager)
    return folder


def equal(one, other):
    return jax.tree.structure(one) == jax.tree.structure(other) and all(
        jax.tree.leaves(jax.tree.map(lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes(), one, other))
    )


def test_the_newest_state_and_pipeline_come_back_exactly(tmp_path):
    saved(tmp_path, 3, 6, 9)
    with checkpoint.open_run(tmp_path) as manager:
        assert manager.all_steps() == [6, 9]
        found, position = checkpoint.restore(manager, state())
    assert isinstance(found, TrainState) and equal(found, state(9)) and position == {"next_index": 9}


def test_the_whole_tree_comes_back_without_its_model(tmp_path):
    saved(tmp_path, 4)
    assert equal(checkpoint.restore_tree(tmp_path)["params"], state(4).params)


def test_parts_come_from_the_average_and_unaveraged_ones_from_the_parameters(tmp_path):
    made = state(1)
    made = made.replace(
        params={**made.params, "discriminator": {"kernel": np.ones(3, np.float32)}},
        ema={"decoder": made.ema["decoder"]},
    )
    with checkpoint.open_run(tmp_path) as manager:
        checkpoint.save(manager, 1, made, {}, {})
        checkpoint.finish(manager)
    parts = checkpoint.restore_parts(tmp_path, ["decoder", "discriminator"])
    assert equal(parts["decoder"], made.ema["decoder"]) and not equal(parts["decoder"], made.params["decoder"])
    assert equal(parts["discriminator"], made.params["discriminator"])
    assert list(checkpoint.restore_parts(tmp_path)) == ["decoder"]
    with pytest.raises(UserError, match="no mapping; its parts are decoder, discriminator, encoder"):
        checkpoint.restore_parts(tmp_path, ["mapping"])


def test_a_part_of_another_run_replaces_the_fresh_one(tmp_path):
    saved(tmp_path, 5)
    fresh = state(1).params
    params, said = checkpoint.started(fresh, {"encoder": "", "decoder": str(tmp_path)})
    assert equal(params["decoder"], state(5).ema["decoder"]) and equal(params["encoder"], fresh["encoder"])
    assert said == [f"decoder from {tmp_path}, step 5"]


def test_blocks_that_do_nothing_at_the_start_may_be_new(tmp_path):
    saved(tmp_path, 5)
    fresh = state(1).params
    fresh["decoder"][f"{GROWN}fine_0"] = {"conv": {"kernel": np.zeros((3, 3), np.float32)}}
    params, said = checkpoint.started(fresh, {"decoder": str(tmp_path)})
    block = params["decoder"].pop(f"{GROWN}fine_0")
    assert equal(params["decoder"], state(5).ema["decoder"]) and not block["conv"]["kernel"].any()
    assert said == [f"decoder from {tmp_path}, step 5, with 1 new arrays"]
    fresh["decoder"]["other"] = np.zeros(3, np.float32)
    with pytest.raises(UserError, match="decoder/other is absent there"):
        checkpoint.started(fresh, {"decoder": str(tmp_path)})


def test_a_part_of_another_shape_is_told_by_name(tmp_path):
    saved(tmp_path, 5)
    fresh = state(1).params
    fresh["encoder"] = {"kernel": np.zeros((3, 7), np.float32)}
    with pytest.raises(UserError, match=r"encoder/kernel is of shape \(3, 4\) there and of shape \(3, 7\)"):
        checkpoint.started(fresh, {"encoder": str(tmp_path)})
    with pytest.raises(UserError, match="config.init.mapping: this stage has no mapping"):
        checkpoint.started(fresh, {"mapping": str(tmp_path)})


def test_a_checkpoint_of_another_model_is_told_by_name(tmp_path):
    saved(tmp_path, 5)
    other = state(1)
    other = other.replace(params={**other.params, "garment_encoder": {"kernel": np.zeros(2, np.float32)}})
    with (
        checkpoint.open_run(tmp_path) as manager,
        pytest.raises(UserError, match="params/garment_encoder/kernel is absent there"),
    ):
        checkpoint.restore(manager, other)


@pytest.mark.parametrize("folder", ["absent", "."])
def test_a_folder_without_a_run_is_told(tmp_path, folder):
    with pytest.raises(UserError, match="no checkpoint there"):
        checkpoint.restore_parts(tmp_path / folder, ["decoder"])
    with pytest.raises(UserError, match="no run there"):
        checkpoint.run_config(tmp_path / folder)


def test_what_a_killed_save_left_is_ignored_and_cleared(tmp_path):
    saved(tmp_path, 3)
    left = tmp_path / "checkpoints" / "6.orbax-checkpoint-tmp"
    (left / "state").mkdir(parents=True)
    assert checkpoint.latest_step(tmp_path) == 3
    with checkpoint.open_run(tmp_path) as manager:
        assert manager.latest_step() == 3 and not left.exists()


def test_a_damaged_checkpoint_is_told_and_kept(tmp_path):
    saved(tmp_path, 3)
    for file in (tmp_path / "checkpoints" / "3" / "state").rglob("*"):
        if file.is_file() and file.stat().st_size > 100:
            file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(UserError, match=r"checkpoints/3: the checkpoint is damaged .*; delete that folder"):
        checkpoint.restore_parts(tmp_path, ["decoder"])
    with (
        checkpoint.open_run(tmp_path) as manager,
        pytest.raises(UserError, match="checkpoints/3: the checkpoint is damaged"),
    ):
        checkpoint.restore(manager, state())
    assert (tmp_path / "checkpoints" / "3").exists()


def test_another_config_lists_the_keys_that_differ(tmp_path):
    config = fake_run.config()
    assert checkpoint.changes(tmp_path, config.to_dict()) == []
    (tmp_path / "config.json").write_text(config.to_json())
    assert checkpoint.changes(tmp_path, config.to_dict()) == []
    longer = fake_run.config(steps=50, log_every=9)
    assert [said.split()[0] for said in checkpoint.changes(tmp_path, longer.to_dict())] == [
        "optimizer.steps", "train.log_every", "train.steps",
    ]  # fmt: skip
    other = fake_run.config(steps=50).unlock()
    other.seed, other.model.features = 3, (1, 2)
    with pytest.raises(UserError) as told:
        checkpoint.changes(tmp_path, other.to_dict())
    assert "seed is 0 there and 3 here" in str(told.value) and "model.features is" in str(told.value)
    assert "train.steps" not in str(told.value) and "--workdir" in str(told.value)


def test_a_config_comes_back_with_its_tuples(tmp_path):
    (tmp_path / "config.json").write_text(fake_run.config().to_json())
    assert checkpoint.run_config(tmp_path) == fake_run.config().to_dict()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match="config.json: cannot be read"):
        checkpoint.run_config(tmp_path)


def test_one_folder_takes_one_run_at_a_time(tmp_path):
    with checkpoint.held(tmp_path / "run"):
        with pytest.raises(UserError, match="another process is training there"), checkpoint.held(tmp_path / "run"):
            pass
        with checkpoint.held(tmp_path / "run", lead=False):
            pass
    with checkpoint.held(tmp_path / "run"):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "run", pathlib.Path("/proc/none")):
        with pytest.raises(UserError, match="cannot be written"), checkpoint.held(folder):
            pass


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("RESOURCE: No space left on device")]
)
def test_a_full_disk_is_told_and_the_checkpoints_before_stay(tmp_path, error, monkeypatch):
    saved(tmp_path, 3)
    with checkpoint.open_run(tmp_path) as manager:
        monkeypatch.setattr(manager, "save", lambda *_, **__: (_ for _ in ()).throw(error))
        with pytest.raises(UserError, match="cannot be written .*No space left on device"):
            checkpoint.save(manager, 6, state(), {}, {})
        assert manager.latest_step() == 3


def test_a_save_that_does_not_fit_is_refused_before_it_begins(tmp_path, monkeypatch):
    saved(tmp_path, 3)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**19))
    with checkpoint.open_run(tmp_path) as manager:
        with pytest.raises(UserError, match="it needs 1 MiB, 0 MiB are free"):
            checkpoint.save(manager, 6, state(), {}, {})
        assert manager.latest_step() == 3 and not list(manager.directory.glob("6*"))


def test_a_save_that_fails_does_not_hide_what_went_wrong_first(tmp_path, monkeypatch):
    with pytest.raises(KeyError, match="first"), checkpoint.open_run(tmp_path) as manager:
        monkeypatch.setattr(manager, "close", lambda: (_ for _ in ()).throw(ValueError("second")))
        raise KeyError("first")


def test_the_config_is_kept_beside_the_state(tmp_path):
    saved(tmp_path, 3)
    text = (tmp_path / "checkpoints" / "3" / "config" / "metadata").read_text()
    assert json.loads(text)["stage"] == "fake"
