"""What a run writes for people and programs: metrics.jsonl, TensorBoard, sample grids."""

import json
import os
import pathlib
import time

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PALETTE

SIDES = ("front", "back")
EXTRA = ("masked", "filled")  # pictures that a stage may make beside the sheets
# Turbo by six-degree polynomials (Mikhailov 2019, Apache-2.0): powers 0..5 of the value give red, green, blue.
TURBO = np.array(
    [
        [0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
        [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
        [0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
    ]
)


class Lines:
    """A file of one JSON object a line, each with its `step`, that is never behind or ahead of a checkpoint.

    Opening it at step k drops the lines of later steps and a line that was cut off, so a run that is resumed
    at k ends with the same file as one that was never stopped. A line reaches the file before `write` returns.
    """

    def __init__(self, path, step):
        self._path = pathlib.Path(path)
        kept = [line for line in self._complete() if json.loads(line)["step"] <= step]
        beside = self._path.with_suffix(".part")
        beside.write_text("".join(kept))
        os.replace(beside, self._path)
        self._file = open(self._path, "a", buffering=1)

    def _complete(self):
        if not self._path.exists():
            return
        for number, line in enumerate(self._path.read_text().splitlines(keepends=True), 1):
            try:
                if not line.endswith("\n") or "step" not in json.loads(line):
                    raise ValueError("no step")
            except ValueError:
                if line.endswith("\n"):
                    raise UserError(
                        f"{self._path}: line {number} is no JSON object with a step; mend or delete that line"
                    ) from None
                return
            yield line

    def write(self, step, values):
        """Appends {"step": step, **values}; values are finite numbers. Raises ValueError if one is not."""
        line = {"step": int(step), **{name: float(value) for name, value in sorted(values.items())}}
        self._file.write(json.dumps(line, allow_nan=False) + "\n")

    def sync(self):
        """Waits until the disk holds the lines, so that a checkpoint is never newer than they are."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self):
        """Closes the file."""
        self._file.close()


def read_lines(path):
    """All objects of a metrics.jsonl, a list of dicts."""
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def write_json(path, value):
    """Writes a JSON file that is either the old one or the whole new one."""
    path = pathlib.Path(path)
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(beside, path)


class Board:
    """A TensorBoard event file in `folder`, on from `step`: what a killed run wrote later is hidden.

    Written at once by this thread: tensorboardX's own SummaryWriter leaves it to another thread, and if that
    one dies, as on a full disk, the run waits for it for ever.
    """

    def __init__(self, folder, step):
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self._events = EventsWriter(str(pathlib.Path(folder) / "events"), f".{time.time_ns()}")
        if step:
            self._write(step + 1, session_log=SessionLog(status=SessionLog.START))

    def _write(self, step, **content):
        from tensorboardX.proto.event_pb2 import Event

        self._events.write_event(Event(wall_time=time.time(), step=step, **content))
        self._events.flush()

    def scalars(self, step, values):
        """Numbers by name at one step."""
        from tensorboardX.proto.summary_pb2 import Summary

        named = [Summary.Value(tag=name, simple_value=float(value)) for name, value in values.items()]
        self._write(step, summary=Summary(value=named))

    def picture(self, step, name, picture):
        """A picture uint8 [H, W, 3]."""
        from tensorboardX.summary import image

        self._write(step, summary=image(name, picture, dataformats="HWC"))

    def close(self):
        """Closes the file."""
        self._events.close()


class Writer:
    """All that one run writes as it goes, into `folder`, on from `step`; a context manager.

    lead: whether this process is the one that writes; the others' calls do nothing.
    """

    def __init__(self, folder, step, lead=True):
        self._folder, self._lead = pathlib.Path(folder), lead
        self._lines = Lines(self._folder / "metrics.jsonl", step) if lead else None
        self._board = Board(self._folder / "tensorboard", step) if lead else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._lead:
            self._lines.close()
            self._board.close()

    def scalars(self, step, values):
        """A line of metrics.jsonl, the same in TensorBoard."""
        if self._lead:
            self._lines.write(step, values)
            self._board.scalars(step, values)

    def speed(self, step, steps, examples):
        """Steps and examples a second, to TensorBoard alone: clocks never repeat, metrics.jsonl must."""
        if self._lead:
            self._board.scalars(step, {"speed/steps_per_second": steps, "speed/examples_per_second": examples})

    def grid(self, step, picture):
        """samples/<step>.png, the same in TensorBoard."""
        if self._lead:
            save_picture(self._folder / "samples" / f"{step}.png", picture)
            self._board.picture(step, "samples", picture)

    def sync(self):
        """Waits until the disk holds the lines."""
        if self._lead:
            self._lines.sync()


def turbo(values):
    """Colours uint8 [..., 3] of values in [0, 1] (clipped): blue is low, red is high."""
    values = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    powers = values[..., None] ** np.arange(6)
    return np.clip(np.rint(powers @ TURBO.T * 255), 0, 255).astype(np.uint8)


def _bytes(picture):
    return np.rint(np.clip(np.asarray(picture, np.float32), 0, 1) * 255).astype(np.uint8)


def depth_range(depth, mask):
    """Two depths in metres between which 98 % of the pixels inside the mask lie; (-0.3, 0.3) if it is empty."""
    inside = np.asarray(depth, np.float32)[np.asarray(mask) > 0.5]
    if inside.size == 0:
        return -0.3, 0.3  # metres: a body's usual reach before and behind its root plane
    low, high = np.percentile(inside, (1, 99))
    return float(low), float(max(high, low + 0.01))  # 1 cm: a flat sheet has one colour, not a division by zero


def sheet_pictures(sheets, side, limits):
    """Pictures uint8 [B, H, W, 3] of one side's colour, depth, normals and parts, those that `sheets` has.

    sheets: arrays [B, ...] by the batch contract's keys; limits: depths in metres at turbo's two ends.
    """
    inside = np.asarray(sheets["mask"]) > 0.5 if "mask" in sheets else True
    low, high = limits
    draw = {
        "rgb": _bytes,
        "depth": lambda depth: np.where(inside, turbo((np.asarray(depth)[..., 0] - low) / (high - low)), 0),
        "normals": lambda normals: np.where(inside, _bytes((np.asarray(normals) + 1) / 2), 0),
        "segmentation": lambda parts: PALETTE[np.clip(np.asarray(parts, np.int32), 0, len(PALETTE) - 1)],
    }
    names = [name for name in draw if f"{side}_{name}" in sheets]
    return {name: draw[name](sheets[f"{side}_{name}"]).astype(np.uint8) for name in names}


def sample_grid(batch, made, examples=8, side_pixels=128, known_only=False):
    """A picture uint8 [H, W, 3]: a row an example; each sheet, real beside generated.

    batch, made: arrays [B, ...] by the batch contract's keys; `made` may lack some, and may have pictures of EXTRA.
    side_pixels: least side of one tile, reached by repeating pixels so that they can be looked at. known_only: leave
    out the maps of which no row has a truth, by the flags in `has`.
    """
    has = batch.get("has", {})
    batch = {name: np.asarray(rows)[:examples] for name, rows in batch.items() if not isinstance(rows, dict)}
    made = {name: np.asarray(rows)[:examples] for name, rows in made.items()}
    columns = {name: _bytes(batch[name]) for name in ("person", "garment") if name in batch}
    columns |= {name: _bytes(made[name]) for name in EXTRA if name in made}
    for side in SIDES:
        real_depth = batch.get(f"{side}_depth")
        limits = depth_range(real_depth, batch["mask"]) if real_depth is not None else (-0.3, 0.3)
        real = sheet_pictures(batch, side, limits)
        for name, picture in sheet_pictures(made, side, limits).items():
            known = np.any(has.get(_flag(side, name), True))
            if known_only and not known:
                continue
            if name in real and known:
                columns[f"{side} {name}\nreal"] = real[name]
            columns[f"{side} {name}\nmade"] = picture
    return _tiled(columns, side_pixels)


def _flag(side, name):
    """The flag of the batch contract's `has` that says whether a side's map is known."""
    return name if side == "front" or name in ("depth", "normals") else f"{side}_{name}"


def _tiled(columns, side_pixels):
    tiles = {name: _enlarged(pictures, side_pixels) for name, pictures in columns.items()}
    height, width = next(iter(tiles.values())).shape[1:3]
    count, gap, header = len(next(iter(tiles.values()))), 2, 32
    grid = Image.new("RGB", (len(tiles) * (width + gap), header + count * (height + gap)), (255, 255, 255))
    pen, font = ImageDraw.Draw(grid), ImageFont.load_default(12)
    for column, (name, pictures) in enumerate(tiles.items()):
        pen.text((column * (width + gap) + 3, 1), name, fill=(0, 0, 0), font=font, spacing=1)
        for row, picture in enumerate(pictures):
            box = (width, height)
            tile = Image.fromarray(picture)
            tile = tile if tile.size == box else tile.resize(box, Image.Resampling.NEAREST)
            grid.paste(tile, (column * (width + gap), header + row * (height + gap)))
    return np.asarray(grid)


def _enlarged(pictures, side_pixels):
    times = max(1, -(-side_pixels // pictures.shape[2]))
    return pictures.repeat(times, axis=1).repeat(times, axis=2)


def save_picture(path, picture):
    """Writes a PNG that is either absent or whole; makes its folder."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    Image.fromarray(picture).save(beside, format="PNG")
    os.replace(beside, path)
