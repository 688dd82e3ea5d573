"""Sheets taken apart at depth jumps: an arm before the trunk stands free of it, and all that was seen stays."""

import numpy as np
import pytest
import trimesh
from test_lift import check_closed, sheets_of

from tryon_jax.geometry.camera import project
from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface
from tryon_jax.render.jumps import split
from tryon_jax.render.lift import lift

SIZE = 96
PIXEL = 2.0 / SIZE
CAMERA = np.array([PIXEL, 0.0, 0.0], np.float32)
JUMP = 0.07
SHOULDER, ELBOW = (-0.2, 0.4, 0.0), (-0.22, 0.1, 0.27)
TRUNK = ((0, -0.5, 0), (0, 0.4, 0), 0.18)


def capsule(start, end, radius):
    """Front and back depth [H, W] of a capsule between two points; -inf and inf off it."""
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    x, y = (columns - SIZE / 2) * PIXEL, (SIZE / 2 - rows) * PIXEL
    front, back = np.full((SIZE, SIZE), -np.inf), np.full((SIZE, SIZE), np.inf)
    for share in np.linspace(0, 1, 300):
        point = np.array(start) * (1 - share) + np.array(end) * share
        square = radius**2 - (x - point[0]) ** 2 - (y - point[1]) ** 2
        half = np.where(square > 0, np.sqrt(np.maximum(square, 0)), np.nan)
        front, back = np.fmax(front, point[2] + half), np.fmin(back, point[2] - half)
    return front, back


def figure(hand, turned=False):
    """Sheets of a trunk and an arm whose hand is at the given place; turned: from behind."""
    arm = [(SHOULDER, ELBOW, 0.06), (ELBOW, hand, 0.055)]
    fronts, backs = zip(*(capsule(*part) for part in (TRUNK, *arm)), strict=True)
    front, back = np.max(fronts, 0), np.min(backs, 0)
    back = np.minimum(back, front - 0.002)  # which is as thin as a lifted mesh may be
    return sheets_of(np.isfinite(front), *((-back, -front) if turned else (front, back)))


def solid(mesh):
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def inside(mesh, points):
    """Whether points [N, 3] are in the mesh, by the winding of all its surfaces around them."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float)[None] - np.asarray(points)[:, None] for i in range(3))
    la, lb, lc = (np.linalg.norm(corner, axis=-1) for corner in (a, b, c))
    dot = lambda one, other: (one * other).sum(-1)  # noqa: E731
    below = la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb
    # van Oosterom and Strackee (1983), equation 8: the solid angle of each triangle.
    return 2 * np.arctan2(dot(a, np.cross(b, c)), below).sum(1) / (4 * np.pi) > 0.5


@pytest.mark.parametrize("hand", [(0.1, 0.0, 0.35), (-0.5, 0.0, 0.3)])
@pytest.mark.parametrize("turned", [False, True])
def test_an_arm_before_the_trunk_stands_free_of_it(hand, turned):
    sheets = figure(hand, turned)
    apart, webbed = lift(sheets, CAMERA, jump=JUMP), lift(sheets, CAMERA, jump=np.inf)
    check_closed(apart)
    assert len(solid(webbed).split(only_watertight=False)) == 1 < len(solid(apart).split(only_watertight=False))
    sign = -1 if turned else 1
    # In the lower arm, in the trunk behind it, and between the two, where air is.
    middle = np.array(ELBOW) * 0.6 + np.array(hand) * 0.4 if hand[0] > 0 else np.array(ELBOW) * 0.9
    middle[0] = max(middle[0], -0.14)
    points = np.array([[*middle[:2], z * sign] for z in (middle[2], 0.0, 0.175)])
    if hand[0] > 0:
        np.testing.assert_array_equal(inside(apart, points), [True, True, False])
        np.testing.assert_array_equal(inside(webbed, points), [True, True, True])
    assert apart.texture.shape[0] == 2 * webbed.texture.shape[0]


def test_round_things_do_not_come_apart():
    sheets = sheets_of(*[np.isfinite(capsule(*TRUNK)[0]), *capsule(*TRUNK)])
    assert len(solid(lift(sheets, CAMERA)).split(only_watertight=False)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_every_pixel_is_still_seen_where_it_was(seed):
    rng = np.random.default_rng(seed)
    hand = (rng.uniform(-0.5, 0.3), rng.uniform(-0.3, 0.2), rng.uniform(0.2, 0.4))
    sheets = figure(hand, turned=seed % 2 == 1)
    mesh = lift(sheets, CAMERA, jump=JUMP)
    size = (SIZE, SIZE)
    vertices = project(CAMERA, mesh.vertices, size)
    fragments = raster.rasterize(vertices, mesh.faces, size, raster.candidates(vertices, mesh.faces, size))
    for side, ids in zip(("front", "back"), fragments[:2], strict=True):
        depth, _, uv = surface.at_pixels(vertices, mesh.faces, ids, mesh.uv, mesh.uv_faces)
        seen = np.asarray(ids) >= 0
        assert (seen == (sheets["mask"][..., 0] > 0)).mean() > 0.998
        seen &= sheets["mask"][..., 0] > 0
        np.testing.assert_allclose(np.asarray(depth)[seen], sheets[f"{side}_depth"][seen, 0], atol=1e-4)
        height, width = mesh.texture.shape[:2]
        column, row = np.floor(np.asarray(uv)[seen] * [width, height]).astype(int).T
        colour = mesh.texture[row, column] / 255
        np.testing.assert_allclose(colour, sheets[f"{side}_rgb"][seen], atol=1 / 255)


def test_solids_of_one_pixel_do_not_touch():
    sheets = figure((0.1, 0.0, 0.35))
    mask = sheets["mask"][..., 0] > 0
    front, back = (sheets[f"{side}_depth"][..., 0] for side in ("front", "back"))
    rest, arm = split(mask, front, np.minimum(back, front - 0.01), PIXEL, JUMP)
    shared = rest.mask & arm.mask
    assert shared.sum() > 50
    assert (arm.front > arm.back)[arm.mask].all() and (rest.front > rest.back)[rest.mask].all()
    under = shared & rest.made[0]
    assert (arm.back - rest.front)[under].min() > 1e-3
    assert (arm.front == front)[under].all()
    end = shared & ~rest.made[0]  # what of the arm ends inside the trunk
    assert end.any() and (arm.front < rest.front)[end].all() and (arm.back > rest.back)[end].all()
