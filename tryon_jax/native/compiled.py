"""The library of this package's C++ kernels, built once by the machine's own compiler and kept in the cache."""

import hashlib
import importlib.metadata
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import jax

from tryon_jax.assets import cache_folder

FOLDER = pathlib.Path(__file__).parent
# Without contraction of a * b + c, which would round depths otherwise than the path that is not compiled here.
FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-w")
COMPILERS = ("c++", "g++", "clang++")
PATIENCE = 300  # seconds that a compiler may take: about ten times what one takes on a slow machine


def built():
    """Path of the compiled kernels in the cache, made if it is not there; keyed by all that it depends on.

    Raises OSError if there is no compiler or the cache cannot be written, SubprocessError if compiling fails.
    """
    compiler = os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)
    if compiler is None or shutil.which(compiler) is None:
        raise OSError(f"no C++ compiler ({compiler or ', '.join(COMPILERS)}) is installed; install one, or set CXX")
    sources = sorted(FOLDER.glob("*.cc"))
    texts = [path.read_bytes() for path in sorted(FOLDER.glob("*.h")) + sources]
    parts = (*texts, jax.__version__, importlib.metadata.version("jaxlib"), compiler, platform.machine(), *FLAGS)
    key = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
    path = cache_folder() / "native" / f"kernels-{key}.so"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".kernels-") as scratch:
        made = pathlib.Path(scratch) / path.name
        command = [compiler, *FLAGS, f"-I{jax.ffi.include_dir()}", *map(str, sources), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode:
            why = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
            raise subprocess.SubprocessError(f"{compiler} could not compile the kernels of {FOLDER}: {why}")
        os.replace(made, path)  # all of it or nothing, whoever else is building
    return path
