"""A Beam pipeline makes the set that this machine's processes make, bit by bit, and goes on after a failure."""

import functools
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from test_synthetic import SIZE, StandIn

from tryon_jax.data import synthetic
from tryon_jax.data.synthetic import beam, generator, staging
from tryon_jax.errors import UserError

ROOT = pathlib.Path(__file__).parent.parent
OPTIONS = ["--runner=DirectRunner"]


@pytest.fixture
def library():
    """Skips where the extra is not installed."""
    return pytest.importorskip("apache_beam", reason='needs the extra: pip install -e ".[beam]"')


class Stumbles(NamedTuple):
    """A maker that fails at one record."""

    number: int

    def __call__(self, split, number):
        if number == self.number:
            raise ValueError("a stumble")
        return StandIn(SIZE, 0)(split, number)


def whole(folder, wanted):
    """{chunk's name: bytes} of the chunks that are whole."""
    return {chunk.name: (folder / chunk.name).read_bytes() for chunk in wanted if staging.read(folder, chunk)}


def test_a_pipeline_and_processes_make_the_same_chunks(library, tmp_path):
    wanted = staging.chunks({"train": 7, "test": 2}, 3)
    for name, make in (("processes", staging.make), ("pipeline", functools.partial(beam.make, "", OPTIONS))):
        (tmp_path / name).mkdir()
        make(tmp_path / name, wanted, StandIn(SIZE, 0))
    for chunk in wanted:
        one, other = (staging.read(tmp_path / name, chunk) for name in ("processes", "pipeline"))
        assert len(one) == len(other) == chunk.last - chunk.first
        for record, twin in zip(one, other, strict=True):
            assert record.keys() == twin.keys()
            for key, value in record.items():
                np.testing.assert_array_equal(value, twin[key])
    names = {chunk.name for chunk in wanted}
    assert {path.name for path in (tmp_path / "pipeline").iterdir()} == names, "something else was left"


def test_damaged_and_missing_chunks_are_made_again_and_no_others(library, tmp_path):
    wanted = staging.chunks({"train": 9}, 3)
    make = functools.partial(beam.make, "", OPTIONS)
    make(tmp_path, wanted, StandIn(SIZE, 0))
    first = whole(tmp_path, wanted)
    flipped = bytearray(first[wanted[0].name])
    flipped[len(flipped) // 3] ^= 255
    (tmp_path / wanted[0].name).write_bytes(flipped)
    (tmp_path / wanted[1].name).unlink()
    untouched = (tmp_path / wanted[2].name).stat().st_mtime_ns
    make(tmp_path, wanted, StandIn(SIZE, 0))
    assert whole(tmp_path, wanted).keys() == first.keys()
    assert (tmp_path / wanted[2].name).stat().st_mtime_ns == untouched


def test_what_was_made_before_a_failure_is_kept(library, tmp_path):
    wanted = staging.chunks({"train": 12}, 3)
    folder, exchange = tmp_path / "synthetic_tiny" / "staging", tmp_path / "exchange"
    folder.mkdir(parents=True)
    make = functools.partial(beam.make, str(exchange), OPTIONS, folder, wanted)
    with pytest.raises(UserError, match="record 10 of train.*a stumble.*continues where it stopped") as caught:
        make(Stumbles(10))
    assert "\n" not in str(caught.value)
    left = {path.name: path.stat().st_size for path in exchange.rglob("train*.npz")}
    assert left and wanted[3].name not in left
    # A chunk that is damaged at the exchange does not come into the set either.
    damaged = next(exchange.rglob("train*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    make(Stumbles(int(next(chunk.first for chunk in wanted if chunk.name in left and chunk.name != damaged.name))))
    assert whole(folder, wanted).keys() == {chunk.name for chunk in wanted}
    assert not list(exchange.rglob("*.npz"))


def test_workers_that_write_elsewhere_are_one_line(library, tmp_path, monkeypatch):
    monkeypatch.setattr(beam, "write", lambda maker, exchange, chunk: None)
    with pytest.raises(UserError, match="2 of 2 chunks are not there.*--exchange") as caught:
        beam.make("", OPTIONS, tmp_path, staging.chunks({"train": 4}, 2), StandIn(SIZE, 0))
    assert "\n" not in str(caught.value)


def test_presets_do_not_meet_at_the_exchange(library, tmp_path):
    folders = [tmp_path / name / "staging_1.0.5" for name in ("synthetic_cpu", "synthetic_base")]
    places = {beam._place(str(tmp_path / "shared"), folder) for folder in folders}
    assert len(places) == 2 and all(place.startswith(f"{tmp_path}/shared/") for place in places)


def test_an_exchange_that_beam_does_not_know_is_one_line(library, tmp_path):
    with pytest.raises(UserError, match="--exchange=nowhere://x.*apache-beam.gcp") as caught:
        beam.make("nowhere://x", OPTIONS, tmp_path, staging.chunks({"train": 4}, 2), StandIn(SIZE, 0))
    assert "\n" not in str(caught.value)


def test_the_command_publishes_the_set_that_processes_publish(library, tmp_path):
    folders = [tmp_path / "pipeline", tmp_path / "processes"]
    command = [sys.executable, "-m", "tryon_jax.data.synthetic.beam", "--preset=smoke", f"--folder={folders[0]}"]
    options = [*OPTIONS, "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths}
    result = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert result.returncode == 0, result.stderr[-2000:]
    place = synthetic.location("smoke", str(folders[0]))
    assert result.stdout.strip().splitlines()[-1] == str(place)
    for split in synthetic.SPLITS:
        # The twin is made here too: one that is in the cache may be another processor's, whose sums round otherwise.
        made, twin = (synthetic.open_split("smoke", split, str(folder)) for folder in folders)
        assert len(made) == len(twin)
        for number in range(len(twin)):
            record, other = made.record(number), twin.record(number)
            assert record.keys() == other.keys()
            for key, value in other.items():
                np.testing.assert_array_equal(record[key], value, err_msg=f"{split} {number} {key}")
    assert [path.name for path in place.parent.iterdir() if not path.name.startswith(".")] == [place.name]


def test_without_beam_one_line_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setattr(generator, "Maker", StandIn)
    assert beam.main(["--preset=smoke", f"--folder={tmp_path}"]) == 1
    assert capsys.readouterr().err == 'error: apache-beam is not installed; pip install "tryon_jax[beam]"\n'
    assert not list(tmp_path.iterdir())
