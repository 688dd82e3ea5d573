"""How an example is stored: pictures as PNG, lengths and directions as small integers; and back again."""

import io
import zlib

import numpy as np
from PIL import Image

from tryon_jax.data import HAS

COLOURS = ("person", "garment", "front_rgb", "back_rgb")
# Pictures of twice the pixels a side, and their channels.
FINE = {"person_fine": 3, "front_fine": 4}
COVERAGES = ("mask", "garment_mask")
LABELS = ("person_segmentation", "front_segmentation", "back_segmentation")
# Steps per unit: depth in 1/20 mm (reaching 1.6 m), garment coordinates in 1/32,767 of half the picture, strain
# in 1/10,000, normals in 1/127, which turns them by 0.3 degrees at most.
STEPS = {
    "front_depth": (np.int16, 20000.0), "back_depth": (np.int16, 20000.0),
    "front_garment_uv": (np.int16, 32767.0), "back_garment_uv": (np.int16, 32767.0),
    "front_strain": (np.int16, 10000.0), "back_strain": (np.int16, 10000.0),
    "front_normals": (np.int8, 127.0), "back_normals": (np.int8, 127.0),
}  # fmt: skip
NUMBERS = {"keypoints": np.float32, "camera": np.float32, "garment_class": np.int32, "same_garment": np.float32}
# Who and what is in the example, so that it can be shown that splits share nothing: bodies, and the pieces of
# clothing in sheets and photo (-1 where there are fewer than four), the sheets' garment first.
IDENTITIES = {"body_id": (), "garment_ids": (4,), "print_ids": (4,)}
# What the data card counts, no part of the batch contract; shapes and dtypes, str for a name. shape: controls in
# simulation.body.SHAPE's order; stature in metres; skin: display colour; garment_kind, fabric, print_kind and gates
# (numbers of a gates.Report) of the garment to wear; drapes: garments draped for the body, and how many drawn anew.
ABOUT = {
    "shape": ((6,), np.float32), "stature": ((), np.float32), "skin": ((3,), np.float32), "hairstyle": ((), str),
    "pose": ((), str), "garment_kind": ((), str), "fabric": ((), str), "print_kind": ((), str),
    "gates": ((3,), np.float32), "drapes": ((2,), np.int32),
}  # fmt: skip


def pack(example, identities, about):
    """Arrays to store of one example of the batch contract: PNG bytes as uint8 [N], the rest as small integers.

    identities, about: dicts with the keys of IDENTITIES and ABOUT.
    """
    packed = {key: _png(example[key]) for key in (*COLOURS, *COVERAGES, *FINE)}
    packed |= {key: _png(example[key].astype(np.uint8)) for key in LABELS}
    for key, (dtype, steps) in STEPS.items():
        packed[key] = np.round(np.clip(example[key] * steps, -np.iinfo(dtype).max, np.iinfo(dtype).max)).astype(dtype)
    packed |= {key: np.asarray(example[key], dtype) for key, dtype in NUMBERS.items()}
    packed |= {key: np.asarray(identities[key], np.int32) for key in IDENTITIES}
    packed |= {key: np.asarray(about[key], dtype) for key, (_, dtype) in ABOUT.items()}
    packed["caption"] = np.array(example["caption"])
    return packed


def unpack(stored):
    """One example of the batch contract from what the data set holds, pictures decoded to uint8 arrays."""
    example = {key: stored[key].astype(np.float32) / np.float32(255) for key in (*COLOURS, *COVERAGES, *FINE)}
    example |= {key: stored[key][..., 0].astype(np.int32) for key in LABELS}
    for key, (_, steps) in STEPS.items():
        example[key] = stored[key].astype(np.float32) / np.float32(steps)
    for key in ("front_normals", "back_normals"):
        length = np.linalg.norm(example[key], axis=-1, keepdims=True)
        example[key] /= np.maximum(length, 0.5)  # stored lengths are about 1, or 0 off the mask
    example |= {key: np.asarray(stored[key], dtype) for key, dtype in NUMBERS.items()}
    example["caption"] = stored["caption"].decode() if isinstance(stored["caption"], bytes) else str(stored["caption"])
    example["has"] = {name: np.float32(1) for name in HAS}
    return example


def _png(picture):
    """PNG bytes, uint8 [N], of a picture: float in [0, 1] (rounded to 1/255) or uint8; [H, W], [H, W, 1, 3 or 4]."""
    if picture.dtype != np.uint8:
        picture = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    picture = picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture
    buffer = io.BytesIO()
    # Noise repeats nothing but neighbours: looking no farther takes half the time, and no more bytes.
    Image.fromarray(picture).save(buffer, format="PNG", compress_type=zlib.Z_RLE)
    return np.frombuffer(buffer.getvalue(), np.uint8)
