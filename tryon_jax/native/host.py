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


def normals(vertices, faces):
    """What simulation.drawing.vertex_normals gives without a weld, [V, 3] f32."""
    found = np.empty((len(vertices), 3), np.float32)
    arrays = vertices.astype(float, copy=False), faces.astype(np.int32, copy=False), found
    _call("TryonNormals", *arrays, len(vertices), len(faces))
    return found


def skin(vertices, indices, weights, transforms):
    """What simulation.body.skin gives, [V, 3] f32, with sums in the precision of weights and transforms."""
    kind, posed = np.result_type(weights, transforms), np.empty((len(vertices), 3), np.float32)
    weights, transforms = (array.astype(kind, copy=False) for array in (weights, transforms))
    symbol = "TryonSkin" if kind == np.float32 else "TryonSkinDouble"
    arguments = vertices.astype(float), indices.astype(np.int32, copy=False), weights, transforms
    _call(symbol, *arguments, posed, len(vertices), weights.shape[1])
    return posed


def spread(faces, values, rounds):
    """Values [V] f32 after rounds in which each vertex takes the mean of the corners of all faces [F, 3] about it."""
    values = values.copy()
    _call("TryonSpread", faces.astype(np.int32, copy=False), values, len(values), len(faces), rounds)
    return values


def visible(placed, facing, cell, steepest, highest, soft):
    """What simulation.occlusion.visible gives, [N] f32: placed [3, M] are the splats in the frame."""
    shown = np.empty(len(facing), np.float32)
    _call("TryonVisible", placed, facing, shown, placed.shape[1], len(facing), cell, steepest, highest, soft)
    return shown


def tree(points):
    """The tree of points [N, W] f64, W 3 to 5, as the arrays that `nearest` asks for."""
    count = len(points)
    made = np.empty(points.shape), np.empty(count, np.int32), np.empty((2 * count, 3), np.int32), np.empty(2 * count)
    _call("TryonTree", points, *points.shape, *made)
    return made


def nearest(made, places, k, bound):
    """Distances [M, k] f64 and numbers [M, k] i64 of those points of a tree that are nearest to places [M, W] f64;
    infinity and N where fewer than k are within bound [1] f64. Of points as far, lower numbers are nearer."""
    away, found = np.empty((len(places), k)), np.empty((len(places), k), np.int64)
    _call("TryonNearest", *made, *made[0].shape, places, len(places), k, bound, away, found)
    return away, found


def colours(edges, count):
    """Colours [E] i64 of edges [E, 2] i32 of `count` vertices: the lowest, of 63, that no earlier edge at either end
    has."""
    found = np.empty(len(edges), np.int64)
    _call("TryonColours", edges, len(edges), count, found)
    return found


def mix(first, second, weight):
    """What simulation.coverage's `mix` gives, [..., 3] f32, of weight [...] and of colours, each [3] or [..., 3]."""
    mixed = np.empty((*weight.shape, 3), np.float32)
    steps = (3 if colours.ndim > 1 else 0 for colours in (first, second))
    _call("TryonMix", first, second, weight, mixed, weight.size, *steps)
    return mixed


def shaded(picture, factor):
    """picture [..., 3] times factor [...], f32."""
    result = np.empty(picture.shape, np.float32)
    _call("TryonShaded", picture, factor, result, factor.size)
    return result


def line(distance, width, texel):
    """What simulation.coverage's `line` gives, [...] f32, of distance [...] f32."""
    covered = np.empty(distance.shape, np.float32)
    _call("TryonLine", distance, covered, distance.size, texel / 2, width / 2, 1 / texel)
    return covered


def smooth(values, down, across):
    """values [R, C] f32 weighed to [S, S] by down and across, each numbers of values i32 and weights f32, [S, K]."""
    size = len(down[0])
    result = np.empty((size, size), np.float32)
    taps = (len(near[0]) for near, _ in (down, across))
    _call("TryonSmooth", values, *down, *across, result, values.shape[1], size, *taps)
    return result


def stroke(kind, picture, window, shape, colour):
    """Paints a "Box" or an "Oval" of colour [3] into picture [S, S, 3] f32 in place, as simulation.strokes does.

    window: slices of rows and columns; shape: the numbers that native/strokes.cc asks for.
    """
    if picture.dtype != np.float32 or not picture.flags.c_contiguous:
        raise ValueError(f"cannot paint into a {picture.dtype} array in place: only into a contiguous one of float32")
    (top, bottom), (left, right) = ((one.start, one.stop) for one in window)
    if top < bottom and left < right:
        colour = np.asarray(colour, np.float32)
        _call(f"Tryon{kind}", picture, np.array(shape), colour, len(picture), top, bottom, left, right)
