"""Pictures of a textured mesh from around it, drawn by this project's own rasteriser.

Frames as in render/__init__: meshes in metres, x right, y up, z toward the viewer; yaw in radians turns the mesh about
its vertical axis so that at a quarter turn its front faces right.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import project
from tryon_jax.geometry.mesh import Mesh, vertex_normals
from tryon_jax.render import rasterize as raster
from tryon_jax.render import surface
from tryon_jax.render.shade import spherical_harmonics
from tryon_jax.render.texture import sample_seen

BACKGROUND = (0.95, 0.95, 0.96)
_SUPERSAMPLING = 2
_MARGIN = 1.06
# Turns at which the rasteriser's capacity is counted beforehand.
_TRIED = 16


def _turned(points, yaw):
    """Camera-frame points [..., 3] turned about the vertical axis: at a quarter turn the front faces right."""
    cosine, sine = jnp.cos(yaw), jnp.sin(yaw)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return jnp.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=-1)


def _place(vertices, yaw, camera, size):
    """Rasteriser vertices of a mesh turned by yaw."""
    return project(camera, _turned(vertices, yaw), size)


class View(NamedTuple):
    """A mesh on the device, ready to be drawn from any side (`prepare`, `draw`).

    mesh: camera-frame Mesh, centred on x = z = 0, filled up with rows that show nothing, its texture float32 in
    [0, 1], or None where uv are colours (geometry.files.read); normals [V, 3]; camera [3] that holds every turn, of the
    samples; background [3]; light [9, 3] or None; size: side of the picture in pixels; capacity of the rasteriser;
    path: as of `rasterize`.
    """

    mesh: Mesh
    normals: jax.Array
    camera: jax.Array
    background: jax.Array
    light: jax.Array | None
    size: int
    capacity: int
    path: str


@partial(jax.jit, static_argnames=("size", "capacity", "path"))
def _draw(mesh, normals, yaw, camera, light, background, size, capacity, path):
    """One picture uint8 [S, S, 3] and whether it overflowed."""
    large = (size * _SUPERSAMPLING,) * 2
    vertices = _place(mesh.vertices, yaw, camera, large)
    fragments = raster.rasterize(vertices, mesh.faces, large, capacity, path)
    ids = fragments.front_ids
    _, barycentrics, colour = surface.at_pixels(
        vertices, mesh.faces, ids, mesh.uv, mesh.uv_faces, path, light is not None
    )
    if mesh.texture is not None:
        colour = sample_seen(mesh.texture, colour, ids, path)
    if light is not None:
        facing = surface.interpolate(_turned(normals, yaw), mesh.faces, ids, barycentrics)
        # Interpolated normals are shorter than 1; 1e-6 only keeps the background from dividing by zero.
        facing = facing / jnp.maximum(jnp.linalg.norm(facing, axis=-1, keepdims=True), 1e-6)
        colour = colour * spherical_harmonics(facing, light)
    picture = jnp.where((ids >= 0)[..., None], jnp.clip(colour, 0, 1), background)
    blocks = picture.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3)
    return jnp.round(blocks.mean((1, 3)) * 255).astype(jnp.uint8), fragments.overflow


def _framing(vertices, size):
    """Camera [3] that holds the mesh, centred on x = z = 0, at every yaw."""
    radius = np.linalg.norm(vertices[:, [0, 2]], axis=1).max()
    low, high = vertices[:, 1].min(), vertices[:, 1].max()
    # 1e-3 metres: a camera of no extent cannot project.
    half = max((high - low) / 2, radius, 1e-3) * _MARGIN
    return np.array([2 * half / size, 0.0, (low + high) / 2], np.float32)


def _room(count):
    """Rows to make room for so that `count` fit: few different numbers, at most half as many again."""
    step = max(64, (1 << (count - 1).bit_length()) // 4)
    return -(-count // step) * step


def _with_room(mesh):
    """A Mesh of the same surface whose arrays are as long as those of others of about its size.

    What is drawn is compiled for the arrays' lengths, which takes far longer than drawing. The rows added are faces
    whose corners are all alike, which no pixel shows.
    """

    def longer(rows):
        rows = np.asarray(rows)
        return np.pad(rows, ((0, _room(len(rows)) - len(rows)), (0, 0)))

    return mesh._replace(**{name: longer(getattr(mesh, name)) for name in ("vertices", "faces", "uv", "uv_faces")})


def prepare(mesh, size, light=None, background=BACKGROUND, path="auto"):
    """The View of a camera-frame Mesh in pictures of side `size`, turned about its middle; on the device once.

    Meshes of about as many vertices and faces share one compilation, if their textures are of one size.
    light: coefficients [9, 3] fixed to the viewer, or None for the texture's colours as they are (right where they hold
    light already, as lifted sheets do). Raises ValueError if the mesh is too fine for one pass of the rasteriser.
    """
    vertices = np.asarray(mesh.vertices, np.float32)
    middle = (vertices.min(0) + vertices.max(0)) / 2
    vertices = (vertices - middle * [1, 0, 1]).astype(np.float32)
    large = (size * _SUPERSAMPLING,) * 2
    camera, count = _framing(vertices, large[0]), len(mesh.faces)
    texture = None if mesh.texture is None else np.asarray(mesh.texture, np.float32) / 255
    mesh = jax.tree.map(jnp.asarray, _with_room(mesh._replace(vertices=vertices, texture=texture)))
    normals = vertex_normals(mesh.vertices, mesh.faces)
    turns = np.arange(_TRIED) * (2 * np.pi / _TRIED)
    need = max(_candidates(mesh.vertices, mesh.faces, jnp.float32(yaw), camera, large) for yaw in turns)
    # Turns in between need a little more; a power of two, so that similar meshes share one compilation.
    capacity = 1 << int(need * 1.05).bit_length()
    if need > raster.MAX_CAPACITY:
        raise ValueError(f"{count} faces at {size} pixels exceed the rasteriser: draw smaller pictures")
    return View(
        mesh, normals, jnp.asarray(camera), jnp.asarray(background, jnp.float32), light, size,
        min(capacity, raster.MAX_CAPACITY), path,
    )  # fmt: skip


def _candidates(vertices, faces, yaw, camera, size):
    return raster.candidates(_place(vertices, yaw, camera, size), faces, size)


def draw(view, yaw):
    """(picture uint8 [S, S, 3], overflow bool) of a View turned by yaw radians; yaw 0 shows the front.

    All on the device: one compilation for all views of the same sizes, and nothing waits for the host. Where overflow
    is set the picture shows nothing. 2 x 2 samples a pixel.
    """
    arrays = view.mesh, view.normals, jnp.float32(yaw), view.camera, view.light, view.background
    return _draw(*arrays, view.size, view.capacity, view.path)


def render(mesh, size, yaws, light=None, background=BACKGROUND):
    """Pictures uint8 [N, S, S, 3] of a camera-frame Mesh turned by each of yaws [N] radians about its middle.

    All share one framing that holds every turn; yaw 0 shows the front. light, background: as of `prepare`. Raises
    ValueError if the mesh is too fine for one pass of the rasteriser.
    """
    view = prepare(mesh, size, light, background)
    drawn = [draw(view, yaw) for yaw in yaws]
    if any(overflow for _, overflow in drawn):
        raise ValueError(f"{len(mesh.faces)} faces at {size} pixels exceed the rasteriser: draw smaller pictures")
    return np.stack([np.asarray(picture) for picture, _ in drawn])


def views(mesh, size, light=None, background=BACKGROUND):
    """Front and back view uint8 [2, S, S, 3] of a camera-frame Mesh, as `render`."""
    return render(mesh, size, [0.0, np.pi], light, background)


def turntable(mesh, size, frames, light=None, background=BACKGROUND):
    """A full turn in equal steps from the front, uint8 [frames, S, S, 3], as `render`."""
    return render(mesh, size, np.arange(frames) * 2 * np.pi / frames, light, background)
