"""Whether every path of the rasteriser sees the same triangles, and those that an independent ray caster meets.

    python experiments/check_raster.py [--poses 16] [--sizes 256 512]

Bodies in random shapes and poses, turned at random, both layers. Paths: pure JAX, C++ (native) and Pallas
(render/tiles, interpreted where no GPU is). Rays are Embree's, through pixel centres, on the mesh with corners snapped
as ours are. Then the same bodies behind a pinhole camera, from so near that its near plane cuts them, against rays
shot from it; and closed spheres, which must cover every pixel of theirs exactly twice. Exits with 1 if a limit is
missed. Wants embreex (extra `dev`).
"""

import argparse
import pathlib
import sys

import jax
import numpy as np
import tqdm
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments.limits import Row, judge  # noqa: E402
from tryon_jax import native  # noqa: E402
from tryon_jax.geometry.camera import camera_from_world, project  # noqa: E402
from tryon_jax.render import perspective  # noqa: E402
from tryon_jax.render import rasterize as raster  # noqa: E402
from tryon_jax.simulation import body, pose  # noqa: E402

HEIGHT = 2.2  # metres that a picture shows
AWAY = 10.0  # metres from the body at which rays start
PATHS = ("jax", "native", "pallas")

draw = jax.jit(raster.rasterize, static_argnums=(2, 3, 4))
draw_near = jax.jit(perspective.rasterize, static_argnums=(3, 4, 5, 6))


def bodies(count):
    """Camera-frame vertices [V, 3] of random bodies in random poses, and the faces [F, 3] that all share."""
    model, rng = body.load(), np.random.default_rng(0)
    made = []
    for index in range(count):
        name = list(pose.POSES)[index % len(pose.POSES)]
        person = body.posed(model, body.sample_shape(rng), body.sample_pose(rng, name))
        points = np.asarray(camera_from_world(person.vertices, rng.uniform(-np.pi, np.pi)), np.float32)
        made.append(points - [0, HEIGHT / 2 - 0.1, 0])
    return made, np.asarray(model.faces, np.int32)


def mismatches(fragments):
    """Ids in which later paths' Fragments differ from the first one's, and the ids of one path."""
    for each in fragments:
        raster.check(each)
    first, *others = (np.stack(each[:2]) for each in fragments)
    return sum(int((other != first).sum()) for other in others), first.size


def cast(vertices, faces, origins, directions):
    """The first face that each ray meets, -1 for none."""
    rays = RayMeshIntersector(trimesh.Trimesh(vertices, faces, process=False), scale_to_box=False)
    return rays.intersects_first(origins, directions)


def snapped(vertices):
    """Rasteriser vertices [V, 3] as it takes them: to 1/256 pixel."""
    placed = np.array(vertices, np.float64)
    placed[:, :2] = np.round(placed[:, :2] * raster.SUBPIXELS) / raster.SUBPIXELS
    return placed


def flat(people, faces, size):
    """(mismatches, ids, agreement with Embree, silhouette pixels that differ) over orthographic pictures."""
    camera = np.array([HEIGHT / size, 0.0, 0.0], np.float32)
    rows, columns = np.indices((size, size)) + 0.5
    places = np.stack([columns, rows], -1).reshape(-1, 2)
    wrong = total = agreed = outline = 0
    for points in tqdm.tqdm(people, desc=f"{size} px", unit="pose"):
        vertices = np.asarray(project(camera, points, (size, size)), np.float32)
        capacity = raster.candidates(vertices, faces, (size, size))
        drawn = [draw(vertices, faces, (size, size), 1 << capacity.bit_length(), path) for path in PATHS]
        differ, seen = mismatches(drawn)
        wrong, total = wrong + differ, total + seen
        solid = snapped(vertices)
        solid[:, 2] *= size / HEIGHT  # to pixels, so that no axis is far finer than the others
        for ids, side in zip(drawn[0][:2], (1, -1), strict=True):
            origins = np.concatenate([places, np.full((len(places), 1), side * AWAY * size)], 1)
            hits = cast(solid, faces, origins, np.tile([0.0, 0.0, -side], (len(places), 1)))
            ids = np.asarray(ids).reshape(-1)
            agreed += (hits == ids).sum()
            outline += ((hits >= 0) != (ids >= 0)).sum()
    return wrong, total, agreed / total, outline


def near(people, faces, size):
    """(mismatches, ids, agreement with Embree) from a camera so near that its near plane cuts the body."""
    camera = perspective.looking((size, size), 1.2, near=0.25)
    rows, columns = np.indices((size, size)) + 0.5
    across, down = (columns - size / 2) / float(camera.focal), (rows - size / 2) / float(camera.focal)
    rays = np.stack([across, -down, -np.ones_like(across)], -1).reshape(-1, 3)
    wrong = total = agreed = 0
    for points in tqdm.tqdm(people, desc=f"{size} px, perspective", unit="pose"):
        points = (points - [0, 0.2, points[:, 2].max() - 0.1]).astype(np.float32)
        capacity = perspective.candidates(points, faces, camera, (size, size), 4096)
        drawn = [
            draw_near(points, faces, camera, (size, size), 1 << capacity.bit_length(), 4096, path) for path in PATHS
        ]
        differ, seen = mismatches(drawn)
        wrong, total = wrong + differ, total + seen
        # Rays begin on the near plane, so that they meet nothing before it.
        hits = cast(points.astype(float), faces, rays * float(camera.near), rays)
        agreed += (hits == np.asarray(drawn[0].front_ids).reshape(-1)).sum()
    return wrong, total, agreed / (total / 2)


def twice(size, count):
    """Pixels of random closed spheres that are not covered exactly twice, one triangle drawn at a time."""
    rng, wrong = np.random.default_rng(1), 0
    single = jax.jit(lambda corners: raster.rasterize(corners, np.array([[0, 1, 2]]), (size, size), size**2).front_ids)
    for _ in tqdm.trange(count, desc="spheres", unit="sphere"):
        ball = trimesh.creation.icosphere(2, radius=0.4 * size)
        placed = np.asarray(trimesh.transform_points(ball.vertices, trimesh.transformations.random_rotation_matrix()))
        placed = (placed + [size / 2 + rng.uniform(), size / 2 + rng.uniform(), 0]).astype(np.float32)
        cover = np.asarray(jax.lax.map(single, placed[ball.faces]) >= 0).sum(0)
        wrong += int(((cover != 0) & (cover != 2)).sum())
    return wrong


def main():
    """Prints what was found beside what is wanted; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--poses", type=int, default=16)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    given = parser.parse_args()
    if not native.available():
        print("error: no C++ kernel to compare with; install a compiler", file=sys.stderr)
        return 1
    people, faces = bodies(given.poses)
    found = {size: flat(people, faces, size) for size in given.sizes}
    rows = [Row("ids that differ between the paths", sum(f[0] for f in found.values()), "=", 0, "{:.0f}")]
    print(f"{sum(f[1] for f in found.values()):,} ids of {given.poses} bodies of {len(faces):,} faces")
    for size, (_, _, agreement, outline) in found.items():
        rows.append(Row(f"{size} px: ids that Embree meets too", agreement, ">=", 0.9995, "{:.6f}"))
        rows.append(Row(f"{size} px: silhouette pixels that differ", outline, "=", 0, "{:.0f}"))
    wrong, total, agreement = near(people, faces, given.sizes[0])
    rows.append(Row(f"perspective, {total:,} ids: differ between the paths", wrong, "=", 0, "{:.0f}"))
    rows.append(Row("perspective: ids that Embree meets too", agreement, ">=", 0.9995, "{:.6f}"))
    rows.append(Row("pixels of closed spheres not covered twice", twice(64, 8), "=", 0, "{:.0f}"))
    return judge(rows)


if __name__ == "__main__":
    sys.exit(main())
