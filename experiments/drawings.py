"""An example together with the meshes that it was drawn from."""

from typing import NamedTuple
from unittest import mock

import numpy as np

from tryon_jax.simulation import drawing, scene


class Drawing(NamedTuple):
    """One call of drawing.draw: its mesh, textures [H, W, 3], light, camera, openness [V] and the front and back
    drawing.Side that it gave, None where the back was not wanted."""

    mesh: drawing.Mesh
    textures: np.ndarray
    light: np.ndarray
    camera: np.ndarray
    openness: np.ndarray
    front: drawing.Side
    back: drawing.Side | None


def example(spec, size):
    """(example of a Specification, Drawing of its sheets, of its photo, of its shop picture); photo and sheets are one
    Drawing where both show the same clothes."""
    made = []
    draw = drawing.draw

    def noted(mesh, textures, light, camera, size, layers, openness, behind):
        sides = draw(mesh, textures, light, camera, size, layers, openness, behind)
        made.append(Drawing(mesh, np.asarray(textures), light, camera, openness, *sides))
        return sides

    with mock.patch.object(drawing, "draw", noted):
        arrays = scene.example(spec, size)
    sheets, *between, shop = made
    return arrays, sheets, between[0] if between else sheets, shop
