"""Our training step as a contender: compiled as train.py compiles it, on prepared batches or augmenting as it goes."""

import contextlib
import time
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from experiments.twins import arrays, prepared
from tryon_jax import native, parallel, stages

# How much the fresh parameters are disturbed: what starts at zero would hide its layer from the comparison.
DISTURBANCE = 0.03


class Ours:
    """spec: of benchmark_step.py; augmenting: whether the step does all that it does in training.

    The one that does not augment leaves `prepared.npz` and `params.npz` in `folder` for the others.
    """

    def __init__(self, spec, folder, augmenting):
        self.spec, self.folder = spec, folder
        name, size, count = spec["stage"], spec["size"], spec["batch"]
        config = ConfigDict(spec["config"])
        self.stage = stages.load(name).build(config, parallel.AXIS)
        self.raw = prepared.people(size, count)
        if not augmenting:
            self._leave(name, size, count)
        params = arrays.load(folder / "params.npz")
        self.params = {part: params[part] for part in sorted(params)}
        state = jax.jit(self.stage.init)(jax.random.key(spec["seed"]), self.raw)
        state = state.replace(params=self.params, ema={part: self.params[part] for part in state.ema})
        # The batch of a gan is its examples: our step draws the rest itself.
        self.batch = self.raw if augmenting else arrays.load(folder / "prepared.npz")
        self.batch = self.batch["example"] if name == "gan" and not augmenting else self.batch
        self.state, self.record = parallel.replicate(state), parallel.replicate(parallel.healthy())
        self.shares, self.places = parallel.split(self.batch), parallel.split(parallel.indices(count))
        self.take = parallel.train_step(self.stage.train_step, spec["seed"])
        self.tracing = contextlib.nullcontext if augmenting else lambda: prepared.as_prepared(name)
        self.device = parallel.describe()

    def _leave(self, name, size, count):
        seed = self.spec["seed"]
        batch = jax.jit(lambda raw: prepared.prepare(name, self.stage, raw, seed))(self.raw)
        if name == "gan":
            batch = {"example": batch, "draws": prepared.draws(self.stage, seed, size, count)}
        arrays.save(self.folder / "prepared.npz", batch)
        params = jax.jit(self.stage.init)(jax.random.key(seed), self.raw).params
        drawn = np.random.default_rng(seed)
        arrays.save(self.folder / "params.npz", jax.tree.map(lambda p: p + DISTURBANCE * _noise(drawn, p), params))

    def _step(self):
        self.state, self.record, metrics = self.take(self.state, self.record, self.shares, self.places)
        parallel.settle(self.state)
        return metrics

    def first(self):
        """The losses of the first turn's steps, which compile."""
        with self.tracing():
            found = [parallel.on_host(self._step()) for _ in range(self.spec["turn"])]
        return [{name.removeprefix("loss/"): float(value) for name, value in step.items()} for step in found]

    def turn(self):
        """A turn of steps, to their end."""
        for _ in range(self.spec["turn"]):
            self._step()
        jax.block_until_ready(self.state)

    def rate(self, side=2048, rounds=5):
        """Floating-point operations a second of a large matrix product, the best of a few."""
        x = jnp.ones((side, side))
        product = jax.jit(lambda x: x @ x)
        product(x).block_until_ready()
        best = np.inf
        for _ in range(rounds):
            begun = time.perf_counter()
            product(x).block_until_ready()
            best = min(best, time.perf_counter() - begun)
        return 2 * side**3 / best

    def count(self):
        """XLA's count of a step's operations: of branches the dearest, of loops one pass."""
        keys = prepared.keys(self.spec["seed"], 0, self.spec["batch"])
        alone = stages.load(self.spec["stage"]).build(ConfigDict(self.spec["config"]))
        # XLA does not see into the package's own kernels: it is shown the same layers in JAX.
        with self.tracing(), mock.patch.object(native, "available", return_value=False):
            lowered = jax.jit(alone.train_step).lower(parallel.on_host(self.state), self.batch, keys)
        return lowered.cost_analysis()["flops"]

    def outputs(self):
        """Path of the named maps that the first parameters make of the prepared batch."""
        keys = prepared.keys(self.spec["seed"], 0, self.spec["batch"])
        with self.tracing():
            found = jax.jit(prepared.outputs(self.spec["stage"], self.stage))(self.params, self.batch, keys)
        path = self.folder / "ours.npz"
        arrays.save(path, found)
        return str(path)


def _noise(generator, like):
    return generator.standard_normal(like.shape, dtype=np.float32)
