"""Twin of worn.py: how a garment's picture becomes the colours of somebody who wears it; batches, as [N, H, W, C]."""

import torch
import torch.nn.functional as F

from experiments.twins import layers, losses, maps
from experiments.twins.maps import SIDES
from tryon_jax.geometry.parts import GARMENT_CLASSES, PARTS

_UNWEARABLE = {
    "upper": ("dress", "outer"),
    "lower": ("dress", "outer"),
    "dress": ("upper", "lower", "outer"),
    "outer": (),
}
_WEARABLE = [[part not in _UNWEARABLE[worn] for part in PARTS] for worn in GARMENT_CLASSES]
_NEVER = -30.0
CELLS = 8  # a side of the garment's picture out of focus


def placed(found, guesses, garment_class):
    """Named maps with coordinates and parts as a garment's wearers have them; guesses [N, 4, s, s]."""
    wearable = torch.tensor(_WEARABLE, device=garment_class.device)[garment_class][:, None, None]
    size, moved = found["mask"].shape[1:3], {}
    finest = F.interpolate(guesses[-1], size, mode="bilinear", align_corners=False)
    for index, side in enumerate(SIDES):
        guess = finest[:, 2 * index : 2 * index + 2].permute(0, 2, 3, 1)
        moved[f"{side}_garment_uv"] = (guess + found[f"{side}_garment_uv"]).clamp(-1.0, 1.0)
        moved[f"{side}_parts"] = found[f"{side}_parts"].masked_fill(~wearable, _NEVER)
    return found | moved


def coloured(found, batch, others):
    """Both sheets' composed colours; others: side -> a function of parts to the colours of all but the garment."""
    colours, garment = {}, batch["garment"].permute(0, 3, 1, 2)
    part = losses.garment_part(batch["garment_class"])[:, None, :, None]
    smooth = cells(batch)
    for side in SIDES:
        shading, blend, place = (found[f"{side}_{name}"] for name in ("shading", "blend", "garment_uv"))
        parts = found[f"{side}_parts"].detach().softmax(-1)
        worn, blurred, kept = parts @ part, _sampled(smooth, place), others[side](parts)
        palette = worn * blurred[..., :3] / blurred[..., 3:].clamp(min=1e-3) + (1 - worn) * kept["palette"]
        sources = {
            **kept,
            "own": found[f"{side}_rgb"],
            "garment": _sampled(garment, place) * shading,
            "palette": palette * shading,
        }
        shares = worn * maps.shares(blend, ("own", "garment", "palette"))
        shares = shares + (1 - worn) * maps.shares(blend, ("own", *kept))
        colours[f"{side}_colour"] = maps.composed(shares, sources)
    return colours


def cells(batch):
    """The garments' pictures out of focus, and how much of each cell is the garment: [N, 4, CELLS, CELLS]."""
    garment, mask = (batch[name].permute(0, 3, 1, 2) for name in ("garment", "garment_mask"))
    return layers.cells(torch.cat([garment * mask, mask], dim=1), min(CELLS, garment.shape[2]))


def _sampled(picture, place):
    """Colours [N, H, W, C] of a picture [N, C, G, G] at places [N, H, W, 2] in [-1, 1]."""
    found = F.grid_sample(picture, place, padding_mode="border", align_corners=False)
    return layers.channels_last(found)
