"""What a photo shows: a person with mask, joints and parts; a garment with its cut-out. Needs the extra `photo`."""

import numpy as np

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.photo import blazepose, cutout, landmarks, mask, outline, parts, picture, suitability

# A smaller person has too few pixels to find cloth and skin by.
LEAST_PERSON = 0.005
# Confidences below which a result is said to be doubtful, set by eye on two dozen photos.
DOUBTFUL_MASK, DOUBTFUL_PARTS = 0.9, 0.78
LEAST_CLARITY, DOUBTFUL_CLARITY, DOUBTFUL_CLASS = 0.4, 0.65, 0.65
# Of 186 photographs of clothes those of which less stood out had lost the garment but for a print, all others nothing.
LEAST_GARMENT = 0.13
# Pose networks see people in hung clothes, though never this surely in 1,108 pictures of clothes alone.
WORN = 0.9925


def person(path, segmentation=None, parser=None):
    """The person in the photo file `path`, or UserError, one line naming the file, if no try-on can be made of it.

    segmentation: file of a ready label map (picture.read_labels), which then gives the mask too; parser: the
    picture.Parser whose labels it holds.
    Returns rgb uint8 [H, W, 3]; mask float32 [H, W] in [0, 1]; landmarks float32 [33, 3] and keypoints [17, 3]: x, y
    in pixels (pixel centre at +0.5) and visibility; segmentation int32 [H, W], zero off the mask; confidence, a dict of
    numbers in [0, 1] for pose, mask and parts; doubts, a list of short sentences on what may be wrong.
    """
    photo = picture.read(path)
    pose = blazepose.detect(photo.rgb)
    if pose is None:
        raise UserError(f"{path}: no person found; give a photo of one standing person, seen from the front")
    doubts = suitability.check_pose(path, pose, photo.rgb.shape[:2])
    certainty = 1.0
    if segmentation:
        labels = picture.read_labels(segmentation, photo, parser)
        silhouette = (labels > 0).astype(np.float32)
        suitability.check_mask(segmentation, silhouette, pose.landmarks, "the label map")
        suitability.check_labels(segmentation, labels, pose.landmarks)
    else:
        given = photo.alpha is not None
        silhouette = photo.alpha if given else mask.sharpen(photo.rgb, pose.mask, pose.mask_pixel)
        source = "the file's transparency" if given else "the outline found"
        suitability.check_mask(path, silhouette, pose.landmarks, source)
        labels, certainty = parts.segment(photo.rgb, silhouette, pose.landmarks)
    if (silhouette > 0.5).mean() < LEAST_PERSON:
        raise UserError(f"{path}: the person covers too little of the photo; crop it around the person")
    confidence = {"pose": _seen(pose), "mask": _agreement(silhouette, pose.mask), "parts": certainty}
    return {
        "rgb": photo.rgb,
        "mask": silhouette,
        "landmarks": pose.landmarks,
        "keypoints": blazepose.coco_keypoints(pose.landmarks),
        "segmentation": labels,
        "confidence": confidence,
        "doubts": doubts + _person_doubts(confidence),
    }


def _seen(pose):
    """How sure the pose is, in [0, 1]: presence times the mean visibility of the joints that lie in the photo."""
    height, width = pose.mask.shape
    x, y, visibility = pose.landmarks.T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return float(pose.presence * visibility[inside].mean()) if inside.any() else 0.0


def _agreement(first, second):
    """Intersection over union of two masks [H, W] in [0, 1]."""
    first, second = first > 0.5, second > 0.5
    return float((first & second).sum() / max((first | second).sum(), 1))


def _person_doubts(confidence):
    doubts = []
    if confidence["mask"] < DOUBTFUL_MASK:
        doubts.append("the person's outline is uncertain")
    if confidence["parts"] < DOUBTFUL_PARTS:
        doubts.append("skin, hair and clothes are hard to tell apart")
    return doubts


def garment(path, garment_class=None):
    """The garment in the picture file `path`, or UserError, one line naming the file, if none stands out.

    garment_class: one of GARMENT_CLASSES; None guesses it from the shape. Transparency in the file is the cut-out.
    Returns rgb uint8 [H, W, 3]; mask float32 [H, W] in [0, 1]; garment_class int, an index into GARMENT_CLASSES; kind,
    one of outline.KINDS; landmarks float32 [11, 3] (landmarks.find); confidence, a dict of numbers in [0, 1] for cutout
    and class; doubts, a list of short sentences on what may be wrong.
    """
    if garment_class is not None and garment_class not in GARMENT_CLASSES:
        raise UserError(f"--class={garment_class}: no such garment class; choose one of {', '.join(GARMENT_CLASSES)}")
    photo = picture.read(path)
    silhouette, clarity = _cut_out(path, photo)
    kind, chances = outline.classify(silhouette, garment_class)
    chosen = int(np.argmax(chances))
    confidence = {"cutout": clarity, "class": float(chances[chosen])}
    return {
        "rgb": photo.rgb,
        "mask": silhouette,
        "garment_class": chosen,
        "kind": kind,
        "landmarks": landmarks.find(silhouette, kind),
        "confidence": confidence,
        "doubts": _garment_doubts(silhouette, chances, clarity),
    }


def _cut_out(path, photo):
    """(mask, clarity) of the garment of a picture.Picture, or UserError."""
    if photo.alpha is not None:
        if (photo.alpha > 0.5).mean() < cutout.SMALLEST:
            raise UserError(f"{path}: almost all of the picture is transparent; crop it around the garment")
        return photo.alpha, 1.0
    worn = blazepose.detect(photo.rgb)
    if worn is not None and worn.presence > WORN:
        raise UserError(f"{path}: a person is in the picture; give the garment alone, or one cut out by transparency")
    silhouette, clarity = cutout.cut_out(photo.rgb)
    if clarity < LEAST_CLARITY:
        raise UserError(f"{path}: no garment stands out from the ground; lay it on a plain ground of another colour")
    if (share := (silhouette > 0.5).mean()) < LEAST_GARMENT:
        raise UserError(
            f"{path}: only {100 * share:.0f} % of the picture stands out from the ground, as a mere print does; "
            "lay it on a ground of another colour, or crop the picture around it"
        )
    return silhouette, clarity


def _garment_doubts(silhouette, chances, clarity):
    doubts = []
    if clarity < DOUBTFUL_CLARITY:
        doubts.append("the garment's outline is uncertain")
    if chances.max() < DOUBTFUL_CLASS:
        doubts.append(f"it may be of class {GARMENT_CLASSES[int(np.argsort(chances)[-2])]}; --class says which")
    shape = silhouette > 0.5
    border = max(shape[0].sum(), shape[-1].sum(), shape[:, 0].sum(), shape[:, -1].sum())
    if border > 0.1 * max(shape.any(1).sum(), shape.any(0).sum()):
        doubts.append("the garment runs out of the picture")
    return doubts
