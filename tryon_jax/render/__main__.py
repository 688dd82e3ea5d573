"""Pictures of a mesh: python -m tryon_jax.render MESH --out=FILE [--size --views --turntable --up --unlit]

MESH: any file that trimesh reads. A .png shows it from --views sides in a row, a .gif turns it in --turntable frames.
"""

import argparse
import pathlib
import sys

import numpy as np
import tqdm
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.geometry import files
from tryon_jax.render import shade, view

FRAME_SECONDS = 0.06


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tryon_jax.render", description=__doc__.splitlines()[0])
    parser.add_argument("mesh", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a .png of views, or a .gif that turns")
    parser.add_argument("--size", type=_whole(8, 2048), default=512, help="side of a picture in pixels (%(default)s)")
    parser.add_argument("--views", type=_whole(1, 64), default=4, help="of a .png, evenly around (%(default)s)")
    parser.add_argument("--turntable", type=_whole(2, 720), default=36, help="frames of a .gif (%(default)s)")
    parser.add_argument("--up", choices=("y", "z"), default="y", help="the file's axis that points up (%(default)s)")
    parser.add_argument(
        "--unlit", action="store_true", help="colours as they are, for textures that hold light already"
    )
    given = parser.parse_args(arguments)
    try:
        _write(given)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


def _whole(low, high):
    def check(text):
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text}: give a whole number from {low} to {high}")
        return int(text)

    return check


def _write(given):
    kind = given.out.suffix.lower()
    if kind not in (".png", ".gif"):
        raise UserError(f"{given.out}: give a name that ends in .png for views, or in .gif for a turntable")
    mesh = files.read(given.mesh)
    if given.up == "z":
        mesh = mesh._replace(vertices=mesh.vertices[:, [0, 2, 1]] * np.array([1, 1, -1], np.float32))
    pictures = _drawn(given.mesh, mesh, given.size, given.views if kind == ".png" else given.turntable, given.unlit)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".png":
        Image.fromarray(np.concatenate(pictures, axis=1)).save(given.out)
    else:
        first, *rest = (Image.fromarray(picture) for picture in pictures)
        first.save(given.out, save_all=True, append_images=rest, duration=int(1000 * FRAME_SECONDS), loop=0)
    print(f"{given.out}: {len(mesh.faces)} faces, {len(pictures)} pictures of {given.size} pixels")


def _drawn(path, mesh, size, count, unlit):
    lamp = shade.distant_light(np.array([0.45, 0.55, 0.70], np.float32), np.full(3, 0.55, np.float32))
    light = None if unlit else shade.constant_light(np.full(3, 0.55, np.float32)) + lamp
    try:
        held = view.prepare(mesh, size, light)
    except ValueError as error:
        raise UserError(f"{path}: {error}, with a smaller --size") from None
    pictures = []
    for index in tqdm.trange(count, unit="picture"):
        picture, overflow = view.draw(held, 2 * np.pi * index / count)
        if overflow:
            raise UserError(f"{path}: {len(mesh.faces)} faces are too many for {size} pixels; give a smaller --size")
        pictures.append(np.asarray(picture))
    return pictures


if __name__ == "__main__":
    sys.exit(main())
