"""OBJ files whose vertices keep their order, since another file moves them; polygons become triangles."""

from typing import NamedTuple

import numpy as np

from tryon_jax.errors import UserError


class Surface(NamedTuple):
    """vertices [V, 3] f32 in the file's order; faces [F, 3] i32; uv [U, 2] f32, x right and y UP as OBJ has it, and
    uv_faces [F, 3] i32 into it, both None in a file without."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None
    uv_faces: np.ndarray | None


def read(path):
    """The Surface of an OBJ file; normals, groups and materials are passed over, as are lines of two corners.

    Polygons become fans around their first corner. Raises UserError if the file is missing or broken, holds no faces,
    a NaN, or a corner that is not there.
    """
    rows = {"v": [], "vt": [], "f": []}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                kind, *values = line.split() or [""]
                if kind in rows:
                    rows[kind].append(values)
        vertices = np.array([row[:3] for row in rows["v"]], np.float32).reshape(-1, 3)
        uv = np.array([row[:2] for row in rows["vt"]], np.float32).reshape(-1, 2)
        corners = [[corner.split("/") for corner in row] for row in rows["f"]]
        faces = _triangles([[int(corner[0]) for corner in face] for face in corners])
        textured = len(uv) > 0 and all(len(corner) > 1 and corner[1] for face in corners for corner in face)
        uv_faces = _triangles([[int(corner[1]) for corner in face] for face in corners]) if textured else None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except (OSError, ValueError, IndexError) as error:
        raise UserError(f"{path}: damaged ({str(error)[:120]}); fetch it again") from None
    _check(path, vertices, faces, "vertex")
    if not textured:
        return Surface(vertices, faces, None, None)
    _check(path, uv, uv_faces, "texture corner")
    return Surface(vertices, faces, uv, uv_faces)


def _triangles(polygons):
    """Fans of polygons of numbers from 1, as int32 [F, 3] of numbers from 0."""
    fans = [(face[0], face[i], face[i + 1]) for face in polygons for i in range(1, len(face) - 1)]
    return np.array(fans, np.int32).reshape(-1, 3) - 1


def _check(path, points, faces, what):
    if not len(faces):
        raise UserError(f"{path}: it holds no faces; fetch it again")
    if not np.isfinite(points).all():
        raise UserError(f"{path}: it holds a NaN or an infinity; fetch it again")
    if faces.min() < 0 or faces.max() >= len(points):
        raise UserError(f"{path}: a face names {what} {faces.max() + 1} of {len(points)}; fetch it again")
