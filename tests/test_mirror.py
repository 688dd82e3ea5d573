"""The mirror image of observations and maps: what a mirrored example gives, its own inverse, and no other answer."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_people import example

from configs import transfer as transfer_config
from configs.ssl import get_config
from tryon_jax import augment, pretext
from tryon_jax.geometry.parts import PARTS
from tryon_jax.models import mirror
from tryon_jax.stages import ssl, transfer

SIZE = 32
PICTURES = ("rgb", "depth", "normals", "garment_uv")


@pytest.fixture(scope="module")
def people():
    """A person and its mirror image as `augment` makes it."""
    person = jax.tree.map(jnp.asarray, example(1, SIZE))
    return person, jax.jit(augment.apply)(person, augment.identity()._replace(flip=jnp.float32(1.0)))


def one_of(example):
    """The batch of one example."""
    return jax.tree.map(lambda x: x[None], example)


@jax.jit
def observed(person, **hints):
    """What is shown of a person whose upper half is hidden, with its depth and normals."""
    visible = jnp.ones((SIZE, SIZE, 1)).at[: SIZE // 2].set(0.0)
    shown = pretext.Picture(person["front_rgb"], person["front_fine"][..., :3])
    return pretext.masked(person, shown, visible, person["front_depth"], person["mask"], **hints)


def truth(person):
    """An example's truth as named maps."""
    found = {f"{side}_{name}": person[f"{side}_{name}"] for side in ("front", "back") for name in PICTURES}
    parts = {f"{side}_parts": jax.nn.one_hot(person[f"{side}_segmentation"], len(PARTS)) for side in ("front", "back")}
    places = person["keypoints"]
    return {**found, **parts, "mask": person["mask"], "joints": places[:, :2], "joint_depths": places[:, 1:]}


@pytest.mark.parametrize("hints", [{}, {"parts": 1.0, "keypoints": 1.0}])
def test_observations_of_the_mirrored_example(people, hints):
    person, other = people
    mirrored = mirror.observations(observed(person, **hints))
    for name, value in observed(other, **hints).items():
        np.testing.assert_allclose(mirrored[name], value, atol=1e-5, err_msg=name)
    again = mirror.observations(mirrored)
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-5), again, observed(person, **hints))


def test_maps_of_the_mirrored_example(people):
    person, other = people
    mirrored = mirror.maps(truth(person), SIZE)
    for name, value in truth(other).items():
        np.testing.assert_allclose(mirrored[name], value, atol=1e-5, err_msg=name)
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-5), mirror.maps(mirrored, SIZE), truth(person))


def test_both_looks_find_the_same_in_a_picture_and_in_its_mirror_image(people):
    person, _ = people
    stage = ssl.build(get_config("smoke"))
    setup = stage.eval_step.args[0]
    params = jax.jit(stage.init)(jax.random.key(0), one_of(person)).params
    look = partial(jax.jit(lambda params, seen: ssl._look_twice(setup, params, one_of(seen))), params)
    seen = observed(person)
    straight, mirrored = (jax.tree.map(lambda x: x[0], look(each)) for each in (seen, mirror.observations(seen)))
    colours = {name: straight.pop(name) for name in ("front_colour", "back_colour")}
    for name, value in mirror.maps(straight, SIZE).items():
        np.testing.assert_allclose(mirrored[name], value, atol=1e-4, err_msg=name)
    assert np.asarray(straight["mask"]).std() > 0
    for name, value in colours.items():
        np.testing.assert_allclose(mirrored[name], value[:, ::-1], atol=1e-3, err_msg=name)


def test_a_mirrored_person_is_dressed_in_a_mirrored_garment_as_the_mirror_image(people):
    stage = transfer.build(transfer_config.get_config("smoke"))
    setup = stage.eval_step.args[0]
    params = jax.jit(stage.init)(jax.random.key(0), one_of(people[0])).params
    # Fresh, the garment has no say.
    params["garment_encoder"] = jax.tree.map(lambda x: x + 0.02, params["garment_encoder"])
    dress = partial(jax.jit(lambda params, person: transfer._dress(setup, params, one_of(person))[0]), params)
    straight, mirrored = (jax.tree.map(lambda x: x[0], dress(person)) for person in people)
    for name in ("front_depth", "back_normals", "front_parts", "back_garment_uv", "joints", "joint_depths"):
        expected = mirror.maps(straight, SIZE)[name]
        assert np.asarray(expected).std() > 0
        np.testing.assert_allclose(mirrored[name], expected, atol=1e-4, err_msg=name)
    for name in ("front_colour", "back_colour"):
        np.testing.assert_allclose(mirrored[name], straight[name][:, ::-1], atol=1e-3, err_msg=name)


def test_agreed_maps_lie_between_and_their_normals_are_unit(people):
    person, other = people
    first, second = truth(person), truth(other)
    mean = mirror.agreed(first, second)
    np.testing.assert_allclose(mean["front_depth"], (first["front_depth"] + second["front_depth"]) / 2, atol=1e-6)
    lengths = np.linalg.norm(mean["back_normals"], axis=-1)
    somewhere = np.abs(first["back_normals"] + second["back_normals"]).sum(-1) > 1e-3
    np.testing.assert_allclose(lengths[somewhere], 1, atol=1e-5)
