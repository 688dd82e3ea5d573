"""Adversarial training: a latent and a garment's picture to both sheets of somebody who wears it.

The latent tells who: posture, shape, and all colours but the garment's, which come from its picture, as in try-on. The
mask composes the person onto black, so the generator has no background to paint. The discriminator sees
colour, depth, depth-derived normals, parts and silhouette of both sheets, disturbed alike for real and made ones.

With a reconstruction loss most latents are not drawn but inferred from real sheets, which the generator is to make
anew (VAE/GAN, arXiv:1512.09300): every real person then has a latent, so that the generator cannot settle on one. The
others are drawn from a normal distribution fitted to the inferred ones (arXiv:1903.12436).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import augment, losses, metrics, worn
from tryon_jax.geometry.relief import normals_from_depth
from tryon_jax.models import adversary, inference
from tryon_jax.models import maps as named
from tryon_jax.models.discriminator import OBSERVED, Discriminator, observe
from tryon_jax.models.encoder_decoder import Decoder
from tryon_jax.models.garment import GarmentEncoder
from tryon_jax.models.generator import Mapping
from tryon_jax.models.inference import Inference, Prior
from tryon_jax.render.palette import materials
from tryon_jax.stages import Stage
from tryon_jax.state import TrainState, average, descend, optimizers
from tryon_jax.worn import SIDES

# Horizontal bands in which the colours of the two sheets are compared.
BANDS = 8
# Share of examples that are made anew, where there is a loss for it; the others are made of drawn latents.
INFERRED_SHARE = 0.75


class _Setup(NamedTuple):
    mapping: Mapping
    inference: Inference
    prior: Prior
    garment_encoder: GarmentEncoder
    decoder: Decoder
    discriminator: Discriminator
    chains: dict
    latent_dim: int
    ema_decay: float
    loss: dict
    augment: dict


def build(config, axis_name=None):
    """The stage; parameters {mapping, garment_encoder, decoder, discriminator}, with a reconstruction loss also
    {inference, prior}."""
    model = {"features": tuple(config.model.features), "dtype": jnp.dtype(config.model.dtype)}
    setup = _Setup(
        mapping=Mapping(size=config.model.size, classes=config.model.classes, **model),
        inference=Inference(latent_dim=config.model.latent_dim, dtype=model["dtype"]),
        prior=Prior(latent_dim=config.model.latent_dim, classes=config.model.classes),
        garment_encoder=GarmentEncoder(**model),
        decoder=Decoder(more=config.model.more_blocks, **model),
        discriminator=Discriminator(classes=config.model.classes, **model),
        chains=optimizers(config.optimizer.to_dict(), axis_name),
        latent_dim=config.model.latent_dim,
        ema_decay=config.optimizer.ema_decay,
        loss=config.loss.to_dict(),
        augment=config.augment.to_dict(),
    )
    steps = (partial(step, setup) for step in (_init, _train_step, _eval_step))
    return Stage(*steps, summarize=summarize, predict=partial(_predict, setup))


def _init_making(setup, key, batch):
    """Fresh parameters of what makes sheets: {mapping, garment_encoder, decoder} and, where they are trained,
    {inference, prior}."""
    keys = jax.random.split(key, 5)
    z, one = jnp.zeros((1, setup.latent_dim)), jax.tree.map(lambda rows: rows[:1], _garments(batch))
    (_, pyramid, _), mapping = setup.mapping.init_with_output(keys[0], z, one[2])
    making = {
        "mapping": mapping["params"],
        "garment_encoder": setup.garment_encoder.init(keys[4], pyramid, *one)["params"],
        "decoder": setup.decoder.init(keys[1], pyramid)["params"],
    }
    if setup.loss["reconstruction"]:
        seen = jnp.zeros((1, setup.mapping.size, setup.mapping.size, OBSERVED))
        making["inference"] = setup.inference.init(keys[2], seen)["params"]
        making["prior"] = setup.prior.init(keys[3], z, *_known(*one))["params"]
    return making


def _garments(batch):
    """Pictures, cut-outs and classes of a batch's garments."""
    return batch["garment"], batch["garment_mask"], batch["garment_class"]


def _known(garment, garment_mask, garment_class):
    """What a prior is told of garments: their classes, and their pictures out of focus as rows of numbers."""
    return garment_class, jax.vmap(worn.cells)(garment, garment_mask).reshape(len(garment), -1)


def _init(setup, key, batch):
    keys = jax.random.split(key)
    making = _init_making(setup, keys[0], batch)
    seen = jnp.zeros((1, *batch["person"].shape[1:3], OBSERVED))
    judge = setup.discriminator.init(keys[1], seen, jnp.zeros(1, jnp.int32))["params"]
    opt_state = {
        "networks": setup.chains["networks"].init(making),
        "discriminator": setup.chains["discriminator"].init({"discriminator": judge}),
    }
    params = {**making, "discriminator": judge}
    return TrainState(jnp.int32(0), params, opt_state, jax.tree.map(jnp.copy, making))


def _generate(setup, params, z, batch, *posture):
    """(named maps of latents z [B, latent] in the batch's garments, with composed colours and `joints` [B, K, 2] in
    pixels; mask [B, S, S, 1] in (0, 1); guesses of garment coordinates). posture: as the mapping's."""
    garments = _garments(batch)
    joints, pyramid, palette = setup.mapping.apply({"params": params["mapping"]}, z, garments[2], *posture)
    pyramid, guesses = setup.garment_encoder.apply({"params": params["garment_encoder"]}, pyramid, *garments)
    maps = named.split(setup.decoder.apply({"params": params["decoder"]}, pyramid))
    maps = worn.placed(maps, guesses, garments[2])
    maps |= jax.vmap(_compose)(maps, batch, palette)
    return maps | {"joints": (joints + 1) * (setup.mapping.size / 2)}, jax.nn.sigmoid(maps["mask"]), guesses


def _compose(maps, example, palette):
    """What worn.coloured finds for one example, whose other materials have the colours [M, 3] of the palette."""

    def kept(parts):
        return {"palette": materials(parts) @ palette}

    return worn.coloured(maps, example, dict.fromkeys(SIDES, kept))


def _observe_made(maps, mask):
    parts = (jax.nn.softmax(maps[f"{side}_parts"]) for side in SIDES)
    colours = maps["front_colour"], maps["back_colour"]
    return observe(*colours, maps["front_depth"], maps["back_depth"], *parts, mask)


def _noise(setup, keys):
    return jax.vmap(lambda key: jax.random.normal(key, (setup.latent_dim,)))(keys)


def _latents(setup, params, noise, batch):
    """Latents [B, latent] that standard normal noise stands for in the batch's garments."""
    if "prior" not in params:
        return noise
    return setup.prior.apply({"params": params["prior"]}, noise, *_known(*_garments(batch)))


def _inferred(setup, making, real, complete, noise, batch, keys):
    """(latents [B, latent], which of them are inferred from real sheets [B], terms [B] of those latents)."""
    if not setup.loss["reconstruction"]:
        return noise, jnp.zeros(len(noise)), {}
    which = jax.vmap(lambda key: jax.random.bernoulli(key, INFERRED_SHARE))(keys) * complete
    found = setup.inference.apply({"params": making["inference"]}, real)
    told = inference.drawn(*found, noise)
    # The prior follows the inferred latents, and nothing else moves it.
    drawn = _latents(setup, jax.lax.stop_gradient(making), noise, batch)
    prior, known = {"params": making["prior"]}, _known(*_garments(batch))
    surprise = setup.prior.apply(prior, jax.lax.stop_gradient(told), *known, method="surprise")
    terms = {"divergence": which * inference.divergence(*found), "prior": complete * surprise}
    return jnp.where(which[:, None] > 0, told, drawn), which, terms


def _posture(batch, which):
    """The joints [B, K, 2] of real people in half picture sides, and [B, K, 1]: 1 for those that are drawn.

    What is made anew is drawn in the posture of the real one, as otherwise the rims of limbs would be learned only as
    well as joints can be read from a latent.
    """
    places, has = batch["keypoints"], batch["has"]["keypoints"] * which
    shown = (places[..., 2:] > 0) * has[:, None, None]
    return places[..., :2] * (2 / batch["mask"].shape[1]) - 1, shown


def _moved(setup, example, key):
    return augment.apply(example, augment.sample(key, setup.augment))


def _train_step(setup, state, batch, rng):
    keys = jax.vmap(partial(jax.random.split, num=6))(rng)
    noise = _noise(setup, keys[:, 0])
    batch = jax.vmap(partial(_moved, setup))(batch, keys[:, 1])
    real, complete = adversary.observe_real(batch)
    classes, judge = batch["garment_class"], state.params["discriminator"]
    settings = {"ranges": setup.augment["discriminator"], "objective": setup.loss["objective"]}

    def logits(params, x, garment_class):
        return setup.discriminator.apply({"params": params}, x, garment_class)

    def making_loss(making):
        z, which, of_latents = _inferred(setup, making, real, complete, noise, batch, keys[:, 5])
        posture = _posture(batch, which) if setup.loss["reconstruction"] else ()
        maps, mask, guesses = _generate(setup, making, z, batch, *posture)
        made = _observe_made(maps, mask)
        shown = made
        if setup.loss["reconstruction"]:
            # Where a real sheet holds the generator in place. Elsewhere the judge alone would lead it astray.
            shown = jnp.where(which[:, None, None, None] > 0, made, jax.lax.stop_gradient(made))
        terms = {"generator": adversary.fooling(logits, judge, shown, classes, keys[:, 2], **settings)}
        loss = setup.loss["adversarial"] * terms["generator"]
        if setup.loss["reconstruction"]:
            again = {
                **jax.vmap(partial(losses.sheets, depth_knee=setup.loss["depth_knee"]))(maps, batch),
                "blend": jax.vmap(losses.blend)(maps, batch),
                "keypoints": jax.vmap(losses.keypoints)(maps["joints"], batch),
                "garment_guesses": jax.vmap(losses.garment_guesses)(guesses, batch),
            }
            again = losses.weighted(again, setup.loss) * which
            terms |= {name: value.mean() for name, value in {**of_latents, "reconstruction": again}.items()}
            loss += sum(setup.loss[name] * terms[name] for name in ("reconstruction", "divergence")) + terms["prior"]
        return loss, (terms, made)

    def judging_loss(params):
        return adversary.judging(logits, params, real, made, complete, classes, keys[:, 3:5], **settings)

    making = {part: state.params[part] for part in state.ema}
    (_, (terms, made)), gradients = jax.value_and_grad(making_loss, has_aux=True)(making)
    judging_gradients, found = jax.grad(judging_loss, has_aux=True)(judge)
    extra, squares = adversary.penalty(
        logits, judge, state.step, real, complete, classes, r1=setup.loss["r1"], r1_every=setup.loss["r1_every"]
    )
    judging_gradients = jax.tree.map(jnp.add, judging_gradients, extra)
    making, made_state = descend(setup.chains["networks"], gradients, state.opt_state["networks"], making)
    judged, judge_state = descend(
        setup.chains["discriminator"],
        {"discriminator": judging_gradients},
        state.opt_state["discriminator"],
        {"discriminator": judge},
    )
    ema = average(state.ema, making, state.step, setup.ema_decay)
    opt_state = {"networks": made_state, "discriminator": judge_state}
    scalars = {**{f"loss/{name}": value for name, value in terms.items()}, **found, "r1": squares}
    return TrainState(state.step + 1, {**making, **judged}, opt_state, ema), scalars


def _bands(rgb, mask):
    """Mean colour of the person in each of BANDS bands of one picture's rows, and the pixels there: [BANDS, 4]."""
    both = jnp.concatenate([rgb * mask, mask], axis=-1).reshape(BANDS, -1, 4).sum(1)
    return jnp.concatenate([both[:, :3] / jnp.maximum(both[:, 3:], 1.0), both[:, 3:]], axis=-1)


def _eval_step(setup, params, batch, rng):
    """Fixed features of real, made and never-trained sheets, and the colours of real and made ones by bands."""
    noise = _noise(setup, rng)
    real, complete = adversary.observe_real(batch)
    maps, mask, _ = _generate(setup, params, _latents(setup, params, noise, batch), batch)
    # Behind a barrier, as XLA's products of matrices on a CPU may read what was never written where it knows that all
    # of a kernel is one number, here zero (seen in jaxlib 0.10.2).
    fresh = jax.lax.optimization_barrier(_init_making(setup, jax.random.key(0), batch))
    nobody, blank, _ = _generate(setup, fresh, noise, batch)
    untrained = _observe_made(nobody, (blank > 0.5).astype(jnp.float32))
    describe, bands = jax.vmap(metrics.fixed_features), jax.vmap(_bands)
    return {
        "complete": complete,
        "real": describe(real),
        # Sheets end where the mask is a half (maps.sheets): what is judged is what is delivered.
        "made": describe(_observe_made(maps, (mask > 0.5).astype(jnp.float32))),
        "untrained": describe(untrained),
        "real_front": bands(batch["front_rgb"], batch["mask"]),
        "real_back": bands(batch["back_rgb"], batch["mask"]),
        "made_front": bands(maps["front_colour"], mask),
        "made_back": bands(maps["back_colour"], mask),
        "mask_sureness": jnp.abs(2 * mask - 1).mean((1, 2, 3)),
    }


def _disagreement(front, back):
    """Mean distance of colours between front and back bands [N, BANDS, 4], weighted by the pixels in both."""
    weight = np.minimum(front[..., 3], back[..., 3])
    return float((np.abs(front[..., :3] - back[..., :3]).mean(-1) * weight).sum() / max(weight.sum(), 1))


def summarize(rows):
    """Scores over a split. A name after a slash is the baseline's score by the same measure.

    kid_fixed: kernel distance in fixed features to the real sheets; /untrained: that of a fresh generator;
    /real: between two halves of the real ones, the floor that chance sets. front_back: mean distance of the
    colours of the two sheets by height; /real: of real sheets; /strangers: of a made front and the next
    person's back. variety: spread of the made people's features in that of the real
    ones. mask_sureness: 1 where every pixel's mask is 0 or 1.
    """
    real = rows["real"][rows["complete"] > 0]
    half = len(real) // 2
    return {
        "kid_fixed": metrics.kernel_distance(rows["made"], real),
        "kid_fixed/untrained": metrics.kernel_distance(rows["untrained"], real),
        "kid_fixed/real": metrics.kernel_distance(real[:half], real[half:]),
        "front_back": _disagreement(rows["made_front"], rows["made_back"]),
        "front_back/real": _disagreement(rows["real_front"], rows["real_back"]),
        "front_back/strangers": _disagreement(rows["made_front"], np.roll(rows["made_back"], 1, axis=0)),
        "variety": float(np.sqrt(rows["made"].var(0).sum() / real.var(0).sum())),
        "mask_sureness": float(rows["mask_sureness"].mean()),
    }


def _predict(setup, params, batch, rng):
    """Sheets of random people in the batch's garments, or of those of the standard normal `latent` [B, latent] where
    the batch has it; and what composes their colours anew from finer pictures (worn.apart)."""
    noise = batch["latent"] if "latent" in batch else _noise(setup, rng)
    maps, mask, _ = _generate(setup, params, _latents(setup, params, noise, batch), batch)
    # The normals that the discriminator has seen are the depth's, and a plain GAN trains no head for them.
    for side, sign in (("front", 1.0), ("back", -1.0)):
        maps[f"{side}_normals"] = normals_from_depth(maps[f"{side}_depth"], (mask > 0.5).astype(jnp.float32), sign)
    return named.sheets(maps, maps["front_colour"], maps["back_colour"], batch["camera"]) | worn.apart(maps)
