"""Moving clothes as CLOTH3D lays them out: tubes of quadrilaterals around an ellipse, with folds, that swing."""

import pathlib

import numpy as np
from PIL import Image

from tryon_jax.data import cloth3d
from tryon_jax.data.cloth3d import sample
from tryon_jax.data.formats import pointcache

FRAMES = 2
AROUND, RINGS = 48, 30  # quadrilaterals
FOLDS = 0.012  # metres, depth of the folds at the lower end
# Heights over the root joint of the upper and the lower end, and half width there, metres.
TUBES = {"Top": (0.50, -0.05, 0.19, 0.20), "Skirt": (0.10, -0.45, 0.15, 0.30), "Dress": (0.50, -0.50, 0.18, 0.34)}
OUTFITS = (("Top", "Skirt"), ("Dress",))
FABRICS = ("cotton", "silk", "denim", "leather")
TEXTURE = 2048  # pixels, side of the pictures


def write(counts, root):
    """Writes {"train": number, "test": number} of samples of FRAMES frames as a copy of CLOTH3D under `root`.

    The videos are left out: they are not read.
    """
    numbers = {split: _numbers(split == "test") for split in counts}
    for split, count in counts.items():
        for index in range(count):
            name = next(numbers[split])
            _write(pathlib.Path(root) / name, np.random.default_rng(int(name)), OUTFITS[index % len(OUTFITS)])


def _numbers(held_out):
    """Names of samples that the reader counts to a split."""
    return (f"{number:05d}" for number in range(1, 100_000) if cloth3d.is_held_out(f"{number:05d}") == held_out)


def _write(folder, rng, outfit):
    from scipy.io import savemat

    folder.mkdir(parents=True, exist_ok=True)
    zrot, turn = rng.uniform(-np.pi, np.pi), rng.uniform(-0.3, 0.3)
    poses, trans = np.zeros((72, FRAMES)), rng.uniform(-0.3, 0.3, (3, FRAMES)) + [[0], [0], [0.95]]
    # SMPL looks along its own z with y up: a quarter turn about x stands it up.
    poses[:3] = _axis_angle(turn)[:, None]
    about = {}
    for kind in outfit:
        rest, moving = tube(kind, 0.0), np.stack([tube(kind, 0.06 * (frame + 1)) for frame in range(FRAMES)])
        pointcache.write(folder / f"{kind}.pc16", sample.turned(moving, turn))
        write_obj(folder / f"{kind}.obj", sample.turned(rest, zrot))
        about[kind] = {"fabric": str(rng.choice(FABRICS)), "texture": _texture(folder / f"{kind}.png", kind, rng)}
    info = {"poses": poses, "shape": np.zeros(10), "gender": 0, "trans": trans, "zrot": zrot, "outfit": about}
    savemat(folder / "info.mat", info | {"camLoc": np.array([4.0, 0.0, 1.0])})


def _axis_angle(turn):
    from scipy.spatial.transform import Rotation

    return (Rotation.from_euler("z", turn) * Rotation.from_euler("x", np.pi / 2)).as_rotvec()


def tube(kind, swing):
    """Vertices [(RINGS + 1) AROUND, 3] of a garment about the root joint, facing -y, its lower end `swing` m aside."""
    high, low, upper, lower = TUBES[kind]
    down, angle = np.meshgrid(np.linspace(0, 1, RINGS + 1), np.arange(AROUND) / AROUND * 2 * np.pi, indexing="ij")
    radius = upper + (lower - upper) * down + FOLDS * down * np.cos(8 * angle)
    points = [radius * np.cos(angle) + swing * down**2, 0.7 * radius * np.sin(angle), high + (low - high) * down]
    return np.stack(points, -1).reshape(-1, 3)


def write_obj(path, vertices):
    """Writes a tube as an OBJ of quadrilaterals with one seam, whose texture corners have their own numbering."""
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"vt {c / AROUND:.6f} {1 - r / RINGS:.6f}" for r in range(RINGS + 1) for c in range(AROUND + 1)]
    for ring in range(RINGS):
        for column in range(AROUND):
            places = [(ring, column), (ring + 1, column), (ring + 1, column + 1), (ring, column + 1)]
            corners = (f"{r * AROUND + c % AROUND + 1}/{r * (AROUND + 1) + c + 1}" for r, c in places)
            lines.append("f " + " ".join(corners))
    path.write_text("\n".join(lines) + "\n")


def _texture(path, kind, rng):
    """What info.mat says of a garment's look; a pattern is written to `path`."""
    if kind == "Skirt":
        return {"type": "color", "data": rng.uniform(0.2, 0.9, 3)}
    first, second = rng.integers(0, 256, (2, 3))
    stripes = (np.arange(TEXTURE) // 128 % 2 == 0)[:, None, None] & np.ones((1, TEXTURE, 1), bool)
    Image.fromarray(np.where(stripes, first, second).astype(np.uint8)).save(path)
    return {"type": "pattern", "data": 0}
