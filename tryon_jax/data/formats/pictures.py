"""Pictures of somebody's files, checked as they are read."""

import struct
import zlib

import numpy as np
from PIL import Image

from tryon_jax.errors import UserError

# What Pillow raises on damaged bytes, by kind of file.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error, Image.DecompressionBombError)


def colours(path, size=None):
    """uint8 [H, W, 3] of a colour (or grey) picture; size (W, H), if given, is what it must have. Raises UserError."""
    return np.asarray(_decoded(path, ("RGB", "L"), size, "a colour picture").convert("RGB"))


def grey(path, size=None):
    """uint8 [H, W] of a grey (or black and white) picture, as masks are stored. Raises UserError."""
    return np.asarray(_decoded(path, ("L", "1"), size, "a grey mask").convert("L"))


def indices(path, count, size=None):
    """uint8 [H, W] of a picture whose pixels are label numbers below `count`: of mode P, its palette unread, or L.

    Raises UserError if it is none, or a label is out of range.
    """
    labels = np.asarray(_decoded(path, ("P", "L"), size, "a picture of label numbers"))
    if labels.max() >= count:
        raise UserError(
            f"{path}: label {labels.max()} is out of 0..{count - 1}; take the file with label numbers, not a rendering"
        )
    return labels


def _decoded(path, modes, size, what):
    try:
        with Image.open(path) as picture:
            picture.load()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except _DAMAGE as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise UserError(f"{path}: damaged ({line}); fetch it again") from None
    if picture.mode not in modes:
        raise UserError(f"{path}: mode {picture.mode}, not {' or '.join(modes)}: not {what}; take the released file")
    if size and picture.size != tuple(size):
        raise UserError(
            f"{path}: {picture.width} x {picture.height} pixels, not {size[0]} x {size[1]}; take the released size"
        )
    return picture
