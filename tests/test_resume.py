"""A run that is killed with SIGKILL at any moment and started again ends as the run that was never stopped."""

import pathlib
import random
import subprocess
import sys

import pytest

from experiments import kill_test

ROOT = pathlib.Path(__file__).parents[1]
COMMAND = [sys.executable, str(ROOT / "tests" / "fake_run.py")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of 12 steps; later starts read its compiled programs."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TRYON_JAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        assert kill_test.begin(COMMAND, folder).wait(timeout=300) == 0
        yield folder


def test_killed_runs_equal_the_whole_one(whole, tmp_path):
    killed, draw = tmp_path / "killed", random.Random(0)
    for target in (2, 7, 10):
        _, was_killed = kill_test.kill_once(COMMAND, killed, target, draw)
        assert was_killed
    assert kill_test.begin(COMMAND, killed).wait(timeout=300) == 0
    rows = kill_test.compare(whole, killed)
    assert {name for name, count, _ in rows if count} >= {"params", "opt_state", "metrics.jsonl lines", "sample grids"}
    assert [row for row in rows if row[2]] == []


def test_the_comparison_sees_a_single_bit(whole, tmp_path):
    other = tmp_path / "other"
    subprocess.run([*COMMAND, f"--workdir={other}"], check=True, timeout=300, capture_output=True)
    assert not any(row[2] for row in kill_test.compare(whole, other))
    lines = (other / "metrics.jsonl").read_text()
    (other / "metrics.jsonl").write_text(lines.replace("1", "2", 1))
    assert [row[0] for row in kill_test.compare(whole, other) if row[2]] == ["metrics.jsonl lines"]
