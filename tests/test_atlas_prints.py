"""Prints in the [front | back] atlas: sizes in metres, motifs on the front only."""

import numpy as np
import pytest

from tryon_jax.simulation import prints

SIDE, METRES = 256, 1.0
KINDS = prints.KINDS[:7]
SHAPES = ("circle", "heart", "star", "diamond", "ring", "bars", "letters")


def one(kind, seed=0, shape="circle"):
    """A white print of `kind` with black figures, without randomness but for its seed."""
    colours = np.array([[0.9, 0.9, 0.9], [0.1, 0.1, 0.1], [0.5, 0.1, 0.1]])
    return prints.Print(kind, shape, colours, 0.1, 0.5, seed, "white and black")


def halves(picture):
    return picture[:, : SIDE // 2], picture[:, SIDE // 2 :]


@pytest.mark.parametrize("kind", KINDS)
def test_range_and_same_seed(kind):
    picture = prints.texture(one(kind), SIDE, METRES)
    assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.float32
    assert 0 <= picture.min() and picture.max() <= 1
    np.testing.assert_array_equal(picture, prints.texture(one(kind), SIDE, METRES))


def test_only_a_motif_tells_front_from_back():
    for kind in KINDS:
        front, back = halves(prints.texture(one(kind), SIDE, METRES))
        assert (np.abs(front - back).max() > 0.3) == (kind == "motif"), kind


@pytest.mark.parametrize("metres", [0.8, 1.6])
@pytest.mark.parametrize(("kind", "axis"), [("horizontal stripes", 0), ("vertical stripes", 1)])
def test_stripes_are_as_wide_as_they_say(kind, axis, metres):
    front, _ = halves(prints.texture(one(kind), SIDE, metres))
    line = front.mean(axis=(1 - axis, 2)) < 0.5
    edges = np.flatnonzero(np.diff(line.astype(int)) == 1)
    assert np.diff(edges).mean() * metres / SIDE == pytest.approx(0.1, rel=0.03)
    assert line.mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_motif_lies_on_the_chest(shape):
    front, _ = halves(prints.texture(one("motif", shape=shape), SIDE, METRES, chest=0.3))
    dark = front.mean(-1) < 0.5
    rows, columns = np.nonzero(dark)
    assert (rows.min() + rows.max()) / 2 / SIDE * METRES == pytest.approx(0.3, abs=0.03)
    assert (columns.min() + columns.max()) / 2 / SIDE * METRES == pytest.approx(0.25, abs=0.01)
    assert 0.1 < (columns.max() - columns.min()) / SIDE * METRES < 0.35


def test_a_gradient_runs_over_the_garment():
    front, _ = halves(prints.texture(one("gradient"), SIDE, METRES, length=0.5))
    line = front.mean(axis=(1, 2))
    assert line[5] > 0.85 and line[SIDE // 2 - 5] < 0.15
    assert (np.diff(line) < 0.03).all()
