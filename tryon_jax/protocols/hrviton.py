"""VITON-HD photographs as HR-VITON's evaluate.py judges them (arXiv:2206.14180).

Targets: the folder test/ of VITON-HD, with image/ in it, or a plain folder of its pictures, RGB, 768 x 1024 pixels or
the outputs' size. Outputs: one RGB picture for each target, PNG or JPEG, whose name starts with the person's number
(00006_00.png, 00006_00_00123_00.png); all of 768 x 1024, 384 x 512 or 192 x 256 pixels (width x height), to which
the targets are brought by Pillow's bilinear filter.

--protocol=hrviton         paired: each person in the own garment. SSIM of 8-bit luminance (Pillow's L), Gaussian window
                           of 11 x 11, population variances; mean squared error of RGB in 0..1
--protocol=hrviton:unpaired   another garment: distances between the sets of outputs and of photographs only

With --lpips=BACKBONE,LINEAR (torchvision's alexnet-owt-*.pth, the lpips package's alex.pth): LPIPS by AlexNet, both
pictures shrunk to 128 x 128 by Pillow's bilinear filter, as evaluate.py has it. With --inception=FILE (pytorch-fid's
pt_inception-2015-12-05-6726825d.pth): FID and KID of pictures resized as pytorch-fid does, bilinear without antialias.

Differs from the original: no Inception Score, whose network is another one; the set distances, which evaluate.py does
not take, are in EfficientNet-Lite0's features, so that they compare with no published FID or KID, unless --inception
is given; the kernel distance is of all pictures. The original divides by the number of targets though it goes through
the outputs; here both must be there. Floors need agnostic-v3.2/, cloth/, cloth-mask/ and openpose_json/ beside image/:
copied is the agnostic picture (paired) or the photo (unpaired, whose set distance is 0 by nature: it alone proves
nothing), pasted is the garment's cut-out stretched onto that.
"""

import numpy as np
from PIL import Image

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import photographs, reading
from tryon_jax.scores import inception, similarity

VARIANTS = ("paired", "unpaired")
SIZES = ((1024, 768), (512, 384), (256, 192))
MEASURES = {
    "ssim_gaussian": protocols.Measure("", "more", "structural similarity of luminance"),
    "mse": protocols.Measure("", "less", "mean squared error of RGB in 0..1"),
    **protocols.DISTANCE_MEASURES,
    "lpips_alex": protocols.Measure("", "less", "LPIPS by AlexNet at 128 x 128 pixels"),
    **protocols.INCEPTION_MEASURES,
}
SEEN = (128, 128)  # what LPIPS is taken of


def task(outputs, targets, variant=VARIANTS[0], limit=0):
    """The Task of a folder of outputs against VITON-HD's test pictures."""
    found = photographs.pairs(outputs, targets, person, limit)
    first = found[1][0][1]
    height, width = reading.colour(first).shape[:2]
    if (height, width) not in SIZES:
        wanted = ", ".join(f"{w} x {h}" for h, w in SIZES)
        raise UserError(f"{first}: {width} x {height} pixels; this protocol takes {wanted}")
    return photographs.task(found, variant, score, MEASURES, resize)


def person(stem):
    """The person's name in a picture's: what stands before the first underscore, as the original has it."""
    number = stem.partition("_")[0]
    if not number.isdigit():
        raise ValueError("its name does not start with a person's number, as in 00006_00")
    return f"{number}_00"


def resize(picture, size, path):
    """A target at the outputs' size, bilinear; UserError if it has neither the data's size nor that."""
    if picture.shape[:2] == tuple(size):
        return picture
    if picture.shape[:2] != SIZES[0]:
        height, width = picture.shape[:2]
        raise UserError(f"{path}: {width} x {height} pixels; targets must be 768 x 1024 or of the outputs' size")
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR))


def shrunk(picture):
    """The picture uint8 [128, 128, 3] that LPIPS is taken of."""
    return np.asarray(Image.fromarray(picture).resize(SEEN, Image.Resampling.BILINEAR))


PERCEPTION = protocols.Perception(inception.prepare, "alex", shrunk)


def score(made, true):
    """Paired scores of pictures uint8 [H, W, 3]."""
    grey = [np.asarray(Image.fromarray(picture).convert("L")) for picture in (made, true)]
    return {"ssim_gaussian": similarity.ssim_gaussian(*grey), "mse": similarity.mean_squared_error(made, true)}
