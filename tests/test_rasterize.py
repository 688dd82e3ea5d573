"""The rasteriser against a brute-force twin, closed forms and an independent ray caster."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface
from tryon_jax.render.texture import sample_texture


def brute_force(vertices, faces, size):
    """Per pixel the list of (depth, triangle) that cover its centre: whole-number arithmetic, one pixel at a time."""
    height, width = size
    snapped = np.round(vertices[:, :2].astype(np.float32) * 256).astype(np.int64)
    rows, columns = np.indices(size)
    px, py = columns.astype(np.int64) * 256 + 128, rows.astype(np.int64) * 256 + 128
    cover = [[[] for _ in range(width)] for _ in range(height)]
    for number, face in enumerate(faces):
        if len(set(face.tolist())) < 3:
            continue
        corners, depths = snapped[face], vertices[face, 2].astype(np.float64)
        area = np.linalg.det(np.stack([corners[1] - corners[0], corners[2] - corners[0]]).astype(float))
        if area == 0:
            continue
        if area < 0:
            corners, depths = corners[[0, 2, 1]], depths[[0, 2, 1]]
        inside, weights = np.ones(size, bool), []
        for i, j in ((1, 2), (2, 0), (0, 1)):
            (ax, ay), (bx, by) = corners[i], corners[j]
            edge = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
            # Top: level, going right (inside below). Left: going up (inside to the right).
            keeps_border = (by == ay and bx > ax) or by < ay
            inside &= (edge >= 0) if keeps_border else (edge > 0)
            weights.append(edge.astype(np.float64))
        depth = sum(w * d for w, d in zip(weights, depths, strict=True)) / np.maximum(abs(area), 1)
        for row, column in np.argwhere(inside):
            cover[row][column].append((depth[row, column], number))
    return cover


def soup(seed, triangles=60, size=(24, 32), reach=1.4):
    """Random triangles around and beyond the picture, some without area, some padded."""
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-0.5, 0.5, (triangles * 2, 3)) * [size[1] * reach, size[0] * reach, 1.0]
    vertices += [size[1] / 2, size[0] / 2, 0.0]
    vertices[::3, :2] = np.round(vertices[::3, :2]) + 0.5  # corners and edges through pixel centres
    faces = rng.integers(0, len(vertices), (triangles, 3))
    faces[::11] = 0
    faces[5, 2] = faces[5, 1]
    return vertices.astype(np.float32), faces.astype(np.int32)


def sphere(rings=30, segments=40):
    """Closed sphere of radius 1: vertices [V, 3] and faces [F, 3]."""
    angle, turn = np.arange(1, rings) * np.pi / rings, np.arange(segments) * 2 * np.pi / segments
    angle, turn = np.meshgrid(angle, turn, indexing="ij")
    ring = np.stack([np.sin(angle) * np.cos(turn), np.cos(angle), np.sin(angle) * np.sin(turn)], -1).reshape(-1, 3)
    vertices = np.concatenate([ring, [[0, 1, 0], [0, -1, 0]]]).astype(np.float32)
    i, j = np.meshgrid(np.arange(rings - 2), np.arange(segments), indexing="ij")
    a, b = i * segments + j, i * segments + (j + 1) % segments
    c, d = a + segments, b + segments
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    j = np.arange(segments)
    last = (rings - 2) * segments
    top = np.stack([np.full(segments, len(ring)), (j + 1) % segments, j], -1)
    bottom = np.stack([np.full(segments, len(ring) + 1), last + j, last + (j + 1) % segments], -1)
    return vertices, np.concatenate([faces, top, bottom]).astype(np.int32)


def on_screen(vertices, size, radius, seed=0):
    """Vertices turned at random and placed in the picture's middle, radius in pixels, depth in [-1, 1]."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return ((vertices @ turn) * [radius, radius, 1] + [size[1] / 2 + 0.13, size[0] / 2 - 0.29, 0]).astype(np.float32)


def draw(vertices, faces, size, capacity=None):
    capacity = capacity or max(raster.candidates(vertices, faces, size), 1)
    return jax.jit(raster.rasterize, static_argnums=(2, 3))(vertices, faces, size, capacity)


resolve, interpolate = jax.jit(surface.resolve), jax.jit(surface.interpolate)


@pytest.mark.parametrize("seed", range(8))
def test_ids_and_depth_equal_brute_force(seed):
    size = (24, 32)
    vertices, faces = soup(seed, reach=(1.4, 0.5, 6.0, 1.0)[seed % 4])
    fragments = draw(vertices, faces, size, 40000)
    assert not fragments.overflow
    cover = brute_force(vertices, faces, size)
    compared = 0
    for ids, sign in ((fragments.front_ids, 1), (fragments.back_ids, -1)):
        depth, _ = resolve(vertices, faces, ids)
        for row in range(size[0]):
            for column in range(size[1]):
                hits = sorted(cover[row][column], key=lambda hit: -sign * hit[0])
                number = int(ids[row, column])
                assert (number == -1) == (not hits)
                if not hits:
                    assert depth[row, column] == 0
                    continue
                # Depths nearer than the depth unit may fall either way; anything else must be the same triangle.
                near = [n for d, n in hits if abs(d - hits[0][0]) < 4e-6]
                assert number in near
                compared += len(near) == 1
    assert compared > 100


def test_equal_depth_goes_to_the_lower_number():
    vertices = np.array([[1, 1, 0.3], [15, 1, 0.3], [1, 15, 0.3]], np.float32)
    faces = np.array([[0, 1, 2]] * 3, np.int32)
    fragments = draw(vertices, faces, (16, 16))
    assert set(np.unique(fragments.front_ids)) == set(np.unique(fragments.back_ids)) == {-1, 0}


def test_plane_depth_equals_formula():
    size, slope = (20, 28), np.array([0.013, -0.021])
    corners = np.array([[-300, -200], [900, -100], [200, 1100]], np.float32)
    vertices = np.concatenate([corners, (corners @ slope)[:, None] + 0.4], 1).astype(np.float32)
    ids = draw(vertices, np.array([[0, 2, 1]], np.int32), size).front_ids
    assert (ids == 0).all()
    rows, columns = np.indices(size) + 0.5
    expected = columns * slope[0] + rows * slope[1] + 0.4
    depth, _ = resolve(vertices, np.array([[0, 2, 1]]), ids)
    np.testing.assert_allclose(depth, expected, atol=2e-5)


def test_sphere_depth_and_even_cover():
    size, radius = (64, 64), 25
    vertices, faces = sphere(60, 80)
    vertices = on_screen(vertices, size, radius)
    fragments = draw(vertices, faces, size)
    rows, columns = np.indices(size) + 0.5
    square = ((columns - 32.13) ** 2 + (rows - 31.71) ** 2) / radius**2
    truth = np.sqrt(np.maximum(1 - square, 0))
    for ids, sign in ((fragments.front_ids, 1), (fragments.back_ids, -1)):
        depth, _ = resolve(vertices, faces, ids)
        np.testing.assert_allclose(np.where(square < 0.9, depth, 0), np.where(square < 0.9, sign * truth, 0), atol=5e-3)
        assert ((np.asarray(ids) >= 0) == (square < 1)).mean() > 0.995
    assert ((fragments.front_ids >= 0) == (fragments.back_ids >= 0)).all()


def coverage(vertices, faces, size):
    """How many of the triangles cover each pixel, by drawing them one at a time."""
    single = jax.jit(lambda face: raster.rasterize(vertices, face[None], size, size[0] * size[1]).front_ids >= 0)
    return np.asarray(jax.lax.map(lambda face: single(face).astype(jnp.int32), jnp.asarray(faces)).sum(0))


@pytest.mark.parametrize("seed", range(3))
def test_closed_surface_covers_every_pixel_an_even_number_of_times(seed):
    size = (32, 32)
    vertices, faces = sphere(10, 12)
    # A dented sphere with corners on pixel centres: more than two layers and every border case.
    vertices = on_screen(vertices * (1 + 0.5 * np.sin(5 * vertices[:, :1])), size, 12, seed)
    vertices[::4, :2] = np.floor(vertices[::4, :2]) + 0.5
    count = coverage(vertices, faces, size)
    assert count.max() >= 2
    assert (count % 2 == 0).all()


@pytest.mark.parametrize("seed", range(10))
def test_neighbours_leave_no_crack_and_cover_no_pixel_twice(seed):
    size = (24, 24)
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.linspace(2, 22, 5), np.linspace(2, 22, 5)), -1)
    grid[1:-1, 1:-1] += rng.uniform(-1.2, 1.2, (3, 3, 2))
    if seed % 2:
        grid = np.floor(grid) + 0.5
    vertices = np.concatenate([grid.reshape(-1, 2), np.zeros((25, 1))], 1).astype(np.float32)
    corner = (np.arange(4)[:, None] * 5 + np.arange(4)).reshape(-1)
    faces = [[corner, corner + 1, corner + 5], [corner + 1, corner + 6, corner + 5]]
    faces = np.concatenate([np.stack(face, -1) for face in faces]).astype(np.int32)
    count = coverage(vertices, faces, size)
    assert count.max() == 1
    low, high = grid[0, 0, 0], grid[-1, -1, 0]
    centres = np.arange(24) + 0.5
    filled = ((centres >= low) & (centres < high)).sum() ** 2
    assert count.sum() == filled


def test_order_of_vertices_and_corners_does_not_matter():
    size = (24, 32)
    vertices, faces = soup(3)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(vertices))
    place = np.argsort(order)
    other = place[faces].astype(np.int32)
    other = np.where(rng.random((len(faces), 1)) < 0.5, other[:, [1, 2, 0]], other[:, [2, 1, 0]])
    first, second = draw(vertices, faces, size, 40000), draw(vertices[order], other, size, 40000)
    agree = np.mean(np.asarray(first.front_ids) == np.asarray(second.front_ids))
    assert agree > 0.999
    one, _ = resolve(vertices, faces, first.front_ids)
    two, _ = resolve(vertices[order], other, second.front_ids)
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_overflow_cannot_go_unseen():
    size = (24, 32)
    vertices, faces = soup(1)
    need = raster.candidates(vertices, faces, size)
    right, small = draw(vertices, faces, size, need), draw(vertices, faces, size, need - 1)
    assert not right.overflow
    raster.check(right)
    assert small.overflow
    assert (small.front_ids == raster.OVERFLOW).all()
    depth, barycentrics = resolve(vertices, faces, small.front_ids)
    assert np.isnan(depth).all()
    assert np.isnan(interpolate(vertices, faces, small.front_ids, barycentrics)).all()
    with pytest.raises(ValueError, match="overflow"):
        raster.check(small)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_vertices_that_cannot_be_drawn_are_flagged(value):
    vertices = np.array([[1, 1, 0], [9, 1, 0], [1, value, 0]], np.float32)
    face = np.array([[0, 1, 2]], np.int32)
    assert draw(vertices, face, (12, 12), 500).overflow
    assert not draw(vertices, face * 0, (12, 12), 500).overflow  # as padding it is harmless


def test_interpolation_of_a_linear_attribute_is_exact():
    size = (40, 40)
    vertices, faces = sphere(12, 16)
    vertices = on_screen(vertices, size, 15)
    rule = np.array([[0.03, -1.0], [0.02, 0.5], [0.4, 0.25]], np.float32)
    ids = draw(vertices, faces, size).front_ids
    depth, barycentrics = resolve(vertices, faces, ids)
    rows, columns = np.indices(size) + 0.5
    points = np.stack([columns, rows, np.asarray(depth)], -1)
    values = interpolate(vertices @ rule, faces, ids, barycentrics)
    np.testing.assert_allclose(values, np.where(ids[..., None] >= 0, points @ rule, 0), atol=2e-4)


def test_slivers_never_extrapolate_far():
    # Under 1/256 pixel high: snapping moves it onto pixel centres that the true triangle misses by 9 times its size.
    vertices = np.array([[0, 4.498955, 0], [12, 4.503818, 1], [6, 4.501518, 2]], np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    ids = draw(vertices, faces, (12, 12)).front_ids
    assert (np.asarray(ids) >= 0).sum() > 3
    depth, barycentrics = resolve(vertices, faces, ids)
    assert np.asarray(barycentrics).min() > -0.34 and np.asarray(barycentrics).max() < 1.67
    assert depth.min() > -2 and depth.max() < 4
    np.testing.assert_allclose(np.asarray(barycentrics).sum(-1), np.asarray(ids) >= 0, atol=1e-5)


def test_depth_gradient_equals_finite_differences():
    size = (24, 24)
    vertices, faces = sphere(6, 8)
    vertices = on_screen(vertices, size, 9)
    fragments = draw(vertices, faces, size)
    weights = np.random.default_rng(0).normal(size=size).astype(np.float32)

    def loss(v):
        return (resolve(v, faces, fragments.front_ids)[0] * weights).sum()

    gradient = np.asarray(jax.grad(loss)(vertices))
    assert np.isfinite(gradient).all()
    used = np.unique(faces[np.unique(np.asarray(fragments.front_ids)[np.asarray(fragments.front_ids) >= 0])])
    for vertex in used[:8]:
        for axis in range(3):
            step = np.zeros_like(vertices)
            step[vertex, axis] = 1e-2
            slope = (float(loss(vertices + step)) - float(loss(vertices - step))) / 2e-2
            assert abs(slope - gradient[vertex, axis]) < 2e-2 * max(1.0, abs(slope))


def test_vmap_equals_one_by_one():
    size = (16, 16)
    meshes = [on_screen(sphere(6, 8)[0], size, 6, seed) for seed in range(3)]
    faces = sphere(6, 8)[1]
    capacity = max(raster.candidates(mesh, faces, size) for mesh in meshes)
    batch = jax.vmap(lambda v: raster.rasterize(v, faces, size, capacity))(np.stack(meshes))
    for i, mesh in enumerate(meshes):
        np.testing.assert_array_equal(batch.front_ids[i], draw(mesh, faces, size, capacity).front_ids)


def test_agrees_with_embree_on_the_snapped_mesh():
    pytest.importorskip("embreex", reason="embreex, the independent ray caster, is not installed")
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    size = (96, 96)
    vertices, faces = sphere(50, 60)
    vertices = on_screen(vertices * (1 + 0.2 * np.sin(7 * vertices[:, :1])), size, 36, 4)
    snapped = vertices.copy()
    snapped[:, :2] = np.round(vertices[:, :2] * 256) / 256
    rows, columns = np.indices(size) + 0.5
    origins = np.stack([columns, rows, np.full(size, 9.0)], -1).reshape(-1, 3)
    caster = RayMeshIntersector(trimesh.Trimesh(snapped, faces, process=False), scale_to_box=False)
    fragments = draw(vertices, faces, size)
    for ids, side in ((fragments.front_ids, 1), (fragments.back_ids, -1)):
        hits = caster.intersects_first(origins * [1, 1, side], np.tile([0.0, 0.0, -side], (len(origins), 1)))
        assert np.mean(hits.reshape(size) == np.asarray(ids)) >= 0.9995


def test_texture_of_a_ramp_is_exact_and_edges_hold():
    height, width = 5, 9
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    ramp = np.stack(np.broadcast_arrays(2 * x[None] - 1, 3 * y[:, None]), -1).astype(np.float32)
    rng = np.random.default_rng(0)
    uv = np.stack([rng.uniform(x[0], x[-1], (7, 6)), rng.uniform(y[0], y[-1], (7, 6))], -1).astype(np.float32)
    np.testing.assert_allclose(sample_texture(ramp, uv), uv * [2, 3] - [1, 0], atol=1e-5)
    np.testing.assert_allclose(sample_texture(ramp, jnp.array([[-1.0, 2.0]])), ramp[-1:, 0], atol=1e-6)
    slope = jax.jacfwd(lambda point: sample_texture(ramp, point))(jnp.array([0.43, 0.53]))
    np.testing.assert_allclose(slope, [[2, 0], [0, 3]], atol=1e-4)
