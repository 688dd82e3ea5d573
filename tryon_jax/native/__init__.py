"""C++ kernels for CPUs, of drawing, cloth and network layers, called through XLA; those for numpy arrays: host.py."""

import ctypes
import functools
import logging
import subprocess

import jax
import jax.numpy as jnp

from tryon_jax.native.compiled import built

# Name of each kernel for XLA -> its symbol in the library.
KERNELS = {
    "tryon_jax_rasterize": "TryonRasterize",
    "tryon_jax_surface": "TryonSurface",
    "tryon_jax_texture": "TryonTexture",
    "tryon_jax_shade": "TryonShade",
    "tryon_jax_cloth": "TryonCloth",
    "tryon_jax_convolution": "TryonConvolution",
    "tryon_jax_kernel_gradient": "TryonKernelGradient",
    "tryon_jax_norm": "TryonNorm",
    "tryon_jax_norm_gradient": "TryonNormGradient",
}


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


def takes(path):
    """Whether a compiled kernel serves on `path`: "native", or "auto" where kernels can be had."""
    return path == "native" or (path == "auto" and available())


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


def shade(vertices, faces, ids, values, texels, light, shares, **constants):
    """What simulation.drawing's `_shaded` gives, on a CPU; `available()` must have said so.

    shares [n, k]: of the k samples along a pixel's side in its n fine ones; constants {name: number}: what shade.cc
    binds as attributes.
    """
    size, fine = (ids.shape[0] // shares.shape[1] * count for count in (1, shares.shape[0]))
    results = tuple(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((size, size, 7), (fine, fine, 4)))
    results += (jax.ShapeDtypeStruct((size, size, 3), jnp.float32),)
    call = jax.ffi.ffi_call("tryon_jax_shade", results, vmap_method="sequential")
    return call(vertices, faces, ids, values, texels, light, shares, **constants)


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


def convolution(x, kernel, padding):
    """What models.convolution.conv gives of f32 arrays, on a CPU; `available()` must have said so."""
    height, width = (side + sum(padding) - kernel.shape[0] + 1 for side in x.shape[1:3])
    result = jax.ShapeDtypeStruct((len(x), height, width, kernel.shape[3]), jnp.float32)
    return jax.ffi.ffi_call("tryon_jax_convolution", result, vmap_method="sequential")(x, kernel, before=padding[0])


def kernel_gradient(x, gradient, size, padding):
    """What models.convolution.kernel_gradient gives of f32 arrays, on a CPU; `available()` must have said so."""
    result = jax.ShapeDtypeStruct((size, size, x.shape[3], gradient.shape[3]), jnp.float32)
    call = jax.ffi.ffi_call("tryon_jax_kernel_gradient", result, vmap_method="sequential")
    return call(x, gradient, before=padding[0])


def norm(x, scale, bias, **constants):
    """What models.norm.group_norm gives of f32 arrays, on a CPU; `available()` must have said so.

    constants {name: number}: what norm.cc binds as attributes.
    """
    result = jax.ShapeDtypeStruct(x.shape, jnp.float32)
    return jax.ffi.ffi_call("tryon_jax_norm", result, vmap_method="sequential")(x, scale, bias, **constants)


def norm_gradient(x, scale, bias, gradient, **constants):
    """Gradients of `norm` by x, scale and bias, given the gradient by its result."""
    results = tuple(jax.ShapeDtypeStruct(like.shape, jnp.float32) for like in (x, scale, bias))
    call = jax.ffi.ffi_call("tryon_jax_norm_gradient", results, vmap_method="sequential")
    return call(x, scale, bias, gradient, **constants)
