"""The search of hyperparameters: what is drawn, what is refused, what is run again, and what is told of it."""

import collections
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from experiments import sweep, sweep_report, sweep_space
from experiments.sweep_space import Choices, Range
from tryon_jax import checkpoint
from tryon_jax.errors import UserError

CONFIG = "configs/gan.py:smoke"
RATE = Range("optimizer.learning_rate", 1e-4, 1e-2, log=True, whole=False)
DEPTH = Range("loss.depth", 10.0, 30.0, log=False, whole=False)
PATCHES = Range("mask.patch", 1, 9, log=True, whole=True)
WIDTHS = Choices("model.latent_dim", (16, 32, 64))
SPACE = (DEPTH, PATCHES, WIDTHS, RATE)
SCORE = "evaluate/kid_fixed"

# A run that takes no time: its score is latent_dim / 100; 32 ends it with a NaN and 64 by a crash, and a file named
# `stop` beside the runs' folders stops it half-way. Each start leaves a line in `starts`.
STAND_IN = """
import json, pathlib, sys
flags = dict(text[2:].split("=", 1) for text in sys.argv[1:])
folder, width = pathlib.Path(flags["workdir"]), int(flags["config.model.latent_dim"])
with open(folder.parent / "starts", "a") as starts:
    print(folder.name, flags["config.train.steps"], file=starts)
print("100%\\r200%", flush=True)
if width == 32:
    sys.exit(f"error: {folder.name}: metric 'loss' is not finite at step 5")
if width == 64:
    raise RuntimeError("a\\nb")
lines = [{"step": 1, "loss": 1.0}, {"step": 1, "evaluate/kid_fixed": 9.0}]
if (folder.parent / "stop").exists():
    sys.exit(130)
lines += [{"step": 2, "evaluate/kid_fixed": width / 100, "evaluate/kid_fixed/untrained": 0.8}, {"step": 2, "loss": 1.0}]
(folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\\n" for line in lines))
"""


@pytest.fixture
def search(tmp_path, capsys):
    """A function (arguments) -> (exit status, what was printed) that searches in tmp_path/out with the stand-in."""
    program = tmp_path / "run.py"
    program.write_text(STAND_IN)

    def search(*arguments):
        given = [f"--config={CONFIG}", f"--out={tmp_path / 'out'}", f"--score={SCORE}", *arguments]
        code = sweep.main([*given, "--config.train.steps=2"], (sys.executable, "-S", "-E", str(program)))
        return code, capsys.readouterr().out

    return search


def starts(folder):
    """How often each trial was started, by its number."""
    lines = (folder / "out" / "starts").read_text().splitlines()
    return collections.Counter(int(line.partition("_")[0]) for line in lines)


def parse(*texts, mode="random", overrides=()):
    return sweep_space.parse(texts, mode, CONFIG, overrides)


def test_axes_are_read_under_the_types_of_the_config():
    assert parse(
        "model.latent_dim=16,32,64", "optimizer.learning_rate=1e-4:1e-2:log", "loss.depth=10:30", "mask.patch=1:9:log"
    ) == (DEPTH, PATCHES, WIDTHS, RATE)
    assert parse("model.features=(8,8,16,16); (16, 16, 16, 16)")[0].values == ((8, 8, 16, 16), (16, 16, 16, 16))
    assert parse("optimizer.freeze=();('encoder',)")[0].values == ((), ("encoder",))
    assert parse("init.decoder=runs/a:b,")[0].values == ("runs/a:b", "")
    assert parse("loss.depth=10:30:int:log") == (Range("loss.depth", 10.0, 30.0, log=True, whole=True),)
    values = parse("loss.depth=1,2")[0].values
    assert values == (1.0, 2.0) and {type(value) for value in values} == {float}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimizer.learning_rat=1e-3", "optimizer.learning_rat: no such key; did you mean optimizer.learning_rate?"),
        ("learning_rate=1e-3", "learning_rate: no such key; did you mean optimizer.learning_rate?"),
        ("model=3", "model: no such key"),
        ("model.latent_dim", "model.latent_dim: give the key and its values"),
        ("model.latent_dim=16,many", "model.latent_dim: 'many' is not a whole number"),
        ("model.latent_dim=16,32.5", "model.latent_dim: '32.5' is not a whole number"),
        ("model.latent_dim=16:64.5", "model.latent_dim: '64.5' is not a whole number"),
        ("loss.depth=1,nan", "loss.depth: 'nan' is not a finite number"),
        ("model.features=(8,8);(a,b)", "model.features: '(a,b)' is not such a tuple"),
        ("model.features=(8,8);(8,8.5)", "model.features: '(8,8.5)' is not such a tuple"),
        ("model.latent_dim=16,32,16", "model.latent_dim: 16 stands there twice"),
        ("loss.depth=30:10", "loss.depth: the range's low end 30.0 is not below its high end 10.0"),
        ("loss.depth=0:10:log", "loss.depth: the low end of a log range is above 0"),
        ("loss.depth=1:10:lag", "loss.depth: '1:10:lag' is no range"),
        ("loss.depth=1:10.5:int", "loss.depth: the ends of a range of whole numbers"),
    ],
)
def test_a_mistaken_axis_is_one_line_with_its_key(text, says):
    with pytest.raises(UserError) as raised:
        parse(text)
    assert says in str(raised.value) and str(raised.value).startswith("--set ") and "\n" not in str(raised.value)


def test_a_key_is_given_once_and_a_grid_has_no_range():
    with pytest.raises(UserError, match="model.latent_dim: the key is given twice"):
        parse("model.latent_dim=16", "model.latent_dim=32")
    with pytest.raises(UserError, match="model.latent_dim: the key is given twice"):
        parse("model.latent_dim=16", overrides=["--config.model.latent_dim=8"])
    with pytest.raises(UserError, match="loss.depth: a grid has no ranges"):
        parse("loss.depth=1:10", mode="grid")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("--config.train.stepz=3", "--config.train.stepz: no such key; did you mean train.steps?"),
        ("--config.train.steps=many", "--config.train.steps=many"),
        ("--config.train.steps", "--config.train.steps: not a flag"),
        ("--goul=max", "--goul=max: not a flag"),
    ],
)
def test_mistaken_overrides_are_refused(text, says):
    with pytest.raises(UserError, match=says):
        sweep_space.check(CONFIG, [text])


def test_a_missing_config_and_preset_are_named():
    with pytest.raises(UserError, match="configs/absent.py: no such file"):
        sweep_space.locked("configs/absent.py:smoke")
    with pytest.raises(UserError, match="smoke, cpu, base, large"):
        sweep_space.locked("configs/gan.py:tiny")


def test_main_reads_the_flags_back_as_they_were():
    values = {
        "loss.depth": 0.1 + 0.2, "optimizer.learning_rate": 1e-5 / 3, "model.latent_dim": 48, "loss.objective": "hinge",
        "init.decoder": "runs/a b", "model.features": (8, 8, 16, 16), "optimizer.freeze": ("encoder", "decoder"),
    }  # fmt: skip
    config = sweep_space.leaves(sweep_space.locked(CONFIG, sweep_space.as_flags(values)).to_dict())
    assert {key: config[key] for key in values} == values
    for key in ("optimizer.freeze", "init.decoder"):
        empty = {key: type(values[key])()}
        found = sweep_space.leaves(sweep_space.locked(CONFIG, sweep_space.as_flags(empty)).to_dict())
        assert found[key] == empty[key]


def test_draws_are_in_range_and_of_their_type():
    draws = [sweep_space.draw(SPACE, 0, number) for number in range(300)]
    assert all(1e-4 <= draw["optimizer.learning_rate"] <= 1e-2 for draw in draws)
    assert all(10 <= draw["loss.depth"] <= 30 for draw in draws)
    assert {draw["mask.patch"] for draw in draws} == set(range(1, 10))
    assert {draw["model.latent_dim"] for draw in draws} == {16, 32, 64}
    assert {type(value) for draw in draws for value in draw.values()} == {int, float}
    whole = Range("loss.depth", 1.0, 3.0, log=False, whole=True)
    counts = collections.Counter(sweep_space.draw((whole,), 0, number)["loss.depth"] for number in range(900))
    assert counts.keys() == {1.0, 2.0, 3.0} and {type(value) for value in counts} == {float}
    # 300 each are expected, with a standard deviation of 14.
    assert all(abs(count - 300) < 70 for count in counts.values())


def test_log_ranges_are_even_in_the_logarithm():
    logarithms = np.sort([math.log10(sweep_space.draw((RATE,), 1, number)[RATE.key]) for number in range(1000)])
    even = -4 + 2 * (np.arange(1000) + 0.5) / 1000
    # Kolmogorov and Smirnov: beyond 1.95 / sqrt(1000) of the width once in a thousand seeds.
    assert np.abs(logarithms - even).max() / 2 < 1.95 / math.sqrt(1000)


def test_a_trial_depends_on_seed_and_number_alone():
    few, many = (sweep_space.trials(SPACE, "random", 3, count) for count in (5, 20))
    assert many[:5] == few
    assert many == [sweep_space.draw(SPACE, 3, number) for number in range(20)]
    assert many != sweep_space.trials(SPACE, "random", 4, 20)
    # One key's values do not follow another's, nor do they move when it goes.
    assert [draw[RATE.key] for draw in sweep_space.trials((RATE,), "random", 3, 20)] == [
        draw[RATE.key] for draw in many
    ]


def test_random_trials_of_a_small_space_are_all_different():
    space = (Choices("a", (1, 2)), Range("b", 1, 3, log=False, whole=True))
    found = sweep_space.trials(space, "random", 0, 6)
    assert {tuple(values.values()) for values in found} == {(a, b) for a in (1, 2) for b in (1, 2, 3)}
    assert sweep_space.trials(space, "random", 0, 4) == found[:4]
    with pytest.raises(UserError, match="--trials=7: the space has no more than 6"):
        sweep_space.trials(space, "random", 0, 7)
    with pytest.raises(UserError, match="--trials=0: give 1 or more"):
        sweep_space.trials(space, "random", 0, 0)
    with pytest.raises(UserError, match="--trials: say how many"):
        sweep_space.trials(space, "random")


def test_a_grid_is_the_product():
    space = (Choices("a", (1, 2)), Choices("b", ("x", "y", "z")))
    found = sweep_space.trials(space, "grid")
    assert found == [{"a": a, "b": b} for a in (1, 2) for b in ("x", "y", "z")]
    assert sweep_space.trials(space, "grid", count=4) == found[:4]
    with pytest.raises(UserError, match="no more than 6"):
        sweep_space.trials(space, "grid", count=7)


def test_names_tell_number_and_values():
    assert sweep_space.name(3, {"model.features": (8, 16), "a.rate": 1 / 300}) == "003_features_8_16_rate_0.003333"
    long = sweep_space.name(12, {"init.decoder": "runs/" + "a" * 500})
    assert long.startswith("012_decoder_runs_a") and len(long) <= 120


def test_scores_are_those_of_the_last_evaluated_step(tmp_path):
    assert sweep_report.scores(tmp_path) == (None, {})
    lines = [{"step": 5, "evaluate/a": 1.0}, {"step": 9, "evaluate/a": 2.0, "evaluate/a/zeros": 3.0}, {"step": 11}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 12, "evaluate/a": 7')
    assert sweep_report.scores(tmp_path) == (9, {"evaluate/a": 2.0, "evaluate/a/zeros": 3.0})


@pytest.mark.parametrize(
    ("talk", "code", "says"),
    [
        ("50%\r100%\nerror: x: 'loss' is not finite\n", 1, "error: x: 'loss' is not finite"),
        ("Traceback:\n  raise\njax.errors.JaxError: full\n----\nFor simplicity,\n", 1, "jax.errors.JaxError: full"),
        ("KeyError\n", 1, "KeyError"),
        ("an ErrorReport: no\nlast words\n", 3, "last words"),
        ("", 3, "exit status 3, and it said nothing"),
        ("error: earlier\n", -9, "ended by SIGKILL"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(talk, code, says):
    assert sweep_report.reason(talk, code) == says


def result(number, value, status="finished", **scores):
    return {
        "trial": f"{number:03d}_a_{value}", "values": {"a": value}, "status": status, "seconds": 1.25, "step": 2,
        "scores": {f"evaluate/{name.replace('_of_', '/')}": score for name, score in scores.items()},
        "error": "it | broke" if status == "failed" else "",
    }  # fmt: skip


def test_the_table_has_the_best_in_front_and_baselines_beside():
    results = [
        result(0, 0.5, kid=0.3, kid_of_real=0.1, kiddo=5.0), result(1, 1 / 3, "failed", kid=0.0),
        result(2, 0.25, kid=0.2, kid_of_real=0.1, kiddo=6.0), result(3, 0.125, "interrupted"),
    ]  # fmt: skip
    lines = sweep_report.table(results, "evaluate/kid", "min").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:6]]
    assert cells[0] == ["place", "trial", "a", "evaluate/kid", "/real", "step", "seconds"]
    assert cells[2] == ["1", "002", "0.25", "0.2", "0.1", "2", "1"]
    assert [row[1] for row in cells[2:]] == ["002", "000", "001", "003"]
    assert cells[4] == ["-", "001", "0.3333", "failed", "", "2", "1"] and cells[5][3] == "interrupted"
    assert lines[6:] == ["", "- 001_a_0.3333333333333333: it | broke"]
    assert len({len(line) for line in lines[:6]}) == 1
    assert [found["trial"][:3] for found in sweep_report.ranked(results, "evaluate/kid", "max")] == ["000", "002"]


def test_a_score_that_no_trial_has_names_the_nearest():
    results = [result(0, 1, kid_fixed=1.0, variety=2.0), result(1, 2, "failed")]
    sweep_report.check_score(results, "evaluate/variety")
    with pytest.raises(UserError, match="kid_fixd: no such score; did you mean evaluate/kid_fixed"):
        sweep_report.check_score(results, "evaluate/kid_fixd")
    with pytest.raises(UserError, match="holds no score"):
        sweep_report.check_score([result(0, 1)], "evaluate/kid")


def test_failures_are_recorded_and_stop_no_other_trial(search, tmp_path):
    code, printed = search("--mode=grid", "--set", "model.latent_dim=32,64,24,16")
    out = tmp_path / "out"
    results = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert code == 0 and [found["status"] for found in results] == ["failed", "failed", "finished", "finished"]
    assert results[0]["error"] == "error: 000_latent_dim_32: metric 'loss' is not finite at step 5"
    assert results[1]["error"] == "RuntimeError: a"
    assert results[3]["scores"] == {SCORE: 0.16, f"{SCORE}/untrained": 0.8}
    # Seconds to a tenth: a run that is only pretended takes none.
    assert results[3]["values"] == {"model.latent_dim": 16} and 0 <= results[3]["seconds"] < 60
    assert (out / "table.md").read_text() in printed and "best: " in printed and "003_latent_dim_16" in printed
    # Neither is run again, unless failed ones are asked for.
    search("--mode=grid", "--set", "model.latent_dim=32,64,24,16")
    assert starts(tmp_path) == {0: 1, 1: 1, 2: 1, 3: 1}
    search("--mode=grid", "--set", "model.latent_dim=32,64,24,16", "--retry")
    assert starts(tmp_path) == {0: 2, 1: 2, 2: 1, 3: 1}


def test_more_trials_go_on_and_stopped_ones_go_first(search, tmp_path):
    arguments = ("--set", "loss.depth=1:2", "--set", "model.latent_dim=16,24")
    search(*arguments, "--trials=1")
    first = (tmp_path / "out" / "results.jsonl").read_text()
    (tmp_path / "out" / "stop").touch()
    code, printed = search(*arguments, "--trials=2")
    assert code == 0 and "interrupted" in printed
    (tmp_path / "out" / "stop").unlink()
    search(*arguments, "--trials=3")
    lines = (tmp_path / "out" / "results.jsonl").read_text()
    assert starts(tmp_path) == {0: 1, 1: 2, 2: 1} and lines.startswith(first)
    assert [json.loads(line)["status"] for line in lines.splitlines()] == ["finished"] * 3


def test_a_sweep_that_is_stopped_takes_its_trial_along(tmp_path, monkeypatch):
    begun, popen = [], subprocess.Popen

    def note(*given, **more):
        begun.append(popen(*given, **more))
        return begun[0]

    def look():
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "LOOK", 0.01)
    monkeypatch.setattr(sweep.subprocess, "Popen", note)
    monkeypatch.setattr(sweep, "_progress", lambda *given: look)
    sleep = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        sweep.run(tmp_path, {"000": {"model.latent_dim": 16}}, [], SCORE, 2, program=sleep)
    assert begun[0].poll() is not None
    assert sweep.read(tmp_path)["000"]["status"] == "interrupted"


def test_a_trial_that_still_runs_is_no_failure(search, tmp_path):
    with checkpoint.held(tmp_path / "out" / "000_latent_dim_16"), pytest.raises(UserError, match="another process"):
        search("--mode=grid", "--set", "model.latent_dim=16")
    assert sweep.read(tmp_path / "out") == {}
    assert search("--mode=grid", "--set", "model.latent_dim=16")[0] == 0


def test_another_sweep_in_the_same_place_is_refused(search, tmp_path):
    same = ("--mode=grid", "--set", "model.latent_dim=16,24")
    search(*same)
    before = (tmp_path / "out" / "sweep.json").read_text()
    for arguments, says in [
        (("--mode=grid", "--set", "model.latent_dim=16,48"), "space.model.latent_dim.values"),
        (("--trials=1", "--set", "model.latent_dim=16,24"), "mode is grid there and random here"),
        ((*same, "--seed=1"), "seed is 0 there and 1 here"),
        ((*same, "--config.loss.depth=3"), "config.loss.depth is 24.0 there and 3.0 here"),
    ]:
        with pytest.raises(UserError, match=f"another sweep: .*{says}.*another --out"):
            search(*arguments)
    assert (tmp_path / "out" / "sweep.json").read_text() == before and starts(tmp_path) == {0: 1, 1: 1}
    (tmp_path / "out" / "results.jsonl").write_text("{\n")
    with pytest.raises(UserError, match="results.jsonl: damaged"):
        search(*same)


def test_a_misspelt_score_keeps_what_was_run(search, tmp_path):
    with pytest.raises(UserError, match="did you mean evaluate/kid_fixed"):
        search("--mode=grid", "--set", "model.latent_dim=16,24", "--score=evaluate/kid_fixd")
    search("--mode=grid", "--set", "model.latent_dim=16,24")
    assert starts(tmp_path) == {0: 1, 1: 1}


def test_without_matplotlib_the_chart_says_what_to_install(search, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, printed = search("--mode=grid", "--set", "model.latent_dim=16")
    assert code == 0 and "pip install matplotlib" in printed and not (tmp_path / "out" / "sweep.png").exists()


def test_the_chart_is_drawn(search, tmp_path):
    pytest.importorskip("matplotlib")
    _, printed = search("--trials=4", "--set", "model.latent_dim=16,32", "--set", "optimizer.learning_rate=1e-3:1:log")
    assert (tmp_path / "out" / "sweep.png").stat().st_size > 0 and "sweep.png" in printed
