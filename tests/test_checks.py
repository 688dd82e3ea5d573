"""The programs that check the made data: what is wrong is found, what is right is not."""

import numpy as np
import pytest
import trimesh

from experiments import (
    check_drapes,
    check_exactness,
    check_unpaired,
    contact_sheet,
    drawings,
    inside,
    limits,
    raycast,
)
from tryon_jax.garments import pattern, sewn
from tryon_jax.simulation import drawing


@pytest.fixture(scope="module")
def ball():
    """Vertices and faces of a closed ball of radius 0.1 m."""
    mesh = trimesh.creation.icosphere(3, 0.1)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def test_depth_inside_is_that_to_the_nearest_triangle(ball, rng):
    points = rng.uniform(-0.15, 0.15, (60, 3))
    corners = ball[0][ball[1]]
    found = inside.depths(points, *ball)
    for point, depth in zip(points, found, strict=True):
        nearest = trimesh.triangles.closest_point(corners, np.tile(point, (len(corners), 1)))
        apart = np.linalg.norm(nearest - point, axis=1).min()
        within = (np.einsum("fk,fk->f", corners[:, 0] - point, np.cross(
            corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])) > 0).all()  # fmt: skip
        assert depth == pytest.approx(apart if within else 0.0, abs=1e-9)


def test_winding_counts_overlapping_parts(ball):
    both = np.concatenate([ball[0], ball[0] + [0.1, 0, 0]]), np.concatenate([ball[1], ball[1] + len(ball[0])])
    points = np.array([[0.05, 0, 0], [-0.05, 0, 0], [0, 0.2, 0]])
    np.testing.assert_allclose(inside.winding(points, *both), [2, 1, 0], atol=1e-6)
    # Beneath both surfaces it is the nearer one that counts.
    assert inside.depths(np.array([[0.003, 0, 0]]), *both) == pytest.approx(0.003, abs=1e-3)


def test_vertices_pushed_inside_are_counted(ball):
    cloth = ball[0] * 1.02
    assert check_drapes.share_inside(cloth, *ball) == 0
    cloth[:5] *= 0.093 / 0.102
    cloth[5:10] *= 0.0995 / 0.102  # not as deep as what counts
    assert check_drapes.share_inside(cloth, *ball) == 5 / len(cloth)


def square(name):
    """A panel 0.3 m wide and high."""
    a, b, c, d = (0, 0), (0.3, 0), (0.3, 0.3), (0, 0.3)
    sides = {"hem": (a, b), "right": (b, c), "top": (c, d), "left": (d, a)}
    return pattern.panel(name, [(side, pattern.line(*ends)) for side, ends in sides.items()], ())


def pair(turned=True):
    """A Pattern of two squares side by side, its mesh, and vertices [V, 3] as they lie on the paper."""
    made = pattern.Pattern((square("one"), square("two")), (pattern.Seam(("one", "right"), ("two", "left"), turned),))
    mesh = sewn.refine(sewn.sew(made, 0.06), made)
    flat = np.zeros((mesh.count, 3))
    flat[mesh.weld, :2] = mesh.paper + np.array([0.3, 0]) * mesh.panel[:, None]
    return made, mesh, flat


def test_an_open_seam_is_found():
    made, mesh, flat = pair()
    assert check_drapes.openings(flat, mesh, made).max() < 1e-9
    loose = mesh._replace(weld=np.arange(len(mesh.paper)), count=len(mesh.paper))
    apart = flat[mesh.weld]
    assert check_drapes.openings(apart, loose, made).max() < 1e-9
    torn = np.flatnonzero((mesh.panel == 1) & (mesh.edge == 3))[2]
    apart[torn, 2] += 0.003
    assert check_drapes.openings(apart, loose, made) == pytest.approx([0.003])


def test_a_seam_sewn_to_the_wrong_place_is_found():
    made, mesh, flat = pair()
    other_way = made._replace(seams=(made.seams[0]._replace(turned=False),))
    assert check_drapes.openings(flat, mesh, other_way).max() > 0.25


def test_stretch_is_against_the_paper():
    _, mesh, flat = pair()
    np.testing.assert_allclose(check_drapes.stretch(flat, mesh), 0, atol=1e-9)
    np.testing.assert_allclose(check_drapes.stretch(1.1 * flat, mesh), 0.1, atol=1e-9)


def test_limits_are_judged(capsys):
    rows = [limits.Row("depth", 0.4, "<", 0.5, "{:.1f} mm"), limits.Row("seams", 0, "=", 0)]
    assert limits.judge(rows) == 0 and "all limits are met" in capsys.readouterr().out
    assert limits.judge([*rows, limits.Row("share", float("nan"), "<", 1.0)]) == 1
    said = capsys.readouterr().out
    assert "0.4 mm" in said and "MISSED" in said and "1 of 3 limits missed" in said


def sheet_mesh(depth, label):
    """A drawing.Mesh of a square 1 m wide at a depth, of one label, its garment coordinates and texture over it."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], np.float32)
    across = np.concatenate([corners, np.full((4, 1), depth, np.float32)], 1)
    nothing, unit = np.zeros((4, 3), np.float32), np.tile(np.float32([0, 0, 1]), (4, 1))
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    xy = corners * np.float32([2, -2])
    return drawing.Mesh(across, faces, unit, nothing, xy / 2 + 0.5, xy, np.full(2, label, np.int32), nothing[:, :1])


def test_rays_meet_what_is_nearest_from_either_side():
    mesh = drawing.join([sheet_mesh(0.1, 8), sheet_mesh(-0.1, 9)])
    caster = raycast.Caster(mesh.vertices, mesh.faces)
    places = raycast.pixel_places(np.array([0.25, 0, 0]), 8)
    for behind, depth, label in ((False, 0.1, 8), (True, -0.1, 9)):
        hits = caster.hits(places, behind)
        on = hits.face >= 0
        assert on.sum() == 16 and (on == (np.abs(places) < 0.5).all(1)).all()
        np.testing.assert_allclose(hits.depth[on], depth, atol=1e-7)
        assert (mesh.labels[hits.face[on]] == label).all()


def test_wrong_depth_and_wrong_labels_are_found():
    mesh = drawing.join([sheet_mesh(0.1, 8)])
    caster, camera = raycast.Caster(mesh.vertices, mesh.faces), np.array([0.25, 0, 0])
    places = raycast.pixel_places(camera, 8)
    on = (np.abs(places) < 0.5).all(1)
    example = {"front_segmentation": 8 * on, "front_depth": 0.1 * on + 2e-5}
    shown, ties, wrong, worst = check_exactness.sheet_errors(caster, mesh, places, 0.25, example, "front")
    assert (shown, ties, wrong) == (16, 0, 0) and worst == pytest.approx(2e-5, rel=0.01)
    example["front_depth"][np.flatnonzero(on)[3]] += 2e-4
    example["front_segmentation"][np.flatnonzero(on)[5]] = 9
    example["front_segmentation"][np.flatnonzero(~on)[0]] = 8
    assert check_exactness.sheet_errors(caster, mesh, places, 0.25, example, "front")[1:3] == (0, 3)


def test_a_pixel_at_an_edge_is_a_tie():
    mesh = drawing.join([sheet_mesh(0.1, 8)])
    caster = raycast.Caster(mesh.vertices, mesh.faces)
    for place, label, tie in (((0.501, 0.2), 8, True), ((0.51, 0.2), 8, False), ((0.499, 0.2), 0, True),
                              ((0.3, 0.2), 0, False), ((0.501, 0.2), 9, False)):  # fmt: skip
        assert check_exactness.is_tie(caster, mesh.labels, np.array(place), 0.002, label, 0.1, 1) == tie


def test_the_shop_picture_is_looked_up_where_the_coordinate_says(rng):
    mesh = drawing.join([sheet_mesh(0.0, 8)])
    texture = rng.uniform(size=(4, 4, 3)).astype(np.float32)
    drawn = drawings.Drawing(mesh, texture, None, np.float32([0.125, 0, 0]), None, None, None)
    shop = check_exactness.Shop(drawn, 8)
    coordinates = rng.uniform(-0.9, 0.9, (50, 2))
    exact = raycast.bilinear(texture, (coordinates + 1) / 2)
    assert check_exactness.psnr(exact, shop.sampled(coordinates, 512)) > 45
    assert check_exactness.psnr(exact, shop.sampled(-coordinates, 512)) < 20
    assert np.isnan(shop.texture_uv(np.array([[1.2, 0.0]]))).all()
    assert check_exactness.psnr(exact, exact) == check_exactness.BEST


def test_one_changed_bit_is_found():
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 2, 3)
    other = values.copy()
    assert check_unpaired.same(values, other) and not check_unpaired._unlike(values, other).any()
    other[1, 0, 2] = np.nextafter(other[1, 0, 2], np.float32(2))
    assert not check_unpaired.same(values, other)
    np.testing.assert_array_equal(check_unpaired._unlike(values, other), [[False, False], [True, False]])


def test_a_contact_sheet_holds_every_picture():
    strips = [np.full((4, 16, 3), 40 * number, np.uint8) for number in range(5)]
    sheet = contact_sheet.tiled(strips, 2, 1)
    assert sheet.shape == (3 * 5 + 1, 2 * 17 + 1, 3)
    assert [int((sheet == 40 * number).all(-1).sum()) for number in range(5)] == [4 * 16] * 5
    assert (sheet[11:15, 18:34] == 255).all(), "where there is no sixth picture the sheet stays white"
