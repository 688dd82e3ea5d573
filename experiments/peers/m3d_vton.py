"""M3D-VTON (arXiv:2108.05126): three networks from a photo and a garment to both depths and one colour.

The monocular prediction module warps the garment by a thin-plate spline, labels the parts of the dressed person, and
finds first depths of both sheets; the depth refinement module mends these by what the pictures' gradients show; the
texture fusion module lays the warped garment over a rendered person. What is seen of the person is without clothes:
silhouette made coarse, the parts that stay, and keypoints' heat maps.

Kept of the paper: the modules, what each is shown, their losses but one, no gradient from one into another, Adam at
2e-4 with b1 0.5, instance norm. Otherwise: all three learn in every step, the later ones from what the first finds
then, instead of one after the other, so that steps count alike for all methods. Sizes follow the picture: garment and
person are compared on a grid of 8 x 8 cells at 64 px, the U-Nets end at 4 pixels. Upsampling is a transposed
convolution. The refinement adds to the first depth. There is no perceptual loss, as nothing here is pretrained. Losses
of depth and colour count on the person alone, since the sheets have no background. The garment is first laid onto its
joints' box, as the clothes in the photo may be of another kind. The back's colour is, as the paper's, the front's, its
face filled with hair. Parameters are averaged, and the rate falls, as in the project's own runs.
"""

from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from experiments.peers import Peer, thin_plate
from experiments.peers.m3d_inputs import agnostic, kept, laid, sobel
from experiments.peers.unet import Convolution, InstanceNorm, UNet
from tryon_jax import losses
from tryon_jax.geometry.camera import half_extent, pixel_centres
from tryon_jax.geometry.parts import PART, PARTS
from tryon_jax.models.maps import DEPTH_UNIT
from tryon_jax.state import TrainState, average, descend, optimizer

MODULES = ("prediction", "refinement", "fusion")
CONTROLS = 3  # control points a side, the authors' own number
# Weights of the losses, the authors' own.
WEIGHTS = {"warp": 1.0, "bending": 0.1, "parts": 1.0, "depth": 1.0, "refined": 1.0, "slopes": 1.0}
WEIGHTS |= {"colour": 1.0, "share": 1.0}
SKIN = 1.5  # weight of background and skin in the labels' loss
_BARE = (
    "background", "face", "neck", "left_arm", "right_arm", "left_hand", "right_hand", "left_leg", "right_leg",
)  # fmt: skip
_LABEL_WEIGHT = np.array([SKIN if part in _BARE else 1.0 for part in PARTS], np.float32)


class _Features(nn.Module):
    """[N, S, S, C] -> [N, S / 2^downs, ., 8 x width at most]."""

    width: int
    downs: int

    @nn.compact
    def __call__(self, x):
        for level in range(self.downs):
            x = Convolution(self.width * min(2**level, 8), "down", name=f"down_{level}")(x)
            x = InstanceNorm(name=f"norm_{level}")(nn.relu(x))
        x = nn.relu(Convolution(x.shape[-1], "same", name="conv_0")(x))
        return nn.relu(Convolution(x.shape[-1], "same", name="conv_1")(InstanceNorm(name="norm")(x)))


class _Spline(nn.Module):
    """Features of person and garment -> offsets of the control points [N, CONTROLS^2, 2] in (-1, 1); zero at first."""

    @nn.compact
    def __call__(self, person, garment):
        n, side, _, channels = person.shape
        # 1e-6: a cell of which nothing was found has no direction.
        person, garment = (x / jnp.sqrt(jnp.square(x).sum(-1, keepdims=True) + 1e-6) for x in (person, garment))
        x = jnp.einsum("nhwc,nkc->nhwk", person, garment.reshape(n, side * side, channels))
        for index in range((side // 4).bit_length() - 1):  # down to 4 cells a side
            x = Convolution(channels, "down", use_bias=False, name=f"down_{index}")(x)
            x = nn.relu(InstanceNorm(name=f"down_norm_{index}")(x))
        for index, share in enumerate((2, 4)):
            x = Convolution(max(channels // share, 1), "same", use_bias=False, name=f"conv_{index}")(x)
            x = nn.relu(InstanceNorm(name=f"norm_{index}")(x))
        offsets = nn.Dense(2 * CONTROLS**2, kernel_init=nn.initializers.zeros, name="offsets")(x.reshape(n, -1))
        return jnp.tanh(offsets).reshape(n, CONTROLS**2, 2)


class _Decoder(nn.Module):
    """Features of both -> [N, S, S, outputs]; ups: doublings."""

    outputs: int
    width: int
    ups: int

    @nn.compact
    def __call__(self, x):
        widths = [self.width * min(2**level, 8) for level in range(self.ups)]
        for index in range(2):
            x = Convolution(widths[-1], "same", use_bias=False, name=f"conv_{index}")(x)
            x = nn.relu(InstanceNorm(name=f"conv_norm_{index}")(x))
        for level in range(self.ups - 1, 0, -1):
            x = Convolution(widths[level - 1], "up", use_bias=False, name=f"up_{level}")(x)
            x = nn.relu(InstanceNorm(name=f"up_norm_{level}")(x))
        return Convolution(self.outputs, "up", name="up_0")(x)


class Prediction(nn.Module):
    """The monocular prediction module (section 3.1): offsets of the spline, logits of parts, both depths."""

    width: int
    downs: int

    @nn.compact
    def __call__(self, person, garment):
        """person [N, S, S, 21] as of `agnostic`, garment [N, S, S, 3] laid onto its place.

        Returns offsets [N, CONTROLS^2, 2], part logits [N, S, S, parts], depths [N, S, S, 2] in half extents.
        """
        person = _Features(self.width, self.downs, name="person")(person)
        garment = _Features(self.width, self.downs, name="garment")(garment)
        both = jnp.concatenate([person, garment], axis=-1)
        parts = _Decoder(len(PARTS), self.width, self.downs, name="parts")(both)
        depths = _Decoder(2, self.width, self.downs, name="depths")(both)
        return _Spline(name="spline")(person, garment), parts, DEPTH_UNIT * depths


class _Setup(NamedTuple):
    modules: dict
    chain: object
    ema_decay: float


def build(size, width, optimization, ema_decay, axis_name=None):
    """The peer for pictures of `size` pixels, a multiple of 16; `width`: channels of the first level, 64 in the paper.

    optimization: keywords of state.optimizer but `scale`; axis_name: as of a stage's build.
    """
    downs = min(max(size.bit_length() - 4, 2), 4)
    depth = size.bit_length() - 3  # halvings down to 4 pixels
    modules = {
        "prediction": Prediction(width, downs),
        "refinement": UNet(2, width, depth),
        "fusion": UNet(4, width, depth),
    }
    chain = optimizer(scale={name: 1.0 for name in MODULES}, axis_name=axis_name, **optimization)
    setup = _Setup(modules, chain, ema_decay)
    return Peer(*(partial(function, setup) for function in (_init, _train_step, _look)))


def _init(setup, key, batch):
    first = jax.tree.map(lambda rows: rows[:1], batch)
    keys = jax.random.split(key, 3)
    person, side = jax.vmap(agnostic)(first), first["mask"].shape[1]
    shapes = {"prediction": (person, person[..., :3]), "refinement": 12, "fusion": 8 + len(PARTS)}
    params = {}
    for name, key in zip(MODULES, keys, strict=True):
        shown = shapes[name]
        shown = shown if isinstance(shown, tuple) else (jnp.zeros((1, side, side, shown)),)
        params[name] = setup.modules[name].init(key, *shown)["params"]
    return TrainState(jnp.int32(0), params, setup.chain.init(params), jax.tree.map(jnp.copy, params))


def _predicted(setup, params, batch):
    """What the first module finds: offsets, parts and depths, and the warped garment with its cut-out, [B, S, S, 4]."""
    side = batch["mask"].shape[1]
    rest = 2 * pixel_centres((side, side)) / side - 1
    garment = jax.vmap(partial(laid, places=rest))(batch)[..., :3]
    shown = jax.vmap(agnostic)(batch), 2 * garment - 1
    offsets, parts, depths = setup.modules["prediction"].apply({"params": params["prediction"]}, *shown)
    places = jax.vmap(partial(thin_plate.places, basis=thin_plate.basis(side, CONTROLS)))(offsets)
    return {"offsets": offsets, "parts": parts, "depths": depths, "warped": jax.vmap(laid)(batch, places)}


def _grey(picture):
    return picture.mean(-1, keepdims=True)


def _refined(setup, params, batch, found):
    """Both depths [B, S, S, 2] in half extents (section 3.2)."""
    stays, cloth = jax.vmap(kept)(batch), found["warped"][..., :3]
    worn = jax.nn.softmax(found["parts"]) @ jax.vmap(losses.garment_part)(batch["garment_class"])[:, None, :, None]
    slopes = [sobel(_grey(cloth)) * worn, sobel(_grey(batch["person"])) * stays]
    pictures = [2 * cloth - 1, 2 * batch["person"] * stays - 1]
    seen = jnp.concatenate([found["depths"] / DEPTH_UNIT, *pictures, *slopes], axis=-1)
    return found["depths"] + DEPTH_UNIT * setup.modules["refinement"].apply({"params": params["refinement"]}, seen)


def _fused(setup, params, batch, found):
    """The front's colour [B, S, S, 3] in [0, 1], and the garment's share of it [B, S, S, 1] (section 3.3)."""
    cloth, mask = jnp.split(found["warped"], [3], axis=-1)
    stays = 2 * batch["person"] * jax.vmap(kept)(batch) - 1
    depth = found["depths"][..., :1] / DEPTH_UNIT
    seen = jnp.concatenate([2 * cloth - 1, mask, stays, jax.nn.softmax(found["parts"]), depth], axis=-1)
    raw = setup.modules["fusion"].apply({"params": params["fusion"]}, seen)
    rendered, share = (jnp.tanh(raw[..., :3]) + 1) / 2, jax.nn.sigmoid(raw[..., 3:])
    return cloth * share + rendered * (1 - share), share


def _everything(setup, params, batch):
    found = _predicted(setup, params, batch)
    fixed = jax.lax.stop_gradient(found)
    colour, share = _fused(setup, params, batch, fixed)
    return {**found, "refined": _refined(setup, params, batch, fixed), "colour": colour, "share": share}


def _terms(found, example):
    """Losses of one example; pictures count in [-1, 1] and depths in half extents, as in the paper."""
    mask, labels = example["mask"], example["front_segmentation"]
    region = losses.garment_region(labels, example["garment_class"])
    depth = jnp.concatenate([example["front_depth"], example["back_depth"]], axis=-1)
    depth = depth / half_extent(example["camera"], mask.shape[:2])
    worn = example["front_rgb"] * region + 1 - region
    refined = found["refined"] - depth
    # Sobel's slopes are linear: those of the error are the error of the slopes.
    slopes = jnp.concatenate([sobel(refined[..., side : side + 1] * mask) for side in (0, 1)], axis=-1)
    return {
        "warp": 2 * jnp.abs(found["warped"][..., :3] - worn).mean(),
        "bending": thin_plate.bending(found["offsets"]),
        "parts": losses.cross_entropy(found["parts"], labels, jnp.asarray(_LABEL_WEIGHT)[labels][..., None]),
        "depth": 2 * losses.l1(found["depths"], depth, mask),
        "refined": 2 * losses.masked_mean(jnp.log1p(jnp.abs(refined)), mask),
        "slopes": 4 * losses.masked_mean(jnp.log1p(jnp.abs(slopes)), mask),
        "colour": 2 * losses.l1(found["colour"], example["front_rgb"], mask),
        "share": jnp.abs(found["share"] - region).mean(),
    }


def _train_step(setup, state, batch, rng):
    def loss(params):
        terms = jax.vmap(_terms)(_everything(setup, params, batch), batch)
        terms = {name: value.mean() for name, value in terms.items()}
        return losses.weighted(terms, WEIGHTS), terms

    (total, terms), gradients = jax.value_and_grad(loss, has_aux=True)(state.params)
    params, opt_state = descend(setup.chain, gradients, state.opt_state, state.params)
    ema = average(state.ema, params, state.step, setup.ema_decay)
    scalars = {"loss": total, **{f"loss/{name}": value for name, value in terms.items()}}
    return TrainState(state.step + 1, params, opt_state, ema), scalars


def behind(colour, parts):
    """The front's colour [S, S, 3] as the back's: the face in the mean colour of the hair; parts: probabilities."""
    hair, face = parts[..., PART["hair"], None], parts[..., PART["face"], None]
    # Less than a pixel of hair has no colour that is worth spreading: a bald head stays as it is.
    mean = (colour * hair).sum((0, 1)) / jnp.maximum(hair.sum(), 1.0)
    return jnp.where(hair.sum() < 1, colour, colour * (1 - face) + mean * face)


def _look(setup, params, batch, rng):
    found = _everything(setup, params, batch)
    front, back = jnp.split(found["refined"], 2, axis=-1)
    parts = found["parts"]
    return {
        "front_colour": found["colour"],
        "back_colour": jax.vmap(behind)(found["colour"], jax.nn.softmax(parts)),
        "front_depth": front,
        "back_depth": back,
        # The silhouette is what the labels do not call background.
        "mask": jax.nn.logsumexp(parts[..., 1:], axis=-1, keepdims=True) - parts[..., :1],
    }
