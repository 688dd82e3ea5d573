"""LPIPS: how far two pictures lie apart in a network's features, from two files of weights that the user gives.

"The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (arXiv:1801.03924, equation 1), version 0.1 of
its weights, with AlexNet or SqueezeNet 1.1. The backbone is torchvision's file, the linear weights are the lpips
package's (lpips/weights/v0.1/ in its wheel).
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from tryon_jax.scores import torch_file
from tryon_jax.scores.inception import Convolution, Fork, kernels, largest, through

LEAST = 32  # pixels a side that every layer of both backbones has something left of
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of colours in -1..1: ImageNet's means and deviations
EPSILON = 1e-10  # keeps features that are all 0 at 0; as in the lpips package


class Backbone(NamedTuple):
    """A network in parts, after each of which features are compared, and what its two files are called."""

    parts: tuple
    file: str
    linear: str


def _shrunk(x):
    """3 x 3 maxima, every second one; the last window may reach beyond the border (PyTorch's ceil_mode)."""
    rows, columns = (side % 2 == 0 for side in x.shape[1:3])
    x = jnp.pad(x, ((0, 0), (0, int(rows)), (0, int(columns)), (0, 0)), constant_values=-jnp.inf)
    return largest(x)


def _fire(number, squeezed, expanded):
    ways = ((Convolution("expand1x1", expanded),), (Convolution("expand3x3", expanded, (3, 3)),))
    return Fork(f"features.{number}.", ((Convolution("squeeze", squeezed), Fork("", ways)),))


BACKBONES = {
    "alex": Backbone(
        (
            (Convolution("features.0", 64, (11, 11), 4, ((2, 2), (2, 2))),),
            (largest, Convolution("features.3", 192, (5, 5))),
            (largest, Convolution("features.6", 384, (3, 3))),
            (Convolution("features.8", 256, (3, 3)),),
            (Convolution("features.10", 256, (3, 3)),),
        ),
        "alexnet-owt-7be5be79.pth",
        "alex.pth",
    ),
    "squeeze": Backbone(
        (
            (Convolution("features.0", 64, (3, 3), 2, "VALID"),),
            (_shrunk, _fire(3, 16, 64), _fire(4, 16, 64)),
            (_shrunk, _fire(6, 32, 128), _fire(7, 32, 128)),
            (_shrunk, _fire(9, 48, 192)),
            (_fire(10, 48, 192),),
            (_fire(11, 64, 256),),
            (_fire(12, 64, 256),),
        ),
        "squeezenet1_1-b8a52dc0.pth",
        "squeeze.pth",
    ),
}


def shapes(name):
    """(backbone's, linear weights'): dicts of name -> shape of the tensors that the files of `name` must hold."""
    channels, backbone, linear = 3, {}, {}
    for number, part in enumerate(BACKBONES[name].parts):
        channels, found = kernels(channels, part)
        for place, shape in found.items():
            backbone |= {f"{place}.weight": shape, f"{place}.bias": shape[:1]}
        linear[f"lin{number}.model.1.weight"] = (1, channels, 1, 1)
    return backbone, linear


def load(name, backbone, linear):
    """Weights as `distance` takes them, of the backbone called `name`, "alex" or "squeeze", from two .pth files.

    Raises UserError if one of them is another file.
    """
    wanted = BACKBONES[name]
    remedy = f"give {wanted.file} of torchvision and {wanted.linear} of lpips as --lpips=BACKBONE,LINEAR"
    of_backbone, of_linear = shapes(name)
    return arranged(
        torch_file.read_shaped(backbone, of_backbone, remedy), torch_file.read_shaped(linear, of_linear, remedy)
    )


def arranged(backbone, linear):
    """(layers, linear weights) as `distance` takes them, of two state dicts of the right `shapes`."""
    names = [name.removesuffix(".weight") for name in backbone if name.endswith(".weight")]
    layers = {name: (backbone[f"{name}.weight"].transpose(2, 3, 1, 0), backbone[f"{name}.bias"]) for name in names}
    return layers, [weights.ravel() for weights in linear.values()]


def distance(name, weights, first, second):
    """LPIPS, a float from 0, of two pictures uint8 [H, W, 3] of one size, by the backbone called `name`.

    The pictures are taken as they are, whatever their size. Raises ValueError if they cannot be compared.
    """
    if first.shape != second.shape or min(first.shape[:2]) < LEAST:
        raise ValueError(f"pictures {first.shape} and {second.shape}: of one size, {LEAST} pixels a side at least")
    layers, linear = weights
    # Each through one and the same program, so that equal pictures are 0 apart to the last bit.
    return float(_apart(*(_seen(name, layers, picture) for picture in (first, second)), linear))


@functools.partial(jax.jit, static_argnums=0)
def _seen(name, layers, picture):
    """Features of each part of the backbone, [1, h, w, C], of length 1 along their channels."""
    x = (picture[None].astype(jnp.float32) * (2 / 255) - 1 - jnp.array(SHIFT)) / jnp.array(SCALE)
    found = []
    for part in BACKBONES[name].parts:
        x = through(x, part, layers)
        found.append(x / (jnp.linalg.norm(x, axis=-1, keepdims=True) + EPSILON))
    return found


@jax.jit
def _apart(first, second, linear):
    parts = zip(first, second, linear, strict=True)
    return sum((jnp.square(one - other) * factors).sum(-1).mean() for one, other, factors in parts)
