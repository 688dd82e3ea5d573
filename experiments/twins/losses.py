"""Twin of losses.py: losses of a batch, one number an example [N]; pictures are [N, H, W, C]."""

import torch
import torch.nn.functional as F

from experiments.twins.maps import SIDES
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART, PARTS

GARMENT_UV_KNEE = 0.04
_WORN = [PART[GARMENT_PARTS[name]] for name in GARMENT_CLASSES]


def masked_mean(values, mask):
    """Means over the pixels of mask [N, ..., 1] and all channels; 0 where it is empty."""
    around = tuple(range(1, values.dim()))
    return (values * mask).sum(around) / (mask.sum(around).clamp(min=1.0) * values.shape[-1])


def l1(prediction, target, mask):
    """Mean absolute error over the mask."""
    return masked_mean((prediction - target).abs(), mask)


def huber(prediction, target, mask, knee):
    """Mean Huber loss over the mask, divided by its knee."""
    return masked_mean(F.huber_loss(prediction, target, reduction="none", delta=knee) / knee, mask)


def depth_differences(depth, mask):
    """Slopes [N, H, W, 2] of depth [N, H, W, 1] in half extents, where both neighbours are on the mask."""
    d = F.pad(depth[..., 0], (1, 1, 1, 1), mode="replicate")
    m = F.pad(mask[..., 0], (1, 1, 1, 1))
    right = (d[:, 1:-1, 2:] - d[:, 1:-1, :-2]) * m[:, 1:-1, 2:] * m[:, 1:-1, :-2]
    up = (d[:, :-2, 1:-1] - d[:, 2:, 1:-1]) * m[:, :-2, 1:-1] * m[:, 2:, 1:-1]
    return torch.stack([right, up], dim=-1) * (depth.shape[1] / 4)


def cross_entropy(logits, labels, mask):
    """Cross-entropy of logits [N, H, W, K] against labels [N, H, W], mean over the mask."""
    found = F.cross_entropy(logits.permute(0, 3, 1, 2), labels, reduction="none")
    return masked_mean(found[..., None], mask)


def silhouette(logits, mask):
    """Binary cross-entropy plus Dice loss of mask logits."""
    around, probability = (1, 2, 3), logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, mask, reduction="none").mean(around)
    both, either = (probability * mask).sum(around), probability.sum(around) + mask.sum(around)
    return entropy + 1 - (2 * both + 1) / (either + 1)


def garment_part(garment_class):
    """Which part label a worn garment of the class has, [N, parts]."""
    part = torch.tensor(_WORN, device=garment_class.device)[garment_class]
    return F.one_hot(part, len(PARTS)).float()


def garment_region(segmentation, garment_class):
    """Where the worn garment shows [N, H, W, 1]."""
    part = torch.tensor(_WORN, device=garment_class.device)[garment_class]
    return (segmentation == part[:, None, None]).float()[..., None]


def metres(example):
    """Half the picture's height, [N, 1, 1, 1]."""
    return (example["camera"][:, 0] * example["mask"].shape[1] / 2)[:, None, None, None]


def sheets(maps, example, depth_knee):
    """The reconstruction terms, a dict of [N]."""
    has, mask, half = example["has"], example["mask"], metres(example)
    terms = dict.fromkeys(("rgb", "depth", "depth_slopes", "normals", "segmentation", "garment_uv"), 0.0)
    for side, prefix in (("front", ""), ("back", "back_")):
        has_rgb, has_parts = has[f"{prefix}rgb"], has[f"{prefix}segmentation"]
        depth, labels = example[f"{side}_depth"] / half, example[f"{side}_segmentation"]
        region = garment_region(labels, example["garment_class"])
        guess = {name: maps[f"{side}_{name}"] for name in ("rgb", "depth", "normals", "parts", "garment_uv")}
        slopes = (depth_differences(value, mask) for value in (guess["depth"], depth))
        cosine = (guess["normals"] * example[f"{side}_normals"]).sum(-1, keepdim=True)
        uv = huber(guess["garment_uv"], example[f"{side}_garment_uv"], region, GARMENT_UV_KNEE)
        found = {
            "rgb": l1(guess["rgb"], example[f"{side}_rgb"], mask) * has_rgb,
            "depth": huber(guess["depth"], depth, mask, depth_knee) * has["depth"],
            "depth_slopes": l1(*slopes, mask) * has["depth"],
            "normals": masked_mean(1 - cosine, mask) * has["normals"],
            "segmentation": cross_entropy(guess["parts"], labels, mask) * has_parts,
            "garment_uv": uv * has["garment_uv"],
        }
        terms = {name: terms[name] + value / 2 for name, value in found.items()}
    return {**terms, "mask": silhouette(maps["mask"], mask) * has["mask"]}


def garment_guesses(guesses, example):
    """Mean Huber loss of guesses [N, 4, s, s] of both sheets' garment coordinates (channels: side, x or y)."""
    size, total = example["mask"].shape[1], 0.0
    for index, name in enumerate(SIDES):
        truth = example[f"{name}_garment_uv"]
        region = garment_region(example[f"{name}_segmentation"], example["garment_class"])
        for guess in guesses:
            enlarged = F.interpolate(guess[:, 2 * index : 2 * index + 2], (size, size), mode="nearest")
            total = total + huber(enlarged.permute(0, 2, 3, 1), truth, region, GARMENT_UV_KNEE)
    return total / (2 * len(guesses)) * example["has"]["garment_uv"]


def blend(maps, example):
    """Mean absolute error of both sheets' composed colours."""
    mask, has = example["mask"], example["has"]
    front = l1(maps["front_colour"], example["front_rgb"], mask) * has["rgb"]
    return (front + l1(maps["back_colour"], example["back_rgb"], mask) * has["back_rgb"]) / 2


def holes(maps, example, known):
    """Mean squared error of the colours in the holes."""
    error = (maps["front_colour"] - example["front_rgb"]).square()
    return masked_mean(error, example["mask"] * (1 - known)) * example["has"]["rgb"]


def keypoints(found, example):
    """Mean distance of places [N, G, K, 2] in pixels from the visible keypoints, in half picture sides."""
    truth, half = example["keypoints"], example["mask"].shape[1] / 2
    visible = (truth[..., 2] > 0) * example["has"]["keypoints"][:, None]
    distance = (((found - truth[:, None, :, :2]) / half).square().sum(-1) + 1e-8).sqrt()
    total = (distance * visible[:, None]).sum(-1) / visible.sum(-1, keepdim=True).clamp(min=1.0)
    return total.mean(1)


def keypoint_depths(found, example, depth_knee):
    """Mean Huber loss of both sheets' depths [N, K, 2] at the visible keypoints."""
    places, mask, has = example["keypoints"], example["mask"], example["has"]
    column, row = places[..., :2].floor().long().clamp(0, mask.shape[1] - 1).unbind(-1)
    number = torch.arange(len(mask), device=mask.device)[:, None]
    visible = (places[..., 2:] > 0) * mask[number, row, column] * (has["keypoints"] * has["depth"])[:, None, None]
    truth = torch.cat([example[f"{side}_depth"][number, row, column] for side in SIDES], dim=-1)
    return huber(found, truth / metres(example)[:, 0], visible, depth_knee)


def weighted(terms, weights):
    """Sum of the terms, each times its weight."""
    return sum(weights[name] * value for name, value in terms.items())


def generator_loss(logits, objective):
    """The generator's loss of logits of made examples."""
    return F.softplus(-logits) if objective == "nonsaturating" else -logits


def discriminator_losses(real, made, objective):
    """The discriminator's losses of real and of made logits."""
    if objective == "nonsaturating":
        return F.softplus(-real), F.softplus(made)
    return (F.relu(1 - real), F.relu(1 + made)) if objective == "hinge" else (-real, made)
