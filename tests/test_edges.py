"""The derivative by where surfaces are against finite differences, and what descent makes of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_rasterize import on_screen, sphere

from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface
from tryon_jax.render.edges import edge_gradient

SIZE, CAPACITY = (96, 96), 2**17
VERTICES, FACES = sphere(60, 80)
VERTICES = on_screen(VERTICES * (1 + 0.3 * np.sin(4 * VERTICES[:, :1])), SIZE, 30)
# Depth is in radii of 30 px: a jump of 5 px is an end.
JUMP = 5 / 30


def colours(vertices):
    """Colours [V, 3] that are fixed to the surface."""
    return 0.5 + 0.5 * np.sin(vertices @ np.array([[0.11, 0.05, 2.0], [-0.07, 0.12, 1.0], [0.02, 0.04, -3.0]]).T)


COLOURS = colours(VERTICES).astype(np.float32)


def picture(vertices, colours, with_edges=True):
    """Mask and colours [H, W, 4] of the surface before black."""
    ids = raster.rasterize(vertices, FACES, SIZE, CAPACITY).front_ids
    depth, barycentrics = surface.resolve(vertices, FACES, ids)
    attributes = jnp.concatenate([jnp.ones((len(vertices), 1)), colours], axis=1)
    if not with_edges:
        return surface.interpolate(attributes, FACES, ids, barycentrics)
    held = jax.lax.stop_gradient(barycentrics)
    drawn, positions = (surface.interpolate(rows, FACES, ids, held) for rows in (attributes, vertices[:, :2]))
    return edge_gradient(drawn, positions, depth, ids, JUMP)


def weights(seed, channels):
    """A smooth picture [H, W, 4] to weigh a drawing with, on some channels."""
    rows, columns = np.indices(SIZE) / SIZE[0]
    draw = np.random.default_rng(seed).uniform(-4, 4, (4, 3))
    return np.stack([np.sin(a * rows + b * columns + c) for a, b, c in draw], -1) * channels


def deformation(seed):
    """A smooth way [V, 3] to move all vertices, about a pixel."""
    draw = np.random.default_rng(seed).uniform(-1, 1, (2, 4))
    x, y = VERTICES[:, 0] / SIZE[1], VERTICES[:, 1] / SIZE[0]
    waves = [np.sin(3 * (a * x + b * y) + 3 * c) + d for a, b, c, d in draw]
    return np.stack([*waves, np.zeros(len(x))], -1).astype(np.float32)


@pytest.mark.parametrize("channels, bound", [((1, 0, 0, 0), 0.05), ((0, 1, 1, 1), 0.12)], ids=["mask", "colour"])
def test_gradient_equals_finite_differences(channels, bound):
    value = jax.jit(lambda vertices, weight: (picture(vertices, COLOURS) * weight).sum())
    slope = jax.jit(jax.grad(lambda vertices, weight: (picture(vertices, COLOURS) * weight).sum()))
    found, expected = [], []
    for seed in range(6):
        weight, way = weights(seed, np.array(channels)).astype(np.float32), deformation(seed)
        found.append(float((slope(VERTICES, weight) * way).sum()))
        # Point samples jump: the slope is a mean over steps of up to two pixels.
        steps = [0.5, 1.0, 1.5, 2.0]
        values = [[float(value(VERTICES + sign * step * way, weight)) for sign in (1, -1)] for step in steps]
        expected.append(np.mean([(up - down) / (2 * step) for (up, down), step in zip(values, steps, strict=True)]))
    error = np.linalg.norm(np.subtract(found, expected)) / np.linalg.norm(expected)
    assert error < bound


def test_without_it_a_mask_has_no_gradient():
    weight = weights(0, np.array([1, 0, 0, 0])).astype(np.float32)
    value = jax.jit(jax.grad(lambda vertices: (picture(vertices, COLOURS, with_edges=False) * weight).sum()))
    plain = value(VERTICES)
    np.testing.assert_allclose(plain, 0, atol=1e-5)


def test_attributes_have_their_own_gradient_still():
    weight = weights(1, np.array([0, 1, 1, 1])).astype(np.float32)
    value = jax.jit(lambda colours: (picture(VERTICES, colours) * weight).sum())
    gradient, way = (
        jax.jit(jax.grad(value))(COLOURS),
        np.random.default_rng(0).normal(size=COLOURS.shape).astype(np.float32),
    )
    slope = (float(value(COLOURS + way)) - float(value(COLOURS - way))) / 2
    np.testing.assert_allclose((gradient * way).sum(), slope, rtol=1e-3)


def test_a_wrong_place_size_and_turn_are_mended_by_descent():
    middle = jnp.array([SIZE[1] / 2, SIZE[0] / 2, 0.0])

    def posed(pose):
        """The surface moved by pose [4]: shift x, y (pixels), size (logarithm), turn (radians about the vertical)."""
        points = (VERTICES - middle) * jnp.array([1, 1, 30.0])
        cosine, sine = jnp.cos(pose[3]), jnp.sin(pose[3])
        x, z = points[:, 0] * cosine + points[:, 2] * sine, points[:, 2] * cosine - points[:, 0] * sine
        points = jnp.stack([x, points[:, 1], z], axis=-1) * jnp.exp(pose[2])
        return points / jnp.array([1, 1, 30.0]) + middle + jnp.array([pose[0], pose[1], 0.0])

    target = jax.jit(lambda pose: picture(posed(pose), COLOURS))(jnp.zeros(4))
    start = jnp.array([6.0, -5.0, 0.15, 0.35])
    unit = jnp.array([1.0, 1.0, 0.03, 0.03])  # about a pixel each

    def loss(pose):
        return jnp.square(picture(posed(pose), COLOURS) - target).mean()

    def step(index, pose):
        gradient = jax.grad(loss)(pose) * unit
        size = 0.6 * 0.97**index
        return pose - size * unit * gradient / (jnp.linalg.norm(gradient) + 1e-9)  # 1e-9: a fit has no slope

    found = jax.jit(lambda pose: jax.lax.fori_loop(0, 120, step, pose))(start)
    np.testing.assert_array_less(jnp.abs(found / unit), 0.5)
