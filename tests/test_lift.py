"""Sheets to mesh: closed for any mask and depth, true to the sheets, and seen right from in front and behind."""

import jax
import numpy as np
import pytest
from scipy import ndimage

from tryon_jax.errors import UserError
from tryon_jax.geometry import mesh as topology
from tryon_jax.geometry.camera import project
from tryon_jax.render import rasterize as raster
from tryon_jax.render import shade, surface, view
from tryon_jax.render.depth_filter import bilateral
from tryon_jax.render.height_field import clean_mask, rim_edges, sheet_faces, unpinched
from tryon_jax.render.lift import lift

CAMERA = np.array([0.02, 0.1, 0.9], np.float32)


def sheets_of(mask, front, back, seed=0):
    rng = np.random.default_rng(seed)
    sheets = {"mask": mask[..., None].astype(np.float32)}
    for side, depth in (("front", front), ("back", back)):
        sheets[f"{side}_depth"] = np.where(mask, depth, 0)[..., None].astype(np.float32)
        colour = ndimage.gaussian_filter(rng.random((*mask.shape, 3)), (2, 2, 0))
        sheets[f"{side}_rgb"] = np.where(mask[..., None], np.clip(0.5 + 4 * (colour - 0.5), 0, 1), 0).astype(np.float32)
    return sheets


def ball(size=40, radius=16.3):
    """Sheets of a sphere of `radius` pixels, a little off the picture's middle."""
    rows, columns = np.indices((size, size + 4)) + 0.5
    square = (columns - 21.2) ** 2 + (rows - 19.4) ** 2
    depth = np.sqrt(np.maximum(radius**2 - square, 0)) * CAMERA[0]
    return sheets_of(square < radius**2, depth + 0.05, -depth + 0.05)


def check_closed(mesh):
    assert topology.is_watertight(mesh.faces)
    assert topology.is_consistently_wound(mesh.faces)
    assert len(topology.pinch_vertices(mesh.faces)) == 0
    assert len(np.unique(mesh.faces)) == len(mesh.vertices) == len(np.unique(mesh.vertices, axis=0))
    assert len(np.unique(mesh.uv_faces)) == len(mesh.uv)
    assert mesh.uv.min() > 0 and mesh.uv.max() < 1
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0  # six times the volume: the outside is out


@pytest.mark.parametrize("seed", range(40))
def test_closed_for_any_mask_and_depth(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(8, 33, 2))
    blur = (0.0, 0.7, 1.5, 2.5)[seed % 4]
    field = ndimage.gaussian_filter(rng.normal(size=shape), blur)
    mask = field > np.quantile(field, rng.uniform(0.2, 0.5))
    sheets = sheets_of(mask, rng.normal(size=shape), rng.normal(size=shape), seed)  # sheets may even cross
    check_closed(lift(sheets, CAMERA, keep=(0.0, 0.05)[seed % 2]))


def test_a_mask_up_to_the_border_is_closed():
    check_closed(lift(sheets_of(np.ones((5, 7), bool), 0.1, -0.1), CAMERA))
    check_closed(lift(sheets_of(np.ones((2, 2), bool), 0.1, -0.1), CAMERA))


def test_drawn_again_it_gives_the_sheets_back():
    sheets = ball()
    mesh = lift(sheets, CAMERA)
    check_closed(mesh)
    size = sheets["mask"].shape[:2]
    vertices = project(CAMERA, mesh.vertices, size)
    fragments = raster.rasterize(vertices, mesh.faces, size, raster.candidates(vertices, mesh.faces, size))
    mask = sheets["mask"][..., 0] > 0
    for side, ids in (("front", fragments.front_ids), ("back", fragments.back_ids)):
        depth, barycentrics = surface.resolve(vertices, mesh.faces, ids)
        assert np.mean((np.asarray(ids) >= 0) == mask) > 0.99
        inner = ndimage.binary_erosion(mask)
        np.testing.assert_allclose(np.asarray(depth)[inner], sheets[f"{side}_depth"][inner, 0], atol=1e-4)
        uv = np.asarray(surface.interpolate(mesh.uv, mesh.uv_faces, ids, barycentrics))[inner]
        height, width = mesh.texture.shape[:2]
        column, row = np.floor(uv * [width, height]).astype(int).T
        colour = mesh.texture[row, column] / 255
        np.testing.assert_allclose(colour, sheets[f"{side}_rgb"][inner], atol=1 / 255)


def test_specks_go_and_large_parts_stay():
    mask = np.zeros((30, 30), bool)
    mask[2:20, 2:12] = mask[2:20, 18:26] = True
    mask[25:27, 25:28] = True  # a speck
    mask[22, 2:20] = True  # a line has no area
    cleaned = clean_mask(mask)
    expected = mask.copy()
    expected[22:] = False
    np.testing.assert_array_equal(cleaned, expected)


def test_pinched_parts_come_apart():
    mask = np.zeros((12, 12), bool)
    mask[1:6, 1:6] = mask[6, 5] = mask[7:11, 5:11] = True  # two fans of triangles meet in the one pixel of row 6
    assert not clean_mask(mask)[6].any()
    check_closed(lift(sheets_of(mask, 0.1, -0.1), CAMERA))


def test_pixels_are_cleaned_as_their_triangles_and_rims_say():
    rng = np.random.default_rng(0)
    for share in (0.4, 0.6, 0.8):
        mask = rng.random((40, 40)) < share
        cleaned = mask
        while True:  # what unpinched's table was made of, on the whole mask
            faces = sheet_faces(cleaned, np.zeros(mask.shape))
            rims = np.bincount(rim_edges(faces, mask.shape)[:, 0], minlength=mask.size).reshape(mask.shape)
            kept = cleaned & (rims <= 1) & np.isin(np.arange(mask.size), faces).reshape(mask.shape)
            if (kept == cleaned).all():
                break
            cleaned = kept
        np.testing.assert_array_equal(unpinched(mask), cleaned)


def test_cells_are_split_along_the_smaller_jump():
    mask, depth = np.ones((2, 2), bool), np.zeros((2, 2))
    depth[0, 1] = 1.0  # the upper right corner stands out: the diagonal must join the other two
    assert not any({1, 2} <= set(face) for face in sheet_faces(mask, depth).tolist())
    depth = depth[:, ::-1]
    assert not any({0, 3} <= set(face) for face in sheet_faces(mask, depth).tolist())


def test_thickness_is_held():
    mask = np.ones((6, 6), bool)
    mesh = lift(sheets_of(mask, -0.2, 0.1), CAMERA, thickness=0.03)
    heights = np.unique(np.round(mesh.vertices[:, 2], 4))
    np.testing.assert_allclose(heights, [-0.065, -0.05, -0.035], atol=1e-4)


def test_pictures_of_higher_resolution_become_the_texture():
    sheets = ball()
    height, width = sheets["mask"].shape[:2]
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (3 * height, 3 * width, 3), np.uint8) for _ in range(2)]
    mesh = lift(sheets, CAMERA, pictures=pictures)
    inside = (sheets["mask"][..., 0] > 0).repeat(3, 0).repeat(3, 1)
    rows, columns = (np.flatnonzero(inside.any(1 - axis)) for axis in range(2))
    # The texture is of the person and a pixel of the mask around.
    box = tuple(slice(span[0] - 3, span[-1] + 4) for span in (rows, columns))
    inside, cut = inside[box], [picture[box] for picture in pictures]
    height, width = inside.shape
    assert mesh.texture.shape == (height, 2 * width, 3)
    np.testing.assert_array_equal(mesh.texture[:, :width][inside], cut[0][inside])
    np.testing.assert_array_equal(mesh.texture[:, : width - 1 : -1][inside], cut[1][inside])
    # Off the mask there is only colour of the person: nothing dark can bleed in at the rim.
    trusted = np.zeros(pictures[0].shape[:2], bool)
    trusted[50:60, 50:60] = True
    front = np.where(trusted[..., None], np.uint8(97), pictures[0] // 4)
    filled = lift(sheets, CAMERA, pictures=(front, pictures[1]), picture_mask=trusted)
    assert (filled.texture[:, :width] == 97).all()
    with pytest.raises(ValueError, match="multiple"):
        lift(sheets, CAMERA, pictures=(pictures[0][:-1], pictures[1][:-1]))
    with pytest.raises(ValueError, match="int64"):
        lift(sheets, CAMERA, pictures=(pictures[0].astype(int), pictures[1]))


def test_front_and_back_views_show_front_and_mirrored_back():
    sheets = ball()
    for side, colour in (("front", [1.0, 0.0, 0.0]), ("back", [0.0, 0.0, 1.0])):
        sheets[f"{side}_rgb"][:] = colour
    sheets["back_rgb"][:, :21] = [0.0, 1.0, 0.0]  # the left of the front's grid is the right of the back view
    pictures = view.views(lift(sheets, CAMERA), 32)
    assert pictures.shape == (2, 32, 32, 3) and pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures[0, 16, 16], [255, 0, 0])
    np.testing.assert_array_equal(pictures[1, 16, 10], [0, 0, 255])
    np.testing.assert_array_equal(pictures[1, 16, 22], [0, 255, 0])
    np.testing.assert_allclose(pictures[:, 0, 0], np.round(np.array([view.BACKGROUND] * 2) * 255), atol=1)
    turn = view.turntable(lift(sheets, CAMERA), 32, 4)
    np.testing.assert_array_equal(turn[[0, 2]], pictures)
    assert turn[1, 16, 24, 0] > 200  # after a quarter turn the front is at the right
    lit = view.views(lift(sheets, CAMERA), 32, light=shade.constant_light([0.5, 0.5, 0.5]))
    np.testing.assert_allclose(lit[0, 16, 16], [128, 0, 0], atol=1)


def test_a_view_is_compiled_once_and_holds_every_turn():
    held = view.prepare(lift(ball(), CAMERA), 24)
    first, _ = view.draw(held, 0.0)
    compiled = view._draw._cache_size()
    for yaw in np.linspace(0, 2 * np.pi, 41):
        picture, overflow = view.draw(held, yaw)
        assert isinstance(picture, jax.Array) and not overflow
    assert view._draw._cache_size() == compiled
    np.testing.assert_array_equal(picture, first)
    plain = view.prepare(lift(ball(), CAMERA), 24, path="jax")
    other, _ = view.draw(plain, 0.7)
    np.testing.assert_allclose(other.astype(int), view.draw(held, 0.7)[0].astype(int), atol=1)


def test_meshes_of_about_one_size_share_a_compilation_and_their_filling_is_not_seen():
    notched = ball()
    notched["mask"][8:12, 8:12] = 0  # off the sphere's rim, within the box that the texture shows
    large, small = (lift(sheets, CAMERA) for sheets in (ball(), notched))
    assert len(large.faces) > len(small.faces) and len(large.vertices) > len(small.vertices)
    held = view.prepare(large, 24)
    drawn, _ = view.draw(held, 0.3)
    compiled = view._draw._cache_size()
    view.draw(view.prepare(small, 24), 0.3)
    assert view._draw._cache_size() == compiled
    count, corners = len(large.vertices), len(large.uv)
    bare = held.mesh._replace(
        vertices=held.mesh.vertices[:count],
        faces=held.mesh.faces[: len(large.faces)],
        uv=held.mesh.uv[:corners],
        uv_faces=held.mesh.uv_faces[: len(large.faces)],
    )
    plain, _ = view.draw(held._replace(mesh=bare, normals=held.normals[:count]), 0.3)
    np.testing.assert_array_equal(drawn, plain)


def test_bilateral_filter_removes_noise_and_keeps_steps():
    rng = np.random.default_rng(0)
    truth = np.where(np.arange(40) < 20, 0.0, 0.2) * np.ones((40, 1))
    mask = np.ones_like(truth, bool)
    mask[:5] = False
    noisy = np.where(mask, truth + rng.normal(0, 0.005, truth.shape), 77.0)
    smooth = bilateral(noisy, mask)
    assert np.std((smooth - truth)[mask]) < 0.45 * np.std((noisy - truth)[mask])
    assert np.abs((smooth - truth)[mask]).max() < 0.03
    np.testing.assert_array_equal(smooth[~mask], 77.0)
    sheets = ball()
    check_closed(lift(sheets, CAMERA, smooth={}))


def test_what_cannot_be_lifted_says_so():
    sheets = ball()
    with pytest.raises(UserError, match="mask"):
        lift({**sheets, "mask": sheets["mask"] * 0}, CAMERA)
    broken = sheets["front_depth"].copy()
    broken[20, 20] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        lift({**sheets, "front_depth": broken}, CAMERA)


def test_glb_holds_the_closed_mesh_on_the_floor(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    mesh = lift(ball(), CAMERA)
    topology.export_glb(mesh, tmp_path / "ball.glb")
    loaded = trimesh.load_mesh(tmp_path / "ball.glb")
    texture = np.asarray(loaded.visual.material.baseColorTexture.convert("RGB"))
    np.testing.assert_array_equal(texture, mesh.texture)
    np.testing.assert_allclose(
        loaded.vertex_normals[0],
        trimesh.Trimesh(loaded.vertices, loaded.faces, process=False).vertex_normals[0],
        atol=0.5,
    )
    assert abs(loaded.vertices[:, 1].min()) < 1e-6
    np.testing.assert_allclose(loaded.extents, np.ptp(mesh.vertices, axis=0), atol=1e-5)
    bare = trimesh.Trimesh(loaded.vertices, loaded.faces, process=False)
    assert not bare.is_watertight  # split at the seams of the texture
    bare.merge_vertices()
    assert bare.is_watertight and bare.is_winding_consistent and bare.volume > 0
    # The front half of the atlas is on the side that faces +z.
    front = loaded.visual.uv[:, 0] < 0.5
    assert loaded.vertices[front, 2].mean() > 0 > loaded.vertices[~front, 2].mean()


def test_lifting_is_repeatable():
    first, second = lift(ball(), CAMERA), lift(ball(), CAMERA)
    jax.tree.map(np.testing.assert_array_equal, first, second)
