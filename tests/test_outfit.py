"""MakeHuman outfits: the parser and its errors on made-up triangles, the fit on a body, the settling."""

import pathlib

import numpy as np
import pytest

from tryon_jax.errors import UserError
from tryon_jax.garments import sewn
from tryon_jax.simulation import body, drape, gates, outfit

MHCLO = """# a made-up outfit
basemesh hm08
name two words
obj_file tiny.obj
x_scale 5399 11998 1.4
y_scale 791 881 2.4
z_scale 962 5320 2.0
z_depth 50
verts 0
10 11 12 0.5 0.3 0.2 0.1 0.2 0.3
20
30 31 32 1.2 -0.1 -0.1 0 0 0
40 41 42 0.2 0.3 0.5 0 0 -0.1

material tiny.mhmat
delete_verts
3 5 - 7 12
100
"""
OBJ = """o tiny
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0.25
vt 1 1
vt 0 1
vn 0 0 1
f 1/1/1 2/2/1 3/3/1 4/4/1
f -4/-4 -2/-2 -1/-1
"""
REAL = sorted((pathlib.Path(__file__).parents[2] / "shared" / "real" / "free" / "meshes").glob("*.mhclo"))


def written(folder, mhclo=MHCLO, obj=OBJ):
    (folder / "tiny.mhclo").write_text(mhclo)
    if obj is not None:
        (folder / "tiny.obj").write_text(obj)
    return folder / "tiny.mhclo"


def test_a_tiny_outfit_is_read(tmp_path):
    found = outfit.read(written(tmp_path))
    assert found.name == "two words"
    assert found.base.tolist() == [[10, 11, 12], [20, 20, 20], [30, 31, 32], [40, 41, 42]]
    np.testing.assert_allclose(found.weights, [[0.5, 0.3, 0.2], [1, 0, 0], [1.2, -0.1, -0.1], [0.2, 0.3, 0.5]])
    np.testing.assert_allclose(found.offsets, [[0.1, 0.2, 0.3], [0, 0, 0], [0, 0, 0], [0, 0, -0.1]])
    assert found.scales == ((5399, 11998, 1.4), (791, 881, 2.4), (962, 5320, 2.0))
    # The quad becomes two triangles; negative numbers count from the end.
    assert found.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 2, 3]] == found.uv_faces.tolist()
    np.testing.assert_allclose(found.uv, [[0, 1], [1, 0.75], [1, 0], [0, 0]])  # y down
    assert found.hidden.tolist() == [3, 5, 6, 7, 12, 100]
    bent = outfit.read(written(tmp_path, obj=OBJ.replace("-4/-4 -2/-2 -1/-1", "1/1 3/3 3/4")))
    assert bent.faces.tolist() == [[0, 1, 2], [0, 2, 3]]  # a face with a doubled corner has no area
    assert found.base.dtype == found.faces.dtype == found.uv_faces.dtype == found.hidden.dtype == np.int32


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("basemesh hm08", "basemesh alpha7", "alpha7"),
        ("obj_file tiny.obj\n", "", "obj_file"),
        ("obj_file tiny.obj", "obj_file other.obj", "other.obj.*beside"),
        ("verts 0", "vert 0", "verts section"),
        (MHCLO[MHCLO.index("verts 0") + 7 :], "", "verts section"),
        ("y_scale 791 881 2.4\n", "", "y_scale"),
        ("y_scale 791 881 2.4", "y_scale 791 2.4", "y_scale"),
        ("y_scale 791 881 2.4", "y_scale 791 19158 2.4", "19158"),
        ("y_scale 791 881 2.4", "y_scale 791 881 0", "positive"),
        ("y_scale 791 881 2.4", "y_scale 791 881 nan", "finite"),
        ("10 11 12", "10 11 19158", "tiny.mhclo:10.*19158"),
        ("10 11 12", "10 -1 12", "-1 is outside"),
        ("10 11 12 0.5", "10 11 12 nan", "tiny.mhclo:10.*finite"),
        ("10 11 12 0.5", "10 11 12 inf", "finite"),
        ("10 11 12 0.5", "10 11 12 0.7", "sum to 1.2"),
        ("10 11 12 0.5", "10 11 12.5 0.5", "should be numbers"),
        ("10 11 12 0.5", "10 11 12 O.5", "should be numbers"),
        ("0.1 0.2 0.3\n", "0.1 0.2\n", "1 or 9 numbers, not 8"),
        ("20\n", "", "binds 3 vertices.*has 4"),
        ("3 5 - 7 12", "3 7 - 5 12", "backward"),
        ("3 5 - 7 12", "3 5 - 99999", "99999"),
        ("3 5 - 7 12", "3 5 -", "outside"),
        ("3 5 - 7 12", "3 a7", "numbers|outside|hidden"),
    ],
)
def test_a_broken_mhclo_is_refused(tmp_path, old, new, message):
    assert MHCLO.count(old) == 1
    with pytest.raises(UserError, match=message):
        outfit.read(written(tmp_path, MHCLO.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("v 1 1 0\n", "v 1 1 nan\n", "tiny.obj:4.*finite"),
        ("v 1 1 0\n", "v 1 1\n", "at least 3"),
        ("v 0 1 0\n", "", "number 4 of 3"),
        ("vt 0 1\n", "", "number 4 of 3"),
        ("f 1/1/1", "f 9/1/1", "number 9 of 4"),
        ("f 1/1/1", "f 0/1/1", "number 0 of 4"),
        ("f -4/-4", "f -5/-4", "number -5 of 4"),
        ("f 1/1/1", "f x/1/1", "should be numbers"),
        ("f 1/1/1 2/2/1 3/3/1 4/4/1", "f 1 2 3", "UV map"),
        ("f -4/-4 -2/-2 -1/-1", "f 1/1 2/2", "at least 3"),
        (OBJ[OBJ.index("f 1/1/1") :], "", "no faces"),
        ("v 0 0 0\n", "v 0 0 0\nv 2 2 2\n", "binds 4 vertices.*has 5"),
    ],
)
def test_a_broken_obj_is_refused(tmp_path, old, new, message):
    assert OBJ.count(old) == 1
    with pytest.raises(UserError, match=message):
        outfit.read(written(tmp_path, obj=OBJ.replace(old, new)))


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="none.mhclo.*cannot be read.*give the path"):
        outfit.read(tmp_path / "none.mhclo")
    with pytest.raises(UserError, match="tiny.obj.*cannot be read.*tiny.mhclo names beside it"):
        outfit.read(written(tmp_path, obj=None))
    (tmp_path / "binary.mhclo").write_bytes(b"\xff\xfe\x00verts")
    with pytest.raises(UserError, match="binary.mhclo.*not text"):
        outfit.read(tmp_path / "binary.mhclo")
    with pytest.raises(UserError, match="cannot be read"):
        outfit.read(tmp_path)


def test_every_cut_of_a_file_is_refused_or_whole(tmp_path):
    """A download that stopped anywhere: either a UserError, or nothing that matters was lost."""
    whole = outfit.read(written(tmp_path))
    for count in range(0, len(MHCLO), 3):
        try:
            found = outfit.read(written(tmp_path, MHCLO[:count]))
        except UserError:
            continue
        assert len(found.base) == len(whole.base) and np.isfinite(found.weights).all()
    for count in range(0, len(OBJ), 3):
        try:
            found = outfit.read(written(tmp_path, obj=OBJ[:count]))
        except UserError:
            continue
        assert len(found.faces) and found.faces.max() < 4 and found.uv_faces.max() < len(found.uv)


def test_a_damaged_file_gives_a_user_error_or_sound_numbers(tmp_path):
    """Characters that changed on the way, anywhere in either file."""
    rng = np.random.default_rng(0)
    for trial in range(300):
        texts = [MHCLO, OBJ]
        text = list(texts[trial % 2])
        for place in rng.integers(0, len(text), rng.integers(1, 4)):
            text[place] = rng.choice(list("0123456789-. \n/anvf#e"))
        texts[trial % 2] = "".join(text)
        try:
            found = outfit.read(written(tmp_path, *texts))
        except UserError as error:
            assert str(tmp_path) in str(error) and ";" in str(error)
            continue
        assert 0 <= found.base.min() and found.base.max() < 19158
        assert np.isfinite(found.weights).all() and np.isfinite(found.offsets).all() and np.isfinite(found.uv).all()
        assert 0 <= found.faces.min() and found.faces.max() < len(found.base) and found.uv_faces.max() < len(found.uv)
    with pytest.raises(UserError, match="outside"):
        outfit.read(written(tmp_path, MHCLO.replace("10 11 12", f"10 11 {10**30}")))


# ---- on a body


@pytest.fixture(scope="module")
def model():
    return body.load()


def patch(points):
    """An Outfit of one face, two of whose vertices are base vertices and one the mean of three, 0.2 dm above them."""
    weights = np.array([[1, 0, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    offsets = np.array([[0, 0, 0], [0, 0, 0], [0, 0.2, 0.0]])
    rows = np.array([[points[0]] * 3, [points[1]] * 3, points], np.int32)
    scales = ((5399, 11998, 1.4), (791, 881, 2.4), (962, 5320, 2.0))
    faces = np.array([[0, 1, 2]], np.int32)
    return outfit.Outfit("patch", rows, weights, offsets, scales, faces, np.zeros((3, 2)), faces, rows[2])


@pytest.mark.parametrize("seed", range(3))
def test_bound_vertices_follow_the_body(model, seed):
    """Vertices that are bound to skin lie on it (or as far off as is asked) at rest and in a pose, on every body."""
    rng = np.random.default_rng(seed)
    shape, pose = body.sample_shape(rng), body.sample_pose(rng, "walking")
    base = outfit.base()
    own = np.flatnonzero(np.abs(base.template[base.used, 2] - 0.3) < 0.02)[:3]  # somewhere on the trunk
    fit = outfit.fitted(patch(base.used[own]), model, shape)
    person = body.posed(model, shape, pose)
    off = np.linalg.norm(fit.vertices[:2] - fit.rest.vertices[own[:2]], axis=1)
    assert (off <= outfit.PUSH + 1e-6).all()
    np.testing.assert_allclose(fit.skin_weights.sum(1), 1, atol=1e-5)
    mixed = np.zeros((3, len(model.joint_names)))
    np.add.at(mixed, (np.arange(3)[:, None], fit.skin_indices), fit.skin_weights)
    mine = np.zeros((len(fit.rest.vertices), len(model.joint_names)), np.float32)
    np.add.at(mine, (np.arange(len(mine))[:, None], model.skin_indices), model.skin_weights)
    np.testing.assert_allclose(mixed[:2], mine[own[:2]], atol=1e-5)
    np.testing.assert_allclose(mixed[2], mine[own].mean(0), atol=1e-5)
    carried = outfit.posed(fit, person.transforms)
    assert (np.linalg.norm(carried[:2] - person.vertices[own[:2]], axis=1) < 2 * outfit.PUSH).all()


def test_offsets_grow_with_the_body(model):
    """An offset of 1 unit along an axis is as far as that axis's two base vertices are apart, over their distance."""
    base, shape = outfit.base(), np.array([1, 0.67, 0.5, 0.5, 0.8, 0.5], np.float32)
    own = np.flatnonzero(np.abs(base.template[base.used, 2] - 0.3) < 0.02)[:3]
    plain = patch(base.used[own])
    # Metres up, and forward: far off the skin, so that nothing is pushed.
    for axis, direction in ((0, [1, 0, 0]), (1, [0, 0, 1]), (2, [0, -1, 0])):
        far, farther = (plain._replace(offsets=size * np.eye(3)[[axis] * 3]) for size in (10.0, 11.0))
        step = outfit.fitted(farther, model, shape).vertices - outfit.fitted(far, model, shape).vertices
        first, second, distance = plain.scales[axis]
        apart = np.abs(np.dot(outfit.shaped(shape)[first] - outfit.shaped(shape)[second], direction))
        np.testing.assert_allclose(step, np.tile(np.array(direction) * apart / distance, (3, 1)), atol=1e-5)


def test_every_base_vertex_hangs_on_bones_and_negative_weights_pull_nowhere(model):
    base = outfit.base()
    np.testing.assert_allclose(np.asarray(base.weights.sum(1)).ravel(), 1, atol=1e-5)
    own = base.used[[0, 4000, 9000]]  # far apart, on different bones
    # The last row has bones enough that none of the others' would be left out for their number.
    rows = np.array([[1.5, -0.2, -0.3], [1.1, -0.05, -0.05], [0.4, 0.3, 0.3]])
    outward = patch(own)._replace(weights=rows, base=np.array([own] * 3, np.int32))
    fit = outfit.fitted(outward, model, np.full(6, 0.67, np.float32))
    assert (fit.skin_weights >= 0).all()
    np.testing.assert_allclose(fit.skin_weights.sum(1), 1, atol=1e-5)
    mixed = np.zeros((3, len(model.joint_names)))
    np.add.at(mixed, (np.arange(3)[:, None], fit.skin_indices), fit.skin_weights)
    np.testing.assert_allclose(mixed[:2], np.tile(base.weights[own[0]].toarray(), (2, 1)), atol=1e-5)


def test_the_base_is_the_body(model):
    """Base vertices that the model keeps are its own, on any shape."""
    base = outfit.base()
    for seed in range(3):
        shape = body.sample_shape(np.random.default_rng(seed))
        expected = np.asarray(model.anny.prepare_identity(shape)["rest_vertices"])
        np.testing.assert_allclose(outfit.shaped(shape)[base.used], expected, atol=1e-5)


def sphere(radius, rings=12):
    """A closed mesh about the origin: vertices, faces."""
    import trimesh

    found = trimesh.creation.uv_sphere(radius=radius, count=[rings, 2 * rings])
    return np.array(found.vertices, np.float32), np.array(found.faces, np.int32)


def test_pushing_out_ends_off_the_skin_and_moves_no_more_than_asked():
    skin, faces = sphere(0.1, 40)
    for depth in (0.0, 0.003, 0.005):
        points, own = sphere(0.1 - depth)
        moved = outfit.pushed_out(points, own, skin, faces, gap=0.002, most=0.008)
        assert np.linalg.norm(moved - points, axis=1).max() <= 0.008 + 1e-6
        # 0.3 mm: the planes of a faceted sphere.
        assert np.linalg.norm(moved, axis=1).min() > 0.1 + 0.002 - 3e-4
    points, own = sphere(0.15)
    np.testing.assert_array_equal(outfit.pushed_out(points, own, skin, faces), points)


def test_the_middle_of_a_large_face_is_pushed_out_too():
    skin, faces = sphere(0.1, 40)
    angle = 2 * np.pi * np.arange(3) / 3
    # Corners 22 mm off the skin, the middle 2 mm inside.
    triangle = np.stack([0.073 * np.cos(angle), 0.073 * np.sin(angle), np.full(3, 0.098)], -1).astype(np.float32)
    moved = outfit.pushed_out(triangle, np.array([[0, 1, 2]]), skin, faces)
    assert np.linalg.norm(moved.mean(0)) > 0.1 and np.linalg.norm(moved - triangle, axis=1).max() <= outfit.PUSH + 1e-6


def test_the_uppermost_rim_and_small_pieces_are_carried():
    import trimesh

    angle, level = np.meshgrid(2 * np.pi * np.arange(12) / 12, np.arange(8) / 10)
    tube = np.stack([0.2 * np.cos(angle), 0.2 * np.sin(angle), level], -1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(7), np.arange(12), indexing="ij")
    a, b = row * 12 + column, row * 12 + (column + 1) % 12
    quads = np.stack([a, b, b + 12, a + 12], -1).reshape(-1, 4)
    button = trimesh.creation.box((0.01, 0.01, 0.01))
    ball, ball_faces = sphere(0.1, 12)
    vertices = np.concatenate([tube, button.vertices, ball + 3])
    faces = np.concatenate(
        [quads[:, :3], quads[:, [0, 2, 3]], button.faces[:-1] + len(tube), ball_faces + len(tube) + 8]
    )
    fit = outfit.Fitted(vertices, faces, None, None, None, None, None)
    held = np.flatnonzero(outfit._carried(fit))
    assert held.tolist() == [*range(84, 96), *range(96, len(vertices))]


def test_paper_of_single_triangles_has_the_lengths_of_the_surface():
    vertices, faces = sphere(0.2, 8)
    edges, lengths = sewn.edges(outfit.sewn_mesh(vertices, faces))
    np.testing.assert_allclose(
        lengths, np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1), atol=1e-6
    )
    assert len(edges) == 3 * len(faces) // 2


# ---- outfits that others made


@pytest.mark.skipif(not REAL, reason="shared/real/free/meshes is not here: it holds MakeHuman's CC0 outfits")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_outfits_fit_and_settle(model, path):
    from tryon_jax.simulation.fabric import FABRICS

    found = outfit.read(path)
    assert found.uv.min() >= -1e-3 and found.uv.max() <= 1 + 1e-3
    assert len(np.unique(found.faces)) == len(found.base)
    shape = np.array([0, 0.67, 0.5, 0.5, 0.5, 0.5], np.float32)
    if path.stem.startswith("female"):
        shape[0] = 1
    fit = outfit.fitted(found, model, shape)
    assert np.isfinite(fit.vertices).all() and 0.05 < fit.covers.mean() < 0.5
    assert (gates.heights(fit.vertices, gates.surface(fit.rest.vertices, fit.rest.faces)) < -gates.DEEP).mean() < 0.01
    moving = drape.motion(model, shape, body.sample_pose(np.random.default_rng(0), "standing", 0.3))
    settled, edges, lengths = outfit.settled(fit, moving, drape.colliders(moving), FABRICS["cotton"])
    assert np.isfinite(settled).all()
    stretch = np.linalg.norm(settled[edges[:, 0]] - settled[edges[:, 1]], axis=1) / lengths - 1
    assert np.percentile(stretch, 95) < gates.STRAIN
    assert (
        gates.heights(settled, gates.surface(moving.vertices[-1], fit.rest.faces)) < -gates.DEEP
    ).mean() < gates.INSIDE
