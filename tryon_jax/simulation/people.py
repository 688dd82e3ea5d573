"""A person without clothes: painted body, hair and shoes as meshes to draw, fitted once to each body."""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax.geometry.mesh import among
from tryon_jax.geometry.parts import PART
from tryon_jax.simulation import appearance, body, drawing, hair, refinement, shoes, visage
from tryon_jax.simulation.drawing import camera_frame


class Person(NamedTuple):
    """look: appearance.Look; colours [W, 3] f32 of the refined body's vertices; labels [E] i32: part of each of its
    faces; worn: attachment.Attached things; covers [F] bool: body faces that they surely hide; hairstyle: one of
    hair.STYLES."""

    look: appearance.Look
    colours: np.ndarray
    labels: np.ndarray
    worn: tuple
    covers: np.ndarray
    hairstyle: str


def make(rng, rest, woman, age):
    """A random Person on a garments.Rest; age as body.SHAPE has it."""
    look = appearance.sample(rng, woman, age)
    canvas = visage.canvas()
    style = hair.sample(rng, woman, look.age)
    scalp = hair.scalp(style, canvas)
    worn, covers = [], np.zeros(len(rest.faces), bool)
    strands = hair.attach(rng, style, look, rest)
    worn += [strands] if strands is not None else []
    pair, hidden = shoes.attach(rng, look, rest, woman)
    faces, parts = _surface()
    labels = np.where(among(faces, scalp > 0.5), PART["hair"], parts).astype(np.int32)
    painted = appearance.paint(look, canvas, scalp)
    return Person(look, painted, labels, (*worn, *pair), covers | hidden, style.name)


def meshes(person, vertices, transforms, fine=True):
    """The drawing.Meshes, camera frame, of a Person posed to vertices [V, 3] by transforms [J, 4, 4], body first; fine:
    whether the face is refined, which small pictures do not show."""
    model, refined = body.load(), visage.canvas().refined
    placed = camera_frame(vertices)
    normals = drawing.vertex_normals(placed, model.faces)
    if fine:
        placed, normals = (refinement.extend(values, refined) for values in (placed, normals))
    count = None if fine else len(model.faces)
    skin = _mesh(placed, _surface()[0][:count], normals, person.colours[: len(placed)], person.labels[:count])
    return [skin] + [_posed(part, transforms) for part in person.worn]


def uncovered(person, parts, covers):
    """The same meshes without the body's faces in covers [F] bool."""
    first, hidden = parts[0], covers | person.covers
    shown = np.ones(len(first.faces), bool)
    # Where there are patches, they stand for the faces that they refine.
    shown[: len(covers)] = ~(hidden | visage.canvas().refined.replaced if len(shown) > len(covers) else hidden)
    return [first._replace(faces=first.faces[shown], labels=first.labels[shown]), *parts[1:]]


@functools.cache
def _surface():
    """Faces [E, 3] of body and refined patches, and the part label [E] of each: a new vertex has that of one of its two
    parents."""
    parts, refined = body.load().parts, visage.canvas().refined
    for edges in refined.halved:
        parts = np.concatenate([parts, parts[edges[:, 0]]])
    faces = np.concatenate([body.load().faces, refined.faces])
    return faces, parts[faces[:, 0]]


def _posed(part, transforms):
    vertices = camera_frame(body.skin(part.vertices_rest, part.skin_indices, part.skin_weights, transforms))
    normals = drawing.vertex_normals(vertices, part.faces)
    return _mesh(vertices, part.faces, normals, part.colours, part.labels)


def _mesh(vertices, faces, normals, colours, labels):
    nothing = np.zeros((len(vertices), 2), np.float32)
    return drawing.Mesh(
        vertices.astype(np.float32),
        faces,
        normals.astype(np.float32),
        colours,
        nothing - 1,
        nothing,
        labels,
        nothing[:, :1],
    )
