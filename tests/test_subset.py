"""Parts of a data set: which examples they hold, and what is refused."""

import pytest

from tryon_jax.data import subset
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES

SOURCE = [{"number": number, "garment_class": number % len(GARMENT_CLASSES)} for number in range(21)]


def numbers(source):
    return [source[index]["number"] for index in range(len(source))]


def test_everything_is_the_source_itself():
    assert subset.chosen(SOURCE) is SOURCE


def test_classes_and_shares_are_what_a_filter_finds():
    classes = (GARMENT_CLASSES[2], GARMENT_CLASSES[0])
    of_class = [number for number in range(21) if GARMENT_CLASSES[number % len(GARMENT_CLASSES)] in classes]
    assert numbers(subset.chosen(SOURCE, classes)) == of_class
    assert numbers(subset.chosen(SOURCE, classes, 0.5)) == of_class[: round(len(of_class) / 2)]
    assert numbers(subset.chosen(SOURCE, share=0.1)) == [0, 1]


def test_shares_are_nested():
    small, large = (numbers(subset.chosen(SOURCE, share=share)) for share in (0.3, 0.6))
    assert set(small) < set(large)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": ("hat",)}, "no garment class 'hat'"),
        ({"share": 0.0}, "above 0"),
        ({"share": 1.5}, "at most 1"),
        ({"share": 0.001}, "none of 21 examples"),
    ],
)
def test_what_leaves_nothing_is_refused(settings, words):
    with pytest.raises(UserError, match=words):
        subset.chosen(SOURCE, **settings)


def test_an_index_beyond_the_end_is_refused():
    with pytest.raises(IndexError):
        subset.chosen(SOURCE, share=0.5)[15]
