"""Shadows that a mesh casts on itself, and the albedo beneath them."""

import functools

import numpy as np
import pytest
import trimesh

from tryon_jax import native
from tryon_jax.garments.joints import crotch_height
from tryon_jax.render import shade
from tryon_jax.simulation import body, drawing, occlusion

EVEN = np.asarray(shade.constant_light(np.ones(3, np.float32)))


def mesh_of(*solids, colour=(0.5, 0.5, 0.5)):
    parts = []
    for solid in solids:
        vertices = np.asarray(solid.vertices, np.float32)
        faces = np.asarray(solid.faces, np.int32)
        nothing = np.zeros((len(vertices), 2), np.float32)
        normals = drawing.vertex_normals(vertices, faces)
        colours = np.tile(np.float32(colour), (len(vertices), 1))
        labels = np.ones(len(faces), np.int32)
        parts.append(drawing.Mesh(vertices, faces, normals, colours, nothing - 1, nothing, labels, nothing[:, :1]))
    return drawing.join(parts)


@functools.cache
def standing():
    model = body.load()
    rest = body.posed(model, np.full(6, 0.7, np.float32), body.Pose("a_pose", {}, 0.0)).rest
    solid = trimesh.Trimesh(drawing.camera_frame(rest.vertices), rest.faces, process=False)
    return rest, occlusion.openness(mesh_of(solid), EVEN)[: len(rest.vertices)]


def test_a_lone_ball_is_in_the_open():
    ball = trimesh.creation.icosphere(4, 0.3)
    mesh = mesh_of(ball)
    openness = occlusion.openness(mesh, EVEN)
    assert openness.shape == (len(mesh.vertices),) and openness.dtype == np.float32
    assert openness.min() > 0.97 and openness.max() <= 1
    assert openness[: len(ball.vertices)].mean() > 0.999


def test_between_two_balls_it_is_darker_than_outside():
    balls = [trimesh.creation.icosphere(4, 0.3) for _ in range(2)]
    balls[0].apply_translation([-0.31, 0, 0])
    balls[1].apply_translation([0.31, 0, 0])
    mesh = mesh_of(*balls)
    openness = occlusion.openness(mesh, EVEN)[: 2 * len(balls[0].vertices)]
    x = mesh.vertices[: len(openness), 0]
    assert openness[np.abs(x) < 0.06].mean() < 0.7 < 0.97 < openness[np.abs(x) > 0.4].mean()
    # The mirrored half gets the same, but for the grid of the height fields.
    assert abs(openness[x < 0].mean() - openness[x > 0].mean()) < 0.01


def test_hollows_of_a_body_are_darker_than_its_chest():
    rest, openness = standing()
    x, y, z = rest.vertices.T
    shoulder, crotch = rest.joint("upperarm01.L"), crotch_height(rest)
    chest = (np.abs(x) < 0.1) & (y < -0.05) & (np.abs(z - shoulder[2] + 0.1) < 0.08) & (rest.limbs["torso"] > 0.5)
    groin = (np.abs(x) < 0.04) & (z < crotch + 0.02) & (z > crotch - 0.1)
    armpit = np.linalg.norm(rest.vertices - (shoulder + [0.0, 0.03, -0.10]), axis=1) < 0.05
    assert openness[chest].mean() > 0.85
    assert openness[groin].mean() < openness[chest].mean() - 0.1
    assert np.percentile(openness[armpit], 20) < openness[chest].mean() - 0.1


def test_a_lamp_casts_a_shadow_on_its_far_side_only():
    plate, ball = trimesh.creation.box((1.0, 0.02, 1.0)), trimesh.creation.icosphere(4, 0.15)
    plate = plate.subdivide().subdivide().subdivide().subdivide().subdivide()
    ball.apply_translation([0, 0.3, 0])
    mesh = mesh_of(plate, ball)
    above = EVEN * 0.3 + np.asarray(shade.distant_light(np.array([0, 1, 0], np.float32), np.ones(3, np.float32)))
    lit, even = (occlusion.openness(mesh, light)[: len(plate.vertices)] for light in (above, EVEN))
    top = plate.vertices[:, 1] > 0.005
    near = np.hypot(plate.vertices[:, 0], plate.vertices[:, 2]) < 0.08
    far = np.hypot(plate.vertices[:, 0], plate.vertices[:, 2]) > 0.3
    assert (lit / even)[top & near].mean() < 0.82
    np.testing.assert_allclose((lit / even)[top & far], 1, atol=1e-3)


def test_padding_and_order_do_not_matter():
    ball = trimesh.creation.icosphere(3, 0.3)
    mesh = mesh_of(ball)
    np.testing.assert_array_equal(occlusion.openness(mesh, EVEN), occlusion.openness(mesh, EVEN))
    padded = drawing.join([mesh], (8192, 8192))
    count = len(ball.vertices)
    np.testing.assert_allclose(occlusion.openness(padded, EVEN)[:count], occlusion.openness(mesh, EVEN)[:count])


def test_albedo_is_the_colour_before_light():
    ball = trimesh.creation.icosphere(4, 0.3)
    mesh = mesh_of(ball, colour=(0.7, 0.4, 0.2))
    camera, texture = np.float32([0.05, 0, 0]), np.zeros((4, 4, 3), np.float32)
    lamp = np.asarray(shade.distant_light(np.array([0.6, 0.0, 0.8], np.float32), np.full(3, 0.8, np.float32)))
    sides = [drawing.draw(mesh, texture, light, camera, 16, 4.0)[0] for light in (EVEN, 0.3 * EVEN + lamp)]
    for side in sides:
        albedo, coverage = np.asarray(side.albedo), np.asarray(side.coverage)[..., 0]
        np.testing.assert_allclose(albedo[coverage > 0], np.tile([0.7, 0.4, 0.2], ((coverage > 0).sum(), 1)), atol=1e-3)
        assert not albedo[coverage == 0].any()
    assert np.abs(np.asarray(sides[0].rgb) - np.asarray(sides[1].rgb)).max() > 0.1
    half = np.full(len(mesh.vertices), 0.5, np.float32)
    dark = drawing.draw(mesh, texture, EVEN, camera, 16, 4.0, half)[0]
    middle = np.asarray(dark.rgb)[8, 8] / np.asarray(sides[0].rgb)[8, 8]
    assert (middle < 0.8).all() and middle[0] > middle[2], "bright hollows keep more of their light than dark ones"
    np.testing.assert_array_equal(dark.albedo, sides[0].albedo)


def test_shadows_have_no_steps_from_the_grid():
    # A hand's breadth above the plate: without smoothing neighbours differ by all that the shadow takes.
    plate, ball = trimesh.creation.box((1.0, 0.02, 1.0)), trimesh.creation.icosphere(4, 0.06)
    for _ in range(6):
        plate = plate.subdivide()
    ball.apply_translation([0, 0.12, 0])
    openness = occlusion.openness(mesh_of(plate, ball), EVEN)[: len(plate.vertices)]
    top = plate.vertices[:, 1] > 0.005
    edges = plate.edges_unique[top[plate.edges_unique].all(1)]
    taken = np.ptp(openness[top])
    assert taken > 0.05
    assert np.abs(openness[edges[:, 0]] - openness[edges[:, 1]]).max() < 0.3 * taken


def test_more_light_than_all_is_only_more_light():
    ball = trimesh.creation.icosphere(4, 0.3)
    mesh, camera = mesh_of(ball, colour=(0.3, 0.2, 0.1)), np.float32([0.05, 0, 0])
    texture = np.zeros((4, 4, 3), np.float32)
    plain, lined = (
        np.asarray(
            drawing.draw(mesh, texture, EVEN, camera, 16, 4.0, np.full(len(mesh.vertices), share, np.float32))[0].rgb
        )
        for share in (1.0, 1.8)
    )
    np.testing.assert_allclose(lined[8, 8], 1.8 * plain[8, 8], rtol=1e-3)


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")
def test_the_kernels_give_the_same_bits():
    rng = np.random.default_rng(3)
    ball = trimesh.creation.icosphere(4, 0.3)
    splats = (ball.vertices + rng.normal(0, 0.02, ball.vertices.shape)).astype(np.float32).T.copy()
    for count, frame in zip((2000, 33, 7), occlusion._frames(), strict=False):
        facing = np.append(rng.uniform(-1, 1, count - 2), [0, 1]).astype(np.float32)
        one, other = (occlusion.visible(facing, splats, frame, path) for path in ("numpy", "native"))
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype == np.float32
    values = rng.uniform(size=len(ball.vertices) + 5).astype(np.float32)
    before = values.copy()
    one, other = (occlusion._spread(ball.faces, values, path) for path in ("numpy", "native"))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(values, before)
    np.testing.assert_array_equal(one[-5:], before[-5:])
