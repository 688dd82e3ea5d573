"""Pictures of somebody's files, checked as they are read."""

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

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


def photograph(path, least):
    """uint8 [H, W, 3] of somebody's own photograph, upright by its EXIF, transparent parts on white.

    A large JPEG comes smaller, with no side under `least` pixels: so it is read many times faster. Raises UserError if
    it is damaged, no picture, or deeper than 8 bits.
    """
    picture = _loaded(path, least)
    if picture.mode.startswith(("I", "F")):
        raise UserError(f"{path}: mode {picture.mode}, more than 8 bits a channel; save it with 8")
    if picture.has_transparency_data:
        cut = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", cut.size, "white"), cut)
    return np.asarray(picture.convert("RGB"))


def _loaded(path, least=None):
    """The picture, decoded; `least`: as of `photograph`, and upright, otherwise as it is stored."""
    try:
        with Image.open(path) as picture:
            if least:
                picture.draft(None, (least, least))
            picture.load()
            return ImageOps.exif_transpose(picture) if least else picture
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except _DAMAGE as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        remedy = "fetch it again, or take it away" if least else "fetch it again"
        raise UserError(f"{path}: damaged, or no picture ({line}); {remedy}") from None


def _decoded(path, modes, size, what):
    picture = _loaded(path)
    if picture.mode not in modes:
        raise UserError(f"{path}: mode {picture.mode}, not {' or '.join(modes)}: not {what}; take the released file")
    if size and picture.size != tuple(size):
        raise UserError(
            f"{path}: {picture.width} x {picture.height} pixels, not {size[0]} x {size[1]}; take the released size"
        )
    return picture
