"""Normals against closed forms, and the topology checks against meshes that fail them."""

import jax
import numpy as np
import pytest

from tryon_jax.geometry import mesh as topology

CUBE_VERTICES = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
CUBE = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ],
    np.int32,
)  # fmt: skip


def grid(rows, columns):
    """A flat sheet: vertices at whole x, y and faces counter-clockwise from +z."""
    y, x = np.indices((rows, columns))
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    faces = np.concatenate([np.stack(f, 1) for f in ((a, a + 1, a + columns), (a + 1, a + columns + 1, a + columns))])
    return np.stack([x, y, 0 * x], -1).reshape(-1, 3).astype(np.float32), faces.astype(np.int32)


def test_faces_among_chosen_vertices():
    chosen = CUBE_VERTICES[:, 0] == 0
    np.testing.assert_array_equal(topology.among(CUBE, chosen), chosen[CUBE].all(1))
    assert topology.among(CUBE, chosen).sum() == 2


def test_cube_passes_every_check():
    assert topology.is_watertight(CUBE) and topology.is_edge_manifold(CUBE) and topology.is_consistently_wound(CUBE)
    assert len(topology.boundary_edges(CUBE)) == 0 and topology.boundary_loops(CUBE) == []
    assert len(topology.pinch_vertices(CUBE)) == 0


def test_cube_normals_point_out_along_the_diagonals():
    normals = topology.vertex_normals(CUBE_VERTICES, CUBE)
    # A corner's faces have one or two triangles each, so the mean leans at most from (1,1,1) to (2,1,1) or (2,2,1).
    assert (np.sum(normals * (CUBE_VERTICES * 2 - 1), 1) / np.sqrt(3) > 0.94).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


def test_normals_of_a_plane_padding_and_gradient():
    vertices, faces = grid(3, 4)
    vertices = np.concatenate([vertices, [[9, 9, 9]]]).astype(np.float32)
    padded = np.concatenate([faces, np.zeros((5, 3), np.int32)])
    normals = topology.vertex_normals(vertices, padded)
    np.testing.assert_allclose(normals[:-1], np.tile([0, 0, 1], (12, 1)), atol=1e-6)
    np.testing.assert_array_equal(normals[-1], 0)  # no face: no direction, and no NaN
    gradient = jax.grad(lambda v: topology.vertex_normals(v, padded)[:, 0].sum())(vertices)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0.1


def test_a_hole_is_seen():
    opened = CUBE[1:]
    assert not topology.is_watertight(opened) and topology.is_edge_manifold(opened)
    (loop,) = topology.boundary_loops(opened)
    assert sorted(loop.tolist()) == [0, 1, 3]
    # The rest of the surface lies to the left, so the loop runs against the lost face.
    assert {(3, 1), (1, 0), (0, 3)} == set(map(tuple, topology.boundary_edges(opened).tolist()))


def test_boundary_of_a_sheet_is_one_loop_counter_clockwise():
    vertices, faces = grid(4, 5)
    (loop,) = topology.boundary_loops(faces)
    assert len(loop) == 2 * (3 + 4)
    x, y = vertices[loop, :2].T
    assert np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2 == pytest.approx(12)


def test_a_turned_face_is_seen():
    turned = CUBE.copy()
    turned[4] = turned[4, ::-1]
    assert topology.is_watertight(turned) and not topology.is_consistently_wound(turned)


def test_a_third_face_on_an_edge_is_seen():
    finned = np.concatenate([CUBE, [[0, 1, 8]]])
    assert not topology.is_edge_manifold(finned) and not topology.is_watertight(finned)


def test_a_pinch_is_seen():
    second = np.where(CUBE == 0, 7, CUBE + 8)  # another cube that shares one vertex
    both = np.concatenate([CUBE, second])
    assert topology.is_watertight(both)
    assert topology.pinch_vertices(both).tolist() == [7]
    with pytest.raises(ValueError, match="pinch"):
        topology.boundary_loops(np.array([[0, 1, 2], [0, 3, 4]]))


def test_nothing_is_not_watertight():
    assert not topology.is_watertight(np.zeros((0, 3), np.int32))


def test_on_floor():
    moved = topology.on_floor(CUBE_VERTICES + [3, -7, 2])
    np.testing.assert_allclose([moved.min(0), moved.max(0)], [[-0.5, 0, -0.5], [0.5, 1, 0.5]], atol=1e-6)


def test_trimesh_keeps_positions_and_turns_the_texture_upright():
    pytest.importorskip("trimesh")
    uv = np.array([[0.25, 0.1], [0.75, 0.1], [0.5, 0.9]], np.float32)
    faces = np.array([[0, 4, 6], [0, 6, 2]], np.int32)
    mesh = topology.Mesh(CUBE_VERTICES, faces, uv, np.array([[0, 1, 2], [1, 2, 0]]), np.zeros((4, 8, 3), np.uint8))
    loaded = topology.to_trimesh(mesh)
    np.testing.assert_allclose(loaded.vertices[loaded.faces], CUBE_VERTICES[faces])
    np.testing.assert_allclose(loaded.visual.uv[loaded.faces], uv[mesh.uv_faces] * [1, -1] + [0, 1], atol=1e-6)
