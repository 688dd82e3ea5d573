"""A garment's picture as if the garment lay otherwise: drawn out towards its hem, or towards its neck.

On real photos the same jacket is laid with its sleeves spread or down, and flares or does not. Who has seen each class
in a few outlines only takes a jacket with its sleeves down for a skirt, whatever class he is told. How long it is for
its width stays, since that says how long it is on a body. Callers vmap.
"""

import jax
import jax.numpy as jnp

from tryon_jax.render.texture import sample_texture

UV = ("front_garment_uv", "back_garment_uv")


def sample(key, most):
    """A random taper, float32 in +- most, which lies in [0, 1)."""
    return jax.random.uniform(key, (), jnp.float32, -most, most)


def apply(example, taper):
    """One example of the batch contract, its garment's picture, cut-out and coordinates tapered.

    taper in (-1, 1): how much wider the picture's lower edge gets, and its upper edge narrower. The cut-out keeps its
    greatest width, as pictures are framed by it; beyond the picture's edge its ground goes on.
    """
    garment, mask = example["garment"], example["garment_mask"]
    y, x = jnp.meshgrid(*(_centres(count) for count in mask.shape[:2]), indexing="ij")
    reach = jnp.abs(x) * (mask[..., 0] > 0.5)
    # 1e-6: a garment without a cut-out has no width to keep.
    fit = jnp.maximum(reach.max(), 1e-6) / jnp.maximum((reach * (1 + taper * y)).max(), 1e-6)
    source = x / (fit * (1 + taper * y))
    place = jnp.stack([source, y], axis=-1)
    found = sample_texture(jnp.concatenate([garment, mask], axis=-1), (place + 1) / 2)
    moved = {"garment": found[..., :3], "garment_mask": found[..., 3:] * (jnp.abs(source) <= 1)[..., None]}
    for name in UV:
        u, v = example[name][..., 0], example[name][..., 1]
        moved[name] = jnp.stack([fit * u * (1 + taper * v), v], axis=-1)
    return {**example, **moved}


def _centres(count):
    """Coordinates in [-1, 1] of pixel centres."""
    return (jnp.arange(count) + 0.5) * 2 / count - 1
