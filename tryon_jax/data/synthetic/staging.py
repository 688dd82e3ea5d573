"""Makes numbered records with several processes, in chunk files that survive an interruption.

A chunk is a .npz of about 32 records, written beside its place and renamed, so a file under its final name is
whole; zip checksums find a chunk that is damaged all the same, and it is made again. Which process makes a chunk
never changes what it holds, since a record depends on its number alone.
"""

import contextlib
import multiprocessing
import os
import queue
import sys
import time
import traceback
import zipfile
from typing import NamedTuple

import numpy as np
import tqdm

from tryon_jax.errors import UserError


class Chunk(NamedTuple):
    """Records `first` to `last` - 1 of a split."""

    split: str
    first: int
    last: int

    @property
    def name(self):
        return f"{self.split}_{self.first:07d}_{self.last:07d}.npz"


def chunks(counts, length):
    """The chunks of splits of `counts` {split: number of records}, `length` records each but the last."""
    return [
        Chunk(split, first, min(first + length, count))
        for split, count in counts.items()
        for first in range(0, count, length)
    ]


def default_workers():
    """Processes to use: one a usable core, 8 at most, since each holds a compiled renderer and a body model."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, 8))


def write(folder, chunk, records):
    """Writes the chunk's records (dicts of arrays) at once or not at all."""
    arrays = {f"{index}/{key}": value for index, record in enumerate(records) for key, value in record.items()}
    temporary = folder / f".{chunk.name}.{os.getpid()}"
    with open(temporary, "wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())  # else a power cut could leave the final name on an empty file
    os.replace(temporary, folder / chunk.name)


def read(folder, chunk):
    """The chunk's records, a list of dicts of arrays, or None if the file is missing or damaged."""
    records = [{} for _ in range(chunk.last - chunk.first)]
    try:
        with np.load(folder / chunk.name, allow_pickle=False) as arrays:
            for name in arrays.files:
                index, key = name.split("/", 1)
                records[int(index)][key] = arrays[name]
    except (OSError, ValueError, IndexError, EOFError, zipfile.BadZipFile):
        return None  # made again by the caller: a damaged chunk costs its own time, nothing else
    return records if all(records) else None


def make(folder, wanted, maker, workers=None, label="making data"):
    """Makes every chunk of `wanted` that folder (pathlib.Path) does not hold whole, showing progress.

    maker: a module-level function or picklable callable (split, number) -> dict of arrays, called in `workers`
    spawned processes. Raises UserError if the folder cannot be written, or a process ends early.
    """
    for leftover in folder.glob(".*.npz.*"):
        leftover.unlink()
    missing = [chunk for chunk in wanted if read(folder, chunk) is None]
    total = sum(chunk.last - chunk.first for chunk in wanted)
    left = sum(chunk.last - chunk.first for chunk in missing)
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    upcoming, done, failures = context.Value("q", 0), context.Value("q", 0), context.Queue()
    count = min(workers or default_workers(), len(missing))
    processes = [
        context.Process(target=_work, args=(folder, missing, maker, upcoming, done, failures), daemon=True)
        for _ in range(count)
    ]
    try:
        with calm_algebra():
            for process in processes:
                process.start()
        pause = 0.5 if sys.stderr.isatty() else 10.0  # seconds between lines; a log file wants few
        with tqdm.tqdm(total=total, initial=total - left, desc=label, unit="example", mininterval=pause) as bar:
            while any(process.is_alive() for process in processes):
                _raise_failure(failures, processes, folder)
                bar.update(total - left + done.value - bar.n)
                time.sleep(0.1)
            bar.update(total - left + done.value - bar.n)
        _raise_failure(failures, processes, folder)
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
        for process in processes:
            if process.pid is not None:
                process.join()


@contextlib.contextmanager
def calm_algebra():
    """Processes started within do their linear algebra in one thread: a second one a process finds no core free, and
    waits for its next task by spinning, an eighth of all time. What the user has set stays."""
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]


def _raise_failure(failures, processes, folder):
    """Raises what a process reported, or that it ended without a word."""
    with contextlib.suppress(queue.Empty):  # where no failure was reported, how the processes ended tells
        raise UserError(failures.get_nowait())
    for process in processes:
        if process.exitcode not in (None, 0):
            # A reported failure may still be on its way through the pipe.
            try:
                raise UserError(failures.get(timeout=1.0))
            except queue.Empty:
                raise UserError(
                    f"{folder}: a worker process ended with exit code {process.exitcode} (out of memory?); "
                    "start the command again, it continues where it stopped"
                ) from None


def made(maker, split, number):
    """One record of a maker; an error that is not the user's says which record it was, its own lines printed before.

    Raises UserError, or OSError where something cannot be written.
    """
    try:
        return maker(split, number)
    except (UserError, OSError):
        raise
    except Exception as error:
        traceback.print_exc()
        raise UserError(f"record {number} of {split} cannot be made: {error!r}") from error


def _work(folder, missing, maker, upcoming, done, failures):
    """One process: takes the next chunk until none is left, or until the parent is gone."""
    parent = multiprocessing.parent_process()
    try:
        while True:
            with upcoming.get_lock():
                place = upcoming.value
                upcoming.value += 1
            if place >= len(missing):
                return
            records = []
            for number in range(missing[place].first, missing[place].last):
                if not parent.is_alive():
                    return
                records.append(made(maker, missing[place].split, number))
                with done.get_lock():
                    done.value += 1
            write(folder, missing[place], records)
    except UserError as error:
        failures.put(str(error))
        raise SystemExit(1) from error
    except OSError as error:
        failures.put(f"{folder}: cannot be written ({error}); free space there or choose another folder")
        raise SystemExit(1) from error
