"""Checkpoints of a run: the whole state to go on from, or the averaged parameters of named parts to start from.

A run's folder holds checkpoints/<step>/{state, pipeline, config} by orbax and config.json. A checkpoint appears
under its name only when it is complete, so one that was cut off is never read and is cleared at the next start.
"""

import contextlib
import fcntl
import json
import logging
import pathlib
import shutil

import jax
import numpy as np
import orbax.checkpoint as ocp

from tryon_jax import weights
from tryon_jax.errors import UserError
from tryon_jax.models.layers import GROWN

# What may change when a run goes on: how long and how often, and where and how the same data are read.
# All else would make it another run. With more train.steps the learning rate follows the longer schedule.
CHANGEABLE = ("train.", "optimizer.steps", "data.folder", "data.threads")
MARGIN = 2**20  # bytes that a checkpoint takes besides its arrays, at most
ITEMS = ("state", "pipeline", "config")


@contextlib.contextmanager
def open_run(folder, keep=2, lead=True):
    """The manager of the run folder's checkpoints; makes the folder, and the lead clears what a killed save left.

    Leaving the block waits for the last save. Raises UserError if the folder or that save cannot be written.
    """
    path = pathlib.Path(folder).absolute() / "checkpoints"
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, create=True, enable_async_checkpointing=True)
    try:
        # orbax would clear them in the background, which fails when the process ends soon after.
        for cut_off in path.glob("*.orbax-checkpoint-tmp*") if lead else ():
            shutil.rmtree(cut_off)
        manager = ocp.CheckpointManager(path, options=options, item_names=ITEMS)
    except OSError as error:
        raise UserError(f"{folder}: cannot keep checkpoints there ({error.strerror or error}); give another") from None
    try:
        yield manager
    except BaseException:
        # What went wrong first is told; that a save failed for the same reason would hide it.
        with contextlib.suppress(Exception):
            manager.close()
        raise
    _written(manager, manager.close)


def save(manager, step, state, pipeline, config):
    """Begins to save, in the background; `finish` waits for it.

    state: a tree of numpy arrays that nobody changes afterwards; pipeline, config: JSON trees.
    Raises UserError if this or the save before it could not be written, or the disk is too full for it.
    """
    finish(manager)  # so that two saves never need room at once
    needed = int(1.1 * sum(leaf.nbytes for leaf in jax.tree.leaves(state))) + MARGIN
    free = shutil.disk_usage(manager.directory).free
    if free < needed:
        raise UserError(_cannot_write(manager, f"it needs {needed / 2**20:.0f} MiB, {free / 2**20:.0f} MiB are free"))
    arguments = ocp.args.Composite(
        state=ocp.args.StandardSave(state), pipeline=ocp.args.JsonSave(pipeline), config=ocp.args.JsonSave(config)
    )
    _written(manager, lambda: manager.save(step, args=arguments))


def finish(manager):
    """Waits until the last save is complete. Raises UserError if it could not be written."""
    _written(manager, manager.wait_until_finished)


def _written(manager, write):
    try:
        write()
    except OSError as error:
        raise UserError(_cannot_write(manager, error.strerror or error)) from error
    except Exception as error:
        # The storage library raises its own types; only a place that cannot be written is the user's to mend.
        if any(word in str(error) for word in ("No space left", "Disk quota", "Read-only", "Permission denied")):
            raise UserError(_cannot_write(manager, str(error).splitlines()[0][:200])) from error
        raise


def _cannot_write(manager, why):
    return f"{manager.directory}: a checkpoint cannot be written ({why}); free the disk and start again to go on"


def restore(manager, like):
    """(state, pipeline) of the newest checkpoint; `like` is a tree of that state's shapes and dtypes.

    Raises UserError naming the first leaf that differs if the checkpoint is of another model or shape.
    """
    step = manager.latest_step()
    path = manager.directory / str(step)
    # The stored tree's names come from a fresh reader: a manager that once looked cannot restore another way.
    _check(path, _shapes(_tree(path)), _shapes(like))
    like = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), like)
    try:
        found = manager.restore(
            step, args=ocp.args.Composite(state=ocp.args.StandardRestore(like), pipeline=ocp.args.JsonRestore())
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(_damaged(path, error)) from error
    return found.state, found.pipeline


def latest_step(run_folder):
    """The newest complete checkpoint's step, or that of weights. Raises UserError if the run has none."""
    if weights.are_in(run_folder):
        return weights.step(run_folder)
    folder = pathlib.Path(run_folder) / "checkpoints"
    steps = [int(path.name) for path in folder.glob("*") if path.name.isdigit()] if folder.is_dir() else []
    if not steps:
        raise UserError(f"{run_folder}: no checkpoint there; give the folder of a run that has saved one")
    return max(steps)


def restore_parts(run_folder, names=None):
    """Averaged parameters {part: tree of numpy arrays} of the named parts (None: all that are averaged) of a run or of
    a folder of weights (weights.py).

    A part that the run does not average, as a discriminator, gives its parameters as trained.
    Raises UserError if there is no checkpoint or it has no such part.
    """
    if weights.are_in(run_folder):
        found = weights.read(run_folder)
        return {name: found[name] for name in _present(run_folder, names, found, found)}
    path = pathlib.Path(run_folder).absolute() / "checkpoints" / str(latest_step(run_folder))
    tree = _tree(path)
    names = _present(run_folder, names, tree["params"], tree["ema"])
    wanted = {}
    for name in names:
        kind = "ema" if name in tree["ema"] else "params"
        wanted.setdefault(kind, {})[name] = jax.tree.map(
            lambda leaf: np.zeros(leaf.shape, leaf.dtype), tree[kind][name]
        )
    found = _read(path, wanted)
    return {name: part for parts in found.values() for name, part in parts.items()}


def _present(run_folder, names, parts, averaged):
    """The names, by default those of `averaged`. Raises UserError if one is not in `parts`."""
    names = sorted(averaged) if names is None else names
    absent = [name for name in names if name not in parts]
    if absent:
        raise UserError(f"{run_folder}: it has no {absent[0]}; its parts are {', '.join(sorted(parts))}")
    return names


def restore_tree(run_folder):
    """The whole state of the newest checkpoint as nested dicts and lists of numpy arrays, without its model."""
    path = pathlib.Path(run_folder).absolute() / "checkpoints" / str(latest_step(run_folder))
    return _read(path, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), _tree(path)))


def _read(path, wanted):
    arguments = ocp.args.PyTreeRestore(
        item=wanted, restore_args=ocp.checkpoint_utils.construct_restore_args(wanted), partial_restore=True
    )
    try:
        with _reader() as reader:
            return reader.restore(path / "state", args=arguments)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(_damaged(path, error)) from error


def started(params, run_folders):
    """`params` with the parts of other runs in place of the fresh ones, and a sentence about each.

    run_folders: {part: run folder, or "" to keep the fresh one}. Blocks that do nothing at the start (layers.GROWN) may
    be absent there: they stay fresh.
    Raises UserError if this model has no such part or its shapes differ.
    """
    params, said = dict(params), []
    for name, folder in sorted(run_folders.items()):
        if not folder:
            continue
        if name not in params:
            raise UserError(f"config.init.{name}: this stage has no {name}; its parts are {', '.join(sorted(params))}")
        found = restore_parts(folder, [name])[name]
        values = dict(_named(found))
        # The other run's containers may be of another type; the leaves are the same by their names.
        fresh = {key: leaf for key, leaf in _named(params[name]) if GROWN in key and key not in values}
        _check(folder, _shapes({name: found}) | _shapes({name: fresh}), _shapes({name: params[name]}))
        values |= fresh
        params[name] = jax.tree_util.tree_map_with_path(lambda path, _, values=values: values[_key(path)], params[name])
        grown = f", with {len(fresh)} new arrays" if fresh else ""
        said.append(f"{name} from {folder}, step {latest_step(folder)}{grown}")
    return params, said


def run_config(run_folder):
    """The config that a run was started with, a plain nested dict with tuples. Raises UserError if there is none."""
    path = weights.folder(run_folder) / "config.json"
    try:
        return as_tuples(json.loads(path.read_text()))
    except FileNotFoundError:
        raise UserError(f"{run_folder}: no run there (it lacks config.json); give the folder of a run") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); it is the run's config as JSON") from None


def changes(run_folder, config):
    """What differs from the run's own config among the keys that may, sentences; none where no run is yet.

    config: nested dict. Raises UserError listing the keys that differ and may not.
    """
    if not (weights.folder(run_folder) / "config.json").exists():
        return []
    own, given = _flat(run_config(run_folder)), _flat(as_tuples(config))
    differ = [key for key in sorted(own.keys() | given.keys()) if own.get(key) != given.get(key)]
    said = {key: f"{key} is {own.get(key, 'absent')} there and {given.get(key, 'absent')} here" for key in differ}
    foreign = [said[key] for key in differ if not key.startswith(CHANGEABLE)]
    if foreign:
        raise UserError(
            f"{run_folder}: it holds a run of another config: {'; '.join(foreign)}. Nothing was changed; "
            "choose another --workdir"
        )
    return list(said.values())


@contextlib.contextmanager
def held(run_folder, lead=True):
    """Makes the run's folder and keeps it for this process: two runs never write into one. Only the lead holds it.

    Raises UserError if the folder cannot be written or another process holds it.
    """
    if not lead:
        yield
        return
    folder = pathlib.Path(run_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w")
    except OSError as error:
        raise UserError(f"{run_folder}: cannot be written ({error.strerror}); give another --workdir") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{run_folder}: another process is training there; wait for it or end it") from None
        yield


def _flat(value, prefix=""):
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        name: leaf for key in value for name, leaf in _flat(value[key], f"{prefix}.{key}" if prefix else key).items()
    }


def as_tuples(value):
    """The JSON value with tuples for lists, as configs have them."""
    if isinstance(value, dict):
        return {key: as_tuples(inner) for key, inner in value.items()}
    return tuple(as_tuples(inner) for inner in value) if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def _reader():
    """A reader of one item; silent about files that only whole checkpoints have. What goes wrong is raised."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
            yield reader
    finally:
        logger.setLevel(level)


def _tree(path):
    """Shapes and dtypes of a checkpoint's state, nested dicts and lists."""
    try:
        with _reader() as reader:
            tree = reader.metadata(path / "state").item_metadata
        if tree is None:
            raise ValueError("it does not say what it holds")
        return getattr(tree, "tree", tree)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UserError(_damaged(path, error)) from error


def _damaged(path, error):
    why = (str(error).splitlines() or [type(error).__name__])[0][:160]
    return f"{path}: the checkpoint is damaged ({why}); delete that folder to go on from the one before it"


def _key(path):
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _named(tree):
    return [(_key(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def _shapes(tree):
    return {name: tuple(leaf.shape) for name, leaf in _named(tree) if hasattr(leaf, "shape")}


def _check(where, found, expected):
    """Raises UserError at the first leaf, in the order of names, whose presence or shape differs."""
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            one, other = (f"of shape {shape}" if shape is not None else "absent" for shape in (
                found.get(name), expected.get(name)))  # fmt: skip
            raise UserError(f"{where}: {name} is {one} there and {other} in this model; use the config it was made by")
