"""The probe of classes votes as a brute-force twin does, weighs levels alike, and shows encoders photographs alone."""

from collections import Counter

import numpy as np
import pytest
from test_garment_photos import folder_of

from experiments import probe_classes as probe
from tryon_jax import pretext
from tryon_jax.errors import UserError


def vote(asked, neighbours, labels, count):
    """The twin: one photograph after the other."""
    found = []
    for row in asked:
        nearest = labels[np.argsort(((neighbours - row) ** 2).sum(1))[:count]]
        most = max(Counter(nearest).values())
        tied = [label for label, votes in Counter(nearest).items() if votes == most]
        # Of the tied, the one whose neighbours' ranks have the smallest sum.
        found.append(min(tied, key=lambda label: np.flatnonzero(nearest == label).sum()))
    return np.array(found)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_votes_are_those_of_a_loop(count):
    rng = np.random.default_rng(0)
    asked, neighbours = rng.normal(size=(200, 3)), rng.normal(size=(60, 3))
    labels = rng.integers(0, 3, 60)
    theirs = vote(asked, neighbours, labels, count)
    ours = probe.voted(asked, neighbours, labels, count)
    # Ranks 0 + 3 and 1 + 2 tie in the sum: either class will do.
    assert (ours == theirs).mean() >= (0.95 if count == 5 else 1)


def test_readouts_are_of_length_one_and_components_are_turned_and_half_whitened():
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    features = {split: rng.normal(size=(count, 6)) * [9, 4, 1, 1, 1, 0] @ turn for split, count in
                (("train", 500), ("test", 20))}  # fmt: skip
    found = probe.readouts(features)
    assert tuple(found) == probe.READOUTS and found["distances"] is features
    for way in ("angles", "components"):
        for rows in found[way].values():
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)
    # What never varies has no component; a turned set has the same ones, up to signs.
    assert found["components"]["test"].shape == (20, 5)
    turned = probe.readouts({split: rows @ turn for split, rows in features.items()})["components"]["test"]
    np.testing.assert_allclose(np.abs(turned), np.abs(found["components"]["test"]), atol=1e-6)
    # Two clusters a step apart in a quiet direction, beside a loud one: half-whitening tells them apart more often.
    side = {split: rng.integers(0, 2, count) for split, count in (("train", 400), ("test", 200))}
    rows = {split: rng.normal(size=(len(one), 2)) * [30, 0.5] + np.stack([0 * one, 2 * one], 1)
            for split, one in side.items()}  # fmt: skip
    told = probe.right(rows, side, 5)
    assert told["components"].mean() > told["distances"].mean()


def test_means_are_over_cells_and_scaling_weighs_levels_alike():
    rng = np.random.default_rng(1)
    pictures = rng.uniform(size=(5, 8, 8, 3))
    found = probe.means(pictures, 4).reshape(5, 4, 4, 3)
    np.testing.assert_allclose(found[2, 1, 3], pictures[2, 2:4, 6:8].mean((0, 1)))
    assert probe.means(pictures, 16).shape == (5, 8 * 8 * 3)
    levels = {
        "a": {"train": rng.normal(7, 100, (400, 50)), "test": rng.normal(7, 100, (9, 50))},
        "b": {"train": rng.normal(0, 0.1, (400, 4)), "test": rng.normal(0, 0.1, (9, 4))},
    }
    levels["b"]["train"][:, 3] = levels["b"]["test"][:, 3] = 0.5  # constant: it must not count, and not divide by zero
    both = probe.joined({name: probe.scaled(level) for name, level in levels.items()})
    assert both["train"].shape == (400, 54) and both["test"].shape == (9, 54)
    lengths = [(both["train"][:, part] ** 2).sum(1).mean() for part in (slice(0, 50), slice(50, 54))]
    np.testing.assert_allclose(lengths, [1, 1], rtol=1e-3)


def test_an_encoder_is_shown_the_photograph_alone():
    class Encoder:
        """Gives the colours back at four sides, and whatever else it saw, which must be nothing."""

        def apply(self, params, seen):
            rest = sum(value.sum() for name, value in seen.items() if name not in ("rgb", "detail"))
            off = seen["detail"][:, ::2, 1::2] - (seen["rgb"] + 1)  # zero: the fine pictures are twice as bright
            picture = (seen["rgb"] + 1) / 2 + rest + off
            return [picture[:, ::step, ::step] for step in (8, 4, 2, 1)], {}

    photos = {split: np.random.default_rng(2).uniform(size=(count, 16, 16, 3)).astype(np.float32)
                for split, count in (("train", probe.BATCH + 3), ("test", 2))}  # fmt: skip
    pictures = {split: pretext.Picture(rows, 2 * rows.repeat(2, 1).repeat(2, 2)) for split, rows in photos.items()}
    found = probe.encoded(Encoder(), {}, pictures, 4)
    wanted = probe.scaled({split: np.asarray(probe.means(rows, 4)) for split, rows in photos.items()})
    assert list(found) == list(probe.LEVELS)
    for split, rows in wanted.items():
        np.testing.assert_allclose(found["sharp"][split], rows, atol=1e-4)
        assert found["coarse"][split].shape == (len(photos[split]), 2 * 2 * 3)


def test_the_classes_are_those_with_the_most_photographs(tmp_path):
    folder_of(tmp_path, 40, ("dress", "hat"))
    folder_of(tmp_path, 12, ("shoes",))
    found = probe.chosen(tmp_path, 2)
    assert {one.label for one in found["train"] + found["test"]} == {"dress", "hat"}
    with pytest.raises(UserError, match="has 3; give 2 or more"):
        probe.chosen(tmp_path, 4)
