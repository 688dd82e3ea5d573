"""Renderers that draw one thing for benchmark_render.py: of every pixel the nearest and the farthest triangle.

A contender is made for a render_scene.Scene and a picture's side and draws its frames, whose corners have been put
where it wants them by `laid` before the clock runs. What each does for a picture:
C++, JAX: render.rasterize and render.surface for either layer, one jitted call. Batches by lax.map; all others loop.
warp: its mesh's tree is refitted, a ray from before and, where it hits, one from behind (render_warp.py).
llvmpipe: OpenGL by Mesa on the CPU; vertices are written to a buffer, drawn with depth tests LESS and GREATER, and
    number, depth and attributes of both are read back into arrays that are reused.
Open3D: a new RaycastingScene, since it cannot be refitted; rays from before for all pixels, from behind where those
    hit; attributes by numpy, where something was hit.
embreex: a new scene likewise, the same rays, attributes in the same way.
mitsuba: llvm_ad_rgb; vertices of the scene are set, which rebuilds Embree's tree; rays and attributes in one kernel.
Threads are as each library sets them. Libraries are imported by the contender that needs them, so that a process
measures the memory of one.
"""

import abc
import functools
from typing import NamedTuple

import numpy as np

from experiments import render_scene

# Those of this project -> their path; then the peers.
PATHS = {"C++": "native", "JAX": "jax"}
NAMES = (*PATHS, "warp", "llvmpipe", "Open3D", "embreex", "mitsuba")


class Layers(NamedTuple):
    """ids [2, H, W] of triangles, front and back, -1 for none; depth [2, H, W] in metres toward the viewer; values: the
    attributes in one or more arrays [2, H, W, C], as they come. Arrays may be overwritten by the next picture."""

    ids: np.ndarray
    depth: np.ndarray
    values: tuple


class Contender(abc.ABC):
    """What all share. scale: pixels a metre; away: pixels from depth 0 at which rays start and beyond all vertices."""

    def __init__(self, scene, size):
        self.scene, self.size = scene, size
        self.scale = size / render_scene.HEIGHT
        self.away = float(np.ceil((np.abs(scene.frames[..., 2]).max() + 0.1) * self.scale))

    def laid(self, vertices):
        """Vertices [V, 3] (pixels, metres) as `draw` wants them: solid, depth in pixels as well."""
        return np.ascontiguousarray(vertices * np.float32([1, 1, self.scale]))

    @abc.abstractmethod
    def draw(self, vertices):
        """Layers of vertices that were `laid`."""

    def draw_batch(self, batch):
        """Layers [N, 2, H, W] of N vertices."""
        first = self.draw(batch[0])
        made = [np.empty((len(batch), *part.shape), part.dtype) for part in (first.ids, first.depth, *first.values)]
        for index, vertices in enumerate(batch):
            drawn = self.draw(vertices) if index else first
            for whole, part in zip(made, (drawn.ids, drawn.depth, *drawn.values), strict=True):
                whole[index] = part
        return Layers(made[0], made[1], tuple(made[2:]))


class Ours(Contender):
    """This project's rasteriser; path: of render.rasterize."""

    def __init__(self, scene, size, path):
        super().__init__(scene, size)
        import jax

        from tryon_jax import native
        from tryon_jax.render import rasterize as raster
        from tryon_jax.render import surface

        if path == "native" and not native.available():
            raise RuntimeError("no C++ compiler")
        placed = scene.placed(size)
        need = max(raster.candidates(vertices, scene.faces, (size, size)) for vertices in placed)
        capacity = -(-int(need * 1.05) // 1024) * 1024

        def picture(vertices, faces, attributes):
            seen = raster.rasterize(vertices, faces, (size, size), capacity, path)
            ids = seen.front_ids, seen.back_ids
            parts = [surface.at_pixels(vertices, faces, each, attributes, None, path, False) for each in ids]
            return ids, tuple(part[0] for part in parts), tuple(part[2] for part in parts)

        self.constant = jax.device_put(scene.faces), jax.device_put(scene.attributes)
        self.one = jax.jit(picture)
        self.many = jax.jit(lambda batch, *constant: jax.lax.map(lambda vertices: picture(vertices, *constant), batch))
        self.ready = jax.block_until_ready

    def laid(self, vertices):
        """As they are."""
        return np.ascontiguousarray(vertices)

    def draw(self, vertices):
        """Layers whose parts are pairs of arrays [H, W, ...], front and back: nothing is copied to stack them."""
        return self._layers(self.one(vertices, *self.constant))

    def draw_batch(self, batch):
        """Layers whose parts are pairs of arrays [N, H, W, ...]."""
        return self._layers(self.many(np.stack(batch), *self.constant))

    def _layers(self, drawn):
        ids, depth, values = ([np.asarray(part) for part in pair] for pair in self.ready(drawn))
        return Layers(ids, depth, (values,))


class Llvmpipe(Contender):
    """Two framebuffers, one a layer, of float textures: (number + 1, depth in metres) and four attributes each."""

    def __init__(self, scene, size):
        super().__init__(scene, size)
        context = self.context = _opengl()
        blocks = scene.attributes.shape[1] // 4
        self.program = context.program(_vertex_shader(blocks), _fragment_shader(blocks))
        self.program["half_side"], self.program["reach"] = size / 2, self.away / self.scale
        self.points = context.buffer(reserve=12 * len(scene.attributes), dynamic=True)
        fixed = context.buffer(np.ascontiguousarray(scene.attributes).tobytes())
        names = [f"attribute_{block}" for block in range(blocks)]
        self.array = context.vertex_array(
            self.program,
            [(self.points, "3f", "place"), (fixed, " ".join(["4f"] * blocks), *names)],
            context.buffer(scene.faces.tobytes()),
        )
        self.targets = []
        for _ in range(2):
            textures = [context.texture((size, size), parts, dtype="f4") for parts in (2, *[4] * blocks)]
            self.targets.append(context.framebuffer(textures, context.depth_renderbuffer((size, size))))
        self.read = [np.empty((2, size, size, parts), np.float32) for parts in (2, *[4] * blocks)]

    def laid(self, vertices):
        """As they are: depth in metres."""
        return np.ascontiguousarray(vertices)

    def draw(self, vertices):
        """Layers; values in blocks of four."""
        self.points.write(vertices)
        for target, (test, far) in zip(self.targets, (("<", 1.0), (">", 0.0)), strict=True):
            target.use()
            target.clear(depth=far)
            self.context.depth_func = test
            self.array.render()
        for layer, target in enumerate(self.targets):
            for number, block in enumerate(self.read):
                target.read_into(block[layer], components=block.shape[-1], attachment=number, dtype="f4")
        ids = self.read[0][..., 0].astype(np.int32) - 1
        return Layers(ids, self.read[0][..., 1], tuple(self.read[1:]))


@functools.cache
def _opengl():
    """The process's OpenGL context, without a window. Raises where the driver is none of Mesa's for CPUs."""
    import moderngl

    context = moderngl.create_context(standalone=True, backend="egl")
    if "llvmpipe" not in context.info["GL_RENDERER"]:
        raise RuntimeError(f"OpenGL is drawn by {context.info['GL_RENDERER']}, not by llvmpipe")
    context.enable_only(moderngl.DEPTH_TEST)
    return context


def _vertex_shader(blocks):
    # Row 0 of a framebuffer is its lowest, and comes first when it is read: pictures need no turning.
    inputs = "".join(f"in vec4 attribute_{i}; out vec4 value_{i};\n" for i in range(blocks))
    copies = "".join(f"value_{i} = attribute_{i};\n" for i in range(blocks))
    return f"""#version 330
        in vec3 place; out float depth; uniform float half_side; uniform float reach;
        {inputs}void main() {{
            gl_Position = vec4(place.xy / half_side - 1.0, -place.z / reach, 1.0);
            depth = place.z;
            {copies}}}"""


def _fragment_shader(blocks):
    inputs = "".join(f"in vec4 value_{i}; layout(location = {i + 1}) out vec4 pixel_{i};\n" for i in range(blocks))
    copies = "".join(f"pixel_{i} = value_{i};\n" for i in range(blocks))
    return f"""#version 330
        in float depth; layout(location = 0) out vec2 seen;
        {inputs}void main() {{
            seen = vec2(float(gl_PrimitiveID) + 1.0, depth);
            {copies}}}"""


def start(name, scene, size):
    """The Contender called `name`, one of NAMES. Raises whatever its library raises where it is absent or fails."""
    if name in PATHS:
        return Ours(scene, size, PATHS[name])
    if name == "llvmpipe":
        return Llvmpipe(scene, size)
    from experiments import render_casters

    return render_casters.CASTERS[name](scene, size)
