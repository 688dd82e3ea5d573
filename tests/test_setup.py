"""What an installation brings, and what starting a run imports."""

import importlib.metadata
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
UNWANTED = re.compile(r"tensorflow|tensorflow[-_](cpu|gpu|intel)|torch|torchvision|nvidia[-_].*|jax[-_]cuda.*|triton")


def requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def name_of(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-")


def closure(names):
    """Names of all distributions that these need, as installed here, without extras."""
    from packaging.requirements import Requirement

    found, waiting = set(), [(name, frozenset()) for name in names]
    while waiting:
        name, extras = waiting.pop()
        name = name.lower().replace("_", "-")
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append((needed.name, frozenset(needed.extras)))
    return {name for name, _ in found}


def test_requirements_bring_no_other_framework():
    needed = closure([name_of(line) for line in requirements()])
    assert {"jax", "jaxlib", "numpy"} <= needed
    assert not [name for name in needed if UNWANTED.fullmatch(name)]


def test_every_requirement_has_a_reason():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if line and not line.startswith("#"):
            assert before.startswith("# ") and len(before) > 10, line


def test_every_import_is_a_requirement():
    """The package imports nothing that it does not ask for (extras and the standard library aside)."""
    import ast

    modules = {"PIL": "pillow", "orbax": "orbax-checkpoint", "absl": "absl-py", "tensorboardX": "tensorboardx"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = {"cv2": "opencv-python-headless"}
    asked = {name_of(line) for line in requirements()}
    # Where extras are used: those of a folder, and those of a file.
    extras = {place: {name_of(line) for line in project["optional-dependencies"][place]} for place in ("photo", "beam")}
    for path in (ROOT / "tryon_jax").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (name.split(".")[0] for name in names):
                if name in sys.stdlib_module_names or name == "tryon_jax":
                    continue
                distribution = modules.get(name, optional.get(name, name.lower().replace("_", "-")))
                here = [extras[place] for place in extras if place in (*path.parts, path.stem)]
                assert distribution in asked.union(*here), f"{path}: {name}"


def test_extras_are_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"cuda", "tpu", "photo", "beam", "dev"} <= project["optional-dependencies"].keys()
    assert project["requires-python"] == ">=3.11"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("modules", ["main, train, evaluate", "data.synthetic, data.pipeline", "stages"])
def test_a_run_imports_no_other_framework(modules):
    program = "import sys\n" + "".join(f"import tryon_jax.{name.strip()}\n" for name in modules.split(","))
    program += "print([name for name in ('tensorflow', 'torch') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_ci_runs_the_command_of_the_readme():
    command = re.search(r"python -m (pytest [^\n`]*)", (ROOT / "README.md").read_text()).group(1).strip()
    assert f"-m {command}" in (ROOT / ".ci" / "run").read_text()
