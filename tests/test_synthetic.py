"""The made data set: whole or absent, resumable, the same bytes whoever makes it, and honest about damage."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import pytest

from tryon_jax import data
from tryon_jax.data import synthetic
from tryon_jax.data.synthetic import card, generator, records, staging
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES

ROOT = pathlib.Path(__file__).parent.parent
SIZE = 8


def plain_example(split, number, size=SIZE):
    """A quick stand-in for the scene: an example of the contract whose values are random numbers."""
    rng = np.random.default_rng([{"train": 0, "test": 1}[split], number])
    example = {}
    for key, entry in data.specification(size).items():
        if key == "has":
            continue
        shape, dtype = entry
        values = rng.integers(0, 15, shape) if dtype == np.int32 else rng.uniform(0, 1, shape)
        example[key] = np.asarray(values, dtype)
    for side in data.SIDES:
        example[f"{side}_normals"] /= np.linalg.norm(example[f"{side}_normals"], axis=-1, keepdims=True)
    example["garment_class"] %= len(GARMENT_CLASSES)
    example["caption"] = f"{split} number {number}"
    example["has"] = {name: np.float32(1) for name in data.HAS}
    return example


def plain_about(split, number):
    """What a stand-in's record says of itself: numbers and names at random."""
    rng = np.random.default_rng([{"train": 2, "test": 3}[split], number])
    named = {"hairstyle": ("bob", "bun"), "pose": ("standing", "walking"), "garment_kind": ("tshirt", "skirt")}
    named |= {"fabric": ("silk", "wool"), "print_kind": ("plain", "dots")}
    numbers = {key: rng.uniform(0.2, 0.9, shape) for key, (shape, dtype) in records.ABOUT.items() if dtype is not str}
    return numbers | {key: str(rng.choice(names)) for key, names in named.items()}


class StandIn(NamedTuple):
    """Stands in for generator.Maker; makes a record slowly enough to be interrupted."""

    size: int
    seed: int
    seconds: float = 0.0

    def __call__(self, split, number):
        time.sleep(self.seconds)
        identities = {"body_id": number, "garment_ids": [number, -1, -1, -1], "print_ids": [number, -1, -1, -1]}
        return records.pack(plain_example(split, number, self.size), identities, plain_about(split, number))


class Fails(StandIn):
    """Ends its process without a word, as the kernel does when memory runs out."""

    def __call__(self, split, number):
        os.kill(os.getpid(), signal.SIGKILL)


class Threads(StandIn):
    """Stores how many threads its process was told to use for linear algebra."""

    def __call__(self, split, number):
        return {"threads": np.array(int(os.environ.get("OPENBLAS_NUM_THREADS", 0)))}


class FullDisk(StandIn):
    """Runs out of space."""

    def __call__(self, split, number):
        raise OSError(28, "No space left on device")


@pytest.fixture
def quick(monkeypatch):
    """The real route of open_split with the stand-in maker and a tiny preset."""
    monkeypatch.setattr(generator, "Maker", StandIn)
    monkeypatch.setitem(synthetic.PRESETS, "tiny", synthetic.Preset(SIZE, 10, 3, chunk=4))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A tiny prepared set in a folder of its own."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "Maker", StandIn)
        patch.setitem(synthetic.PRESETS, "tiny", synthetic.Preset(SIZE, 10, 3, chunk=4))
        synthetic.open_split("tiny", "train", str(folder), workers=2)
        yield folder


def contents(place):
    return {path.name: path.read_bytes() for path in sorted(place.iterdir())}


def test_what_is_stored_comes_back(prepared, quick):
    for split, count in (("train", 10), ("test", 3)):
        source = synthetic.open_split("tiny", split, str(prepared))
        assert len(source) == count
        for number in range(count):
            example, truth = source[number], plain_example(split, number)
            data.check(example, SIZE)
            assert example["caption"] == truth["caption"]
            for key, value in truth.items():
                if key in ("has", "caption"):
                    continue
                tolerance = 1 / 127 if "normals" in key else 0.51 / 255
                np.testing.assert_allclose(example[key], value, atol=0 if value.dtype == np.int32 else tolerance)
        with pytest.raises(IndexError):
            source[count]


def test_nothing_but_the_set_is_left(prepared, quick):
    place = synthetic.location("tiny", str(prepared))
    assert [path.name for path in place.parent.iterdir() if not path.name.startswith(".")] == [place.name]


def test_a_set_has_its_card_and_does_not_mind_what_becomes_of_it(prepared, quick, tmp_path):
    place = synthetic.location("tiny", str(tmp_path))
    shutil.copytree(synthetic.location("tiny", str(prepared)), place)
    for name in (card.CARD, card.CONTACT, card.CHARTS):
        assert (place / name).stat().st_size > 100
        (place / name).unlink()
    assert len(synthetic.open_split("tiny", "train", str(tmp_path))) == 10


def test_same_bytes_for_any_number_of_workers(prepared, quick, tmp_path):
    synthetic.open_split("tiny", "train", str(tmp_path), workers=1)
    again, first = (contents(synthetic.location("tiny", str(folder))) for folder in (tmp_path, prepared))
    assert again.keys() == first.keys()
    assert [name for name in first if "array_record" in name and first[name] != again[name]] == []


def test_damaged_and_partial_chunks_are_made_again(tmp_path):
    wanted = staging.chunks({"train": 12}, 4)
    staging.make(tmp_path, wanted, StandIn(SIZE, 0), 1)
    whole = {chunk: (tmp_path / chunk.name).read_bytes() for chunk in wanted}
    (tmp_path / wanted[0].name).write_bytes(whole[wanted[0]][:500])
    flipped = bytearray(whole[wanted[1]])
    flipped[len(flipped) // 3] ^= 255
    (tmp_path / wanted[1].name).write_bytes(flipped)
    (tmp_path / f".{wanted[2].name}.123").write_bytes(b"half")
    untouched = (tmp_path / wanted[2].name).stat().st_mtime_ns
    staging.make(tmp_path, wanted, StandIn(SIZE, 0), 2)
    for chunk in wanted:
        fresh, old = staging.read(tmp_path, chunk), whole[chunk]
        assert (tmp_path / chunk.name).stat().st_size == len(old)
        assert fresh is not None
    assert (tmp_path / wanted[2].name).stat().st_mtime_ns == untouched
    assert not list(tmp_path.glob(".*"))


INTERRUPTED = """
import pathlib, sys
sys.path[:0] = {folders!r}
from test_synthetic import StandIn, SIZE
from tryon_jax.data.synthetic import staging
if __name__ == "__main__":
    staging.make(pathlib.Path({folder!r}), staging.chunks({{"train": 60}}, 3), StandIn(SIZE, 0, 0.05), 2)
"""


def test_killed_and_started_again(tmp_path):
    """kill -9 in the middle: the processes it started end too, and what was whole is kept."""
    script = tmp_path / "make.py"
    staged = tmp_path / "staged"
    staged.mkdir()
    folders = [str(pathlib.Path(__file__).parent), str(pathlib.Path(data.__file__).parents[2])]
    script.write_text(INTERRUPTED.format(folders=folders, folder=str(staged)))
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    deadline = time.time() + 60
    while len(list(staged.glob("train*"))) < 3:
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(1.0)
    kept = {path: path.stat().st_mtime_ns for path in staged.glob("train*")}
    time.sleep(0.5)
    assert {path: path.stat().st_mtime_ns for path in staged.glob("train*")} == kept, "an orphan is still writing"
    assert len(kept) < 20
    wanted = staging.chunks({"train": 60}, 3)
    staging.make(staged, wanted, StandIn(SIZE, 0), 2)
    assert all(staging.read(staged, chunk) is not None for chunk in wanted)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.parametrize(("wanted", "given"), [(None, 1), ("3", 3)])
def test_linear_algebra_of_workers_is_calm_unless_the_user_says_otherwise(tmp_path, monkeypatch, wanted, given):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if wanted:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", wanted)
    (chunk,) = staging.chunks({"train": 2}, 2)
    staging.make(tmp_path, [chunk], Threads(SIZE, 0), 1)
    assert [int(record["threads"]) for record in staging.read(tmp_path, chunk)] == [given] * 2
    assert os.environ.get("OPENBLAS_NUM_THREADS") == wanted


def test_a_worker_that_dies_is_reported(tmp_path):
    with pytest.raises(UserError, match="exit code -9.*start the command again"):
        staging.make(tmp_path, staging.chunks({"train": 8}, 4), Fails(SIZE, 0), 2)


def test_a_script_that_its_workers_would_run_again_ends_and_says_why(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        f"from tryon_jax.data import synthetic\nsynthetic.open_split('smoke', 'train', {str(tmp_path)!r}, workers=1)\n"
    )
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode and "if __name__ == '__main__':" in done.stderr


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path}.*No space left.*free space") as caught:
        staging.make(tmp_path, staging.chunks({"train": 8}, 4), FullDisk(SIZE, 0), 2)
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_while_packing_is_one_line_and_loses_no_chunk(quick, tmp_path, monkeypatch):
    def full(self, **options):
        raise RuntimeError("Failed to finalize writing: No space left on device; at byte 65536")

    from tryon_jax.data.synthetic import builder

    monkeypatch.setattr(builder.Synthetic, "download_and_prepare", full)
    with pytest.raises(UserError, match="cannot be written .*No space left.*free space") as caught:
        synthetic.open_split("tiny", "train", str(tmp_path), workers=1)
    assert "\n" not in str(caught.value)
    place = synthetic.location("tiny", str(tmp_path))
    assert not place.exists()
    assert len(list(place.parent.glob("staging_*/*.npz"))) == 4


def test_an_unwritable_folder_is_one_line(quick, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(UserError, match=f"{blocked}.*cannot be written") as caught:
        synthetic.open_split("tiny", "train", str(blocked))
    assert "\n" not in str(caught.value)


def _truncate(place):
    shard = next(place.glob("*array_record*"))
    shard.write_bytes(shard.read_bytes()[:100])


def _garble(place):
    for shard in place.glob("*array_record*"):
        content = bytearray(shard.read_bytes())
        middle = slice(len(content) // 4, 3 * len(content) // 4)
        content[middle] = os.urandom(len(content[middle]))
        shard.write_bytes(content)


def _empty(place):
    for path in place.iterdir():
        path.unlink()


def _lose_information(place):
    (place / "dataset_info.json").unlink()


@pytest.mark.parametrize("damage", [_truncate, _garble, _empty, _lose_information])
def test_a_damaged_folder_is_one_line_and_is_left_alone(prepared, quick, tmp_path, damage):
    place = synthetic.location("tiny", str(tmp_path))
    shutil.copytree(synthetic.location("tiny", str(prepared)), place)
    damage(place)
    before = contents(place)
    with pytest.raises(UserError, match=f"{place}.*delete this folder") as caught:
        source = synthetic.open_split("tiny", "train", str(tmp_path))
        for number in range(len(source)):
            source[number]
    assert "\n" not in str(caught.value)
    assert contents(place) == before


def test_other_code_means_another_version(tmp_path):
    def write(place, code):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
        return generator.code_number(tmp_path)

    write("data/synthetic/generator.py", "def make():\n    from tryon_jax.simulation import scene\n")
    write("simulation/scene.py", "from tryon_jax.render.shade import light\n")
    write("simulation/show.py", "SIZE = 1\n")
    number = write("render/shade.py", '"""About."""\nLIGHT = 1\n')
    assert write("render/shade.py", '"""More about."""\nLIGHT = 1  # a comment\n') == number
    # What nothing that makes examples imports does not make anybody's data again.
    assert write("simulation/show.py", "SIZE = 2\n") == number
    assert write("garments/cape.py", "CLASS = 'outer'\n") != number
    assert write("render/shade.py", '"""About."""\nLIGHT = 2\n') != number


def test_unknown_preset_and_split():
    with pytest.raises(UserError, match="huge.*choose one of smoke, cpu"):
        synthetic.open_split("huge", "train")
    with pytest.raises(ValueError, match="no split"):
        synthetic.open_split("smoke", "holdout")
