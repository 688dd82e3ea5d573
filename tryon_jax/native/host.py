"""C++ kernels for numpy's arrays, called through ctypes: work between JAX's programs that is too small for one."""

import ctypes
import functools

import numpy as np

from tryon_jax.native.compiled import built


@functools.cache
def _library():
    return ctypes.CDLL(str(built()))


def _call(symbol, *arguments):
    """Calls a kernel of the library with arrays, whole numbers and floats; arrays that it fills are among them."""
    # Contiguous copies have to outlive the call; results are made contiguous by who asks for them.
    held = [np.ascontiguousarray(one) if isinstance(one, np.ndarray) else one for one in arguments]
    kinds = {np.ndarray: lambda one: ctypes.c_void_p(one.ctypes.data), int: ctypes.c_int64, float: ctypes.c_float}
    getattr(_library(), symbol)(*(kinds[type(one)](one) for one in held))


def distance(x, y, segments, far):
    """What garments.sheet's `distance` gives, [H, W] f32: segments [N, 5] are start, direction and length of each."""
    least = np.empty((len(y), len(x)), np.float32)
    _call("TryonDistance", x, y, segments, least, len(x), len(y), len(segments), float(far))
    return least
