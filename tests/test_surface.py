"""What is seen at pixels: strips give what the whole gives, and barycentrics may be left out."""

from functools import partial

import jax
import numpy as np
import pytest
from test_rasterize import on_screen, sphere

from tryon_jax import native
from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface

SIZE = (384, 448)  # above surface.WHOLE


@pytest.fixture(scope="module")
def seen():
    """(vertices, faces, ids, attributes) of a sphere in a picture that is made in strips."""
    vertices, faces = sphere(12, 16)
    vertices = np.asarray(on_screen(vertices, SIZE, 170, 3), np.float32)
    ids = raster.rasterize(vertices, faces, SIZE, raster.candidates(vertices, faces, SIZE), "jax").front_ids
    assert ids.size > surface.WHOLE and SIZE[0] % surface.STRIP == 0
    return vertices, faces, ids, np.random.default_rng(0).normal(size=(len(vertices), 4)).astype(np.float32)


def test_strips_give_what_the_whole_picture_gives(seen):
    vertices, faces, ids, attributes = seen
    strips, whole = (
        jax.jit(partial(form, True)) for form in (surface._here, lambda more, *rest: surface._rows(more, 0, *rest))
    )
    for one, other in zip(*(form(vertices, faces, ids, attributes, faces) for form in (strips, whole)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

    def total(form, vertices, attributes):
        depth, _, values = form(vertices, faces, ids, attributes, faces)
        return (depth * values[..., 0]).sum()

    gradients = [jax.grad(partial(total, form), (0, 1))(vertices, attributes) for form in (strips, whole)]
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.abs(other).max())


@pytest.mark.parametrize("path", ["jax", pytest.param("native", marks=pytest.mark.skipif(
    not native.available(), reason="no C++ compiler, so no kernel to compare"))])  # fmt: skip
def test_barycentrics_may_be_left_out(seen, path):
    vertices, faces, ids, attributes = seen
    depth, weights, values = surface.at_pixels(vertices, faces, ids, attributes, path=path)
    less = surface.at_pixels(vertices, faces, ids, attributes, path=path, barycentrics=False)
    assert weights.shape == (*SIZE, 3) and less[1].shape == (*SIZE, 0)
    np.testing.assert_array_equal(less[0], depth)
    np.testing.assert_array_equal(less[2], values)
