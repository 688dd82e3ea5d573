"""One picture: whether it is whole, of the right mode and size, and its pixels, thinned for what compares pictures.

A file that is not there gives None and no finding: the tree has told it.
"""

import numpy as np
from PIL import Image

from tryon_jax.data.doctor import ERROR, Finding

ROWS = 256  # of the thinned pictures: enough to tell what lies where, and quick
MARGIN = 8  # grey levels beyond the ground's own spread, as of dress_code.cut_out


def step_of(size):
    """Pixels to one pixel of the thinned picture, for pictures of `size` (W, H)."""
    return max(1, size[1] // ROWS)


def colours(path, size):
    """(uint8 [H', W', 3] of a photo of `size` (W, H), thinned by step_of(size), or None; findings)."""
    picture, findings = _decoded(path, ("RGB", "L"), [size], "a photo", draft=True)
    if picture is None:
        return None, findings
    return np.asarray(picture.convert("RGB").reduce(max(1, picture.height * step_of(size) // size[1]))), findings


def indices(path, count, sizes):
    """(uint8 [H', W'] label numbers below `count`, thinned to the first of `sizes` (W, H), or None; findings).

    Sizes are a whole number of times smaller than the first.
    """
    picture, findings = _decoded(path, ("P", "L"), sizes, "a map of label numbers")
    if picture is None:
        return None, findings
    labels = np.asarray(picture)
    if labels.max() >= count:
        wrong = f"label {labels.max()} is beyond 0..{count - 1}, in {(labels >= count).mean():.1%} of its pixels."
        remedy = "Take the released file; converting or blending a map makes other numbers."
        return None, [*findings, Finding(ERROR, "label range", path, wrong, remedy)]
    return _thinned(labels, step_of(picture.size)), findings


def raw(path, size, modes=("L", "1")):
    """(uint8 [H', W'] or [H', W', 3], thinned without mixing pixels, or None; findings)."""
    picture, findings = _decoded(path, modes, [size], "a mask")
    if picture is None:
        return None, findings
    return _thinned(np.asarray(picture.convert("L" if picture.mode in ("L", "1") else "RGB")), step_of(size)), findings


def whole(path, size, modes):
    """Findings of a picture of which no pixel is looked at."""
    return _decoded(path, modes, [size], "such a picture", draft=True)[1]


def _thinned(array, step):
    return array[step // 2 :: step, step // 2 :: step]


def _decoded(path, modes, sizes, what, draft=False):
    try:
        if not path.stat().st_size:
            return None, [Finding(ERROR, "damaged file", path, "it has no bytes.", "Fetch it again.")]
        with Image.open(path) as picture:
            size, mode = picture.size, picture.mode
            if draft:
                picture.draft(None, [length // step_of(size) for length in size])
            picture.load()
    except FileNotFoundError:
        return None, []
    except Exception as error:  # Pillow raises whatever damaged bytes lead to
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:100].replace(str(path), "it")
        return None, [Finding(ERROR, "damaged file", path, f"it cannot be decoded ({line}).", "Fetch it again.")]
    if mode not in modes:
        wrong = f"its mode is {mode}, where {what} is {' or '.join(modes)}."
        return None, [Finding(ERROR, "picture mode", path, wrong, "Take the released file, not a converted one.")]
    if size not in sizes:
        wrong = f"it has {size[0]} x {size[1]} pixels, not {' or '.join(f'{w} x {h}' for w, h in sizes)}."
        return None, [Finding(ERROR, "picture size", path, wrong, "Take the released size for all folders alike.")]
    return picture, []


def differing(rgb, ground):
    """Where a picture, uint8 [H, W, 3], is not its ground, bool [H, W]; ground: bool [H, W], pixels that tell it.

    The ground is the median there; a tenth of it may be something else.
    """
    values = rgb[ground].astype(np.int16)
    middle = np.median(values, axis=0).astype(np.int16)
    spread = np.percentile(np.abs(values - middle).max(1), 90)
    return np.abs(rgb.astype(np.int16) - middle).max(-1) > spread + MARGIN


def overlap(first, second):
    """Intersection over union of two masks; 1 for two empty ones."""
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 1.0
