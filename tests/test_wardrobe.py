"""Dressing a body: what fails is drawn anew, then the pose, then the body; and it is counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from tryon_jax.simulation import body, gates, specification, wardrobe

BODY = 7
PASSED = gates.Report(0.0, 0.0, 0.0, ())
FAILED = gates.Report(0.0, 0.2, 0.0, ("strain",))


@pytest.fixture
def tried(monkeypatch):
    """The (shape, pose attempt) of every pose that was tried; nothing is draped in truth."""
    poses = []

    def posed(body_id, seed, attempt, shape):
        poses.append((shape, attempt))
        return body.Pose("standing", {}, 0.0), SimpleNamespace(shape=shape)

    monkeypatch.setattr(wardrobe, "_posed", posed)
    return poses


def failing(monkeypatch, fails):
    """Makes garments fail where fails(moving, garment_id, attempt) says so; returns what was put on, in order."""
    seen = []

    def put_on(outfit, moving, seed, levels, attempts, made):
        worn = []
        for kind, garment_id in outfit:
            attempt = attempts.get(garment_id, 0)
            seen.append((garment_id, attempt))
            report = FAILED if fails(moving, garment_id, attempt) else PASSED
            key = (garment_id, attempt, False, False, worn[-1].key if worn else ())
            worn.append(wardrobe.Hung(kind, garment_id, None, None, report, key, False))
            if report.failed:
                break
        made.update({one.key: one for one in worn})
        return tuple(worn)

    monkeypatch.setattr(wardrobe, "_put_on", put_on)
    return seen


def dress():
    return wardrobe.dress.__wrapped__(BODY, 0, 1)


def test_what_passes_is_worn_at_once(tried, monkeypatch):
    failing(monkeypatch, lambda *_: False)
    closet = dress()
    assert closet.redraws == 0 and len(tried) == 1
    worn = [[(one.kind, one.garment_id) for one in outfit] for outfit in closet.outfits]
    assert worn == [list(outfit) for outfit in specification.outfits(BODY, 0)]


def test_a_garment_that_fails_is_cut_anew_and_counted(tried, monkeypatch):
    bad = specification.outfits(BODY, 0)[0][-1][1]
    failing(monkeypatch, lambda _, garment_id, attempt: garment_id == bad and attempt < 3)
    assert dress().redraws == 3 and len(tried) == 1


def test_what_a_jacket_hangs_on_is_cut_anew_each_second_time_and_the_skirt_is_not(tried, monkeypatch):
    worn = (("skirt", 80), ("hoodie", 81), ("jacket", 82))
    monkeypatch.setattr(specification, "outfits", lambda *_: (worn, worn[:2]))
    hoodies = {0: 0}

    def fails(_, garment_id, attempt):
        hoodies[0] = max(hoodies[0], attempt) if garment_id == 81 else hoodies[0]
        return garment_id == 82 and hoodies[0] < 2

    seen = failing(monkeypatch, fails)
    assert dress().redraws == 4
    assert max(attempt for garment_id, attempt in seen if garment_id == 80) == 0
    assert [attempt for garment_id, attempt in seen if garment_id == 82] == [0, 1, 2, 3, 4]


def test_a_pose_in_which_nothing_passes_is_given_up(tried, monkeypatch):
    failing(monkeypatch, lambda *_: len(tried) < 3)
    closet = dress()
    assert closet.redraws == 2 * wardrobe.PATIENCE
    assert closet.drapes > closet.redraws  # those of the poses given up are counted too
    assert [attempt for _, attempt in tried] == [0, 1, 2]
    assert all(np.array_equal(shape, tried[0][0]) for shape, _ in tried)


def test_a_body_on_which_nothing_passes_is_given_up_for_another_of_its_gender(tried, monkeypatch):
    failing(monkeypatch, lambda moving, *_: np.array_equal(moving.shape, tried[0][0]))
    closet = dress()
    assert closet.redraws == wardrobe.ATTEMPTS
    first, last = tried[0][0], tried[-1][0]
    assert not np.array_equal(first, last) and np.array_equal(closet.shape, last)
    assert (first[0] > 0.5) == (last[0] > 0.5) == specification.is_woman(BODY, 0)


def test_a_body_that_nothing_ever_fits_is_an_error_that_names_it(tried, monkeypatch):
    failing(monkeypatch, lambda *_: True)
    with pytest.raises(ValueError, match=rf"body {BODY} of seed 0: \d+ garments in a row failed a gate.*strain"):
        dress()
    assert len({shape.tobytes() for shape, _ in tried}) == wardrobe.BODIES
