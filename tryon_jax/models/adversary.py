"""The two sides of an adversarial step, for any stage that has a discriminator.

`logits(params, x, garment_class)` is a discriminator's function of a batch; `ranges` are the keywords of
`discriminator.disturb`; keys are one an example. Losses are per-example means.
"""

from functools import partial

import jax
import jax.numpy as jnp

from tryon_jax import losses
from tryon_jax.geometry.camera import half_extent
from tryon_jax.geometry.parts import PARTS
from tryon_jax.models.discriminator import disturb, observe


def observe_real(batch):
    """A batch's observations [B, S, S, OBSERVED], and [B]: 1 where an example has all that they need."""
    metres = half_extent(batch["camera"], batch["mask"].shape[1:3])[:, None, None, None]
    depths = [batch[f"{side}_depth"] / metres for side in ("front", "back")]
    has = batch["has"]
    parts = [jax.nn.one_hot(batch[f"{side}_segmentation"], len(PARTS)) for side in ("front", "back")]
    complete = has["rgb"] * has["back_rgb"] * has["depth"] * has["mask"]
    complete = complete * has["segmentation"] * has["back_segmentation"]
    return observe(batch["front_rgb"], batch["back_rgb"], *depths, *parts, batch["mask"]), complete


def disturbed(x, keys, ranges):
    """Observations x [B, S, S, C], each disturbed by its own key."""
    return jax.vmap(partial(disturb, **ranges))(x, keys)


def fooling(logits, params, made, garment_class, keys, *, ranges, objective):
    """The generator's adversarial loss: scalar."""
    found = logits(params, disturbed(made, keys, ranges), garment_class)
    return losses.generator_loss(found, objective).mean()


def judging(logits, params, real, made, complete, garment_class, keys, *, ranges, objective):
    """The discriminator's loss and its metrics: (scalar, dict).

    real, made [B, S, S, C] observations; complete [B] is 0 where a real example lacks a target, which then
    counts for nothing; keys [B, 2].
    """
    real = disturbed(real, keys[:, 0], ranges)
    made = disturbed(jax.lax.stop_gradient(made), keys[:, 1], ranges)
    # One pass over both: half the calls, and nothing in a discriminator mixes examples.
    both = logits(params, jnp.concatenate([real, made]), jnp.concatenate([garment_class, garment_class]))
    real_logits, made_logits = jnp.split(both, 2)
    of_real, of_made = losses.discriminator_losses(real_logits, made_logits, objective)
    loss = (of_real * complete + of_made).mean()
    found = {
        "loss/discriminator": loss,
        "real_logit": (real_logits * complete).mean(),
        "made_logit": made_logits.mean(),
    }
    return loss, found


def penalty(logits, params, step, real, complete, garment_class, *, r1, r1_every):
    """Gradient by params of the lazy R1 penalty, and the mean squared gradient norm: (tree, scalar).

    R1 (arXiv:1801.04406, equation 9) is r1 / 2 * |gradient|^2 on real examples; it comes every r1_every steps,
    r1_every times as strong (arXiv:1912.04958, appendix B), and zeros come between, at no cost.
    """

    def value(params):
        squares = losses.r1(lambda x: logits(params, x, garment_class), real)
        return (squares * complete).mean()

    def due(params):
        found, gradient = jax.value_and_grad(value)(params)
        return jax.tree.map(lambda leaf: leaf * (r1_every * r1 / 2), gradient), found

    def rest(params):
        return jax.tree.map(jnp.zeros_like, params), jnp.float32(0)

    return jax.lax.cond(step % r1_every == 0, due, rest, params)
