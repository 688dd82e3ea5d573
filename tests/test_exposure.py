"""The exposure meter agrees with the drawn picture, and photos come out alike in dim and bright light."""

import numpy as np
import trimesh

from tryon_jax.render import shade
from tryon_jax.simulation import drawing, exposure

LAMP = np.asarray(
    shade.constant_light(np.full(3, 0.3, np.float32))
    + shade.distant_light(np.array([0.6, 0.48, 0.64], np.float32), np.float32([0.5, 0.45, 0.4]))
)
BLACK = np.zeros((4, 4, 3), np.float32)


def ball(colours):
    """A ball in the camera frame, coloured by a function of its vertices [V, 3]."""
    solid = trimesh.creation.icosphere(5, 0.3)
    vertices, faces = np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int32)
    nothing = np.zeros((len(vertices), 2), np.float32)
    labels = np.ones(len(faces), np.int32)
    painted = np.asarray(colours(vertices), np.float32)
    part = drawing.Mesh(vertices, faces, vertices / 0.3, painted, nothing - 1, nothing, labels, nothing[:, :1])
    return drawing.join([part], (16384, 32768))


def plain(colour):
    return ball(lambda vertices: np.tile(colour, (len(vertices), 1)))


def test_the_meter_reads_what_the_picture_shows():
    mesh = ball(lambda vertices: np.where(vertices[:, :1] > 0, [[0.7, 0.3, 0.2]], [[0.1, 0.2, 0.4]]))
    openness = np.where(mesh.vertices[:, 1] > 0, 1.0, 0.5).astype(np.float32)
    grey = mesh._replace(colours=np.full_like(mesh.colours, 0.5))
    camera = np.float32([0.7 / 64, 0, 0])
    side = drawing.draw(grey, BLACK, LAMP, camera, 64, 4.0)[0]
    coloured = drawing.draw(mesh, BLACK, LAMP, camera, 64, 4.0)[0]
    weight = np.asarray(side.coverage)[..., 0] / np.asarray(side.coverage).sum()
    lit = float((weight * (np.asarray(side.rgb) @ exposure.LUMINANCE)).sum()) / 0.5
    albedo = float((weight * (np.asarray(coloured.albedo) @ exposure.LUMINANCE)).sum())
    np.testing.assert_allclose(exposure.meter(mesh, np.ones_like(openness), BLACK, LAMP), (lit, albedo), rtol=0.02)
    # The shaded half, below, is darker by as much as its openness says.
    upper = np.asarray(side.rgb)[:32] @ exposure.LUMINANCE * weight[:32]
    halved = upper.sum() / 0.5 + (lit - upper.sum() / 0.5) / 2
    np.testing.assert_allclose(exposure.meter(mesh, openness, BLACK, LAMP)[0], halved, rtol=0.03)


def test_the_meter_sees_textures():
    mesh = plain([0.9, 0.9, 0.9])
    uv = np.full_like(mesh.texture_uv, 0.4)
    texture = np.zeros((4, 4, 3), np.float32)
    texture[1, 1] = 0.25
    reading = exposure.meter(mesh._replace(texture_uv=uv), np.ones(len(uv), np.float32), texture, LAMP)
    np.testing.assert_allclose(reading[1], 0.25, rtol=1e-5)


def test_dim_and_bright_light_give_the_same_photo():
    mesh = plain([0.6, 0.5, 0.4])
    openness = np.ones(len(mesh.vertices), np.float32)
    lights = [
        exposure.exposed(np.random.default_rng(3), light, [exposure.meter(mesh, openness, BLACK, light)])
        for light in (0.4 * LAMP, LAMP, 2 * LAMP)
    ]
    for light in lights[1:]:
        np.testing.assert_allclose(light, lights[0], rtol=1e-4)
    others = [
        exposure.exposed(np.random.default_rng(seed), LAMP, [(1.0, 0.5)])[0, 0] / LAMP[0, 0] for seed in range(64)
    ]
    assert 0.05 < np.ptp(others) <= 2.1 * exposure.SPREAD


def test_dark_people_get_more_light_and_stay_darker():
    gains = [
        exposure.exposed(np.random.default_rng(0), LAMP, [(0.8, albedo)])[0, 0] for albedo in (0.01, 0.2, 0.4, 0.6, 0.9)
    ]
    assert (np.diff(gains) <= 0).all() and gains[0] > gains[-1]
    shown = np.array([0.01, 0.2, 0.4, 0.6, 0.9]) * gains
    assert (np.diff(shown) > 0).all()


def test_pictures_keep_order_and_range():
    light = np.linspace(0, 3, 301).astype(np.float32)
    shown = np.asarray(drawing._toned(light))
    assert (np.diff(shown) > 0).all() and shown.max() < 1
    np.testing.assert_allclose(shown[light <= drawing.SHOULDER], light[light <= drawing.SHOULDER], atol=1e-6)
    assert np.diff(shown).max() < 0.0101, "no light counts more than itself"
