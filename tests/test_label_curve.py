"""What a curve over shares of labels says, on made-up results."""

import pytest

from experiments import label_curve


def results(values):
    """Results as sweep.run gives them, of {(start, share, seed): score}, the same for all scores."""
    return {
        f"{start}_{share:g}_{seed}": {
            "status": "finished",
            "values": {"data.share": share},
            "scores": dict.fromkeys(label_curve.SCORES, value),
        }
        for (start, share, seed), value in values.items()
    }


def test_every_start_share_and_seed_is_run_and_only_ssl_starts_from_it():
    found = label_curve.trials("runs/ssl", [1.0, 0.1], [0, 1], 7)
    assert len(found) == len(set(found)) == 8
    for name, values in found.items():
        start, share, seed = name.split("_")
        assert (values["data.share"], values["seed"], values["train.steps"]) == (float(share), int(seed), 7)
        assert values["init.encoder"] == values["init.decoder"] == ("runs/ssl" if start == "ssl" else "")


def test_between_two_shares_the_need_is_even_in_the_logarithm():
    curve = {0.1: [5.0, 3.0], 0.4: [2.0, 2.0]}  # means 4 and 2: 3 is half way
    assert label_curve.needed(curve, 3.0, less=True) == pytest.approx(0.2)
    assert label_curve.needed(curve, 4.5, less=True) == pytest.approx(0.1)
    assert label_curve.needed(curve, 1.0, less=True) is None
    upside_down = {share: [-value for value in values] for share, values in curve.items()}
    assert label_curve.needed(upside_down, -3.0, less=False) == pytest.approx(0.2)


def test_table_and_verdict_hold_means_and_spread_of_finished_runs_only():
    found = results({("ssl", 0.1, 0): 2.0, ("ssl", 0.1, 1): 4.0, ("nothing", 0.1, 0): 6.0, ("nothing", 0.4, 0): 3.0})
    found["nothing_0.1_1"] = {"status": "failed", "values": {"data.share": 0.1}, "scores": {}}
    text = label_curve.table(found)
    assert "| 0.1 | from ssl | 3 (2 to 4)" in text and "| 0.1 | from nothing | 6 (6 to 6)" in text
    assert len(text.splitlines()) == 2 + 3
    first = next(label_curve.verdicts(found))
    assert "10% of the examples from ssl (3) are worth 40% of the examples from nothing" in first
