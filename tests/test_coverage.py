"""What covers texels: the compiled kernels give the same bits as numpy."""

import numpy as np
import pytest

from tryon_jax import native
from tryon_jax.simulation import coverage

RNG = np.random.default_rng(0)
WEIGHT = RNG.random((20, 31), np.float32)
PICTURE, OTHER = RNG.random((2, 20, 31, 3), np.float32)
COLOUR = np.array([0.2, 0.5, 0.9])

pytestmark = pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")


def assert_same_bits(draw, *arguments):
    one, other = (draw(*arguments, path=path) for path in ("numpy", "native"))
    np.testing.assert_array_equal(one, other)
    assert one.dtype == other.dtype == np.float32 and one.std() > 0


@pytest.mark.parametrize("first", [PICTURE, COLOUR, PICTURE[::-1]], ids=["picture", "colour", "view"])
@pytest.mark.parametrize("second", [OTHER, COLOUR + 0.1], ids=["picture", "colour"])
def test_the_kernel_mixes_the_same_bits(first, second):
    assert_same_bits(coverage.mix, first, second, WEIGHT)


def test_the_kernel_shades_and_draws_lines_to_the_same_bits():
    assert_same_bits(coverage.shaded, PICTURE, WEIGHT)
    for width in (0.02, 0.3):  # finer and wider than texels
        assert_same_bits(coverage.line, WEIGHT - np.float32(0.5), width, 0.1)


@pytest.mark.parametrize("cell", [(0.02, 0.11), (0.3, 0.04), (0.009, 0.009)])
def test_the_kernel_smooths_noise_to_the_same_bits(cell):
    assert_same_bits(lambda path: coverage.noise(np.random.default_rng(1), 1.3, 64, cell, path))
