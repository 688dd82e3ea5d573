"""A garment alone, as a shop shows it: laid flat on a table or as on a ghost, from the front and from behind."""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax.render import shade
from tryon_jax.simulation import drawing, laid, worn

ROOMS = ((8192, 12288), (24576, 40960))  # vertices and faces of every garment of coarse cloth, and of fine
LAYERS = 4.0  # how often faces' boxes cover the picture: 1.7 in the median, seldom over 3
MARGIN = 0.06  # free share of the picture on each side


class Shop(NamedTuple):
    """How a garment is shown alone: vertices [V, 3] f32, flat or as on a ghost; picture_xy [P, 2] f32 metres, where
    each paper corner is seen from the front; camera [3] f32; lies: whether it lies flat."""

    vertices: np.ndarray
    picture_xy: np.ndarray
    camera: np.ndarray
    lies: bool


def arranged(draped, vertices, lies, size):
    """The Shop of a drape.Draped with vertices [V, 3], in a picture of side `size`."""
    picture_xy = vertices[draped.mesh.weld][:, [0, 2]]
    low, high = picture_xy.min(0), picture_xy.max(0)
    scale = (high - low).max() / ((1 - 2 * MARGIN) * size)
    return Shop(vertices, picture_xy, np.array([scale, *(low + high) / 2], np.float32), lies)


def coordinates(shop, size):
    """Place of every paper corner in the picture from the front, [P, 2] f32 in [-1, 1], x right, y down."""
    offset = (shop.picture_xy - shop.camera[1:]) / (shop.camera[0] * size / 2)
    return (offset * np.array([1, -1])).astype(np.float32)


def sides(hung, prepared, shop, texture, size, fine, behind=False):
    """Front and back drawing.Side of a wardrobe.Hung with its worn.Worn; the back None unless it is wanted.

    texture [N, N, 3]: its sheet; fine: whether its cloth is.
    """
    everything = np.ones(hung.draped.mesh.count, bool)
    alone = worn.mesh(hung, prepared, shop.vertices, (0, 1), everything, coordinates(shop, size))
    mesh = drawing.join([alone], ROOMS[fine])
    lining = worn.lining(hung.draped)
    openness = np.pad(lining, (0, len(mesh.vertices) - len(lining)), constant_values=1)
    return drawing.draw(mesh, texture, light(), shop.camera, size, LAYERS, openness, behind)


def picture(side, ground, lies):
    """A drawing.Side on a ground of colour [3], [S, S, 3] f32, with a soft shadow if it lies there."""
    coverage = np.asarray(side.coverage)
    table = np.float32(ground) * (laid.shadow(coverage) if lies else 1)
    return np.asarray(side.rgb) * coverage + table * (1 - coverage)


def ground(rng):
    """A random colour [3] of what shops show clothes on: mostly white."""
    plain = rng.uniform(0.94, 1.0) + np.zeros(3)
    if rng.uniform() < 0.15:
        plain = np.clip(rng.uniform(0.5, 0.9) + rng.uniform(-0.15, 0.15, 3), 0, 1)
    return plain


@functools.cache
def light():
    """Even light from the front, [9, 3]: the picture's colours are the print's, but for soft folds."""
    lamp = shade.distant_light(np.array([0.2, 0.4, 0.894], np.float32), np.full(3, 0.22, np.float32))
    return np.asarray(shade.constant_light(np.full(3, 0.8, np.float32)) + lamp)
