"""Twin of models/maps.py and render/palette.py, holes.py: named maps [N, H, W, C], colours and where they come from."""

import torch
import torch.nn.functional as F

from experiments.twins.layers import channels_first
from tryon_jax.geometry.parts import MATERIAL, PART, PARTS

HEADS = {"rgb": 3, "depth": 1, "normals": 3, "parts": len(PARTS), "garment_uv": 2, "blend": 4, "shading": 1}
CHOICES = ("own", "garment", "photo", "palette")
CHANNELS = 2 * sum(HEADS.values()) + 1
DEPTH_UNIT = 0.2
SIDES = ("front", "back")


def split(raw):
    """Named maps of a decoder's raw output [N, H, W, CHANNELS]."""
    *channels, mask = raw.split([*HEADS.values(), *HEADS.values(), 1], dim=-1)
    maps = {}
    for index, (side, sign) in enumerate((("front", 1.0), ("back", -1.0))):
        part = dict(zip(HEADS, channels[index * len(HEADS) : (index + 1) * len(HEADS)], strict=True))
        normals = part["normals"]
        normals = torch.cat([normals[..., :2], sign * F.softplus(normals[..., 2:] + 1)], dim=-1)
        maps |= {
            f"{side}_rgb": part["rgb"].sigmoid(),
            f"{side}_depth": DEPTH_UNIT * part["depth"],
            f"{side}_normals": normals * normals.square().sum(-1, keepdim=True).clamp(min=1e-12).rsqrt(),
            f"{side}_parts": part["parts"],
            f"{side}_garment_uv": part["garment_uv"].tanh(),
            f"{side}_blend": part["blend"],
            f"{side}_shading": 2 * part["shading"].sigmoid(),
        }
    thickness = DEPTH_UNIT * F.softplus(maps["back_depth"] / DEPTH_UNIT)
    return {**maps, "back_depth": maps["front_depth"] - thickness, "mask": mask}


def shares(blend, allowed):
    """Shares [..., len(CHOICES)] of the choices named in `allowed`, summing to 1; others 0."""
    possible = torch.tensor([choice in allowed for choice in CHOICES], device=blend.device)
    return blend.masked_fill(~possible, -torch.inf).softmax(-1)


def composed(shares, sources):
    """Colours [..., 3] in [0, 1] of sources, a dict of choice -> [..., 3], in their shares."""
    colour = sum(shares[..., CHOICES.index(name), None] * value for name, value in sources.items())
    return colour.clamp(0.0, 1.0)


def materials(parts):
    """Shares [N, H, W, M] of the materials of probabilities [N, H, W, K] of parts, the background aside."""
    found = parts @ torch.as_tensor(MATERIAL, device=parts.device)
    return found / found.sum(-1, keepdim=True).clamp(min=1e-6)


def repaint(picture, known, shown, wanted):
    """Colours [N, H, W, 3] of parts `wanted`, each material in its mean colour where `picture` shows it."""
    weights = (materials(shown) * known).flatten(1, 2)
    pixels = weights.sum(1)
    sums = torch.bmm(weights.transpose(1, 2), picture.flatten(1, 2))
    mean = sums.sum(1) / pixels.sum(1, keepdim=True).clamp(min=1.0)
    colours = (sums + mean[:, None]) / (pixels[..., None] + 1)
    return torch.bmm(materials(wanted).flatten(1, 2), colours).reshape(picture.shape)


def fill(values, known):
    """Pictures values [N, C, S, S] with what is not known [N, M, S, S] filled from around: [N, M, C, S, S].

    Each colour has a copy of what is known beside it: torch.compile then vectorises, and does nothing twice.
    """
    count, channels, side = known.shape[1], values.shape[1], known.shape[2]
    known, values = known.repeat_interleave(channels, dim=1), values.repeat(1, count, 1, 1)
    levels = []
    while side > 1:
        levels.append((values, known))
        merged = 2 if side % 2 == 0 else side
        total = F.avg_pool2d(values * known, merged, divisor_override=1)
        weight, side = F.avg_pool2d(known, merged, divisor_override=1), side // merged
        values, known = total / weight.clamp(min=1e-6), weight.clamp(max=1.0)
    filled = values
    for values, known in levels[::-1]:
        wide = F.interpolate(filled, known.shape[2:], mode="bilinear", align_corners=False)
        filled = known * values + (1 - known) * wide
    return filled.unflatten(1, (count, channels))


def mend(picture, known, shown, wanted):
    """Colours [N, S, S, 3] of parts `wanted`, each material filled from the nearest places that show it."""
    weights, shares = (channels_first(part).contiguous() for part in (materials(shown) * known, materials(wanted)))
    filled = fill(channels_first(picture).contiguous(), weights)
    return (shares[:, :, None] * filled).sum(1).permute(0, 2, 3, 1)


def behind(picture, known, shown, wanted):
    """`mend` of the back from a picture of the front: the face is left out of the skin."""
    return mend(picture, known * (1 - shown[..., PART["face"], None]), shown, wanted)
