"""Self-supervision: masked prediction over colour, depth and normals, and one picture to both sheets (2D to 3D).

Both are one forward pass of what tryon_jax/pretext.py shows; the target is always both sheets, and where the config
weighs it the directions of the edges in the front one.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tryon_jax import augment, losses, metrics, pretext
from tryon_jax.models import maps as named
from tryon_jax.models import mirror
from tryon_jax.models.encoder_decoder import Decoder, Encoder, nothing, without_skips
from tryon_jax.models.oriented import CELL, Oriented, histograms
from tryon_jax.render.holes import fill
from tryon_jax.render.palette import mend, repaint
from tryon_jax.stages import Stage
from tryon_jax.state import TrainState, average, descend, optimizers

SIDES = ("front", "back")
# Every so many steps the pictures without parts come with those which the network finds in them: its second look. By
# steps, since a look at some examples costs as much as at all of them.
GUESS_EVERY = 2


class _Setup(NamedTuple):
    encoder: Encoder
    decoder: Decoder
    oriented: Oriented
    chain: optax.GradientTransformation
    ema_decay: float
    loss: dict
    mask: dict
    augment: dict


def build(config, axis_name=None):
    """The stage; parameters {encoder, decoder}, and {oriented} where that is weighed."""
    model = {"features": tuple(config.model.features), "dtype": jnp.dtype(config.model.dtype)}
    setup = _Setup(
        encoder=Encoder(more=config.model.more_blocks, dropout=config.model.dropout, **model),
        decoder=Decoder(more=config.model.more_blocks, **model),
        oriented=Oriented(dtype=model["dtype"]),
        chain=optimizers(config.optimizer.to_dict(), axis_name)["networks"],
        ema_decay=config.optimizer.ema_decay,
        loss=config.loss.to_dict(),
        mask=config.mask.to_dict(),
        augment=config.augment.to_dict(),
    )
    steps = (partial(step, setup) for step in (_init, _train_step, _eval_step))
    return Stage(*steps, summarize=summarize, predict=partial(_predict, setup))


def _init(setup, key, batch):
    keys = jax.random.split(key, 3)
    size = batch["person"].shape[1]
    (pyramid, _), encoder = setup.encoder.init_with_output(keys[0], nothing(1, size))
    params = {"encoder": encoder["params"], "decoder": setup.decoder.init(keys[1], pyramid)["params"]}
    if setup.loss["oriented"]:
        params["oriented"] = setup.oriented.init(keys[2], pyramid[0])["params"]
    opt_state = {"networks": setup.chain.init(params)}
    return TrainState(jnp.int32(0), params, opt_state, jax.tree.map(jnp.copy, params))


def _look(setup, params, observations, flat, keys=None):
    """Named maps of a batch of observations, with `joints` and `joint_depths`.

    flat [B] is 1 where the pyramid's upper levels lose their place.
    """
    return _decoded(setup, params, observations, flat, keys)[0]


def _decoded(setup, params, observations, flat, keys):
    """`_look`, and the encoder's pyramid."""
    pyramid, posture = setup.encoder.apply({"params": params["encoder"]}, observations, keys)
    maps = named.split(setup.decoder.apply({"params": params["decoder"]}, without_skips(pyramid, flat)))
    return maps | posture, pyramid


def _reconstruct(setup, params, observations, flat, keys=None):
    """`_look`, with composed colours, and `oriented` where there are parameters of it."""
    maps, pyramid = _decoded(setup, params, observations, flat, keys)
    if "oriented" in params:
        maps["oriented"] = setup.oriented.apply({"params": params["oriented"]}, pyramid[0])
    return maps | jax.vmap(_compose)(maps, observations)


def _look_both_ways(setup, params, observations):
    """`_look` at the pictures and at their mirror images."""
    flat = jnp.zeros(len(observations["rgb"]))
    return mirror.both_ways(lambda seen: _look(setup, params, seen, flat), observations)


def _look_twice(setup, params, observations):
    """Named maps and colours of observations without parts: both ways, then again shown the front's parts as guessed.

    What a guess says of the whole person settles what it left open, as in recycling (Jumper et al., Nature 596, 2021,
    supplement 1.10).
    """
    first = _look_both_ways(setup, params, observations)
    again = {**observations, "parts": jax.vmap(_guessed_parts)(first, observations["known"])}
    maps = _look_both_ways(setup, params, again)
    return maps | jax.vmap(_compose)(maps, again)


def _shown_guesses(setup, params, observations, flat, bare):
    """A batch of observations in which those with bare [B] of 1 show the parts that a first look finds in them."""
    first = _look(setup, params, observations, flat)
    parts = jax.vmap(_guessed_parts)(first, observations["known"])
    return {**observations, "parts": jnp.where(bare[:, None, None, None] > 0, parts, observations["parts"])}


def _guessed_parts(maps, known):
    """Probabilities [H, W, K] of an example's front parts where known; background is what the silhouette leaves."""
    solid = jax.nn.sigmoid(maps["mask"])
    return known * jnp.concatenate([1 - solid, solid * jax.nn.softmax(maps["front_parts"][..., 1:])], axis=-1)


def _compose(maps, seen):
    """Both sheets' colours of one example: own colour, the picture's, the person's colours by material.

    Where the picture has a hole it is mended, material by material.
    """
    picture, colours = (seen["rgb"] + 1) / 2, {}
    # Parts and silhouette are judged by their own truth, not by what colour they would bring.
    parts = {side: jax.lax.stop_gradient(jax.nn.softmax(maps[f"{side}_parts"])) for side in SIDES}
    known = jax.lax.stop_gradient(jax.nn.sigmoid(maps["mask"])) * seen["known"]
    mended = mend(picture, known, parts["front"], parts["front"])
    photo = seen["known"] * picture + (1 - seen["known"]) * mended
    for side in SIDES:
        palette = repaint(picture, known, parts["front"], parts[side]) * maps[f"{side}_shading"]
        sources = {"own": maps[f"{side}_rgb"], "photo": photo, "palette": palette}
        colours[f"{side}_colour"] = named.composed(named.shares(maps[f"{side}_blend"], sources), sources)
    return colours


def _train_step(setup, state, batch, rng):
    keys = jax.vmap(jax.random.split)(rng)
    batch, seen, flat, bare = jax.vmap(partial(pretext.prepared, setup.augment, setup.mask))(batch, keys[:, 0])
    guess = partial(_shown_guesses, setup, state.params)
    seen = jax.lax.cond(state.step % GUESS_EVERY == 0, guess, lambda seen, *_: seen, seen, flat, bare)

    knee = {"depth_knee": setup.loss["depth_knee"]}

    def loss(params):
        maps = _reconstruct(setup, params, seen, flat, keys[:, 1])
        terms = {
            **jax.vmap(partial(losses.sheets, **knee))(maps, batch),
            "blend": jax.vmap(losses.blend)(maps, batch),
            "keypoints": jax.vmap(losses.keypoints)(maps["joints"], batch),
            "keypoint_depths": jax.vmap(partial(losses.keypoint_depths, **knee))(maps["joint_depths"], batch),
            "holes": jax.vmap(_hole_error)(maps, batch, seen["known"]),
        }
        if "oriented" in maps:
            terms["oriented"] = jax.vmap(_oriented_error)(maps["oriented"], batch)
        terms = {name: value.mean() for name, value in terms.items()}
        return losses.weighted(terms, setup.loss), terms

    (total, terms), gradients = jax.value_and_grad(loss, has_aux=True)(state.params)
    params, opt_state = descend(setup.chain, gradients, state.opt_state["networks"], state.params)
    ema = average(state.ema, params, state.step, setup.ema_decay)
    scalars = {"loss": total, **{f"loss/{name}": value for name, value in terms.items()}}
    return TrainState(state.step + 1, params, {"networks": opt_state}, ema), scalars


def _hole_error(maps, example, known):
    """Mean squared error of one example's colours in the holes, as in MAE (arXiv:2111.06377, section 3)."""
    error = metrics.squared_error(maps["front_colour"], example["front_rgb"], example["mask"] * (1 - known))
    return error * example["has"]["rgb"]


def _oriented_error(found, example):
    """Mean squared error of one example's histograms of oriented gradients, where its cells show the front sheet."""
    mask, (rows, columns) = example["mask"], found.shape[:2]
    shown = mask.reshape(rows, CELL, columns, CELL, 1).mean((1, 3))
    error = metrics.squared_error(found, histograms(example["front_rgb"] * mask), shown)
    return error * example["has"]["rgb"]


def _visible(setup, batch, keys):
    """Where each example's patches stay visible, [B, S, S, 1]."""
    size, patch, ratio = batch["mask"].shape[1:3], setup.mask["patch"], setup.mask["ratio"]
    return jax.vmap(lambda key: augment.patch_mask(key, size, patch, ratio))(keys)


def _eval_step(setup, params, batch, rng):
    keys = jax.vmap(partial(jax.random.split, num=2))(rng)
    picture = jax.vmap(pretext.picture)(batch, keys[:, 0], 1 - batch["has"]["rgb"])
    visible = _visible(setup, batch, keys[:, 1])
    skips, hints = jnp.zeros(len(visible)), {"parts": 1.0, "keypoints": 1.0}  # skips: the upper levels as they are
    whole = _look_twice(setup, params, jax.vmap(pretext.whole)(batch, picture))
    hinted = _reconstruct(setup, params, jax.vmap(partial(pretext.whole, **hints))(batch, picture), skips)
    shown = (batch, picture, visible, batch["front_depth"], batch["mask"])
    masked = _look_twice(setup, params, jax.vmap(pretext.masked)(*shown))
    told = _reconstruct(setup, params, jax.vmap(partial(pretext.masked, **hints))(*shown), skips)
    return {
        **jax.vmap(_score_sheets)(whole, batch),
        **{f"{side}_hinted_error": jax.vmap(_score_sheets)(hinted, batch)[f"{side}_depth_error"] for side in SIDES},
        **jax.vmap(_score_masked)(masked["front_colour"], batch, visible),
        "masked_hinted_error": jax.vmap(_score_masked)(told["front_colour"], batch, visible)["masked_error"],
    }


def _score_sheets(maps, example):
    """Scores of one example's two sheets made of its picture alone."""
    mask, scores = example["mask"], metrics.surface(maps, example)
    names = "rgb", "back_rgb", "segmentation", "back_segmentation", "keypoints"
    scores |= {f"has_{name}": example["has"][name] for name in names}
    scores["joint_error"] = losses.keypoints(maps["joints"][-1], example)
    for side in SIDES:
        error = metrics.squared_error(maps[f"{side}_colour"], example[f"{side}_rgb"], mask)
        scores[f"{side}_rgb_error"] = error
        labels = (maps[f"{side}_parts"].argmax(-1) == example[f"{side}_segmentation"])[..., None]
        scores[f"{side}_parts"] = losses.masked_mean(labels.astype(jnp.float32), mask)
    return scores


def _score_masked(rgb, example, visible):
    """Squared errors on the hidden part of the person: ours, and of filling it with the visible person's colours."""
    truth, mask = example["front_rgb"], example["mask"]
    seen = mask * visible
    # A person of whom nothing is visible is filled with black, the mean of nothing.
    mean = (truth * seen).sum((0, 1)) / jnp.maximum(seen.sum(), 1.0)
    hidden = mask * (1 - visible)
    return {
        "masked_error": metrics.squared_error(rgb, truth, hidden),
        "masked_error_mean_fill": metrics.squared_error(jnp.broadcast_to(mean, truth.shape), truth, hidden),
        "masked_error_near_fill": metrics.squared_error(fill(truth, seen), truth, hidden),
    }


def summarize(rows):
    """Scores over a split. A name after a slash is the baseline's score by the same measure.

    Depth, normals and silhouette as of metrics.surface_scores; /hinted: ours where the picture, or what is visible of
    it, comes with its parts and keypoints. joint_error: of the keypoints found, in half picture sides.
    masked_psnr/mean_fill: the mean colour of the visible person; /near_fill: their mean around each hole, which the
    network is shown. PSNR is of the mean squared error over the split.
    """
    scores = metrics.surface_scores(rows)
    known = {name.removeprefix("has_"): values > 0 for name, values in rows.items() if name.startswith("has_")}
    if "depth_rmse" in scores:
        errors = [rows[f"{side}_hinted_error"][known["depth"]].mean() for side in SIDES]
        hinted = float(np.sqrt(np.mean(errors)))
        scores["depth_rmse/hinted"] = hinted
        scores["depth_share_of_constant/hinted"] = hinted / scores["depth_rmse/constant"]
    if known["keypoints"].any():
        scores["joint_error"] = float(rows["joint_error"][known["keypoints"]].mean())
    sides = {side: known[f"{prefix}segmentation"] for side, prefix in (("front", ""), ("back", "back_"))}
    parts = [rows[f"{side}_parts"][chosen].mean() for side, chosen in sides.items() if chosen.any()]
    if parts:
        scores["part_accuracy"] = float(np.mean(parts))
    pictures = {"front_psnr": ("front_rgb_error", "rgb"), "back_psnr": ("back_rgb_error", "back_rgb")}
    masked = {"": "error", "/hinted": "hinted_error", "/mean_fill": "error_mean_fill", "/near_fill": "error_near_fill"}
    pictures |= {f"masked_psnr{suffix}": (f"masked_{row}", "rgb") for suffix, row in masked.items()}
    for name, (row, flag) in pictures.items():
        if known[flag].any():
            scores[name] = float(metrics.psnr(rows[row][known[flag]].mean()))
    return scores


def _predict(setup, params, batch, rng):
    """Sheets of the picture alone; and `masked`, the picture with its holes, and `filled`, what is made of that."""
    keys = jax.vmap(jax.random.split)(rng)
    picture = jax.vmap(pretext.picture)(batch, keys[:, 0], 1 - batch["has"]["rgb"])
    maps = _look_twice(setup, params, jax.vmap(pretext.whole)(batch, picture))
    visible = _visible(setup, batch, keys[:, 1])
    shown = jax.vmap(pretext.masked)(batch, picture, visible, batch["front_depth"], batch["mask"])
    filled = _look_twice(setup, params, shown)["front_colour"]
    filled = jnp.where(batch["mask"] * (1 - visible) > 0, filled, picture.rgb)
    sheets = named.sheets(maps, maps["front_colour"], maps["back_colour"], batch["camera"])
    return sheets | {"masked": picture.rgb * visible, "filled": filled}
