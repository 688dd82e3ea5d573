"""The pretext task: what self-supervision shows its encoder of an example.

A draw decides between the whole picture and patches of colour, depth and normals of the front sheet, either with parts
and keypoints now and then. Masking follows MAE (arXiv:2111.06377), several modalities MultiMAE (arXiv:2204.01678).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from tryon_jax import augment
from tryon_jax.geometry.camera import half_extent
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import PARTS
from tryon_jax.models.encoder_decoder import MODALITIES
from tryon_jax.models.maps import DEPTH_UNIT
from tryon_jax.models.posture import TOLD
from tryon_jax.render.holes import fill

# Share of examples whose upper pyramid levels are spatially constant, as the generator's mapping makes them.
FLAT_SHARE = 0.1
# Shares of pictures that come with parts and keypoints both, and with one of the two alone: the first is what try-on
# shows its encoder; the rest, bare pictures, is most, being the hardest. Chance that a true photo is the picture.
HINTED_SHARE, HALF_HINTED_SHARE, PHOTO_SHARE = 0.25, 0.1, 0.5
# How far off told keypoints are, half picture sides: about as far as found ones.
TOLD_NOISE = 0.015


class Picture(NamedTuple):
    """What is shown of a person: rgb [H, W, 3] in [0, 1], and the same with twice the pixels a side, fine."""

    rgb: jax.Array
    fine: jax.Array


def backdrop(key, size):
    """A plain or evenly shaded background [H, W, 3] in [0, 1]."""
    keys = jax.random.split(key, 3)
    first, second = jax.random.uniform(keys[0], (2, 3))
    angle = jax.random.uniform(keys[1], maxval=2 * jnp.pi)
    y, x = jnp.meshgrid(jnp.linspace(-1, 1, size[0]), jnp.linspace(-1, 1, size[1]), indexing="ij")
    along = (x * jnp.cos(angle) + y * jnp.sin(angle)) / 2.83 + 0.5  # 2.83: the diagonal of a square of side 2
    shade = along[..., None] * jax.random.bernoulli(keys[2])
    return first + (second - first) * jnp.clip(shade, 0, 1)


def picture(example, key, use_photo):
    """The Picture of the sheets' person: the front sheet before a random background, or the photo where told."""
    fine, cover = jnp.split(example["front_fine"], [3], axis=-1)
    made = Picture(
        example["front_rgb"] + (1 - example["mask"]) * backdrop(key, example["mask"].shape[:2]),
        fine + (1 - cover) * backdrop(key, cover.shape[:2]),
    )
    photo = Picture(example["person"], example["person_fine"])
    return jax.tree.map(partial(jnp.where, use_photo > 0), photo, made)


def detail(picture):
    """What a Picture's fine pixels are apart from the pixel they lie in, [2H, 2W, 3] in units of observed colour."""
    return 2 * (picture.fine - twice(picture.rgb))


def whole(example, picture, parts=0.0, keypoints=0.0):
    """Observations of a whole Picture; parts, keypoints in {0, 1} say whether those are shown too."""
    size, has = example["mask"].shape[:2], example["has"]
    return {
        "rgb": 2 * picture.rgb - 1,
        "detail": detail(picture),
        "parts": jax.nn.one_hot(example["front_segmentation"], len(PARTS)) * parts * has["segmentation"],
        "keypoints": example["keypoints"] * keypoints * has["keypoints"],
        "geometry": jnp.zeros((*size, MODALITIES["geometry"])),
        "known": jnp.ones_like(example["mask"]),
    }


def masked(example, picture, visible, depth, valid, parts=0.0, keypoints=0.0):
    """Observations of the visible [H, W, 1] patches of a Picture, depth (metres, where valid [H, W, 1]) and normals.

    The holes in the picture are filled with the colours of the person's visible pixels around. parts and keypoints as
    of `whole`; of the parts too only the visible patches are shown.
    """
    unmasked = whole(example, picture, parts, keypoints)
    size, has = example["mask"].shape[:2], example["has"]
    units = depth / (half_extent(example["camera"], size) * DEPTH_UNIT)
    known = jnp.concatenate([units * has["depth"], example["front_normals"] * has["normals"]], axis=-1) * valid
    filled = fill(picture.rgb, valid * visible)
    return {
        **unmasked,
        "rgb": 2 * (picture.rgb * visible + filled * (1 - visible)) - 1,
        "detail": unmasked["detail"] * twice(visible),
        "parts": unmasked["parts"] * visible,
        "geometry": jnp.concatenate([known, jnp.ones_like(depth)], axis=-1) * visible,
        "known": visible,
    }


def _disturbed(ranges, example, key, use_photo):
    """One example moved and recoloured; not turned where the photo is used, since a photo cannot turn."""
    keys = jax.random.split(key)
    transform = augment.sample(keys[0], ranges)
    if transform.yaw is not None:
        transform = transform._replace(yaw=transform.yaw * (1 - use_photo))
    example = augment.apply(example, transform)
    colour = augment.sample_colour(keys[1], ranges["colour"])
    sheets = {name: augment.recolour(example[name], colour, example["mask"]) for name in ("front_rgb", "back_rgb")}
    photos = {name: augment.recolour(example[name], colour) for name in ("person", "person_fine")}
    return {**example, **sheets, **photos, "front_fine": augment.recolour_covered(example["front_fine"], colour)}


def _told(share, key, keypoints, seen):
    """Observations `seen` of one example that are told, with chance `share`, of its keypoints [K, 3], unless shown.

    As in teacher forcing (Williams and Zipser 1989): where those found are far off, nothing is learned of what they
    tell.
    """
    keys = jax.random.split(key)
    off = TOLD_NOISE * seen["rgb"].shape[0] / 2 * jax.random.normal(keys[0], (len(keypoints), 2))
    told = jnp.concatenate([keypoints[:, :2] + off, TOLD * (keypoints[:, 2:] > 0)], axis=-1)
    wanted = (jax.random.uniform(keys[1]) < share) & ~seen["keypoints"].any() & (told[:, 2:] > 0)
    return {**seen, "keypoints": jnp.where(wanted, told, seen["keypoints"])}


def prepared(ranges, hiding, example, key):
    """One training example: (moved example, observations, flat, bare).

    ranges: of the config's `augment`; hiding: its `mask`. flat: 1 if the pyramid's upper levels are to be; bare: 1 if
    no parts are shown.
    """
    keys = jax.random.split(key, 6)
    chances = jax.random.uniform(keys[0], (4,))
    use_photo = example["same_garment"] * (chances[0] < PHOTO_SHARE)
    example = _disturbed(ranges, example, keys[1], use_photo)
    shown = picture(example, keys[2], use_photo)
    # One draw rules both hints, in this order: both, parts alone, keypoints alone, none.
    parts_end, hints_end = HINTED_SHARE + HALF_HINTED_SHARE / 2, HINTED_SHARE + HALF_HINTED_SHARE
    parts = chances[1] < parts_end
    keypoints = (chances[1] < hints_end) & ((chances[1] < HINTED_SHARE) | (chances[1] >= parts_end))
    depth, valid = augment.corrupt_depth(
        keys[3], example["front_depth"], example["mask"], ranges["depth_noise"], ranges["depth_dropout"]
    )
    visible = augment.patch_mask(keys[4], example["mask"].shape[:2], hiding["patch"], hiding["ratio"])
    seen = jax.tree.map(
        partial(jnp.where, chances[2] < hiding["share"]),
        masked(example, shown, visible, depth, valid, parts, keypoints),
        whole(example, shown, parts, keypoints),
    )
    seen = _told(hiding["told"], keys[5], example["keypoints"] * example["has"]["keypoints"], seen)
    return example, seen, (chances[3] < FLAT_SHARE).astype(jnp.float32), 1.0 - parts
