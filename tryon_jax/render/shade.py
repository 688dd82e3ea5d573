"""Soft light as nine spherical-harmonics coefficients a colour channel.

Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001: light on
a matte surface depends on its normal through the first nine harmonics, but for a few per cent (equations 3-13).
Normals and directions live in the camera frame: x right, y up, z toward the viewer.
"""

import jax
import jax.numpy as jnp
import numpy as np

# Weight of each order in the light that a matte surface collects (equation 8), one number a harmonic.
LAMBERT = np.pi * np.array([1, *[2 / 3] * 3, *[1 / 4] * 5])
CONSTANT = 0.5 / np.sqrt(np.pi)  # the value of the first harmonic


def harmonics(directions):
    """The nine real harmonics [..., 9] of unit directions [..., 3] (equation 3)."""
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    linear, product = np.sqrt(3 / (4 * np.pi)), np.sqrt(15 / (4 * np.pi))
    zonal = np.sqrt(5 / (16 * np.pi)) * (3 * z * z - 1)
    values = [linear * y, linear * z, linear * x, product * x * y, product * y * z, zonal]
    values += [product * x * z, product / 2 * (x * x - y * y)]
    return jnp.stack([jnp.full_like(x, CONSTANT), *values], axis=-1)


def spherical_harmonics(normals, coefficients):
    """Light [..., 3] on unit normals [..., 3] under coefficients [9, 3]: what a surface's colour is multiplied by."""
    # HIGHEST: accelerators would otherwise round the light to ten bits, which shows as bands.
    return jnp.matmul(harmonics(normals), coefficients, precision=jax.lax.Precision.HIGHEST)


def distant_light(direction, colour):
    """Coefficients [9, 3] of a far lamp toward unit direction [3]: light is about colour * max(0, normal . direction).

    The error of nine harmonics is at most 3/32 of the colour.
    """
    return LAMBERT[:, None] * harmonics(direction)[:, None] * colour


def constant_light(colour):
    """Coefficients [9, 3] under which every normal receives colour [3]."""
    return jnp.zeros((9, 3)).at[0].set(jnp.asarray(colour) / CONSTANT)


def _sphere_points(count):
    """Evenly spread unit directions [count, 3] (Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    height, turn = 1 - 2 * index / count, index * np.pi * (1 + 5**0.5)
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], -1).astype(np.float32)


def _direction(azimuth, elevation):
    """Unit direction [3]; azimuth 0 is toward the viewer and grows to the right, elevation 0 is level."""
    level = jnp.cos(elevation)
    return jnp.stack([level * jnp.sin(azimuth), jnp.sin(elevation), level * jnp.cos(azimuth)])


def sample_light(key):
    """Random studio light, coefficients [9, 3]: a lamp in front and above, a weak one behind, a bright room.

    Over all normals each channel lies between about 0.45 (the darkest side, never black) and 1.25; brightest
    toward the first lamp. A photographer exposes for the person: white cloth may clip, dark cloth is not lost.
    """
    keys = jax.random.split(key, 6)
    azimuth = jax.random.uniform(keys[0], (2,), minval=-1.0, maxval=1.0)
    elevation = jax.random.uniform(keys[1], (2,), minval=0.25, maxval=1.0)
    lamp = distant_light(_direction(azimuth[0], elevation[0]), jnp.ones(3))
    share = jax.random.uniform(keys[2], (), minval=0.3, maxval=0.7)
    fill = share * distant_light(_direction(jnp.pi + azimuth[1], elevation[1]), jnp.ones(3))
    shape = lamp + fill
    # Stretched to [0, 1] over the sphere, so that the darkest and the brightest side are chosen, not met by luck.
    values = harmonics(_sphere_points(512)) @ shape[:, 0]
    low, high = values.min(), values.max()
    shape = (shape - constant_light(low * jnp.ones(3))) / (high - low)
    floor = jax.random.uniform(keys[3], (), minval=0.5, maxval=0.75)
    peak = jax.random.uniform(keys[4], (), minval=1.0, maxval=1.2)
    warmth = jax.random.uniform(keys[5], (2, 1), minval=-1.0, maxval=1.0) * jnp.array([0.04, 0.0, -0.04])
    return constant_light(floor * (1 + warmth[0])) + (peak - floor) * shape * (1 + warmth[1])
