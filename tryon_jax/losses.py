"""Losses of one example: pictures are [H, W, C], results are scalars; callers vmap and take the mean."""

import jax
import jax.numpy as jnp
import numpy as np

from tryon_jax.geometry.camera import half_extent
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART, PARTS
from tryon_jax.geometry.relief import depth_differences

OBJECTIVES = ("nonsaturating", "hinge", "wasserstein")
# Garment coordinates span 2 over a picture: errors under a fiftieth of that are pixels at 64 px, fitted smoothly.
GARMENT_UV_KNEE = 0.04


def masked_mean(values, mask):
    """Mean of values [H, W, C] over the pixels of mask [H, W, 1] in [0, 1] and all channels; 0 if it is empty."""
    # An empty mask sums to 0; any other holds a pixel.
    return (values * mask).sum() / (jnp.maximum(mask.sum(), 1.0) * values.shape[-1])


def l1(prediction, target, mask):
    """Mean absolute error over the mask."""
    return masked_mean(jnp.abs(prediction - target), mask)


def huber(prediction, target, mask, knee):
    """Mean Huber loss over the mask, divided by its knee: quadratic below it and of slope 1 above."""
    error = jnp.abs(prediction - target)
    return masked_mean(jnp.where(error < knee, error**2 / (2 * knee), error - knee / 2), mask)


def depth_slopes(prediction, target, mask):
    """Mean absolute error of the slopes of depth, in half extents, over the mask (depth's gradient loss)."""
    return l1(depth_differences(prediction, mask), depth_differences(target, mask), mask)


def normals(prediction, target, mask):
    """1 - cosine between unit normals, mean over the mask."""
    return masked_mean(1 - (prediction * target).sum(-1, keepdims=True), mask)


def cross_entropy(logits, labels, mask):
    """Cross-entropy in nats of logits [H, W, K] against labels int [H, W], mean over the mask."""
    chosen = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return masked_mean(jax.nn.logsumexp(logits, -1, keepdims=True) - (logits * chosen).sum(-1, keepdims=True), mask)


def silhouette(logits, mask):
    """Binary cross-entropy in nats plus Dice loss (arXiv:1606.04797) of mask logits against a mask, [H, W, 1]."""
    probability = jax.nn.sigmoid(logits)
    entropy = (jax.nn.softplus(logits) - logits * mask).mean()
    # One pixel added to both: an empty picture that is found empty is perfect.
    dice = 1 - (2 * (probability * mask).sum() + 1) / (probability.sum() + mask.sum() + 1)
    return entropy + dice


def garment_part(garment_class):
    """Which part label a worn garment of the class has, float32 [parts]: 1 there, 0 elsewhere."""
    part = jnp.asarray(np.array([PART[GARMENT_PARTS[name]] for name in GARMENT_CLASSES]))[garment_class]
    return jax.nn.one_hot(part, len(PARTS))


def garment_region(segmentation, garment_class):
    """Where the worn garment shows, float32 [H, W, 1]: the pixels of segmentation [H, W] with its class's part."""
    return garment_part(garment_class)[segmentation][..., None]


def sheets(maps, example, depth_knee):
    """Reconstruction terms of one example's named maps (models/maps.py) against the batch contract's truth.

    depth_knee, in half extents: below it the loss of depth is quadratic, so that its minimum is the mean of the depths
    that a picture leaves open, not one of them; above it a limb that is far off does not rule the gradient.
    A term whose truth is missing (flag 0 in `has`) is 0. Returns a dict of scalars: rgb, depth, depth_slopes,
    normals, segmentation, garment_uv, mask; means of the two sheets.
    """
    has, mask = example["has"], example["mask"]
    metres = half_extent(example["camera"], mask.shape[:2])
    terms = {name: 0.0 for name in ("rgb", "depth", "depth_slopes", "normals", "segmentation", "garment_uv")}
    for side, prefix in (("front", ""), ("back", "back_")):
        has_rgb, has_parts = has[f"{prefix}rgb"], has[f"{prefix}segmentation"]
        depth = example[f"{side}_depth"] / metres
        region = garment_region(example[f"{side}_segmentation"], example["garment_class"])
        guess = {name: maps[f"{side}_{name}"] for name in ("rgb", "depth", "normals", "parts", "garment_uv")}
        found = {
            "rgb": l1(guess["rgb"], example[f"{side}_rgb"], mask) * has_rgb,
            "depth": huber(guess["depth"], depth, mask, depth_knee) * has["depth"],
            "depth_slopes": depth_slopes(guess["depth"], depth, mask) * has["depth"],
            "normals": normals(guess["normals"], example[f"{side}_normals"], mask) * has["normals"],
            "segmentation": cross_entropy(guess["parts"], example[f"{side}_segmentation"], mask) * has_parts,
            "garment_uv": huber(guess["garment_uv"], example[f"{side}_garment_uv"], region, GARMENT_UV_KNEE)
            * has["garment_uv"],
        }
        terms = {name: terms[name] + value / 2 for name, value in found.items()}
    return {**terms, "mask": silhouette(maps["mask"], mask) * has["mask"]}


def garment_guesses(guesses, example):
    """Mean Huber loss of guesses of both sheets' garment coordinates, each [s, s, 2, 2] at a side s that divides the
    picture's, where the garment shows; a place's guess counts for each of its pixels."""
    side, total = example["mask"].shape[0], 0.0
    for index, name in enumerate(("front", "back")):
        truth = example[f"{name}_garment_uv"]
        region = garment_region(example[f"{name}_segmentation"], example["garment_class"])
        for guess in guesses:
            times = side // guess.shape[0]
            enlarged = guess[:, :, index].repeat(times, axis=0).repeat(times, axis=1)
            total = total + huber(enlarged, truth, region, GARMENT_UV_KNEE)
    return total / (2 * len(guesses)) * example["has"]["garment_uv"]


def blend(maps, example):
    """Mean absolute error of both sheets' composed colours `front_colour` and `back_colour` of one example."""
    mask, has = example["mask"], example["has"]
    front = l1(maps["front_colour"], example["front_rgb"], mask) * has["rgb"]
    back = l1(maps["back_colour"], example["back_rgb"], mask) * has["back_rgb"]
    return (front + back) / 2


def keypoints(found, example):
    """Mean distance of places [..., K, 2] in pixels from an example's visible keypoints, in half picture sides."""
    truth = example["keypoints"]
    visible = (truth[:, 2] > 0) * example["has"]["keypoints"]
    half = example["mask"].shape[0] / 2
    # A ten-thousandth of a half side: the slope of a distance ends nowhere at zero.
    distance = jnp.sqrt(jnp.square((found - truth[:, :2]) / half).sum(-1) + 1e-8)
    return ((distance * visible).sum(-1) / jnp.maximum(visible.sum(), 1.0)).mean()


def keypoint_depths(found, example, depth_knee):
    """Mean Huber loss of both sheets' depths at an example's visible keypoints, found [K, 2] in half extents.

    depth_knee: as of `sheets`.
    """
    places, mask, has = example["keypoints"], example["mask"], example["has"]
    side = mask.shape[0]
    # A keypoint may lie on the picture's edge, or just beyond the silhouette, where there is no depth.
    column, row = jnp.clip(jnp.floor(places[:, :2]).astype(jnp.int32), 0, side - 1).T
    visible = (places[:, 2:] > 0) * mask[row, column] * has["keypoints"] * has["depth"]
    truth = jnp.concatenate([example[f"{name}_depth"][row, column] for name in ("front", "back")], axis=-1)
    return huber(found, truth / half_extent(example["camera"], mask.shape[:2]), visible, depth_knee)


def weighted(terms, weights):
    """Sum of the terms, each times its weight."""
    return sum(weights[name] * value for name, value in terms.items())


def generator_loss(fake_logit, objective):
    """The generator's loss of one logit of a made example.

    nonsaturating: softplus(-f) (Goodfellow 2014, section 3); hinge (arXiv:1705.02894) and wasserstein
    (arXiv:1701.07875): -f. Raises ValueError for another objective.
    """
    _check(objective)
    return jax.nn.softplus(-fake_logit) if objective == "nonsaturating" else -fake_logit


def discriminator_losses(real_logit, fake_logit, objective):
    """The discriminator's loss of one real and one made logit, as two terms: (of the real one, of the made one).

    nonsaturating: softplus(-r), softplus(f); hinge: max(0, 1 - r), max(0, 1 + f); wasserstein: -r, f.
    """
    _check(objective)
    if objective == "nonsaturating":
        return jax.nn.softplus(-real_logit), jax.nn.softplus(fake_logit)
    if objective == "hinge":
        return jax.nn.relu(1 - real_logit), jax.nn.relu(1 + fake_logit)
    return -real_logit, fake_logit


def _check(objective):
    if objective not in OBJECTIVES:
        raise ValueError(f"no objective {objective!r}: choose one of {', '.join(OBJECTIVES)}")


def r1(logits, x):
    """Squared norm of each example's logit's gradient by its input: E of equation 9 of arXiv:1801.04406, times 1.

    logits: function of a batch x [N, ...] to [N] that treats examples apart. Returns [N].
    """
    gradient = jax.grad(lambda inputs: logits(inputs).sum())(x)
    return jnp.square(gradient).reshape(len(x), -1).sum(-1)
