"""CLOTH3D: meshes come back within half a step of their floats and are placed and drawn where they belong."""

import shutil
import struct

import lookalikes
import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.spatial import ConvexHull, cKDTree

from tryon_jax import data
from tryon_jax.data import cloth3d
from tryon_jax.data.cloth3d import body, drawn, sample
from tryon_jax.data.formats import pointcache, wavefront
from tryon_jax.data.lookalike import cloth3d as writer
from tryon_jax.errors import UserError
from tryon_jax.geometry import camera
from tryon_jax.geometry.parts import KEYPOINT, PART


@pytest.fixture(scope="module")
def root():
    return lookalikes.folder("cloth3d")


@pytest.fixture(scope="module")
def places(root):
    """Folders of the training samples: a top with a skirt, and a dress."""
    return [place for place in sorted(root.iterdir()) if not cloth3d.is_held_out(place.name)]


@pytest.fixture(scope="module")
def example(root, places):
    """The first sample's top, at 32 pixels."""
    return cloth3d.read(root, 32, (places[0], 0, "Top"))


# ---- files


def test_point_caches_keep_half_a_step(tmp_path, rng):
    vertices = rng.uniform(-1, 1, (3, 50, 3))
    pointcache.write(tmp_path / "a.pc16", vertices)
    cache = pointcache.opened(tmp_path / "a.pc16")
    assert (cache.points, cache.frames) == (50, 3)
    for number in range(3):
        step = np.spacing(np.abs(vertices[number]).astype(np.float16)).astype(float)
        assert (np.abs(pointcache.frame(cache, number) - vertices[number]) <= step / 2 + 1e-7).all()
    # As the set's own toolkit lays it out, byte for byte.
    header = struct.pack("<12siiffi", b"POINTCACHE2\0", 1, 50, 0, 1, 3)
    assert (tmp_path / "a.pc16").read_bytes() == header + vertices.astype(np.float16).tobytes()


@pytest.mark.parametrize("number", [3, 4, -1])
def test_frames_that_are_not_there_are_refused(number, tmp_path):
    pointcache.write(tmp_path / "a.pc16", np.zeros((3, 5, 3)))
    with pytest.raises(UserError, match=f"no frame {number}; it has frames 0 to 2"):
        pointcache.frame(pointcache.opened(tmp_path / "a.pc16"), number)


@pytest.mark.parametrize("what", ["short", "long", "signature", "version", "header", "missing"])
def test_a_damaged_point_cache_is_refused(what, tmp_path):
    path = tmp_path / "a.pc16"
    pointcache.write(path, np.zeros((3, 5, 3)))
    whole = path.read_bytes()
    path.write_bytes({
        "short": whole[:-2], "long": whole + b"\0", "signature": b"P" + whole[:-1], "header": whole[:20],
        "version": whole[:12] + struct.pack("<i", 2) + whole[16:], "missing": b"",
    }[what])  # fmt: skip
    if what == "missing":
        path.unlink()
    with pytest.raises(UserError, match="a.pc16"):
        pointcache.opened(path)


def test_a_point_cache_with_nan_is_refused(tmp_path):
    pointcache.write(tmp_path / "a.pc16", np.full((1, 5, 3), np.nan))
    with pytest.raises(UserError, match="NaN"):
        pointcache.frame(pointcache.opened(tmp_path / "a.pc16"), 0)


def test_polygons_become_triangles_and_vertices_keep_their_order(tmp_path):
    text = "# quads\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 2 2 2\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    (tmp_path / "a.obj").write_text(text + "f 1/1 2/2 3/3 4/4\nf 2/4 5/3 3/2\nl 1 2\n")
    found = wavefront.read(tmp_path / "a.obj")
    assert found.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 2, 2]]
    assert found.faces.tolist() == [[0, 1, 2], [0, 2, 3], [1, 4, 2]]
    assert found.uv_faces.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 1]] and found.uv[2].tolist() == [1, 1]
    (tmp_path / "b.obj").write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\n")
    assert wavefront.read(tmp_path / "b.obj").uv is None


@pytest.mark.parametrize(
    "text", ["", "v 0 0 0\nf 1 2 3\n", "v 0 0\nf 1 1 1\n", "v 0 0 nan\nv 0 0 0\nf 1 2 1\n", "v a b c"]
)
def test_a_damaged_obj_is_refused(text, tmp_path):
    (tmp_path / "a.obj").write_text(text)
    with pytest.raises(UserError, match="a.obj"):
        wavefront.read(tmp_path / "a.obj")


# ---- samples


def test_a_sample_holds_what_was_written(places):
    one = sample.loaded(places[0])
    assert set(one.garments) == {"Top", "Skirt"} and one.gender == "f"
    assert one.poses.shape == (2, 72) and one.trans.shape == (2, 3)
    for kind, garment in one.garments.items():
        assert garment.cache.frames == 2 and len(garment.rest.faces) == 2 * writer.AROUND * writer.RINGS
        rest = sample.at_rest(one, kind)
        np.testing.assert_allclose(rest, writer.tube(kind, 0.0), atol=2e-6)
    assert one.garments["Top"].picture == places[0] / "Top.png" and one.garments["Top"].colour is None
    assert one.garments["Skirt"].picture is None and (one.garments["Skirt"].colour > 0.1).all()


def test_world_placement_by_hand(places):
    one = sample.loaded(places[0])._replace(zrot=np.pi / 2, trans=np.array([[1.0, 2.0, 3.0]] * 2))
    stored = pointcache.frame(one.garments["Top"].cache, 1)
    moved = stored + [1, 2, 3]
    wanted = np.stack([-moved[:, 1], moved[:, 0], moved[:, 2]], -1)  # a quarter turn: x to y, y to -x
    np.testing.assert_allclose(sample.world(one, 1, "Top"), wanted, atol=1e-6)
    np.testing.assert_allclose(sample.root(one, 1), [-2, 1, 3], atol=1e-12)


def test_the_pelvis_is_turned_to_the_camera(places):
    """Whatever the sample's turns, the garment ends as the writer made it: facing -y."""
    for place in places:
        one = sample.loaded(place)
        points = sample.world(one, 0, next(iter(one.garments))) - sample.root(one, 0)
        seen = np.asarray(camera.camera_from_world(points.astype(np.float32), sample.heading(one, 0)))
        written = writer.tube(next(iter(one.garments)), 0.06)
        np.testing.assert_allclose(seen, written[:, [0, 2, 1]] * [1, 1, -1], atol=1.5e-3)


@pytest.mark.parametrize(
    "what", ["no info", "cut info", "frames", "NaN", "gender", "texture", "vertices", "picture", "kind"]
)
def test_a_damaged_sample_is_refused(what, places, tmp_path):
    place = shutil.copytree(places[0], tmp_path / places[0].name)
    path = place / "info.mat"
    info = {key: value for key, value in sample._info(path).items() if not key.startswith("__")}
    changed = {
        "frames": {"poses": np.zeros((72, 5))}, "NaN": {"zrot": np.nan}, "gender": {"gender": 7},
        "texture": {"outfit": {kind: {"fabric": "silk"} for kind in ("Top", "Skirt")}},
        "kind": {"outfit": {"Top": info["outfit"]["Top"]}},
    }  # fmt: skip
    if what in changed:
        savemat(path, info | changed[what])
    elif what == "vertices":
        (place / "Top.obj").write_text((place / "Top.obj").read_text() + "v 0 0 0\n")
    elif what == "picture":
        (place / "Top.png").unlink()
    elif what == "no info":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match=place.name) as raised:
        sample.loaded(place)
    assert "\n" not in str(raised.value)


def test_one_frame_has_one_dimension_less(places, tmp_path):
    """MATLAB's files drop the axis of a single frame."""
    place = shutil.copytree(places[0], tmp_path / "00000")
    info = {key: value for key, value in sample._info(place / "info.mat").items() if not key.startswith("__")}
    savemat(place / "info.mat", info | {"poses": info["poses"][:, 0], "trans": info["trans"][:, 0]})
    assert loadmat(place / "info.mat", squeeze_me=True)["poses"].shape == (72,)
    for kind in ("Top", "Skirt"):
        pointcache.write(place / f"{kind}.pc16", np.zeros((1, pointcache.opened(place / f"{kind}.pc16").points, 3)))
    assert sample.loaded(place).poses.shape == (1, 72)


# ---- examples


def test_splits(root, tmp_path):
    sources = {split: cloth3d.open_split("smoke", split, root) for split in cloth3d.SPLITS}
    # Of two frames one is far enough from the last; a top and a skirt are two garments to wear.
    assert {split: len(source) for split, source in sources.items()} == {"train": 3, "test": 3}
    with pytest.raises(UserError) as raised:
        cloth3d.open_split("smoke", "train", tmp_path)
    assert all(part in str(raised.value) for part in (cloth3d.TERMS.where, "registration", "info.mat"))
    for split, place in zip(("train", "test"), sorted(root.iterdir()), strict=False):
        (tmp_path / split).mkdir()
        (tmp_path / split / place.name).symlink_to(place)
    assert [place.parent.name for place in cloth3d._places(tmp_path, "test")] == ["test"]


def test_an_example_keeps_the_contract(example):
    data.check({key: value for key, value in example.items() if key != "caption"}, 32)
    assert {name for name, flag in example["has"].items() if not flag} == {"strain", "keypoints"}
    assert example["same_garment"] == 1 and example["garment_class"] == 0
    assert example["caption"].endswith(" top") and example["caption"].split()[1] in writer.FABRICS
    mask = example["mask"][..., 0] > 0
    assert set(np.unique(example["front_segmentation"][mask])) == {PART["upper"], PART["lower"]}


def test_depth_is_that_of_the_mesh(example, places):
    one = sample.loaded(places[0])
    yaw, root = sample.heading(one, 0), sample.root(one, 0) * [1, 1, 0]
    vertices = np.concatenate([sample.world(one, 0, kind) for kind in one.garments]) - root
    tree = cKDTree(np.asarray(camera.camera_from_world(vertices.astype(np.float32), yaw)))
    rows, columns = np.nonzero(example["mask"][..., 0])
    for side in ("front", "back"):
        depth = example[f"{side}_depth"][rows, columns, 0]
        pixels = np.stack([columns + 0.5, rows + 0.5, depth], -1).astype(np.float32)
        # Vertices lie up to 3 cm apart.
        assert tree.query(np.asarray(camera.unproject(example["camera"], pixels, (32, 32))))[0].max() < 0.025
    assert (example["front_depth"] > example["back_depth"] + 0.05)[example["mask"] > 0].mean() > 0.8


def test_garment_coordinates_lead_to_where_a_vertex_is_pictured(places):
    """A vertex at rest is seen in the shop picture where its coordinate says."""
    one, dressing = sample.loaded(places[0]), drawn._dressing(places[0], "Top")
    rest = drawn.drawing.camera_frame(sample.at_rest(one, "Top"))
    seen = np.asarray(camera.project(dressing.camera / np.array([32, 1, 1], np.float32), rest, (32, 32)))
    mesh = drawn._mesh(one, "Top", rest, 0, True)
    np.testing.assert_allclose(mesh.garment_xy, (seen[dressing.of, :2] / 16) - 1, atol=1e-5)
    assert np.abs(mesh.garment_xy).max() < 1
    assert drawn._is_outward(mesh.vertices, mesh.faces) and not drawn._is_outward(mesh.vertices, mesh.faces[:, ::-1])


def test_the_shop_picture_shows_the_garment_alone(example):
    inside = example["garment_mask"][..., 0] > 0.99
    assert 0.3 < inside.mean() < 0.8
    worn = example["front_rgb"][example["front_segmentation"] == PART["upper"]]
    # Stripes of two colours, on the person as in the shop, but for light.
    assert np.linalg.norm(np.median(worn, 0) - np.median(example["garment"][inside], 0)) < 0.35


def test_repeating_pictures_and_seams_are_unrolled():
    uv = np.array([[0.2, 0.3], [1.2, 0.3], [1.4, 0.9], [-0.5, 0.5]], np.float32)
    faces, uv_faces = np.array([[0, 1, 2], [1, 2, 0]]), np.array([[1, 2, 1], [0, 0, 3]])
    of, found, corners = drawn._split(uv, faces, uv_faces)
    np.testing.assert_array_equal(of[corners], faces)
    np.testing.assert_allclose(found[corners][0], [[0.2, 0.7], [0.4, 0.1], [0.2, 0.7]], atol=1e-6)
    assert (found >= 0).all() and (found <= 1).all()


# ---- a body, where the user supplies SMPL


@pytest.fixture(scope="module")
def smpl(tmp_path_factory):
    """A file with SMPL's keys and sizes, but of an egg: joints up a pole, each moving what is nearest."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6890, 3))
    points = points / np.linalg.norm(points, axis=-1, keepdims=True) * [0.25, 0.85, 0.15] + [0.01, -0.2, 0.02]
    joints = np.stack([np.zeros(24), np.linspace(-0.9, 0.6, 24), np.zeros(24)], -1)
    nearest = cKDTree(points).query(joints)[1]
    regressor = np.zeros((24, 6890))
    regressor[np.arange(24), nearest] = 1
    faces = ConvexHull(points).simplices
    weights = np.eye(24)[cKDTree(joints).query(points)[1]]
    folder = tmp_path_factory.mktemp("smpl")
    np.savez(
        folder / "model_f.npz",
        v_template=points, f=faces, weights=weights, J_regressor=regressor,
        shapedirs=np.zeros((6890, 3, 10)), posedirs=np.zeros((6890, 3, 207), np.float32),
        kintree_table=np.array([[2**32 - 1, *np.arange(23)], np.arange(24)]),
    )  # fmt: skip
    return folder


def test_the_body_stands_where_its_clothes_do(smpl, places):
    one = sample.loaded(places[0])
    path = body.supplied(smpl, "f")
    assert path and body.supplied(smpl, "m") is None
    found, still = body.posed(path, one, 1), body.posed(path, one._replace(poses=np.zeros((2, 72)), zrot=0.0), 1)
    with np.load(path) as model:
        root = model["J_regressor"] @ model["v_template"]
        np.testing.assert_allclose(still.vertices, model["v_template"] - root[0] + one.trans[1], atol=1e-5)
    # The root joint, which SMPL has off its origin, comes to lie where the sample's is.
    distances = np.linalg.norm(found.vertices - sample.root(one, 1), axis=-1)
    np.testing.assert_allclose(distances, np.linalg.norm(still.vertices - one.trans[1], axis=-1), atol=1e-4)
    assert set(found.labels) <= {PART[name] for name in body.PARTS} and found.keypoints.shape == (17, 3)
    np.testing.assert_array_equal(found.keypoints[KEYPOINT["nose"]], found.vertices[332])


def test_a_body_is_drawn_beneath_its_clothes(smpl, places):
    made = drawn.example(sample.loaded(places[0]), 0, "Top", 32, smpl)
    data.check({key: value for key, value in made.items() if key != "caption"}, 32)
    assert made["has"]["keypoints"] == 1 and made["keypoints"][:, 2].any()
    rows = np.flatnonzero(made["mask"].any((1, 2)))
    assert abs((np.ptp(rows) + 1) / 32 - 0.9) < 0.07
    assert len(np.unique(made["front_segmentation"])) > 4


def test_what_is_not_smpl_is_refused(tmp_path, places):
    np.savez(tmp_path / "model_f.npz", v_template=np.zeros((3, 3)))
    with pytest.raises(UserError, match="model_f.npz: cannot be read as SMPL"):
        body.posed(body.supplied(tmp_path, "f"), sample.loaded(places[0]), 0)
