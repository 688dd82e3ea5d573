"""Skirts: rings of cloth that hang from a loop around the trunk, outside the hull of both legs."""

import numpy as np

from tryon_jax.garments import drape as cloth
from tryon_jax.garments import fields, tailor
from tryon_jax.garments.cut import loops_of
from tryon_jax.garments.tailor import Piece, mix, ramp

# Metres between rings, and between the body's hull and the cloth.
RING, CLEAR = 0.035, 0.012


def lower_body(rest):
    """Indices of the vertices that a skirt hangs around: those off the arms."""
    return np.flatnonzero(fields.off_arms(rest) > 0)


def hull_table(rest, centre, top, bottom, taper):
    """Radius [L, ANGLES] of the body's hull around the axis (x, y) = centre from height top to bottom, the heights
    below the top [L]; a level is at least as wide as the one above less taper metres a metre."""
    points = rest.vertices[lower_body(rest)]
    points = points[(points[:, 2] < top + 0.02) & (points[:, 2] > bottom - 0.02)]
    offset = points[:, :2] - centre
    levels = np.linspace(0, top - bottom, cloth.SLABS)
    angles, radii = np.arctan2(offset[:, 1], offset[:, 0]), np.linalg.norm(offset, axis=1)
    return cloth.hull_radius(angles, radii, top - points[:, 2], levels, taper), levels


def folds(angles, depth, amount, count):
    """Outward displacement [...] in metres of soft folds that begin at depth 0 and grow downward."""
    wave = 0.5 + 0.35 * np.sin(count * angles) + 0.15 * np.sin((count // 2 + 1) * angles + 1.3)
    return amount * np.clip(depth / 0.35, 0, 1) * wave


def rings(rest, loop, centre, bottom, flare, pleats):
    """Vertices [R, M, 3] of R rings below a loop [M, 3] at one height, the lowest at height bottom.

    flare: metres of radius gained a metre; pleats: 0 smooth ... 1 deep folds. Cloth never comes nearer than CLEAR to
    the hull of the body.
    """
    top = float(loop[:, 2].mean())
    table, levels = hull_table(rest, centre, top, bottom, mix(0.25, 0.0, min(flare / 0.2, 1.0)))
    count = max(int(np.ceil((top - bottom) / RING)), 2)
    depth = np.linspace(0, top - bottom, count + 1)[1:, None]
    offset = loop[:, :2] - centre
    angles, start = np.arctan2(offset[:, 1], offset[:, 0]), np.linalg.norm(offset, axis=1)
    spread = np.broadcast_to(angles, (count, len(loop)))
    hull = cloth.sample_polar(table, spread.ravel(), np.broadcast_to(depth, spread.shape).ravel(), levels)
    radii = np.maximum(hull.reshape(spread.shape) + CLEAR, start + flare * depth)
    radii = radii + folds(spread, depth, mix(0.0, 0.045, pleats) * (0.3 + flare), 11)
    direction = np.stack([np.cos(angles), np.sin(angles)], -1)
    ground = centre + radii[..., None] * direction
    return np.concatenate([ground, np.broadcast_to(top - depth[..., None], (*radii.shape, 1))], -1)


def ring_faces(loop, first, count, size):
    """Faces of rings that follow a loop of vertex indices [M]: vertices first ... first + count * size - 1.

    The loop runs in the direction of the faces above it; returns faces [2 * count * M, 3].
    """
    rows = np.concatenate([loop[None], first + np.arange(count * size).reshape(count, size)])
    a, b = rows[:-1], np.roll(rows[:-1], -1, axis=1)
    c, d = rows[1:], np.roll(rows[1:], -1, axis=1)
    upper, lower = np.stack([b, a, c], -1), np.stack([b, c, d], -1)
    return np.concatenate([upper.reshape(-1, 3), lower.reshape(-1, 3)]).astype(np.int32)


def leg_weights(rest, vertices, above, top, follow):
    """Skin weights [N, J] of skirt cloth at vertices [N, 3]: those of the loop, above [N, J], at height top, passing
    to the thighs, which share it by side and move it by `follow` of their own motion."""
    crotch = fields.crotch_height(rest)
    hip = rest.joint("upperleg01.L")
    legs = follow * ramp(vertices[:, 2], max(hip[2], crotch + 0.06) + 0.03, crotch - 0.12)
    legs = np.maximum(legs, 0) * ramp(vertices[:, 2], top, top - 0.15)
    left = ramp(vertices[:, 0], -1.1 * hip[0], 1.1 * hip[0])
    weights = above * (1 - legs)[:, None]
    weights[:, rest.joint_names.index("upperleg01.L")] += legs * left
    weights[:, rest.joint_names.index("upperleg01.R")] += legs * (1 - left)
    return weights


def lowest_loop(piece):
    """Vertices [M] of the lowest boundary loop around a piece's trunk, in the direction of the faces above it."""
    loops = loops_of(piece.faces)
    # Cuffs lie to one side of the middle; hem and neck lie on both.
    around = [loop for loop in loops if piece.vertices[loop, 0].min() < 0 < piece.vertices[loop, 0].max()]
    return min(around, key=lambda loop: piece.vertices[loop, 2].mean())


def hang_from(rest, piece, loop, bottom, flare, pleats):
    """The Piece with a skirt added below one of its boundary loops [M], down to height bottom."""
    corner = piece.vertices[loop]
    centre = np.array([0.0, (corner[:, 1].min() + corner[:, 1].max()) / 2])
    made = rings(rest, corner, centre, bottom, flare, pleats)
    count = len(made)
    flat = made.reshape(-1, 3)
    above = np.tile(piece.bones[loop], (count, 1))
    # A straight skirt goes where the thighs go; a wide one hangs.
    follow = mix(1.0, 0.7, min(flare / 0.3, 1.0))
    bones = leg_weights(rest, flat, above, float(corner[:, 2].mean()), follow)
    faces = ring_faces(loop, len(piece.vertices), count, len(loop))
    # A column of the skirt is front or back as the face above its loop edge is.
    columns = _sides(piece, loop)
    front = np.concatenate([piece.front, np.tile(columns, 2 * count)])
    vertices = np.concatenate([piece.vertices, flat])
    normals = np.concatenate([piece.normals, np.zeros_like(flat)])
    faces, bones = np.concatenate([piece.faces, faces]), np.concatenate([piece.bones, bones])
    return Piece(vertices, normals, faces, front, bones, {})


def _sides(piece, loop):
    """Whether the face at each edge of a boundary loop [M] is a front one: bool [M]."""
    count = len(piece.vertices)
    edges = piece.faces.astype(np.int64) * count + np.roll(piece.faces, -1, axis=1)
    order = np.argsort(edges, axis=None)
    wanted = loop.astype(np.int64) * count + np.roll(loop, -1)
    found = order[np.searchsorted(edges.ravel(), wanted, sorter=order)]
    return piece.front[found // 3]


def settle(rest, piece, fixed, gap):
    """Vertices of a lofted piece, smoothed a little and at least gap outside the body off its arms; those where
    fixed [G] is true stay."""
    average = cloth.averaging(piece.faces, len(piece.vertices))
    near = (fields.off_arms(rest) > 0)[rest.faces].all(1)
    free = np.flatnonzero(~fixed)
    body = cloth.Skin(rest.vertices, rest.faces[near], piece.vertices[free])
    vertices = piece.vertices.copy()
    vertices[free] = cloth.smooth(piece.vertices, average, 2)[free]
    vertices[free] = body.outside(vertices[free], np.full(len(free), gap))
    return vertices


def hidden(rest, field, bottom):
    """Body faces [F] bool inside the edge of field [V] and well above the skirt's hem at height bottom."""
    return tailor.hidden(rest, np.minimum(field, rest.vertices[:, 2] - bottom - 0.06))
