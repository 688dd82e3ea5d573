"""Twin of stages/ssl.py's training step."""

import torch

from experiments.twins import losses, maps
from experiments.twins.encoder_decoder import without_skips
from experiments.twins.maps import SIDES
from experiments.twins.step import Step, detached

GUESS_EVERY = 2  # steps between those whose bare pictures come with guessed parts


class SelfSupervision(Step):
    """stages/ssl.py."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.guess, self.loss = self.compile(self._guess), self.compile(self._loss)

    def step(self, batch):
        """One step on a batch of `example`, `seen`, `flat` and `bare`; returns its losses, a dict of scalars."""
        seen = batch["seen"]
        if self.done % GUESS_EVERY == 0:
            with torch.no_grad():
                seen = {**seen, "parts": self.guess(seen, batch["flat"], batch["bare"])}
        total, terms = self.loss(seen, batch["flat"], batch["example"])
        self.descend(total)
        return {"loss": total.detach(), **terms}

    @torch.no_grad()
    def outputs(self, batch):
        """Named maps of a batch."""
        return self._reconstruct(batch["seen"], batch["flat"])

    def _look(self, seen, flat):
        pyramid, posture = self.parts["encoder"](seen)
        return maps.split(self.parts["decoder"](without_skips(pyramid, flat))) | posture

    def _reconstruct(self, seen, flat):
        found = self._look(seen, flat)
        return found | _colours(found, seen)

    def _guess(self, seen, flat, bare):
        found = self._look(seen, flat)
        solid = found["mask"].sigmoid()
        parts = torch.cat([1 - solid, solid * found["front_parts"][..., 1:].softmax(-1)], dim=-1) * seen["known"]
        return torch.where(bare[:, None, None, None] > 0, parts, seen["parts"])

    def _loss(self, seen, flat, example):
        found, knee = self._reconstruct(seen, flat), self.config["loss"]["depth_knee"]
        terms = {
            **losses.sheets(found, example, knee),
            "blend": losses.blend(found, example),
            "keypoints": losses.keypoints(found["joints"], example),
            "keypoint_depths": losses.keypoint_depths(found["joint_depths"], example, knee),
            "holes": losses.holes(found, example, seen["known"]),
        }
        terms = {name: value.mean() for name, value in terms.items()}
        return losses.weighted(terms, self.config["loss"]), detached(terms)


def _colours(found, seen):
    """Both sheets' colours: own, the picture's with holes mended, and the person's by material."""
    shown, colours = (seen["rgb"] + 1) / 2, {}
    parts = {side: found[f"{side}_parts"].detach().softmax(-1) for side in SIDES}
    known = found["mask"].detach().sigmoid() * seen["known"]
    mended = maps.mend(shown, known, parts["front"], parts["front"])
    photo = seen["known"] * shown + (1 - seen["known"]) * mended
    for side in SIDES:
        palette = maps.repaint(shown, known, parts["front"], parts[side]) * found[f"{side}_shading"]
        sources = {"own": found[f"{side}_rgb"], "photo": photo, "palette": palette}
        colours[f"{side}_colour"] = maps.composed(maps.shares(found[f"{side}_blend"], sources), sources)
    return colours
