"""The closed surface between two height fields over one mask, sewn together at its rim.

All numpy, on the host: the number of triangles depends on the mask. Every pixel of the mask is a vertex of both fields,
so the result is closed and consistently wound for any mask without pinches (`unpinched`) and any depths.
"""

import functools

import numpy as np
from scipy import ndimage

from tryon_jax.errors import UserError

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
    """Mask bool [H, W] without what can be no surface (`unpinched`), and without specks: all parts with less than
    `keep` of the largest part's pixels. Raises UserError if nothing is left.
    """
    mask = unpinched(mask)
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    if count == 0:
        raise UserError("mask: no part of it is large enough to be a person; give another picture or train longer")
    areas = np.bincount(parts.reshape(-1))
    areas[0] = 0
    return mask & (areas >= keep * areas.max())[parts]


def unpinched(mask):
    """Mask bool [H, W] without pixels in no triangle and pinch pixels, where two rims meet, until nothing changes."""
    mask = np.asarray(mask, bool)
    while True:
        padded, around = np.pad(mask, 1).view(np.uint8), np.zeros(mask.shape, np.uint8)
        for number, (row, column) in enumerate(_STEPS):
            beside = padded[1 + row : 1 + row + mask.shape[0], 1 + column : 1 + column + mask.shape[1]]
            around |= beside << np.uint8(number)
        cleaned = mask & _sound()[around]
        if (cleaned == mask).all():
            return mask
        mask = cleaned


@functools.cache
def _sound():
    """Whether a pixel is in a triangle and on one rim at most, bool [256], by which of its neighbours are there.

    Nothing else matters: all triangles with a corner in a pixel are of the four cells around it.
    """
    flat, sound = np.zeros((3, 3), np.float32), np.zeros(256, bool)
    for around in range(256):
        square = np.zeros((3, 3), bool)
        square[1, 1] = True
        for number, (row, column) in enumerate(_STEPS):
            square[1 + row, 1 + column] = around >> number & 1
        faces = sheet_faces(square, flat)
        middle = 4
        sound[around] = (faces == middle).any() and (rim_edges(faces, square.shape)[:, 0] == middle).sum() <= 1
    return sound


def _outward(edges, on_rim, width):
    """Unit steps (x right, y down) [R, 2] away from the surface at the pixels on_rim bool [H W], in their order."""
    along = np.stack([edges[:, 1] % width - edges[:, 0] % width, edges[:, 1] // width - edges[:, 0] // width], 1)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    place = np.cumsum(on_rim) - 1
    count = place[-1] + 1
    sums = np.zeros((count, 2))
    for end in range(2):
        at = place[edges[:, end]]
        # The right-hand side of the edge on screen.
        sums += np.stack([np.bincount(at, -along[:, 1], count), np.bincount(at, along[:, 0], count)], 1)
    # Rims turn by at most 135 degrees at a vertex, so the sum of two normals is at least 0.7 long.
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 0.1)


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


def closed(mask, front, back):
    """Closed surface of depths front > back [H, W] over mask bool [H, W], which must be `unpinched`.

    Returns points [2 N + R, 3] (column, row, depth; pixel centres at +0.5) of the N pixels in front, then behind, then
    in the middle of the wall; faces int32 [F, 3]; and corners int32 [F, 3]: the point of the first 2 N whose
    colour each corner wears.
    """
    width, pixels = mask.shape[1], np.flatnonzero(mask)
    count = len(pixels)
    rank = np.zeros(mask.size, np.int32)
    rank[pixels] = np.arange(count, dtype=np.int32)
    faces_front, faces_back = sheet_faces(mask, front), sheet_faces(mask, back)[:, ::-1]
    edges = rim_edges(faces_front, mask.shape)
    on_rim = np.zeros(mask.size, bool)
    on_rim[edges] = True
    rim = np.flatnonzero(on_rim)
    ring = np.zeros(count, np.int32)
    ring[rank[rim]] = np.arange(len(rim), dtype=np.int32)
    wall_faces, wall_corners = _walls(rank[edges], ring, count)
    places = np.stack([pixels % width, pixels // width], 1) + 0.5
    outward = _outward(edges, on_rim, width)
    depths = front[mask], back[mask]
    depth = np.concatenate([*depths, ((depths[0] + depths[1]) / 2)[rank[rim]]])
    points = np.concatenate([places, places, places[rank[rim]] + _BULGE * outward])
    sheets = np.concatenate([rank[faces_front], rank[faces_back] + np.int32(count)])
    points = np.concatenate([points, depth[:, None]], 1)
    return points, np.concatenate([sheets, wall_faces]), np.concatenate([sheets, wall_corners])
