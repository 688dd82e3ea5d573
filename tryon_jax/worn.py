"""How a garment's picture becomes the colours of somebody who wears it, and what such a person can look like."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax import losses
from tryon_jax.geometry.parts import GARMENT_CLASSES, PARTS
from tryon_jax.models import maps as named
from tryon_jax.render.texture import sample_texture

SIDES = ("front", "back")
# Labels that a person in each garment class cannot have: a dress leaves no top and no bottom, a jacket hides nothing.
_UNWEARABLE = {
    "upper": ("dress", "outer"),
    "lower": ("dress", "outer"),
    "dress": ("upper", "lower", "outer"),
    "outer": (),
}
_WEARABLE = np.array([[part not in _UNWEARABLE[worn] for part in PARTS] for worn in GARMENT_CLASSES])
_WORN = ("own", "garment", "palette")  # where the garment's colour may come from; its palette is its picture unsharp
_NEVER = -30.0  # a logit: e^-30 is nothing, and a wrong label of a real data set still has a finite loss
CELLS = 8  # a side of the garment's picture out of focus: about as far as coordinates may be wrong


def placed(maps, guesses, garment_class):
    """A batch's named maps [N, S, S, .] with their garment coordinates and parts as a garment's wearers have them.

    guesses: of coordinates, coarse to fine, as of GarmentEncoder; what the decoder says is how far the last is off.
    garment_class int [N]: parts that nobody in that class has become next to impossible.
    """
    size, wearable = maps["mask"].shape[1], jnp.asarray(_WEARABLE)[garment_class][:, None, None]
    finest, found = jax.image.resize(guesses[-1], (len(guesses[-1]), size, size, 2, 2), "bilinear"), {}
    for index, side in enumerate(SIDES):
        uv = finest[:, :, :, index] + maps[f"{side}_garment_uv"]
        found[f"{side}_garment_uv"] = jnp.clip(uv, -1.0, 1.0)
        found[f"{side}_parts"] = jnp.where(wearable, maps[f"{side}_parts"], _NEVER)
    return maps | found


def coloured(maps, example, others):
    """Both sheets' `{side}_colour` [H, W, 3] of one example, their `{side}_shares` (maps.CHOICES) and `{side}_palette`.

    Where the garment is, only its picture, sharp or out of focus where coordinates are in doubt, and the network's own
    colour count, elsewhere only what is not it. others: side -> a function of the probabilities [H, W, K] of the parts
    to the colours of all that is not the garment, choice -> [H, W, 3]; the palette among them is shaded here.
    """
    found, garment = {}, example["garment"]
    for side in SIDES:
        # The parts are judged by their labels alone, not by what colour they would bring.
        parts = jax.lax.stop_gradient(jax.nn.softmax(maps[f"{side}_parts"]))
        worn, blend = parts @ losses.garment_part(example["garment_class"])[:, None], maps[f"{side}_blend"]
        shading, place = maps[f"{side}_shading"], (maps[f"{side}_garment_uv"] + 1) / 2
        kept = others[side](parts)
        palette = worn * _smooth(garment, example["garment_mask"], place) + (1 - worn) * kept["palette"]
        sources = {
            **kept,
            "own": maps[f"{side}_rgb"],
            "garment": sample_texture(garment, place) * shading,
            "palette": palette * shading,
        }
        shares = worn * named.shares(blend, _WORN) + (1 - worn) * named.shares(blend, ("own", *kept))
        found[f"{side}_colour"] = named.composed(shares, sources)
        found |= {f"{side}_shares": shares, f"{side}_palette": sources["palette"]}
    return found


def apart(maps):
    """What composes colours anew from finer pictures than `coloured` had, of named maps with what that found.

    For each side `{side}_own` [..., 3], all colour that is not looked up in such a picture; `{side}_blend` [..., 3],
    the shares of that, of the garment and of the photo; and `{side}_shading`.
    """
    found = {}
    for side in SIDES:
        share = maps[f"{side}_shares"]
        own, palette = share[..., :1], share[..., 3:]
        # 1e-6: both shares may be next to nothing.
        mixed = (own * maps[f"{side}_rgb"] + palette * maps[f"{side}_palette"]) / jnp.maximum(own + palette, 1e-6)
        found[f"{side}_own"] = jnp.clip(mixed, 0.0, 1.0)
        found[f"{side}_blend"] = jnp.concatenate([own + palette, share[..., 1:3]], axis=-1)
        found[f"{side}_shading"] = maps[f"{side}_shading"]
    return found


def cells(garment, garment_mask):
    """Means [CELLS, CELLS, 4] of a garment's picture [G, G, 3], cut out, and of its cut-out: the picture out of focus.

    Fewer cells where G is less than CELLS; what does not fill a cell is left out.
    """
    count = min(CELLS, len(garment))
    cell = len(garment) // count
    cut = jnp.concatenate([garment * garment_mask, garment_mask], axis=-1)[: count * cell, : count * cell]
    return cut.reshape(count, cell, count, cell, 4).mean((1, 3))


def _smooth(garment, garment_mask, place):
    """Means [H, W, 3] of a garment's picture [G, G, 3] over cells of its cut-out, at place [H, W, 2] in [0, 1]."""
    found = sample_texture(cells(garment, garment_mask), place)
    # A thousandth of a cell: a coordinate far off the cut-out finds no colour, and stays black.
    return found[..., :3] / jnp.maximum(found[..., 3:], 1e-3)
