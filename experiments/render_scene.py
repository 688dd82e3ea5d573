"""The deforming mesh of benchmark_render.py: a body in a draped T-shirt that sways a little from picture to picture.

Nothing here imports JAX before a person is dressed: a process whose memory is measured loads the scene from a file.
"""

from typing import NamedTuple

import numpy as np
import trimesh

HEIGHT = 2.0  # metres that a picture shows, of which the person fills about 0.9, as in the made data
FRAMES = 8
CHANNELS = 8
# Of the garment: (metres between vertices of the first level, levels). With the body's 27,420 about 51,000 triangles.
CUT = (0.033, 3)
SHAPE = np.array([0.9, 0.7, 0.5, 0.45, 0.5, 0.5], np.float32)
SWAY = 0.01  # metres to which the mesh sways, a pixel at 256
SUBPIXELS = 256  # steps a pixel that corners are snapped to, those of tryon_jax.render.rasterize


class Scene(NamedTuple):
    """faces int32 [F, 3]; frames f32 [K, V, 3]: x from the left and y from the top of a square picture, in units of its
    side, and depth in metres toward the viewer; attributes f32 [V, CHANNELS], the same in all frames."""

    faces: np.ndarray
    frames: np.ndarray
    attributes: np.ndarray

    def placed(self, size):
        """The frames in pixels of a picture of side `size`, f32 [K, V, 3], corners snapped: all draw one mesh."""
        pixels = np.round(self.frames.astype(np.float64)[..., :2] * size * SUBPIXELS) / SUBPIXELS
        return np.concatenate([pixels, self.frames[..., 2:]], -1).astype(np.float32)

    def save(self, path):
        """Writes the scene to a .npz file."""
        np.savez(path, **self._asdict())


def load(path):
    """The Scene of a file that `save` wrote."""
    with np.load(path) as held:
        return Scene(*(held[name] for name in Scene._fields))


def dressed():
    """The Scene of a standing body in a T-shirt, draped by this project's simulation; some seconds."""
    from tryon_jax import garments
    from tryon_jax.simulation import body, drape
    from tryon_jax.simulation.fabric import FABRICS

    model = body.load()
    moving = drape.motion(model, SHAPE, body.sample_pose(np.random.default_rng(0), "standing"))
    ranges = garments.load("tshirt").PARAMETERS
    middle = {key: (low + high) / 2 for key, (low, high) in ranges.items()}
    pattern = garments.load("tshirt").pattern(middle, moving.figure.measurements)
    spacing, levels = CUT
    draped = drape.drape(pattern, moving, drape.colliders(moving), FABRICS["cotton"], levels, spacing)
    skin = moving.vertices[-1]
    points = np.concatenate([skin, draped.vertices]).astype(np.float64)
    faces = np.concatenate([moving.rest.faces, draped.mesh.weld[draped.mesh.faces] + len(skin)])
    return swaying(points, faces)


def swaying(points, faces):
    """The Scene of world points [V, 3] in metres (z up, facing -y, standing on the floor) and faces [F, 3]."""
    right, up, toward = points[:, 0], points[:, 2], -points[:, 1]
    frames = []
    for phase in np.arange(FRAMES) * 2 * np.pi / FRAMES:
        wave = SWAY * np.sin(phase + 4 * up)
        across, depth = right + wave, toward + SWAY * np.cos(phase + 4 * up)
        frames.append(np.stack([across / HEIGHT + 0.5, 0.95 - up / HEIGHT, depth], -1))
    attributes = 0.5 + 0.5 * np.sin(points @ np.random.default_rng(0).normal(size=(3, CHANNELS)) * 3)
    return Scene(np.asarray(faces, np.int32), np.array(frames, np.float32), attributes.astype(np.float32))


def finer(scene):
    """A Scene of four times the triangles: every edge cut in half."""
    vertices, faces = trimesh.remesh.subdivide(_rows(scene), scene.faces)
    return _scene(vertices, faces)


def coarser(scene, wanted):
    """A Scene of about `wanted` triangles: vertices in one cell of a grid become one, at their mean."""
    tried = (_clustered(scene, cell) for cell in np.geomspace(0.005, 0.15, 40))
    return min(tried, key=lambda one: abs(len(one.faces) - wanted))


def _clustered(scene, cell):
    # Cells are metres: x and y of a frame are in units of HEIGHT.
    places = np.floor(scene.frames[0] * [HEIGHT, HEIGHT, 1.0] / cell).astype(int)
    _, group = np.unique(places, axis=0, return_inverse=True)
    group, rows = group.reshape(-1), _rows(scene)
    means = np.stack([np.bincount(group, column) for column in rows.T], -1) / np.bincount(group)[:, None]
    faces = group[scene.faces]
    flat = (faces == np.roll(faces, 1, axis=1)).any(1)
    return _scene(means, faces[~flat])


def _rows(scene):
    """All that a vertex has, float64 [V, 3 K + CHANNELS]."""
    frames = scene.frames.transpose(1, 0, 2).reshape(len(scene.attributes), -1)
    return np.concatenate([frames, scene.attributes], 1).astype(np.float64)


def _scene(rows, faces):
    """The Scene of `_rows` and faces [F, 3]."""
    frames = rows[:, :-CHANNELS].reshape(len(rows), FRAMES, 3).transpose(1, 0, 2)
    held = (np.ascontiguousarray(part, np.float32) for part in (frames, rows[:, -CHANNELS:]))
    return Scene(np.asarray(faces, np.int32), *held)
