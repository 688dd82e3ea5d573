"""The rasteriser behind a pinhole camera: triangles are cut at the near plane and at a frame around the picture.

Points are in the camera's frame, metres: x right, y up, z toward the viewer, the camera at the origin looking along
-z. The third coordinate on screen is 1 / distance, which is affine on a flat triangle (and larger where nearer), so
that `rasterize` serves as it is. Its ids are those of the triangles as they were before they were cut.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from tryon_jax.render import rasterize as raster
from tryon_jax.render.surface import bounded

# Half side of the frame, pixels from the principal point: what is cut there spans less than rasterize's 4,095 pixels.
GUARD = 2000.0


class Pinhole(NamedTuple):
    """focal: focal length in pixels; centre_x, centre_y: where the optical axis meets the picture, pixels from the left
    and the top; near: least distance that is drawn, metres, above 1 / 1024 (nearer ones are not told apart)."""

    focal: jax.Array
    centre_x: jax.Array
    centre_y: jax.Array
    near: jax.Array


def looking(size, field_of_view, near=0.05):
    """The Pinhole of a picture of size (H, W) whose height spans field_of_view radians, axis through the middle."""
    height, width = size
    focal = height / 2 / jnp.tan(field_of_view / 2)
    return Pinhole(focal, jnp.float32(width / 2), jnp.float32(height / 2), jnp.float32(near))


def project(points, camera):
    """Points [..., 3] before the camera -> rasterize's vertices: pixel x, pixel y (down), 1 / distance."""
    nearness = -1 / points[..., 2]
    x = camera.centre_x + camera.focal * points[..., 0] * nearness
    y = camera.centre_y - camera.focal * points[..., 1] * nearness
    return jnp.stack([x, y, nearness], axis=-1)


def _planes(camera):
    """The five planes [5, 4] of what can be drawn: a point is inside where plane . (point, 1) >= 0."""
    focal, zero, guard = camera.focal, jnp.zeros_like(camera.focal), jnp.full_like(camera.focal, GUARD)
    sides = [(focal, zero), (-focal, zero), (zero, focal), (zero, -focal)]
    planes = [jnp.stack([x, y, -guard, zero]) for x, y in sides]
    return jnp.stack([jnp.stack([zero, zero, zero - 1, -camera.near]), *planes])


def _cut(polygon, count, plane):
    """One polygon [M, 3] of which `count` corners are true, cut by a plane [4]; of Sutherland and Hodgman (1974)."""
    room = len(polygon)
    place = jnp.arange(room)
    following = polygon[jnp.where(place + 1 < count, place + 1, 0)]
    height, beyond = (points @ plane[:3] + plane[3] for points in (polygon, following))
    inside, stays = height >= 0, beyond >= 0
    crosses = (inside != stays) & (place < count)
    # From the inner end to the outer one, whichever way the edge runs: both its triangles get the same point.
    start, end = (jnp.where(inside[:, None], *pair) for pair in ((polygon, following), (following, polygon)))
    low, high = jnp.where(inside, height, beyond), jnp.where(inside, beyond, height)
    share = low / jnp.where(crosses, low - high, 1.0)
    made = jnp.stack([polygon, start + share[:, None] * (end - start)], axis=1).reshape(-1, 3)
    kept = jnp.stack([inside & (place < count), crosses], axis=1).reshape(-1)
    order = jnp.argsort(~kept, stable=True)[:room]
    return made[order], kept.sum()


def clip(points, faces, camera, room):
    """The scene cut to what can be drawn: (points [V + 8 room, 3], faces [F + 6 room, 3], source [F + 6 room]).

    room: how many faces may need a cut, static. Faces that lie beyond a plane, and those that are cut, become padding;
    the pieces follow. source: the face that each came from. If more than `room` need a cut all points are NaN, which
    rasterize flags as an overflow.
    """
    points, faces = jnp.asarray(points), jnp.asarray(faces)
    planes = _planes(camera)
    heights = points @ planes[:, :3].T + planes[:, 3]
    inside = (heights >= 0)[faces]
    beyond = ~inside.any(1).all(-1)
    crossing = ~beyond & ~inside.all((1, 2))
    (chosen,) = jnp.nonzero(crossing, size=room, fill_value=len(faces))
    there = chosen < len(faces)
    parents = jnp.minimum(chosen, len(faces) - 1)
    corners = 3 + len(planes)
    polygons = jnp.pad(points[faces[parents]], ((0, 0), (0, corners - 3), (0, 0)))
    counts = jnp.where(there, 3, 0)
    for plane in planes:
        polygons, counts = jax.vmap(_cut, in_axes=(0, 0, None))(polygons, counts, plane)
    # What was never there would be projected too: somewhere before the camera, and in no face.
    real = (jnp.arange(corners) < counts[:, None])[..., None]
    polygons = jnp.where(real, polygons, jnp.array([0.0, 0.0, -1.0]))
    fan = jnp.stack([jnp.zeros(corners - 2, jnp.int32), *(jnp.arange(corners - 2) + step for step in (1, 2))], axis=-1)
    pieces = fan + (len(points) + corners * jnp.arange(room))[:, None, None]
    pieces = jnp.where((jnp.arange(corners - 2) + 2 < counts[:, None])[..., None], pieces, 0)
    failed = crossing.sum() > room
    everything = jnp.concatenate([points, polygons.reshape(-1, 3)])
    kept = jnp.where((beyond | crossing)[:, None], 0, faces)
    source = jnp.concatenate([jnp.arange(len(faces)), jnp.repeat(parents, corners - 2)])
    return jnp.where(failed, jnp.nan, everything), jnp.concatenate([kept, pieces.reshape(-1, 3)]), source


def rasterize(points, faces, camera, size, capacity, room=64, path="auto"):
    """`rasterize.rasterize` of points [V, 3] behind a Pinhole: Fragments with the numbers of faces [F, 3].

    capacity: as there, counted after the cut (`candidates`); room: see `clip`. Faces beyond the near plane or outside
    of the picture are not drawn, those across it in part. Equal nearness (within 1e-6 a metre) goes to a face that was
    not cut, then to the lower number.
    """
    points = jax.lax.stop_gradient(points)
    vertices, pieces, source = _on_screen(points, faces, camera, room)
    fragments = raster.rasterize(vertices, pieces, size, capacity, path)
    ids = (fragments.front_ids, fragments.back_ids)
    return raster.Fragments(*(jnp.where(each >= 0, source[each], each) for each in ids), fragments.overflow)


def candidates(points, faces, camera, size, room=64):
    """The capacity that `rasterize` needs for this scene, a Python int (on the host, not traceable)."""
    vertices, pieces, _ = jax.jit(_on_screen, static_argnums=3)(points, faces, camera, room)
    return raster.candidates(vertices, pieces, size)


def _on_screen(points, faces, camera, room):
    # Points that no face is left of may lie behind the camera or beside it; rasterize looks at faces only.
    cut, pieces, source = clip(points, faces, camera, room)
    return project(cut, camera), pieces, source


def resolve(points, faces, ids, camera):
    """Depth [H, W], the z of the points seen, and barycentrics [H, W, 3] at pixel centres, zero where ids is -1.

    Made from points [V, 3] that were neither cut nor snapped: differentiable in them and in the camera. Homogeneous
    edge functions (Olano and Greer, "Triangle Scan Conversion using 2D Homogeneous Coordinates", 1997): they hold for
    corners behind the camera too.
    """
    rows, columns = jnp.indices(ids.shape, dtype=jnp.float32)
    across, down = (columns + 0.5 - camera.centre_x) / camera.focal, (rows + 0.5 - camera.centre_y) / camera.focal
    ray = jnp.stack([across, -down, -jnp.ones_like(across)], axis=-1)
    points, corners = jnp.asarray(points), jnp.asarray(faces)[jnp.maximum(ids, 0)]
    a, b, c = (points[corners[..., i]] for i in range(3))
    # The ray with two corners spans a volume that is as large as the third corner's share. Edges from `a`, not corners:
    # far from the camera a small triangle's volume would be the difference of large ones.
    from_a, to_b, to_c = -a, b - a, c - a
    normal = jnp.cross(to_b, to_c)
    along = (ray * normal).sum(-1)
    # A triangle seen from its edge: 1e-20 square metres is below any that covers a pixel.
    safe = jnp.where(jnp.abs(along) > 1e-20, along, 1.0)
    weight_b = (ray * jnp.cross(from_a, to_c)).sum(-1) / safe
    weight_c = (ray * jnp.cross(to_b, from_a)).sum(-1) / safe
    barycentrics = jnp.stack(bounded((1 - weight_b - weight_c, weight_b, weight_c), ids), axis=-1)
    depth = (barycentrics * jnp.stack([a[..., 2], b[..., 2], c[..., 2]], axis=-1)).sum(-1)
    return depth, barycentrics
