"""How much light a photographer lets in: a dressed person is metered from the front, and the light scaled to suit.

The light that falls on the person is brought to one level. How dark this person and these clothes are counts for a
part only, so that black stays darker than white, yet dark skin is not lost.
"""

import jax
import numpy as np

from tryon_jax.render import shade

INCIDENT = 0.94  # light on what is seen, on average: what white cloth would show of it
GREY = 0.5  # brightness of people and clothes that are taken as they are
COMPENSATED = 0.3  # share, as a power, of a person's difference from GREY that is taken back
MOST = 1.3  # by at most this factor, up or down
SPREAD = 0.06  # of exposures around the level: a fifth of a stop, where pictures hold the 2.2th root of light
SAMPLED = 3072  # faces that are metered: always as many, for one compilation; those of padding have no area
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

_shaded = jax.jit(shade.spherical_harmonics)


def exposed(rng, light, readings):
    """The light [9, 3] f32 scaled as for a photo, by `meter` readings of what it shall suit: their mean counts."""
    incident, albedo = np.mean(readings, axis=0)
    # 0.02: darker than any cloth or skin is painted. 0.1: less light than any lamp gives.
    wanted = np.clip((GREY / max(albedo, 0.02)) ** COMPENSATED, 1 / MOST, MOST) * INCIDENT / max(incident, 0.1)
    return (light * wanted * np.exp(rng.uniform(-SPREAD, SPREAD))).astype(np.float32)


def meter(mesh, openness, textures, light):
    """Mean brightness of the light on what a drawing.Mesh shows to the front, and of its colours there: two floats.

    Some faces, evenly spread in their order, stand for all, each with its area as seen; what hides others is left out.
    openness, textures and light as in drawing.draw.
    """
    # Rows are taken by `take`, which needs a third of the time of brackets.
    faces = mesh.faces.take(np.linspace(0, len(mesh.faces) - 1, SAMPLED).astype(int), 0)
    a, b, c = (mesh.vertices.take(corner, 0)[:, :2] for corner in faces.T)
    (right, up), (far, high) = (b - a).T, (c - a).T
    area = np.maximum(right * high - far * up, 0)
    corner = faces[:, 0]
    normals, colours, texture_uv = (values.take(corner, 0) for values in (mesh.normals, mesh.colours, mesh.texture_uv))
    reached = np.asarray(_shaded(normals, light)) @ LUMINANCE * openness.take(corner)
    height, width = textures.shape[:2]
    column, row = (texture_uv * [width, height]).astype(int).T
    texel = np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)
    colours = np.where(texture_uv[:, :1] < 0, colours, textures.reshape(-1, 3).take(texel, 0))
    # 1e-9 m^2: nothing looks to the front.
    weights = area / max(area.sum(), 1e-9)
    return float(weights @ reached), float(weights @ (colours @ LUMINANCE))
