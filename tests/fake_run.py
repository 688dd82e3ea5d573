"""A run without networks, for tests of the loop: a small linear stage and examples made of noise.

As a program it trains: python tests/fake_run.py --workdir=DIR [--steps=N] [--coordinator=... ...]
"""

import argparse
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax

from configs import base
from tryon_jax import data, parallel, stages, train
from tryon_jax.errors import UserError
from tryon_jax.state import TrainState

SIZE = 8
KINDS = {"rgb": 3, "depth": 1, "normals": 3}


def config(**train):
    """A locked config of the fake stage and data: 12 steps of 8 examples."""
    made = base.scaled(base.get_config(), "smoke")
    made.stage, made.data.name, made.model.size = "fake", "fake", SIZE
    made.train.update(steps=12, log_every=1, evaluate_every=6, sample_every=6, checkpoint_every=3, evaluate_examples=6)
    made.train.update(train)
    return made.lock()


def example(number):
    """Example `number`, by the batch contract."""
    rng = np.random.default_rng(number)

    def made(shape, dtype):
        return rng.random(shape, np.float32) if dtype == np.float32 else rng.integers(0, 4, shape, dtype)

    spec = data.specification(SIZE)
    return {
        key: {name: np.float32(1) for name in value} if key == "has" else made(*value) for key, value in spec.items()
    }


def open_split(preset, split, folder):
    """32 examples to train on, 10 held out."""
    return [example(number) for number in (range(32) if split == "train" else range(32, 42))]


def _networks(params, person, rng):
    """Sheets [b, H, W, C] of photos [b, H, W, 3], with noise drawn by each example's own key."""
    noise = jax.vmap(lambda key: 0.1 * jax.random.normal(key, (SIZE, SIZE, 4)))(rng)
    hidden = jnp.tanh(person @ params["encoder"]["kernel"] + noise)
    return {f"front_{name}": hidden @ params["decoder"][name]["kernel"] for name in KINDS}


def _loss(params, batch, rng):
    made = _networks(params, batch["person"], rng)
    each = {name: jnp.mean((made[name] - batch[name]) ** 2, axis=(1, 2, 3)) for name in made}
    return sum(jnp.mean(error) for error in each.values()), each


def build(config, axis_name=None):
    """The fake stage; `loss.r1` of -1 makes its loss a NaN at the sixth step."""
    mean = optax.stateless(lambda updates, _: jax.lax.pmean(updates, axis_name) if axis_name else updates)
    optimizer = optax.chain(mean, optax.adam(config.optimizer.learning_rate, b1=0.9, b2=0.99))
    features = 4

    def init(key, batch):
        keys = jax.random.split(key, 4)
        params = {
            "encoder": {"kernel": jax.random.normal(keys[0], (batch["person"].shape[-1], features))},
            "decoder": {
                name: {"kernel": jax.random.normal(key, (features, channels))}
                for key, (name, channels) in zip(keys[1:], KINDS.items(), strict=True)
            },
        }
        ema = jax.tree.map(jnp.copy, params)
        return TrainState(jnp.int32(0), params, {"networks": optimizer.init(params)}, ema)

    def train_step(state, batch, rng):
        (loss, _), gradient = jax.value_and_grad(_loss, has_aux=True)(state.params, batch, rng)
        updates, opt_state = optimizer.update(gradient, state.opt_state["networks"], state.params)
        params = optax.apply_updates(state.params, updates)
        ema = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, state.ema, params)
        broken = (config.loss.r1 == -1) & (state.step == 5)
        metrics = {"a_scalar": jnp.float32(1), "loss": jnp.where(broken, jnp.nan, loss)}
        return TrainState(state.step + 1, params, {"networks": opt_state}, ema), metrics

    def summarize(rows):
        return {"depth": rows["front_depth"].mean(), "depth/zeros": 1.0, "examples": len(rows["front_depth"])}

    return stages.Stage(
        init,
        train_step,
        lambda params, batch, rng: _loss(params, batch, rng)[1],
        summarize,
        lambda params, batch, rng: _networks(params, batch["person"], rng),
    )


def install():
    """Makes `fake` the name of this stage and data set in this process; gives a function that undoes it."""
    real = stages.load, data.load
    module = types.SimpleNamespace(build=build, open_split=open_split)
    stages.load = lambda name: module if name == "fake" else real[0](name)
    data.load = lambda name: module if name == "fake" else real[1](name)

    def undo():
        stages.load, data.load = real

    return undo


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--coordinator", default="")
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--process", type=int, default=-1)
    options = parser.parse_args()
    parallel.initialize(options.coordinator, options.processes, options.process)
    parallel.cache_compilations()
    install()
    try:
        train.run(config(steps=options.steps), options.workdir)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
