"""Convolution of stride 1 and its derivatives, each again a convolution or the gradient of a kernel.

Arrays are [N, H, W, C], kernels [k, k, C_in, C_out]. On a CPU float32 goes through kernels of our own: XLA takes up to
four times as long there for the gradients of odd kernels, and fifty for those of even ones.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from tryon_jax import native


def _flipped(kernel):
    """The kernel of the transposed convolution."""
    return kernel[::-1, ::-1].swapaxes(2, 3)


def _convolve(x, kernel, padding):
    return lax.conv_general_dilated(x, kernel, (1, 1), (padding, padding), dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _compiled(*arrays):
    """Whether there is a compiled kernel for what the arrays are."""
    return all(one.dtype == jnp.float32 for one in arrays) and jax.default_backend() == "cpu" and native.available()


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x, kernel, padding):
    """Stride-1 convolution (cross-correlation); padding = zeros (before, after) on both axes.

    Returns [N, H + before + after - k + 1, W + before + after - k + 1, C_out]. Differentiable in reverse any
    number of times.
    """
    return (native.convolution if _compiled(x, kernel) else _convolve)(x, kernel, padding)


def _conv_forward(x, kernel, padding):
    return conv(x, kernel, padding), (x, kernel)


def _transposed(gradient, kernel, padding):
    """Gradient of the convolution by its input: the flipped kernel over the gradient, padded to full overlap."""
    reach = kernel.shape[0] - 1
    return conv(gradient, _flipped(kernel), (reach - padding[0], reach - padding[1]))


def _conv_backward(padding, residuals, gradient):
    x, kernel = residuals
    return _transposed(gradient, kernel, padding), kernel_gradient(x, gradient, kernel.shape[0], padding)


conv.defvjp(_conv_forward, _conv_backward)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def kernel_gradient(x, gradient, size, padding):
    """Gradient [size, size, C_in, C_out] of `conv` by its kernel, given the gradient by its output."""
    if _compiled(x, gradient):
        return native.kernel_gradient(x, gradient, size, padding)
    library = partial(_kernel_gradient_library, size=size, padding=padding)
    if size % 2:
        return library(x, gradient)
    matmul = partial(_kernel_gradient_matmul, size=size, padding=padding)
    return lax.platform_dependent(x, gradient, cpu=matmul, default=library)


def _kernel_gradient_matmul(x, gradient, size, padding):
    """The same as one matrix product a tap."""
    height, width, channels = gradient.shape[1:]
    padded = jnp.pad(x, ((0, 0), padding, padding, (0, 0)))
    flat = gradient.reshape(-1, channels)

    def tap(row, column):
        return padded[:, row : row + height, column : column + width].reshape(-1, x.shape[3]).T @ flat

    return jnp.stack([jnp.stack([tap(row, column) for column in range(size)]) for row in range(size)])


def _kernel_gradient_library(x, gradient, size, padding):
    kernel = jnp.zeros((size, size, x.shape[3], gradient.shape[3]), x.dtype)
    return jax.linear_transpose(lambda k: _convolve(x, k, padding), kernel)(gradient)[0]


def _kernel_gradient_forward(x, gradient, size, padding):
    return kernel_gradient(x, gradient, size, padding), (x, gradient)


def _kernel_gradient_backward(size, padding, residuals, cotangent):
    x, gradient = residuals
    return _transposed(gradient, cotangent, padding), conv(x, cotangent, padding)


kernel_gradient.defvjp(_kernel_gradient_forward, _kernel_gradient_backward)
