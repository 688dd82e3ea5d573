"""One person in one garment, or in each of several, as a closed textured mesh.

python -m tryon_jax.tryon --person=FILE --garment=FILE --out=DIR [--class=upper] [--person-segmentation=FILE]
    [--size=512] [--workdir=RUN]        the weights that come with the package, or those of a transfer run
python -m tryon_jax.tryon --person=FILE --garment=FILE --garment=FILE ... --out=DIR        a folder for each garment
python -m tryon_jax.tryon --example=N --out=DIR        a held-out example of the run's data instead
"""

import os
import pathlib
import sys
import tempfile
import time
from functools import partial
from typing import NamedTuple

import numpy as np
from absl import app, flags, logging

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART

FILES = ("tryon.glb", "front.png", "back.png", "turntable.gif", "sheets.npz")
# Human parsers whose label maps are understood: LIP and CIHP number alike, 20 labels; ATR has 18.
PARSERS = ("lip", "atr")
# Vertices a side of the mesh: finer ones would only draw the network's pixels more exactly.
MESH_SIDE = 256
# Vertices of it that its outline is smoothed by: enough for a mask without soft values to lose its steps.
OUTLINE_BLUR = 1.0
FRAMES, FRAME_SECONDS, FRAME_SIDE = 24, 0.1, 256
VIEW_SIDE = 768

FLAGS = flags.FLAGS


class Model(NamedTuple):
    """A transfer run ready to be asked: dress(batch) -> sheets, compiled once; size: its pictures' side in pixels."""

    dress: object
    size: int


class Result(NamedTuple):
    """mesh: a geometry.mesh.Mesh; sheets: dict of numpy maps at the mesh's grid, by the batch contract's names, and
    `camera`."""

    mesh: object
    sheets: dict


def load(workdir):
    """The Model of the transfer run in folder `workdir`: its averaged parameters. Raises UserError if it is not one."""
    import jax
    from ml_collections import ConfigDict

    from tryon_jax import checkpoint, parallel, stages, traced

    config = ConfigDict(checkpoint.run_config(workdir))
    if config.stage != "transfer":
        raise UserError(f"{workdir}: this run is of stage {config.stage}; give the folder of a transfer run")
    stage = stages.load(config.stage).build(config)
    params = checkpoint.restore_parts(workdir)
    keys = parallel.example_keys(config.seed, parallel.EVALUATION, np.zeros(1, np.int32))
    predict = None

    def dress(example):
        nonlocal predict
        batch = jax.tree.map(lambda leaf: np.asarray(leaf)[None], example)
        if predict is None:
            whole = partial(stage.predict, rng=keys)
            predict = traced.kept(whole, config.to_dict(), params, batch)
        return {name: np.asarray(value[0]) for name, value in predict(params, batch).items()}

    return Model(dress, config.model.size)


def from_photos(person, garment, model_size, size):
    """(example for the model, pictures) of a photo's person and a garment (photo.person, photo.garment).

    pictures: dict as render.compose.colours takes it, at side `size`, and `known`, 0 outside the photo.
    """
    from tryon_jax.data import standardize

    example = standardize.standardize(person, garment, model_size)
    frame = standardize.frame_person(person)
    fine = {**standardize.crop_person(person, frame, size), **standardize.crop_garment(garment, size)}
    fine["person_mask"], fine["known"] = standardize.crop_mask(person, frame, size)
    return example, fine


def from_example(example):
    """(example for the model, pictures) of one example of a data set, at its own size."""
    example = {key: value for key, value in example.items() if key != "caption"}
    names = ("person", "person_segmentation", "garment", "garment_mask")
    pictures = {name: np.asarray(example[name]) for name in names}
    person_mask = (pictures["person_segmentation"] > 0).astype(np.float32)
    return example, {**pictures, "person_mask": person_mask, "known": np.ones_like(person_mask)}


def wear(model, example, pictures, mesh_side=MESH_SIDE):
    """The Result of the person of `example` wearing its garment, coloured from `pictures` [R, R, .] (from_photos).

    R must be a whole multiple of the model's size. mesh_side: vertices a side of the mesh at most; half of it is a
    quarter of the triangles, closed all the same, under the same texture. Raises UserError if the network finds no
    person.
    """
    from tryon_jax.render import compose, limbs, refine
    from tryon_jax.render.lift import JUMP, JUMP_PIXELS, lift

    side = pictures["person"].shape[0]
    garment_class = GARMENT_CLASSES[int(example["garment_class"])]
    found = model.dress(example)
    factor = side // model.size
    sheets = refine.enlarge(found, factor, PART[GARMENT_PARTS[garment_class]])
    # Pixels of the pictures a vertex of the mesh: the least whole share of the side that is coarse enough.
    coarse = next(step for step in range(1, side + 1) if side % step == 0 and side // step <= mesh_side)
    found = [sheets[f"{name}_segmentation"] for name in ("front", "back")]
    labels = compose.outlines(*found, pictures["person_segmentation"], garment_class, factor)
    mask = compose.silhouette(sheets["mask"][..., 0], labels[0], pictures, garment_class, factor)
    sheets |= {"mask": mask[..., None], "front_segmentation": labels[0], "back_segmentation": labels[1]}
    metres, joints = float(example["camera"][0]) / factor, np.array(example["keypoints"]) * [factor, factor, 1]
    taken_off = compose.replaced(pictures["person_segmentation"], garment_class)
    sheets |= limbs.slimmed(sheets, labels, taken_off, joints, metres)
    cloth = np.any([one == PART[GARMENT_PARTS[garment_class]] for one in labels], axis=0) & taken_off
    mask = compose.trimmed(mask, sheets["mask"][..., 0], cloth, factor)
    sheets["mask"] = mask[..., None]
    rgb = [
        compose.colours(sheets, sheets[f"{name}_segmentation"], pictures, garment_class, name)
        for name in ("front", "back")
    ]
    at_mesh = {name: refine.shrink(value, coarse) for name, value in sheets.items()}
    at_mesh |= {f"{name}_rgb": refine.shrink(value, coarse) for name, value in zip(("front", "back"), rgb, strict=True)}
    camera = np.asarray(example["camera"], np.float32) * [model.size * coarse / side, 1, 1]
    pixel = max(1, factor // coarse)
    smooth = {"radius": pixel, "pixels": pixel / 1.5}
    # Steps that the network's own pixels make are none that anything should come apart at.
    jump = max(JUMP, JUMP_PIXELS * float(example["camera"][0]))
    mesh = lift(at_mesh, camera, tuple(rgb), mask > 0.5, smooth=smooth, jump=jump, blur=OUTLINE_BLUR)
    return Result(mesh, {**at_mesh, "camera": camera.astype(np.float32)})


def write(result, folder):
    """Writes FILES of a Result into `folder`, all or none: an earlier result there is replaced when all is written.

    Raises UserError if the folder holds anything else or cannot be written.
    """
    from PIL import Image

    from tryon_jax.geometry.mesh import export_glb
    from tryon_jax.render import view

    folder = pathlib.Path(folder)
    check_out(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            made = pathlib.Path(scratch) / "made"
            made.mkdir()
            export_glb(result.mesh, made / "tryon.glb")
            for name, picture in zip(("front", "back"), view.views(result.mesh, VIEW_SIDE), strict=True):
                Image.fromarray(picture).save(made / f"{name}.png")
            frames = [Image.fromarray(frame) for frame in view.turntable(result.mesh, FRAME_SIDE, FRAMES)]
            timing = {"duration": int(1000 * FRAME_SECONDS), "loop": 0}
            frames[0].save(made / "turntable.gif", save_all=True, append_images=frames[1:], **timing)
            np.savez_compressed(made / "sheets.npz", **result.sheets)
            _replace(folder, made, pathlib.Path(scratch) / "earlier")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror or error}); give another --out") from error
    return [folder / name for name in FILES]


def _replace(folder, made, aside):
    """Renames `made` to `folder`; what was there goes `aside`, and comes back if that fails."""
    if folder.exists():
        os.rename(folder, aside)
    try:
        os.rename(made, folder)
    except OSError:
        if aside.exists():
            os.rename(aside, folder)
        raise


def check_out(folder):
    """Raises UserError if `folder` is something else than absent, empty or an earlier result."""
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: this is a file; give a folder as --out")
    others = sorted(path.name for path in folder.iterdir() if path.name not in FILES) if folder.exists() else []
    if others:
        raise UserError(f"{folder}: it holds {others[0]}, which is no try-on result; give another --out")


def _read():
    """What the flags ask for: (folder to write, (person, garment) of photo.person and photo.garment, or a held-out
    example, a dict) of each result."""
    if FLAGS.example is None:
        from tryon_jax import photo

        person = photo.person(FLAGS.person, FLAGS.person_segmentation, FLAGS.parser and parser(FLAGS.parser))
        garments = [photo.garment(file, FLAGS["class"].value) for file in FLAGS.garment]
        for file, found in zip([FLAGS.person, *FLAGS.garment], [person, *garments], strict=True):
            for doubt in found["doubts"]:
                print(f"{file}: {doubt}", file=sys.stderr)
        return [(folder, (person, garment)) for folder, garment in zip(_folders(), garments, strict=True)]
    from ml_collections import ConfigDict

    from tryon_jax import checkpoint, evaluate

    source = evaluate.open_split(ConfigDict(checkpoint.run_config(FLAGS.workdir)), "test")
    if not 0 <= FLAGS.example < len(source):
        raise UserError(f"--example={FLAGS.example}: there are {len(source)} held-out examples, from 0")
    return [(FLAGS.out, source[FLAGS.example])]


def parser(name):
    """The photo.picture.Parser called `name`, one of PARSERS."""
    from tryon_jax.data.formats import labels
    from tryon_jax.photo import picture

    names = {"lip": labels.LIP, "atr": labels.ATR}[name]
    return picture.Parser(len(names), lambda numbers: labels.parts(numbers, names))


def _folders():
    """Where each result goes: --out itself, or there a folder by the name of each of several garments."""
    if FLAGS.example is not None or len(FLAGS.garment) == 1:
        return [FLAGS.out]
    names = [pathlib.Path(file).stem for file in FLAGS.garment]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"--garment: two files are called {twice[0]}, and so would be their folders; rename one")
    return [pathlib.Path(FLAGS.out) / name for name in names]


def _check_flags():
    if (FLAGS.example is None) != (FLAGS.person is not None and FLAGS.garment is not None):
        raise UserError("give --person=FILE and --garment=FILE, or --example=N")
    if FLAGS.size < 64 or FLAGS.size > 2048:
        raise UserError(f"--size={FLAGS.size}: must be from 64 to 2048 pixels")
    if FLAGS.mesh_side < 32 or FLAGS.mesh_side > 1024:
        raise UserError(f"--mesh-side={FLAGS.mesh_side}: must be from 32 to 1024 vertices")
    for folder in _folders():
        check_out(folder)


def run():
    """The request that the flags make: prints the paths written and the seconds each part took."""
    import tqdm

    _check_flags()
    started, said = time.perf_counter(), []
    total = 2 + 2 * len(_folders())

    def done(bar, what):
        nonlocal started
        said.append(f"{what} {time.perf_counter() - started:.1f} s")
        started = time.perf_counter()
        bar.update()

    with tqdm.tqdm(total=total, desc="try-on", unit="part") as bar:
        # First, since a bad picture is told in a second and JAX takes several to load.
        requests = _read()
        done(bar, "pictures read")
        from tryon_jax import parallel

        parallel.cache_compilations()
        model = load(FLAGS.workdir)
        done(bar, "run loaded")
        # The finer grid must hold the network's pixels whole.
        size = max(1, round(FLAGS.size / model.size)) * model.size
        for folder, given in requests:
            asked = from_example(given) if isinstance(given, dict) else from_photos(*given, model.size, size)
            result = wear(model, *asked, FLAGS.mesh_side)
            done(bar, "dressed")
            paths = write(result, folder)
            done(bar, "drawn and written")
            bar.write("\n".join(map(str, paths)))
            bar.write(f"{len(result.mesh.vertices)} vertices, {len(result.mesh.faces)} faces; {', '.join(said)}")
            said.clear()


def _define_flags():
    flags.DEFINE_string(
        "workdir", "pretrained", "The folder of a transfer run, or the weights that come with the package."
    )
    flags.DEFINE_string("out", None, "The folder to write to.")
    flags.DEFINE_string("person", None, "A photo of one standing person.")
    flags.DEFINE_multi_string("garment", None, "A picture of the garment alone; give several for a result of each.")
    flags.DEFINE_string("class", None, f"The garment's class, {', '.join(GARMENT_CLASSES)}; guessed if not given.")
    flags.DEFINE_string("person_segmentation", None, "A ready label map of the photo: an index PNG of its size.")
    flags.DEFINE_enum("parser", None, PARSERS, "Whose labels that map holds; else this project's (geometry/parts).")
    flags.DEFINE_integer("example", None, "Number of a held-out example of the run's data, instead of files.")
    flags.DEFINE_integer("size", 512, "Pixels, side of the texture's two halves.")
    flags.DEFINE_integer("mesh_side", MESH_SIDE, "Vertices a side of the mesh at most; fewer make a smaller GLB.")
    flags.mark_flag_as_required("out")


def parse(arguments):
    """The arguments left after the flags, dashes in their names allowed; a mistake is one line and exit code 2."""
    known = [f"--{word.removeprefix('--').partition('=')[0].replace('-', '_')}{word[len(word.partition('=')[0]):]}"
             if word.startswith("--") else word for word in arguments]  # fmt: skip
    try:
        return FLAGS(known)
    except flags.Error as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


def main(arguments):
    """Runs the request; what the user can mend is one line and exit code 1."""
    logging.set_verbosity(logging.ERROR)
    try:
        if arguments[1:]:
            raise UserError(f"{arguments[1]}: not a flag; give --name=value")
        run()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    _define_flags()
    app.run(main, flags_parser=parse)
