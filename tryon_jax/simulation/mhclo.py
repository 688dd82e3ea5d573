"""Outfits in MakeHuman's format: an .mhclo file that binds the vertices of an .obj file to the base mesh hm08."""

import pathlib
from typing import NamedTuple

import numpy as np

from tryon_jax.errors import UserError

BASE, BASE_VERTICES = "hm08", 19158
# Barycentric weights are written with five digits; a sum further than this from 1 is no rounding.
ROUNDING = 0.01


class Outfit(NamedTuple):
    """V vertices, each bound to three of the base mesh, F triangles, U texture corners.

    name; base [V, 3] i32 vertices of hm08; weights [V, 3] f64, rows sum to 1 (outside of the triangle some are
    negative); offsets [V, 3] f64 decimetres in the base's axes (x to the person's left, y up, z forward), measured on
    the base by scales: three (first, second, distance), one an axis, distance in decimetres between two base vertices
    along it; faces [F, 3] i32, counter-clockwise from outside; uv [U, 2] f64, x right and y down in the picture;
    uv_faces [F, 3] i32; hidden [B] i32: base vertices whose skin the outfit covers.
    """

    name: str
    base: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    scales: tuple
    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    hidden: np.ndarray


def read(path):
    """The Outfit of an .mhclo file and the .obj file that it names, which lies beside it.

    Raises UserError, naming the file and a remedy, if either is missing, cut short or broken, or made for another mesh.
    """
    path = pathlib.Path(path)
    lines = _lines(path, "give the path of an .mhclo file")
    header, bindings, hidden = _sections(path, lines)
    if header.get("basemesh", [BASE])[0] != BASE:
        raise UserError(f"{path}: made for base mesh {header['basemesh'][0]}; only outfits for {BASE} fit this body")
    if not header.get("obj_file"):
        raise UserError(f"{path}: names no obj_file; {_AGAIN}")
    scales = tuple(_scale(path, header, axis) for axis in "xyz")
    base, weights, offsets = _bindings(path, bindings)
    model = path.parent / header["obj_file"][0]
    count, uv, faces, uv_faces = _obj(model, path)
    if count != len(base):
        raise UserError(
            f"{path}: binds {len(base)} vertices, but {model.name} has {count}; "
            "one of the two is cut short or of another outfit: download both again"
        )
    name = " ".join(header.get("name", [path.stem]))
    return Outfit(name, base, weights, offsets, scales, faces, uv, uv_faces, _hidden(path, hidden))


_AGAIN = "the file is damaged or cut short: download it again"


def _lines(path, remedy):
    """(line number, words) of a text file, without comments and empty lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text; {remedy}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    split = ((number, line.split("#")[0].split()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, words) for number, words in split if words]


def _sections(path, lines):
    """Header {keyword: words}, lines of the vertex bindings, lines of the hidden vertices."""
    header, bindings, hidden, current = {}, [], [], None
    for number, words in lines:
        if words[0][0].isalpha() and words[0] not in ("nan", "inf"):
            current = {"verts": bindings, "delete_verts": hidden}.get(words[0])
            if current is None:
                header[words[0]] = words[1:]
            elif words[0] == "delete_verts" and len(words) > 1:
                hidden.append((number, words[1:]))
        elif current is not None:
            current.append((number, words))
    if not bindings:
        raise UserError(f"{path}: has no verts section; {_AGAIN}")
    return header, bindings, hidden


def _numbers(path, number, words, kind=float):
    try:
        values = [kind(word) for word in words]
    except ValueError as error:
        raise UserError(f"{path}:{number}: {' '.join(words)[:60]!r} should be numbers; {_AGAIN}") from error
    if kind is float and not np.isfinite(values).all():
        raise UserError(f"{path}:{number}: {' '.join(words)[:60]!r} is not finite; {_AGAIN}")
    return values


def _index(path, number, values):
    """Raises UserError unless all values are vertices of the base mesh."""
    for value in values:
        if not 0 <= value < BASE_VERTICES:
            raise UserError(f"{path}:{number}: vertex {value} is outside of {BASE}'s 0..{BASE_VERTICES - 1}; {_AGAIN}")


def _scale(path, header, axis):
    words = header.get(f"{axis}_scale", ())
    if len(words) != 3:
        raise UserError(f"{path}: {axis}_scale should be two vertices and a distance; {_AGAIN}")
    first, second = _numbers(path, f"{axis}_scale", words[:2], int)
    (distance,) = _numbers(path, f"{axis}_scale", words[2:])
    _index(path, f"{axis}_scale", (first, second))
    if distance <= 0:
        raise UserError(f"{path}: {axis}_scale has the distance {distance}, which should be positive; {_AGAIN}")
    return first, second, distance


def _bindings(path, lines):
    """Base vertices [V, 3], weights [V, 3] and offsets [V, 3]: a line names one vertex, or three with all of these."""
    base, values = np.zeros((len(lines), 3), np.int32), np.zeros((len(lines), 6))
    for row, (number, words) in enumerate(lines):
        if len(words) not in (1, 9):
            raise UserError(f"{path}:{number}: a binding has 1 or 9 numbers, not {len(words)}; {_AGAIN}")
        corners = _numbers(path, number, words[: min(len(words), 3)], int)
        _index(path, number, corners)
        base[row] = corners
        values[row] = _numbers(path, number, words[3:]) if len(words) == 9 else (1, 0, 0, 0, 0, 0)
        if abs(values[row, :3].sum() - 1) > ROUNDING:
            raise UserError(f"{path}:{number}: the weights sum to {values[row, :3].sum():.3f}, not to 1; {_AGAIN}")
    return base, values[:, :3], values[:, 3:]


def _hidden(path, lines):
    """Base vertices [B] of lines such as "3 5 - 9 12"."""
    found = []
    for number, words in lines:
        values = [-1 if word == "-" else value for word in words
                  for value in (_numbers(path, number, [word], int) if word != "-" else [0])]  # fmt: skip
        place = 0
        while place < len(values):
            first = last = values[place]
            if place + 1 < len(values) and values[place + 1] == -1:
                last = values[place + 2] if place + 2 < len(values) else -1
                place += 2
            _index(path, number, (first, last))
            if last < first:
                raise UserError(f"{path}:{number}: the range {first} - {last} runs backward; {_AGAIN}")
            found.append(np.arange(first, last + 1))
            place += 1
    return np.unique(np.concatenate(found)).astype(np.int32) if found else np.zeros(0, np.int32)


def _obj(path, owner):
    """Number of vertices, texture corners [U, 2] y down, triangles [F, 3] and texture triangles [F, 3] of an .obj."""
    vertices, uv, faces, uv_faces = 0, [], [], []
    for number, (word, *words) in _lines(path, f"put the .obj file that {owner.name} names beside it"):
        if word == "v":
            _wanted(path, number, words, 3)
            _numbers(path, number, words)
            vertices += 1
        elif word == "vt":
            _wanted(path, number, words, 2)
            u, v = _numbers(path, number, words[:2])
            uv.append((u, 1 - v))
        elif word == "f":
            _wanted(path, number, words, 3)
            corners = [_corner(path, number, one, vertices, len(uv)) for one in words]
            for second, third in zip(corners[1:-1], corners[2:], strict=True):
                faces.append((corners[0][0], second[0], third[0]))
                uv_faces.append((corners[0][1], second[1], third[1]))
    if not faces:
        raise UserError(f"{path}: has no faces; {_AGAIN}")
    faces, uv_faces = (np.array(rows, np.int32) for rows in (faces, uv_faces))
    doubled = (faces == np.roll(faces, 1, 1)).any(1)
    return vertices, np.array(uv), faces[~doubled], uv_faces[~doubled]


def _wanted(path, number, words, least):
    if len(words) < least:
        raise UserError(f"{path}:{number}: {len(words)} values where at least {least} belong; {_AGAIN}")


def _corner(path, number, word, vertices, uvs):
    """Vertex and texture corner, from 0, of "vertex/texture" or "vertex/texture/normal"; negative counts backward."""
    parts = word.split("/")
    if len(parts) < 2 or not parts[1]:
        raise UserError(f"{path}:{number}: a face without texture coordinates; export the .obj with its UV map")
    values = _numbers(path, number, parts[:2], int)
    found = [value - 1 if value > 0 else count + value for value, count in zip(values, (vertices, uvs), strict=True)]
    for value, count in zip(found, (vertices, uvs), strict=True):
        if not 0 <= value < count:  # 0 has become `count`
            raise UserError(f"{path}:{number}: {word} names number {values[found.index(value)]} of {count}; {_AGAIN}")
    return found
