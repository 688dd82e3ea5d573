"""Published networks that the try-on is compared with, written anew from their papers, and what a peer offers."""

from collections.abc import Callable
from typing import NamedTuple


class Peer(NamedTuple):
    """Pure functions closed over modules and optimizers, as a stage's (tryon_jax/stages); rng is one key an example.

    init: (key, batch) -> TrainState; `ema` holds the networks that a prediction needs.
    train_step: (state, batch, rng) -> (state, metrics), of a batch that has been moved and recoloured already.
    look: (params, batch, rng) -> found maps [B, S, S, .]: front_colour and back_colour in [0, 1], mask a logit, and, of
    peers that make a surface, front_depth and back_depth in half extents of the picture. They are asked for
    everywhere, also off the mask.

    A batch must hold all targets of the batch contract: peers do not look at its flags.
    """

    init: Callable
    train_step: Callable
    look: Callable
