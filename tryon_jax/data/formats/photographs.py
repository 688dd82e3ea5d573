"""A photo of a person, its labels and keypoints, and a garment picture, as one example of the batch contract.

Framed as the synthetic data frames its people (data/standardize.py). Where the person wears the very garment, the photo
is the truth of the front sheet: its colours, its parts, and the silhouette, which ends where the photo ends. What is
behind the person, its depth and its garment coordinates no photo tells.
"""

import numpy as np
from PIL import Image

from tryon_jax import data
from tryon_jax.data import standardize
from tryon_jax.data.formats import keypoints
from tryon_jax.errors import UserError
from tryon_jax.geometry.fine import FINER

SPARE = 2  # photo pixels a pixel of the square, at least, that are left to the filter that shrinks without aliasing
LEAST_COVER = 0.05  # of a pixel by the person: less is a corner, whose colour would be the rounding of its bytes


def example(person, garment, size, worn, caption, path):
    """(example of the batch contract at picture side `size`, the standardize.Frame of its person).

    person, garment: as of standardize.standardize, keypoints of joints out of sight with visibility 0, no mask of the
    person; worn: whether the person wears that garment, so that the photo is the truth; path: of the photo.

    Raises UserError if the label map shows nobody, or the garment's mask is empty.
    """
    mask = person["segmentation"] > 0
    if not mask.any():
        raise UserError(f"{path}: its label map shows nobody; fetch the label map again")
    if not np.any(garment["mask"]):
        raise UserError(f"{path}: the mask of its garment is empty; fetch the garment's files again")
    person = person | {"mask": mask, "keypoints": keypoints.placed(person["keypoints"], mask)}
    frame = standardize.frame_person(person)
    spec = data.specification(size)
    made = {key: np.zeros(*entry) for key, entry in spec.items() if key != "has"}
    small, close = _shrunk(person, frame, FINER * size)
    labels = at_centres(person["segmentation"], frame, size)
    made |= standardize.crop_person(small, close, size) | {"person_segmentation": labels}
    made["person_fine"] = standardize.crop_person(small, close, FINER * size)["person"]
    made |= standardize.crop_garment(_shrunk_garment(garment, size), size)
    made |= {"camera": standardize.camera(frame, size), "same_garment": np.float32(worn), "caption": caption}
    known = {"keypoints", "person_segmentation", *(("rgb", "mask", "segmentation") if worn else ())}
    made["has"] = {name: np.float32(name in known) for name in spec["has"]}
    return made | (_front(small, close, size, labels) if worn else {}), frame


def _front(person, frame, size, labels):
    """front_rgb, front_fine, front_segmentation and mask: what the photo shows of the person, without the ground at
    the rim."""
    mask = (labels > 0).astype(np.float32)[..., None]
    cut, cover = _alone(person, frame, size)
    rgb = np.clip(cut / np.maximum(cover, LEAST_COVER), 0, 1) * mask
    fine = np.concatenate(_alone(person, frame, FINER * size), axis=-1)
    return {"front_rgb": rgb.astype(np.float32), "front_fine": fine, "front_segmentation": labels, "mask": mask}


def _alone(person, frame, size):
    """(colour times coverage [S, S, 3], coverage [S, S, 1]) of the person without the ground."""
    cover = standardize.crop_mask(person, frame, size)[0][..., None]
    cut = standardize.crop_person(person | {"rgb": person["alone"]}, frame, size)["person"]
    return np.minimum(cut, cover), cover


def _shrunk(person, frame, size):
    """The person's pictures shrunk by a whole number that leaves SPARE pixels a pixel of the square, and their Frame;
    `alone` is the person on black. It saves most of the time."""
    times = max(1, int(frame.side / (SPARE * size)))
    alone = person["rgb"] * person["mask"][..., None]
    points = person["keypoints"] / np.array([times, times, 1], np.float32)
    small = {"rgb": _reduced(person["rgb"], times), "alone": _reduced(alone, times), "keypoints": points}
    small["mask"] = _reduced(person["mask"].astype(np.uint8) * 255, times) / np.float32(255)
    # Labels are not shrunk but read at the square's centres; crop_person wants some.
    small["segmentation"] = np.zeros(small["mask"].shape, np.int32)
    return small, frame._replace(left=frame.left / times, top=frame.top / times, side=frame.side / times)


def _shrunk_garment(garment, size):
    rows, columns = (np.flatnonzero(garment["mask"].any(axis)) for axis in (1, 0))
    times = max(1, int(max(rows[-1] - rows[0], columns[-1] - columns[0]) / (SPARE * size)))
    mask = _reduced(garment["mask"].astype(np.uint8) * 255, times) / np.float32(255)
    # Thinner than a shrunk pixel it is kept at its own size.
    return garment if not (mask > 0.5).any() else garment | {"rgb": _reduced(garment["rgb"], times), "mask": mask}


def _reduced(picture, times):
    """Uint8 means over blocks of `times` x `times` pixels."""
    return np.asarray(Image.fromarray(picture).reduce(times))


def at_centres(array, frame, size):
    """The values [size, size(, C)] of an array [H, W(, C)] under the pixel centres of a Frame's square, zero outside.

    For what must not be mixed across an edge, such as depth.
    """
    steps = (np.arange(size) + 0.5) * (frame.side / size)
    rows, columns = (np.floor(start + steps).astype(int) for start in (frame.top, frame.left))
    inside_rows, inside_columns = (
        (places >= 0) & (places < length) for places, length in zip((rows, columns), array.shape, strict=False)
    )
    found = np.zeros((size, size, *array.shape[2:]), array.dtype)
    found[np.ix_(inside_rows, inside_columns)] = array[np.ix_(rows[inside_rows], columns[inside_columns])]
    return found
