"""Convolutions: compiled kernels give what the forms in JAX give, whatever the shape and the number of threads."""

import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.models import convolution

ROOT = pathlib.Path(__file__).parent.parent
needs_kernels = pytest.mark.skipif(not convolution._compiled(), reason="no C++ compiler or no CPU: nothing to compare")

# Size of the kernel, padding, and shape of x: channels of no and of all ways to block them, rows shorter than a tile.
SHAPES = [
    (3, (1, 1), (2, 9, 13, 5), 7),
    (3, (1, 1), (3, 40, 31, 24), 24),
    (3, (0, 2), (1, 5, 3, 4), 33),
    (2, (1, 1), (2, 6, 8, 12), 64),
    (2, (0, 0), (2, 7, 2, 3), 1),
    (2, (1, 0), (9, 4, 16, 8), 40),
    (5, (2, 2), (2, 8, 8, 16), 9),
    (1, (0, 0), (2, 3, 5, 6), 48),
    (4, (2, 1), (1, 1, 1, 3), 24),
]


def drawn(size, padding, shape, features):
    """x, a kernel and a gradient of the result."""
    keys = jax.random.split(jax.random.key(0), 3)
    height, width = (side + sum(padding) - size + 1 for side in shape[1:3])
    shapes = shape, (size, size, shape[3], features), (shape[0], height, width, features)
    return [jax.random.normal(key, one) for key, one in zip(keys, shapes, strict=True)]


def assert_close(one, other):
    np.testing.assert_allclose(one, other, atol=2e-6 * np.abs(other).max() * np.sqrt(other.size))


@needs_kernels
@pytest.mark.parametrize("case", SHAPES)
def test_kernels_equal_the_library(case):
    size, padding, *_ = case
    x, kernel, gradient = drawn(*case)
    assert_close(native.convolution(x, kernel, padding), convolution._convolve(x, kernel, padding))
    found = native.kernel_gradient(x, gradient, size, padding)
    assert_close(found, convolution._kernel_gradient_library(x, gradient, size, padding))


@pytest.mark.parametrize("case", SHAPES)
def test_both_forms_of_the_kernel_gradient_in_jax_agree(case):
    size, padding, *_ = case
    x, _, gradient = drawn(*case)
    one, other = (
        form(x, gradient, size, padding)
        for form in (convolution._kernel_gradient_matmul, convolution._kernel_gradient_library)
    )
    assert_close(one, other)


@pytest.mark.parametrize("case", SHAPES)
def test_the_kernel_gradient_is_the_adjoint(case):
    size, padding, *_ = case
    x, kernel, gradient = drawn(*case)
    out = (convolution.conv(x, kernel, padding) * gradient).sum()
    back = (convolution.kernel_gradient(x, gradient, size, padding) * kernel).sum()
    np.testing.assert_allclose(back, out, rtol=1e-4, atol=1e-3)


@needs_kernels
def test_maps_over_pictures_and_kernels():
    x, kernel, _ = drawn(3, (1, 1), (2, 6, 7, 5), 9)
    pictures, kernels = jnp.stack([x, 2 * x]), jnp.stack([kernel, -kernel])
    one = lambda x, kernel: convolution.conv(x, kernel, (1, 1))  # noqa: E731
    expected = one(x, kernel)
    np.testing.assert_allclose(jax.vmap(one, (0, None))(pictures, kernel)[1], 2 * expected, atol=1e-5)
    np.testing.assert_allclose(jax.vmap(one)(pictures, kernels)[1], -2 * expected, atol=1e-5)


@needs_kernels
def test_other_dtypes_take_the_library():
    x, kernel, _ = (one.astype(jnp.bfloat16) for one in drawn(3, (1, 1), (2, 6, 7, 5), 9))
    assert convolution.conv(x, kernel, (1, 1)).dtype == jnp.bfloat16


WORKER = """
import sys
import jax, numpy as np
sys.path.insert(0, "tests")
from test_convolution import drawn
from tryon_jax.models import convolution
found = []
for case in ((3, (1, 1), (11, 40, 33, 24), 40), (2, (1, 1), (3, 16, 16, 8), 96)):
    x, kernel, gradient = drawn(*case)
    found += [convolution.conv(x, kernel, case[1]), convolution.kernel_gradient(x, gradient, case[0], case[1])]
print(*(jax.device_get(one).tobytes().hex()[:4000] + str(float(np.asarray(one, np.float64).sum())) for one in found))
"""


@needs_kernels
def test_bits_do_not_depend_on_threads():
    def told(threads):
        flags = f"--xla_cpu_multi_thread_eigen={threads > 1} intra_op_parallelism_threads={threads}"
        environment = {**os.environ, "XLA_FLAGS": flags}
        command = [sys.executable, "-c", WORKER]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    one = told(1)
    assert len(one) > 10_000 and one == told(3)
