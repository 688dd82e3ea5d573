"""The command that scores a folder: one line for a mistake, equal numbers for equal files, JSON that says all."""

import json
import pathlib
import subprocess
import sys

import pytest
from absl import flags
from made_outputs import COUNT, Source, save

from tryon_jax import evaluate, parallel, protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import sheets
from tryon_jax.scores import efflite0

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Targets and outputs that are wrong by a little."""
    root = tmp_path_factory.mktemp("evaluate")
    sheets.write_targets(Source(), root / "targets", {"data": "made"})
    for number in range(COUNT):
        target = sheets.from_example(Source()[number])
        made = {key: target[key] for key in sheets.FILES}
        made |= {f"{side}_depth": 0.9 * made[f"{side}_depth"] for side in sheets.SIDES}
        save(root / "outputs" / f"{number:05d}", made | {"front_rgb": 0.8 * made["front_rgb"]})
    return root


@pytest.fixture
def command(monkeypatch, capsys):
    """A function of the command's arguments: (exit code, what it prints, its errors). Flags are this test's own."""
    values = flags.FlagValues()
    evaluate.define_flags(values)
    monkeypatch.setattr(evaluate, "FLAGS", values)
    monkeypatch.setattr(parallel, "cache_compilations", lambda: None)

    def run(*arguments):
        try:
            code = evaluate.main(evaluate.parse(["evaluate", *arguments]))
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


def test_the_command_scores_a_folder(folders, command):
    out = folders / "scores.json"
    given = f"--outputs={folders / 'outputs'}", f"--targets={folders / 'targets'}"
    code, told, _ = command("--protocol=synthetic_v1", *given, "--weights=none", f"--out={out}")
    assert code == 0
    lines = told.splitlines()
    assert lines[0].endswith(f"{COUNT} examples") and lines[-1] == f"written to {out}"
    found = json.loads(out.read_text())
    again = evaluate.score_folder("synthetic_v1", *(text.partition("=")[2] for text in given), network="none")
    assert json.loads(json.dumps(again)) == found
    assert found["protocol"] == "synthetic_v1" and found["examples"] == COUNT and found["seed"] == 0
    row = next(line for line in lines if line.startswith("depth_rmse"))
    assert f"{found['scores']['depth_rmse']['value']:.4g}" in row
    assert f"{found['scores']['depth_rmse']['floors']['constant']:.4g}" in row
    low, high = found["scores"]["depth_rmse"]["interval_95"]
    assert low <= found["scores"]["depth_rmse"]["value"] <= high


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--protocol=synthetic_v1", "--outputs=x"), 2, "targets"),
        (("--protocol=synthetic_v1", "--outputs=x", "--targets=x", "--limit=many"), 2, "limit"),
        (("--protocol=hrvito", "--targets=x", "--outputs=x"), 1, "no protocol 'hrvito': choose one of catvton"),
        (("--protocol=hrviton", "--targets=x"), 1, "give --outputs=DIR to score, or --export=DIR"),
        (("--protocol=hrviton", "--targets=x", "--export=y"), 1, "only synthetic_v1's targets can be exported"),
        (("--protocol=hrviton", "--targets=x", "--outputs=y", "--limit=-1"), 1, "--limit=-1"),
        (("--protocol=hrviton", "--targets=x", "--outputs=y", "stray"), 1, "stray: not a flag"),
        (("--protocol=hrviton", "--targets=x", "--outputs=y", "--lpips=z"), 1, "--lpips=z: give two files"),
        (("--protocol=m3d_depth", "--targets=x", "--outputs=y", "--inception=z"), 1, "--inception: is for"),
        (("--protocol=hrviton", "--targets=x", "--outputs=y", "--out=/absent/x.json"), 1, "/absent/x.json: cannot be"),
    ],
)
def test_mistaken_commands_are_one_line(command, arguments, code, says):
    found, _, told = command(*arguments)
    assert found == code and told.startswith("error: ") and says in told and told.strip().count("\n") == 0


def test_help_shows_the_layouts():
    line = [sys.executable, "-m", "tryon_jax.evaluate", "--help"]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300).stdout
    for text in (
        "openpose_json/",
        "front_depth.npy",
        "window depth",
        "--export",
        "--weights",
        "--inception",
        "--lpips",
    ):
        assert text in told


@pytest.mark.parametrize(
    ("protocol", "targets", "says"),
    [
        ("hrviton:papers", "x", "--protocol=hrviton:papers: no variant 'papers'; choose one of paired, unpaired"),
        ("catvton", "synthetic:cpu", "--targets=synthetic:cpu: made data are for --protocol=synthetic_v1"),
        ("synthetic_v1", "synthetic:tiny", "data.preset=tiny: no such preset"),
        ("synthetic_v1", "nowhere", "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_scored_is_one_line(folders, protocol, targets, says):
    with pytest.raises(UserError) as caught:
        evaluate.score_folder(protocol, folders / "outputs", targets, network="none")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_bad_weights_are_one_line(folders):
    for name, says in (("absent.pth", "no such file"), ("targets/targets.json", "sha256")):
        with pytest.raises(UserError, match=says):
            evaluate.score_folder("synthetic_v1", folders / "outputs", str(folders / "targets"), network=folders / name)


def test_made_data_are_targets_and_can_be_exported(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "_source", lambda text: Source())
    direct = evaluate.score_folder("synthetic_v1", folders / "outputs", "synthetic:smoke", network="none")
    evaluate.export("synthetic:smoke", tmp_path / "targets")
    about = json.loads((tmp_path / "targets" / "targets.json").read_text())
    assert about["data"] == "synthetic:smoke" and about["version"]
    exported = evaluate.score_folder("synthetic_v1", folders / "outputs", str(tmp_path / "targets"), network="none")
    assert exported["scores"] == direct["scores"]
    with pytest.raises(UserError, match="--export writes made data"):
        evaluate.export(str(tmp_path / "targets"), tmp_path / "more")
    assert f"{COUNT} targets in" in capsys.readouterr().out


def test_set_distances_of_too_few_examples_say_so(folders, monkeypatch):
    monkeypatch.setattr(efflite0, "load", lambda path: [])
    monkeypatch.setattr(efflite0, "describe", lambda layers, pictures: pictures.mean((1, 2)))
    found = evaluate.score_folder("synthetic_v1", folders / "outputs", str(folders / "targets"))["scores"]
    for name in protocols.DISTANCES:  # two examples have another garment in the photo
        assert found[name]["value"] is None and found[name]["n"] == 2
