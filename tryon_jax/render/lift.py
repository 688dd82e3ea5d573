"""Two sheets to one closed, textured mesh: two height fields over one mask, sewn together at its rim.

All numpy, on the host: the number of triangles depends on the picture. Every pixel of the mask is a vertex of
both sheets, so the result is closed and consistently wound for any mask and any depth.
"""

import numpy as np
from scipy import ndimage

from tryon_jax.errors import UserError
from tryon_jax.geometry.mesh import Mesh
from tryon_jax.render.depth_filter import bilateral

# How far the middle of the wall stands out from the rim's pixel centres, in pixels: towards the true silhouette
# at 1/2, but short of it, so that rims of two parts that are one pixel apart never touch.
_BULGE = 0.45
# Row and column steps to the eight neighbours; the opposite of neighbour i is 7 - i.
_STEPS = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def sheet_faces(mask, depth):
    """Triangles int [F, 3] of one height field: vertex r * W + c at each pixel of mask bool [H, W].

    Counter-clockwise seen from the front (rows down, y up). A cell with four corners is split along the diagonal
    of the smaller depth jump, one with three corners is one triangle.
    """
    height, width = mask.shape
    index = np.arange(height * width).reshape(height, width)
    corners = [(slice(0, -1), slice(0, -1)), (slice(0, -1), slice(1, None))]
    corners += [(slice(1, None), slice(0, -1)), (slice(1, None), slice(1, None))]
    a, b, c, d = (index[corner].reshape(-1) for corner in corners)
    has = np.stack([mask[corner].reshape(-1) for corner in corners])
    z = [depth[corner].reshape(-1) for corner in corners]
    full = has.all(0)
    falling = full & (np.abs(z[0] - z[3]) <= np.abs(z[1] - z[2]))
    rising = full & ~falling
    lacks = [(has.sum(0) == 3) & ~has[i] for i in range(4)]
    choices = [
        (falling | lacks[1], (a, c, d)), (falling | lacks[2], (a, d, b)),
        (rising | lacks[3], (a, c, b)), (rising | lacks[0], (c, d, b)),
    ]  # fmt: skip
    return np.concatenate([np.stack([corner[chosen] for corner in face], 1) for chosen, face in choices])


def rim_edges(faces, shape):
    """Directed edges int [E, 2] of sheet triangles that no neighbour runs along, the surface to their left."""
    height, width = shape
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    rows, columns = edges[:, 1] // width - edges[:, 0] // width, edges[:, 1] % width - edges[:, 0] % width
    slot = (rows + 1) * 3 + columns + 1
    slot = slot - (slot > 4)  # the ninth place, the pixel itself, is no neighbour
    used = np.zeros((height * width, len(_STEPS)), bool)
    used[edges[:, 0], slot] = True
    return edges[~used[edges[:, 1], 7 - slot]]


def clean_mask(mask, keep=0.05):
    """Mask bool [H, W] without what can be no surface, and without specks.

    Removed until nothing changes: pixels in no triangle, and pinch pixels, where two rims meet. Then all parts
    with less than `keep` of the largest part's pixels. Raises UserError if nothing is left.
    """
    mask = np.asarray(mask, bool)
    flat = np.zeros(mask.shape, np.float32)
    while True:
        faces = sheet_faces(mask, flat)
        rims = np.bincount(rim_edges(faces, mask.shape)[:, 0], minlength=mask.size)
        used = np.zeros(mask.size, bool)
        used[faces.reshape(-1)] = True
        cleaned = (used & (rims <= 1)).reshape(mask.shape)
        if (cleaned == mask).all():
            break
        mask = cleaned
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    if count == 0:
        raise UserError("mask: no part of it is large enough to be a person; give another picture or train longer")
    areas = np.bincount(parts.reshape(-1))
    areas[0] = 0
    return mask & (areas >= keep * areas.max())[parts]


def _thicken(front, back, thickness):
    """Depths moved apart about their middle where they are nearer than thickness (or crossed)."""
    middle, gap = (front + back) / 2, np.maximum(front - back, thickness)
    return middle + gap / 2, middle - gap / 2


def _outward(edges, count, width):
    """Unit steps (x right, y down) [count, 2] away from the surface at rim vertices, zero elsewhere."""
    along = np.stack([edges[:, 1] % width - edges[:, 0] % width, edges[:, 1] // width - edges[:, 0] // width], 1)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], 1)  # the right-hand side of the edge on screen
    sums = np.zeros((count, 2))
    for end in range(2):
        np.add.at(sums, edges[:, end], normal)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    # Rims turn by at most 135 degrees at a vertex, so the sum of two normals is at least 0.7 long.
    return np.where(length > 0, sums / np.maximum(length, 0.1), 0.0)


def _spread(picture, mask):
    """Picture uint8 [H, W, 3] with colours off the mask copied from the nearest pixel on it."""
    rows, columns = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return picture[rows, columns]


def _eight_bit(picture):
    """uint8 of a picture that is uint8 or float in [0, 1]; ValueError for any other."""
    picture = np.asarray(picture)
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype.kind != "f":
        raise ValueError(f"a picture is {picture.dtype}: give uint8, or floats in [0, 1]")
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _atlas(pictures, picture_mask, mask):
    """Texture uint8 [kH, 2kW, 3]: front, and the back mirrored, as someone behind the person sees it."""
    front, back = (_eight_bit(picture) for picture in pictures)
    factor = front.shape[0] // mask.shape[0]
    expected = (mask.shape[0] * factor, mask.shape[1] * factor, 3)
    if factor < 1 or front.shape != expected or back.shape != expected:
        raise ValueError(f"pictures {front.shape} and {back.shape} are no whole multiple of the mask {mask.shape}")
    if picture_mask is None:
        picture_mask = mask.repeat(factor, 0).repeat(factor, 1)
    elif not np.any(picture_mask):
        raise ValueError("picture_mask is empty")
    picture_mask = np.asarray(picture_mask, bool)
    return np.concatenate([_spread(front, picture_mask), _spread(back, picture_mask)[:, ::-1]], axis=1)


def _walls(edges, ring, shift):
    """Wall triangles int [4E, 3] and their texture corners [4E, 3] along the rim.

    Vertex numbers: p on the front, shift + p on the back, 2 * shift + ring[p] in the middle of the wall.
    """
    tail, head = edges.T
    front, back = (tail, head), (tail + shift, head + shift)
    middle = (2 * shift + ring[tail], 2 * shift + ring[head])
    faces = [(front[1], front[0], middle[0]), (front[1], middle[0], middle[1])]
    faces += [(middle[1], middle[0], back[0]), (middle[1], back[0], back[1])]
    # Half the wall wears the front's rim colour, half the back's.
    corners = [(front[1], front[0], front[0]), (front[1], front[0], front[1])]
    corners += [(back[1], back[0], back[0]), (back[1], back[0], back[1])]
    return tuple(np.concatenate([np.stack(face, 1) for face in group]) for group in (faces, corners))


def lift(sheets, camera, pictures=None, picture_mask=None, thickness=0.01, keep=0.05, smooth=None):
    """Closed mesh in the camera's frame from one item's sheets; always watertight and consistently wound.

    sheets: numpy `mask` [H, W, 1] (person above 0.5), `front_depth`, `back_depth` [H, W, 1] metres, `front_rgb`,
    `back_rgb` [H, W, 3] in [0, 1]. camera [3] as in geometry.camera. pictures: (front, back) [kH, kW, 3], uint8 or
    [0, 1], to texture with instead, back in the front's pixel grid; picture_mask [kH, kW]: where their colours
    are the person's (default: the mask), the rest is filled from there. thickness: least distance of the sheets in
    metres. keep: parts of the mask below this share of the largest are dropped. smooth: None, or keyword
    arguments of depth_filter.bilateral ({} = its defaults). Returns Mesh with a texture [kH, 2kW, 3]. Raises
    UserError if the mask holds no surface and ValueError for depth that is not finite or pictures that do not fit.
    """
    mask = np.asarray(sheets["mask"])[..., 0] > 0.5
    height, width = mask.shape
    depths = [np.asarray(sheets[f"{side}_depth"], np.float32)[..., 0] for side in ("front", "back")]
    if not all(np.isfinite(depth[mask]).all() for depth in depths):
        raise ValueError("front_depth or back_depth holds a NaN or an infinity on the mask")
    if smooth is not None:
        depths = [bilateral(depth, mask, **smooth) for depth in depths]
    front, back = _thicken(*depths, thickness)
    mask = clean_mask(mask, keep)
    faces_front, faces_back = sheet_faces(mask, front), sheet_faces(mask, back)[:, ::-1]
    edges = rim_edges(faces_front, mask.shape)
    rim = np.unique(edges)
    ring = np.zeros(mask.size, np.int64)
    ring[rim] = np.arange(len(rim))
    wall_faces, wall_corners = _walls(edges, ring, mask.size)

    pixels = np.stack([np.arange(mask.size) % width, np.arange(mask.size) // width], 1) + 0.5
    middle = pixels[rim] + _BULGE * _outward(edges, mask.size, width)[rim]
    points = np.concatenate([pixels, pixels, middle])
    depth = np.concatenate([front.reshape(-1), back.reshape(-1), ((front + back) / 2).reshape(-1)[rim]])
    scale, centre_x, centre_y = np.asarray(camera, np.float64)
    x, y = (points[:, 0] - width / 2) * scale + centre_x, (height / 2 - points[:, 1]) * scale + centre_y
    uv = pixels / [2 * width, height]
    uv = np.concatenate([uv, [1, 0] + uv * [-1, 1]])

    faces = np.concatenate([faces_front, faces_back + mask.size, wall_faces])
    uv_faces = np.concatenate([faces_front, faces_back + mask.size, wall_corners])
    vertices, faces = _compact(np.stack([x, y, depth], 1).astype(np.float32), faces)
    uv, uv_faces = _compact(uv.astype(np.float32), uv_faces)
    texture = _atlas(pictures or (sheets["front_rgb"], sheets["back_rgb"]), picture_mask, mask)
    return Mesh(vertices, faces, uv, uv_faces, texture)


def _compact(rows, faces):
    """Only the rows that faces use, and faces int32 renumbered."""
    used = np.zeros(len(rows), bool)
    used[faces.reshape(-1)] = True
    return rows[used], (np.cumsum(used) - 1)[faces].astype(np.int32)
