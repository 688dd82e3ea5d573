"""The only file that knows devices and processes: pmapped functions, shares of a batch, keys, host copies.

Arrays that every device holds alike (the state, metrics) have no device axis: they enter and leave pmap with
axis None. Batches have one: [devices, examples a device, ...]. Global example i of a step always draws from
the same key, so neither the number of devices nor of processes changes what is drawn.
"""

import collections
import os
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from tryon_jax.assets import cache_folder
from tryon_jax.errors import UserError

AXIS = "devices"
# The stream that evaluation and samples draw from: a step number that training never reaches.
EVALUATION = 2**32 - 1


def initialize(coordinator="", processes=0, process=-1):
    """Joins this process to the others of the run. Must come before any other JAX call.

    coordinator: host:port of process 0, "auto" to ask the cluster (Slurm, TPU pod, ...), or "" to run alone.
    Empty arguments are read from JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID.
    """
    try:
        coordinator = coordinator or os.environ.get("JAX_COORDINATOR_ADDRESS", "")
        processes = processes or int(os.environ.get("JAX_NUM_PROCESSES", "0"))
        process = process if process >= 0 else int(os.environ.get("JAX_PROCESS_ID", "-1"))
    except ValueError as error:
        raise UserError(f"JAX_NUM_PROCESSES or JAX_PROCESS_ID: {error}; give whole numbers") from None
    if coordinator == "auto":
        jax.distributed.initialize()
        _meet()
    elif coordinator:
        if processes < 1 or not 0 <= process < processes:
            raise UserError(
                f"--coordinator={coordinator} with --processes={processes} and --process={process}: "
                "give the number of processes and this one's own number, from 0"
            )
        jax.distributed.initialize(coordinator, num_processes=processes, process_id=process)
        _meet()
    elif processes > 1 or process > 0:
        raise UserError("--processes or --process without --coordinator: give the host:port of process 0")


def leave(code):
    """Ends a process of several at once with `code`: the others wait for it in vain and are told within minutes.

    Does nothing where the process runs alone. An orderly end would wait for all the others instead.
    """
    if jax.process_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def cache_compilations():
    """Keeps compiled programs in the user's cache, for a quick second start; the user's own setting goes first."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _meet():
    """All processes connect now: at the first step they may be a long compilation apart, and CPUs wait 30 s."""
    ones = np.ones(jax.local_device_count(), np.float32)
    jax.block_until_ready(jax.pmap(lambda one: jax.lax.psum(one, AXIS), AXIS, out_axes=None)(ones))


def is_lead():
    """Whether this process writes files and talks: one process of the run does."""
    return jax.process_index() == 0


def processes():
    """This process's number and the number of processes."""
    return jax.process_index(), jax.process_count()


def device_count():
    """Devices of the run, over all processes."""
    return jax.device_count()


def describe():
    """The devices of the run in words, e.g. "8 cpu devices"."""
    count = jax.device_count()
    shared = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
    return f"{count} {jax.devices()[0].platform} device{'s' if count > 1 else ''}{shared}"


def indices(batch_size):
    """Place in the global batch of each example of this process, int32 [rows]: consecutive, as the pipeline deals them.

    Raises UserError if the batch cannot be shared evenly among all devices.
    """
    devices = jax.device_count()
    if batch_size % devices:
        raise UserError(
            f"config.batch_size={batch_size} cannot be shared evenly among {devices} devices: "
            f"choose a multiple of {devices}"
        )
    rows = batch_size // devices * jax.local_device_count()
    return np.arange(jax.process_index() * rows, (jax.process_index() + 1) * rows, dtype=np.int32)


def _sharding(*axes):
    mesh = Mesh(np.array(jax.devices()), (AXIS,), axis_types=(AxisType.Auto,))
    return NamedSharding(mesh, PartitionSpec(*axes))


def split(batch):
    """Device arrays [devices, examples a device, ...] of this process's rows, a tree of arrays [rows, ...]."""
    local = jax.local_device_count()
    sharding = _sharding(AXIS)

    def put(rows):
        rows = np.asarray(rows)
        shares = rows.reshape(local, rows.shape[0] // local, *rows.shape[1:])
        return jax.make_array_from_process_local_data(sharding, shares)

    return jax.tree.map(put, batch)


def prefetch(iterator, depth=2):
    """Yields (batch on the devices, the iterator's state just after it), copying `depth` batches ahead."""
    ahead = collections.deque()
    for batch in iterator:
        ahead.append((split(batch), iterator.get_state()))
        if len(ahead) >= depth:
            yield ahead.popleft()


def replicate(tree):
    """The tree as arrays that every local device holds; always fresh buffers, fit to be donated."""
    mesh = Mesh(np.array(jax.local_devices()), (AXIS,), axis_types=(AxisType.Auto,))
    sharding = NamedSharding(mesh, PartitionSpec())
    return jax.tree.map(lambda leaf: jax.device_put(np.array(leaf), sharding), tree)


def on_host(tree):
    """Numpy copies of arrays that every device holds alike; copies, because the arrays may be donated next."""
    return jax.tree.map(np.array, jax.device_get(tree))


def settle(tree):
    """Waits for `tree` where devices are virtual: XLA's CPU rendezvous deadlocks when steps pile up."""
    if jax.device_count() > 1 and jax.devices()[0].platform == "cpu":
        jax.block_until_ready(tree)


def example_keys(seed, stream, places):
    """One key per example: the seed's, folded with the stream (a step) and each example's place, int [B]."""
    key = jax.random.fold_in(jax.random.key(seed), stream)
    return jax.vmap(lambda place: jax.random.fold_in(key, place))(places)


def healthy():
    """The record that a healthy run carries: int32 [2], the first bad step and the bad metric's place; -1 is none."""
    return np.array([-1, -1], np.int32)


def _watch(record, step, metrics):
    """The record after a step: kept once bad; metrics count in the order of their sorted names."""
    bad = ~jnp.isfinite(jnp.stack([metrics[name] for name in sorted(metrics)]))
    found = jnp.stack([step, jnp.argmax(bad).astype(jnp.int32)])
    return jnp.where((record[0] < 0) & jnp.any(bad), found, record)


def train_step(step, seed):
    """The pmapped step (state, record, batch, places) -> (state, record, metrics); state and record are donated.

    step: a stage's train_step, which reads `state.step` as the number of steps done before it.
    batch and places have a device axis; metrics are means over all devices, float32 scalars.
    """

    def one(state, record, batch, places):
        done = state.step
        state, metrics = step(state, batch, example_keys(seed, done, places))
        metrics = jax.tree.map(lambda metric: jax.lax.pmean(jnp.asarray(metric, jnp.float32), AXIS), metrics)
        return state, _watch(record, done + 1, metrics), metrics

    return jax.pmap(one, axis_name=AXIS, in_axes=(None, None, 0, 0), out_axes=None, donate_argnums=(0, 1))


def per_example(function, seed):
    """The pmapped (params, batch, places) -> (places, outputs): all processes get all rows, in the devices' order.

    function: (params, batch, rng) -> tree of arrays [B, ...]; rng are the evaluation stream's keys of the places.
    """

    def one(params, batch, places):
        outputs = function(params, batch, example_keys(seed, np.uint32(EVALUATION), places))
        return jax.tree.map(lambda rows: jax.lax.all_gather(rows, AXIS, tiled=True), (places, outputs))

    return jax.pmap(one, axis_name=AXIS, in_axes=(None, 0, 0), out_axes=None)


@jax.jit
def _finite(leaves):
    return jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in leaves])


def first_not_finite(tree):
    """Name of the first leaf that holds a NaN or an infinity, e.g. "params/decoder/kernel"; None if there is none."""
    leaves = [
        (path, leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    finite = np.asarray(_finite([leaf for _, leaf in leaves]))
    bad = np.flatnonzero(~finite)
    return jax.tree_util.keystr(leaves[bad[0]][0], simple=True, separator="/") if bad.size else None
