"""Try-on: a photographed person and a garment picture to both sheets of the person wearing it.

Geometry comes from the network, colour from the pictures: for each pixel the network says where on the garment
picture it comes from, how it is shaded, and how much to trust that, the photo, the person's colours or its own.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import augment, losses, metrics
from tryon_jax.geometry.parts import GARMENT_CLASSES, PARTS
from tryon_jax.models import adversary, mirror
from tryon_jax.models import maps as named
from tryon_jax.models.discriminator import OBSERVED, Discriminator, observe
from tryon_jax.models.encoder_decoder import Decoder, Encoder, GarmentEncoder, nothing, restyle
from tryon_jax.render.palette import MENDED, repaint
from tryon_jax.render.paste import paste
from tryon_jax.render.texture import sample_texture
from tryon_jax.stages import Stage
from tryon_jax.state import TrainState, average, descend, optimizers

MAKING = ("encoder", "garment_encoder", "decoder")
SIDES = ("front", "back")
GARMENT = ("garment", "garment_mask", "garment_class")
# Labels that a person in each garment class cannot have: a dress leaves no top and no bottom, a jacket hides nothing.
_UNWEARABLE = {
    "upper": ("dress", "outer"),
    "lower": ("dress", "outer"),
    "dress": ("upper", "lower", "outer"),
    "outer": (),
}
_WEARABLE = np.array([[part not in _UNWEARABLE[worn] for part in PARTS] for worn in GARMENT_CLASSES])
_KEPT = ("own", "photo", "palette")  # where the colour of what is not the garment may come from
_NEVER = -30.0  # a logit: e^-30 is nothing, and a wrong label of a real data set still has a finite loss


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
        encoder=Encoder(dropout=config.model.dropout, **model),
        garment_encoder=GarmentEncoder(dropout=config.model.dropout, **model),
        decoder=Decoder(**model),
        discriminator=Discriminator(classes=config.model.classes, **model),
        chains=optimizers(config.optimizer.to_dict(), axis_name),
        ema_decay=config.optimizer.ema_decay,
        loss=config.loss.to_dict(),
        mask=config.mask.to_dict(),
        # One photo does not show what a turned person would: in transfer nothing turns about the vertical axis.
        augment={**config.augment.to_dict(), "yaw": 0.0},
    )
    steps = (partial(step, setup) for step in (_init, _train_step, _eval_step))
    return Stage(*steps, summarize=summarize, predict=partial(_predict, setup))


def _init(setup, key, batch):
    keys = jax.random.split(key, 4)
    size = batch["person"].shape[1]
    (pyramid, _), encoder = setup.encoder.init_with_output(keys[0], nothing(1, size))
    garment = jnp.zeros((1, *batch["garment"].shape[1:]))
    no_garment = (garment, garment[..., :1], jnp.zeros(1, jnp.int32))
    making = {
        "encoder": encoder["params"],
        "garment_encoder": setup.garment_encoder.init(keys[1], *no_garment)["params"],
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
    person = {"rgb": 2 * example["person"] - 1, "parts": parts, "keypoints": example["keypoints"] * has["keypoints"]}
    return {**person, **{name: example[name] for name in GARMENT}}


def _hidden(setup, observations, key):
    """One example's observations with patches of the photo hidden, for a share of examples.

    So layout is learned from parts and keypoints too, which a real photo and a made one have alike.
    """
    keys, settings = jax.random.split(key), setup.mask
    visible = augment.patch_mask(keys[0], observations["rgb"].shape[:2], settings["patch"], settings["ratio"])
    visible = jnp.where(jax.random.uniform(keys[1]) < settings["share"], visible, 1.0)
    return {**observations, "rgb": observations["rgb"] * visible}


def _look(setup, params, seen, keys=(None, None)):
    """Named maps of a batch of observations, with `joints` and `joint_depths`; keys: of both encoders' dropout."""
    person, garment = keys
    pyramid, posture = setup.encoder.apply({"params": params["encoder"]}, seen, person)
    shown = (seen[name] for name in GARMENT)
    styles = setup.garment_encoder.apply({"params": params["garment_encoder"]}, *shown, garment)
    return named.split(setup.decoder.apply({"params": params["decoder"]}, restyle(pyramid, styles))) | posture


def _dress(setup, params, batch, keys=None):
    """Named maps of a batch, with the composed colours `front_colour` and `back_colour` [B, S, S, 3].

    keys [B] disturb what the networks are shown, as in training; None is as in use, where they look both ways.
    """
    observations = jax.vmap(_observations)(batch)
    if keys is None:
        maps = mirror.both_ways(partial(_look, setup, params), observations)
    else:
        *ours, hiding = (jax.vmap(partial(jax.random.split, num=3))(keys)[:, index] for index in range(3))
        maps = _look(setup, params, jax.vmap(partial(_hidden, setup))(observations, hiding), ours)
    wearable = jnp.asarray(_WEARABLE)[batch["garment_class"]][:, None, None]
    for side in SIDES:
        maps[f"{side}_parts"] = jnp.where(wearable, maps[f"{side}_parts"], _NEVER)
    return maps | jax.vmap(_compose)(maps, batch)


def _compose(maps, example):
    """Both sheets' colours and shares (maps.CHOICES) of one example, and what it would be in the person's own colours.

    Where the garment is, only it and the network's own colour count, elsewhere only what is not it. The photo counts by
    material, so that an old sleeve does not show on a bared arm; without labels it counts as it is.
    """
    garment, photo, found = example["garment"], example["person"], {}
    unlabelled = (1 - example["has"]["person_segmentation"]) * photo
    shown = jax.nn.one_hot(example["person_segmentation"], len(PARTS)) * example["has"]["person_segmentation"]
    for side in SIDES:
        shading = maps[f"{side}_shading"]
        # The parts are judged by their labels alone, not by what colour they would bring.
        wanted = jax.lax.stop_gradient(jax.nn.softmax(maps[f"{side}_parts"]))
        sources = {
            "own": maps[f"{side}_rgb"],
            "garment": sample_texture(garment, (maps[f"{side}_garment_uv"] + 1) / 2) * shading,
            "photo": MENDED[side](photo, 1.0, shown, wanted) + unlabelled,
            "palette": repaint(photo, 1.0, shown, wanted) * shading,
        }
        worn, blend = wanted @ losses.garment_part(example["garment_class"])[:, None], maps[f"{side}_blend"]
        shares = worn * named.shares(blend, ("own", "garment")) + (1 - worn) * named.shares(blend, _KEPT)
        found[f"{side}_colour"] = named.composed(shares, sources)
        found |= {f"{side}_shares": shares, f"{side}_palette": sources["palette"]}
    return found


def _observe_made(maps):
    colours = maps["front_colour"], maps["back_colour"]
    parts = (jax.nn.softmax(maps[f"{side}_parts"]) for side in SIDES)
    return observe(*colours, maps["front_depth"], maps["back_depth"], *parts, jax.nn.sigmoid(maps["mask"]))


def _moved(setup, example, key):
    """One example moved, and recoloured: photo and sheets alike, and the garment picture with them."""
    keys = jax.random.split(key)
    example = augment.apply(example, augment.sample(keys[0], setup.augment))
    colour = augment.sample_colour(keys[1], setup.augment["colour"])
    sheets = {name: augment.recolour(example[name], colour, example["mask"]) for name in ("front_rgb", "back_rgb")}
    pictures = {name: augment.recolour(example[name], colour) for name in ("person", "garment")}
    return {**example, **sheets, **pictures}


def _logits(setup, params, x, garment_class):
    return setup.discriminator.apply({"params": params}, x, garment_class)


def _train_step(setup, state, batch, rng):
    keys = jax.vmap(partial(jax.random.split, num=5))(rng)
    batch = jax.vmap(partial(_moved, setup))(batch, keys[:, 0])
    classes, adversarial = batch["garment_class"], setup.loss["adversarial"]
    knee = {"depth_knee": setup.loss["depth_knee"]}
    settings = {"ranges": setup.augment["discriminator"], "objective": setup.loss["objective"]}

    def loss(making):
        maps = _dress(setup, making, batch, keys[:, 1])
        terms = {
            **jax.vmap(partial(losses.sheets, **knee))(maps, batch),
            "blend": jax.vmap(losses.blend)(maps, batch),
            "keypoints": jax.vmap(losses.keypoints)(maps["joints"], batch),
            "keypoint_depths": jax.vmap(partial(losses.keypoint_depths, **knee))(maps["joint_depths"], batch),
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
    return jax.vmap(_score)(_dress(setup, params, batch), batch)


def _score(maps, example):
    """Scores of one example, and of the baselines on it."""
    mask, garment_class = example["mask"], example["garment_class"]
    region = losses.garment_region(example["front_segmentation"], garment_class) * mask
    found = jax.nn.sigmoid(maps["mask"])
    pasted = paste(example["garment"], example["garment_mask"], example["person"], example["keypoints"], garment_class)
    scores = {
        "same_garment": example["same_garment"],
        "visible": (region.sum() > 0).astype(jnp.float32),
        "garment_error": metrics.squared_error(maps["front_colour"], example["front_rgb"], region),
        "garment_error_paste": metrics.squared_error(pasted, example["front_rgb"], region),
        "garment_error_own": metrics.squared_error(maps["front_rgb"], example["front_rgb"], region),
        "person_error": metrics.squared_error(maps["front_colour"], example["front_rgb"], mask),
        "back_error": metrics.squared_error(maps["back_colour"], example["back_rgb"], mask),
        **metrics.surface(maps, example),
    }
    for side in SIDES:
        cloth = losses.garment_region(example[f"{side}_segmentation"], garment_class)
        guess = losses.garment_region(maps[f"{side}_parts"].argmax(-1), garment_class) * (found > 0.5)
        miss = jnp.linalg.norm(maps[f"{side}_garment_uv"] - example[f"{side}_garment_uv"], axis=-1, keepdims=True)
        scores |= {
            f"{side}_garment_iou": metrics.intersection_over_union(guess, cloth),
            f"{side}_uv_miss": losses.masked_mean(miss, cloth),
        }
    return scores


def summarize(rows):
    """Scores over a split. A name after a slash is the baseline's or another variant's score by the same measure.

    garment_psnr: the front where the garment shows, over unpaired examples (another garment in the photo);
    /paste: the cut-out pasted on the photo (render/paste.py); /own_colour: the network's own colour alone.
    garment_uv_error: mean distance, in the picture's side of 2. The rest as of metrics.surface_scores.
    """
    unpaired = (rows["same_garment"] == 0) & (rows["visible"] > 0)
    # A split without unpaired examples is scored on what it has.
    chosen = unpaired if unpaired.any() else rows["visible"] > 0

    def both(name):
        return float(np.mean([rows[f"{side}_{name}"].mean() for side in SIDES]))

    return {
        "garment_psnr": float(metrics.psnr(rows["garment_error"][chosen].mean())),
        "garment_psnr/paste": float(metrics.psnr(rows["garment_error_paste"][chosen].mean())),
        "garment_psnr/own_colour": float(metrics.psnr(rows["garment_error_own"][chosen].mean())),
        "unpaired_examples": float(unpaired.sum()),
        "person_psnr": float(metrics.psnr(rows["person_error"].mean())),
        "back_psnr": float(metrics.psnr(rows["back_error"].mean())),
        **metrics.surface_scores(rows),
        "garment_iou": both("garment_iou"),
        "garment_uv_error": both("uv_miss"),
    }


def _predict(setup, params, batch, rng):
    """The target keys, and what composes colour anew from finer pictures: {side}_own, {side}_blend, {side}_shading."""
    maps = _dress(setup, params, batch)
    made = named.sheets(maps, maps["front_colour"], maps["back_colour"], batch["camera"])
    for side in SIDES:
        share = maps[f"{side}_shares"]
        own, palette = share[..., :1], share[..., 3:]
        # What is not looked up in a finer picture counts as one source. 1e-6: both shares may be next to nothing.
        mixed = (own * maps[f"{side}_rgb"] + palette * maps[f"{side}_palette"]) / jnp.maximum(own + palette, 1e-6)
        made[f"{side}_own"] = jnp.clip(mixed, 0.0, 1.0)
        made[f"{side}_blend"] = jnp.concatenate([own + palette, share[..., 1:3]], axis=-1)
        made[f"{side}_shading"] = maps[f"{side}_shading"]
    return made
