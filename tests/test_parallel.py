"""One device, eight virtual devices and two joined processes train alike; the tests compare gradients too."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import devices_test
from tests import fake_run
from tryon_jax import parallel
from tryon_jax.errors import UserError
from tryon_jax.state import TrainState

ROOT = pathlib.Path(__file__).parents[1]
DEADLINE = 300  # seconds; subprocess ends what hangs by SIGKILL, the only signal that ends a stuck collective

WORKER = """
import sys, jax, numpy as np
from experiments import devices_test
from tests import fake_run
from tryon_jax import parallel
from tryon_jax.data import pipeline
stage = fake_run.build(fake_run.config(), parallel.AXIS)
state = parallel.replicate(stage.init(jax.random.key(0), pipeline.stack([fake_run.example(0)])))
record = parallel.replicate(parallel.healthy())
step = parallel.train_step(stage.train_step, 0)
places = parallel.split(parallel.indices(8))
leaves = {}
for number in range(3):
    batch = parallel.split(pipeline.stack([fake_run.example(8 * number + row) for row in range(8)]))
    state, record, metrics = step(state, record, batch, places)
    jax.block_until_ready(state)
    if number == 0:
        leaves |= devices_test.named("moments", parallel.on_host(state.opt_state))
        leaves |= devices_test.named("metrics", parallel.on_host(metrics))
leaves |= devices_test.named("params", parallel.on_host(state.params))
judge = parallel.per_example(stage.eval_step, 0)
order, scores = parallel.on_host(judge(state.ema, batch, places))
leaves |= {"params" + name: rows[np.argsort(order)] for name, rows in scores.items()}
np.savez(sys.argv[1], **leaves)
"""


def steps_on(devices, out):
    environment = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    subprocess.run([sys.executable, "-c", WORKER, str(out)], cwd=ROOT, env=environment, check=True, timeout=DEADLINE)
    return dict(np.load(out))


def test_eight_devices_equal_one(tmp_path):
    one, eight = (steps_on(devices, tmp_path / f"{devices}.npz") for devices in (1, 8))
    params, moments, metrics = devices_test.differences(one, eight)
    assert params <= 1e-5 and moments <= 1e-4 and metrics <= 1e-5
    assert any(name.startswith("moments") and np.abs(leaf).max() > 0 for name, leaf in one.items())


def test_a_sum_in_place_of_the_mean_would_be_seen():
    one = {"moments.mu": np.full(4, 0.1), "params": np.zeros(4)}
    assert devices_test.differences(one, {**one, "moments.mu": np.full(4, 0.8)})[1] > 1


def test_two_processes_equal_one(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "tests/fake_run.py", "--steps=4"]
    joined = [f"--coordinator={coordinator}", "--processes=2"]
    runs = [[*command, f"--workdir={tmp_path / 'one'}"]]
    runs += [[*command, f"--workdir={tmp_path / 'two'}", *joined, f"--process={process}"] for process in (0, 1)]
    environment = {**os.environ, "XLA_FLAGS": "", "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(run, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) for run in runs]
    try:
        told = [run.communicate(timeout=DEADLINE)[1] for run in started]
    finally:
        for run in started:
            run.kill()
    assert [run.returncode for run in started] == [0, 0, 0], told
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert [line.keys() for line in one] == [line.keys() for line in two] and len(one) == 5
    for alone, both in zip(one, two, strict=True):
        assert both == pytest.approx(alone, rel=1e-5)
    assert (tmp_path / "two" / "samples" / "4.png").exists()


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    with pytest.raises(UserError, match=r"config.batch_size=12 .* 8 devices: choose a multiple of 8"):
        parallel.indices(12)


def test_keys_follow_the_place_and_the_step_alone():
    def keys(step, places):
        return jax.random.key_data(parallel.example_keys(3, step, np.array(places)))

    whole = keys(5, range(8))
    assert np.array_equal(whole[4:], keys(5, range(4, 8)))
    assert len({tuple(row) for row in np.concatenate([whole, keys(6, range(8))]).tolist()}) == 16


def test_split_and_replicate_keep_the_values():
    batch = {"person": np.arange(24.0, dtype=np.float32).reshape(8, 3), "has": {"mask": np.ones(8, np.float32)}}
    shares = parallel.split(batch)
    assert np.array_equal(np.asarray(shares["person"]).reshape(8, 3), batch["person"])
    held = parallel.replicate(batch)
    copies = parallel.on_host(held)
    assert np.array_equal(copies["person"], batch["person"])
    held["person"].delete()
    assert np.array_equal(copies["person"], batch["person"])


def test_replicated_arrays_never_share_memory_with_what_they_were_made_of():
    source = np.zeros(64, np.float32)
    held = parallel.replicate(source)
    source += 1
    assert float(np.asarray(held).max()) == 0


def test_prefetch_gives_each_batch_with_the_state_just_after_it():
    class Counter:
        def __init__(self):
            self.next = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.next += 1
            return np.full((1, 1), self.next, np.float32)

        def get_state(self):
            return {"next_index": self.next}

    ahead = parallel.prefetch(Counter(), depth=2)
    for number in (1, 2, 3):
        batch, state = next(ahead)
        assert float(np.asarray(batch)[0, 0, 0]) == number and state == {"next_index": number}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_record_keeps_the_first_bad_step_and_metric(bad):
    def step(state, batch, rng):
        metrics = {
            "c": jnp.where(state.step >= 2, bad, 0.0),
            "b": jnp.where(state.step == 3, jnp.nan, 0.0),
            "a": jnp.float32(0),
        }
        return state.replace(step=state.step + 1), metrics

    run = parallel.train_step(step, 0)
    state = parallel.replicate(TrainState(np.int32(0), {}, {}, {}))
    record, places = parallel.replicate(parallel.healthy()), parallel.split(parallel.indices(8))
    for _ in range(5):
        state, record, metrics = run(state, record, places, places)
    assert parallel.on_host(record).tolist() == [3, 2]  # the third step done; "c" is the third name


def test_first_not_finite_names_the_leaf():
    good = {"params": {"decoder": {"bias": np.zeros(3), "kernel": np.ones(3)}}, "step": np.int32(3)}
    assert parallel.first_not_finite(good) is None
    good["params"]["decoder"]["kernel"][1] = np.inf
    assert parallel.first_not_finite(good) == "params/decoder/kernel"


def test_a_step_of_the_fake_stage_runs_alone():
    from tryon_jax.data import pipeline

    stage = fake_run.build(fake_run.config())
    batch = pipeline.stack([fake_run.example(number) for number in range(4)])
    state, metrics = jax.jit(stage.train_step)(
        stage.init(jax.random.key(0), batch), batch, parallel.example_keys(0, 0, np.arange(4))
    )
    assert int(state.step) == 1 and np.isfinite(metrics["loss"])
