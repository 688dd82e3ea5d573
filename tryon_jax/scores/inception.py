"""Inception v3 as the FID takes it: pooled features of pictures, from a file of weights that the user gives.

Inception v3 (arXiv:1512.00567) of TensorFlow's graph of 2015-12-05, whose features the FID (arXiv:1706.08500) is of, as
pytorch-fid publishes it: pt_inception-2015-12-05-6726825d.pth. It differs from later ones: averages of pooling leave
the padding out, the last block pools by the largest, there are 1008 classes. Inference only: batch norms are folded
into their convolutions. `prepare` resizes as pytorch-fid does, which lets fine lines alias; `prepare_clean` as
clean-fid does (arXiv:2104.11222). The two give different features: FIDs compare only where one of them made both.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from tryon_jax.scores import batches, torch_file

SIDE, FEATURES, CLASSES = 299, 2048, 1008
FILE = "pt_inception-2015-12-05-6726825d.pth"
EPSILON = 1e-3  # of the batch norms, as trained
BATCH = 8  # pictures a call: more are no faster on a CPU


class Convolution(NamedTuple):
    """A convolution with bias and a ReLU: its name in the file, channels out, kernel, stride, and XLA's padding."""

    name: str
    width: int
    kernel: tuple = (1, 1)
    stride: int = 1
    padding: str | tuple = "SAME"


class Fork(NamedTuple):
    """Chains from one input whose outputs are put behind each other; a chain is a tuple of Convolution, Fork and
    functions. prefix: what their names start with.
    """

    prefix: str
    chains: tuple


def _windows(x, combine, start, stride, ends):
    """`combine` over windows of 3 x 3 of x [N, H, W, C], `ends` (before, after) of `start` added along both axes."""
    x = jnp.pad(x, ((0, 0), ends, ends, (0, 0)), constant_values=start)
    for axis in (1, 2):
        # As three slices: XLA's windows are several times slower on CPUs.
        reach = (x.shape[axis] - 3) // stride * stride + 1
        x = functools.reduce(
            combine, [jax.lax.slice_in_dim(x, place, place + reach, stride, axis) for place in range(3)]
        )
    return x


def largest(x, stride=2, ends=(0, 0)):
    """The largest of each 3 x 3 window of x [N, H, W, C]; ends: how far beyond the borders windows reach."""
    return _windows(x, jnp.maximum, -jnp.inf, stride, ends)


def _largest_same(x):
    return largest(x, 1, (1, 1))


def mean(x):
    """The mean of the 3 x 3 window around each place of x [N, H, W, C], of the places that exist."""
    total = _windows(x, jnp.add, 0.0, 1, (1, 1))
    return total / _windows(jnp.ones((1, *x.shape[1:3], 1), x.dtype), jnp.add, 0.0, 1, (1, 1))


def _a(name, pooled):
    return Fork(
        f"{name}.",
        (
            (Convolution("branch1x1", 64),),
            (Convolution("branch5x5_1", 48), Convolution("branch5x5_2", 64, (5, 5))),
            (
                Convolution("branch3x3dbl_1", 64),
                Convolution("branch3x3dbl_2", 96, (3, 3)),
                Convolution("branch3x3dbl_3", 96, (3, 3)),
            ),
            (mean, Convolution("branch_pool", pooled)),
        ),
    )


def _b(name):
    return Fork(
        f"{name}.",
        (
            (Convolution("branch3x3", 384, (3, 3), 2, "VALID"),),
            (
                Convolution("branch3x3dbl_1", 64),
                Convolution("branch3x3dbl_2", 96, (3, 3)),
                Convolution("branch3x3dbl_3", 96, (3, 3), 2, "VALID"),
            ),
            (largest,),
        ),
    )


def _c(name, width):
    row, column = (1, 7), (7, 1)
    return Fork(
        f"{name}.",
        (
            (Convolution("branch1x1", 192),),
            (
                Convolution("branch7x7_1", width),
                Convolution("branch7x7_2", width, row),
                Convolution("branch7x7_3", 192, column),
            ),
            (
                Convolution("branch7x7dbl_1", width),
                Convolution("branch7x7dbl_2", width, column),
                Convolution("branch7x7dbl_3", width, row),
                Convolution("branch7x7dbl_4", width, column),
                Convolution("branch7x7dbl_5", 192, row),
            ),
            (mean, Convolution("branch_pool", 192)),
        ),
    )


def _d(name):
    return Fork(
        f"{name}.",
        (
            (Convolution("branch3x3_1", 192), Convolution("branch3x3_2", 320, (3, 3), 2, "VALID")),
            (
                Convolution("branch7x7x3_1", 192),
                Convolution("branch7x7x3_2", 192, (1, 7)),
                Convolution("branch7x7x3_3", 192, (7, 1)),
                Convolution("branch7x7x3_4", 192, (3, 3), 2, "VALID"),
            ),
            (largest,),
        ),
    )


def _e(name, pool):
    def cross(first, second):
        return Fork("", ((Convolution(first, 384, (1, 3)),), (Convolution(second, 384, (3, 1)),)))

    return Fork(
        f"{name}.",
        (
            (Convolution("branch1x1", 320),),
            (Convolution("branch3x3_1", 384), cross("branch3x3_2a", "branch3x3_2b")),
            (
                Convolution("branch3x3dbl_1", 448),
                Convolution("branch3x3dbl_2", 384, (3, 3)),
                cross("branch3x3dbl_3a", "branch3x3dbl_3b"),
            ),
            (pool, Convolution("branch_pool", 192)),
        ),
    )


CHAIN = (
    Convolution("Conv2d_1a_3x3", 32, (3, 3), 2, "VALID"),
    Convolution("Conv2d_2a_3x3", 32, (3, 3), 1, "VALID"),
    Convolution("Conv2d_2b_3x3", 64, (3, 3)),
    largest,
    Convolution("Conv2d_3b_1x1", 80),
    Convolution("Conv2d_4a_3x3", 192, (3, 3), 1, "VALID"),
    largest,
    *(_a("Mixed_5b", 32), _a("Mixed_5c", 64), _a("Mixed_5d", 64)),
    _b("Mixed_6a"),
    *(_c("Mixed_6b", 128), _c("Mixed_6c", 160), _c("Mixed_6d", 160), _c("Mixed_6e", 192)),
    _d("Mixed_7a"),
    *(_e("Mixed_7b", mean), _e("Mixed_7c", _largest_same)),
)


def kernels(channels, chain, prefix=""):
    """(channels out, dict of name -> kernel's shape (out, in, h, w)) of a chain's convolutions, of `channels` in."""
    found = {}
    for step in chain:
        if isinstance(step, Fork):
            parts = [kernels(channels, part, prefix + step.prefix) for part in step.chains]
            channels = sum(width for width, _ in parts)
            found |= {name: shape for _, more in parts for name, shape in more.items()}
        elif isinstance(step, Convolution):
            found[prefix + step.name] = (step.width, channels, *step.kernel)
            channels = step.width
    return channels, found


def through(x, chain, layers, prefix=""):
    """What a chain makes of x float32 [N, H, W, C]; layers: dict of name -> (kernel [h, w, in, out], bias [out])."""
    for step in chain:
        if isinstance(step, Fork):
            x = jnp.concatenate([through(x, part, layers, prefix + step.prefix) for part in step.chains], -1)
        elif isinstance(step, Convolution):
            x = jax.nn.relu(_convolved(x, *layers[prefix + step.name], step.stride, step.padding))
        else:
            x = step(x)
    return x


def _convolved(x, kernel, bias, stride, padding):
    # Whole float32 on every device: accelerators round to fewer digits by default, and scores must not depend on them.
    precise = jax.lax.Precision.HIGHEST
    if kernel.shape[:2] == (1, 1) and stride == 1:
        return jnp.matmul(x, kernel[0, 0], precision=precise) + bias
    form = ("NHWC", "HWIO", "NHWC")
    found = jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=form, precision=precise
    )
    return found + bias


def shapes():
    """Dict of name -> shape of the tensors that the file of weights must hold."""
    found = {"fc.weight": (CLASSES, FEATURES)}  # not needed, but it tells FID's network from others of the same names
    for name, shape in kernels(3, CHAIN)[1].items():
        found[f"{name}.conv.weight"] = shape
        found |= {f"{name}.bn.{part}": shape[:1] for part in ("weight", "bias", "running_mean", "running_var")}
    return found


def load(path):
    """Folded weights of the file `path`, as `features` takes them. Raises UserError if it is another file."""
    return fold(torch_file.read_shaped(path, shapes(), f"give {FILE} of pytorch-fid as --inception"))


def fold(state):
    """Dict of name -> (kernel [h, w, in, out], bias [out]): each convolution times its batch norm's factor."""
    return {name: _folded(state, name) for name in kernels(3, CHAIN)[1]}


def _folded(state, name):
    factor = state[f"{name}.bn.weight"] / np.sqrt(state[f"{name}.bn.running_var"] + np.float32(EPSILON))
    kernel = state[f"{name}.conv.weight"] * factor[:, None, None, None]
    return kernel.transpose(2, 3, 1, 0), state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * factor


def prepare(picture):
    """The network's input float32 [299, 299, 3], -1 to 1, of a picture uint8 [H, W, 3], as pytorch-fid makes it.

    Each pixel lies bilinearly between the four nearest, however much is shrunk (PyTorch's interpolate).
    """
    found = picture.astype(np.float32)
    for axis, side in enumerate(picture.shape[:2]):
        # Places in float32, as PyTorch has them: in float64 the features would differ by more than float32 explains.
        place = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) * (np.float32(side) / np.float32(SIDE))
        place = np.clip(place - np.float32(0.5), 0, side - 1)
        low = place.astype(int)
        share = (place - low).astype(np.float32).reshape(-1, *[1] * (2 - axis))
        high = np.minimum(low + 1, side - 1)
        found = found.take(low, axis) * (1 - share) + found.take(high, axis) * share
    return found * np.float32(2 / 255) - 1


def prepare_clean(picture):
    """The network's input float32 [299, 299, 3], about -1 to 1, of a picture uint8 [H, W, 3], as clean-fid makes it.

    Bicubic with a filter that widens when it shrinks (Pillow's), not rounded to 8 bits; (x - 128) / 128.
    """
    size, bicubic = (SIDE, SIDE), Image.Resampling.BICUBIC
    colours = [Image.fromarray(picture[..., c].astype(np.float32)).resize(size, bicubic) for c in range(3)]
    return (np.stack(colours, -1).clip(0, 255) - 128) / 128


def features(layers, inputs):
    """Features float32 [N, 2048] of inputs float32 [N, 299, 299, 3]: the last block's activations, averaged."""
    return through(inputs, CHAIN, layers).mean((1, 2))


_features = jax.jit(features)


def describe(layers, inputs):
    """Features float32 [N, 2048], NumPy, of pictures that `prepare` or `prepare_clean` made, BATCH at a time."""
    return batches.described(functools.partial(_features, layers), inputs, BATCH, FEATURES)
