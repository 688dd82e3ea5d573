"""Functions traced once and kept in the user's cache, so that the next start of a program does not trace them again.

To trace a network takes several times as long as to read its compiled code, which parallel.cache_compilations keeps.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile

import jax
from jax import export

from tryon_jax import native
from tryon_jax.assets import cache_folder

CHECKSUM = hashlib.sha256().digest_size  # bytes before a program


def kept(function, of, *arguments):
    """`function`, jitted, for arguments of the shapes and dtypes of `arguments`, trees of arrays.

    of: JSON tree that it depends on besides the package's code, such as a config. What the cache holds is of the same
    code, JAX and devices; where it holds nothing that can be read, the function is traced and put there. A cache that
    cannot be written changes nothing else.
    """
    place = cache_folder() / "traced" / f"{_digest(of, arguments)}.bin"
    blob = _read(place)
    if blob is None:
        # Our own kernels: their files and whether they can be had are part of the name.
        allowed = [export.DisabledSafetyCheck.custom_call(name) for name in native.KERNELS]
        exported = export.export(jax.jit(function), disabled_checks=allowed)(*jax.tree.map(_shape, arguments))
        with contextlib.suppress(OSError):
            _write(place, exported.serialize())
    else:
        exported = export.deserialize(blob)
    return jax.jit(exported.call)


def _shape(leaf):
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


def _digest(of, arguments):
    """A name that changes with whatever the traced program may change with."""
    package = pathlib.Path(__file__).parent
    leaves = [
        (jax.tree_util.keystr(path), leaf.shape, str(leaf.dtype))
        for path, leaf in jax.tree_util.tree_leaves_with_path(arguments)
    ]
    told = [of, leaves, jax.__version__, jax.default_backend(), native.available()]
    found = hashlib.sha256(json.dumps(told).encode())
    for file in sorted(file for kind in ("*.py", "*.cc", "*.h") for file in package.rglob(kind)):
        found.update(file.read_bytes())
    return found.hexdigest()[:32]


def _read(place):
    """The traced program (bytearray) kept at `place`; None if there is none, or it is damaged."""
    try:
        found = place.read_bytes()
    except OSError:
        return None
    checksum, blob = found[:CHECKSUM], found[CHECKSUM:]
    return bytearray(blob) if hashlib.sha256(blob).digest() == checksum else None


def _write(place, blob):
    """All or nothing, so that nobody reads half of it; a checksum first, since a damaged program may do anything."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(hashlib.sha256(blob).digest() + blob)
    os.replace(name, place)
