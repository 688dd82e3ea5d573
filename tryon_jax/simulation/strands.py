"""Locks of hair: paths that grow over the head and fall outside the body, made ribbons; and the mass below them."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments import skin as surface
from tryon_jax.geometry.mesh import among


class Locks(NamedTuple):
    """N locks of S + 1 points each: points and normals [N, S + 1, 3], the normals those of the body beneath."""

    points: np.ndarray
    normals: np.ndarray


class Growth(NamedTuple):
    """How locks grow. flow(points [N, 3]) -> unit directions [N, 3]; weight: pull downward against the flow, by share
    of the length [S]; gap: metres off the body [N, S]; clear(points [N, 3], roots [N, 3]) -> points out of the face;
    wander: deviation of each lock's own direction from the flow."""

    flow: object
    weight: np.ndarray
    gap: np.ndarray
    clear: object
    wander: float = 0.16


def roots(rng, rest, mask, count):
    """Random places [count, 3] on the body and normals there, evenly over the skin where mask [V] is above 1/2."""
    faces = rest.faces[among(rest.faces, mask > 0.5)]
    corners = rest.vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    steps = (np.arange(count) + rng.uniform(size=count)) / count
    chosen = np.minimum(np.searchsorted(np.cumsum(area) / area.sum(), steps), len(faces) - 1)
    a, b = rng.uniform(size=(2, count, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    corners = corners[chosen]
    places = corners[:, 0] + a * (corners[:, 1] - corners[:, 0]) + b * (corners[:, 2] - corners[:, 0])
    return places, unit(across[chosen])


def unit(vectors):
    """Vectors [..., 3] at length 1."""
    # 1e-9: shorter than any step; such a vector has no direction, and none is made up.
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def grow(rng, rest, starts, normals, lengths, growth):
    """Locks from starts [N, 3] with normals [N, 3] of lengths [N] metres, always outside the body."""
    steps = len(growth.weight)
    arms = sum(rest.limbs[f"{side}_{limb}"] for side in ("left", "right") for limb in ("arm", "hand"))
    # Arms move: hair that lay on them would go with them.
    near = (rest.vertices[:, 2] > starts[:, 2].min() - lengths.max() - 0.1) & (arms < 0.6)
    faces = rest.faces[among(rest.faces, near)]
    skin = surface.Skin(rest.vertices, faces, starts)
    points, outward, direction = starts + 0.001 * normals, normals, growth.flow(starts)
    paths, frames = [starts - 0.002 * normals], [normals]
    wander = rng.normal(0, growth.wander, (len(starts), 3))
    for step in range(steps):
        flow = unit(growth.flow(points) + wander)
        down = np.array([0.0, 0.0, -1.0])
        wanted = unit(0.5 * direction + flow * (1 - growth.weight[step]) + down * growth.weight[step])
        # Hair lies along the head: what would leave it is taken from the direction while the flow leads.
        away = np.einsum("nk,nk->n", wanted, outward)[:, None]
        wanted = unit(wanted - np.maximum(away, 0) * outward * (1 - growth.weight[step]))
        points = points + wanted * (lengths / steps)[:, None]
        points = skin.outside(growth.clear(points, starts), growth.gap[:, step], 2)
        points = growth.clear(points, starts)
        _, nearest = skin.tree.query(points)
        outward = unit(0.5 * outward + skin.normals[nearest])
        direction = unit(points - paths[-1])
        paths.append(points)
        frames.append(outward)
    return Locks(np.stack(paths, 1), np.stack(frames, 1))


def curl(rng, locks, radius, pitch):
    """The Locks wound about their own paths: helices of radius metres and one turn in `pitch` metres."""
    points = locks.points
    along = unit(np.gradient(points, axis=1))
    side = unit(np.cross(along, locks.normals))
    way = np.cumsum(np.linalg.norm(np.diff(points, axis=1, prepend=points[:, :1]), axis=-1), axis=1)
    turn = 2 * np.pi * (way / pitch + rng.uniform(size=(len(points), 1)))
    grown = radius * np.minimum(way / 0.03, 1)
    offset = np.cos(turn)[..., None] * side + (0.6 + 0.6 * np.sin(turn)[..., None]) * locks.normals
    return locks._replace(points=points + grown[..., None] * offset)


def ribbons(rng, locks, width, tip=0.5, twist=0.28):
    """Vertices [N (S + 1) 2, 3] and faces of flat ribbons along Locks, `width` metres wide, narrower at the tip, each
    turned at random by about `twist` radians; and for each vertex its lock, its share of the length, and its side."""
    count, levels = locks.points.shape[:2]
    along = unit(np.gradient(locks.points, axis=1))
    side = unit(np.cross(along, locks.normals))
    angle = rng.normal(0, twist, (count, 1, 1))
    side = side * np.cos(angle) + locks.normals * np.sin(angle)
    share = np.linspace(0, 1, levels)
    half = 0.5 * width * rng.uniform(0.7, 1.3, (count, 1)) * (1 - (1 - tip) * share**2.5)
    offset = half[..., None] * side
    vertices = np.stack([locks.points - offset, locks.points + offset], 2).reshape(-1, 3)
    first = (np.arange(count)[:, None] * levels + np.arange(levels - 1)) * 2
    a, b, c, d = (first.ravel() + k for k in range(4))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32)
    lock = np.repeat(np.arange(count), levels * 2)
    return vertices, faces, lock, np.tile(np.repeat(share, 2), count), np.tile([-1.0, 1.0], count * levels)


def mass(rest, mask, height):
    """Vertices and faces of the scalp's surface where mask [V] > 0, raised by height [V] metres times the mask."""
    chosen = among(rest.faces, mask > 0.02)
    used, inverse = np.unique(rest.faces[chosen], return_inverse=True)
    faces = inverse.reshape(-1, 3)
    on_scalp = np.zeros(len(rest.vertices), bool)
    on_scalp[used] = True
    normals = surface.vertex_normals(rest.vertices, rest.faces[~among(rest.faces, ~on_scalp)])[used]
    normals = unit(surface.smooth(normals, surface.averaging(faces, len(used)), 8))
    raised = rest.vertices[used] + ((height * mask)[used] - 0.0015)[:, None] * normals
    return raised, faces.astype(np.int32), used


def ball(centre, radius, rings=9, around=14):
    """Vertices and faces of a ball, [rings * around, 3] of them, about a point [3]."""
    polar = np.linspace(0.02, np.pi - 0.02, rings)[:, None]
    turn = np.arange(around) * 2 * np.pi / around
    shape = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn], -1)
    grid = np.arange(rings * around).reshape(rings, around)
    a, b = grid[:-1], np.roll(grid[:-1], -1, 1)
    c, d = grid[1:], np.roll(grid[1:], -1, 1)
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return centre + radius * shape.reshape(-1, 3), faces.astype(np.int32)
