"""pix2pix (arXiv:1611.07004): one U-Net from what is seen to both sheets' colours, judged in patches.

It is shown what the transfer stage's networks are, as one picture: photo, part labels, keypoints' heat maps, garment
and cut-out side by side in channels, and the garment class in constant ones. Its target is one picture too: both
colours on black, and the silhouette. So it makes no surface, and every colour is its own.

Kept of the paper: U-Net with skips and dropout as the only noise, in use as in training; conditional patch
discriminator; L1 of weight 100; Adam, 2e-4, b1 0.5; the judge's loss halved; a step of the judge, then the generator's.
Otherwise: the U-Net is as deep as the picture asks for (down to one pixel), and the patches as large a share of it:
70 pixels of 256, 16 of 64. Instance norm instead of batch norm, as batch statistics are state; of batches of one they
are the same. The rate falls along half a cosine as in the project's own runs, instead of linearly in the second half;
parameters are averaged as theirs are.
"""

from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.peers import Peer
from experiments.peers.unet import Convolution, InstanceNorm, UNet
from tryon_jax import losses
from tryon_jax.geometry.keypoints import heat_maps
from tryon_jax.geometry.parts import GARMENT_CLASSES, PARTS
from tryon_jax.state import TrainState, average, descend, optimizer

L1 = 100.0  # equation 4's lambda
CHANNELS = 7  # front and back colour, silhouette


class Discriminator(nn.Module):
    """[N, S, S, C], the seen and the made or real picture -> logits of overlapping patches [N, s, s, 1].

    A patch is `field(layers)` pixels wide (section 6.1.2: C64-C128 sees 16, C64-C128-C256-C512 sees 70). norm: with the
    paper's norms; their statistics are the whole picture's, so that without them a patch sees only itself.
    """

    width: int
    layers: int
    norm: bool = True

    @nn.compact
    def __call__(self, x):
        h = nn.leaky_relu(Convolution(self.width, "down", name="down_0")(x), 0.2)
        for layer in range(1, self.layers + 1):
            kind = "down" if layer < self.layers else "same"
            channels = self.width * min(2**layer, 8)
            h = Convolution(channels, kind, size=4, use_bias=not self.norm, name=f"{kind}_{layer}")(h)
            h = nn.leaky_relu(InstanceNorm(name=f"norm_{layer}")(h) if self.norm else h, 0.2)
        return Convolution(1, "same", size=4, name="logit")(h)


def field(layers):
    """Side in pixels of the patch that a logit of `Discriminator` sees: each 4x4 kernel adds three of its steps."""
    return 1 + 3 * (sum(2**layer for layer in range(layers)) + 2 * 2**layers)


def layers_for(size):
    """Layers whose patches are the paper's share of a picture of `size` pixels; 70 pixels at most."""
    return min(max(size.bit_length() - 6, 1), 3)


class _Setup(NamedTuple):
    generator: UNet
    discriminator: Discriminator
    chains: dict
    ema_decay: float


def build(size, width, optimization, ema_decay, axis_name=None):
    """The peer for pictures of `size` pixels, a power of two; `width`: channels of the first level, 64 in the paper.

    optimization: keywords of state.optimizer but `scale`; axis_name: as of a stage's build. Raises ValueError for
    another size.
    """
    if size < 16 or size & (size - 1):
        raise ValueError(f"pictures of {size} pixels: pix2pix halves them to one pixel, so give a power of two from 16")
    parts = ("generator", "discriminator")
    setup = _Setup(
        generator=UNet(CHANNELS, width, size.bit_length() - 1),
        discriminator=Discriminator(width, layers_for(size)),
        chains={part: optimizer(scale={part: 1.0}, axis_name=axis_name, **optimization) for part in parts},
        ema_decay=ema_decay,
    )
    return Peer(*(partial(function, setup) for function in (_init, _train_step, _look)))


def observed(example):
    """What the networks are shown of one example, float32 [S, S, 44] in about [-1, 1]."""
    size = example["mask"].shape[:2]
    garment = jnp.concatenate([2 * example["garment"] - 1, example["garment_mask"]], axis=-1)
    if garment.shape[:2] != size:
        garment = jax.image.resize(garment, (*size, garment.shape[-1]), "linear")
    kind = jax.nn.one_hot(example["garment_class"], len(GARMENT_CLASSES))
    shown = [
        2 * example["person"] - 1,
        jax.nn.one_hot(example["person_segmentation"], len(PARTS)),
        heat_maps(example["keypoints"], size),
        garment,
        jnp.broadcast_to(kind, (*size, len(GARMENT_CLASSES))),
    ]
    return jnp.concatenate(shown, axis=-1)


def target(example):
    """The picture to make of one example, [S, S, CHANNELS] in [-1, 1]; colours are black off the mask."""
    return 2 * jnp.concatenate([example["front_rgb"], example["back_rgb"], example["mask"]], axis=-1) - 1


def _init(setup, key, batch):
    keys = jax.random.split(key)
    seen = jax.vmap(observed)(jax.tree.map(lambda rows: rows[:1], batch))
    both = jnp.concatenate([seen, jnp.zeros((*seen.shape[:3], CHANNELS))], axis=-1)
    params = {
        "generator": setup.generator.init(keys[0], seen)["params"],
        "discriminator": setup.discriminator.init(keys[1], both)["params"],
    }
    opt_state = {part: chain.init({part: params[part]}) for part, chain in setup.chains.items()}
    return TrainState(jnp.int32(0), params, opt_state, {"generator": jax.tree.map(jnp.copy, params["generator"])})


def _raw(setup, params, seen, keys):
    return setup.generator.apply({"params": params["generator"]}, seen, keys)


def _judged(setup, params, seen, pictures):
    return setup.discriminator.apply({"params": params}, jnp.concatenate([seen, pictures], axis=-1))


def _train_step(setup, state, batch, rng):
    seen, truth = jax.vmap(observed)(batch), jax.vmap(target)(batch)
    making = {"generator": state.params["generator"]}
    # The judge moves first; one pass of the generator serves both.
    made, pull = jax.vjp(lambda params: jnp.tanh(_raw(setup, params, seen, rng)), making)

    def judging(params):
        twice = jnp.concatenate([seen, seen])
        logits = _judged(setup, params["discriminator"], twice, jnp.concatenate([truth, made]))
        of_real, of_made = losses.discriminator_losses(*jnp.split(logits, 2), "nonsaturating")
        return (of_real + of_made).mean() / 2

    judge = {"discriminator": state.params["discriminator"]}
    judge_loss, gradients = jax.value_and_grad(judging)(judge)
    judge, judge_state = descend(setup.chains["discriminator"], gradients, state.opt_state["discriminator"], judge)

    def fooling(made):
        logits = _judged(setup, judge["discriminator"], seen, made)
        terms = {"l1": jnp.abs(made - truth).mean(), "generator": losses.generator_loss(logits, "nonsaturating").mean()}
        return L1 * terms["l1"] + terms["generator"], terms

    (loss, terms), gradient = jax.value_and_grad(fooling, has_aux=True)(made)
    chain, opt_state = setup.chains["generator"], state.opt_state["generator"]
    making, opt_state = descend(chain, pull(gradient)[0], opt_state, making)
    scalars = {"loss": loss, "loss/discriminator": judge_loss, **{f"loss/{name}": term for name, term in terms.items()}}
    ema = average(state.ema, making, state.step, setup.ema_decay)
    opt_states = {"generator": opt_state, "discriminator": judge_state}
    return TrainState(state.step + 1, {**making, **judge}, opt_states, ema), scalars


def _look(setup, params, batch, rng):
    raw = _raw(setup, params, jax.vmap(observed)(batch), rng)
    colours = (jnp.tanh(raw[..., :6]) + 1) / 2
    # tanh(x) in [-1, 1] is the probability of the logit 2x.
    return {"front_colour": colours[..., :3], "back_colour": colours[..., 3:], "mask": 2 * raw[..., 6:]}
