"""Painted bodies, hair and shoes: features where they belong, hair off the eyes, shoes on the floor, repeatable."""

import functools

import numpy as np
import pytest

from tryon_jax.geometry.parts import PART
from tryon_jax.simulation import appearance, body, hair, people, refinement, shoes, visage
from tryon_jax.simulation.drawing import camera_frame


@functools.cache
def rest(woman):
    shape = np.array([float(woman), 0.75, 0.5, 0.5, 0.5, 0.5], np.float32)
    return body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest


def look(seed=0, **changes):
    return appearance.sample(np.random.default_rng(seed))._replace(**changes)


def mean(colours, mask):
    return (colours * mask[:, None]).sum(0) / mask.sum()


def test_looks_are_colours_and_differ():
    looks = [appearance.sample(np.random.default_rng(seed), seed % 2 == 0, 0.67 + 0.01 * seed) for seed in range(33)]
    for one in looks:
        for colour in (one.skin, one.hair, one.iris, one.lips, one.shoes):
            assert ((colour > 0) & (colour < 1)).all()
        assert one.skin[0] > one.skin[1] > one.skin[2]
    assert np.ptp([one.skin.mean() for one in looks]) > 0.3
    assert not any(one.beard for one in looks[::2]) and any(one.beard > 0.5 for one in looks[1::2])


def test_hair_turns_grey_with_age():
    def saturation(age):
        found = [appearance.sample(np.random.default_rng(seed), False, age).hair for seed in range(60)]
        return np.mean([np.ptp(colour) / colour.max() for colour in found])

    assert saturation(1.0) < 0.6 * saturation(2 / 3)


def test_features_are_painted_where_they_belong():
    canvas, bare = visage.canvas(), np.zeros(len(visage.canvas().points), np.float32)
    person = look(3, skin=np.float32([0.85, 0.65, 0.52]), hair=np.float32([0.1, 0.08, 0.07]), beard=0.9, moustache=0.9)
    colours = appearance.paint(person, canvas, bare)
    assert colours.shape == canvas.points.shape and colours.dtype == np.float32
    assert (colours >= 0).all() and (colours <= 1).all()
    masks = canvas.masks
    light = {name: mean(colours, masks[name]).mean() for name in masks}
    skin = person.skin.mean()
    for name in ("brows", "lashes", "pupil", "nostrils", "beard", "moustache"):
        assert light[name] < 0.85 * skin, name
    white = (
        masks["eye"]
        * (1 - masks["iris"])
        * (1 - masks["lid_shade"])
        * (canvas.points[:, 1] < body.load().bones["eye.L"][1])
    )
    assert mean(colours, white).mean() > skin
    redness = mean(colours, masks["lips"]), person.skin
    assert redness[0][0] / redness[0][1] > redness[1][0] / redness[1][1]
    height = {name: mean(canvas.points, masks[name])[2] for name in masks}
    order = ["brows", "lashes", "pupil", "lower_lashes", "nose", "moustache", "lips", "below_lip"]
    assert (np.diff([height[name] for name in order]) < 0).all(), height
    shaved = appearance.paint(person._replace(beard=0.0, moustache=0.0), canvas, bare)
    assert mean(shaved, masks["beard"]).mean() > 1.3 * light["beard"]


def test_masks_are_symmetric():
    canvas = visage.canvas()
    for name in ("brows", "lips", "iris", "cheeks", "beard", "ears"):
        mask = canvas.masks[name]
        assert abs(mean(canvas.points, mask)[0]) < 0.002, name


def test_the_refined_face_is_the_same_surface():
    model, canvas = body.load(), visage.canvas()
    faces = np.concatenate([model.faces[~canvas.refined.replaced], canvas.refined.faces])

    def area(points, faces):
        a, b, c = (points[faces[:, k]] for k in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2

    assert area(canvas.points, faces) == pytest.approx(area(model.template, model.faces), rel=1e-5)

    def unpaired(faces):
        directed = {tuple(edge) for edge in np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2).tolist()}
        return sum((b, a) not in directed for a, b in directed)

    assert unpaired(faces) == unpaired(model.faces), "the finer part has come apart from the rest"
    values = refinement.extend(model.template[:, 0], canvas.refined)
    np.testing.assert_allclose(values, canvas.points[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", hair.STYLES)
@pytest.mark.parametrize("woman", [False, True])
def test_hair_leaves_eyes_and_mouth_free(name, woman):
    standing = rest(woman)
    style = hair.Style(name, 0.8, 0.7, 0.2, 0.6, 0.02, name in ("bob", "long", "crop"))
    grown = hair.attach(np.random.default_rng(5), style, look(), standing)
    canvas = visage.canvas()
    painted = hair.scalp(style, canvas)
    assert painted[canvas.masks["eye"] > 0.5].max() < 0.01
    assert mean(painted[:, None], canvas.masks["lips"])[0] < 0.01
    if grown is None:
        assert name in ("bald", "buzz")
        return
    points = grown.vertices_rest
    eye, mouth = standing.joint("eye.L"), (standing.joint("oris01") + standing.joint("oris05")) / 2
    for place in (eye, eye * [-1, 1, 1], mouth):
        off = np.hypot(points[:, 0] - place[0], points[:, 2] - place[2])
        assert not ((off < 0.008) & (points[:, 1] < place[1] + 0.02)).any()
    assert set(grown.labels) == {PART["hair"]}
    np.testing.assert_allclose(grown.skin_weights.sum(1), 1, atol=1e-5)
    assert (grown.colours > 0).all() and (grown.colours < 1).all()
    assert points[:, 2].max() < standing.vertices[:, 2].max() + 0.14
    # It stands off the skull, but is no cloud around it.
    assert points[:, 2].max() > standing.vertices[:, 2].max() + 0.001


def test_long_hair_is_longer_than_a_bob_and_falls_outside_the_body():
    standing = rest(True)
    lowest = {}
    for name in ("crop", "bob", "long"):
        style = hair.Style(name, 0.5, 0.5, 0.2, 0.0, 0.02, False)
        points = hair.attach(np.random.default_rng(1), style, look(), standing).vertices_rest
        lowest[name] = points[:, 2].min()
    assert lowest["crop"] > lowest["bob"] + 0.03 > lowest["long"] + 0.06
    below = points[points[:, 2] < standing.joint("neck01")[2] - 0.02]
    trunk = standing.vertices[standing.limbs["torso"] > 0.5]
    distance = np.linalg.norm(below[::40, None] - trunk[None], axis=-1).min(1)
    assert np.median(distance) > 0.01


@pytest.mark.parametrize("seed", range(8))
def test_shoes_stand_on_the_floor_around_the_feet(seed):
    standing = rest(seed % 2 == 0)
    pair, covers = shoes.attach(np.random.default_rng(seed), look(seed), standing, seed % 2 == 0)
    for sign, part in zip((1, -1), pair, strict=True):
        points = part.vertices_rest
        assert (sign * points[:, 0] > 0).all()
        assert points[:, 2].min() == pytest.approx(-shoes.SOLE, abs=1e-6)
        foot = standing.vertices[(sign * standing.vertices[:, 0] > 0) & (standing.vertices[:, 2] < 0.03)]
        assert (points[:, :2].min(0) < foot[:, :2].min(0) + 1e-3).all()
        assert (points[:, :2].max(0) > foot[:, :2].max(0) - 1e-3).all()
        long = np.ptp(points[:, 1])
        assert 0.2 < long < 0.38
        assert set(part.labels) == {PART["left_shoe" if sign > 0 else "right_shoe"]}
        assert np.isfinite(points).all() and (part.colours > 0).all() and (part.colours < 1).all()
    hidden = standing.vertices[standing.faces[covers]]
    assert hidden[..., 2].max() < 0.15 and covers.any()


def test_the_same_seed_makes_the_same_person():
    first, again = (people.make(np.random.default_rng(4), rest(True), True, 0.8) for _ in range(2))
    np.testing.assert_array_equal(first.colours, again.colours)
    for one, other in zip(first.worn, again.worn, strict=True):
        for array, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, same)
    other = people.make(np.random.default_rng(5), rest(True), True, 0.8)
    assert np.abs(other.colours - first.colours).mean() > 0.01


def test_meshes_of_a_person_fit_together():
    standing = rest(False)
    person = people.make(np.random.default_rng(2), standing, False, 0.7)
    still = np.tile(np.eye(4, dtype=np.float32), (len(standing.joints), 1, 1))
    meshes = people.uncovered(
        person, people.meshes(person, standing.vertices, still), np.zeros(len(standing.faces), bool)
    )
    for mesh in meshes:
        assert mesh.faces.max() < len(mesh.vertices) == len(mesh.colours) == len(mesh.normals)
        assert len(mesh.labels) == len(mesh.faces) and (mesh.texture_uv < 0).all()
    np.testing.assert_allclose(meshes[0].vertices[: len(standing.vertices)], camera_frame(standing.vertices), atol=1e-6)
    # Scalp is hair, the face in front of it is not.
    top = meshes[0].vertices[meshes[0].faces].mean(1)
    crown = top[:, 1] > top[:, 1].max() - 0.02
    if person.hairstyle != "bald":
        assert (meshes[0].labels[crown] == PART["hair"]).mean() > 0.9
    nose = body.load().landmarks[0]
    assert (meshes[0].labels[(meshes[0].faces == nose).any(1)] == PART["face"]).all()
