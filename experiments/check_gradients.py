"""Gradients of a body's picture against central differences, and a wrong pose and camera mended by descent.

    python experiments/check_gradients.py [--size 256] [--out DIR]

Mask and colours (a shaded body): the slope along random smooth deformations of about a pixel, weighed by random smooth
pictures, against central differences of the same picture with 4 x 4 samples a pixel. Attributes: the slope along random
colours of the vertices. Then a body that is turned, moved, bent at the arms and seen by a camera of
the wrong scale is brought back onto its picture by descent; with --out, recovered.png shows the target, the start and
the end. Exits with 1 if a limit is missed.
"""

import argparse
import pathlib
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments.limits import Row, judge  # noqa: E402
from tryon_jax.geometry.camera import camera_from_world, project  # noqa: E402
from tryon_jax.geometry.mesh import vertex_normals  # noqa: E402
from tryon_jax.render import (  # noqa: E402
    native,
    shade,
    surface,  # noqa: E402
)
from tryon_jax.render import rasterize as raster  # noqa: E402
from tryon_jax.render.edges import edge_gradient  # noqa: E402
from tryon_jax.simulation import body  # noqa: E402

HEIGHT = 2.2  # metres that a picture shows
FINE = 4  # samples a pixel, along a side, of the picture whose differences are true
STEPS = (0.5, 1.0)  # of a central difference, in deformations of about a pixel
TRIALS, DESCENT = 8, 160


class Scene:
    """A body's points [V, 3] in the camera's frame, its colours [V, 3], and how it is drawn in a picture of a size."""

    def __init__(self, size):
        model, rng = body.load(), np.random.default_rng(3)
        person = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, "a_pose"))
        points = np.asarray(camera_from_world(person.vertices, 0.4), np.float32)
        self.points = points - np.array([0, HEIGHT / 2 - 0.1, 0], np.float32)
        self.faces, self.size = np.asarray(model.faces), (size, size)
        self.scale = HEIGHT / size
        lamp = shade.distant_light(np.array([0.45, 0.55, 0.70], np.float32), np.array([0.6, 0.5, 0.4], np.float32))
        light = shade.constant_light(np.array([0.2, 0.3, 0.4], np.float32)) + lamp
        normals = vertex_normals(self.points, self.faces)
        self.colours = np.asarray(shade.spherical_harmonics(normals, light), np.float32)

    def samples(self, points, colours, scale, size):
        """(vertices, ids, depth, barycentrics, mask and colours [H, W, 4]) in a picture of a size; scale: metres a
        pixel of it."""
        vertices = project(jnp.stack([scale, 0.0, 0.0]), points, size)
        ids = raster.rasterize(vertices, self.faces, size, raster.MAX_CAPACITY, "native").front_ids
        attributes = jnp.concatenate([jnp.ones((len(points), 1)), colours], axis=1)
        return vertices, ids, *surface.at_pixels(vertices, self.faces, ids, attributes)

    def fine(self, points, colours, scale):
        """Mask and colours [H, W, 4] with FINE x FINE samples a pixel."""
        (height, width), large = self.size, tuple(FINE * side for side in self.size)
        drawn = self.samples(points, colours, scale / FINE, large)[-1]
        return drawn.reshape(height, FINE, width, FINE, -1).mean((1, 3))

    def draw(self, points, colours, scale):
        """Mask and colours [H, W, 4] of points [V, 3], with the gradient of edges; scale: metres a pixel."""
        vertices, ids, depth, barycentrics, _ = self.samples(points, colours, scale, self.size)
        held = jax.lax.stop_gradient(barycentrics)
        attributes = jnp.concatenate([jnp.ones((len(points), 1)), colours], axis=1)
        drawn, positions = (surface.interpolate(rows, self.faces, ids, held) for rows in (attributes, vertices[:, :2]))
        return edge_gradient(drawn, positions, depth, ids)


def weights(rng, size, channels):
    """A smooth random picture [H, W, 4], zero but on some channels."""
    rows, columns = np.indices(size) / size[0]
    waves = [np.sin(a * rows + b * columns + c) for a, b, c in rng.uniform(-6, 6, (4, 3))]
    return (np.stack(waves, -1) * np.array(channels)).astype(np.float32)


def deformation(rng, points):
    """A smooth random way [V, 3] to move points, about a metre long."""
    waves = [np.sin(points @ rng.uniform(-3, 3, 3) + rng.uniform(0, 6)) + rng.uniform(-1, 1) for _ in range(2)]
    return np.stack([*waves, np.zeros(len(points))], -1).astype(np.float32)


def off(found, expected):
    """Relative error of a list of slopes."""
    return float(np.linalg.norm(np.subtract(found, expected)) / np.linalg.norm(expected))


def slopes(scene, channels):
    """Relative error of the slope along deformations."""

    def value(points, weight, draw):
        return (draw(points, scene.colours, scene.scale) * weight).sum()

    slope, rng = jax.jit(jax.grad(partial(value, draw=scene.draw))), np.random.default_rng(0)
    value = jax.jit(partial(value, draw=scene.fine))
    found, expected = [], []
    for _ in tqdm.trange(TRIALS, desc="slopes", unit="trial"):
        weight, way = weights(rng, scene.size, channels), deformation(rng, scene.points) * scene.scale
        found.append(float((slope(scene.points, weight) * way).sum()))
        ends = [[float(value(scene.points + sign * step * way, weight)) for sign in (1, -1)] for step in STEPS]
        expected.append(np.mean([(up - down) / (2 * step) for (up, down), step in zip(ends, STEPS, strict=True)]))
    return off(found, expected)


def attribute_slopes(scene):
    """Relative error of the slope along colours."""

    def value(colours, weight):
        return (scene.draw(scene.points, colours, scene.scale) * weight).sum()

    value, slope, rng = jax.jit(value), jax.jit(jax.grad(value)), np.random.default_rng(1)
    found, expected = [], []
    for _ in range(TRIALS):
        weight, way = weights(rng, scene.size, (0, 1, 1, 1)), deformation(rng, scene.points)
        found.append(float((slope(scene.colours, weight) * way).sum()))
        expected.append(float(value(scene.colours + way, weight) - value(scene.colours - way, weight)) / 2)
    return off(found, expected)


# What is sought: turn about the vertical, shift right and up, the camera's scale, how the arms are lifted. And a unit
# of each that moves the picture by about a pixel at 256 px.
START = np.array([0.35, 0.06, -0.05, 0.12, 0.45], np.float32)
UNIT = np.array([0.03, 0.009, 0.009, 0.01, 0.03], np.float32)


def changed(scene, sought):
    """(points, scale) under the parameters sought [5], all zero where nothing is wrong."""
    turn, right, up, scale, lift = sought
    points = jnp.asarray(scene.points)
    # Arms, and a foot at times: what is farther than 20 cm to a side is lifted, smoothly.
    reach = jnp.clip((jnp.abs(points[:, :1]) - 0.2) / 0.3, 0, 1)
    points = points + lift * reach * jnp.array([0.0, 0.5, 0.0])
    cosine, sine = jnp.cos(turn), jnp.sin(turn)
    x, z = points[:, 0] * cosine + points[:, 2] * sine, points[:, 2] * cosine - points[:, 0] * sine
    return jnp.stack([x + right, points[:, 1] + up, z], axis=-1), scene.scale * jnp.exp(scale)


def recovered(scene):
    """(parameters found [5] in units, pictures [3, H, W, 3]: target, start, end)."""

    def picture(sought):
        points, scale = changed(scene, sought)
        return scene.draw(points, scene.colours, scale)

    picture = jax.jit(picture)
    target = picture(jnp.zeros(5))

    @jax.jit
    def step(sought, index):
        slope = jax.grad(lambda s: jnp.square(picture(s) - target).mean())(sought) * UNIT
        # 1e-9: a perfect fit has no slope.
        return sought - 1.5 * 0.975**index * UNIT * slope / (jnp.linalg.norm(slope) + 1e-9)

    sought = jnp.asarray(START)
    for index in tqdm.trange(DESCENT, desc="descent", unit="step"):
        sought = step(sought, index)
    shown = [np.asarray(picture(s)[..., 1:]) for s in (jnp.zeros(5), jnp.asarray(START), sought)]
    return np.asarray(sought) / UNIT, np.stack(shown)


def main():
    """Prints what was found beside what is wanted; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()
    if not native.available():
        print("error: it is written for the C++ kernel; install a compiler", file=sys.stderr)
        return 1
    scene = Scene(given.size)
    rows = [
        Row("mask: error of the slope", 100 * slopes(scene, (1, 0, 0, 0)), "<", 5, "{:.2f} %"),
        Row("colour: error of the slope", 100 * slopes(scene, (0, 1, 1, 1)), "<", 12, "{:.2f} %"),
        Row("attributes: error of the slope", 100 * attribute_slopes(scene), "<", 0.1, "{:.3f} %"),
    ]
    found, pictures = recovered(scene)
    start = ", ".join(f"{value:.1f}" for value in START / UNIT)
    print(f"descent: turn, right, up, scale, arms, each in pixels: from {start} to {np.round(found, 2)}")
    rows.append(Row("descent: largest error left, pixels", float(np.abs(found).max()), "<", 0.5, "{:.2f}"))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        sheet = np.concatenate(pictures, axis=1)
        Image.fromarray(np.round(np.clip(sheet, 0, 1) * 255).astype(np.uint8)).save(given.out / "recovered.png")
    return judge(rows)


if __name__ == "__main__":
    sys.exit(main())
