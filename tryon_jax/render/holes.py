"""Holes in a picture, filled from what is known around them."""

import jax
import jax.numpy as jnp


def fill(values, known):
    """Values [S, S, C] with what is not known [S, S, 1] in [0, 1] filled from around; what is half known, by half.

    Push-pull (Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.5): means of what is known in ever larger
    squares, each hole taking that of the smallest square that holds something. All zero if nothing is known.
    """
    levels = [(values, known)]
    while len(values) > 1:
        merged = 2 if len(values) % 2 == 0 else len(values)
        side = len(values) // merged
        count = known.reshape(side, merged, side, merged, 1).sum((1, 3))
        total = (values * known).reshape(side, merged, side, merged, -1).sum((1, 3))
        # A millionth of a pixel counts as none: the sum is zero then, and so stays the mean.
        values, known = total / jnp.maximum(count, 1e-6), jnp.minimum(count, 1.0)
        levels.append((values, known))
    filled = values
    for values, known in levels[-2::-1]:
        wide = jax.image.resize(filled, (*values.shape[:2], filled.shape[-1]), "linear")
        filled = known * values + (1 - known) * wide
    return filled
