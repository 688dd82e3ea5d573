"""Draws dressed people: one mesh of bodies and clothes into the two sheets, and into the photo's person.

Every picture pixel is k x k samples, k odd, so that the middle sample lies on the pixel's centre: labels, depth,
normals and garment coordinates are that sample's, never a mixture across an edge, while colour and coverage are
means over all samples. One compilation serves all meshes of the same padded size. What a finer picture of the same
would show, of FINER x FINER pixels in each, is made of the same samples.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import csc_matrix

from tryon_jax import native
from tryon_jax.geometry.camera import project
from tryon_jax.native import host
from tryon_jax.render import rasterize, shade, surface, texture

SAMPLES = 3
FINER = 2
# Light that reaches the inner side of cloth, seen through neck, hem and cuffs.
INSIDE = 0.55
# Share of the light leaving a hollow that meets the hollow again.
BOUNCED = 0.6
# Brightness from which film and sensors give ever less for more light, so that white cloth keeps its folds.
SHOULDER = 0.8
CENTRE = slice(SAMPLES // 2, None, SAMPLES)  # of the samples along a side, those on pixels' centres
_STEP = 4096  # meshes are padded to multiples of this, so that few sizes are ever compiled


class Mesh(NamedTuple):
    """Surfaces to draw, camera frame. V vertices, F faces.

    vertices [V, 3] metres; faces [F, 3] i32; normals [V, 3] unit; colours [V, 3] in [0, 1]; texture_uv [V, 2] in
    [0, 1] of the texture stack, negative where the vertex colour holds; garment_xy [V, 2] coordinate in the shop
    picture, zeros off the garment; labels [F] i32, part of each face; strain [V, 1] of cloth against its pattern.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    colours: np.ndarray
    texture_uv: np.ndarray
    garment_xy: np.ndarray
    labels: np.ndarray
    strain: np.ndarray


class Side(NamedTuple):
    """What one side of the mesh looks like: rgb [S, S, 3] mean of the covered samples, albedo [S, S, 3] the same
    before light falls on it, coverage [S, S, 1] their share; and at pixel centres depth [S, S, 1], normals [S, S, 3],
    labels [S, S] i32, garment_xy [S, S, 2], strain [S, S, 1], zero where no face covers the centre. fine
    [2S, 2S, 4] is rgb times coverage, and coverage, of the four quarters of each pixel.
    """

    rgb: jax.Array
    albedo: jax.Array
    coverage: jax.Array
    depth: jax.Array
    normals: jax.Array
    labels: jax.Array
    garment_xy: jax.Array
    strain: jax.Array
    fine: jax.Array


def join(meshes, room=(0, 0)):
    """One Mesh of several, padded to `room` vertices and faces (more in steps, if need be) with faces not drawn."""
    # 32 bits throughout, as everything that draws wants them.
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]], dtype=np.int32)
    faces = np.concatenate([mesh.faces.astype(np.int32) + offset for mesh, offset in zip(meshes, offsets, strict=True)])
    counts = sum(len(mesh.vertices) for mesh in meshes), len(faces)
    vertex_room, face_room = (
        max(least, -(-count // _STEP) * _STEP) - count for least, count in zip(room, counts, strict=True)
    )
    joined = []
    for name, arrays in zip(Mesh._fields, zip(*meshes, strict=True), strict=True):
        count = face_room if name in ("faces", "labels") else vertex_room
        padding = np.zeros((count, *arrays[0].shape[1:]), arrays[0].dtype)
        joined.append(np.concatenate([*((faces,) if name == "faces" else arrays), padding]))
    return Mesh(*joined)


def vertex_normals(vertices, faces, weld=None, path="auto"):
    """Unit normals [V, 3] f32, area weighted; `weld` [V] names the vertex that stands for each one's place.

    path: "native", the compiled kernel, which gives the same bits as "numpy"; "auto" takes it where it can be had.
    """
    corners = faces if weld is None else weld[faces]
    normals = host.normals(vertices, corners) if native.takes(path) else _vertex_normals(vertices, corners)
    return normals if weld is None else normals[weld]


def _vertex_normals(vertices, corners):
    across = crosses(vertices, corners)
    # Columns are faces: their three corners stand in a row as they are, and nothing is sorted.
    starts = np.arange(0, corners.size + 1, 3)
    each = csc_matrix((np.ones(corners.size), corners.ravel(), starts), shape=(len(vertices), len(corners)))
    summed = each @ across
    # 1e-12 square metres: below any face; a vertex without faces keeps a zero normal.
    return (summed / np.maximum(np.sqrt((summed * summed).sum(-1, keepdims=True)), 1e-12)).astype(np.float32)


def crosses(vertices, corners):
    """Twice the area [F, 3] of faces with corners [F, 3], as vectors along their normals."""
    # Rows of coordinates: what is taken from them and worked out lies in a row too, which is five times as quick.
    rows = np.ascontiguousarray(vertices.T, float)
    a, b, c = (rows.take(corner, 1) for corner in corners.T)
    first, second = b - a, c - a
    return np.stack([first[k - 2] * second[k - 1] - first[k - 1] * second[k - 2] for k in range(3)], -1)


def camera_frame(points):
    """Camera-frame points of world points [..., 3] f32: x right, y up, z toward the viewer; depth 0 at the pelvis."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1).astype(np.float32)


def draw(mesh, textures, light, camera, size, layers, openness=None, behind=True):
    """Front and back Side of a Mesh at picture side `size`; textures [H, W, 3], light [9, 3], camera [3].

    behind: whether the back is wanted too; None comes in its place without.
    openness [V] f32, if given, is the share of the light that reaches each vertex (occlusion.openness).
    layers: about how often the faces' boxes cover the picture; too few costs time (a second drawing), nothing else.
    """
    # The compiled kernel takes no memory for them, so that there it is drawn once, and one compilation serves.
    roomy = native.available() and jax.default_backend() == "cpu"
    capacity = rasterize.MAX_CAPACITY if roomy else int(layers * (size * SAMPLES) ** 2)
    openness = np.ones(len(mesh.vertices), np.float32) if openness is None else openness
    while True:
        capacity = min(capacity, rasterize.MAX_CAPACITY)
        sides, overflow = _draw(mesh, openness, textures, light, camera, size, capacity, behind)
        if not overflow:
            return sides
        if capacity == rasterize.MAX_CAPACITY:
            raise ValueError(f"a mesh of {len(mesh.faces)} faces does not fit a picture of {size} pixels")
        capacity *= 2


@functools.partial(jax.jit, static_argnames=("size", "capacity", "behind"))
def _draw(mesh, openness, textures, light, camera, size, capacity, behind):
    fine = size * SAMPLES
    fine_camera = jnp.array([1 / SAMPLES, 1, 1]) * camera
    vertices = project(fine_camera, mesh.vertices, (fine, fine))
    fragments = rasterize.rasterize(vertices, mesh.faces, (fine, fine), capacity)
    front = _side(mesh, vertices, fragments.front_ids, 1.0, openness, textures, light)
    if not behind:
        return (front, None), fragments.overflow
    back = _side(mesh, vertices, fragments.back_ids, -1.0, openness, textures, light)
    # Two surfaces that touch can change places in the last bits.
    back = back._replace(depth=jnp.minimum(back.depth, front.depth))
    return (front, back), fragments.overflow


def _side(mesh, vertices, ids, toward, openness, textures, light):
    """One Side; toward: the sign of a visible normal's z."""
    attributes = jnp.concatenate(
        [mesh.colours, mesh.normals, mesh.texture_uv, mesh.garment_xy, openness[:, None], mesh.strain], axis=-1
    )
    depth, _, values = surface.at_pixels(vertices, mesh.faces, ids, attributes, barycentrics=False)
    texels = texture.sample_seen(textures, values[..., 6:8], ids)
    means, fine, normals = shaded(vertices, mesh.faces, ids, values, texels, light, toward)
    painted, coverage = jnp.split(means, [6], axis=-1)
    # At least one sample in k^2, where any is covered.
    rgb, albedo = jnp.split(painted / jnp.maximum(coverage, 0.5 / SAMPLES**2), 2, axis=-1)
    depth, ids, values = (array[CENTRE, CENTRE] for array in (depth[..., None], ids, values))
    labels = jnp.where(ids >= 0, jnp.take(mesh.labels, jnp.maximum(ids, 0)), 0)
    return Side(
        rgb, albedo, coverage, depth, normals, labels, jnp.clip(values[..., 8:10], -1, 1), values[..., 11:], fine
    )


def shaded(vertices, faces, ids, values, texels, light, toward, path="auto"):
    """Means [S, S, 7] over pixels of colour, albedo and coverage, the fine picture, and normals at pixel centres.

    Of samples that show triangles ids [S k, S k]: values [S k, S k, 12], interpolated attributes in _side's order, and
    texels [S k, S k, 3] of their textures. path: as of render.rasterize, but for rounding.
    """
    arguments = vertices, faces, ids, values, texels, light
    here = functools.partial(_shaded, toward=toward)
    if path == "jax" or (path == "auto" and not native.available()):
        return here(*arguments)
    constants = {"toward": toward, "inside": INSIDE, "bounced": BOUNCED, "shoulder": SHOULDER, "above": 1 - SHOULDER}
    constants = {name: np.float32(value) for name, value in constants.items()}
    kernel = functools.partial(native.shade, shares=_shares(), **constants)
    return jax.lax.platform_dependent(*arguments, cpu=kernel, default=here)


def _shaded(vertices, faces, ids, values, texels, light, toward):
    size = len(ids) // SAMPLES
    a, b, c = (vertices[faces[:, corner], :2] for corner in range(3))
    first, second = b - a, c - a
    # Rows go down, so a face seen from outside by the front camera turns the other way round.
    outward = jnp.where(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0, 1.0, -1.0)
    seen = toward * jnp.take(outward, jnp.maximum(ids, 0))[..., None]
    colours, normals, texture_uv, _, reached, _ = jnp.split(values, [3, 6, 8, 10, 11], axis=-1)
    normals = _visible(normals * seen, toward)
    albedo = jnp.where(texture_uv[..., :1] < 0, colours, texels)
    shading = shade.spherical_harmonics(normals, light) * jnp.where(seen > 0, 1.0, INSIDE)
    # What does not reach a hollow directly is partly thrown there by the hollow itself, in its own colour: the sum
    # of all bounces (Jimenez et al. 2016, "Practical Realtime Strategies for Accurate Indirect Occlusion").
    # More than all, as on a lined collar, leaves nothing to be thrown.
    shading = shading * reached / (1 - BOUNCED * albedo * jnp.maximum(1 - reached, 0))
    covered = (ids >= 0)[..., None].astype(jnp.float32)
    painted = jnp.concatenate([_toned(albedo * shading), albedo, jnp.ones_like(covered)], axis=-1) * covered
    fine = _finer(jnp.concatenate([painted[..., :3], covered], axis=-1), size)
    return _box(painted, size), fine, (normals * covered)[CENTRE, CENTRE]


def _toned(light):
    """Light [...] as a picture shows it, in [0, 1]: as it is up to SHOULDER, then nearing 1."""
    over = (jnp.maximum(light, SHOULDER) - SHOULDER) / (1 - SHOULDER)
    return jnp.clip(light, 0, SHOULDER) + (1 - SHOULDER) * (1 - jnp.exp(-over))


def _visible(normals, toward):
    """Unit normals whose z has the sign `toward`: smooth normals near the silhouette may point past it."""
    z = toward * jnp.maximum(toward * normals[..., 2:], 0.0)
    normals = jnp.concatenate([normals[..., :2], z], axis=-1)
    length = jnp.linalg.norm(normals, axis=-1, keepdims=True)
    straight = jnp.array([0.0, 0.0, toward])
    # Interpolated normals of under a tenth have cancelled out and say nothing about direction.
    return jnp.where(length > 0.1, normals / jnp.maximum(length, 0.1), straight)


def _box(picture, size):
    """Mean over the samples of each pixel: [S k, S k, C] to [S, S, C]."""
    return picture.reshape(size, SAMPLES, size, SAMPLES, -1).mean(axis=(1, 3))


def _finer(picture, size):
    """Mean over the samples, or shares of samples, of each FINER-th of a pixel: [S k, S k, C] to [2S, 2S, C]."""
    blocks = picture.reshape(size, SAMPLES, size, SAMPLES, -1)
    fine = jnp.einsum("aibjc,ui,vj->aubvc", blocks, _shares(), _shares())
    return fine.reshape(size * FINER, size * FINER, -1)


def _shares():
    """Share f32 [FINER, SAMPLES] that each sample along a pixel's side has in each of its fine ones."""
    # Edges of both grids in samples; what two cells have in common is where both are.
    cells, samples = np.arange(FINER + 1) * SAMPLES / FINER, np.arange(SAMPLES + 1)
    low, high = np.maximum(cells[:-1, None], samples[:-1]), np.minimum(cells[1:, None], samples[1:])
    return (np.maximum(high - low, 0) * FINER / SAMPLES).astype(np.float32)
