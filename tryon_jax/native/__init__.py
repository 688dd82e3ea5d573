"""C++ kernels for CPUs, of drawing and of cloth: built once by the machine's own compiler, called through XLA's FFI."""

import ctypes
import functools
import hashlib
import importlib.metadata
import logging
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import jax
import jax.numpy as jnp

from tryon_jax.assets import cache_folder

FOLDER = pathlib.Path(__file__).parent
# Name of each kernel for XLA -> its symbol in the library.
KERNELS = {
    "tryon_jax_rasterize": "TryonRasterize",
    "tryon_jax_surface": "TryonSurface",
    "tryon_jax_texture": "TryonTexture",
    "tryon_jax_cloth": "TryonCloth",
}
# Without contraction of a * b + c, which would round depths otherwise than the path that is not compiled here.
FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-w")
COMPILERS = ("c++", "g++", "clang++")
PATIENCE = 300  # seconds that a compiler may take: about ten times what one takes on a slow machine


@functools.cache
def available():
    """Whether the kernels can be called in this process. The first time on a machine they are compiled, some seconds.

    Where that fails one line of the log says why, and the paths in pure JAX serve.
    """
    try:
        library = ctypes.CDLL(str(built()))
        handlers = {name: jax.ffi.pycapsule(getattr(library, symbol)) for name, symbol in KERNELS.items()}
    except (OSError, AttributeError, subprocess.SubprocessError) as error:
        logging.getLogger(__name__).warning("all in pure JAX, three to five times slower on a CPU: %s", error)
        return False
    for name, handler in handlers.items():
        jax.ffi.register_ffi_target(name, handler, platform="cpu")
    return True


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


def rasterize(vertices, faces, size, capacity):
    """(front ids, back ids, overflow) of render.rasterize on a CPU, which see; `available()` must have said so."""
    results = (
        jax.ShapeDtypeStruct(size, jnp.int32),
        jax.ShapeDtypeStruct(size, jnp.int32),
        jax.ShapeDtypeStruct((), jnp.bool_),
    )
    # expand_dims: what all items of a batch share, most often the faces, is not copied.
    call = jax.ffi.ffi_call("tryon_jax_rasterize", results, vmap_method="expand_dims")
    return call(jnp.asarray(vertices, jnp.float32), jnp.asarray(faces, jnp.int32), capacity=capacity)


def surface(barycentrics, vertices, faces, ids, attributes, attribute_faces):
    """What render.surface.at_pixels gives, on a CPU; `available()` must have said so."""
    channels = (), (3 if barycentrics else 0,), (attributes.shape[1],)
    results = tuple(jax.ShapeDtypeStruct((*ids.shape, *own), jnp.float32) for own in channels)
    call = jax.ffi.ffi_call("tryon_jax_surface", results, vmap_method="expand_dims")
    floats, whole = (lambda array: jnp.asarray(array, jnp.float32)), (lambda array: jnp.asarray(array, jnp.int32))
    return call(floats(vertices), whole(faces), whole(ids), floats(attributes), whole(attribute_faces))


def texture(picture, uv, ids):
    """Samples [H, W, C] of render.texture.sample_seen on a CPU, which see; `available()` must have said so."""
    result = jax.ShapeDtypeStruct((*ids.shape, picture.shape[2]), jnp.float32)
    call = jax.ffi.ffi_call("tryon_jax_texture", result, vmap_method="expand_dims")
    return call(jnp.asarray(picture, jnp.float32), jnp.asarray(uv, jnp.float32), jnp.asarray(ids, jnp.int32))


def cloth(x, chosen, many, few, lanes, anchor, lane_limbs, collider, pins, forces, schedule, constants):
    """(positions [3, V], nearest points [V], speed [V]) after the frames of simulation.cloth.simulate on a CPU, which
    see; `available()` must have said so.

    many, few: cloth.Edges; lanes [7, V]: curved, soft, area, tether, thickness, ceiling, pinned of a cloth.Lanes;
    lane_limbs [4, V]: its limbs, then counts; collider: a collider.Collider; forces [2]: bending and friction; schedule
    [5, F]: rows of a cloth.Schedule; constants {name: number}: what cloth.cc binds as attributes.
    """
    results = tuple(jax.ShapeDtypeStruct(like.shape, like.dtype) for like in (x, chosen, x[0]))
    call = jax.ffi.ffi_call("tryon_jax_cloth", results, vmap_method="sequential")
    found = (collider.points, collider.normals, collider.ring, collider.limbs, collider.arms, collider.arms_radius)
    return call(x, chosen, *many, *few, lanes, anchor, lane_limbs, *found, pins, forces, schedule, **constants)
