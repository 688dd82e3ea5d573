"""Compares 1 device, 8 virtual devices and 2 joined processes: gradients after one step, parameters after three.

python experiments/devices_test.py [--stages ssl gan transfer] [--preset smoke]

Gradients are read from Adam's moments after the first step with clipping off: they are (1 - b1) g and (1 - b2) g^2,
so a wrong scale, which Adam hides from the parameters, shows. Exits with 1 if a parameter differs by more than 1e-5.
"""

import argparse
import importlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

STEPS = 3
PARAMETERS = 1e-5  # largest difference allowed
# Largest difference allowed, relative to the leaf's largest value. A wrong scale shows as a factor of two or more, but
# one unit of the discriminator on the kink of its leaky ReLU, whose side rounding decides, moves a bias's by 0.03 (with
# SiLU in its place all agree to 1e-4).
MOMENTS = 0.1
DEADLINE = 3600  # seconds; a process that hangs in a collective ignores anything gentler than SIGKILL


def work(stage_name, preset, out, joined):
    """Three steps of the stage on the devices that this process sees; the lead writes the leaves to `out`."""
    import jax

    from tryon_jax import evaluate, parallel
    from tryon_jax.data import pipeline

    parallel.initialize(*joined)
    parallel.cache_compilations()
    config = importlib.import_module(f"configs.{stage_name}").get_config(preset)
    config.optimizer.clip_norm = 0.0
    stage = evaluate.build_stage(config.lock(), parallel.AXIS)
    source = evaluate.open_split(config, "train")
    state = jax.jit(stage.init)(jax.random.key(config.seed), pipeline.stack([source[0]]))
    state, record = parallel.replicate(state), parallel.replicate(parallel.healthy())
    step = parallel.train_step(stage.train_step, config.seed)
    places = parallel.split(parallel.indices(config.batch_size))
    batches = pipeline.batches(source, config.batch_size, config.seed, *parallel.processes())
    leaves = {}
    for number in range(STEPS):
        state, record, metrics = step(state, record, parallel.split(next(batches)), places)
        jax.block_until_ready(state)
        if number == 0:
            leaves |= named("moments", parallel.on_host(state.opt_state)) | named("metrics", parallel.on_host(metrics))
    leaves |= named("params", parallel.on_host(state.params))
    batches.close()
    if parallel.is_lead():
        np.savez(out, **leaves)


def named(kind, tree):
    import jax

    return {kind + jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def launch(stage, preset, out, devices, processes=1):
    """Runs `work` in fresh processes of `devices` virtual devices each; gives what the lead wrote."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    runs = []
    for process in range(processes):
        joined = [coordinator, str(processes), str(process)] if processes > 1 else []
        command = [sys.executable, __file__, "--worker", stage, preset, str(out), *joined]
        runs.append(subprocess.Popen(command, env=environment))
    end = time.monotonic() + DEADLINE
    try:
        # One that failed leaves the others waiting: they are ended too.
        while (
            any(run.poll() is None for run in runs) and not any(run.poll() for run in runs) and time.monotonic() < end
        ):
            time.sleep(0.1)
    finally:
        for run in runs:
            run.kill()
    if any(run.wait() for run in runs):
        why = "failed" if time.monotonic() < end else f"took more than {DEADLINE} s"
        sys.exit(f"{stage} on {devices} devices of {processes} processes {why}")
    return dict(np.load(out))


def differences(one, other):
    """(largest parameter difference, largest relative moment difference, largest metric difference)."""
    if one.keys() != other.keys():
        sys.exit("the runs hold different leaves")

    def largest(kind, relative):
        found = [0.0]
        for name in one:
            if name.startswith(kind) and one[name].size and one[name].dtype.kind == "f":
                scale = np.abs(one[name]).max() if relative else 1.0
                found.append(np.abs(one[name] - other[name]).max() / (scale or 1.0))
        return max(found)

    return largest("params", False), largest("moments", True), largest("metrics", False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", nargs="+", default=["ssl", "gan", "transfer"])
    parser.add_argument("--preset", default="smoke")
    options = parser.parse_args()
    print(f"{'stage':<10}{'devices x processes':<22}{'parameters':>12}{'moments':>12}{'metrics':>12}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for stage in options.stages:
            alone = launch(stage, options.preset, pathlib.Path(folder) / f"{stage}_1.npz", 1)
            for devices, processes in ((8, 1), (1, 2)):
                out = pathlib.Path(folder) / f"{stage}_{devices}_{processes}.npz"
                params, moments, metrics = differences(alone, launch(stage, options.preset, out, devices, processes))
                failed |= params > PARAMETERS or moments > MOMENTS
                print(
                    f"{stage:<10}{f'{devices} x {processes}':<22}{params:>12.1e}{moments:>12.1e}{metrics:>12.1e}",
                    flush=True,
                )
    sys.exit(int(failed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        name, preset, out, *joined = sys.argv[2:]
        work(name, preset, out, (joined[0], int(joined[1]), int(joined[2])) if joined else ())
    else:
        main()
