"""How a picture changes where its surfaces move, told by the borders between neighbouring pixels.

In the spirit of antialiasing as the source of gradients (Laine et al., arXiv:2011.03277, section 3.3), but of every
border. A picture is a sum of patches, each of one pixel's colour. When the surface moves, the borders of the patches
move with it: a border inside of a surface at the mean speed of its two pixels, one between two surfaces with the nearer
of them, for what is behind stays where it is. Moving a border by a pixel gives one pixel the colour of the other. So
silhouettes and the inside of a surface are counted in one way, by the picture alone. Derivatives through barycentrics,
which the inside has too, are wild where a surface is seen at a grazing angle, and do not cancel against those of the
silhouette.
"""

import jax
import jax.numpy as jnp

# Metres between neighbouring pixels above which the nearer surface ends there, at about 1 cm a pixel.
JUMP = 0.03


@jax.custom_vjp
def edge_gradient(picture, positions, depth, ids, jump=JUMP):
    """The picture as it is, with the derivative by where surfaces are.

    picture [H, W, C]: `interpolate` with barycentrics that are held fixed (jax.lax.stop_gradient), so that it follows
    attributes alone; positions [H, W, 2]: pixel x and y of the surface points seen, `interpolate` of the projected
    vertices, held in the same way; depth [H, W], larger where nearer; ids [H, W], negative where nothing is seen; jump:
    depths that differ by more belong to different surfaces.
    """
    del positions, depth, ids, jump
    return picture


def _forward(picture, positions, depth, ids, jump=JUMP):
    return picture, (picture, depth, ids, jump, jnp.zeros_like(positions))


def _backward(residuals, gradient):
    picture, depth, ids, jump, moved = residuals
    # Nothing is farther than the background.
    depth = jnp.where(ids >= 0, depth, -jnp.inf)
    for axis, coordinate in ((1, 0), (0, 1)):
        first = (slice(None),) * axis + (slice(None, -1),)
        second = (slice(None),) * axis + (slice(1, None),)
        slope = ((picture[first] - picture[second]) * (gradient[first] + gradient[second]) / 2).sum(-1)
        share = jnp.where(depth[first] > depth[second], 1.0, 0.0)
        share = jnp.where(jnp.abs(depth[first] - depth[second]) > jump, share, 0.5)
        slope = jnp.where((ids[first] >= 0) | (ids[second] >= 0), slope, 0.0)
        moved = moved.at[(*first, ..., coordinate)].add(slope * share)
        moved = moved.at[(*second, ..., coordinate)].add(slope * (1 - share))
    return gradient, moved, jnp.zeros_like(depth), None, None


edge_gradient.defvjp(_forward, _backward)
