"""A person's own colours, material by material, for what the picture does not show: the back, bared arms, holes."""

import jax.numpy as jnp

from tryon_jax.geometry.parts import MATERIAL, PART
from tryon_jax.render.holes import filled


def materials(parts):
    """Shares [H, W, M] of the materials, summing to 1, of probabilities [H, W, K] of parts; background aside."""
    shares = parts @ jnp.asarray(MATERIAL)
    # A pixel that is background for certain has no material: all its shares are zero.
    return shares / jnp.maximum(shares.sum(-1, keepdims=True), 1e-6)


def repaint(picture, known, shown, wanted):
    """Colours [H, W, 3] of parts `wanted`, each material in its mean colour where `picture` shows it.

    picture [H, W, 3]; known [H, W, 1] in [0, 1]: where it shows the person; shown, wanted [H, W, K]: probabilities of
    the parts in the picture and of those to be coloured. A material that is hardly shown tends to the person's mean;
    all is black if nothing is known.
    """
    weights = materials(shown) * known
    pixels = weights.sum((0, 1))
    sums = jnp.einsum("hwm,hwc->mc", weights, picture)
    mean = sums.sum(0) / jnp.maximum(pixels.sum(), 1.0)
    # One pixel of the person's mean beside those of the material: its weight tells only where that has few.
    return materials(wanted) @ ((sums + mean) / (pixels[:, None] + 1))


def mend(picture, known, shown, wanted):
    """Colours [S, S, 3] of parts `wanted`, each material filled from the nearest places that show it.

    Arguments as of `repaint`, known [S, S, 1]; a material that is shown nowhere is black.
    """
    weights = jnp.moveaxis(materials(shown) * known, -1, 0)[:, None]
    found = filled(jnp.moveaxis(picture, -1, 0), weights)
    return jnp.einsum("hwm,mchw->hwc", materials(wanted), found)


def behind(picture, known, shown, wanted):
    """Colours [S, S, 3] of parts `wanted` of the back, from a picture of the front: `mend`, pixel behind pixel.

    The face is left out of the skin: its features would look out of the nape. Arguments as of `mend`.
    """
    face = shown[..., PART["face"], None]
    return mend(picture, known * (1 - face), shown, wanted)


# What a picture of the front tells of each sheet.
MENDED = {"front": mend, "back": behind}
