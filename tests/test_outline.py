"""Rims that follow the soft mask: nearer to the true outline, closed as before, never folded over."""

import numpy as np
import pytest
from scipy import ndimage
from test_lift import CAMERA, ball, check_closed, sheets_of

from tryon_jax.render import outline
from tryon_jax.render.height_field import clean_mask
from tryon_jax.render.lift import lift


def silhouette_error(mesh, directions=360):
    """Largest distance in pixels of the mesh's outline, as seen from in front, to the ball's circle."""
    column = (mesh.vertices[:, 0] - CAMERA[1]) / CAMERA[0] + 22 - 21.2
    row = 20 - (mesh.vertices[:, 1] - CAMERA[2]) / CAMERA[0] - 19.4
    angles = np.arange(directions) * 2 * np.pi / directions
    reach = (np.stack([column, row], 1) @ np.stack([np.cos(angles), np.sin(angles)])).max(0)
    return np.abs(reach - 16.3).max()


def covered(size=40, radius=16.3, parts=8):
    """Share of each pixel that the ball covers."""
    rows, columns = (np.indices((size * parts, (size + 4) * parts)) + 0.5) / parts
    inside = ((columns - 21.2) ** 2 + (rows - 19.4) ** 2 < radius**2).astype(np.float32)
    return inside.reshape(size, parts, size + 4, parts).mean((1, 3))


def test_the_outline_is_the_circles_to_a_quarter_of_a_pixel_where_coverage_is_known():
    sheets = {**ball(), "mask": covered()[..., None]}
    staircase, smooth = lift(sheets, CAMERA), lift(sheets, CAMERA, blur=1.0)
    check_closed(smooth)
    np.testing.assert_array_equal(smooth.faces, staircase.faces)
    assert silhouette_error(smooth) < 0.25 < 0.3 < silhouette_error(staircase)


def test_steps_of_a_mask_without_soft_values_are_rounded():
    rows, columns = np.indices((60, 40))
    edge = 20 + rows * 0.15
    mask = (columns < edge) & (columns > 4) & (rows > 3) & (rows < 56)
    sheets = sheets_of(mask, np.full(mask.shape, 0.1), np.zeros(mask.shape))
    errors = []
    for blur in (None, 1.0, 2.0):
        mesh = lift(sheets, CAMERA, blur=blur)
        column = (mesh.vertices[:, 0] - CAMERA[1]) / CAMERA[0] + 20
        row = 30 - (mesh.vertices[:, 1] - CAMERA[2]) / CAMERA[0]
        right = (row > 10) & (row < 50) & (column > edge[row.astype(int), 0] - 1.2)
        outer = [column[right & (row.astype(int) == number)].max() for number in range(12, 48)]
        line = np.polyval(np.polyfit(np.arange(12, 48), outer, 1), np.arange(12, 48))
        errors.append(np.std(outer - line))
    assert errors[2] < errors[1] < 0.75 * errors[0]


@pytest.mark.parametrize("seed", range(20))
def test_any_mask_stays_closed_and_its_front_is_not_folded(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(12, 40, 2))
    field = ndimage.gaussian_filter(rng.normal(size=shape), (0.7, 1.5, 2.5, 4.0)[seed % 4])
    field = np.clip(0.5 + (field - np.quantile(field, 0.4)) / field.std(), 0, 1)
    sheets = {**sheets_of(field > 0.5, np.ones(shape), np.zeros(shape), seed), "mask": field[..., None]}
    mesh = lift(sheets, CAMERA, blur=0.7)
    check_closed(mesh)
    front = mesh.vertices[mesh.faces][(mesh.vertices[mesh.faces][..., 2] > 0.9).all(1)]
    one, two = front[:, 1, :2] - front[:, 0, :2], front[:, 2, :2] - front[:, 0, :2]
    assert len(front) and (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] > 0).all()


def test_nothing_moves_but_the_rim_and_never_by_much():
    field = covered()
    solid = clean_mask(field > 0.5)
    moved = outline.moves(field, solid, 0.7)
    inside = ndimage.binary_erosion(solid, np.ones((3, 3)))
    assert not moved[inside].any() and not moved[~solid].any() and moved[solid & ~inside].any()
    assert np.linalg.norm(moved, axis=-1).max() <= outline.LIMIT + 1e-6
    assert not outline.moves(np.ones((9, 9)), np.ones((9, 9), bool), 1.0).any()
