"""Twin of stages/transfer.py's training step."""

import torch
import torch.nn.functional as F

from experiments.twins import layers, losses, maps
from experiments.twins.maps import SIDES
from experiments.twins.step import Step, detached
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


class Transfer(Step):
    """stages/transfer.py without a discriminator.

    The stem of depth and normals, which transfer does not show, is left alone; ours decays its weights.
    """

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.loss = self.compile(self._loss)

    def _part(self, name, tree):
        made = super()._part(name, tree)
        if name == "encoder":
            made.stem_geometry.requires_grad_(False)
        return made

    def step(self, batch):
        """One step on a batch of examples with `visible` [N, H, W, 1]; returns its losses, a dict of scalars."""
        total, terms = self.loss(batch)
        self.descend(total)
        return {"loss": total.detach(), **terms}

    @torch.no_grad()
    def outputs(self, batch):
        """Named maps of a batch."""
        return self._dress(batch)[0]

    def _look(self, batch):
        has = batch["has"]
        shown = F.one_hot(batch["person_segmentation"], len(PARTS)).float()
        photo, visible = batch["person"], batch["visible"]
        seen = {
            "rgb": (2 * photo - 1) * visible,
            "detail": 2 * (batch["person_fine"] - _twice(photo)) * _twice(visible),
            "parts": shown * has["person_segmentation"][:, None, None, None],
            "keypoints": batch["keypoints"] * has["keypoints"][:, None, None],
        }
        pyramid, posture = self.parts["encoder"](seen)
        garment = (batch["garment"], batch["garment_mask"], batch["garment_class"])
        pyramid, guesses = self.parts["garment_encoder"](pyramid, *garment)
        found = maps.split(self.parts["decoder"](pyramid)) | posture
        size = batch["person"].shape[1:3]
        finest = F.interpolate(guesses[-1], size, mode="bilinear", align_corners=False)
        for index, side in enumerate(SIDES):
            guess = finest[:, 2 * index : 2 * index + 2].permute(0, 2, 3, 1)
            found[f"{side}_garment_uv"] = (guess + found[f"{side}_garment_uv"]).clamp(-1.0, 1.0)
        return found, guesses, seen["parts"]

    def _dress(self, batch):
        found, guesses, shown = self._look(batch)
        classes = batch["garment_class"]
        wearable = torch.tensor(_WEARABLE, device=classes.device)[classes][:, None, None]
        for side in SIDES:
            found[f"{side}_parts"] = found[f"{side}_parts"].masked_fill(~wearable, _NEVER)
        return found | self._compose(found, batch, shown), guesses

    @staticmethod
    def _compose(found, batch, shown):
        photo, colours = batch["person"], {}
        garment = batch["garment"].permute(0, 3, 1, 2)
        unlabelled = (1 - batch["has"]["person_segmentation"])[:, None, None, None] * photo
        part = losses.garment_part(batch["garment_class"])[:, None, :, None]
        mask = batch["garment_mask"].permute(0, 3, 1, 2)
        # The garment's picture out of focus, and how much of it is the garment.
        smooth = layers.cells(torch.cat([garment * mask, mask], dim=1), min(CELLS, garment.shape[2]))
        for side, mended in (("front", maps.mend), ("back", maps.behind)):
            shading, blend, place = (found[f"{side}_{name}"] for name in ("shading", "blend", "garment_uv"))
            wanted = found[f"{side}_parts"].detach().softmax(-1)
            worn, blurred = wanted @ part, _sampled(smooth, place)
            palette = worn * blurred[..., :3] / blurred[..., 3:].clamp(min=1e-3)
            sources = {
                "own": found[f"{side}_rgb"],
                "garment": _sampled(garment, place) * shading,
                "photo": mended(photo, 1.0, shown, wanted) + unlabelled,
                "palette": (palette + (1 - worn) * maps.repaint(photo, 1.0, shown, wanted)) * shading,
            }
            kept = (1 - worn) * maps.shares(blend, ("own", "photo", "palette"))
            shares = worn * maps.shares(blend, ("own", "garment", "palette")) + kept
            colours[f"{side}_colour"] = maps.composed(shares, sources)
        return colours

    def _loss(self, batch):
        (found, guesses), knee = self._dress(batch), self.config["loss"]["depth_knee"]
        terms = {
            **losses.sheets(found, batch, knee),
            "blend": losses.blend(found, batch),
            "keypoints": losses.keypoints(found["joints"], batch),
            "keypoint_depths": losses.keypoint_depths(found["joint_depths"], batch, knee),
            "garment_guesses": losses.garment_guesses(guesses, batch),
        }
        terms = {name: value.mean() for name, value in terms.items()}
        return losses.weighted(terms, self.config["loss"]), detached(terms)


def _sampled(picture, place):
    """Colours [N, H, W, C] of a picture [N, C, G, G] at places [N, H, W, 2] in [-1, 1]."""
    found = F.grid_sample(picture, place, padding_mode="border", align_corners=False)
    return layers.channels_last(found)


def _twice(picture):
    """A picture [N, H, W, C] with each pixel 2 x 2 times."""
    return picture.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
