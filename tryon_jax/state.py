"""The training state, the optimizer chain and the moving average of parameters."""

from functools import partial

import flax.struct
import jax
import jax.numpy as jnp
import optax

from tryon_jax import muon
from tryon_jax.errors import UserError

OPTIMIZERS = ("adam", "muon")
# Spectral norm of a matrix's step under Muon, in steps of Adam: one learning rate then serves both. Twice that finds
# joints in fewer steps and depths in more; at Adam's own mean square (arXiv:2502.16982) both take more.
MUON_STEP = 2.0


@flax.struct.dataclass
class TrainState:
    """Everything that a run continues from.

    step: int32 scalar, steps done. params, ema: dict part -> parameters (ema holds the parts that a prediction
    needs, averaged over steps). opt_state: dict optimizer -> state.
    """

    step: jax.Array
    params: dict
    opt_state: dict
    ema: dict


def optimizer(
    *,
    learning_rate,
    warmup_steps,
    steps,
    b1,
    b2,
    weight_decay,
    clip_norm,
    scale,
    freeze=(),
    name="adam",
    low_rank=0,
    axis_name=None,
):
    """The optimizer of parameters that are a dict of parts, as one optax chain.

    In order: the mean of gradients over the devices of `axis_name` (None = alone); frozen parts dropped; the
    global norm clipped to `clip_norm` (0 = not); Adam or Muon (`name`, see `_direction`); weight decay of everything
    but vectors, decoupled (arXiv:1711.05101); each part's factor `scale[part]`; linear warm-up to `learning_rate`,
    then half a cosine down to a hundredth of it at `steps`. With `low_rank` above 0 all that comes after the clipping
    moves factors of that rank (`of_low_rank`). Raises ValueError if `freeze` names a part without a
    scale, UserError for another `name`.
    """
    unknown = sorted(set(freeze) - set(scale))
    if unknown:
        raise ValueError(f"optimizer.freeze: no part {unknown[0]!r}: choose of {', '.join(sorted(scale))}")

    def by_part(treatment):
        return lambda params: {part: jax.tree.map(partial(_constant, treatment(part)), params[part]) for part in params}

    kept = by_part(lambda part: "frozen" if part in freeze else "trained")
    drop = optax.partition({"frozen": optax.set_to_zero(), "trained": optax.identity()}, kept)
    rates = {part: optax.set_to_zero() if part in freeze else optax.scale(factor) for part, factor in scale.items()}
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, learning_rate, min(warmup_steps, steps - 1), steps, end_value=learning_rate / 100
    )
    steps_taken = optax.chain(
        _direction(name, b1, b2),
        optax.add_decayed_weights(weight_decay, lambda params: jax.tree.map(lambda p: p.ndim > 1, params)),
        optax.partition(rates, by_part(lambda part: part)),
        optax.scale_by_learning_rate(schedule),
    )
    return optax.chain(
        mean_over_devices(axis_name),
        drop,
        optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
        of_low_rank(low_rank, steps_taken) if low_rank else steps_taken,
    )


def of_low_rank(rank, inner):
    """`inner` for changes of low rank (LoRA, arXiv:2106.09685, equation 3), as an optax link.

    A kernel, taken for a matrix [inputs, outputs], moves by the product of a factor [inputs, rank] and a factor
    [rank, outputs], which `inner` moves in its place; vectors stay as they are. The parameters themselves stay whole,
    so whatever reads them need not know.
    """

    def init(params):
        keys = jax.random.split(jax.random.key(rank), len(jax.tree.leaves(params)))
        keys = jax.tree.unflatten(jax.tree.structure(params), list(keys))
        factors = jax.tree.map(partial(_factors, rank), params, keys)
        return factors, inner.init(factors)

    def update(gradients, state, params=None):
        factors, inner_state = state
        moves, inner_state = inner.update(jax.tree.map(_by_factors, gradients, factors), inner_state, factors)
        moved = optax.apply_updates(factors, moves)
        return jax.tree.map(_difference, gradients, moved, factors), (moved, inner_state)

    return optax.GradientTransformation(init, update)


def _factors(rank, leaf, key):
    """The factors of a kernel's change, None for a vector; the second is zero, since nothing has moved yet."""
    if leaf.ndim < 2:
        return None
    inputs, outputs = leaf.size // leaf.shape[-1], leaf.shape[-1]
    return {"down": jax.random.normal(key, (inputs, rank)) / inputs**0.5, "up": jnp.zeros((rank, outputs))}


def _by_factors(gradient, factors):
    """Gradient by the factors of a kernel, from that by the kernel: the chain rule of their product."""
    if factors is None:
        return None
    gradient = gradient.reshape(-1, gradient.shape[-1])
    return {"down": gradient @ factors["up"].T, "up": factors["down"].T @ gradient}


def _difference(like, moved, factors):
    """How far the product of a kernel's factors has moved, in the kernel's shape; zero for a vector."""
    if factors is None:
        return jnp.zeros_like(like)
    return (moved["down"] @ moved["up"] - factors["down"] @ factors["up"]).reshape(like.shape)


def _direction(name, b1, b2):
    """Gradients -> steps of about unit size: Adam (arXiv:1412.6980), or Muon for matrices and kernels.

    Muon makes the average gradient of a matrix orthogonal, so that directions which rarely show in it move as far as
    the loudest ones: by MUON_STEP, times the root of outputs over inputs where that is above 1. Vectors are left to
    Adam.
    """
    # With b2 = 0.99 the second moment of a rarely used weight falls low: 1e-8 is Adam's own floor.
    if name == "adam":
        return optax.scale_by_adam(b1=b1, b2=b2, eps=1e-8)
    if name != "muon":
        raise UserError(f"config.optimizer.name: no optimizer {name!r}; choose one of {', '.join(OPTIMIZERS)}")
    moves = {
        "matrix": optax.chain(muon.scale_by_orthogonality(), optax.scale(MUON_STEP)),
        "vector": optax.scale_by_adam(b1=b1, b2=b2, eps=1e-8, nesterov=True),
    }
    return optax.partition(
        moves, lambda params: jax.tree.map(lambda leaf: "matrix" if leaf.ndim > 1 else "vector", params)
    )


def _constant(value, _):
    return value


def optimizers(settings, axis_name=None):
    """The chains of the networks that make and of the discriminator, from `config.optimizer` as a plain dict."""
    names = ("name", "warmup_steps", "steps", "b1", "b2", "weight_decay", "clip_norm")
    shared = {name: settings[name] for name in names}
    shared |= {"scale": settings["learning_rate_scale"], "freeze": settings["freeze"], "axis_name": axis_name}
    rates = {"networks": settings["learning_rate"], "discriminator": settings["discriminator_learning_rate"]}
    # A discriminator learns anew what is made now: its change is not of low rank.
    ranks = {"networks": settings["low_rank"], "discriminator": 0}
    return {name: optimizer(learning_rate=rate, low_rank=ranks[name], **shared) for name, rate in rates.items()}


def mean_over_devices(axis_name):
    """The mean of gradients over a mapped axis as an optax link; None leaves them."""
    if axis_name is None:
        return optax.identity()
    return optax.stateless(lambda gradients, _: jax.lax.pmean(gradients, axis_name))


def descend(chain, gradients, opt_state, params):
    """One optimizer step: (params, opt_state)."""
    updates, opt_state = chain.update(gradients, opt_state, params)
    return optax.apply_updates(params, updates), opt_state


def average(ema, params, step, decay):
    """Exponential moving average of the parts in `ema` after `step` steps.

    Early on the decay is (1 + step) / (10 + step), so that the average forgets its random start.
    """
    now = jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda old, new: old + (1 - now) * (new - old), ema, {part: params[part] for part in ema})
