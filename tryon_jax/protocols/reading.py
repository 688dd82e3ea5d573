"""Files of outputs and targets as arrays, each with the one line that says what is wrong with it."""

import pathlib

import numpy as np
from PIL import Image

from tryon_jax.errors import UserError

PICTURES = (".png", ".jpg", ".jpeg")


def folder(path, flag):
    """pathlib.Path of the folder that a flag names; UserError if it is none or holds nothing."""
    path = pathlib.Path(path)
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; give an existing one as {flag}")
    if not any(path.iterdir()):
        raise UserError(f"{path}: the folder is empty; give one that holds files as {flag}")
    return path


def pictures(path):
    """Dict of stem -> path of the PNG and JPEG files in a folder, sorted; UserError if there is none or two share a
    name.
    """
    found = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in PICTURES:
            if file.stem in found:
                raise UserError(f"{file}: {found[file.stem].name} has the same name; keep one of them")
            found[file.stem] = file
    if not found:
        raise UserError(f"{path}: no PNG or JPEG file in it; give the folder that holds the pictures")
    return found


def colour(path, size=None):
    """uint8 [H, W, 3] of an RGB picture; size: (H, W) that it must have. UserError if it is missing, broken or not."""
    image = _image(path)
    if image.mode != "RGB":
        raise UserError(f"{path}: a picture of mode {image.mode}; save it as 8-bit RGB without transparency")
    return sized(path, np.asarray(image), size)


def coverage(path, size=None):
    """bool [H, W] of a grey 8-bit picture, True from 128. UserError as `colour`."""
    image = _image(path)
    if image.mode not in ("L", "1"):
        raise UserError(f"{path}: a mask of mode {image.mode}; save it as an 8-bit grey picture, 0 and 255")
    return sized(path, np.asarray(image.convert("L")), size) >= 128


def labels(path, count, size=None):
    """int32 [H, W] in 0..count - 1 of an index or grey 8-bit PNG. UserError as `colour`, or for a label beyond."""
    image = _image(path)
    if image.mode not in ("L", "P"):
        raise UserError(f"{path}: a label map of mode {image.mode}; save the labels as an 8-bit grey or index PNG")
    found = sized(path, np.asarray(image), size).astype(np.int32)
    if found.max() >= count:
        raise UserError(f"{path}: label {found.max()} is outside 0..{count - 1}; map it to this protocol's labels")
    return found


def numbers(path, channels, size=None):
    """float32 [H, W] or, with channels, [H, W, channels] of a .npy file; [H, W, 1] is taken as [H, W].

    UserError if it is missing, broken, of another shape or size, no floats, or holds a NaN or an infinity.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; every example needs one, or none may have it")
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as a .npy file ({_first(error)}); save it again") from None
    return checked(path, found, channels, size)


def checked(place, found, channels, size=None):
    """float32 [H, W(, channels)] of an array that `place` holds; UserError as `numbers`."""
    found = np.asarray(found)
    if found.dtype.kind != "f":
        raise UserError(f"{place}: it holds {found.dtype}; save float32")
    if not channels and found.ndim == 3 and found.shape[-1] == 1:
        found = found[..., 0]
    if found.ndim != (3 if channels else 2) or (channels and found.shape[-1] != channels):
        wanted = f"height x width x {channels}" if channels else "height x width"
        raise UserError(f"{place}: its shape is {found.shape}; save {wanted}")
    if not np.isfinite(found).all():
        raise UserError(f"{place}: it holds a NaN or an infinity; write finite numbers everywhere")
    return sized(place, found.astype(np.float32), size)


def sized(place, found, size):
    """The array as it is, if it has the size (H, W) or size is None; UserError naming `place` otherwise."""
    if size is not None and found.shape[:2] != tuple(size):
        height, width = found.shape[:2]
        raise UserError(f"{place}: {width} x {height} pixels, its target has {size[1]} x {size[0]}; make them equal")
    return found


def _image(path):
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; every example needs one, or none may have it")
    try:
        with Image.open(path) as image:
            image.load()
            return image
    # Pillow reports damaged files by all of these, by format.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as a picture ({_first(error)}); save it again") from None


def _first(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
