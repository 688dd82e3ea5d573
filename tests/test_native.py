"""The compiled kernel: the ids of the path in pure JAX, under every transformation, and what is done without it."""

import logging
import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest
from test_rasterize import on_screen, soup, sphere

from tryon_jax import native
from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface as surfaces
from tryon_jax.render.texture import sample_seen, sample_texture

ROOT = pathlib.Path(__file__).parent.parent
needs_compiler = pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")

draw = jax.jit(raster.rasterize, static_argnums=(2, 3, 4))
surface = jax.jit(surfaces.at_pixels, static_argnums=5)


def assert_equal(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def dented(size, seed, count=60):
    vertices, faces = sphere(count, count)
    return on_screen(vertices * (1 + 0.4 * np.sin(6 * vertices[:, :1])), size, 0.4 * min(size), seed), faces


@needs_compiler
@pytest.mark.parametrize("seed", range(8))
def test_ids_equal_those_of_pure_jax(seed):
    size = (24, 32)
    vertices, faces = soup(seed, reach=(1.4, 0.5, 6.0, 1.0)[seed % 4])
    for capacity in (40000, 900):  # the second is too little for most
        assert_equal(*(draw(vertices, faces, size, capacity, path) for path in ("jax", "native")))


@needs_compiler
def test_ids_equal_those_of_pure_jax_on_a_million_pixels():
    size = (256, 256)
    for seed in range(8):
        vertices, faces = dented(size, seed)
        one, other = (draw(vertices, faces, size, 2**19, path) for path in ("jax", "native"))
        assert_equal(one, other)
        assert (np.asarray(other.front_ids) >= 0).mean() > 0.2


@needs_compiler
def test_overflow_is_where_pure_jax_has_it():
    size = (24, 32)
    vertices, faces = soup(1)
    need = raster.candidates(vertices, faces, size)
    assert not draw(vertices, faces, size, need, "native").overflow
    small = draw(vertices, faces, size, need - 1, "native")
    assert small.overflow and (np.asarray(small.back_ids) == raster.OVERFLOW).all()
    for value in (np.nan, np.inf, 1e9):
        corners = np.array([[1, 1, 0], [9, 1, 0], [1, value, 0]], np.float32)
        for face in (np.array([[0, 1, 2]], np.int32), np.zeros((1, 3), np.int32)):
            assert_equal(*(draw(corners, face, (12, 12), 500, path) for path in ("jax", "native")))


@needs_compiler
def test_batches_of_batches_share_what_they_share():
    size = (16, 16)
    faces = sphere(6, 8)[1]
    meshes = np.stack([on_screen(sphere(6, 8)[0], size, 6, seed) for seed in range(6)]).reshape(2, 3, -1, 3)
    flipped = np.stack([faces, faces[::-1], faces[:, ::-1]])

    def one(vertices, faces):
        return raster.rasterize(vertices, faces, size, 2000, "native")

    shared = jax.jit(jax.vmap(jax.vmap(one, (0, None)), (0, None)))(meshes, faces)
    own = jax.jit(jax.vmap(jax.vmap(one, (0, 0)), (0, None)))(meshes, flipped)
    crossed = jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))(meshes[:, 0], flipped)
    for i in range(2):
        for j in range(3):
            for found, mesh, used in (
                (shared, (i, j), faces),
                (own, (i, j), flipped[j]),
                (crossed, (i, 0), flipped[j]),
            ):
                assert_equal(jax.tree.map(lambda leaf: leaf[i, j], found), draw(meshes[mesh], used, size, 2000, "jax"))  # noqa: B023


@needs_compiler
@pytest.mark.parametrize("seed", range(4))
def test_surfaces_equal_those_of_pure_jax(seed):
    size = (24, 32)
    vertices, faces = soup(seed, reach=(1.4, 0.5, 6.0, 1.0)[seed])
    rng = np.random.default_rng(seed)
    attributes, corners = rng.normal(size=(50, 8)).astype(np.float32), rng.integers(0, 50, faces.shape)
    for capacity in (40000, 900):
        ids = draw(vertices, faces, size, capacity).front_ids
        one, other = (surface(vertices, faces, ids, attributes, corners, path) for path in ("jax", "native"))
        for found, expected in zip(other, one, strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-5, rtol=2e-4)
    ids = draw(vertices, faces, size, 40000).front_ids
    many = jax.vmap(lambda rows: surfaces.at_pixels(vertices, faces, ids, rows, corners, "native")[2])
    found = jax.jit(many)(np.stack([attributes, -attributes]))
    np.testing.assert_allclose(found[1], -found[0], atol=1e-6)


@needs_compiler
def test_textures_equal_those_of_pure_jax_and_what_is_not_seen_is_black():
    rng = np.random.default_rng(0)
    uv, texture = rng.uniform(-0.1, 1.1, (9, 11, 2)).astype(np.float32), rng.random((5, 7, 4)).astype(np.float32)
    ids = rng.integers(-1, 3, (9, 11)).astype(np.int32)
    uv[0, 0], ids[0, 0] = np.nan, raster.OVERFLOW
    sample = jax.jit(sample_seen, static_argnums=3)
    one, other = (np.asarray(sample(texture, uv, ids, path)) for path in ("jax", "native"))
    np.testing.assert_allclose(other, one, atol=1e-6)
    assert np.isnan(other[0, 0]).all() and (other[ids == -1] == 0).all()
    np.testing.assert_allclose(other[ids >= 0], sample_texture(texture, uv)[ids >= 0], atol=1e-6)


@needs_compiler
def test_gradients_of_surfaces_are_those_of_pure_jax():
    vertices, faces = dented((32, 32), 0, 12)
    ids = draw(vertices, faces, (32, 32), 8000).front_ids
    attributes = np.random.default_rng(0).normal(size=(len(vertices), 5)).astype(np.float32)

    def loss(vertices, attributes, path):
        depth, barycentrics, values = surfaces.at_pixels(vertices, faces, ids, attributes, path=path)
        return (depth**2).sum() + (values * barycentrics[..., :1]).sum()

    slope = jax.jit(jax.grad(loss, argnums=(0, 1)), static_argnums=2)
    for found, expected in zip(*(slope(vertices, attributes, path) for path in ("native", "jax")), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3, rtol=1e-3)


@needs_compiler
def test_gradients_pass_by():
    vertices, faces = dented((32, 32), 0, 12)

    def loss(vertices, path):
        fragments = raster.rasterize(vertices, faces, (32, 32), 8000, path)
        return surfaces.resolve(vertices, faces, fragments.front_ids)[0].sum()

    one, other = (np.asarray(jax.jit(jax.grad(loss), static_argnums=1)(vertices, path)) for path in ("jax", "native"))
    np.testing.assert_allclose(other, one, atol=1e-6)
    assert np.abs(other).max() > 0


WORKER = """
import sys
sys.path.insert(0, "tests")
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from test_native import draw, dented
from tryon_jax.render import rasterize as raster
meshes = np.stack([dented((24, 24), seed, 10)[0] for seed in range(4)])
faces = dented((24, 24), 0, 10)[1]
one = lambda vertices: raster.rasterize(vertices, faces, (24, 24), 8000)
expected = np.stack([draw(mesh, faces, (24, 24), 8000, "jax").front_ids for mesh in meshes])
batched = jax.vmap(one)
placed = jax.device_put(meshes, NamedSharding(Mesh(jax.devices(), ("batch",)), PartitionSpec("batch")))
assert jax.device_count() == 2
np.testing.assert_array_equal(jax.pmap(batched)(meshes.reshape(2, 2, -1, 3)).front_ids.reshape(4, 24, 24), expected)
np.testing.assert_array_equal(jax.jit(batched)(placed).front_ids, expected)
print("seen", (expected >= 0).sum())
"""


@needs_compiler
def test_pmapped_and_sharded_inputs():
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    worker = [sys.executable, "-c", WORKER]
    done = subprocess.run(worker, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 100


def test_without_a_compiler_one_line_says_so_and_pure_jax_draws(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("TRYON_JAX_CACHE", str(tmp_path))
    vertices, faces = dented((16, 16), 0, 6)
    for compiler, why in (("no-such-compiler", "install one, or set CXX"), ("false", "could not compile the kernels")):
        native.available.cache_clear()
        monkeypatch.setenv("CXX", compiler)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            ids = jax.jit(lambda mesh: raster.rasterize(mesh, faces, (16, 16), 2000).front_ids)(vertices)
            assert not native.available()  # and says no more
        assert (np.asarray(ids) >= 0).any()
        assert len(caplog.records) == 1 and why in caplog.text
    monkeypatch.undo()
    native.available.cache_clear()


def test_an_unknown_path_is_refused():
    with pytest.raises(ValueError, match="'gpu'.*auto, jax, native"):
        raster.rasterize(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]]), (8, 8), 10, "gpu")
