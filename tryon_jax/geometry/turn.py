"""Two aligned sheets turned about the vertical axis: what both cameras see of the body after it has turned.

Turning about the camera frame's y axis keeps every point in its picture row, so rows are independent. A row
of the two sheets is a set of closed profiles in (x, z): a segment between neighbouring front pixels, one
between neighbouring back pixels, and walls where the silhouette ends, as `render.lift` closes a mesh. A jump
of depth inside a sheet becomes a steep segment. The turned row is drawn by taking, at every pixel centre,
the highest and the lowest of all segments there: dense, W x 3 (W + 1) a row, without a scatter.
"""

import jax
import jax.numpy as jnp

from tryon_jax.geometry.blend import LAYERS, blend, facing, from_layers, gather, to_layers

# The winner's depth and name share one int32: 11 bits of segment, 21 of depth in steps of 4 micrometres (+-4 m).
SEGMENT_BITS = 11
DEPTH_STEPS = 2.0**18
MAX_WIDTH = 2**SEGMENT_BITS // 3 - 1


def rotate(points, yaw):
    """Camera-frame points or normals [..., 3] turned by `yaw` radians about y, as `camera_from_world` turns."""
    cosine, sine = jnp.cos(yaw), jnp.sin(yaw)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return jnp.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=-1)


def _profiles(x, front, back, inside):
    """Ends of all segments: columns, x, z, each [2, H, 3, W + 1], and which exist, [H, 3, W + 1].

    x [W] is the pixel centres' place in metres; front, back [H, W] depths; inside [H, W] bool. Gap g lies
    between pixels g - 1 and g. Where only one of them is inside, the profile ends half a pixel beyond it, so
    that turning does not shrink the body; the wall stands there.
    """
    height, width = front.shape
    half = (x[1] - x[0]) / 2
    outside = jnp.zeros((height, 1), bool)
    has_left = jnp.concatenate([outside, inside], axis=1)
    has_right = jnp.concatenate([inside, outside], axis=1)
    gaps = jnp.arange(width + 1)
    left_column = jnp.where(has_left, gaps - 1, jnp.minimum(gaps, width - 1))
    right_column = jnp.where(has_right, gaps, jnp.maximum(gaps - 1, 0))
    edge = x[0] - half + 2 * half * gaps
    left_x = jnp.where(has_left, edge - half, edge)
    right_x = jnp.where(has_right, edge + half, edge)

    def ends(depth):
        left = jnp.concatenate([depth[:, :1], depth], axis=1)
        right = jnp.concatenate([depth, depth[:, -1:]], axis=1)
        return jnp.where(has_left, left, right), jnp.where(has_right, right, left)

    (front_left, front_right), (back_left, back_right) = ends(front), ends(back)
    wall_x = jnp.broadcast_to(edge, left_x.shape)
    either, one = has_left | has_right, has_left ^ has_right
    columns = jnp.stack(
        [
            jnp.stack([left_column, left_column + width, left_column], axis=1),
            jnp.stack([right_column, right_column + width, left_column + width], axis=1),
        ]
    )
    place = jnp.stack([jnp.stack([left_x, left_x, wall_x], axis=1), jnp.stack([right_x, right_x, wall_x], axis=1)])
    depth = jnp.stack(
        [
            jnp.stack([front_left, back_left, front_left], axis=1),
            jnp.stack([front_right, back_right, back_left], axis=1),
        ]
    )
    return columns, place, depth, jnp.stack([either, either, one], axis=1)


def _winners(x, place, depth, exists):
    """Segment seen from the front and from the back at each pixel, int32 [2, H, W], -1 where there is none.

    x [W] pixel centres; place, depth [2, H, S] the ends of S segments a row; exists [H, S] bool.
    """
    low, high = jnp.minimum(place[0], place[1]), jnp.maximum(place[0], place[1])
    run = place[1] - place[0]
    # A segment seen end-on has no slope; a billionth of a metre is far below float32's step at one metre.
    slope = jnp.where(jnp.abs(run) > 1e-9, (depth[1] - depth[0]) / jnp.where(jnp.abs(run) > 1e-9, run, 1.0), 0.0)
    low, high = jnp.where(exists, low, jnp.inf), jnp.where(exists, high, -jnp.inf)
    bottom, top = jnp.minimum(depth[0], depth[1]), jnp.maximum(depth[0], depth[1])
    columns = [jnp.moveaxis(value, -1, 0)[..., None] for value in (low, high, slope, place[0], depth[0], bottom, top)]
    none = jnp.iinfo(jnp.int32)
    limit = 2 ** (31 - SEGMENT_BITS) - 1

    def draw(nearest, segment):
        name, low, high, slope, start, start_depth, bottom, top = segment
        z = jnp.clip(start_depth + slope * (x - start), bottom, top)
        steps = jnp.clip(z * DEPTH_STEPS, -limit, limit).astype(jnp.int32)
        keys = (steps << SEGMENT_BITS) | name
        covers = (low <= x) & (x <= high)
        front = jnp.maximum(nearest[0], jnp.where(covers, keys, none.min))
        return (front, jnp.minimum(nearest[1], jnp.where(covers, keys, none.max))), None

    shape = (exists.shape[0], x.shape[0])
    start = (jnp.full(shape, none.min, jnp.int32), jnp.full(shape, none.max, jnp.int32))
    names = jnp.arange(exists.shape[-1], dtype=jnp.int32)
    # A loop over segments is 5 times faster on a CPU than the reduction over an axis of segments.
    (front, back), _ = jax.lax.scan(draw, start, (names, *columns), unroll=8)
    return jnp.stack(
        [jnp.where(key == end, -1, key & (2**SEGMENT_BITS - 1)) for key, end in ((front, none.min), (back, none.max))]
    )


def turn_sheets(front, back, mask, camera, yaw):
    """Both sheets of the body turned by `yaw` radians about the camera frame's y axis.

    front, back: dicts of rgb [H, W, 3], depth [H, W, 1] metres, normals [H, W, 3], segmentation [H, W] int32,
    garment_uv [H, W, 2] and strain [H, W, 1] of one item; mask [H, W, 1]; camera [3]. Returns (front, back, mask)
    alike; what is hidden from both cameras is lost, and what comes into view between them is drawn as the walls, which
    blend the two sheets. The camera stays. Raises ValueError over 681 pixels of width.
    """
    height, width = mask.shape[:2]
    if width > MAX_WIDTH:
        raise ValueError(f"turn_sheets handles pictures of up to {MAX_WIDTH} pixels of width, got {width}")
    centres = camera[1] + (jnp.arange(width) + 0.5 - width / 2) * camera[0]
    inside = mask[..., 0] > 0.5
    columns, place, depth, exists = _profiles(centres, front["depth"][..., 0], back["depth"][..., 0], inside)
    points = rotate(jnp.stack([place, jnp.zeros_like(place), depth], axis=-1), yaw)
    place, depth, columns = points[..., 0], points[..., 2], columns.reshape(2, height, -1)
    place, depth, exists = place.reshape(columns.shape), depth.reshape(columns.shape), exists.reshape(height, -1)
    winner = _winners(centres, place, depth, exists)

    seen = winner[0] >= 0
    rows = jnp.arange(height)[:, None]
    ends = jnp.concatenate([place, depth, columns]).reshape(6, -1).T
    ends = gather(ends, jnp.maximum(winner, 0) + rows * exists.shape[-1])
    place, depth, columns = jnp.moveaxis(ends.reshape(2, height, width, 3, 2), (3, 4), (0, 1))
    run = place[1] - place[0]
    share = jnp.where(jnp.abs(run) > 1e-9, (centres - place[0]) / jnp.where(jnp.abs(run) > 1e-9, run, 1.0), 0.0)
    share = jnp.clip(share, 0.0, 1.0)
    depth = depth[0] + share * (depth[1] - depth[0])
    both = jnp.concatenate([to_layers(front), to_layers(back)], axis=1).reshape(-1, LAYERS)
    # The two ends of a segment are one surface, whatever their depths.
    layers = blend(both, columns.astype(jnp.int32) + rows * 2 * width, jnp.stack([1 - share, share]), jnp.inf)
    turned = rotate(layers[..., 5:8], yaw)
    sheets = []
    for i, side in ((0, 1.0), (1, -1.0)):
        normals = facing(turned[i], side)
        sheet = [layers[i, ..., :1], depth[i, ..., None], layers[i, ..., 2:5], normals, layers[i, ..., 8:]]
        sheets.append(from_layers(jnp.concatenate(sheet, axis=-1), seen))
    return sheets[0], sheets[1], seen[..., None].astype(mask.dtype)
