"""What the channels of the decoder's output mean, and the sheets that they make."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import half_extent
from tryon_jax.geometry.parts import PARTS

# Channels of the decoder's output for one sheet; one mask logit for both follows.
HEADS = {"rgb": 3, "depth": 1, "normals": 3, "parts": len(PARTS), "garment_uv": 2, "blend": 4, "shading": 1}
# Where a pixel's colour may come from: the network's own, the garment picture, the photo, the person's own colours
# by material (render/palette.py). `blend` has a logit for each.
CHOICES = ("own", "garment", "photo", "palette")
CHANNELS = 2 * sum(HEADS.values()) + 1
# A body is about a fifth as deep as a picture of it is high: this brings the raw depth channel near unit size.
DEPTH_UNIT = 0.2


def unit(vectors):
    """Vectors [..., 3] at length 1."""
    # The smallest squared length: a zero vector has no direction and stays zero.
    return vectors * jax.lax.rsqrt(jnp.maximum(jnp.square(vectors).sum(-1, keepdims=True), 1e-12))


def split(raw):
    """Named maps of a decoder's raw output [N, S, S, CHANNELS].

    For each side: rgb in (0, 1), depth in half extents of the picture (the back's never before the front's),
    normals unit with the side's sign of z, parts logits, garment_uv in (-1, 1), blend logits over
    CHOICES, shading in (0, 2). Common to both: mask logit.
    """
    maps = {}
    # One split: the gradient of each slice by itself would be a padded copy of all channels.
    *channels, mask = jnp.split(raw, np.cumsum([*HEADS.values(), *HEADS.values()]), axis=-1)
    for side, sign in (("front", 1.0), ("back", -1.0)):
        part = dict(zip(HEADS, channels[: len(HEADS)] if side == "front" else channels[len(HEADS) :], strict=True))
        normals = part["normals"]
        facing = sign * jax.nn.softplus(normals[..., 2:] + 1)
        maps |= {
            f"{side}_rgb": jax.nn.sigmoid(part["rgb"]),
            f"{side}_depth": DEPTH_UNIT * part["depth"],
            f"{side}_normals": unit(jnp.concatenate([normals[..., :2], facing], axis=-1)),
            f"{side}_parts": part["parts"],
            f"{side}_garment_uv": jnp.tanh(part["garment_uv"]),
            f"{side}_blend": part["blend"],
            f"{side}_shading": 2 * jax.nn.sigmoid(part["shading"]),
        }
    thickness = DEPTH_UNIT * jax.nn.softplus(maps["back_depth"] / DEPTH_UNIT)
    return {**maps, "back_depth": maps["front_depth"] - thickness, "mask": mask}


def shares(blend, allowed):
    """Shares [..., len(CHOICES)] that blend logits give the choices named in `allowed`, summing to 1; others 0."""
    possible = jnp.array([choice in allowed for choice in CHOICES])
    return jax.nn.softmax(jnp.where(possible, blend, -jnp.inf), axis=-1)


def composed(shares, sources):
    """Colours [..., 3] in [0, 1]: sources, a dict of choice -> [..., 3], in their shares [..., len(CHOICES)]."""
    colour = sum(shares[..., CHOICES.index(name), None] * value for name, value in sources.items())
    return jnp.clip(colour, 0.0, 1.0)  # bright cloth under shading over 1


def sheets(maps, front_rgb, back_rgb, camera):
    """The batch contract's target keys from named maps [N, S, S, .], colours and cameras [N, 3].

    Depth in metres, normals unit, int32 segmentation, mask in [0, 1]; all but the mask zero where it is <= 0.5.
    """
    mask = jax.nn.sigmoid(maps["mask"])
    solid = (mask > 0.5).astype(jnp.float32)
    metres = half_extent(camera, mask.shape[1:3])[:, None, None, None]
    result = {"mask": mask}
    for side, rgb in (("front", front_rgb), ("back", back_rgb)):
        # The background is no part of a person: inside the mask the best of the other labels counts.
        labels = 1 + maps[f"{side}_parts"][..., 1:].argmax(-1)
        result |= {
            f"{side}_rgb": rgb * solid,
            f"{side}_depth": maps[f"{side}_depth"] * metres * solid,
            f"{side}_normals": maps[f"{side}_normals"] * solid,
            f"{side}_segmentation": labels.astype(jnp.int32) * solid[..., 0].astype(jnp.int32),
            f"{side}_garment_uv": maps[f"{side}_garment_uv"] * solid,
        }
    return result
