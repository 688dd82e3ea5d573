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
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-w")
# Without contraction of a * b + c, which would round depths otherwise than the path that is not compiled here. Only
# what a network learns with may round as this machine's processor likes best.
EXACT, QUICK = ("-ffp-contract=off",), ("-ffp-contract=fast",)
LEARNED_WITH = ("convolution.cc", "norm.cc")
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
    native, processor = _native(compiler)
    flags = {path: FLAGS + ((*QUICK, *native) if path.name in LEARNED_WITH else EXACT) for path in sources}
    parts = (*texts, jax.__version__, importlib.metadata.version("jaxlib"), compiler, platform.machine(), processor)
    key = hashlib.sha256("\0".join(map(str, (*parts, *flags.values()))).encode()).hexdigest()[:16]
    path = cache_folder() / "native" / f"kernels-{key}.so"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".kernels-") as scratch:
        made = pathlib.Path(scratch) / path.name
        objects = [made.with_name(f"{source.stem}.o") for source in sources]
        start = (compiler, f"-I{jax.ffi.include_dir()}", "-c")
        _done([(*start, *flags[one], str(one), "-o", str(to)) for one, to in zip(sources, objects, strict=True)])
        _done([(compiler, "-shared", *map(str, objects), "-o", str(made))])
        os.replace(made, path)  # all of it or nothing, whoever else is building
    return path


def _native(compiler):
    """Flags that let the compiler use all instructions of this machine's processor, and what it then knows of it."""
    for flag in ("-march=native", "-mcpu=native"):
        asked = (compiler, flag, "-dM", "-E", "-x", "c++", os.devnull)
        told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if told.returncode == 0:
            return (flag,), told.stdout
    return (), ""


def _done(commands):
    """Runs commands of the compiler side by side. Raises SubprocessError with the first complaint."""
    running = [subprocess.Popen(one, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for one in commands]
    complaints = [one.communicate(timeout=PATIENCE)[1] for one in running]
    for process, said, command in zip(running, complaints, commands, strict=True):
        if process.returncode:
            why = next((line for line in said.splitlines() if "error" in line), said.strip()[:200])
            raise subprocess.SubprocessError(f"{command[0]} could not compile the kernels of {FOLDER}: {why}")
