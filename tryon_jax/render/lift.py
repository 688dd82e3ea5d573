"""Two sheets to closed, textured solids: height fields over a mask, taken apart where depth jumps.

All numpy, on the host: the number of triangles depends on the picture. The result is closed and consistently wound for
any mask and any depth.
"""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.mesh import Mesh
from tryon_jax.render import jumps, outline
from tryon_jax.render.depth_filter import bilateral
from tryon_jax.render.height_field import clean_mask, closed

# Steps of depth between neighbouring pixels from which a thin thing may stand before another with air between: metres,
# or the sides of a pixel where those are more, for round things are steep near their outline.
JUMP, JUMP_PIXELS = 0.05, 3.0


def _thicken(front, back, thickness):
    """Depths moved apart about their middle where they are nearer than thickness (or crossed)."""
    middle, gap = (front + back) / 2, np.maximum(front - back, thickness)
    return middle + gap / 2, middle - gap / 2


def _nearest(known):
    """Number int [H, W] in row order of the nearest known pixel of each."""
    row, column = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return row * known.shape[1] + column


def _at(picture, numbers):
    """Colours [H, W, 3] of a picture at pixels of these numbers [H, W]."""
    return np.take(picture.reshape(-1, 3), numbers, axis=0)


def _eight_bit(picture):
    """uint8 of a picture that is uint8 or float in [0, 1]; ValueError for any other."""
    picture = np.asarray(picture)
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype.kind != "f":
        raise ValueError(f"a picture is {picture.dtype}: give uint8, or floats in [0, 1]")
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _fine(chosen, factor):
    return chosen.repeat(factor, 0).repeat(factor, 1)


def _made_up(picture, known, made):
    """Picture uint8 [H, W, 3] of what is known bool [H, W], with colours of its nearest rim, softened, where made."""
    # A fortieth of the side: without it the nearest pixels' colours would lie on the hole as streaks.
    soft = len(picture) / 40
    box = _box(made, 3 * int(np.ceil(soft)))
    # A pixel at the rim of what hides the place may hold some of its colour.
    sure, result = known[box] & ~ndimage.binary_dilation(made[box], np.ones((3, 3))), picture.copy()
    if sure.any():
        spread = _at(np.ascontiguousarray(picture[box]), _nearest(sure)).astype(np.float32)
        spread = ndimage.gaussian_filter(spread, (soft, soft, 0), truncate=2.5)
        result[box] = np.where(made[box][..., None], np.round(spread), result[box])
    return result


def _atlas(pictures, picture_mask, solids, shape, box):
    """Texture uint8 [N kh, 2kw, 3], a row a Solid: its front, and its back mirrored, as someone behind sees it.

    shape: (H, W) of the sheets, of which the solids are the box of h x w pixels.
    """
    pictures = [_eight_bit(picture) for picture in pictures]
    factor = pictures[0].shape[0] // shape[0]
    if factor < 1 or any(picture.shape != (shape[0] * factor, shape[1] * factor, 3) for picture in pictures):
        shapes = " and ".join(str(picture.shape) for picture in pictures)
        raise ValueError(f"pictures {shapes} are no whole multiple of the mask {shape}")
    if picture_mask is not None and not np.any(picture_mask):
        raise ValueError("picture_mask is empty")
    fine_box = tuple(slice(span.start * factor, span.stop * factor) for span in box)
    pictures = [picture[fine_box] for picture in pictures]
    rows = []
    for solid in solids:
        known = _fine(solid.mask, factor)
        if picture_mask is not None:
            own = np.asarray(picture_mask, bool)[fine_box]
            # One solid takes all that is the person's; of several each its own part, where the outlines share some.
            known = own if len(solids) == 1 else (own & known if (own & known).any() else known)
        row, nearest = [], _nearest(known)
        for side in range(2):
            picture = pictures[side]
            if solid.worn[side].any():
                picture = np.where(_fine(solid.worn[side], factor)[..., None], pictures[1 - side], picture)
            if solid.made[side].any():
                picture = _made_up(picture, known, _fine(solid.made[side], factor))
            row.append(_at(np.ascontiguousarray(picture), nearest))
        rows.append(np.concatenate([row[0], row[1][:, ::-1]], axis=1))
    return np.concatenate(rows)


def lift(
    sheets, camera, pictures=None, picture_mask=None, thickness=0.001, keep=0.05, smooth=None, jump=None, blur=None
):
    """Closed mesh in the camera's frame from one item's sheets; always watertight and consistently wound.

    sheets: numpy `mask` [H, W, 1] (person above 0.5), `front_depth`, `back_depth` [H, W, 1] metres, `front_rgb`,
    `back_rgb` [H, W, 3] in [0, 1]. camera [3] as in geometry.camera. pictures: (front, back) [kH, kW, 3], uint8 or
    [0, 1], to texture with instead, back in the front's pixel grid; picture_mask [kH, kW]: where their colours
    are the person's (default: the mask), the rest is filled from there. thickness: least distance of the sheets in
    metres. keep: parts of the mask below this share of the largest are dropped. smooth: None, or keyword
    arguments of depth_filter.bilateral ({} = its defaults). jump: least step of depth in metres between neighbours at
    which what is near becomes a solid of its own (render.jumps); None: JUMP, or JUMP_PIXELS pixels if that is more;
    infinity: never. blur: None, or pixels of smoothing after which the rim follows the mask's soft values
    (render.outline) and not its pixels. Returns Mesh with a texture [N kh, 2kw, 3] for N solids, 1 to 3, whose masks
    lie in h x w pixels. Raises UserError if the mask holds no surface and ValueError for depth that is not finite or
    pictures that do not fit.
    """
    mask = np.asarray(sheets["mask"])[..., 0] > 0.5
    depths = [np.asarray(sheets[f"{side}_depth"], np.float32)[..., 0] for side in ("front", "back")]
    if not all(np.isfinite(depth[mask]).all() for depth in depths):
        raise ValueError("front_depth or back_depth holds a NaN or an infinity on the mask")
    if smooth is not None:
        depths = [bilateral(depth, mask, **smooth) for depth in depths]
    mask, scale = clean_mask(mask, keep), float(camera[0])
    box = _box(mask)
    moved = np.zeros((*mask.shape, 2), np.float32)
    if blur is not None:
        moved = outline.moves(np.asarray(sheets["mask"])[..., 0], mask, blur)
    depths = [depth[box] for depth in depths]
    jump = max(JUMP, JUMP_PIXELS * scale) if jump is None else jump
    solids = jumps.split(mask[box], *_thicken(*depths, thickness), scale, jump)
    texture = _atlas(pictures or (sheets["front_rgb"], sheets["back_rgb"]), picture_mask, solids, mask.shape, box)
    points, faces, uv, uv_faces = _joined(solids, moved[box])
    column, row = points[:, 0] + box[1].start, points[:, 1] + box[0].start
    x, y = (column - mask.shape[1] / 2) * scale + camera[1], (mask.shape[0] / 2 - row) * scale + camera[2]
    return Mesh(np.stack([x, y, points[:, 2]], 1).astype(np.float32), faces, uv, uv_faces, texture)


def _box(mask, margin=1):
    """Slices of rows and columns that hold the mask and as many pixels around it as there are, up to the margin."""
    spans = []
    for axis in range(2):
        used = np.flatnonzero(mask.any(1 - axis))
        spans.append(slice(max(used[0] - margin, 0), used[-1] + 1 + margin))
    return tuple(spans)


def _joined(solids, moved):
    """Points (column, row, depth) [V, 3], faces [F, 3], uv [U, 2] and uv_faces [F, 3] of all solids; moved [h, w, 2]:
    by how many (columns, rows) what stands at each pixel does not."""
    height, width = solids[0].mask.shape
    points, faces, uv, corners = [], [], [], []
    first, first_uv = 0, 0
    for number, solid in enumerate(solids):
        of_solid, its_faces, its_corners = closed(solid.mask, solid.front, solid.back)
        # A wall stands out by less than half a pixel, so all of it is at its own pixel.
        column, row = of_solid[:, :2].astype(int).T
        of_solid[:, :2] += moved[row, column]
        places = of_solid[: int(solid.mask.sum()), :2] + [0, height * number]
        uv += [places, [2 * width, 0] + places * [-1, 1]]
        points.append(of_solid)
        faces.append(its_faces + np.int32(first))
        corners.append(its_corners + np.int32(first_uv))
        first, first_uv = first + len(of_solid), first_uv + 2 * len(places)
    uv = np.concatenate(uv) / [2 * width, height * len(solids)]
    return np.concatenate(points), np.concatenate(faces), uv.astype(np.float32), np.concatenate(corners)
