"""Flat shapes with soft edges, painted into a picture in place. Places are in picture sides, x right and y down."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from tryon_jax import native
from tryon_jax.native import host


def lay(picture, coverage, colour, window=(slice(None), slice(None))):
    """Mixes colour, [3] or [h, w, 3], over a window of picture [S, S, 3] by coverage [h, w]."""
    part = picture[window]
    part += (np.asarray(colour, np.float32) - part) * coverage[..., None]


def box(picture, left, top, right, bottom, colour, softness=0.0, shade=0.0, path="auto"):
    """An upright rectangle; softness: width of its edge, at least a pixel; shade: how much darker its bottom is.

    path: as in garments.sheet's `distance`.
    """
    size, width = len(picture), max(softness, 1 / len(picture))
    # Plain floats: one of numpy's would make the arrays below twice as precise.
    left, top, right, bottom = (float(edge) for edge in (left, top, right, bottom))
    pad = softness + 1 / size
    window = _window(size, left - pad, top - pad, right + pad, bottom + pad)
    if native.takes(path):
        return host.stroke("Box", picture, window, (left, top, right, bottom, width, shade), colour)
    y, x = _centres(size, window)
    across = np.clip((x - left) / width + 0.5, 0, 1) * np.clip((right - x) / width + 0.5, 0, 1)
    down = np.clip((y - top) / width + 0.5, 0, 1) * np.clip((bottom - y) / width + 0.5, 0, 1)
    light = 1 - shade * np.clip((y - top) / (bottom - top), 0, 1)
    lay(picture, down * across, np.asarray(colour, np.float32) * light[..., None], window)


def oval(picture, x0, y0, wide, tall, colour, turn=0.0, softness=0.0, strength=1.0, shade=0.0, path="auto"):
    """An ellipse around (x0, y0) with half-axes wide and tall, turned by `turn` radians; shade: its lower side's.

    path: as in garments.sheet's `distance`.
    """
    size, width = len(picture), max(softness, 1 / len(picture))
    x0, y0, wide, tall = (float(one) for one in (x0, y0, wide, tall))
    reach = np.hypot(wide, tall) + softness + 1 / size
    window = _window(size, x0 - reach, y0 - reach, x0 + reach, y0 + reach)
    cosine, sine = np.cos(turn), np.sin(turn)
    if native.takes(path):
        shape = (x0, y0, wide, tall, cosine, sine, width, strength, shade)
        return host.stroke("Oval", picture, window, shape, colour)
    y, x = _centres(size, window)
    dx, dy = x - x0, y - y0
    u, v = dx * cosine + dy * sine, dy * cosine - dx * sine
    distance = (1 - np.hypot(u / wide, v / tall)) * min(wide, tall)
    inside = strength * np.clip(distance / width + 0.5, 0, 1)
    light = 1 - shade * np.clip(dy / (2 * tall) + 0.5, 0, 1)
    lay(picture, inside, np.asarray(colour, np.float32) * light[..., None], window)


def quad(picture, corners, colour):
    """A convex four-cornered shape [4, 2] (x, y), its corners clockwise on the picture."""
    size = len(picture)
    corners = np.asarray(corners, np.float32)
    window = _window(size, *(corners.min(0) - 1 / size), *(corners.max(0) + 1 / size))
    y, x = _centres(size, window)
    inside = np.ones((y.size, x.size), np.float32)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # 1e-6 picture sides: two corners in one place make no edge.
        length = max(np.hypot(bx - ax, by - ay), 1e-6)
        distance = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length
        inside = np.minimum(inside, np.clip(distance * size + 0.5, 0, 1))
    lay(picture, inside, colour, window)


def clouds(rng, shape, scale, octaves=4):
    """Smooth noise [h, w] f32 of about zero mean and unit deviation; the largest blobs take `scale` of the side."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cells = max(int(np.ceil(2**octave / scale)), 1) + 3
        # Drawn even where too fine to show, so that pictures of all sizes draw the same numbers.
        coarse = rng.standard_normal((cells, cells), np.float32)
        if cells > max(shape):
            continue
        down, across = (_linear(count, cells) for count in shape)
        total += 0.6**octave * (down @ coarse @ across.T)
    # 1e-6: the deviation of noise that has been cut to nothing.
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def _linear(count, cells):
    """Weights [count, cells] f32 of linear interpolation at `count` even places between the second cell and the last
    but one."""
    place = (np.arange(count, dtype=np.float32) + 0.5) * ((cells - 3) / count) + 1
    return np.maximum(1 - np.abs(place[:, None] - np.arange(cells, dtype=np.float32)), 0)


def blurred(picture, sigma):
    """The picture [S, S, 3] out of focus; sigma in picture sides."""
    pixels = sigma * len(picture)
    return gaussian_filter(picture, (pixels, pixels, 0), mode="nearest") if pixels > 0.2 else picture


def _window(size, left, top, right, bottom):
    """The slices of rows and columns of a picture that hold a box, in picture sides; may be empty."""

    def held(low, high):
        start = min(max(int(low * size), 0), size)
        return slice(start, max(min(math.ceil(high * size), size), start))

    return held(top, bottom), held(left, right)


def _centres(size, window):
    """Pixel centres y [h, 1] and x [1, w] f32 of a window, in picture sides."""
    y, x = ((np.arange(one.start, one.stop, dtype=np.float32) + 0.5) / size for one in window)
    return y[:, None], x[None, :]
