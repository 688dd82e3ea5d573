"""Our own steps on prepared batches: augmented beforehand, so that only networks, losses and optimizer are timed.

A twin is given the same arrays. The steps are the stages' own, traced while what augments hands on what it is given.
"""

import contextlib
from functools import partial
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from tests.made_people import batch as made_people
from tryon_jax import pretext
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.stages import gan, ssl, transfer

DRAWN = 8  # steps whose draws a gan's batch holds


def people(size, count):
    """A batch by the contract: egg-shaped people, printed garments of all classes; two examples lack a target."""
    batch, rng = made_people(size, count), np.random.default_rng(0)
    batch["garment"] = rng.uniform(size=batch["garment"].shape).astype(np.float32)
    batch["garment_class"] = (np.arange(count) % len(GARMENT_CLASSES)).astype(np.int32)
    batch["has"]["depth"][-1] = batch["has"]["back_segmentation"][0] = 0
    return batch


def keys(seed, step, count):
    """The keys of a step's examples, as parallel.py gives them."""
    key = jax.random.fold_in(jax.random.key(seed), step)
    return jax.vmap(lambda place: jax.random.fold_in(key, place))(jnp.arange(count, dtype=jnp.int32))


def prepare(name, stage, batch, seed):
    """What a stage's step makes of a batch before its networks see it, a tree of dicts of arrays [N, ...].

    ssl: example, seen, flat, bare. transfer: the example with `visible`. gan: the example; see `draws`.
    """
    setup = _setup(stage)
    drawn = jax.vmap(partial(jax.random.split, num={"ssl": 2, "transfer": 5, "gan": 6}[name]))
    drawn = drawn(keys(seed, 0, len(batch["mask"])))
    if name == "ssl":
        made = jax.vmap(partial(pretext.prepared, setup.augment, setup.mask))(batch, drawn[:, 0])
        return dict(zip(("example", "seen", "flat", "bare"), made, strict=True))
    if name == "gan":
        return jax.vmap(partial(gan._moved, setup))(batch, drawn[:, 1])
    made = jax.vmap(partial(transfer.moved, setup.augment))(batch, drawn[:, 0])
    hiding = jax.vmap(partial(jax.random.split, num=3))(drawn[:, 1])[:, 2]
    blank = {"rgb": jnp.ones_like(made["person"]), "detail": jnp.ones_like(made["person_fine"])}
    visible = jax.vmap(partial(transfer._hidden, setup), in_axes=(0, 0))(blank, hiding)["rgb"][..., :1]
    return {**made, "visible": visible}


def draws(stage, seed, size, count):
    """What a gan's first DRAWN steps draw: noise, which latents are inferred, and shifts; arrays [DRAWN, N, ...]."""
    setup = _setup(stage)
    reach = max(1, round(setup.augment["discriminator"]["shift"] * size))

    def start(key):
        return jax.random.randint(jax.random.split(key, 5)[2], (2,), 0, 2 * reach + 1)

    def one(step):
        drawn = jax.vmap(partial(jax.random.split, num=6))(keys(seed, step, count))
        which = jax.vmap(lambda key: jax.random.bernoulli(key, gan.INFERRED_SHARE))(drawn[:, 5])
        shifts = {name: jax.vmap(start)(drawn[:, 2 + place]) for place, name in enumerate(("fooling", "real", "made"))}
        return {"noise": gan._noise(setup, drawn[:, 0]), "which": which.astype(jnp.float32), **shifts}

    return jax.vmap(one)(jnp.arange(DRAWN))


@contextlib.contextmanager
def as_prepared(name):
    """While this lasts, a stage's step that is traced takes prepared batches and augments nothing."""
    if name == "ssl":
        with mock.patch.object(pretext, "prepared", _prepared):
            yield
    elif name == "gan":
        with mock.patch.object(gan, "_moved", _unmoved):
            yield
    else:
        seen = transfer._observations
        with (
            mock.patch.object(transfer, "moved", _unmoved),
            mock.patch.object(transfer, "_observations", lambda item: {**seen(item), "visible": item["visible"]}),
            mock.patch.object(transfer, "_hidden", _hidden),
        ):
            yield


def outputs(name, stage):
    """A function (params, prepared batch, keys) -> named maps, with composed colours; to be traced `as_prepared`."""
    setup = _setup(stage)
    if name == "ssl":
        return lambda params, batch, rng: ssl._reconstruct(setup, params, batch["seen"], batch["flat"])
    if name == "transfer":
        return lambda params, batch, rng: transfer._dress(setup, params, batch, rng)[0]
    return partial(_generated, setup)


def _generated(setup, params, batch, rng):
    drawn = jax.vmap(partial(jax.random.split, num=6))(rng)
    real, complete = gan.adversary.observe_real(batch)
    noise = gan._noise(setup, drawn[:, 0])
    z, _, _ = gan._inferred(setup, params, real, complete, noise, batch, drawn[:, 5])
    return gan._generate(setup, params, z, batch)[0]


def _setup(stage):
    """What the stage's functions are closed over."""
    return stage.train_step.args[0]


def _prepared(ranges, hiding, item, key):
    return tuple(item[name] for name in ("example", "seen", "flat", "bare"))


def _unmoved(setup, example, key):
    return example


def _hidden(setup, observations, key):
    visible = observations["visible"]
    return {
        **observations,
        "rgb": observations["rgb"] * visible,
        "detail": observations["detail"] * twice(visible),
    }
