"""Mesh files of every kind that trimesh reads, as this project's Mesh; and back, by the file's ending."""

import pathlib

import numpy as np

from tryon_jax.errors import UserError
from tryon_jax.geometry.mesh import Mesh, on_floor, to_trimesh

WRITTEN = (".glb", ".obj", ".ply")
PLAIN = (0.8, 0.8, 0.8)  # colour of a file that has none
TRIMESH_GREY = (102, 102, 102, 255)  # which trimesh gives it


def read(path):
    """Mesh of a file, in the file's own frame and unit; polygons become triangles, the parts of a scene one mesh.

    Where the file has a picture on it, `texture` is that, uint8 [H, W, 3]; else texture is None and uv [V, 3] holds the
    vertices' colours in [0, 1], uv_faces being faces. Raises UserError if the file is missing, broken, holds no faces,
    or coordinates that are not finite.
    """
    import trimesh

    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a mesh, such as a .glb, .obj, .ply or .stl")
    try:
        loaded = trimesh.load(path, process=False)
    except Exception as error:  # each reader has its own
        raise UserError(
            f"{path}: cannot be read as a mesh ({_short(error)}); is it whole, and its ending right?"
        ) from None
    try:
        merged = loaded.to_mesh() if hasattr(loaded, "to_mesh") else loaded
    except Exception as error:
        raise UserError(f"{path}: its parts cannot be joined ({_short(error)}); export them as one mesh") from None
    faces = np.asarray(getattr(merged, "faces", ()))
    if not len(faces):
        raise UserError(f"{path}: it holds no faces, only {_kind(loaded)}; export a surface")
    vertices = np.asarray(merged.vertices, np.float32)
    if not np.isfinite(vertices[np.unique(faces.clip(0, len(vertices) - 1))]).all():
        raise UserError(f"{path}: it has vertices that are NaN or infinite; repair it where it was made")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise UserError(f"{path}: a face names vertex {faces.max()} of {len(vertices)}; it is damaged, export it again")
    faces = faces.astype(np.int32)
    uv, texture = _picture(merged)
    if texture is None:
        return Mesh(vertices, faces, _colours(merged, len(vertices)), faces, None)
    return Mesh(vertices, faces, uv, faces, texture)


def _short(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def _kind(loaded):
    geometry = getattr(loaded, "geometry", None)
    names = {type(part).__name__ for part in geometry.values()} if geometry else {type(loaded).__name__}
    return ", ".join(sorted(names))


def _picture(merged):
    """(uv float32 [V, 2], x right and y down; texture uint8 [H, W, 3]) of a trimesh's material, or (None, None)."""
    uv, material = getattr(merged.visual, "uv", None), getattr(merged.visual, "material", None)
    picture = getattr(material, "baseColorTexture", None)
    picture = getattr(material, "image", None) if picture is None else picture
    if uv is None or picture is None or len(uv) != len(merged.vertices):
        return None, None
    texture = np.asarray(picture.convert("RGB"))
    factor = getattr(material, "baseColorFactor", None)
    if factor is not None:
        texture = np.round(texture * (np.asarray(factor, np.float32)[:3] / 255)).astype(np.uint8)
    # Coordinates beyond the picture repeat it; only where they do, since 1 itself is its edge.
    uv = np.asarray(uv, np.float32)
    uv = np.where((uv < 0) | (uv > 1), uv - np.floor(uv), uv)
    return np.stack([uv[:, 0], 1 - uv[:, 1]], -1), texture


def _colours(merged, count):
    visual = merged.visual.to_color() if hasattr(merged.visual, "to_color") else merged.visual
    colours = np.asarray(getattr(visual, "vertex_colors", ()))
    unsaid = (colours == TRIMESH_GREY).all() if colours.ndim == 2 else True
    if unsaid or len(colours) != count:
        return np.tile(np.array(PLAIN, np.float32), (count, 1))
    return colours[:, :3].astype(np.float32) / 255


def write(mesh, path):
    """Writes a camera-frame Mesh as GLB, OBJ or PLY by the ending: metres, y up, standing on y = 0, facing +z.

    PLY holds a colour a vertex; the others the texture. Returns the path. Raises UserError for another ending.
    """
    path = pathlib.Path(path)
    kind = path.suffix.lower()
    if kind not in WRITTEN:
        raise UserError(f"{path}: a mesh is written as one of {', '.join(WRITTEN)}; change the name's ending")
    made = to_trimesh(mesh._replace(vertices=on_floor(mesh.vertices)))
    if kind == ".ply":
        made.visual = made.visual.to_color()
    options = {".glb": {"include_normals": True}, ".obj": {"include_normals": True}, ".ply": {"vertex_normal": True}}
    made.export(path, file_type=kind[1:], **options[kind])
    return path
