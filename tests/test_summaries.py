"""The files of a run: metrics that fit the checkpoint they are resumed from, pictures that can be read."""

import json
import struct

import numpy as np
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event, SessionLog

from tests import fake_run
from tryon_jax import summaries
from tryon_jax.data import pipeline
from tryon_jax.errors import UserError


def lines_until(path, steps):
    lines = summaries.Lines(path, 0)
    for step in range(1, steps + 1):
        lines.write(step, {"loss": np.float32(1) / step, "a": step})
    return lines


def test_resuming_drops_later_lines_and_ends_with_the_same_file(tmp_path):
    lines_until(tmp_path / "whole.jsonl", 6).close()
    lines_until(tmp_path / "killed.jsonl", 5).close()
    resumed = summaries.Lines(tmp_path / "killed.jsonl", 3)
    assert [line["step"] for line in summaries.read_lines(tmp_path / "killed.jsonl")] == [1, 2, 3]
    for step in (4, 5, 6):
        resumed.write(step, {"a": step, "loss": np.float32(1) / step})
    assert (tmp_path / "whole.jsonl").read_bytes() == (tmp_path / "killed.jsonl").read_bytes()


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines_until(path, 3).close()
    for cut in range(1, len(path.read_text().splitlines()[-1])):
        torn = tmp_path / "torn.jsonl"
        torn.write_text(path.read_text()[:-cut])
        summaries.Lines(torn, 9).close()
        assert [line["step"] for line in summaries.read_lines(torn)] == [1, 2]


def test_lines_reach_the_file_at_once(tmp_path):
    lines_until(tmp_path / "metrics.jsonl", 2)  # not closed, as after kill -9
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_damaged_line_within_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\nrubbish\n{"step": 2}\n')
    with pytest.raises(UserError, match="metrics.jsonl: line 2"):
        summaries.Lines(path, 9)
    assert "rubbish" in path.read_text()


def test_numbers_survive_exactly_and_nan_is_refused(tmp_path):
    lines = summaries.Lines(tmp_path / "metrics.jsonl", 0)
    value = np.float32(0.1) * np.float32(3.3)
    lines.write(1, {"loss": value})
    assert np.float32(summaries.read_lines(tmp_path / "metrics.jsonl")[0]["loss"]) == value
    with pytest.raises(ValueError):
        lines.write(2, {"loss": np.nan})


def test_turbo_runs_from_blue_to_red_and_never_repeats():
    colours = summaries.turbo(np.linspace(0, 1, 9)).astype(int)
    assert colours[1, 2] > colours[1, 0] and colours[-1, 0] > colours[-1, 2]
    apart = np.abs(colours[:, None] - colours[None]).sum(-1) + 999 * np.eye(9, dtype=int)
    assert apart.min() > 60
    assert np.array_equal(summaries.turbo([-1.0, 2.0]), summaries.turbo([0.0, 1.0]))


def test_depth_range_looks_inside_the_mask_only():
    depth, mask = np.linspace(-1, 1, 64).reshape(1, 8, 8, 1), np.zeros((1, 8, 8, 1))
    assert summaries.depth_range(depth, mask) == (-0.3, 0.3)
    mask[0, :4] = 1
    low, high = summaries.depth_range(depth, mask)
    assert -1 <= low < high < 0


def test_grid_shows_real_beside_made_for_each_sheet():
    batch = pipeline.stack([fake_run.example(number) for number in range(3)])
    batch["mask"] = np.ones_like(batch["mask"])
    made = {name: np.zeros_like(batch[name]) for name in batch if name.startswith(("front_", "back_"))}
    grid = summaries.sample_grid(batch, {**made, "mask": batch["mask"]}, examples=2, side_pixels=16)
    pictures = 2 + 2 * 4 * 2  # photo and garment; colour, depth, normals, parts of two sheets, real and made
    assert grid.shape == (32 + 2 * 18, pictures * 18, 3) and grid.dtype == np.uint8
    tile = grid[32:48, 36:52]
    assert np.array_equal(tile[::2, ::2], np.rint(batch["front_rgb"][0] * 255).astype(np.uint8))
    assert not grid[32:48, 54:70].any()


def test_grid_leaves_out_truths_that_nobody_has_and_shows_what_was_masked():
    batch = pipeline.stack([fake_run.example(number) for number in range(2)])
    made = {name: np.zeros_like(batch[name]) for name in batch if name.startswith(("front_", "back_"))}
    made |= {"mask": batch["mask"], "masked": batch["front_rgb"], "filled": batch["person"]}
    batch["has"] = {**batch["has"], "depth": np.zeros(2), "back_segmentation": np.array([0.0, 1.0])}
    columns = {known: summaries.sample_grid(batch, made, 2, 16, known).shape[1] // 18 for known in (False, True)}
    # Two inputs, two masked; eight maps, made and real, of which both sides' depth has no real one.
    assert columns == {False: 2 + 2 + 8 + 6, True: 2 + 2 + 6 + 6}


def test_grid_enlarges_small_pictures_and_keeps_large_ones():
    batch = pipeline.stack([fake_run.example(0)])
    made = {"front_rgb": batch["front_rgb"]}
    assert summaries.sample_grid(batch, made, 1, 128).shape[1] == 4 * 130
    assert summaries.sample_grid(batch, made, 1, 4).shape[1] == 4 * 10


def test_pictures_and_json_appear_whole(tmp_path):
    summaries.save_picture(tmp_path / "samples" / "3.png", np.full((4, 5, 3), 7, np.uint8))
    assert np.asarray(Image.open(tmp_path / "samples" / "3.png")).shape == (4, 5, 3)
    summaries.write_json(tmp_path / "config.json", {"a": (1, 2)})
    assert json.loads((tmp_path / "config.json").read_text()) == {"a": [1, 2]}
    assert sorted(path.name for path in tmp_path.rglob("*.part")) == []


def events(folder):
    """All events of a TensorBoard folder in the order of its files: TFRecord frames of length, check, data, check."""
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            yield Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]


def test_tensorboard_reads_back_without_what_came_after_the_checkpoint(tmp_path):
    for step, count in ((0, 4), (2, 2)):
        board = summaries.Board(tmp_path, step)
        for number in range(step + 1, step + count + 1):
            board.scalars(number, {"loss": 10 * step + number, "other": 0})
        board.picture(step + count, "samples", np.zeros((4, 5, 3), np.uint8))
        board.close()
    shown = {}
    for event in events(tmp_path):
        if event.session_log.status == SessionLog.START:  # a viewer forgets this step and all after it
            shown = {step: value for step, value in shown.items() if step < event.step}
        for value in event.summary.value:
            if value.tag == "loss":
                shown[event.step] = value.simple_value
            if value.tag == "samples":
                assert (value.image.height, value.image.width, event.step) == (4, 5, 4)
    assert shown == {1: 1.0, 2: 2.0, 3: 23.0, 4: 24.0}


def test_a_full_disk_stops_the_board_at_once_and_never_leaves_it_waiting(tmp_path):
    board = summaries.Board(tmp_path, 0)
    with open("/dev/full", "wb", buffering=0) as full:
        board._events._py_recordio_writer._writer = full
        with pytest.raises(OSError, match="No space left"):
            board.scalars(1, {"loss": 1.0})
