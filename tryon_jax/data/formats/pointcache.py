"""Point caches of 16-bit floats (.pc16): the vertices of a moving mesh, frame by frame."""

import pathlib
import struct
from typing import NamedTuple

import numpy as np

from tryon_jax.errors import UserError

# Signature, version, points, first frame, frames a sample, samples; little-endian, and so are the floats.
HEADER = struct.Struct("<12siiffi")
SIGNATURE, VERSION = b"POINTCACHE2\0", 1
BYTES = 6  # of a point: three 16-bit floats


class Cache(NamedTuple):
    """A point cache on the disk: `frames` of `points` vertices each."""

    path: pathlib.Path
    points: int
    frames: int


def opened(path):
    """The Cache at a path, its header read. Raises UserError if it is missing, no point cache, or cut short."""
    path = pathlib.Path(path)
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER.size)
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); fetch it again") from None
    if len(header) < HEADER.size or not header.startswith(SIGNATURE):
        raise UserError(f"{path}: not a point cache; fetch it again")
    _, version, points, _, _, frames = HEADER.unpack(header)
    whole = HEADER.size + points * frames * BYTES
    if version != VERSION or points < 1 or frames < 1 or size != whole:
        raise UserError(
            f"{path}: {size} bytes, version {version}, where {frames} frames of {points} points take {whole} bytes, "
            f"version {VERSION}; fetch it again"
        )
    return Cache(path, points, frames)


def frame(cache, number):
    """Vertices float32 [points, 3] of frame `number`, from 0. Raises UserError past the end, or for NaN."""
    if not 0 <= number < cache.frames:
        raise UserError(f"{cache.path}: no frame {number}; it has frames 0 to {cache.frames - 1}")
    count = 3 * cache.points
    found = np.fromfile(cache.path, "<f2", count, offset=HEADER.size + number * cache.points * BYTES)
    if len(found) != count or not np.isfinite(found).all():
        raise UserError(f"{cache.path}: frame {number} is cut short or holds a NaN; fetch it again")
    return found.astype(np.float32).reshape(-1, 3)


def write(path, vertices):
    """Writes vertices [frames, points, 3] as 16-bit floats, rounded to the nearest."""
    vertices = np.asarray(vertices)
    header = HEADER.pack(SIGNATURE, VERSION, vertices.shape[1], 0.0, 1.0, vertices.shape[0])
    pathlib.Path(path).write_bytes(header + vertices.astype("<f2").tobytes())
