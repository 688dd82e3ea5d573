"""Record number i of a split: the scene's example made from (seed, split, i) alone; and the generator's version."""

import ast
import functools
import gc
import hashlib
import os
import pathlib
from typing import NamedTuple

from tryon_jax.data.synthetic import records

# What decides how an example looks: these files of the package, garments, which are found by name, and whatever of
# FOLDERS they import, themselves or through others.
SOURCES = ("data/synthetic/generator.py", "data/synthetic/records.py", "garments/*.py")
FOLDERS = ("simulation", "garments", "geometry", "render")


class Maker(NamedTuple):
    """Makes records of pictures of side `size`; picklable, so that it can be sent to processes."""

    size: int
    seed: int

    def __call__(self, split, number):
        """Arrays to store of record `number` of `split`; the same bits whoever makes it on processors of one kind."""
        _prepare_jax()
        from tryon_jax.simulation import scene, specification  # after JAX was told which device to use

        spec = specification.sample(split, number, self.seed)
        made = scene.example(spec, self.size)
        return records.pack(made, spec.identities(), scene.about(spec, self.size))


@functools.cache
def _prepare_jax():
    """CPU only (a training process may hold the accelerator), one thread a process, compiled code kept for later."""
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 --xla_force_host_platform_device_count=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    import jax

    from tryon_jax.assets import cache_folder

    jax.config.update("jax_platforms", "cpu")
    if not jax.config.jax_compilation_cache_dir:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    # Sewing makes lists of many thousands, whose growth alone would set off the collector every few milliseconds.
    gc.set_threshold(100_000, 20, 100)


@functools.cache
def version():
    """Version of the data, x.y.z, z made from the code that draws it: data of other code is never read.

    How many examples a preset has is no part of that code: y rises when it changes.
    """
    return f"1.1.{code_number(pathlib.Path(__file__).parents[2])}"


def code_number(package):
    """A number below 2^28 that changes with the code that makes the examples, under the folder `package`.

    Comments and docstrings do not count, so that mending a sentence does not make anybody's data again.
    """
    trees, waiting = {}, [file for pattern in SOURCES for file in package.glob(pattern)]
    while waiting:
        file = waiting.pop()
        if file not in trees:
            trees[file] = ast.parse(file.read_text())
            waiting += _imported(trees[file], package)
    digest = hashlib.sha256()
    for file in sorted(trees):
        code = ast.unparse(_without_docstrings(trees[file]))
        digest.update(f"{file.relative_to(package)}\n{code}\n".encode())
    return int(digest.hexdigest()[:7], 16)


def _imported(tree, package):
    """Files of FOLDERS of the folder `package` that a syntax tree imports."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    for name in names:
        root, *path = name.split(".")
        if root == __package__.split(".")[0] and path and path[0] in FOLDERS:
            place = package.joinpath(*path)
            yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists())


def _without_docstrings(tree):
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            if isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
                body[0].value.value = ""
    return tree
