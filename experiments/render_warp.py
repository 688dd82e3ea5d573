"""Both layers of a mesh by warp's ray query, for benchmark_render.py: a tree of boxes, refitted as the mesh moves.

Every pixel is a thread that shoots one ray from before and, where that meets something, one from behind, and
interpolates there and then. On a CPU warp runs the threads one after another.
"""

import warp as wp

wp.config.log_level = wp.LOG_ERROR


@wp.func
def keep(mesh: wp.uint64, layer: int, pixel: int, start: wp.vec3, way: wp.vec3, scale: float,
         faces: wp.array(dtype=int), attributes: wp.array2d(dtype=float), ids: wp.array2d(dtype=int),
         depth: wp.array2d(dtype=float), values: wp.array3d(dtype=float)):  # fmt: skip
    """Writes a pixel of a layer; returns whether the ray met anything."""
    hit = wp.mesh_query_ray(mesh, start, way, 1.0e6)
    if not hit.result:
        ids[layer, pixel] = -1
        depth[layer, pixel] = 0.0
        for i in range(attributes.shape[1]):
            values[layer, pixel, i] = 0.0
        return False
    ids[layer, pixel] = hit.face
    depth[layer, pixel] = (start[2] + hit.t * way[2]) / scale
    a, b, c = faces[3 * hit.face], faces[3 * hit.face + 1], faces[3 * hit.face + 2]
    w = 1.0 - hit.u - hit.v
    for i in range(attributes.shape[1]):
        values[layer, pixel, i] = hit.u * attributes[a, i] + hit.v * attributes[b, i] + w * attributes[c, i]
    return True


@wp.kernel
def cast(mesh: wp.uint64, side: int, away: float, scale: float, faces: wp.array(dtype=int),
         attributes: wp.array2d(dtype=float), ids: wp.array2d(dtype=int), depth: wp.array2d(dtype=float),
         values: wp.array3d(dtype=float)):  # fmt: skip
    """Both layers of a pixel of a picture of `side`; depth in metres, scale: pixels a metre."""
    pixel = wp.tid()
    x, y = float(pixel % side) + 0.5, float(pixel // side) + 0.5
    front, back = wp.vec3(x, y, away), wp.vec3(x, y, -away)
    toward = wp.vec3(0.0, 0.0, 1.0)
    if keep(mesh, 0, pixel, front, -toward, scale, faces, attributes, ids, depth, values):
        keep(mesh, 1, pixel, back, toward, scale, faces, attributes, ids, depth, values)
    else:
        ids[1, pixel] = -1
        depth[1, pixel] = 0.0
        for i in range(attributes.shape[1]):
            values[1, pixel, i] = 0.0


class Mesh:
    """A wp.Mesh and its outputs, which every picture overwrites: faces [F, 3], attributes [V, C], vertices [V, 3] in
    pixels, depth too; size: side of the picture; away, scale: as of render_peers.Contender."""

    def __init__(self, faces, attributes, vertices, size, away, scale):
        pixels, channels = size * size, attributes.shape[1]
        self.points = wp.array(vertices, dtype=wp.vec3, device="cpu")
        corners = wp.array(faces.ravel(), dtype=int, device="cpu")
        self.mesh = wp.Mesh(self.points, corners)
        self.outputs = [
            wp.empty((2, pixels), dtype=int, device="cpu"),
            wp.empty((2, pixels), dtype=float, device="cpu"),
            wp.empty((2, pixels, channels), dtype=float, device="cpu"),
        ]
        inputs = [self.mesh.id, size, away, scale, corners, wp.array(attributes, dtype=float, device="cpu")]
        # Recorded, so that a picture does not pay for a launch's checks.
        self.command = wp.launch(cast, pixels, [*inputs, *self.outputs], device="cpu", record_cmd=True)

    def cast(self, vertices):
        """(ids [2, H W], depth [2, H W] in metres, values [2, H W, C]) of vertices [V, 3] in pixels."""
        self.points.assign(vertices)
        self.mesh.refit()
        self.command.launch()
        return [output.numpy() for output in self.outputs]
