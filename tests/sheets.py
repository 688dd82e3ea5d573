"""Pieces of cloth and things to put them on, for tests of the solver: a strip, a floor, a ball."""

import numpy as np

from tryon_jax.garments import sewn
from tryon_jax.garments.pattern import Pattern, line, panel
from tryon_jax.simulation import cloth, collider, stitch

FRAMES = 64  # one length of schedule is one compilation


def strip(width, height, spacing, held=(), hung=()):
    """Pattern and Sewn mesh of a rectangle, its top at y = 0, its middle at x = 0; edges held or hung by name."""
    half = width / 2
    corners = [(-half, -height), (half, -height), (half, 0), (-half, 0)]
    edges = [
        (name, line(corners[k], corners[(k + 1) % 4])) for k, name in enumerate(("bottom", "right", "top", "left"))
    ]
    made = Pattern(
        (panel("cloth", edges, ()),), (), held=tuple(("cloth", edge) for edge in held),
        hung=tuple(("cloth", edge) for edge in hung),
    )  # fmt: skip
    return made, sewn.sew(made, spacing)


def _collider(points, normals):
    """A collider.Collider of points and normals [K, P, 3], arms far away."""
    count = points.shape[1]
    arms = np.zeros((len(points), 6, 2, 3), np.float32) + 50
    arms[:, :, 1] += 1
    ring = collider.rings(points[0], np.zeros((count, 2))).T
    lay = lambda values: np.ascontiguousarray(values.transpose(0, 2, 1), np.float32)  # noqa: E731
    return collider.Collider(
        lay(points), lay(normals), ring, np.zeros((2, count), np.float32), arms, np.full(6, 0.01, np.float32)
    )


def floor(height=0.0, end=None, side=32, spacing=0.016):
    """A level square of points facing up; it moves by end [3] from the first of two key frames to the second."""
    place = (np.arange(side) - side / 2) * spacing
    points = np.stack([*np.meshgrid(place, place), np.full((side, side), height)], -1).reshape(-1, 3)
    motion = np.array([np.zeros(3), np.zeros(3) if end is None else np.array(end, float)])
    normals = np.tile([0.0, 0.0, 1.0], (2, len(points), 1))
    return _collider(points + motion[:, None], normals)


def ball(radius, count=1024):
    """Points spread evenly over a sphere around the origin."""
    number = np.arange(count) + 0.5
    turn, height = number * np.pi * (3 - np.sqrt(5)), 1 - 2 * number / count
    wide = np.sqrt(1 - height**2)
    normals = np.stack([wide * np.cos(turn), wide * np.sin(turn), height], -1)
    return _collider(np.stack([radius * normals] * 2), np.stack([normals] * 2))


AWAY = floor(-9.0)  # nothing to touch


def schedule(frames, last=0.0, gravity=1.0, damping=0.97, bending=1.0):
    """A cloth.Schedule of so many frames, over key frames 0 to last."""
    keys = np.linspace(0, last, frames + 1)
    columns = (keys[:-1], keys[1:], *(np.full(frames, value) for value in (gravity, bending, damping)))
    return cloth.Schedule(*(np.pad(column.astype(np.float32), (0, FRAMES - frames)) for column in columns))


def run(start, made, bodies, plan, fabric, times=1, bending=None, friction=0.0, pins=None, path="auto"):
    """Positions [V, 3] and speed [V] after a plan that is repeated; start [V, 3]; made: a Cloth; path: simulate's."""
    size, count = len(made.area), len(start)
    x = np.zeros((3, size), np.float32)
    x[:, :count] = np.asarray(start).T
    pins = x if pins is None else pins
    near = np.zeros(size, np.int32)
    none = np.zeros((count, 2))
    near[:count] = collider.nearest(np.nan_to_num(x.T[:count]), none, none, bodies.points[0].T, bodies.limbs.T)
    stiff = fabric.bending / fabric.density if bending is None else bending
    for _ in range(times):
        x, near, speed = cloth.simulate(
            x, near, made, bodies, np.stack([pins, pins]), np.float32(stiff), np.float32(friction), plan, path
        )
    return np.asarray(x)[:, :count].T, np.asarray(speed)[:count]


def vertical(mesh):
    """Sewn vertices [V, 3] of a panel as it hangs in the plane y = 0."""
    paper = np.zeros((mesh.count, 2))
    paper[mesh.weld] = mesh.paper
    return np.stack([paper[:, 0], 0 * paper[:, 0], paper[:, 1]], -1)


def level(mesh, height):
    """The same lying flat at a height, the middle of its top at the origin's x."""
    return vertical(mesh)[:, [0, 2, 1]] + [0, 0, height]


def stretch(points, pairs, lengths):
    """Strain [E] of edges."""
    return np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1) / lengths - 1


def prepared(pattern, mesh, fabric):
    """stitch.prepare's cloth, edges and lengths."""
    return stitch.prepare(mesh, pattern, fabric)
