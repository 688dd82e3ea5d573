"""Twin of stages/transfer.py's training step."""

import torch
import torch.nn.functional as F

from experiments.twins import losses, maps, worn
from experiments.twins.step import Step, detached
from tryon_jax.geometry.parts import PARTS


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
        return worn.placed(found, guesses, batch["garment_class"]), guesses, seen["parts"]

    def _dress(self, batch):
        found, guesses, shown = self._look(batch)
        photo = batch["person"]
        unlabelled = (1 - batch["has"]["person_segmentation"])[:, None, None, None] * photo

        def kept(mended):
            return lambda wanted: {
                "photo": mended(photo, 1.0, shown, wanted) + unlabelled,
                "palette": maps.repaint(photo, 1.0, shown, wanted),
            }

        return found | worn.coloured(found, batch, {"front": kept(maps.mend), "back": kept(maps.behind)}), guesses

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


def _twice(picture):
    """A picture [N, H, W, C] with each pixel 2 x 2 times."""
    return picture.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
