"""IDX, the format of MNIST and Fashion-MNIST: all pictures of a set in one file, their labels in another.

Four bytes (0, 0, 8 for unsigned bytes, the number of dimensions), the dimensions as big-endian int32, then the values.
A name that ends in .gz is compressed by gzip.
"""

import gzip
import math
import zlib

import numpy as np

from tryon_jax.errors import UserError

IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"  # how names end, before .gz


def pair(images_path, labels_path):
    """(uint8 [N, H, W], uint8 [N]) of a file of grey pictures and that of their labels, pathlib.Path each.

    Raises UserError if one is missing or damaged, of another kind, or they are not equally many.
    """
    images, labels = _values(images_path, 3), _values(labels_path, 1)
    if len(images) != len(labels):
        raise UserError(f"{labels_path}: {len(labels)} labels for {len(images)} pictures; fetch both files again")
    if not images.size:
        raise UserError(f"{images_path}: it holds no picture; fetch it again")
    return images, labels


def _values(path, dimensions):
    try:
        stored = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; pictures and labels are a pair, fetch it too") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged ({str(error)[:120]}); fetch it again") from None
    start = 4 * (1 + dimensions)
    if stored[:4] != bytes([0, 0, 8, dimensions]) or len(stored) < start:
        raise UserError(f"{path}: not an IDX file of bytes in {dimensions} dimensions; fetch it again")
    shape = [int(length) for length in np.frombuffer(stored, ">u4", dimensions, 4)]
    # In Python's integers, which do not overflow.
    if len(stored) - start != math.prod(shape):
        said = " x ".join(map(str, shape))
        raise UserError(f"{path}: {len(stored) - start:,} bytes of values, not {said}; fetch it again")
    return np.frombuffer(stored, np.uint8, offset=start).reshape(shape)
