"""Whether lifted sheets are closed, show the sheets again, and come faster than a surface fitted to their points.

    python experiments/check_lift.py [--people 200] [--noise 200] [--size 256] [--out runs/check_lift]

People of the generator, each drawn at `size` pixels, and masks of random noise with random depths, are lifted
(render.lift) and checked: watertight, wound one way, no two fans of triangles in one vertex. Each person is then drawn
again through the sheets' pixel centres: its depth and colour against the sheets, front and back, on the pixels that the
lift keeps (beside it, how many it drops as specks and pinches). For some of them the surface through the same points by
Open3D's Poisson reconstruction (Kazhdan and Hoppe, TOG 2013; depth 8) is made in turn with ours, and the medians of
time on the processor are compared. Some go to GLB, are read back by trimesh, and judged by the Khronos glTF validator
where node and its package gltf-validator are found (npm install gltf-validator). A picture of the people from around,
with jumps webbed and apart, is written to --out. Exits with 1 if a limit is missed. Wants open3d (extra `bench`).
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple
from unittest import mock

import numpy as np
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments import processes  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax.data import SIDES  # noqa: E402
from tryon_jax.geometry import mesh as topology  # noqa: E402
from tryon_jax.geometry.camera import project  # noqa: E402
from tryon_jax.geometry.files import read, write  # noqa: E402
from tryon_jax.render import rasterize as raster  # noqa: E402
from tryon_jax.render import (
    surface,  # noqa: E402
    view,  # noqa: E402
)
from tryon_jax.render.lift import lift  # noqa: E402
from tryon_jax.render.texture import sample_texture  # noqa: E402
from tryon_jax.simulation import scene, specification  # noqa: E402

SEED = 0
EACH = 8  # examples a body: the same clothes, moved, in other light
KEYS = ("mask", *(f"{side}_{what}" for side in SIDES for what in ("depth", "rgb", "normals")))
SHOWN = 6  # people on the picture
TURNS = np.radians([0, 30, 60, 90, 135, 180, 240, 300])


class Found(NamedTuple):
    """One person: whether the mesh is closed; solids; triangles that they have more than one solid would; share of the
    mask's pixels that are kept; largest difference of depth in metres and PSNR of colour in dB on them, both sides;
    triangles; milliseconds on the processor."""

    closed: bool
    solids: int
    added: int
    kept: float
    depth: float
    psnr: float
    faces: int
    milliseconds: float


def person(number, size):
    """The sheets of held-out person `number` at `size` pixels, and the camera.

    The cloth is that of the smaller presets, so that hundreds are made in minutes: lifting never sees the difference.
    """
    each = specification.EXAMPLES_A_BODY
    spec = specification.sample("test", number // EACH * each + number % EACH, SEED)
    with mock.patch.object(scene, "cloth_levels", lambda _: 2):
        made = scene.example(spec, size)
    return {name: np.asarray(made[name]) for name in (*KEYS, "camera")}


def is_closed(mesh):
    """Whether each edge has two faces that run along it in opposite senses, and each vertex one fan of them."""
    faces = mesh.faces
    return bool(
        topology.is_watertight(faces)
        and topology.is_consistently_wound(faces)
        and not len(topology.pinch_vertices(faces))
    )


def timed(function, *arguments, **options):
    """(result, seconds on the processor, seconds on the wall)."""
    wall, busy = time.perf_counter(), time.process_time()
    result = function(*arguments, **options)
    return result, time.process_time() - busy, time.perf_counter() - wall


def measure(task):
    """Found for one (number, size), and its sheets."""
    sheets = person(*task)
    mesh, busy, _ = timed(lift, sheets, sheets["camera"])
    mask = sheets["mask"][..., 0] > 0.5
    size = mask.shape
    vertices = np.asarray(project(sheets["camera"], mesh.vertices, size), np.float32)
    # A power of two, so that people share compilations.
    capacity = 1 << raster.candidates(vertices, mesh.faces, size).bit_length()
    fragments = raster.rasterize(vertices, mesh.faces, size, capacity)
    raster.check(fragments)
    worst, square, kept = 0.0, [], mask & (np.asarray(fragments.front_ids) >= 0)
    for side, ids in zip(SIDES, fragments[:2], strict=True):
        depth, _, uv = surface.at_pixels(vertices, mesh.faces, ids, mesh.uv, mesh.uv_faces)
        worst = max(worst, float(np.abs(np.asarray(depth) - sheets[f"{side}_depth"][..., 0])[kept].max()))
        colour = np.asarray(sample_texture(mesh.texture.astype(np.float32) / 255, uv))
        square.append(np.square(colour - sheets[f"{side}_rgb"])[kept].mean())
    psnr = -10 * np.log10(max(np.mean(square), 1e-12))  # 120 dB where nothing differs
    webbed = lift(sheets, sheets["camera"], jump=np.inf)
    solids, added = mesh.texture.shape[0] // webbed.texture.shape[0], len(mesh.faces) - len(webbed.faces)
    found = Found(is_closed(mesh), solids, added, kept.sum() / mask.sum(), worst, psnr, len(mesh.faces), 1000 * busy)
    return found, sheets


def noise(count):
    """How many of `count` random masks with random depths give a closed mesh, and how many of them have jumps."""
    closed = parted = 0
    for seed in range(count):
        rng = np.random.default_rng([SEED, seed])
        shape = tuple(rng.integers(8, 129, 2))
        field = ndimage.gaussian_filter(rng.normal(size=shape), (0.0, 0.7, 1.5, 4.0)[seed % 4])
        mask = (field > np.quantile(field, rng.uniform(0.2, 0.6)))[..., None]
        # Depths that are noise themselves, and smooth ones whose sheets cross.
        front, back = (ndimage.gaussian_filter(rng.normal(size=shape), seed % 3 * 2.0)[..., None] for _ in SIDES)
        colour = rng.random((*shape, 3))
        sheets = {"mask": mask, "front_depth": front, "back_depth": back, "front_rgb": colour, "back_rgb": colour}
        mesh = lift(sheets, np.array([0.01, 0, 0]), keep=0.0)
        closed += is_closed(mesh)
        webbed = lift(sheets, np.array([0.01, 0, 0]), keep=0.0, jump=np.inf)
        parted += len(mesh.texture) > len(webbed.texture)
    return closed, parted


def poisson(sheets):
    """(points, normals) [N, 3] of both sheets, as Open3D's reconstruction takes them."""
    mask = sheets["mask"][..., 0] > 0.5
    row, column = np.nonzero(mask)
    scale, x, y = np.asarray(sheets["camera"], np.float64)
    across, up = (column + 0.5 - mask.shape[1] / 2) * scale + x, (mask.shape[0] / 2 - row - 0.5) * scale + y
    points = [np.stack([across, up, sheets[f"{side}_depth"][mask][:, 0]], 1) for side in SIDES]
    return np.concatenate(points), np.concatenate([sheets[f"{side}_normals"][mask] for side in SIDES]).astype(float)


def against_poisson(people):
    """(times faster on the processor, on the wall), medians of interleaved runs; None and why without Open3D."""
    try:
        import open3d
    except ImportError as error:
        return None, f"Poisson: skipped, Open3D is not installed ({error}); pip install open3d"

    def reconstruct(points, normals):
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
        cloud.normals = open3d.utility.Vector3dVector(normals)
        return open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=8)[0]

    rows = []
    for sheets in people:
        _, *theirs = timed(reconstruct, *poisson(sheets))
        _, *ours = timed(lift, sheets, sheets["camera"])
        rows.append([*theirs, *ours])
    theirs_busy, theirs_wall, busy, wall = np.median(rows, 0)
    said = f"Poisson, depth 8: {1000 * theirs_busy:.0f} ms on the processor, {1000 * theirs_wall:.0f} ms on the wall; "
    return (theirs_busy / busy, theirs_wall / wall), said + f"lift: {1000 * busy:.1f} and {1000 * wall:.1f} ms"


VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs');
Promise.all(process.argv.slice(1).map(file => validator.validateBytes(new Uint8Array(fs.readFileSync(file)))))
  .then(reports => console.log(JSON.stringify(reports.map(report => report.issues))));
"""


def exported(people):
    """(GLB files that trimesh reads back closed, those with an error or a warning of the validator or None, a line)."""
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / f"{number}.glb" for number in range(len(people))]
        for sheets, file in zip(people, files, strict=True):
            write(lift(sheets, sheets["camera"]), file)
        sound = sum(welded(read(file)) for file in files)
        node = shutil.which("node")
        if node is None:
            return sound, None, "glTF validator: skipped, node is not installed"
        done = subprocess.run([node, "-e", VALIDATE, *map(str, files)], capture_output=True, text=True, check=False)
    if done.returncode:
        why = next((line for line in done.stderr.splitlines() if "Error" in line), "it failed")
        return sound, None, f"glTF validator: skipped ({why}); npm install gltf-validator, and set NODE_PATH to it"
    reports = json.loads(done.stdout)
    kinds = sorted({message["code"] for report in reports for message in report["messages"]})
    counts = [sum(report[name] for report in reports) for name in ("numErrors", "numWarnings", "numInfos")]
    said = "glTF validator: {} errors, {} warnings, {} infos".format(*counts)
    wrong = sum(report["numErrors"] + report["numWarnings"] > 0 for report in reports)
    return sound, wrong, said + (f" ({', '.join(kinds)})" if kinds else "")


def welded(mesh):
    """Whether a read mesh is closed once the vertices that texture seams have doubled are one again."""
    _, numbers = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = numbers.reshape(-1)[mesh.faces]
    return bool(topology.is_watertight(faces) and topology.is_consistently_wound(faces))


def sheet_of(people):
    """Picture uint8: each person from around, webbed above and apart below."""
    rows = []
    for sheets in people:
        for jump in (np.inf, None):
            rows.append(np.concatenate(list(view.render(lift(sheets, sheets["camera"], jump=jump), 192, TURNS)), 1))
    return np.concatenate(rows)


def main():
    """Measures, prints, and gives the exit status: 1 if a limit is missed."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--people", type=int, default=200)
    flags.add_argument("--noise", type=int, default=200)
    flags.add_argument("--size", type=int, default=256, help="pixels a side of the sheets")
    flags.add_argument("--timed", type=int, default=12, help="people that Poisson reconstruction is timed on")
    flags.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/check_lift"))
    chosen = flags.parse_args()
    found, most, first = [], {}, []
    with processes.bar(chosen.people, "person") as bar:
        for one, sheets in processes.results(measure, [(number, chosen.size) for number in range(chosen.people)]):
            found.append(one)
            # Of each body the example that gains most.
            body = (len(found) - 1) // EACH
            if one.solids > 1 and one.added > most.get(body, (0,))[0]:
                most[body] = one.added, sheets
            if len(first) < chosen.timed:
                first.append(sheets)
            bar.update()
    closed, parted = noise(chosen.noise)
    faster, said = against_poisson(first)
    sound, wrong, judged = exported(first)
    chosen.out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet_of([sheets for _, sheets in sorted(most.values(), key=lambda row: -row[0])[:SHOWN]])).save(
        chosen.out / "apart.png"
    )
    print(f"\n{len(found)} people at {chosen.size} px: {np.mean([one.solids > 1 for one in found]):.0%} come apart; "
          f"{np.median([one.faces for one in found]):,.0f} triangles and "
          f"{np.median([one.milliseconds for one in found]):.1f} ms on the processor in the median; "
          f"{1 - np.mean([one.kept for one in found]):.4%} of pixels are dropped as specks and pinches")  # fmt: skip
    print(f"{parted} of {chosen.noise} noise masks come apart")
    print(said, judged, chosen.out / "apart.png", sep="\n")
    rows = [
        Row("people whose mesh is closed", sum(one.closed for one in found), "=", len(found), "{:.0f}"),
        Row("noise masks whose mesh is closed", closed, "=", chosen.noise, "{:.0f}"),
        Row("largest difference of depth", 1000 * max(one.depth for one in found), "<=", 1, "{:.4f} mm"),
        Row("least PSNR of colour", min(one.psnr for one in found), ">=", 45, "{:.1f} dB"),
        Row("pixels kept, least", 100 * min(one.kept for one in found), ">=", 99, "{:.2f} %"),
        Row("GLB files that trimesh reads back closed", sound, "=", len(first), "{:.0f}"),
    ]
    if faster is not None:
        rows.append(Row("times faster than Poisson, processor", faster[0], ">=", 50, "{:.0f}"))
        rows.append(Row("times faster than Poisson, wall", faster[1], ">=", 50, "{:.0f}"))
    if wrong is not None:
        rows.append(Row("GLB files that the validator faults", wrong, "=", 0, "{:.0f}"))
    return judge(rows)


if __name__ == "__main__":
    sys.exit(main())
