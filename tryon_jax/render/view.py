"""Pictures of a textured mesh from around it, drawn by this project's own rasteriser."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import project
from tryon_jax.geometry.mesh import vertex_normals
from tryon_jax.render import rasterize as raster
from tryon_jax.render.shade import spherical_harmonics
from tryon_jax.render.texture import sample_texture

BACKGROUND = (0.95, 0.95, 0.96)
_SUPERSAMPLING = 2
_MARGIN = 1.06


def _turned(points, yaw):
    """Camera-frame points [..., 3] turned about the vertical axis: at a quarter turn the front faces right."""
    cosine, sine = jnp.cos(yaw), jnp.sin(yaw)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return jnp.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=-1)


def _place(vertices, yaw, camera, size):
    """Rasteriser vertices of a mesh turned by yaw."""
    return project(camera, _turned(vertices, yaw), size)


@partial(jax.jit, static_argnames=("size", "capacity"))
def _draw(mesh, normals, yaw, camera, light, background, size, capacity):
    """One picture [S, S, 3] in [0, 1] and whether it overflowed."""
    large = (size * _SUPERSAMPLING,) * 2
    vertices = _place(mesh.vertices, yaw, camera, large)
    fragments = raster.rasterize(vertices, mesh.faces, large, capacity)
    ids = fragments.front_ids
    _, barycentrics = raster.resolve(vertices, mesh.faces, ids)
    uv = raster.interpolate(mesh.uv, mesh.uv_faces, ids, barycentrics)
    colour = sample_texture(mesh.texture.astype(jnp.float32) / 255, uv)
    if light is not None:
        facing = raster.interpolate(_turned(normals, yaw), mesh.faces, ids, barycentrics)
        # Interpolated normals are shorter than 1; 1e-6 only keeps the background from dividing by zero.
        facing = facing / jnp.maximum(jnp.linalg.norm(facing, axis=-1, keepdims=True), 1e-6)
        colour = colour * spherical_harmonics(facing, light)
    picture = jnp.where((ids >= 0)[..., None], jnp.clip(colour, 0, 1), background)
    blocks = picture.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3)
    return blocks.mean((1, 3)), fragments.overflow


def _framing(vertices, size):
    """Camera [3] that holds the mesh, centred on x = z = 0, at every yaw."""
    radius = np.linalg.norm(vertices[:, [0, 2]], axis=1).max()
    low, high = vertices[:, 1].min(), vertices[:, 1].max()
    # 1e-3 metres: a camera of no extent cannot project.
    half = max((high - low) / 2, radius, 1e-3) * _MARGIN
    return np.array([2 * half / size, 0.0, (low + high) / 2], np.float32)


def render(mesh, size, yaws, light=None, background=BACKGROUND):
    """Pictures uint8 [N, S, S, 3] of a camera-frame Mesh turned by each of yaws [N] radians about its middle.

    All share one framing that holds every turn; yaw 0 shows the front. light: coefficients [9, 3] fixed to the
    viewer, or None for the texture's colours as they are (right where they hold light already, as lifted sheets
    do). 2 x 2 samples a pixel. Raises ValueError if the mesh is too fine for one pass of the rasteriser.
    """
    vertices = np.asarray(mesh.vertices, np.float32)
    middle = (vertices.min(0) + vertices.max(0)) / 2
    vertices = vertices - middle * [1, 0, 1]
    normals = vertex_normals(vertices.astype(np.float32), np.asarray(mesh.faces))
    mesh = jax.tree.map(jnp.asarray, mesh._replace(vertices=vertices.astype(np.float32)))
    large = size * _SUPERSAMPLING
    camera = _framing(vertices, large)
    turns = [_place(mesh.vertices, jnp.float32(yaw), camera, (large, large)) for yaw in yaws]
    need = max(raster.candidates(turn, mesh.faces, (large, large)) for turn in turns)
    # Rounded up to a power of two, so that similar meshes share one compilation.
    capacity = min(1 << max(need - 1, 1).bit_length(), raster.MAX_CAPACITY)
    pictures = []
    for yaw in yaws:
        picture, overflow = _draw(
            mesh, normals, jnp.float32(yaw), camera, light, jnp.asarray(background, jnp.float32), size, capacity
        )
        if overflow:
            raise ValueError(f"{len(mesh.faces)} faces at {size} pixels exceed the rasteriser: draw smaller pictures")
        pictures.append(np.asarray(jnp.round(picture * 255).astype(jnp.uint8)))
    return np.stack(pictures)


def views(mesh, size, light=None, background=BACKGROUND):
    """Front and back view uint8 [2, S, S, 3] of a camera-frame Mesh, as `render`."""
    return render(mesh, size, [0.0, np.pi], light, background)


def turntable(mesh, size, frames, light=None, background=BACKGROUND):
    """A full turn in equal steps from the front, uint8 [frames, S, S, 3], as `render`."""
    return render(mesh, size, np.arange(frames) * 2 * np.pi / frames, light, background)
