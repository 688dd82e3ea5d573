"""The Pallas kernel, interpreted: the ids of the path in pure JAX under every transformation; and what a GPU would get.

Pictures are small, as an interpreted kernel is slow, and most tests share a shape, as compiling one is slower.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_rasterize import brute_force, on_screen, soup, sphere

from tryon_jax.render import perspective, surface, tiles
from tryon_jax.render import rasterize as raster

SIZE, CAPACITY = (24, 32), 40000

draw = jax.jit(raster.rasterize, static_argnums=(2, 3, 4))


def assert_equal(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def assert_paths_agree(vertices, faces, size=SIZE, capacity=CAPACITY):
    """Draws both ways, wants the same ids and flag, and returns the Fragments."""
    one, other = (draw(vertices, faces, size, capacity, path) for path in ("jax", "pallas"))
    assert_equal(one, other)
    return other


def filled(vertices, faces):
    """The mesh with vertices that no face uses and padding, up to the shape of a soup: then it is compiled already."""
    like_vertices, like_faces = soup(0)
    room = len(like_vertices) - len(vertices), len(like_faces) - len(faces)
    return np.pad(np.float32(vertices), ((0, room[0]), (0, 0))), np.pad(np.int32(faces), ((0, room[1]), (0, 0)))


def dented(size, seed, count):
    vertices, faces = sphere(count, count)
    return on_screen(vertices * (1 + 0.4 * np.sin(6 * vertices[:, :1])), size, 0.4 * min(size), seed), faces


@pytest.mark.parametrize("seed", range(8))
def test_ids_equal_those_of_pure_jax(seed):
    vertices, faces = soup(seed, reach=(1.4, 0.5, 6.0, 1.0)[seed % 4])
    for capacity in (CAPACITY, 900):  # the second is too little for most
        assert_paths_agree(vertices, faces, capacity=capacity)


def test_ids_equal_those_of_pure_jax_on_dented_spheres():
    for seed in range(4):
        found = assert_paths_agree(*dented((64, 64), seed, 40), (64, 64), 2**15)
        assert (np.asarray(found.front_ids) >= 0).mean() > 0.2
        assert (np.asarray(found.front_ids) != np.asarray(found.back_ids)).any()


def test_sizes_that_the_tile_does_not_divide():
    size = (7, 50)
    vertices, faces = soup(3, size=size)
    found = assert_paths_agree(vertices, faces, size)
    assert found.front_ids.shape == found.back_ids.shape == size
    seen = [[bool(hits) for hits in row] for row in brute_force(vertices, faces, size)]
    np.testing.assert_array_equal(np.asarray(found.front_ids) >= 0, seen)


def test_triangles_larger_than_the_picture_and_beside_it():
    corners = [[-1500, -900, 0.3], [2400, -800, -0.2], [100, 2600, 0.7], [-9, 4, 0.1], [-2, 4, 0.1], [-5, 9, 0.2]]
    found = assert_paths_agree(*filled(corners, [[0, 1, 2], [3, 4, 5], [0, 2, 1]]))
    assert (np.asarray(found.front_ids) == 0).all() and (np.asarray(found.back_ids) == 0).all()  # equal depths
    assert (np.asarray(assert_paths_agree(*filled(corners, [[3, 4, 5]])).front_ids) == raster.NONE).all()


def test_slivers_as_wide_as_a_triangle_may_be():
    rng, seen = np.random.default_rng(0), 0
    for _ in range(40):
        reach, middle = rng.uniform(2030, 2047, 2) * [1, rng.choice([-1, 1])], rng.uniform(0, 1, 2) * [32, 24]
        corners = np.stack([middle - reach, middle + reach, middle + rng.normal(size=2)])
        found = assert_paths_agree(*filled(np.concatenate([corners, rng.normal(size=(3, 1))], 1), [[0, 1, 2]]))
        assert not found.overflow
        seen += (np.asarray(found.front_ids) == 0).sum()
    assert seen > 200


@pytest.mark.parametrize("side", [1, -1])
def test_nothing_is_seen_beside_the_box_of_the_largest_triangle(side):
    # Its right angle is far away, its box ends within a tile: there its edge functions are the largest that occur.
    end, far = (17, 17 - (2**20 - 1) / 256) if side > 0 else (14, 14 + (2**20 - 1) / 256)
    found = assert_paths_agree(*filled([[far, far, 0.1], [end, far, 0.2], [far, end, 0.3]], [[0, 1, 2]]))
    assert not found.overflow and (np.asarray(found.front_ids) == raster.NONE).all()


def test_equal_depth_goes_to_the_lower_number():
    found = assert_paths_agree(*filled([[1, 1, 0.3], [35, 1, 0.3], [1, 35, 0.3]], [[0, 0, 0]] + [[0, 1, 2]] * 3))
    assert set(np.unique(found.front_ids)) == set(np.unique(found.back_ids)) == {-1, 1}


def test_overflow_begins_one_candidate_above_the_capacity():
    corners = np.zeros((8, 3))
    corners[1:, :2] = [[40, 0], [0, 40], [12, 0], [0, 11], [1, 0], [0, 1], [9, 9]]
    faces = [[0, 1, 2], [0, 3, 4], [0, 5, 6]]  # boxes of 24 * 32, 12 * 11 and 1 pixels
    for used, need in ((faces[:2], 900), (faces, 901)):
        mesh = filled(corners, used)
        assert raster.candidates(*mesh, SIZE) == need
        found = assert_paths_agree(*mesh, capacity=900)
        assert found.overflow == (need > 900)
        assert (np.stack(found[:2]) == raster.OVERFLOW).all() == (need > 900)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_vertices_that_cannot_be_drawn_are_flagged(value):
    for axis in range(3):
        corners = np.array([[1, 1, 0], [9, 1, 0], [1, 9, 0]], np.float32)
        corners[2, axis] = value
        assert assert_paths_agree(*filled(corners, [[0, 1, 2]])).overflow == (axis < 2 or not np.isfinite(value))
        assert not assert_paths_agree(*filled(corners, [[0, 0, 0], [2, 2, 2]])).overflow  # as padding it is harmless


@pytest.mark.parametrize("scale", [1e-6, 1e3, 1e10, 6e38])
def test_depths_of_any_size_get_the_levels_of_pure_jax(scale):
    # Half a micrometre, and up to where differences of depths are infinite and levels are of what is no number.
    vertices, faces = soup(2)
    assert not assert_paths_agree((vertices * [1, 1, scale]).astype(np.float32), faces).overflow


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
def test_levels_round_half_to_even(share):
    depths = (np.arange(-6, 7) + share).astype(np.float32) * np.float32(2**-20)
    edges = tuple(jnp.full((13,), edge, jnp.float32) for edge in (3.0, 0.0, 0.0))
    # Compiled in one piece, as the kernel is, and in a tenth of the time of its operations one by one.
    level = jax.jit(tiles._level, static_argnums=(2, 3))
    found = level(edges, (depths, jnp.float32(0), jnp.float32(0)), jnp.multiply, jnp.divide)
    np.testing.assert_array_equal(found, np.round(depths * 2.0**20).astype(np.int32))


def test_batches_of_batches_share_what_they_share():
    meshes, faces = np.stack([soup(seed)[0] for seed in range(4)]).reshape(2, 2, -1, 3), np.array(soup(0)[1])
    own = np.stack([faces, faces[::-1]])
    meshes[1, 0, own[1, 20, 0], 2] = np.nan  # one of them overflows
    one = partial(raster.rasterize, size=SIZE, capacity=CAPACITY, path="pallas")
    found = jax.jit(jax.vmap(jax.vmap(one, (0, None)), (0, 0)))(meshes, own)
    for place in np.ndindex(2, 2):
        expected = draw(meshes[place], own[place[0]], SIZE, CAPACITY, "jax")
        assert_equal(jax.tree.map(lambda leaf: leaf[place], found), expected)  # noqa: B023
    assert found.overflow.tolist() == [[False, False], [True, False]]


def test_behind_a_pinhole_camera():
    size, camera = (28, 40), perspective.looking((28, 40), 1.2, near=0.25)
    points, faces = sphere(12, 14)
    points = (points * (1 + 0.3 * np.sin(6 * points[:, :1])) - [0, 0.2, 1.1]).astype(np.float32)  # the near plane cuts
    seen = jax.jit(perspective.rasterize, static_argnums=(3, 4, 5, 6))
    one, other = (seen(points, faces, camera, size, CAPACITY, 128, path) for path in ("jax", "pallas"))
    assert_equal(one, other)
    assert (np.asarray(other.front_ids) >= 0).mean() > 0.2


def test_gradients_pass_by():
    vertices, faces = soup(0)

    def weighted(vertices):
        return (raster.rasterize(vertices, faces, SIZE, CAPACITY, "pallas").front_ids * vertices[0, 0]).sum()

    slope = np.asarray(jax.jit(jax.grad(weighted))(vertices))
    assert slope[0, 0] == np.asarray(draw(vertices, faces, SIZE, CAPACITY, "jax").front_ids).sum()
    assert np.count_nonzero(slope) == 1


def test_surfaces_are_those_of_pure_jax():
    vertices, faces = soup(0)
    ids = np.zeros(SIZE, np.int32)
    one, other = (
        jax.make_jaxpr(partial(surface.at_pixels, path=path))(vertices, faces, ids, vertices)
        for path in ("jax", "pallas")
    )
    assert str(one) == str(other)


@pytest.mark.parametrize("batch", [(), (3,)])
def test_lowers_for_nvidia_gpus(batch):
    # No GPU is needed up to here: what Pallas's Triton backend cannot express, it refuses while lowering.
    vertices, faces = soup(0)
    call = partial(raster.rasterize, size=SIZE, capacity=CAPACITY, path="pallas")
    for _ in batch:
        call = jax.vmap(call, (0, None))
    arguments = np.broadcast_to(vertices, batch + vertices.shape), faces
    device = jax.sharding.AbstractDevice("NVIDIA H100", None, "gpu")
    axis_types = (jax.sharding.AxisType.Auto,)
    gpu = jax.sharding.AbstractMesh((1,), ("one",), axis_types=axis_types, abstract_device=device)
    try:
        with jax.sharding.use_abstract_mesh(gpu):
            text = jax.jit(call).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()
    except ValueError as error:
        if "Cannot lower pallas_call on platform" not in str(error):
            raise
        pytest.skip(f"this jaxlib is without the GPU backend of Pallas: {error}")
    assert sum("custom_call" in line and "triton" in line for line in text.splitlines()) == 1
    assert "triton" not in jax.jit(call).trace(*arguments).lower(lowering_platforms=("cpu",)).as_text()
