"""Motifs of garment pictures: found where they are on the front alone, and painted over with the cloth around."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tryon_jax.render import motif

SIZE = 240
RED, WHITE, NAVY = (0.7, 0.1, 0.12), (0.95, 0.95, 0.93), (0.1, 0.12, 0.35)


def shirt():
    """The mask bool [SIZE, SIZE] of a T-shirt."""
    image = Image.new("1", (SIZE, SIZE))
    outline = [
        (80, 20),
        (160, 20),
        (225, 60),
        (205, 100),
        (175, 85),
        (175, 225),
        (65, 225),
        (65, 85),
        (35, 100),
        (15, 60),
    ]
    ImageDraw.Draw(image).polygon(outline, fill=1)
    return np.asarray(image)


def cloth(colour, seed=0):
    """A plain picture with folds (lightness by a tenth) and grain."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    folds = 1 + 0.1 * np.sin(9 * x + 4 * y)
    grain = np.random.default_rng(seed).normal(0, 0.01, (SIZE, SIZE, 3))
    return np.clip(np.array(colour) * folds[..., None] + grain, 0, 1).astype(np.float32)


def printed(picture, colour):
    """The picture with a word on its chest, and where that is."""
    image = Image.new("1", (SIZE, SIZE))
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((90, 90, 150, 96), fill=1)
    drawing.ellipse((100, 105, 140, 145), fill=1)
    drawing.ellipse((110, 115, 130, 135), fill=0)
    where = np.asarray(image)
    return np.where(where[..., None], np.float32(colour), picture), where


@pytest.mark.parametrize(("ground", "ink"), [(RED, WHITE), (WHITE, NAVY), (NAVY, (0.9, 0.6, 0.1))])
def test_a_word_on_the_chest_is_painted_over_and_all_else_stays(ground, ink):
    base, mask = cloth(ground), shirt()
    picture, where = printed(base, ink)
    found = motif.motifs(picture, mask)
    assert found[where].all() and found.sum() < 4 * where.sum() and not (found & ~mask).any()
    plain = motif.plain(picture, mask)
    np.testing.assert_array_equal(plain[~found], picture[~found])
    assert np.abs(plain - base)[found].mean() < 0.06 < np.abs(picture - base)[where].mean()


def test_stripes_go_on_behind_a_word():
    mask, y = shirt(), np.mgrid[:SIZE, :SIZE][0]
    base = np.where((y // 15 % 2 == 0)[..., None], cloth(WHITE), cloth(NAVY))
    np.testing.assert_array_equal(motif.plain(base, mask), base)
    picture, where = printed(base, RED)
    plain = motif.plain(picture, mask)
    assert np.abs(plain - base)[where].mean() < 0.06


def test_what_is_all_over_is_no_motif():
    mask, base = shirt(), cloth(WHITE)
    np.testing.assert_array_equal(motif.plain(base, mask), base)
    y, x = np.mgrid[:SIZE, :SIZE]
    dots = ((x % 20 - 10) ** 2 + (y % 20 - 10) ** 2 < 16)[..., None]
    dotted = np.where(dots, np.float32(RED), base)
    np.testing.assert_array_equal(motif.plain(dotted, mask), dotted)
    checked = np.where(((x // 12 + y // 12) % 2 == 0)[..., None], cloth(NAVY), base)
    np.testing.assert_array_equal(motif.plain(checked, mask), checked)


def test_bands_on_the_shoulders_stay():
    mask, base = shirt(), cloth(RED)
    y, x = np.mgrid[:SIZE, :SIZE]
    band = mask & (np.abs(np.abs(x - 120) - 55) < 5) & (y < 80)
    banded = np.where(band[..., None], np.float32(WHITE), base)
    np.testing.assert_array_equal(motif.plain(banded, mask), banded)
    picture, where = printed(banded, NAVY)
    plain = motif.plain(picture, mask)
    np.testing.assert_array_equal(plain[band], banded[band])
    assert np.abs(plain - base)[where].mean() < 0.06


def test_a_label_inside_the_collar_goes():
    mask, picture = shirt(), cloth(RED)
    picture[30:40, 112:128] = WHITE
    plain = motif.plain(picture, mask)
    assert np.abs(plain[32:38, 114:126] - np.array(RED)).max() < 0.12


def test_nothing_and_no_garment_are_left_as_they_are():
    picture = cloth(RED)
    for mask in (np.zeros((SIZE, SIZE), bool), np.eye(SIZE, dtype=bool)):
        np.testing.assert_array_equal(motif.plain(picture, mask), picture)
    small = picture[:8, :8]
    assert motif.plain(small, np.ones((8, 8), bool)).shape == small.shape
