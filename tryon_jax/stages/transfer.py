"""Try-on: a photographed person and a garment picture to both sheets of the person wearing it.

Geometry comes from the network, colour from the pictures: for each pixel the network says where on the garment
picture it comes from, how it is shaded, and how much to trust that, the photo, the person's colours or its own.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from tryon_jax import augment, losses, pretext, relaid, worn
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import PARTS
from tryon_jax.models import adversary, mirror
from tryon_jax.models import maps as named
from tryon_jax.models.discriminator import OBSERVED, Discriminator, observe
from tryon_jax.models.encoder_decoder import Decoder, Encoder, nothing
from tryon_jax.models.garment import GarmentEncoder
from tryon_jax.render.palette import MENDED, repaint
from tryon_jax.scores import dressing
from tryon_jax.stages import Stage
from tryon_jax.state import TrainState, average, descend, optimizers
from tryon_jax.worn import SIDES

MAKING = ("encoder", "garment_encoder", "decoder")
GARMENT = ("garment", "garment_mask", "garment_class")


class _Setup(NamedTuple):
    encoder: Encoder
    garment_encoder: GarmentEncoder
    decoder: Decoder
    discriminator: Discriminator
    chains: dict
    ema_decay: float
    loss: dict
    mask: dict
    augment: dict


def build(config, axis_name=None):
    """The stage; parameters {encoder, garment_encoder, decoder}, and {discriminator} if its loss has a weight."""
    model = {"features": tuple(config.model.features), "dtype": jnp.dtype(config.model.dtype)}
    setup = _Setup(
        encoder=Encoder(more=config.model.more_blocks, dropout=config.model.dropout, **model),
        garment_encoder=GarmentEncoder(dropout=config.model.dropout, **model),
        decoder=Decoder(more=config.model.more_blocks, **model),
        discriminator=Discriminator(classes=config.model.classes, **model),
        chains=optimizers(config.optimizer.to_dict(), axis_name),
        ema_decay=config.optimizer.ema_decay,
        loss=config.loss.to_dict(),
        mask=config.mask.to_dict(),
        augment=config.augment.to_dict(),
    )
    steps = (partial(step, setup) for step in (_init, _train_step, _eval_step))
    return Stage(*steps, summarize=dressing.summarize, predict=partial(_predict, setup))


def _init(setup, key, batch):
    keys = jax.random.split(key, 4)
    size = batch["person"].shape[1]
    (pyramid, _), encoder = setup.encoder.init_with_output(keys[0], nothing(1, size))
    garment = jnp.zeros((1, *batch["garment"].shape[1:]))
    no_garment = (garment, garment[..., :1], jnp.zeros(1, jnp.int32))
    making = {
        "encoder": encoder["params"],
        "garment_encoder": setup.garment_encoder.init(keys[1], pyramid, *no_garment)["params"],
        "decoder": setup.decoder.init(keys[2], pyramid)["params"],
    }
    params, opt_state = making, {"networks": setup.chains["networks"].init(making)}
    if setup.loss["adversarial"]:
        seen = jnp.zeros((1, size, size, OBSERVED))
        judge = setup.discriminator.init(keys[3], seen, jnp.zeros(1, jnp.int32))["params"]
        params = {**making, "discriminator": judge}
        opt_state["discriminator"] = setup.chains["discriminator"].init({"discriminator": judge})
    return TrainState(jnp.int32(0), params, opt_state, jax.tree.map(jnp.copy, making))


def _observations(example):
    """What the networks are shown of one example: the photo, its parts and its keypoints, and the garment."""
    has = example["has"]
    parts = jax.nn.one_hot(example["person_segmentation"], len(PARTS)) * has["person_segmentation"]
    photo = pretext.Picture(example["person"], example["person_fine"])
    person = {"rgb": 2 * photo.rgb - 1, "detail": pretext.detail(photo), "parts": parts}
    person["keypoints"] = example["keypoints"] * has["keypoints"]
    return {**person, **{name: example[name] for name in GARMENT}}


def _hidden(setup, observations, key):
    """One example's observations with patches of the photo hidden, for a share of examples.

    So layout is learned from parts and keypoints too, which a real photo and a made one have alike.
    """
    keys, settings = jax.random.split(key), setup.mask
    visible = augment.patch_mask(keys[0], observations["rgb"].shape[:2], settings["patch"], settings["ratio"])
    visible = jnp.where(jax.random.uniform(keys[1]) < settings["share"], visible, 1.0)
    pictures = {"rgb": observations["rgb"] * visible, "detail": observations["detail"] * twice(visible)}
    return {**observations, **pictures}


def _look(setup, params, seen, keys=(None, None)):
    """(named maps of a batch of observations, with `joints` and `joint_depths`; guesses of coordinates).

    keys: of both encoders' dropout.
    """
    person, garment = keys
    pyramid, posture = setup.encoder.apply({"params": params["encoder"]}, seen, person)
    shown = (seen[name] for name in GARMENT)
    pyramid, guesses = setup.garment_encoder.apply({"params": params["garment_encoder"]}, pyramid, *shown, garment)
    maps = named.split(setup.decoder.apply({"params": params["decoder"]}, pyramid)) | posture
    return worn.placed(maps, guesses, seen["garment_class"]), guesses


def _dress(setup, params, batch, keys=None):
    """(named maps of a batch, with the composed colours `front_colour` and `back_colour` [B, S, S, 3]; guesses).

    keys [B] disturb what the networks are shown, as in training; None is as in use, where they look both ways and the
    guesses of coordinates are not kept.
    """
    observations = jax.vmap(_observations)(batch)
    if keys is None:
        maps, guesses = mirror.both_ways(lambda seen: _look(setup, params, seen)[0], observations), ()
    else:
        *ours, hiding = (jax.vmap(partial(jax.random.split, num=3))(keys)[:, index] for index in range(3))
        maps, guesses = _look(setup, params, jax.vmap(partial(_hidden, setup))(observations, hiding), ours)
    return maps | jax.vmap(_compose)(maps, batch), guesses


def _compose(maps, example):
    """What worn.coloured finds for one example, of whom the photo tells all that is not the garment.

    The photo counts by material, so that an old sleeve does not show on a bared arm; without labels it counts as it is.
    """
    photo, labelled = example["person"], example["has"]["person_segmentation"]
    shown = jax.nn.one_hot(example["person_segmentation"], len(PARTS)) * labelled

    def kept(side, wanted):
        mended = MENDED[side](photo, 1.0, shown, wanted) + (1 - labelled) * photo
        return {"photo": mended, "palette": repaint(photo, 1.0, shown, wanted)}

    return worn.coloured(maps, example, {side: partial(kept, side) for side in SIDES})


def _observe_made(maps):
    colours = maps["front_colour"], maps["back_colour"]
    parts = (jax.nn.softmax(maps[f"{side}_parts"]) for side in SIDES)
    return observe(*colours, maps["front_depth"], maps["back_depth"], *parts, jax.nn.sigmoid(maps["mask"]))


def moved(ranges, example, key):
    """One example moved, and recoloured: photo and sheets alike, and the garment picture with them; that laid anew.

    ranges: the config's augment, as a dict; its yaw is left out.
    """
    keys = jax.random.split(key, 3)
    # One photo does not show what a turned person would.
    example = augment.apply(example, augment.sample(keys[0], {**ranges, "yaw": 0.0}))
    example = relaid.apply(example, relaid.sample(keys[2], ranges["taper"]))
    colour = augment.sample_colour(keys[1], ranges["colour"])
    sheets = {name: augment.recolour(example[name], colour, example["mask"]) for name in ("front_rgb", "back_rgb")}
    pictures = {name: augment.recolour(example[name], colour) for name in ("person", "person_fine", "garment")}
    return {**example, **sheets, **pictures}


def _logits(setup, params, x, garment_class):
    return setup.discriminator.apply({"params": params}, x, garment_class)


def _train_step(setup, state, batch, rng):
    keys = jax.vmap(partial(jax.random.split, num=5))(rng)
    batch = jax.vmap(partial(moved, setup.augment))(batch, keys[:, 0])
    classes, adversarial = batch["garment_class"], setup.loss["adversarial"]
    knee = {"depth_knee": setup.loss["depth_knee"]}
    settings = {"ranges": setup.augment["discriminator"], "objective": setup.loss["objective"]}

    def loss(making):
        maps, guesses = _dress(setup, making, batch, keys[:, 1])
        terms = {
            **jax.vmap(partial(losses.sheets, **knee))(maps, batch),
            "blend": jax.vmap(losses.blend)(maps, batch),
            "keypoints": jax.vmap(losses.keypoints)(maps["joints"], batch),
            "keypoint_depths": jax.vmap(partial(losses.keypoint_depths, **knee))(maps["joint_depths"], batch),
            "garment_guesses": jax.vmap(losses.garment_guesses)(guesses, batch),
        }
        terms = {name: value.mean() for name, value in terms.items()}
        total, made = losses.weighted(terms, setup.loss), None
        if adversarial:
            made, judge = _observe_made(maps), state.params["discriminator"]
            terms["generator"] = adversary.fooling(
                partial(_logits, setup), judge, made, classes, keys[:, 2], **settings
            )
            total = total + adversarial * terms["generator"]
        return total, (terms, made)

    making = {part: state.params[part] for part in MAKING}
    (total, (terms, made)), gradients = jax.value_and_grad(loss, has_aux=True)(making)
    making, opt_state = descend(setup.chains["networks"], gradients, state.opt_state["networks"], making)
    scalars = {"loss": total, **{f"loss/{name}": value for name, value in terms.items()}}
    params, opt_states = making, {"networks": opt_state}
    if adversarial:
        judged, judge_state, found = _judge(setup, state, batch, made, keys[:, 3:], settings)
        params, opt_states["discriminator"], scalars = {**making, **judged}, judge_state, {**scalars, **found}
    ema = average(state.ema, making, state.step, setup.ema_decay)
    return TrainState(state.step + 1, params, opt_states, ema), scalars


def _judge(setup, state, batch, made, keys, settings):
    """The discriminator's step: (its part of the parameters, optimizer state, metrics)."""
    logits, judge, classes = partial(_logits, setup), state.params["discriminator"], batch["garment_class"]
    real, complete = adversary.observe_real(batch)
    gradients, found = jax.grad(
        lambda params: adversary.judging(logits, params, real, made, complete, classes, keys, **settings), has_aux=True
    )(judge)
    lazily = {name: setup.loss[name] for name in ("r1", "r1_every")}
    extra, squares = adversary.penalty(logits, judge, state.step, real, complete, classes, **lazily)
    gradients = {"discriminator": jax.tree.map(jnp.add, gradients, extra)}
    judged, opt_state = descend(
        setup.chains["discriminator"], gradients, state.opt_state["discriminator"], {"discriminator": judge}
    )
    return judged, opt_state, {**found, "r1": squares}


def _eval_step(setup, params, batch, rng):
    return jax.vmap(dressing.score)(_dress(setup, params, batch)[0], batch)


def _predict(setup, params, batch, rng):
    """The target keys, and what composes colour anew from finer pictures (worn.apart)."""
    maps, _ = _dress(setup, params, batch)
    return named.sheets(maps, maps["front_colour"], maps["back_colour"], batch["camera"]) | worn.apart(maps)
