"""The drape's XPBD written with warp's kernels, for benchmark_drape.py: warp itself no longer has a cloth solver.

The same substeps, edges, bending energy, tethers, pins, friction and damping as simulation.cloth; an edge is one thread
of its colour's launch. Contact is warp's own: the body's triangles in a wp.Mesh, one query a vertex and frame.
"""

import functools

import numpy as np
import warp as wp

from tryon_jax.simulation.cloth import GRAVITY, SPEED, STEP, SUBSTEPS
from tryon_jax.simulation.contacts import PUSH

SEEN = 0.05  # metres within which a vertex looks for the body; further off it touches nothing
RUBS = 5e-4  # metres within which contacts rub, as in simulation.cloth

wp.config.quiet = True


@wp.kernel
def predict(x: wp.array(dtype=wp.vec3), v: wp.array(dtype=wp.vec3), now: wp.array(dtype=float),
            p: wp.array(dtype=wp.vec3)):  # fmt: skip
    """Free flight of a substep; now: gravity in m/s^2, bending factor, damping."""
    i = wp.tid()
    p[i] = x[i] + STEP * (v[i] - wp.vec3(0.0, 0.0, now[0] * STEP))


@wp.kernel
def stretch(ends: wp.array(dtype=wp.vec2i), rest: wp.array(dtype=float), hold: wp.array(dtype=float),
            p: wp.array(dtype=wp.vec3)):  # fmt: skip
    """Every edge of a colour toward its rest length."""
    e = wp.tid()
    first, second = ends[e][0], ends[e][1]
    between = p[first] - p[second]
    length = wp.length(between) + 1.0e-9
    step = 0.5 * hold[e] * (1.0 - rest[e] / length) * between
    p[first] = p[first] - step
    p[second] = p[second] + step


@wp.kernel
def curve(p: wp.array(dtype=wp.vec3), first: wp.array(dtype=int), other: wp.array(dtype=int),
          weight: wp.array(dtype=float), scale: wp.array(dtype=float), curvature: wp.array(dtype=wp.vec3)):  # fmt: skip
    """Cotangent Laplacian of the positions over the area, where bending acts."""
    i = wp.tid()
    total = wp.vec3()
    for k in range(first[i], first[i + 1]):
        total += weight[k] * (p[other[k]] - p[i])
    curvature[i] = scale[i] * total


@wp.kernel
def finish(
    x: wp.array(dtype=wp.vec3), v: wp.array(dtype=wp.vec3), p: wp.array(dtype=wp.vec3), now: wp.array(dtype=float),
    first: wp.array(dtype=int), other: wp.array(dtype=int), weight: wp.array(dtype=float),
    curvature: wp.array(dtype=wp.vec3), strength: wp.array(dtype=float), diagonal: wp.array(dtype=float),
    anchor: wp.array(dtype=int), tether: wp.array(dtype=float), pinned: wp.array(dtype=float),
    pins: wp.array(dtype=wp.vec3), thickness: wp.array(dtype=float), normal: wp.array(dtype=wp.vec3),
    offset: wp.array(dtype=float), friction: float, bends: int,
):  # fmt: skip
    """Bending's Jacobi step, tether, pin, contact with friction, and the velocity."""
    i = wp.tid()
    q = p[i]
    if bends > 0:
        gradient = wp.vec3()
        for k in range(first[i], first[i + 1]):
            gradient += weight[k] * (curvature[other[k]] - curvature[i])
        stiff = 2.0 * strength[i] * now[1]
        q = q - stiff / (1.0 + 2.0 * stiff * diagonal[i]) * gradient
    between = q - p[anchor[i]]
    q = q - wp.max(1.0 - tether[i] / (wp.length(between) + 1.0e-9), 0.0) * between
    q = q + pinned[i] * (pins[i] - q)
    deep = offset[i] + thickness[i] - wp.dot(normal[i], q)
    q = q + wp.clamp(deep, 0.0, PUSH) * normal[i]
    if deep > -RUBS:
        sliding = q - x[i]
        q = q - friction * (sliding - wp.dot(sliding, normal[i]) * normal[i])
    velocity = (q - x[i]) * (now[2] / STEP)
    v[i] = velocity * wp.min(1.0, SPEED / (wp.length(velocity) + 1.0e-9))
    x[i] = q


@wp.kernel
def look(mesh: wp.uint64, x: wp.array(dtype=wp.vec3), normal: wp.array(dtype=wp.vec3), offset: wp.array(dtype=float)):
    """Contact plane at the nearest point of the body's triangles."""
    i = wp.tid()
    found = wp.mesh_query_point_no_sign(mesh, x[i], SEEN)
    normal[i] = wp.vec3()
    offset[i] = -1.0
    if found.result:
        nearest = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        away = x[i] - nearest
        length = wp.length(away)
        facing = wp.mesh_eval_face_normal(mesh, found.face)
        # The face's own side: warp's signed query takes longer. Nearer than 0.1 mm the difference has no direction.
        if length > 1.0e-4:
            facing = away / (length * wp.where(wp.dot(away, facing) < 0.0, -1.0, 1.0))
        normal[i] = facing
        offset[i] = wp.dot(facing, nearest)


def body(vertices, faces):
    """The wp.Mesh of a body: vertices [V, 3] metres, faces [F, 3]."""
    return wp.Mesh(wp.array(vertices, dtype=wp.vec3), wp.array(faces.ravel(), dtype=int))


class Solver:
    """One simulation.cloth.Cloth ready to run on the CPU: pins [3, V] metres; bending in N m over kg/m^2."""

    def __init__(self, cloth, count, pins, mesh, bending, friction):
        self.mesh, self.count = mesh, count
        rows = np.arange(count)
        partner = np.asarray(cloth.partner)[:, :count]
        self.colours = []
        for colour in range(int(cloth.colours)):
            own = np.flatnonzero(partner[colour] > rows)
            ends = np.stack([own, partner[colour, own]], 1).astype(np.int32)
            lengths, hold = (np.asarray(values)[colour, own] for values in (cloth.rest, cloth.hold))
            self.colours.append((wp.array(ends, dtype=wp.vec2i), wp.array(lengths), wp.array(hold)))
        linked = partner.T != rows[:, None]
        start = np.append(0, np.cumsum(linked.sum(1))).astype(np.int32)
        cotangent = np.asarray(cloth.cotangent)[:, :count].T
        area, inner = (np.asarray(values)[:count] for values in (cloth.area, cloth.inner))
        total = (cotangent * linked).sum(1)
        diagonal = (total**2 + ((cotangent * linked) ** 2).sum(1)) / area
        real = functools.partial(wp.array, dtype=float)
        self.graph = [wp.array(start), wp.array(partner.T[linked].astype(np.int32)), real(cotangent[linked])]
        self.scale = real(inner / area)
        self.x, self.v, self.p, self.curvature, self.normal = (wp.zeros(count, dtype=wp.vec3) for _ in range(5))
        self.offset, self.now = wp.zeros(count, dtype=float), wp.zeros(3, dtype=float)
        # Infinite tethers: a kilometre, so that no infinity is divided.
        tether = np.minimum(np.asarray(cloth.tether)[:count], 1e3)
        self.vertex = [
            real(bending * STEP**2 / area), real(diagonal), wp.array(np.asarray(cloth.anchor)[:count]), real(tether),
            real(np.asarray(cloth.pinned)[:count]), wp.array(np.ascontiguousarray(pins.T[:count]), dtype=wp.vec3),
            real(np.asarray(cloth.thickness)[:count]),
        ]  # fmt: skip
        with wp.ScopedCapture(device="cpu") as capture:
            self._frame(friction)
        self.recorded = capture.graph

    def _frame(self, friction):
        wp.launch(look, self.count, [self.mesh.id, self.x, self.normal, self.offset])
        for substep in range(SUBSTEPS):
            bends = 1 - substep % 2
            wp.launch(predict, self.count, [self.x, self.v, self.now, self.p])
            for ends, rest, hold in self.colours:
                wp.launch(stretch, len(ends), [ends, rest, hold, self.p])
            if bends:
                wp.launch(curve, self.count, [self.p, *self.graph, self.scale, self.curvature])
            finish_inputs = [self.x, self.v, self.p, self.now, *self.graph, self.curvature, *self.vertex]
            wp.launch(finish, self.count, [*finish_inputs, self.normal, self.offset, friction, bends])

    def run(self, x, schedule):
        """Positions [V, 3] after a simulation.cloth.Schedule that starts at rest from x [V, 3] metres."""
        self.x.assign(x)
        self.v.zero_()
        for gravity, bending, damping in zip(schedule.gravity, schedule.bending, schedule.damping, strict=True):
            if damping > 0:
                self.now.assign(np.array([GRAVITY * gravity, bending, damping], np.float32))
                wp.capture_launch(self.recorded)
        return self.x.numpy().copy()
