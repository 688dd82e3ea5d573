"""Contenders of benchmark_render.py that shoot rays; what each does is told in render_peers.py."""

import numpy as np

from experiments.render_peers import Contender, Layers


class Warp(Contender):
    """wp.Mesh, on the CPU; the kernels are those of render_warp.py."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        from experiments import render_warp

        first = self.laid(scene.placed(size)[0])
        self.mesh = render_warp.Mesh(scene.faces, scene.attributes, first, size, self.away, self.scale)

    def draw(self, vertices):
        """Layers of solid vertices."""
        shape = (2, self.size, self.size)
        ids, depth, values = (part.reshape(*shape, *part.shape[2:]) for part in self.mesh.cast(vertices))
        return Layers(ids, depth, (values,))


class Caster(Contender):
    """A library that builds a scene for a picture and shoots arrays of rays; made(vertices): a function of origins and
    directions [N, 3] that gives triangles int [N], -1 for none, distances in pixels and two shares of corners, [N]."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        rows, columns = np.indices((size, size)) + 0.5
        places = np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float32)
        self.rays = []
        for side in (1, -1):
            start = np.concatenate([places, np.full((size * size, 1), side * self.away, np.float32)], 1)
            self.rays.append((start, np.tile(np.float32([0, 0, -side]), (size * size, 1))))
        self.ids = np.empty((2, size * size), np.int32)
        self.depth = np.empty((2, size * size), np.float32)
        self.values = np.empty((2, size * size, scene.attributes.shape[1]), np.float32)

    def keep(self, layer, pixels, ids, distance, second, third):
        """Writes what rays [N] through `pixels` [N] met: triangles, distance in pixels, shares of two corners."""
        self.ids[layer], self.depth[layer], self.values[layer] = -1, 0.0, 0.0
        self.ids[layer, pixels] = ids
        self.depth[layer, pixels] = (1 - 2 * layer) * (self.away - distance) / np.float32(self.scale)
        # Corner by corner, as one [N, 3, C] would cost more.
        shares, attributes = (1 - second - third, second, third), self.scene.attributes
        corners = self.scene.faces[ids]
        self.values[layer, pixels] = sum(share[:, None] * attributes[corners[:, i]] for i, share in enumerate(shares))

    def layers(self):
        """What was kept, as Layers."""
        shape = (2, self.size, self.size)
        return Layers(self.ids.reshape(shape), self.depth.reshape(shape), (self.values.reshape(*shape, -1),))

    def draw(self, vertices):
        """Layers of solid vertices."""
        cast, pixels = self.made(vertices), slice(None)
        for layer, (starts, ways) in enumerate(self.rays):
            ids, distance, second, third = cast(starts[pixels], ways[pixels])
            hit = np.flatnonzero(ids >= 0)
            # A ray from behind meets something where that from before did.
            pixels = hit if layer == 0 else pixels[hit]
            self.keep(layer, pixels, ids[hit], distance[hit], second[hit], third[hit])
        return self.layers()


class Open3D(Caster):
    """RaycastingScene of the tensor API."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        import open3d

        self.tensor, self.new = open3d.core.Tensor.from_numpy, open3d.t.geometry.RaycastingScene
        self.triangles = self.tensor(scene.faces.astype(np.uint32))

    def made(self, vertices):
        """Casts rays at solid vertices."""
        scene = self.new()
        scene.add_triangles(self.tensor(vertices), self.triangles)

        def cast(starts, ways):
            found = scene.cast_rays(self.tensor(np.concatenate([starts, ways], 1)))
            ids, distance, shares = (found[key].numpy() for key in ("primitive_ids", "t_hit", "primitive_uvs"))
            return ids.view(np.int32), distance, shares[:, 0], shares[:, 1]  # its mark for nothing is -1 as int32

        return cast


class Embreex(Caster):
    """embreex itself, without trimesh around it."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        from embreex import mesh_construction, rtcore_scene

        self.new, self.mesh = rtcore_scene.EmbreeScene, mesh_construction.TriangleMesh

    def made(self, vertices):
        """Casts rays at solid vertices; the first ones build the tree."""
        scene = self.new()
        self.mesh(scene, vertices, self.scene.faces)

        def cast(starts, ways):
            found = scene.run(starts, ways, output=True)
            return found["primID"], found["tfar"], found["u"], found["v"]

        return cast


class Mitsuba(Contender):
    """A scene of one mesh, on the CPU through LLVM."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        import mitsuba

        mitsuba.set_variant("llvm_ad_rgb")
        import drjit

        self.drjit, self.mitsuba = drjit, mitsuba
        mesh = mitsuba.Mesh("mesh", len(scene.attributes), len(scene.faces))
        given = mitsuba.traverse(mesh)
        given["vertex_positions"] = self.laid(scene.placed(size)[0]).ravel()
        given["faces"] = scene.faces.ravel().astype(np.uint32)
        given.update()
        self.world = mitsuba.load_dict({"type": "scene", "mesh": mesh})
        self.given = mitsuba.traverse(self.world)
        self.faces = mitsuba.UInt(scene.faces.ravel().astype(np.uint32))
        self.attributes = mitsuba.Float(scene.attributes.ravel())
        pixel = drjit.arange(mitsuba.UInt, size * size)
        self.pixel, self.rays = pixel, []
        x, y = mitsuba.Float(pixel % size) + 0.5, mitsuba.Float(pixel // size) + 0.5
        for side in (1.0, -1.0):
            start, way = mitsuba.Point3f(x, y, side * self.away), mitsuba.Vector3f(0, 0, -side)
            self.rays.append(mitsuba.Ray3f(start, way))
        drjit.eval(self.rays)

    def draw(self, vertices):
        """Layers of solid vertices."""
        kinds, size, channels = self.mitsuba, self.size, self.scene.attributes.shape[1]
        self.given["mesh.vertex_positions"] = kinds.Float(vertices.ravel())
        self.given.update()
        pixels, active = size * size, kinds.Bool(True)
        ids = self.drjit.empty(kinds.Int, 2 * pixels)
        depth, values = (self.drjit.empty(kinds.Float, 2 * pixels * count) for count in (1, channels))
        for layer, ray in enumerate(self.rays):
            found = self.world.ray_intersect_preliminary(ray, coherent=True, active=active)
            active = found.is_valid()
            place = self.pixel + layer * pixels
            number = self.drjit.select(active, kinds.Int(found.prim_index), -1)
            far = (1 - 2 * layer) * (self.away - found.t) / self.scale
            self.drjit.scatter(ids, number, place)
            self.drjit.scatter(depth, self.drjit.select(active, far, 0.0), place)
            self._interpolate(values, place, found, active)
        self.drjit.eval(ids, depth, values)
        shape = (2, size, size)
        parts = (np.asarray(part.numpy()) for part in (ids, depth, values))
        ids, depth, values = (part.reshape(*shape, *more) for part, more in zip(parts, ((), (), (-1,)), strict=True))
        return Layers(ids, depth, (values,))

    def _interpolate(self, values, place, found, active):
        """Scatters the attributes of what was found into `values` [2 H W C] at places [H W]."""
        take, channels = self.drjit.gather, self.scene.attributes.shape[1]
        second, third = found.prim_uv.x, found.prim_uv.y
        shares = (1 - second - third, second, third)
        corners = [take(self.mitsuba.UInt, self.faces, 3 * found.prim_index + i, active) for i in range(3)]
        for channel in range(channels):
            rows = [
                take(self.mitsuba.Float, self.attributes, corner * channels + channel, active) for corner in corners
            ]
            value = sum(share * row for share, row in zip(shares, rows, strict=True))
            self.drjit.scatter(values, self.drjit.select(active, value, 0.0), place * channels + channel)


CASTERS = {"warp": Warp, "Open3D": Open3D, "embreex": Embreex, "mitsuba": Mitsuba}
