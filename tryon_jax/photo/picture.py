"""Reading any picture file into upright 8-bit colour and, where the file has one, its cut-out."""

import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PARTS

FORMATS = "a JPEG, PNG, WebP, TIFF or BMP file"
# Larger photos are shrunk to this longer side: no texture of the mesh is finer, and memory stays bounded.
LONGEST = 2048
SHORTEST = 16
# Alpha below this share of transparent pixels is an accident of the file format, not a cut-out.
LEAST_TRANSPARENT = 0.02


class Picture(NamedTuple):
    """rgb uint8 [H, W, 3], upright; alpha float32 [H, W] in [0, 1], or None when the file holds no cut-out.

    `stored_size` (H, W) is the upright file's own size, before it was shrunk to LONGEST.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    stored_size: tuple[int, int]


def read(path):
    """The Picture in the file `path`: EXIF turned, sRGB-like colours, transparency composited on white.

    Takes grey, palette, RGBA, CMYK and 16-bit files of every format that Pillow knows; of an animation the
    first frame. Raises UserError, one line naming the file, if there is no such readable picture.
    """
    image = _open(path)
    if min(image.size) < SHORTEST:
        raise UserError(
            f"{path}: the picture is only {image.width} x {image.height} pixels; give one of at least "
            f"{SHORTEST} pixels a side"
        )
    image = _eight_bits(image)
    stored_size = (image.height, image.width)
    if max(image.size) > LONGEST:
        factor = LONGEST / max(image.size)
        size = [max(1, round(side * factor)) for side in image.size]
        # Premultiplied, so that the hidden colour of transparent pixels does not bleed into the edge.
        if image.mode == "RGBA":
            image = image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
        else:
            image = image.resize(size, Image.Resampling.LANCZOS)
    if image.mode != "RGBA":
        return Picture(np.asarray(image), None, stored_size)
    alpha = np.asarray(image.getchannel("A"), np.float32) / 255.0
    transparent = np.mean(alpha < 0.5)
    if transparent < LEAST_TRANSPARENT:
        return Picture(np.asarray(image.convert("RGB")), None, stored_size)
    if transparent == 1.0:
        raise UserError(f"{path}: every pixel of the picture is transparent; give a picture that shows something")
    colour = np.asarray(image.convert("RGB"), np.float32)
    white = colour * alpha[..., None] + 255.0 * (1.0 - alpha[..., None])
    return Picture(np.round(white).astype(np.uint8), alpha, stored_size)


class Parser(NamedTuple):
    """A human parser: how many labels it has, and a function from its label map int32 [H, W] to one of PARTS."""

    labels: int
    parts: object


def read_labels(path, photo, parser=None):
    """The part labels int32 [H, W] that an index (or grey) PNG gives to the Picture `photo`: indices of PARTS.

    parser: the Parser whose labels the file holds; None if they are PARTS' own. Raises UserError, one line naming the
    file, if mode, size or a label is wrong.
    """
    image = _open(path, turn=False)
    if image.mode not in ("P", "L", "1"):
        raise UserError(
            f"{path}: a label map must be an 8-bit index or grey PNG, this is {image.mode}; "
            f"save the labels 0..{len(PARTS) - 1} without colours"
        )
    height, width = photo.stored_size
    if image.size != (width, height):
        raise UserError(
            f"{path}: the label map is {image.width} x {image.height} pixels but the photo is "
            f"{width} x {height}; make them equal"
        )
    shown = photo.rgb.shape[1::-1]
    labels = np.asarray(image if image.size == shown else image.resize(shown, Image.Resampling.NEAREST), np.int32)
    if parser is not None and labels.max() >= parser.labels:
        raise UserError(f"{path}: label {labels.max()} is none of the parser's 0..{parser.labels - 1}; name another")
    if parser is not None:
        labels = parser.parts(labels)
    elif labels.max() >= len(PARTS):
        raise UserError(
            f"{path}: label {labels.max()} is outside 0..{len(PARTS) - 1}; map the labels to "
            f"{', '.join(f'{index} {name}' for index, name in enumerate(PARTS))}"
        )
    if not labels.any():
        raise UserError(f"{path}: the label map is all background; mark the person's parts")
    return labels


def _open(path, turn=True):
    """The decoded PIL image, upright if `turn`; every way that a file can be bad becomes a UserError."""
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; give {FORMATS}")
    try:
        if path.stat().st_size == 0:
            raise UserError(f"{path}: the file is empty; give {FORMATS}")
        with Image.open(path) as image:
            image.load()
            return ImageOps.exif_transpose(image) if turn else image
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: the picture is too large to decode safely; shrink it below 8,000 pixels") from error
    except Image.UnidentifiedImageError as error:
        raise UserError(f"{path}: this is not a picture that can be read; give {FORMATS}") from error
    except PermissionError as error:
        raise UserError(f"{path}: the file may not be read; change its permissions") from error
    # Pillow reports damaged files by all of these, by format.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"{path}: the picture is damaged or cut off ({error}); save or download it again") from error


def _eight_bits(image):
    """The image in mode RGB or RGBA; 16-bit and float greys are scaled, not clipped."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image, np.float32) / 257.0 + 0.5).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, np.float32))
        # 32-bit greys have no agreed white: 255 and 65,535 are the two in use, else the brightest pixel.
        white = next((w for w in (1.0, 255.0, 65535.0) if values.max() <= w), float(values.max()))
        return Image.fromarray(np.clip(values / white * 255.0, 0, 255).astype(np.uint8)).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("RGB")
