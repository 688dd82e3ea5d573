"""Augmentation of one example: a single transform moves picture, depth, normals, labels, keypoints and camera.

The body is moved in the camera frame (geometry/camera.py), whose axes and origin stay with the camera:
turned by `yaw` about y, mirrored in x, then turned by `roll` about z (counter-clockwise in the picture). So
an unprojected point X becomes X' = R_z(roll) F R_y(yaw) X and a normal turns with it; depth stays in metres.
Scale and shift move only the camera: scale divides its metres per pixel, shift moves its centre.

Callers vmap. Missing targets (flag 0 in `has`) stay zero.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from tryon_jax.geometry.blend import LAYERS, blend, facing, from_layers, gather, mean, nearest, to_layers
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import FLIP_KEYPOINTS, FLIP_PARTS
from tryon_jax.geometry.turn import rotate, turn_sheets

SIDES = {"front": 1.0, "back": -1.0}  # the sign of the normals' z
TARGETS = ("depth", "rgb", "normals", "segmentation", "garment_uv", "strain")
# Neighbouring pixels that differ by more than this many pixel widths in depth are different surfaces.
JUMP_PIXELS = 4.0


class Transform(NamedTuple):
    """Float32 scalars. Applied in this order: yaw, flip, roll, scale, shift.

    yaw, roll: radians; yaw None means that nothing turns, and costs nothing. scale: how much larger the body
    gets in the picture. shift_x (right), shift_y (down): fractions of the picture's height. flip: 0 or 1.
    """

    yaw: jax.Array | None
    roll: jax.Array
    scale: jax.Array
    shift_x: jax.Array
    shift_y: jax.Array
    flip: jax.Array


def identity():
    """The transform that changes nothing."""
    zero = jnp.float32(0.0)
    return Transform(None, zero, jnp.float32(1.0), zero, zero, zero)


def sample(key, ranges):
    """A random Transform. ranges: mapping with yaw and roll (+- radians), scale, shift and flip.

    scale s draws log-uniformly from [1 / (1 + s), 1 + s], shift uniformly from +- that fraction of the
    picture's height, flip is a probability. A yaw range of zero gives yaw None.
    """
    draw = jax.random.uniform(key, (6,), jnp.float32)
    signed = 2 * draw - 1
    return Transform(
        yaw=signed[0] * ranges["yaw"] if ranges["yaw"] else None,
        roll=signed[1] * ranges["roll"],
        scale=jnp.exp(signed[2] * jnp.log1p(jnp.float32(ranges["scale"]))),
        shift_x=signed[3] * ranges["shift"],
        shift_y=signed[4] * ranges["shift"],
        flip=(draw[5] < ranges["flip"]).astype(jnp.float32),
    )


def invert(transform):
    """The transforms which, applied in turn, undo `transform`: a tuple of one, or of two where it has a yaw.

    Roll, scale, shift and flip are undone up to interpolation and what left the picture; yaw as far as the
    surfaces stayed visible. Two, because roll and yaw do not commute.
    """
    mirror = 1 - 2 * transform.flip
    x, y = _rotate(-transform.shift_x, transform.shift_y, -transform.roll)
    in_plane = Transform(
        yaw=None,
        roll=-mirror * transform.roll,
        scale=1 / transform.scale,
        shift_x=mirror * x / transform.scale,
        shift_y=-y / transform.scale,
        flip=transform.flip,
    )
    return (in_plane,) if transform.yaw is None else (in_plane, identity()._replace(yaw=-transform.yaw))


def apply(example, transform):
    """One example of the batch contract (no batch axis), moved; keys that it does not know stay as they are.

    A flip mirrors the person and the garment: the shop picture, its mask and the garment coordinates' x too.
    Yaw turns the sheets and the keypoints, not `person` and `person_segmentation`, which one picture does not
    suffice for: use it in stages that take the front sheet as their picture. An example without true depth,
    mask or back colour is not turned. Keypoints that leave the picture lose their visibility.
    """
    if transform.yaw is not None:
        example = _turn(example, transform.yaw)
    return _move(example, transform)


def _turn(example, yaw):
    has = example["has"]
    yaw = yaw * has["depth"] * has["mask"] * has["back_rgb"]
    camera, mask = example["camera"], example["mask"]
    sheets = [{name: example[f"{side}_{name}"] for name in TARGETS} for side in SIDES]
    front, back, turned_mask = turn_sheets(*sheets, mask, camera, yaw)
    turned = {f"front_{name}": value for name, value in front.items()}
    turned |= {f"back_{name}": value for name, value in back.items()}
    turned |= {"mask": turned_mask, "keypoints": _turn_keypoints(example, yaw)}
    # The picture of a turned sheet shows no more than the sheet.
    turned["front_fine"] = twice(jnp.concatenate([turned["front_rgb"] * turned_mask, turned_mask], axis=-1))
    return {**example, **{name: jnp.where(yaw == 0, example[name], value) for name, value in turned.items()}}


def _turn_keypoints(example, yaw):
    """Keypoints turned at the depth halfway between the sheets, or at the root's where there is no body."""
    keypoints, camera = example["keypoints"], example["camera"]
    height, width = example["mask"].shape[:2]
    middle = (example["front_depth"] + example["back_depth"])[..., 0] / 2
    row = jnp.clip(keypoints[:, 1].astype(jnp.int32), 0, height - 1)
    column = jnp.clip(keypoints[:, 0].astype(jnp.int32), 0, width - 1)
    x = camera[1] + (keypoints[:, 0] - width / 2) * camera[0]
    turned = rotate(jnp.stack([x, jnp.zeros_like(x), middle[row, column]], axis=-1), yaw)
    moved = (turned[:, 0] - camera[1]) / camera[0] + width / 2
    return jnp.stack([moved, keypoints[:, 1], keypoints[:, 2]], axis=-1)


def _rotate(x, y, angle):
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _corners(transform, size):
    """Where each output pixel comes from: index [4, H, W] of four pixels, their weights, which are inside."""
    height, width = size
    rows, columns = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
    x = columns + 0.5 - width / 2 - transform.shift_x * height
    y = height / 2 - rows - 0.5 + transform.shift_y * height
    x, y = _rotate(x, y, -transform.roll)
    x = (1 - 2 * transform.flip) * x / transform.scale + width / 2 - 0.5
    y = height / 2 - 0.5 - y / transform.scale
    # Steps of 1/4096 pixel make quarter turns exact, though float32's cos(pi / 2) is not 0.
    x, y = jnp.round(x * 4096) / 4096, jnp.round(y * 4096) / 4096
    left, top = jnp.floor(x), jnp.floor(y)
    x, y = x - left, y - top
    weights = jnp.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])
    corner_x = left.astype(jnp.int32) + jnp.array([0, 1, 0, 1])[:, None, None]
    corner_y = top.astype(jnp.int32) + jnp.array([0, 0, 1, 1])[:, None, None]
    inside = (corner_x >= 0) & (corner_x < width) & (corner_y >= 0) & (corner_y < height)
    index = jnp.clip(corner_y, 0, height - 1) * width + jnp.clip(corner_x, 0, width - 1)
    return index, weights, inside


def _move_labels(labels, flip):
    labels = jnp.round(labels).astype(jnp.int32)
    return jnp.where(flip > 0, jnp.asarray(FLIP_PARTS)[labels], labels)


def _move_sheet(example, side, corners, mask, transform):
    """One sheet moved; corners are the source index [4, H, W] and weights, zero off the mask; mask [H, W]."""
    sheet = {name: example[f"{side}_{name}"] for name in TARGETS}
    layers = blend(to_layers(sheet).reshape(-1, LAYERS), *corners, JUMP_PIXELS * example["camera"][0])
    mirror = 1 - 2 * transform.flip
    x, y = _rotate(mirror * layers[..., 5:6], layers[..., 6:7], transform.roll)
    normals = facing(jnp.concatenate([x, y, layers[..., 7:8]], axis=-1), SIDES[side]) * example["has"]["normals"]
    layers = jnp.concatenate([layers[..., :5], normals, mirror * layers[..., 8:9], layers[..., 9:]], axis=-1)
    sheet = from_layers(layers, mask)
    sheet["segmentation"] = _move_labels(sheet["segmentation"], transform.flip)
    return {f"{side}_{name}": value for name, value in sheet.items()}


def _move(example, transform):
    """Roll, scale, shift and flip: bilinear for pictures, nearest for labels, and clean edges."""
    size, has = example["mask"].shape[:2], example["has"]
    index, weights, inside = _corners(transform, size)
    known = jnp.where(has["mask"] > 0, example["mask"], 1.0).reshape(-1)
    on = (gather(known, index) > 0.5) & inside
    mask = nearest(on, weights)
    labels = example["person_segmentation"].reshape(-1)
    labels = nearest(gather(labels, index) * inside, weights)
    fine_index, fine_weights, fine_inside = _corners(transform, example["person_fine"].shape[:2])
    moved = {
        # The photo has a background, which goes on beyond its border; the sheet's picture has none.
        "person": _blended(example["person"], index, weights),
        "person_fine": _blended(example["person_fine"], fine_index, fine_weights),
        "front_fine": _blended(example["front_fine"], fine_index, fine_weights * fine_inside),
        "person_segmentation": _move_labels(labels, transform.flip),
        "mask": mask[..., None].astype(jnp.float32) * has["mask"],
        "camera": _move_camera(example["camera"], transform, size),
        "keypoints": _move_keypoints(example["keypoints"], transform, size) * has["keypoints"],
    }
    for side in SIDES:
        moved |= _move_sheet(example, side, (index, weights * on), mask, transform)
    for name in ("garment", "garment_mask"):
        moved[name] = jnp.where(transform.flip > 0, example[name][:, ::-1], example[name])
    return {**example, **moved}


def _blended(picture, index, weights):
    """The picture [H, W, C] at `_corners`' places."""
    return mean(picture.reshape(-1, picture.shape[-1]), index, weights)


def _move_camera(camera, transform, size):
    x, y = _rotate(camera[1] * (1 - 2 * transform.flip), camera[2], transform.roll)
    scale = camera[0] / transform.scale
    metres = scale * size[0]
    return jnp.stack([scale, x - transform.shift_x * metres, y + transform.shift_y * metres])


def _move_keypoints(keypoints, transform, size):
    height, width = size
    keypoints = jnp.where(transform.flip > 0, keypoints[FLIP_KEYPOINTS], keypoints)
    x = (1 - 2 * transform.flip) * (keypoints[:, 0] - width / 2)
    x, y = _rotate(x, height / 2 - keypoints[:, 1], transform.roll)
    x = x * transform.scale + width / 2 + transform.shift_x * height
    y = height / 2 - y * transform.scale + transform.shift_y * height
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return jnp.stack([x, y, keypoints[:, 2] * inside], axis=-1)


def corrupt_depth(key, depth, mask, noise, dropout, block=8):
    """Depth as a poor sensor gives it, and which of its pixels are valid: [H, W, 1] each.

    depth [H, W, 1] metres; noise: standard deviation in metres; dropout: about this fraction of the mask is
    lost, half of it in single pixels and half in squares of `block` pixels. Lost pixels are zero.
    """
    height, width = mask.shape[:2]
    noise_key, pixel_key, block_key = jax.random.split(key, 3)
    noisy = depth + noise * jax.random.normal(noise_key, depth.shape)
    blocks = jax.random.uniform(block_key, (-(-height // block), -(-width // block), 1))
    blocks = jnp.repeat(jnp.repeat(blocks, block, axis=0), block, axis=1)[:height, :width]
    kept = (jax.random.uniform(pixel_key, depth.shape) >= dropout / 2) & (blocks >= dropout / 2)
    valid = (mask > 0.5) & kept
    return jnp.where(valid, noisy, 0.0), valid.astype(jnp.float32)


def sample_colour(key, strength):
    """A random change of colour: matrix [3, 3] and offset [3], for `recolour`.

    strength in [0, 1] bounds the change of brightness, contrast and saturation (each x 1 +- strength) and of
    hue (+- strength x 60 degrees); 0 changes nothing.
    """
    brightness, contrast, saturation, hue = strength * jax.random.uniform(key, (4,), minval=-1.0)
    grey = jnp.full((3, 3), 1 / 3)
    # Turning the hue is a rotation about the grey axis (Rodrigues' formula).
    cross = jnp.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / jnp.sqrt(3.0)
    angle = hue * jnp.pi / 3
    colour = jnp.cos(angle) * (jnp.eye(3) - grey) + jnp.sin(angle) * cross
    matrix = (1 + contrast) * (1 + brightness) * (grey + (1 + saturation) * colour)
    return matrix, jnp.full((3,), -0.5 * contrast * (1 + brightness))


def recolour(picture, colour, mask=None):
    """Picture [H, W, 3] in [0, 1] under the `colour` of `sample_colour`, clipped; zero off `mask` if given."""
    matrix, offset = colour
    # Channel by channel: a product with so small a matrix takes a CPU thirty times as long.
    picture = sum(picture[..., channel : channel + 1] * matrix[:, channel] for channel in range(3)) + offset
    picture = jnp.clip(picture, 0.0, 1.0)
    return picture if mask is None else picture * mask


def recolour_covered(picture, colour):
    """Picture [H, W, 4], colour times coverage and coverage, under the `colour` of `sample_colour`."""
    covered, cover = jnp.split(picture, [3], axis=-1)
    # Less than 1/256 is rounding: such a pixel has no colour.
    alone = recolour(covered / jnp.maximum(cover, 1 / 256), colour)
    return jnp.concatenate([alone * cover, cover], axis=-1)


def patch_mask(key, size, patch, ratio):
    """Which pixels stay visible, float32 [H, W, 1]: whole patches hidden, their number fixed by ratio."""
    rows, columns = size[0] // patch, size[1] // patch
    hidden = round(ratio * rows * columns)
    order = jax.random.permutation(key, rows * columns).reshape(rows, columns)
    return jnp.kron((order >= hidden).astype(jnp.float32), jnp.ones((patch, patch)))[..., None]
