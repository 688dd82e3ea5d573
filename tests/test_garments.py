"""Every garment, hair and shoes: outside the body, without holes, textured, attached, and obeying its parameters."""

import numpy as np
import pytest
import trimesh

from tryon_jax import garments
from tryon_jax.garments.cut import boundary_of, clip, edges_of, loops_of, split
from tryon_jax.simulation import body, hair, shoes

MAKERS = {**{name: garments.load(name) for name in garments.names()}, "hair": hair, "shoes": shoes}
LOOPS = {"tshirt": 4, "trousers": 3, "skirt": 2, "dress": 4, "hair": 1, "shoes": 2}


def rest_of(seed):
    shape = body.sample_shape(np.random.default_rng(seed))
    return body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest


def parameters_of(module, rng):
    return {key: float(rng.uniform(low, high)) for key, (low, high) in module.PARAMETERS.items()}


@pytest.fixture(scope="module", params=range(5))
def rest(request):
    return request.param, rest_of(request.param + 20)


@pytest.fixture(params=sorted(MAKERS))
def made(request, rest):
    seed, body_rest = rest
    module = MAKERS[request.param]
    # The corners of the parameter ranges first, then the inside.
    corners = {0: 0, 1: 1}
    choose = corners.get(seed)
    if choose is None:
        parameters = parameters_of(module, np.random.default_rng(seed))
    else:
        parameters = {key: float(ends[choose]) for key, ends in module.PARAMETERS.items()}
    return request.param, body_rest, module.pattern(parameters, body_rest)


def test_is_a_clean_surface(made):
    name, _, garment = made
    assert np.isfinite(garment.vertices_rest).all()
    faces = garment.weld[garment.faces]
    _, of_face = edges_of(faces)
    assert np.bincount(of_face.ravel()).max() == 2
    loops = loops_of(faces)
    assert len(loops) == LOOPS[name]
    # No twin triangles and none without area.
    corners = garment.vertices_rest[garment.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert (areas > 0).mean() > 0.999
    directed = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    assert len(np.unique(directed, axis=0)) == len(directed)  # consistently oriented


def test_is_outside_the_body(made):
    _, rest, garment = made
    mesh = trimesh.Trimesh(rest.vertices, rest.faces, process=False)
    assert not _inside(mesh, garment.vertices_rest.astype(float)).any()


def test_inside_is_seen():
    rest = rest_of(1)
    garment = MAKERS["tshirt"].pattern(parameters_of(MAKERS["tshirt"], np.random.default_rng(0)), rest)
    mesh = trimesh.Trimesh(rest.vertices, rest.faces, process=False)
    assert _inside(mesh, garment.vertices_rest * [0.9, 0.9, 1.0]).mean() > 0.2


def _inside(mesh, points):
    """Inside by two rays out of three, which forgives a ray that slips through an edge or the open mouth."""
    votes = np.zeros(len(points), int)
    for direction in ([0.31, 0.82, 0.17], [-0.42, -0.77, 0.25], [0.83, 0.12, -0.37]):
        rays = np.tile(direction, (len(points), 1))
        _, index = mesh.ray.intersects_id(points, rays, multiple_hits=True, return_locations=False)
        votes += np.bincount(index, minlength=len(points)) % 2
    return votes >= 2


def test_texture_and_weights(made):
    name, rest, garment = made
    count = len(garment.vertices_rest)
    assert garment.uv.shape == garment.picture_xy.shape == (count, 2)
    assert garment.uv.min() >= 0 and garment.uv.max() <= 1
    front = garment.uv[garment.faces, 0] < 0.5
    assert (front.all(1) | ~front.any(1)).all()  # no triangle lies across both pieces
    np.testing.assert_allclose(garment.skin_weights.sum(1), 1, atol=1e-5)
    assert garment.skin_weights.min() >= 0
    assert 0 <= garment.skin_indices.min() and garment.skin_indices.max() < len(rest.joints)
    np.testing.assert_array_equal(garment.vertices_rest, garment.vertices_rest[garment.weld])
    if name == "shoes":
        return  # a pair shares one texture
    edges, _ = edges_of(garment.faces)
    start, end = edges.T
    length = np.linalg.norm(garment.vertices_rest[start] - garment.vertices_rest[end], axis=1)
    flat = np.linalg.norm(garment.uv[start] - garment.uv[end], axis=1) * garment.metres_per_uv
    long = length > 0.005
    assert 0.75 < np.median(flat[long] / length[long]) < 1.2


def test_covers_only_what_it_hides(made):
    _, rest, garment = made
    assert garment.covers.shape == (len(rest.faces),) and garment.covers.dtype == bool
    assert garment.covers.any()
    hidden = rest.vertices[rest.faces[garment.covers]]
    low, high = garment.vertices_rest.min(0), garment.vertices_rest.max(0)
    # 1 cm: cloth that drapes is a little smaller than the cut it came from.
    assert (hidden.min((0, 1)) > low - 0.01).all() and (hidden.max((0, 1)) < high + 0.01).all()


def measure(name, key, value):
    module = garments.load(name)
    middle = {other: 0.5 * (low + high) for other, (low, high) in module.PARAMETERS.items()}
    if "tuck" in middle:
        middle["tuck"] = 0.0
    return module.pattern({**middle, key: value}, rest_of(3)).vertices_rest


@pytest.mark.parametrize(
    "name, key, axis, sign",
    [
        ("tshirt", "sleeve", 0, 1), ("dress", "sleeve", 0, 1), ("tshirt", "hem", 2, -1),
        ("trousers", "length", 2, -1), ("skirt", "length", 2, -1), ("dress", "length", 2, -1),
        ("skirt", "flare", 0, 1), ("trousers", "rise", 2, 1), ("skirt", "rise", 2, 1),
    ],
)  # fmt: skip
def test_parameters_move_their_edge(name, key, axis, sign):
    reach = []
    for value in (0.0, 0.35, 0.7, 1.0):
        vertices = measure(name, key, value)
        reach.append((vertices[:, axis] * sign).max())
    assert (np.diff(reach) > 0.005).all(), reach


def test_tucked_shirt_stays_inside_a_skirt():
    rest = rest_of(4)
    shirt = {key: 0.5 for key in garments.load("tshirt").PARAMETERS} | {"tuck": 1.0}
    skirt = {key: 0.5 for key in garments.load("skirt").PARAMETERS}
    top, bottom = (garments.load(n).pattern(p, rest).vertices_rest for n, p in (("tshirt", shirt), ("skirt", skirt)))
    waist = bottom[:, 2].max()
    low = top[(top[:, 2] < waist - 0.01) & (np.abs(top[:, 0]) < 0.25)]
    band = bottom[bottom[:, 2] > top[:, 2].min() - 0.05]
    assert len(low) > 20
    centre = band.mean(0)
    angle = lambda p: np.arctan2(p[:, 1] - centre[1], p[:, 0])  # noqa: E731
    radius = lambda p: np.hypot(p[:, 1] - centre[1], p[:, 0])  # noqa: E731
    gap = np.abs(np.angle(np.exp(1j * (angle(low)[:, None] - angle(band)[None])))) * 0.15
    nearest = np.argmin(np.hypot(gap, low[:, None, 2] - band[None, :, 2]), axis=1)
    assert (radius(low) < radius(band)[nearest] + 0.004).mean() > 0.97


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


def test_unknown_garment_and_parameters():
    with pytest.raises(ValueError, match="tshirt"):
        garments.load("cape")
    with pytest.raises(ValueError, match="outside"):
        garments.check("skirt", {**garments.sample("skirt", np.random.default_rng(0)), "flare": 2.0})
    with pytest.raises(ValueError, match="takes"):
        garments.check("skirt", {"flare": 0.5})
