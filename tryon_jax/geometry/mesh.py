"""Triangle meshes: normals, checks of their topology, and the way into trimesh and GLB files."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np


class Mesh(NamedTuple):
    """A textured triangle mesh; texture corners have their own numbering (as in OBJ), so seams open no surface.

    vertices [V, 3] metres; faces [F, 3] int, counter-clockwise from outside; uv [U, 2] in [0, 1], x right and
    y down in the picture; uv_faces [F, 3] int into uv; texture uint8 [H, W, 3].
    """

    vertices: Any
    faces: Any
    uv: Any
    uv_faces: Any
    texture: Any


def vertex_normals(vertices, faces):
    """Unit normals [V, 3] of vertices [V, 3], area-weighted means over faces [F, 3]; differentiable.

    Vertices without a face of some area get zero. Padding faces (all corners alike) add nothing.
    """
    vertices = jnp.asarray(vertices)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face_normals = jnp.cross(b - a, c - a)
    sums = jnp.zeros_like(vertices)
    for i in range(3):
        sums = sums.at[faces[:, i]].add(face_normals)
    square = (sums**2).sum(-1, keepdims=True)
    # 1e-30 square metres squared is a triangle of about 1e-15 square metres: no direction can be read from it.
    found = square > 1e-30
    return jnp.where(found, sums / jnp.sqrt(jnp.where(found, square, 1.0)), 0.0)


def among(faces, chosen):
    """Whether all corners of faces [F, 3] are among the vertices `chosen` [V] bool: [F] bool, on the host."""
    # Column by column: numpy reduces rows of three eight times as slowly.
    first, second, third = (chosen.take(corner) for corner in faces.T)
    return first & second & third


def directed_edges(faces):
    """The three directed edges of every face [F, 3], int [3F, 2]: first all 0->1, then 1->2, then 2->0."""
    faces = np.asarray(faces)
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _keys(edges):
    """One int64 an edge [E, 2], equal for equal edges."""
    return edges[:, 0].astype(np.int64) * (edges.max(initial=0) + 1) + edges[:, 1]


def _face_counts(faces):
    """How many faces each undirected edge has, int [E]."""
    return np.unique(_keys(np.sort(directed_edges(faces), 1)), return_counts=True)[1]


def boundary_edges(faces):
    """Directed edges int [E, 2] that only one face uses; the surface lies to their left."""
    edges = directed_edges(faces)
    _, place, uses = np.unique(_keys(np.sort(edges, 1)), return_inverse=True, return_counts=True)
    return edges[uses[place] == 1]


def is_edge_manifold(faces):
    """Whether no edge has more than two faces."""
    return bool((_face_counts(faces) <= 2).all())


def is_watertight(faces):
    """Whether every edge has exactly two faces (and there is a face)."""
    return bool(len(faces) > 0 and (_face_counts(faces) == 2).all())


def is_consistently_wound(faces):
    """Whether no two faces run along an edge in the same direction."""
    return bool((np.unique(_keys(directed_edges(faces)), return_counts=True)[1] == 1).all())


def pinch_vertices(faces):
    """Numbers of the vertices at which separate fans of faces meet, int [N]; none in a manifold surface."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    faces = np.asarray(faces)
    total = len(faces)
    # Corner k of face f is node k * F + f. Faces that share an edge share the fans at both of its ends.
    edges, face = directed_edges(faces), np.tile(np.arange(total), 3)
    side = np.repeat(np.arange(3), total)
    tail, head = side * total + face, (side + 1) % 3 * total + face
    turned = edges[:, 0] > edges[:, 1]
    low, high = np.where(turned, head, tail), np.where(turned, tail, head)
    keys = _keys(np.sort(edges, 1))
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    same = np.flatnonzero(keys[1:] == keys[:-1])
    first, second = order[same], order[same + 1]
    links = np.concatenate([low[first], high[first]]), np.concatenate([low[second], high[second]])
    graph = coo_matrix((np.ones(len(links[0]), bool), links), shape=(3 * total, 3 * total))
    fan = connected_components(graph, directed=False)[1]
    pairs = np.unique(np.stack([faces.T.reshape(-1), fan], 1), axis=0)
    vertex, fans = np.unique(pairs[:, 0], return_counts=True)
    return vertex[fans > 1]


def boundary_loops(faces):
    """The boundary as closed loops: a list of int arrays of vertex numbers, each in the boundary's direction.

    Raises ValueError at a vertex where several loops meet, since the way on is not defined there.
    """
    edges = boundary_edges(faces)
    after = dict(edges.tolist())
    if len(after) != len(edges):
        raise ValueError("boundary loops meet in a vertex: remove pinch vertices first")
    loops = []
    while after:
        start, vertex = next(iter(after.items()))
        loop = [start]
        del after[start]
        while vertex != start:
            loop.append(vertex)
            vertex = after.pop(vertex)
        loops.append(np.array(loop))
    return loops


def to_trimesh(mesh):
    """A trimesh.Trimesh with the texture as a rough, non-metallic PBR material; vertices are split at seams."""
    import trimesh
    from PIL import Image

    normals = np.asarray(vertex_normals(mesh.vertices, mesh.faces))
    corners = np.stack([np.asarray(mesh.faces).reshape(-1), np.asarray(mesh.uv_faces).reshape(-1)], 1)
    pairs, faces = np.unique(corners, axis=0, return_inverse=True)
    # Trimesh keeps v pointing up, as OBJ does.
    uv = np.asarray(mesh.uv)[pairs[:, 1]] * [1, -1] + [0, 1]
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.fromarray(np.asarray(mesh.texture)), metallicFactor=0.0, roughnessFactor=0.9
    )
    return trimesh.Trimesh(
        vertices=np.asarray(mesh.vertices)[pairs[:, 0]],
        faces=faces.reshape(-1, 3),
        vertex_normals=normals[pairs[:, 0]],
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )


def on_floor(vertices):
    """Vertices [V, 3] moved so that the lowest has y = 0 and the box is centred on x = z = 0."""
    vertices = np.asarray(vertices)
    low, high = vertices.min(0), vertices.max(0)
    return vertices - [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]


def export_glb(mesh, path):
    """Writes a camera-frame Mesh as a GLB file: metres, y up, standing on y = 0, facing +z. Returns the path."""
    to_trimesh(mesh._replace(vertices=on_floor(mesh.vertices))).export(path, file_type="glb", include_normals=True)
    return path
