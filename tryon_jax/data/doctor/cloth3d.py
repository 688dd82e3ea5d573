"""What is looked at in a copy of CLOTH3D; data/cloth3d tells the layout. A pair is a sample here.

The files of a sample are looked at for themselves and against each other. Of a point cache's frames FRAMES are read for
NaN, the first and the last among them: all would be terabytes.
"""

import functools
from collections import namedtuple

import numpy as np

from tryon_jax.data import cloth3d
from tryon_jax.data.cloth3d import sample
from tryon_jax.data.doctor import ERROR, WARNING, Finding, Job, Plan, overlap, pictures
from tryon_jax.data.formats import pointcache, wavefront
from tryon_jax.errors import UserError

FRAMES = 8
READ = (".mat", ".obj", ".pc16", ".png")  # not the videos
TEXTURE = 2048  # pixels, side of a pattern
REMEDY = "Take one of the two out of the copy, or the test's scores are too good."
FETCH = "Fetch the sample again."
# Shapes of what info.mat holds, T frames; poses are called pose on the data set's page.
KEYS = {"poses": (72, "T"), "trans": (3, "T"), "shape": (10,), "zrot": (), "gender": (), "camLoc": (3,)}
Info = namedtuple("Info", "frames outfit")  # their number, None if unknown; {kind: what is said of the garment}


def plan(root):
    """The Plan of the copy in `root`: one Job a sample."""
    split = all((root / name).is_dir() for name in cloth3d.SPLITS)
    parents = [root / name for name in cloth3d.SPLITS] if split else [root]
    folders = [place for parent in parents for place in sorted(parent.iterdir()) if place.is_dir()]
    places = [place for place in folders if (place / "info.mat").exists() or any(place.glob("*.pc16"))]
    findings, parts = [], {"train": [], "test": []}
    if not places:
        wrong = "there is no sample, a folder with info.mat, in it."
        findings.append(Finding(ERROR, "absent folder", root, wrong, "Unpack the data set, or give its own folder."))
    for place in places:
        held_out = place.parent.name == "test" if split else cloth3d.is_held_out(place.name)
        parts["test" if held_out else "train"].append(place)
    names = {part: [place.name for place in own] for part, own in parts.items()}
    findings += overlap.by_name(root / "train", names["train"], names["test"], REMEDY)
    findings += _twins(parts)
    counts = [sum(path.suffix in READ for path in place.iterdir()) for place in places]
    jobs = [Job(count, functools.partial(_look, place)) for count, place in zip(counts, places, strict=True)]
    return Plan(findings, jobs)


def _twins(parts):
    """Findings of training samples that are test samples under another name: one moves as the other does."""
    caches = {part: [path for place in own for path in place.glob("*.pc16")] for part, own in parts.items()}
    twins = overlap.by_content(*caches.values(), REMEDY, named=lambda path: f"{path.parent.name}/{path.name}")
    twins.sort(key=lambda one: one.file)
    return list({one.file.parent: one for one in reversed(twins)}.values())


def _look(place):
    """Findings of one sample."""
    if not (place / "info.mat").exists():
        return [Finding(ERROR, "absent file", place / "info.mat", "the sample has no info.mat.", FETCH)]
    info, findings = _info(place / "info.mat")
    kinds = {path.stem for path in place.glob("*.pc16")} | set(info.outfit if info else ())
    for kind in sorted(kinds):
        if kind not in sample.CLASSES:
            wrong = f"{kind} is none of {', '.join(sample.CLASSES)}, so that it is passed over."
            remedy = "Rename it in all its files."
            findings.append(Finding(WARNING, "file names", place / f"{kind}.pc16", wrong, remedy))
            continue
        if info and kind not in info.outfit:
            wrong = f"its outfit lacks {kind}, of which there is a .pc16."
            findings.append(Finding(ERROR, "contents of info.mat", place / "info.mat", wrong, FETCH))
        findings += _garment(place, kind, info)
    return findings


def _garment(place, kind, info):
    cache, findings = _cache(place / f"{kind}.pc16")
    vertices, textured, more = _surface(place / f"{kind}.obj")
    findings += more
    if cache and vertices and vertices != cache.points:
        wrong = f"it has {cache.points} points a frame, {kind}.obj has {vertices} vertices."
        findings.append(Finding(ERROR, "number of vertices", cache.path, wrong, "Take both of one sample."))
    if cache and info and info.frames and cache.frames != info.frames:
        wrong = f"it has {cache.frames} frames, info.mat has {info.frames}."
        findings.append(Finding(ERROR, "number of frames", cache.path, wrong, "Take both of one sample."))
    if info and kind in info.outfit:
        findings += _texture(place, kind, info.outfit[kind], textured)
    return findings


def _cache(path):
    """(pointcache.Cache or None, findings of its header, its length and some of its frames)."""
    if not path.exists():
        return None, [Finding(ERROR, "absent file", path, "info.mat names the garment, but it is not there.", FETCH)]
    try:
        cache = pointcache.opened(path)
    except UserError as error:
        return None, [_refused("point cache", path, error)]
    for number in np.unique(np.linspace(0, cache.frames - 1, FRAMES).round().astype(int)):
        try:
            pointcache.frame(cache, int(number))
        except UserError as error:
            return cache, [_refused("not a number", path, error)]
    return cache, []


def _surface(path):
    """(number of vertices or None, whether it has texture coordinates, findings) of an OBJ."""
    if not path.exists():
        return None, False, [Finding(ERROR, "absent file", path, "its .pc16 has no faces without it.", FETCH)]
    try:
        surface = wavefront.read(path)
    except UserError as error:
        return None, False, [_refused("damaged file", path, error)]
    return len(surface.vertices), surface.uv is not None, []


def _refused(kind, path, error):
    wrong = str(error).removeprefix(f"{path}: ").rpartition(";")[0]
    return Finding(ERROR, kind, path, f"{wrong}.", FETCH)


def _texture(place, kind, about, textured):
    """Findings of how a garment looks: a colour, or a picture on texture coordinates."""
    try:
        texture = about["texture"]
        pattern = str(texture["type"]) == "pattern"
        plain = not pattern and np.asarray(texture["data"], np.float64).reshape(3)
        str(about["fabric"])
    except (KeyError, TypeError, ValueError) as error:
        wrong = f"{kind} has no fabric, or no colour or pattern as texture ({error})."
        return [Finding(ERROR, "contents of info.mat", place / "info.mat", wrong, FETCH)]
    if not pattern:
        if 0 <= plain.min() and plain.max() <= 1:
            return []
        wrong = f"the colour of {kind} goes up to {plain.max():g}, not within 0..1."
        remedy = "Divide it by 255 if it is of bytes."
        return [Finding(WARNING, "contents of info.mat", place / "info.mat", wrong, remedy)]
    path = place / f"{kind}.png"
    if not path.exists():
        wrong = "info.mat says that the garment has a pattern, but its picture is not there."
        return [Finding(ERROR, "absent file", path, wrong, FETCH)]
    findings = pictures.whole(path, (TEXTURE, TEXTURE), ("RGB", "L"))
    if not textured:
        wrong = "it has no texture coordinates for its picture."
        findings.append(Finding(ERROR, "damaged file", place / f"{kind}.obj", wrong, FETCH))
    return findings


def _info(path):
    """(Info or None, findings) of a sample's info.mat."""
    from scipy.io import loadmat

    try:
        found = loadmat(path, struct_as_record=False, squeeze_me=True)
    except Exception as error:  # its reader raises whatever damaged bytes lead to
        return None, [Finding(ERROR, "damaged file", path, f"it cannot be read ({str(error)[:100]}).", FETCH)]
    found = {("poses" if key == "pose" else key): value for key, value in found.items()}
    findings, frames = [], {}
    for key, shape in KEYS.items():
        if key not in found:
            # Only other code wants the camera.
            severity = WARNING if key == "camLoc" else ERROR
            findings.append(Finding(severity, "contents of info.mat", path, f"it has no {key}.", FETCH))
            continue
        findings += _value(path, key, found[key], shape, frames)
    if len(set(frames.values())) > 1:
        wrong = f"poses has {frames['poses']} frames, trans has {frames['trans']}."
        findings.append(Finding(ERROR, "number of frames", path, wrong, FETCH))
    outfit = _as_dict(found.get("outfit"))
    if not outfit:
        findings.append(Finding(ERROR, "contents of info.mat", path, "it has no outfit.", FETCH))
    counts = set(frames.values())
    return Info(counts.pop() if len(counts) == 1 else None, outfit or {}), findings


def _value(path, key, value, shape, frames):
    """Findings of one array; its number of frames is put into `frames`."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return [Finding(ERROR, "contents of info.mat", path, f"{key} is not numbers.", FETCH)]
    if "T" in shape and array.ndim == 1:
        array = array[:, None]  # one frame, whose axis is squeezed
    right = len(shape) == array.ndim and all(want in ("T", have) for want, have in zip(shape, array.shape, strict=True))
    if not right:
        turned = " (turned: write its transpose)" if array.ndim == 2 and array.shape[1] == shape[0] else ""
        wanted = ", ".join(map(str, shape))
        wrong = f"{key} has shape {array.shape}, not ({wanted}){turned}."
        return [Finding(ERROR, "contents of info.mat", path, wrong, FETCH)]
    if "T" in shape:
        frames[key] = array.shape[1]
    if not np.isfinite(array).all():
        return [Finding(ERROR, "not a number", path, f"{key} holds a NaN or an infinity.", FETCH)]
    if key == "gender" and array not in (0, 1):
        return [Finding(ERROR, "contents of info.mat", path, f"gender is {value}, not 0 or 1.", FETCH)]
    return []


def _as_dict(value):
    names = getattr(value, "_fieldnames", None)
    return value if names is None else {name: _as_dict(getattr(value, name)) for name in names}
