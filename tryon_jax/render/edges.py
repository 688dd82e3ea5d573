"""How a picture changes where surfaces end: the part of a rendering's derivative that its pixels' colours lack.

Inside a surface a pixel's colour follows its barycentrics, smoothly. At a silhouette it jumps, and what changes when
the surface moves is how far it reaches. Neighbouring pixels on either side tell by how much, in the picture itself: the
boundary integral of Li et al., "Differentiable Monte Carlo Ray Tracing through Edge Sampling" (2018), equation 4, with
the edge between two pixel centres. No edge of the mesh is searched for, so triangles may be as small as a pixel.
"""

import jax
import jax.numpy as jnp

# Metres between neighbouring pixels above which the nearer surface ends there, at about 1 cm a pixel.
JUMP = 0.03


@jax.custom_vjp
def edge_gradient(picture, positions, depth, ids, jump=JUMP):
    """The picture as it is, with the derivative by where surfaces end added.

    picture [H, W, C]; positions [H, W, 2]: pixel x and y of the surface points seen, as a function of what is sought
    (`interpolate` of the projected vertices with barycentrics that are held fixed); depth [H, W], larger where nearer;
    ids [H, W], negative where nothing is seen; jump: depths that differ by more belong to different surfaces. What is
    behind a surface's end counts as still.
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
        ends = jnp.abs(depth[first] - depth[second]) > jump  # NaN, of two that are background, is no end
        # The surface's end moves on by a pixel: the first one's colour where the second's was.
        slope = (picture[first] - picture[second]) * (gradient[first] + gradient[second]) / 2
        slope = jnp.where(ends, slope.sum(-1), 0.0)
        nearer = depth[first] > depth[second]
        moved = moved.at[(*first, ..., coordinate)].add(jnp.where(nearer, slope, 0.0))
        moved = moved.at[(*second, ..., coordinate)].add(jnp.where(nearer, 0.0, slope))
    return gradient, moved, jnp.zeros_like(depth), None, None


edge_gradient.defvjp(_forward, _backward)
