"""One sample of CLOTH3D: an outfit, how it looks, how it moves, and on whom."""

import functools
import pathlib
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from tryon_jax.data.formats import pointcache, wavefront
from tryon_jax.errors import UserError

# The garment class of each kind of garment.
CLASSES = {
    "Tshirt": "upper", "Top": "upper", "Shirt": "upper", "Trousers": "lower", "Skirt": "lower", "Jumpsuit": "dress",
    "Dress": "dress",
}  # fmt: skip


class Garment(NamedTuple):
    """rest: its wavefront.Surface at rest; cache: its pointcache.Cache; fabric: its name; colour [3] f32 in [0, 1], or
    None where the file `picture`, None otherwise, is on its uv."""

    rest: wavefront.Surface
    cache: pointcache.Cache
    fabric: str
    colour: np.ndarray | None
    picture: pathlib.Path | None


class Sample(NamedTuple):
    """place: its folder; garments: {kind: Garment}; of SMPL: poses [T, 72] axis-angle, shape [10], gender "f" or "m",
    trans [T, 3] metres, of the root; zrot: radians that all of it is turned by about the world's z."""

    place: pathlib.Path
    garments: dict
    poses: np.ndarray
    shape: np.ndarray
    gender: str
    trans: np.ndarray
    zrot: float


def caches(place):
    """{kind: pointcache.Cache} of the garments of the sample in folder `place`. Raises UserError if there are none."""
    found = {path.stem: pointcache.opened(path) for path in sorted(place.glob("*.pc16")) if path.stem in CLASSES}
    if not found:
        raise UserError(f"{place}: no .pc16 of {', '.join(CLASSES)}; your copy is incomplete, fetch it again")
    return found


@functools.lru_cache(maxsize=32)
def loaded(place):
    """The Sample in folder `place`. Raises UserError if a file is missing, damaged, or does not fit the others."""
    path = place / "info.mat"
    info = _info(path)
    try:
        poses = np.asarray(info["poses"] if "poses" in info else info["pose"], np.float64).reshape(72, -1).T
        trans = np.asarray(info["trans"], np.float64).reshape(3, -1).T
        shape, zrot = np.asarray(info["shape"], np.float64).reshape(10), float(info["zrot"])
        gender, outfit = "fm"[int(info["gender"])], dict(info["outfit"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(f"{path}: it lacks what CLOTH3D keeps there ({error!r}); fetch it again") from None
    if not all(np.isfinite(values).all() for values in (poses, trans, shape, zrot)):
        raise UserError(f"{path}: it holds a NaN or an infinity; fetch it again")
    found = caches(place)
    frames = {len(poses), len(trans), *(cache.frames for cache in found.values())}
    if len(frames) > 1 or set(found) - set(outfit):
        raise UserError(f"{path}: its frames or garments are not those of the .pc16 files; fetch the sample again")
    garments = {kind: _garment(place, kind, cache, outfit[kind]) for kind, cache in found.items()}
    return Sample(place, garments, poses, shape, gender, trans, zrot)


def _info(path):
    """The contents of a .mat file, its structs as dicts."""
    from scipy.io import loadmat  # takes a moment to import: only where this set is read

    try:
        return {key: _as_dict(value) for key, value in loadmat(path, struct_as_record=False, squeeze_me=True).items()}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except Exception as error:  # its reader raises whatever damaged bytes lead to
        raise UserError(f"{path}: damaged ({str(error)[:120]}); fetch it again") from None


def _as_dict(value):
    names = getattr(value, "_fieldnames", None)
    return value if names is None else {name: _as_dict(getattr(value, name)) for name in names}


def _garment(place, kind, cache, about):
    rest = wavefront.read(place / f"{kind}.obj")
    if len(rest.vertices) != cache.points:
        raise UserError(f"{place / kind}.obj: {len(rest.vertices)} vertices, its .pc16 has {cache.points}; fetch both")
    try:
        fabric, texture = str(about["fabric"]), about["texture"]
        plain = str(texture["type"]) == "color"
        colour = np.clip(np.asarray(texture["data"], np.float32).reshape(3), 0, 1) if plain else None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{place / 'info.mat'}: {kind} has no fabric or texture ({error!r}); fetch it again") from None
    if plain:
        return Garment(rest, cache, fabric, colour, None)
    if rest.uv is None:
        raise UserError(f"{place / kind}.obj: it has a picture but no texture coordinates; fetch it again")
    picture = place / f"{kind}.png"
    if not picture.is_file():
        raise UserError(f"{picture}: no such file; your copy is incomplete, fetch it again")
    return Garment(rest, cache, fabric, None, picture)


def world(one, frame, kind):
    """World vertices [V, 3] f32 of a Sample's garment: metres, z up, as its camera sees them."""
    vertices = pointcache.frame(one.garments[kind].cache, frame)
    return turned(vertices + one.trans[frame], one.zrot).astype(np.float32)


def root(one, frame):
    """World place [3] of the body's root joint."""
    return turned(one.trans[frame], one.zrot)


def at_rest(one, kind):
    """Vertices [V, 3] f32 of a garment at rest, facing -y: the files hold them turned by zrot."""
    return turned(one.garments[kind].rest.vertices, -one.zrot).astype(np.float32)


def heading(one, frame):
    """Radians about the world's z that turn the pelvis of a frame to face -y, as camera_from_world's yaw."""
    # SMPL's body looks along its own z.
    forward = turned(Rotation.from_rotvec(one.poses[frame, :3]).apply([0.0, 0.0, 1.0]), one.zrot)
    return -np.pi / 2 - np.arctan2(forward[1], forward[0])


def turned(points, angle):
    """Points [..., 3] turned by an angle in radians about z."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
