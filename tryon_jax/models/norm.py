"""Group normalisation with the rectifier that follows it, and its gradient.

Arrays are [N, H, W, C]. On a CPU float32 goes through kernels of our own, which read memory once where XLA's programs
read it three to five times.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tryon_jax import native

# Added to a variance that may be zero (a plain background): far below the variance of any real feature.
VARIANCE_FLOOR = 1e-5


def group_norm(x, scale, bias, groups, activated=False):
    """Group normalisation (Wu & He 2018, eq. 1-3) of [N, H, W, C] with scale and bias [C]; activated: its SiLU.

    Differentiable in reverse any number of times.
    """
    arrays = (x, scale, bias)
    if jax.default_backend() == "cpu" and all(one.dtype == jnp.float32 for one in arrays) and native.available():
        return _compiled(*arrays, groups, activated)
    return _plain(*arrays, groups, activated)


def _plain(x, scale, bias, groups, activated):
    """`group_norm` by one pass of sums a channel; the groups are formed on the [N, C] sums, so the picture is never
    reshaped."""
    n, _, _, c = x.shape
    wide = x.astype(jnp.float32)
    moments = jnp.stack([wide.mean((1, 2)), jnp.square(wide).mean((1, 2))])
    mean, square = moments.reshape(2, n, groups, c // groups).mean(3, keepdims=True)
    # Rounding may take the difference of two means below zero.
    inverse = lax.rsqrt(jnp.maximum(square - mean**2, 0) + VARIANCE_FLOOR)
    gain = (inverse * scale.reshape(groups, -1)).reshape(n, 1, 1, c)
    shift = bias - (mean * inverse * scale.reshape(groups, -1)).reshape(n, 1, 1, c)
    result = wide * gain + shift
    return (jax.nn.silu(result) if activated else result).astype(x.dtype)


def _constants(groups, activated):
    return {"groups": np.int64(groups), "activated": activated, "floor": np.float32(VARIANCE_FLOOR)}


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _compiled(x, scale, bias, groups, activated):
    return native.norm(x, scale, bias, **_constants(groups, activated))


def _compiled_forward(x, scale, bias, groups, activated):
    return _compiled(x, scale, bias, groups, activated), (x, scale, bias)


def _compiled_backward(groups, activated, residuals, gradient):
    return _slopes(*residuals, gradient, groups, activated)


_compiled.defvjp(_compiled_forward, _compiled_backward)


@partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def _slopes(x, scale, bias, gradient, groups, activated):
    """Gradients by x, scale and bias, given the gradient by the result."""
    return native.norm_gradient(x, scale, bias, gradient, **_constants(groups, activated))


def _slopes_forward(x, scale, bias, gradient, groups, activated):
    return _slopes(x, scale, bias, gradient, groups, activated), (x, scale, bias, gradient)


def _slopes_backward(groups, activated, residuals, cotangents):
    *arrays, gradient = residuals

    def plain(x, scale, bias, gradient):
        return jax.vjp(partial(_plain, groups=groups, activated=activated), x, scale, bias)[1](gradient)

    return jax.vjp(plain, *arrays, gradient)[1](cotangents)


_slopes.defvjp(_slopes_forward, _slopes_backward)
