"""What is drawn at twice the pixels a side is of the same samples as the sheet: no more light, and none lost."""

import jax
import numpy as np
import pytest
from test_exposure import BLACK, LAMP, ball

from tryon_jax import native
from tryon_jax.geometry.camera import project
from tryon_jax.render import rasterize
from tryon_jax.simulation import drawing

needs_compiler = pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")


def test_finer_pixels_are_means_of_the_parts_of_samples_in_them():
    samples = np.random.default_rng(0).uniform(size=(15, 15, 2)).astype(np.float32)
    # The twin: samples cut into halves, of which three a side make a fine pixel.
    halves = samples.repeat(2, 0).repeat(2, 1)
    wanted = halves.reshape(10, 3, 10, 3, 2).mean((1, 3))
    np.testing.assert_allclose(drawing._finer(samples, 5), wanted, atol=1e-6)


def test_the_fine_picture_holds_the_colour_of_the_coarse_one():
    mesh = ball(lambda vertices: np.abs(vertices) / 0.3)
    side = drawing.draw(mesh, BLACK, LAMP, np.float32([0.7 / 24, 0.01, 0]), 24, 6.0)[0]
    mean = np.asarray(side.fine).reshape(24, 2, 24, 2, 4).mean((1, 3))
    np.testing.assert_allclose(mean[..., 3:], side.coverage, atol=1e-6)
    np.testing.assert_allclose(mean[..., :3], np.asarray(side.rgb) * side.coverage, atol=1e-6)
    assert ((side.fine[..., 3] > 0.01) & (side.fine[..., 3] < 0.99)).any()


@needs_compiler
def test_the_kernel_sums_the_same_normals():
    rng = np.random.default_rng(1)
    mesh = ball(lambda vertices: vertices)
    vertices = mesh.vertices + rng.normal(0, 0.01, mesh.vertices.shape).astype(np.float32)
    weld = np.arange(len(vertices)) // 2 * 2
    for places, twins in ((vertices, None), (vertices.astype(float), None), (vertices, weld)):
        one, other = (drawing.vertex_normals(places, mesh.faces, twins, path) for path in ("numpy", "native"))
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype == np.float32
    np.testing.assert_array_equal(one[::2], one[1::2])


@needs_compiler
@pytest.mark.parametrize("toward", [1.0, -1.0])
def test_the_kernel_lights_samples_as_jax_does(toward):
    rng, size = np.random.default_rng(2), 8
    mesh, fine = ball(lambda vertices: vertices), size * drawing.SAMPLES
    # Some faces show their inner side, some samples nothing, some a texture, some more than all light.
    mesh = mesh._replace(faces=np.where(rng.uniform(size=(len(mesh.faces), 1)) < 0.3, mesh.faces[:, ::-1], mesh.faces))
    vertices = project(np.float32([0.8 / fine, 0, 0]), mesh.vertices, (fine, fine))
    fragments = rasterize.rasterize(vertices, mesh.faces, (fine, fine), 2**16)
    ids = fragments.front_ids if toward > 0 else fragments.back_ids
    values = rng.uniform(-1, 1.5, (fine, fine, 12)).astype(np.float32)
    values[..., :3] = np.abs(values[..., :3]) / 1.5
    values[:2, :, 3:6] = 0.01
    texels = rng.uniform(size=(fine, fine, 3)).astype(np.float32)
    arguments = vertices, mesh.faces, ids, values, texels, LAMP
    draw = jax.jit(drawing.shaded, static_argnums=(6, 7))
    ours, theirs = (draw(*arguments, toward, path) for path in ("jax", "native"))
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert 0.2 < (np.asarray(ours[0])[..., 6] > 0).mean() < 1


def test_a_mesh_of_many_layers_is_drawn_all_the_same():
    mesh = ball(lambda vertices: vertices)
    few, many = (drawing.draw(mesh, BLACK, LAMP, np.float32([0.05, 0, 0]), 16, layers) for layers in (0.01, 8.0))
    jax.tree.map(np.testing.assert_array_equal, few, many)
