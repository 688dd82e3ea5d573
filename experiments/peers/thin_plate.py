"""Thin-plate splines (Bookstein 1989) that move a regular grid of control points, as warps of garments use them."""

import jax.numpy as jnp
import numpy as np


def controls(count):
    """Control points at rest, float32 [count^2, 2]: x, y in [-1, 1], a row after the other."""
    axis = np.linspace(-1, 1, count, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def _radial(points, centres):
    """r^2 log r^2 between points [P, 2] and centres [N, 2], [P, N]; 0 at r = 0, its limit."""
    squared = np.square(points[:, None] - centres).sum(-1)
    return squared * np.log(np.where(squared > 0, squared, 1.0))


def basis(size, count):
    """What each control point's place adds to each pixel's, float32 [size, size, count^2].

    The spline is linear in the places that its control points go to, so its weights are solved for only once; pixel
    centres lie at +0.5 in [-1, 1].
    """
    rest = controls(count).astype(np.float64)
    affine = np.concatenate([np.ones((len(rest), 1)), rest], axis=1)
    system = np.block([[_radial(rest, rest), affine], [affine.T, np.zeros((3, 3))]])
    weights = np.linalg.inv(system)[:, : len(rest)]
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    pixels = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    at_pixels = np.concatenate([_radial(pixels, rest), np.ones((len(pixels), 1)), pixels], axis=1)
    return (at_pixels @ weights).reshape(size, size, -1).astype(np.float32)


def places(offsets, basis):
    """Where each pixel goes, [S, S, 2] in [-1, 1], x and y, by offsets [count^2, 2] of the control points.

    Offsets of an affine map give that map: zero offsets leave every pixel where it is.
    """
    rest = controls(int(np.sqrt(basis.shape[-1])))
    return jnp.asarray(basis) @ (offsets + rest)


def bending(offsets):
    """Mean absolute second difference along rows and columns of offsets [count^2, 2]; 0 of an affine map."""
    count = int(np.sqrt(offsets.shape[0]))
    grid = offsets.reshape(count, count, 2)
    return (jnp.abs(jnp.diff(grid, 2, axis=0)).mean() + jnp.abs(jnp.diff(grid, 2, axis=1)).mean()) / 2
