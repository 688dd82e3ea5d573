"""VITON-HD or DressCode photographs as CatVTON's eval.py judges them (arXiv:2407.15886).

Targets: the folder test/ of VITON-HD, with image/ in it, or a plain folder of the true pictures, RGB. Outputs: one RGB
picture for each, PNG or JPEG, all of one size (384 x 512 is what its inference.py makes by default); names are matched
by eight characters from the first digit on (00006_00, 013563_0). Targets of another height are brought to the outputs'
by Pillow's Lanczos filter.

--protocol=catvton           paired: SSIM of RGB, channels averaged, Gaussian window of 11 x 11, population variances;
                             and distances between the sets of outputs and of photographs
--protocol=catvton:unpaired  another garment: the set distances only

With --lpips=BACKBONE,LINEAR (torchvision's squeezenet1_1-*.pth, the lpips package's squeeze.pth): LPIPS by SqueezeNet
at the outputs' size. With --inception=FILE (pytorch-fid's pt_inception-2015-12-05-6726825d.pth): FID and KID of
pictures resized to 299 pixels as clean-fid does, which the original calls: bicubic without aliasing, not rounded.

Differs from the original: without --inception the set distances are in EfficientNet-Lite0's features at 224 pixels
only, which compare with no published FID or KID; the kernel distance is of all pictures, not times 1000, the original's
the mean of 100 random subsets of at most 1000. Inception's weights are pytorch-fid's port of the graph that clean-fid
takes another port of. The original saves targets that it resized as JPEG again before all scores; here they stay as
they are. LPIPS adds 1e-10 to the length of features, as the lpips package; torchmetrics 1e-8 to its square. SSIM is the
mean of the windows that lie inside, as in torchmetrics before its change 2721 of 2024; later ones count the border too.
Outputs without a target are refused, not left out. Floors need agnostic-v3.2/, cloth/, cloth-mask/ and openpose_json/
beside image/: copied is the agnostic picture (paired) or the photo (unpaired, whose set distance is 0 by nature: it
alone proves nothing), pasted is the garment's cut-out stretched onto that.
"""

import numpy as np
from PIL import Image

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import photographs
from tryon_jax.scores import inception, similarity

VARIANTS = ("paired", "unpaired")
KEY = 8  # characters of a name
MEASURES = {
    "ssim_gaussian": protocols.Measure("", "more", "structural similarity of RGB"),
    **protocols.DISTANCE_MEASURES,
    "lpips_squeeze": protocols.Measure("", "less", "LPIPS by SqueezeNet 1.1 at the outputs' size"),
    **protocols.INCEPTION_MEASURES,
}
PERCEPTION = protocols.Perception(inception.prepare_clean, "squeeze", lambda picture: picture)


def task(outputs, targets, variant=VARIANTS[0], limit=0):
    """The Task of a folder of outputs against photographs."""
    return photographs.task(photographs.pairs(outputs, targets, key, limit), variant, score, MEASURES, resize)


def key(stem):
    """Eight characters from the first digit on."""
    start = next((place for place, letter in enumerate(stem) if letter.isdigit()), None)
    if start is None:
        raise ValueError("its name has no number")
    return stem[start : start + KEY]


def resize(picture, size, path):
    """A target at the outputs' height, Lanczos; UserError if its width is then another."""
    height, width = picture.shape[:2]
    if (height, width) == tuple(size):
        return picture
    if int(width * size[0] / height) != size[1]:
        raise UserError(f"{path}: {width} x {height} pixels, of another shape than the outputs' {size[1]} x {size[0]}")
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS))


def score(made, true):
    """Paired scores of pictures uint8 [H, W, 3]."""
    return {"ssim_gaussian": similarity.ssim_gaussian(made, true)}
