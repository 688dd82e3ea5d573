"""The loop: what a run leaves behind, when it stops, and what it refuses. The stage is a small double."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import fake_run
from tryon_jax import checkpoint, evaluate, parallel, summaries, train
from tryon_jax.errors import UserError


@pytest.fixture(autouse=True)
def fake():
    undo = fake_run.install()
    yield
    undo()


def test_a_run_leaves_the_folder_that_is_described(tmp_path, capsys):
    train.run(fake_run.config(), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["stage"] == "fake"
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["12.png", "6.png"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["12", "9"]
    assert list((tmp_path / "tensorboard").iterdir())
    lines = summaries.read_lines(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 13))
    assert [line["step"] for line in lines if "evaluate/depth" in line] == [6, 12]
    assert not any("second" in key or "time" in key for line in lines for key in line)
    # The run tells where it ended, and started again it says so and changes nothing.
    before = (tmp_path / "metrics.jsonl").read_bytes()
    train.run(fake_run.config(), tmp_path)
    assert "finished at step 12" in capsys.readouterr().out
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_the_last_step_has_everything_whatever_the_periods(tmp_path):
    train.run(fake_run.config(steps=5, log_every=3, evaluate_every=0, sample_every=0, checkpoint_every=0), tmp_path)
    lines = summaries.read_lines(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines] == [3, 5, 5] and "evaluate/depth" in lines[-1]
    assert checkpoint.latest_step(tmp_path) == 5 and (tmp_path / "samples" / "5.png").exists()


def test_more_steps_go_on_where_the_run_ended(tmp_path, capsys):
    train.run(fake_run.config(steps=6), tmp_path)
    train.run(fake_run.config(steps=9), tmp_path)
    assert "goes on from step 6" in capsys.readouterr().out
    assert int(checkpoint.restore_tree(tmp_path)["step"]) == 9
    assert json.loads((tmp_path / "config.json").read_text())["train"]["steps"] == 9


def test_another_config_changes_nothing(tmp_path):
    train.run(fake_run.config(steps=3), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    other = fake_run.config(steps=3).unlock()
    rate, other.optimizer.learning_rate = other.optimizer.learning_rate, 0.5
    with pytest.raises(UserError, match=f"optimizer.learning_rate is {rate} there and 0.5 here"):
        train.run(other.lock(), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_nan_names_the_metric_and_step_and_keeps_the_last_good_checkpoint(tmp_path):
    config = fake_run.config(log_every=4, checkpoint_every=2).unlock()
    config.loss.r1 = -1.0  # the double's loss is a NaN at step 6
    with pytest.raises(UserError, match=r"metric 'loss' is not finite at step 6; the checkpoint of step 4 is kept"):
        train.run(config.lock(), tmp_path)
    assert checkpoint.latest_step(tmp_path) == 4
    assert [line["step"] for line in summaries.read_lines(tmp_path / "metrics.jsonl")] == [4]


def test_a_state_that_is_not_finite_is_never_saved(tmp_path, monkeypatch):
    def build(config, axis_name=None):
        stage = fake_run.build(config, axis_name)

        def train_step(state, batch, rng):
            state, metrics = stage.train_step(state, batch, rng)
            spoilt = jax.tree.map(lambda leaf: jnp.where(state.step == 5, jnp.inf, leaf), state.params["decoder"])
            return state.replace(params={**state.params, "decoder": spoilt}), metrics

        return stage._replace(train_step=train_step)

    monkeypatch.setattr(evaluate, "build_stage", build)
    with pytest.raises(
        UserError, match=r"params/decoder/depth/kernel is not finite at step 5; the checkpoint of step 4"
    ):
        train.run(fake_run.config(checkpoint_every=1), tmp_path)
    assert checkpoint.latest_step(tmp_path) == 4


def test_a_score_that_is_not_finite_stops_the_run(tmp_path, monkeypatch):
    def build(config, axis_name=None):
        return fake_run.build(config, axis_name)._replace(summarize=lambda rows: {"depth": float("nan")})

    monkeypatch.setattr(evaluate, "build_stage", build)
    with pytest.raises(UserError, match="'evaluate/depth' is not finite at step 6; the checkpoint of step 3 is kept"):
        train.run(fake_run.config(), tmp_path)


def test_parts_of_another_run_start_a_run(tmp_path, capsys):
    train.run(fake_run.config(steps=3), tmp_path / "first")
    config = fake_run.config(steps=1).unlock()
    config.init.decoder = str(tmp_path / "first")
    config.optimizer.learning_rate = 0.0
    train.run(config.lock(), tmp_path / "second")
    assert f"starts with decoder from {tmp_path / 'first'}, step 3" in capsys.readouterr().out
    first, second = (checkpoint.restore_tree(tmp_path / name) for name in ("first", "second"))
    for name, part in first["ema"]["decoder"].items():
        assert np.array_equal(second["params"]["decoder"][name]["kernel"], part["kernel"])
        assert np.allclose(second["ema"]["decoder"][name]["kernel"], part["kernel"])
    assert not np.array_equal(second["params"]["encoder"]["kernel"], first["ema"]["encoder"]["kernel"])


def test_scores_count_every_held_out_example_once(tmp_path):
    config = fake_run.config()
    stage = fake_run.build(config)
    seen = []
    stage = stage._replace(
        eval_step=lambda params, batch, rng: {"person": batch["person"].sum((1, 2, 3))},
        summarize=lambda rows: seen.append(rows) or {"count": len(rows["person"])},
    )
    source = evaluate.open_split(config, "test")
    assert evaluate.scorer(stage, source, 8, 0)({})["count"] == 10
    expected = [fake_run.example(number)["person"].sum() for number in range(32, 42)]
    assert np.allclose(seen[0]["person"], expected)
    assert evaluate.scorer(stage, source, 8, 0, limit=3)({})["count"] == 3


def test_scores_draw_the_same_every_time():
    config = fake_run.config()
    stage, source = fake_run.build(config), evaluate.open_split(config, "test")
    key = jax.random.key(0)
    params = parallel.replicate(stage.init(key, {"person": np.zeros((1, 8, 8, 3))}).params)
    score = evaluate.scorer(stage, source, 8, 0)
    assert score(params) == score(params)
    assert score(params) != evaluate.scorer(stage, source, 8, 1)(params)


def test_evaluation_of_a_run_writes_and_prints_its_scores(tmp_path, capsys):
    train.run(fake_run.config(), tmp_path)
    evaluate.run(fake_run.config(), tmp_path)
    written = json.loads((tmp_path / "evaluation.json").read_text())
    assert written["step"] == 12 and written["examples"] == 10
    told = capsys.readouterr().out
    assert "10 held-out examples" in told and "zeros 1" in told
    other = fake_run.config().unlock()
    other.seed = 4
    with pytest.raises(UserError, match="seed is 0 there and 4 here"):
        evaluate.run(other.lock(), tmp_path)


@pytest.mark.parametrize(
    ("key", "says"), [("stage", "config.stage: no stage 'x'"), ("data", "config.data.name: no data set 'x'")]
)
def test_unknown_names_list_the_known_ones(tmp_path, key, says):
    config = fake_run.config().unlock()
    if key == "stage":
        config.stage = "x"
    else:
        config.data.name = "x"
    with pytest.raises(UserError, match=says):
        train.run(config.lock(), tmp_path / "run")


def test_on_cpu_with_several_devices_every_step_is_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    monkeypatch.setattr(jax, "block_until_ready", waited.append)
    parallel.settle("state")
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    parallel.settle("state")
    assert waited == ["state"]
