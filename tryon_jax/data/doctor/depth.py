"""Window depth of a front and a back, as MPV-3D writes it: its files, its convention, and its flip.

Depth d of orthographic cameras between 1 and 3 units lies in (0, 1), 0 where there is nobody. Toward the front camera,
the front's z is 1 - 2 d and the back's 2 d - 1; the back's picture is what a camera behind sees, and so mirrored.
"""

import functools

import numpy as np

from tryon_jax.data.doctor import ERROR, LIKELY, Finding, evidence, pictures

DIFFERENT = 0.02  # of intersection over union: fits of the two flips that differ by less do not tell which is right
AGREE = 0.8  # intersection over union of front and back, 0.98 as released
AGREE_PHOTO = 0.6  # of depth and label map, 0.92 to 0.97 as released
CENTRED = 0.3, 0.7  # window depths of half a person: 0.4 units from the plane in the middle, thicker than people are
MOST_CROSSED = 0.05  # share of the pixels in which the front may lie behind the back


def read(path, size):
    """(float32 [H, W] of a file of window depth or None, findings); none at all where the file is not there."""
    try:
        depth = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None, []
    except (OSError, ValueError, EOFError) as error:
        line = "no bytes" if isinstance(error, EOFError) else str(error)[:100]
        return None, [Finding(ERROR, "damaged file", path, f"it cannot be read ({line}).", "Fetch it again.")]
    released = "Take the released file."
    if depth.dtype != np.float32:
        return None, [Finding(ERROR, "depth type", path, f"it is {depth.dtype}, not float32.", released)]
    if depth.shape != size[::-1]:
        return None, [Finding(ERROR, "depth size", path, f"its shape is {depth.shape}, not {size[::-1]}.", released)]
    if not np.isfinite(depth).all():
        wrong = f"{(~np.isfinite(depth)).sum()} pixels are NaN or infinite."
        return None, [Finding(ERROR, "not a number", path, wrong, "Fetch it again.")]
    return _by_convention(depth, path)


def _by_convention(depth, path):
    if depth.min() < 0:
        wrong = f"it goes from {depth.min():.3f} to {depth.max():.3f}: z, decoded already, not window depth in 0..1."
        remedy = "Keep window depth on the disk: the front's is (1 - z) / 2, the back's (z + 1) / 2, 0 for the ground."
    elif depth.max() >= 1:
        wrong = f"it goes up to {depth.max():.3f}, where window depth lies below 1 and is 0 for the ground."
        remedy = "Take the released file; a renderer's far plane is 0 in it."
    elif depth.any() and not CENTRED[0] < np.median(depth[depth > 0]) < CENTRED[1]:
        middle = np.median(depth[depth > 0])
        wrong = f"half of it is below {middle:.3f}, where a person between two cameras is around 0.5."
        remedy = "If it is z, decoded already: the front's window depth is (1 - z) / 2, the back's (z + 1) / 2."
    elif (depth[:, [0, -1]] > 0).mean() > 0.5:
        wrong = "most of its border is not 0, as the ground is."
        remedy = "Take the released file, with 0 where nobody is."
    elif not depth.any():
        wrong, remedy = "it is 0 everywhere.", "Fetch it again."
    else:
        return depth, []
    return None, [Finding(ERROR, "depth convention", path, wrong, remedy)]


def pair(front_path, back_path, size, person):
    """Findings of the depths of one person, a people.Seen."""
    front, findings = read(front_path, size)
    back, more = read(back_path, size)
    findings += more
    if front is None or back is None:
        return findings
    found = _flips(front > 0, back > 0, person, (front_path, back_path))
    return findings + (found or _order(front, back[:, ::-1], (front_path, back_path)))


def _flips(front, back, person, paths):
    """Findings of masks bool [H, W] that are not the same way round as each other, and as the label map."""
    parts, over = person.parts, functools.partial(evidence.depths, *paths)
    on_photo = functools.partial(evidence.depth_on_photo, paths[0], person.files) if person.rgb is not None else None
    turned, as_is = pictures.overlap(front, back[:, ::-1]), pictures.overlap(front, back)
    photo, mirror = 1.0, 0.0
    if parts is not None:
        step = pictures.step_of(front.shape[::-1])
        thin = front[step // 2 :: step, step // 2 :: step]
        photo, mirror = (pictures.overlap(thin, person) for person in (parts > 0, parts[:, ::-1] > 0))
    if mirror - photo > DIFFERENT:
        wrong = f"it fits the mirrored label map (IoU {mirror:.3f}) rather than the label map ({photo:.3f})."
        remedy = "Take the released file; if all are so, front and back are swapped, or flipped both."
        return [Finding(LIKELY, "depth flip", paths[0], wrong, remedy, on_photo)]
    if as_is - turned > DIFFERENT:
        wrong = f"it fits the front as it is (IoU {as_is:.3f}), not mirrored ({turned:.3f}) as seen from behind."
        remedy = "Flip it horizontally, or take the released file."
        return [Finding(LIKELY, "depth flip", paths[1], wrong, remedy, over)]
    if turned < AGREE:
        wrong = f"its silhouette is not the front's (IoU {turned:.3f})."
        return [Finding(LIKELY, "depth of another", paths[1], wrong, "Take front and back of one person.")]
    if photo < AGREE_PHOTO:
        wrong = f"its silhouette is not that of the label map (IoU {photo:.3f})."
        return [Finding(LIKELY, "depth of another", paths[0], wrong, "Take depth and photo of one person.")]
    return []


def _order(front, back, paths):
    """Findings of window depths, the back flipped, of which the front lies behind the back."""
    both = (front > 0) & (back > 0)
    crossed = (1 - 2 * front < 2 * back - 1)[both].mean()
    if crossed <= MOST_CROSSED:
        return []
    wrong = f"in {crossed:.0%} of the pixels it lies behind the back: its depth grows toward the camera."
    remedy = "Nearer is smaller, for either camera: write 1 - d, or take the released files."
    shown = functools.partial(evidence.depth_order, *paths)
    return [Finding(ERROR, "depth order", paths[0], wrong, remedy, shown)]
