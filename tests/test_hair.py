"""Hair and shoes, which are cut from the skin: outside the body, without holes, textured, attached to the bones."""

import numpy as np
import pytest
import trimesh
from tailored import rest

from tryon_jax.garments.cut import boundary_of, clip, edges_of, loops_of, split
from tryon_jax.simulation import hair, shoes

MAKERS = {"hair": hair, "shoes": shoes}
LOOPS = {"hair": 1, "shoes": 2}


@pytest.fixture(scope="module", params=[(name, index) for name in MAKERS for index in range(5)])
def made(request):
    name, index = request.param
    ranges = MAKERS[name].PARAMETERS
    # The corners of the parameter ranges first, then the inside.
    rng = np.random.default_rng(index)
    share = {0: lambda: 0.0, 1: lambda: 1.0}.get(index, rng.uniform)
    parameters = {key: low + (high - low) * share() for key, (low, high) in ranges.items()}
    return name, rest(index), MAKERS[name].pattern(parameters, rest(index))


def test_is_a_clean_surface(made):
    name, _, garment = made
    assert np.isfinite(garment.vertices_rest).all()
    faces = garment.weld[garment.faces]
    assert np.bincount(edges_of(faces)[1].ravel()).max() == 2
    assert len(loops_of(faces)) == LOOPS[name]
    corners = garment.vertices_rest[garment.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert (areas > 0).mean() > 0.999
    directed = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    assert len(np.unique(directed, axis=0)) == len(directed)  # consistently oriented


def test_is_outside_the_body(made):
    _, body, garment = made
    mesh = trimesh.Trimesh(body.vertices, body.faces, process=False)
    assert not _inside(mesh, garment.vertices_rest.astype(float)).any()


def test_inside_is_seen():
    mesh = trimesh.Trimesh(rest(0).vertices, rest(0).faces, process=False)
    chest = rest(0).joint("spine01") * [0, 1, 1]
    assert _inside(mesh, np.array([chest, chest + [0, 1, 0]])).tolist() == [True, False]


def _inside(mesh, points):
    """Inside by two rays out of three, which forgives a ray that slips through an edge or the open mouth."""
    votes = np.zeros(len(points), int)
    for direction in ([0.31, 0.82, 0.17], [-0.42, -0.77, 0.25], [0.83, 0.12, -0.37]):
        rays = np.tile(direction, (len(points), 1))
        _, index = mesh.ray.intersects_id(points, rays, multiple_hits=True, return_locations=False)
        votes += np.bincount(index, minlength=len(points)) % 2
    return votes >= 2


def test_texture_and_weights(made):
    name, body, garment = made
    count = len(garment.vertices_rest)
    assert garment.uv.shape == garment.picture_xy.shape == (count, 2)
    assert garment.uv.min() >= 0 and garment.uv.max() <= 1
    front = garment.uv[garment.faces, 0] < 0.5
    assert (front.all(1) | ~front.any(1)).all()  # no triangle lies across both pieces
    np.testing.assert_allclose(garment.skin_weights.sum(1), 1, atol=1e-5)
    assert garment.skin_weights.min() >= 0
    assert 0 <= garment.skin_indices.min() and garment.skin_indices.max() < len(body.joints)
    np.testing.assert_array_equal(garment.vertices_rest, garment.vertices_rest[garment.weld])
    if name == "shoes":
        return  # a pair shares one texture
    start, end = edges_of(garment.faces)[0].T
    length = np.linalg.norm(garment.vertices_rest[start] - garment.vertices_rest[end], axis=1)
    flat = np.linalg.norm(garment.uv[start] - garment.uv[end], axis=1) * garment.metres_per_uv
    long = length > 0.005
    assert 0.75 < np.median(flat[long] / length[long]) < 1.2


def test_covers_only_what_it_hides(made):
    _, body, garment = made
    assert garment.covers.shape == (len(body.faces),) and garment.covers.dtype == bool
    assert garment.covers.any()
    hidden = body.vertices[body.faces[garment.covers]]
    low, high = garment.vertices_rest.min(0), garment.vertices_rest.max(0)
    # 1 cm: what is draped is a little smaller than the cut it came from.
    assert (hidden.min((0, 1)) > low - 0.01).all() and (hidden.max((0, 1)) < high + 0.01).all()


def test_split_and_clip_keep_area_and_line():
    mesh = trimesh.creation.icosphere(3)
    field = mesh.vertices[:, 2] - 0.217
    faces, points, values = split(mesh.faces, mesh.vertices, field)
    assert ((values[faces].min(1) >= -1e-12) | (values[faces].max(1) <= 1e-12)).all()
    kept, cap = clip(mesh.faces, mesh.vertices, field)
    rim = np.unique(boundary_of(kept))
    np.testing.assert_allclose(cap[rim, 2], 0.217, atol=1e-9)
    assert len(loops_of(kept)) == 1
    height = 1 - 0.217
    area = trimesh.Trimesh(cap, kept, process=False).area
    assert abs(area - 2 * np.pi * height) < 0.02 * 2 * np.pi * height
