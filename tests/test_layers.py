"""The rules that keep the code small and its parts apart, read from the syntax trees of all files."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "tryon_jax"
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*.py"))

LEVELS = (
    {"geometry", "losses", "metrics", "state", "summaries", "assets", "weights", "errors", "large_pages", "muon"},
    {"native"},
    {"models"},
    {"render", "garments", "augment", "parallel", "checkpoint", "traced"},
    {"simulation", "pretext", "relaid", "scores", "worn"},
    {"stages", "data", "photo", "protocols"},
    {"train", "evaluate", "tryon"},
    {"main"},
)
LEVEL = {part: level for level, parts in enumerate(LEVELS) for part in parts}
# What a part may import of the package besides itself; parts that are missing may import everything below them.
ALLOWED = {
    "errors": set(),
    "large_pages": set(),
    "geometry": {"errors"},
    "assets": {"errors"},
    "losses": {"geometry", "errors"},
    "metrics": {"losses", "geometry", "errors"},
    "state": {"muon", "errors"},
    "muon": set(),
    "summaries": {"geometry", "errors"},
    "weights": {"errors"},
    "models": {"native", "losses", "geometry", "errors"},
    "native": {"assets"},
    "render": {"geometry", "native", "errors"},
    "garments": {"geometry", "native", "errors"},
    "augment": {"geometry", "errors"},
    "parallel": {"state", "assets", "errors"},
    "traced": {"native", "assets"},
    "checkpoint": {"state", "assets", "weights", "models", "errors"},
    "simulation": {"garments", "render", "native", "geometry", "assets", "errors"},
    "pretext": {"models", "augment", "geometry", "render", "errors"},
    "relaid": {"render", "errors"},
    "worn": {"models", "losses", "geometry", "render", "errors"},
    "stages": {
        "models",
        "pretext",
        "relaid",
        "worn",
        "losses",
        "metrics",
        "augment",
        "state",
        "geometry",
        "render",
        "scores",
        "errors",
    },  # fmt: skip
    "data": {"simulation", "geometry", "assets", "errors"},
    "photo": {"geometry", "assets", "errors"},
    "scores": {"losses", "metrics", "render", "assets", "errors"},
    "protocols": {"scores", "metrics", "render", "geometry", "errors"},
}
# Training scores as it goes; both open a run's data as scoring does.
SAME_LEVEL = {("train", "evaluate"), ("tryon", "evaluate")}
ONLY_IN = {
    "flax": {"models", "stages", "state"},
    "tensorflow_datasets": {"data"},
    "apache_beam": {"data"},
    "ml_collections": {"main", "train", "evaluate", "tryon", "stages"},
    "tensorflow": set(),
    "torch": set(),
}


def part_of(path):
    """The part of the package that a file belongs to; '' for the package's own __init__."""
    parts = path.with_suffix("").parts[1:]
    return "" if parts[0] == "__init__" else parts[0]


def imports(tree, path):
    """(line, dotted name) of everything imported anywhere in a file, relative imports made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(path.parts[: -node.level]) + "." if node.level else ""
            module = base + (node.module or "")
            yield from ((node.lineno, f"{module.rstrip('.')}.{alias.name}") for alias in node.names)


def import_violations(source, path):
    """One line for each import in `source`, the text of the file `path`, that the layers forbid."""
    own = part_of(path)
    for line, name in imports(ast.parse(source), path):
        first, *rest = name.split(".")
        if first in ONLY_IN and own not in ONLY_IN[first]:
            yield f"{path}:{line}: {first} belongs in {', '.join(sorted(ONLY_IN[first])) or 'no file'}"
        if first in ("configs", "tests", "experiments"):
            yield f"{path}:{line}: the package imports {first}"
        if first != PACKAGE or not rest or rest[0] == own:
            continue
        other = rest[0]
        if other not in LEVEL or own not in LEVEL:
            yield f"{path}:{line}: {own or PACKAGE} imports {other}; one of them has no level in this test"
        elif (own, other) in SAME_LEVEL:
            continue
        elif other not in ALLOWED.get(own, {part for part in LEVEL if LEVEL[part] < LEVEL[own]}):
            yield f"{path}:{line}: {own} (level {LEVEL[own]}) imports {other} (level {LEVEL[other]})"


def missing_docstrings(source, path):
    """One line for the module and each public function, class or method of `source` that says nothing of itself.

    A property is read like a field, so its name may do.
    """
    tree = ast.parse(source)
    if tree.body and not ast.get_docstring(tree):
        yield f"{path}:1: the module has no docstring"
    scopes = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for body in scopes for node in body):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list):
            continue
        # Flax names these two; the class says what they do.
        if node.name not in ("setup", "__call__") and not ast.get_docstring(node):
            yield f"{path}:{node.lineno}: {node.name} has no docstring"


def test_every_part_has_a_level():
    assert FILES and {part_of(path) for path in FILES} - {""} <= LEVEL.keys()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_follow_the_layers(path):
    assert not list(import_violations((ROOT / path).read_text(), path))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("geometry/made_up.py", "from tryon_jax.render import lift"),
        ("geometry/made_up.py", "def f():\n    from tryon_jax import losses"),
        ("stages/made_up.py", "from tryon_jax import data"),
        ("stages/made_up.py", "from ..photo import mask"),
        ("data/made_up.py", "import tryon_jax.stages.gan"),
        ("photo/made_up.py", "from tryon_jax.simulation import body"),
        ("simulation/made_up.py", "from tryon_jax.data import HAS"),
        ("augment.py", "from tryon_jax.render import lift"),
        ("losses.py", "from tryon_jax.metrics import psnr"),
        ("evaluate.py", "from tryon_jax import train"),
        ("render/made_up.py", "import flax.linen as nn"),
        ("models/made_up.py", "import ml_collections"),
        ("train.py", "import tensorflow_datasets as tfds"),
        ("data/made_up.py", "import tensorflow as tf"),
        ("models/made_up.py", "import torch.nn"),
        ("train.py", "from configs import base"),
    ],
)
def test_a_made_up_violation_is_found(file, line):
    assert len(list(import_violations(line, pathlib.Path(PACKAGE) / file))) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("stages/made_up.py", "import flax.linen as nn\nfrom tryon_jax import augment, losses"),
        ("data/made_up.py", "from tryon_jax.simulation import scene\nfrom tryon_jax.data import HAS"),
        ("train.py", "from tryon_jax import evaluate, parallel, stages\nimport ml_collections"),
        ("geometry/made_up.py", "from . import camera\nfrom tryon_jax.errors import UserError"),
    ],
)
def test_what_is_allowed_is_not_found(file, line):
    assert not list(import_violations(line, pathlib.Path(PACKAGE) / file))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_public_names_have_docstrings(path):
    assert not list(missing_docstrings((ROOT / path).read_text(), path))


def test_a_missing_docstring_is_found():
    source = '"""Module."""\n\nclass A:\n    """A."""\n\n    def b(self):\n        pass\n\ndef _c():\n    pass\n'
    assert [line.split()[-4] for line in missing_docstrings(source, "x.py")] == ["b"]
    assert len(list(missing_docstrings("def f():\n    pass\n", "x.py"))) == 2


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_stay_short(path):
    assert len((ROOT / path).read_text().splitlines()) < 400


# Places of one machine, and what must not be printed or committed.
MACHINE = re.compile(r"(?<![\w.~/])/(home|root|work|mnt|opt|Users)/\w|[A-Z]:\\\\Users")
SECRET = re.compile(
    r"""(?i)\b(api_?key|password|secret|access_?token)\b\s*[:=]\s*["'][^"']{6,}["']|\bprint\(.*os\.environ\b(?!\.get\()"""
)
SUFFIXES = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ""}


def texts():
    """Every text file of the repository that people write."""
    folders = [ROOT, *(ROOT / name for name in (PACKAGE, "configs", "tests", "experiments", ".ci", "docs"))]
    for folder in folders:
        found = folder.glob("*") if folder == ROOT else folder.rglob("*")
        for path in found:
            if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts:
                yield path


def test_no_machine_and_no_secret_is_named():
    found = []
    for path in texts():
        if path == pathlib.Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE.search(line) or SECRET.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        f'folder = "/{"home"}/someone/data"',
        f"see /{'home'}/someone/notes",
        'API_KEY = "abcdef123"',
        "print(os.environ)",
    ],
)
def test_a_machine_or_a_secret_would_be_found(line):
    assert MACHINE.search(line) or SECRET.search(line)
