"""What a latent becomes: its distribution, where it is read from, the posture and pyramid that it is mapped to."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.parts import KEYPOINT, KEYPOINTS, MATERIALS
from tryon_jax.models import discriminator as judge
from tryon_jax.models import inference, skeleton
from tryon_jax.models.generator import Mapping

FEATURES, SIZE, COUNT = (4, 8, 8, 16), 32, 3


def test_inference_draws_from_what_it_says():
    mean, log_variance = jnp.array([[0.5, -1.0]]), jnp.log(jnp.array([[0.25, 4.0]]))
    noise = jax.random.normal(jax.random.key(10), (200_000, 2))
    drawn = inference.drawn(mean, log_variance, noise)
    np.testing.assert_allclose(drawn.mean(0), mean[0], atol=0.02)
    np.testing.assert_allclose(drawn.var(0), [0.25, 4.0], rtol=0.02)
    # The divergence is the mean of log q - log p under q.
    ratio = (jnp.square(drawn) - jnp.square(noise) - log_variance).sum(-1) / 2
    np.testing.assert_allclose(inference.divergence(mean, log_variance)[0], ratio.mean(), rtol=0.02)
    assert inference.divergence(jnp.zeros((1, 3)), jnp.zeros((1, 3)))[0] == 0


def test_prior_draws_from_the_distribution_that_it_measures():
    module, classes = inference.Prior(latent_dim=3, classes=2), jnp.arange(100_000) % 2
    noise, seen = jax.random.normal(jax.random.key(12), (len(classes), 3)), jnp.zeros((len(classes), 5))
    normal = {
        "mean": jnp.array([[0.0, 1.0, 2.0], [-1.0, 0.0, 5.0]]),
        "log_diagonal": jnp.array([0.5, -0.3, 0.1]),
        "below": jnp.array([[9.0, 9.0, 9.0], [0.7, 9.0, 9.0], [-0.4, 0.2, 9.0]]),  # only what is below counts
    }
    variables = {"params": jax.jit(module.init)(jax.random.key(0), noise, classes, seen)["params"] | normal}
    z = jax.jit(module.apply)(variables, noise, classes, seen)
    for number in range(2):
        np.testing.assert_allclose(z[classes == number].mean(0), normal["mean"][number], atol=0.03)
    whitening = np.array([[np.exp(0.5), 0, 0], [0.7, np.exp(-0.3), 0], [-0.4, 0.2, np.exp(0.1)]])
    # An even number of couplings that bend nothing leaves the order as it is.
    covariance = np.linalg.inv(whitening.T @ whitening)
    centred = z - normal["mean"][classes]
    np.testing.assert_allclose(centred.T @ centred / len(z), covariance, atol=0.05)
    found = module.apply(variables, z[:4], classes[:4], seen[:4], method="surprise")
    exact = [0.5 * c @ np.linalg.inv(covariance) @ c + 0.5 * np.linalg.slogdet(covariance)[1] for c in centred[:4]]
    np.testing.assert_allclose(found, np.array(exact) / 3, rtol=1e-3, atol=1e-4)


def test_a_bent_prior_measures_what_it_draws():
    """The density of what noise becomes is that of the noise, less how much the map stretches there."""
    module, keys = inference.Prior(latent_dim=5, classes=2), jax.random.split(jax.random.key(13), 3)
    noise, seen = jax.random.normal(keys[0], (4, 5)), jax.random.normal(keys[1], (4, 6))
    classes = jnp.arange(4) % 2
    variables = jax.jit(module.init)(keys[2], noise, classes, seen)
    generator = np.random.default_rng(0)
    variables = jax.tree.map(lambda p: p + 0.2 * generator.standard_normal(p.shape, np.float32), variables)

    def one(noise, kind, seen):
        return module.apply(variables, noise[None], kind[None], seen[None])[0]

    stretch = jax.jit(jax.vmap(jax.jacfwd(one)))(noise, classes, seen)
    exact = (0.5 * jnp.square(noise).sum(-1) + jnp.linalg.slogdet(stretch)[1]) / 5
    z = jax.jit(module.apply)(variables, noise, classes, seen)
    found = module.apply(variables, z, classes, seen, method="surprise")
    np.testing.assert_allclose(found, exact, atol=0.02)
    other = module.apply(variables, z, classes, seen + 1, method="surprise")
    assert np.abs(found - other).max() > 0.02


def test_inference_keeps_examples_apart():
    module = inference.Inference(latent_dim=5)
    x = jax.random.normal(jax.random.key(11), (COUNT, SIZE, SIZE, judge.OBSERVED))
    (mean, log_variance), variables = jax.jit(module.init_with_output)(jax.random.key(0), x)
    assert mean.shape == log_variance.shape == (COUNT, 5)
    np.testing.assert_allclose(jax.jit(module.apply)(variables, x[1:2])[0][0], mean[1], atol=1e-5)
    assert jnp.abs(jax.jit(module.apply)(variables, 1e6 * x)[1]).max() <= 10


def test_mapping_uses_latent_and_class():
    module, z = Mapping(FEATURES, SIZE, classes=4), jax.random.normal(jax.random.key(6), (2, 5))
    made, variables = jax.jit(module.init_with_output)(jax.random.key(0), z, jnp.zeros(2, jnp.int32))
    (joints, pyramid, palette), other = made, jax.jit(module.apply)(variables, z, jnp.ones(2, jnp.int32))
    assert palette.shape == (2, len(MATERIALS), 3) and (palette > 0).all() and (palette < 1).all()
    for ours, with_class in ((joints, other[0]), (pyramid[0], other[1][0]), (palette, other[2])):
        assert not np.allclose(ours[0], ours[1]) and not np.allclose(ours, with_class)


def test_mapping_draws_the_posture_that_is_shown():
    module, z = Mapping(FEATURES, SIZE), jax.random.normal(jax.random.key(6), (2, 5))
    classes, variables = jnp.zeros(2, jnp.int32), None
    variables = jax.jit(module.init)(jax.random.key(0), z, classes)
    joints, own, _ = jax.jit(module.apply)(variables, z, classes)
    shown = jnp.zeros((2, len(KEYPOINTS), 1)).at[0].set(1.0)
    again, led, _ = jax.jit(module.apply)(variables, z, classes, joints + 0.2, shown)
    np.testing.assert_array_equal(again, joints)
    for level, other in zip(own, led, strict=True):
        assert not np.allclose(level[0], other[0]) and np.allclose(level[1], other[1])


def test_bones_are_drawn_along_their_ends():
    joints = jnp.zeros((len(KEYPOINTS), 2)).at[KEYPOINT["left_shoulder"]].set(jnp.array([-0.5, -0.5]))
    joints = joints.at[KEYPOINT["left_elbow"]].set(jnp.array([0.5, -0.5]))
    names = [("left_shoulder", "left_elbow"), ("right_knee", "right_ankle")]
    arm, point = (np.asarray(skeleton.drawn(joints, 32))[..., skeleton.BONES.index(name)] for name in names)
    x, y = np.moveaxis((np.mgrid[:32, :32][::-1] + 0.5) / 16 - 1, 0, 0)
    beyond = np.maximum(np.abs(x) - 0.5, 0)
    np.testing.assert_allclose(arm, np.exp(-(beyond**2 + (y + 0.5) ** 2) / (2 * skeleton.WIDTH**2)), atol=1e-3)
    # A bone that is seen from its end is a dot.
    np.testing.assert_allclose(point, np.exp(-(x**2 + y**2) / (2 * skeleton.WIDTH**2)), atol=1e-6)
    gradient = jax.jit(jax.grad(lambda joints: skeleton.drawn(joints, 16).sum()))(joints)
    assert np.isfinite(gradient).all()
