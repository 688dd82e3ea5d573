"""What a photo shows: a person with mask, joints and parts; a garment with its cut-out. Needs the extra `photo`."""

import numpy as np

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.photo import blazepose, cutout, mask, parts, picture

# A smaller person has too few pixels to find cloth and skin by.
LEAST_PERSON = 0.005


def person(path, segmentation=None):
    """The person in the photo file `path`, or UserError, one line naming the file, if none is found.

    segmentation: file of a ready label map (picture.read_labels), which then gives the mask too.
    Returns rgb uint8 [H, W, 3]; mask float32 [H, W] in [0, 1]; landmarks float32 [33, 3] and keypoints [17, 3]: x, y
    in pixels (pixel centre at +0.5) and visibility; segmentation int32 [H, W], zero off the mask.
    """
    photo = picture.read(path)
    pose = blazepose.detect(photo.rgb)
    if pose is None:
        raise UserError(f"{path}: no person found; give a photo of one standing person, seen from the front")
    if segmentation:
        labels = picture.read_labels(segmentation, photo)
        silhouette = (labels > 0).astype(np.float32)
    else:
        if photo.alpha is not None:
            silhouette = photo.alpha
        else:
            silhouette = mask.sharpen(photo.rgb, pose.mask, pose.mask_pixel)
        labels = parts.segment(photo.rgb, silhouette, pose.landmarks)
    if (silhouette > 0.5).mean() < LEAST_PERSON:
        raise UserError(f"{path}: the person covers too little of the photo; crop it around the person")
    return {
        "rgb": photo.rgb,
        "mask": silhouette,
        "landmarks": pose.landmarks,
        "keypoints": blazepose.coco_keypoints(pose.landmarks),
        "segmentation": labels,
    }


def garment(path, garment_class=None):
    """The garment in the picture file `path`, or UserError, one line naming the file, if none stands out.

    garment_class: one of GARMENT_CLASSES; None guesses it from the shape. Transparency in the file is the cut-out.
    Returns rgb uint8 [H, W, 3]; mask float32 [H, W] in [0, 1]; garment_class int, an index into GARMENT_CLASSES.
    """
    if garment_class is not None and garment_class not in GARMENT_CLASSES:
        raise UserError(f"--class={garment_class}: no such garment class; choose one of {', '.join(GARMENT_CLASSES)}")
    photo = picture.read(path)
    silhouette = photo.alpha if photo.alpha is not None else cutout.cut_out(photo.rgb)
    if silhouette is None:
        raise UserError(f"{path}: no garment stands out from the ground; lay it on a plain ground of another colour")
    name = garment_class or cutout.guess_class(silhouette)
    return {"rgb": photo.rgb, "mask": silhouette, "garment_class": GARMENT_CLASSES.index(name)}
