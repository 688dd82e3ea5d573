"""The command line: a mistake of the user's is one line that names what to mend, and never a traceback."""

import pathlib
import subprocess
import sys

import pytest
from absl import flags

from tryon_jax import main as main_module
from tryon_jax import parallel, train
from tryon_jax.main import default_workdir

ROOT = pathlib.Path(__file__).parents[1]


def main(*arguments, folder=ROOT):
    command = [sys.executable, "-m", "tryon_jax.main", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--config"),
        (("--config=configs/absent.py",), "configs/absent.py: no such file"),
        (("--config=configs/gan.py:tiny",), "smoke, cpu, base, large"),
        (
            ("--config=configs/gan.py", "--config.train.stepz=3"),
            "--config.train.stepz: no such key; did you mean steps?",
        ),
        (
            ("--config=configs/gan.py", "--config.traim.steps=3"),
            "--config.traim.steps: no such key; did you mean train?",
        ),
        (("--config=configs/gan.py", "--config.train.steps=many"), "--config.train.steps"),
        (("--config=configs/gan.py", "--confg=3"), "confg"),
        (("--config=configs/gan.py", "--mode=trian"), "train|evaluate"),
        (("--config=configs/gan.py", "stray"), "stray"),
    ],
)
def test_mistaken_flags(arguments, says):
    code, error = main(*arguments)
    assert code == 2
    assert error.startswith("error: ") and says in error and "\n" not in error


def test_a_config_that_fails_is_one_line(tmp_path):
    (tmp_path / "broken.py").write_text("def get_config(preset=''):\n    return nothing\n")
    code, error = main(f"--config={tmp_path / 'broken.py'}")
    assert code == 2 and error == "error: name 'nothing' is not defined"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--config.stage=fame",), "config.stage: no stage 'fame'"),
        (("--mode=evaluate",), "no checkpoint there"),
        (("--processes=2",), "--coordinator"),
        (("--config.batch_size=8", "--workdir=/proc/none"), "/proc/none: cannot be written"),
    ],
)
def test_mistaken_runs(arguments, says, tmp_path):
    workdir = () if any("--workdir" in given for given in arguments) else (f"--workdir={tmp_path / 'run'}",)
    code, error = main("--config=configs/gan.py:smoke", *workdir, *arguments)
    assert code == 1
    assert error.startswith("error: ") and says in error and "\n" not in error
    assert not (tmp_path / "run").exists()


def test_default_workdir():
    assert default_workdir("configs/gan.py") == pathlib.Path("runs/gan")
    assert default_workdir("/elsewhere/configs/gan.py:smoke") == pathlib.Path("runs/gan_smoke")


@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)])
def test_a_run_that_is_cut_short_is_one_line(monkeypatch, capsys, tmp_path, error, code):
    def fail(config, workdir):
        raise error

    monkeypatch.setattr(train, "run", fail)
    monkeypatch.setattr(parallel, "cache_compilations", lambda: None)
    flags.FLAGS.unparse_flags()
    rest = main_module.parse(["main", f"--config={ROOT}/configs/gan.py:smoke", f"--workdir={tmp_path}"])
    assert main_module.main(rest) == code
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and ("No space left" in told or "goes on" in told)
