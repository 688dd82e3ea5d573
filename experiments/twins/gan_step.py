"""Twin of stages/gan.py's training step."""

import torch
import torch.nn.functional as F

from experiments.twins import inference, layers, losses, maps, worn
from experiments.twins.discriminator import observe, shifted
from experiments.twins.maps import SIDES
from experiments.twins.step import Step, detached
from tryon_jax.geometry.parts import PARTS


class Adversarial(Step):
    """stages/gan.py with reconstruction; what is drawn comes with the batch."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.judge = self.parts["discriminator"]
        self.judging = self._optimizer(self.judge.parameters(), "discriminator_learning_rate")
        self.making_loss, self.judging_loss = self.compile(self._making_loss), self.compile(self._judging_loss)
        self.penalty = self.compile(self._penalty)

    def step(self, batch):
        """One step on a batch of `example` and `draws` [steps, N, ...], of which the next is taken."""
        example, draws = batch["example"], _of_step(batch["draws"], self.done)
        real, complete = _observe_real(example)
        self.judge.requires_grad_(False)
        total, made, terms = self.making_loss(example, real, complete, draws)
        total.backward()
        self.judge.requires_grad_(True)
        found, scalars = self.judging_loss(real, made, complete, example["garment_class"], draws)
        found.backward()
        squares = torch.zeros(())
        if self.done % self.config["loss"]["r1_every"] == 0:
            squares = self.penalty(real, complete, example["garment_class"])
            loss = self.config["loss"]
            (squares * (loss["r1_every"] * loss["r1"] / 2)).backward()
        self.optimizer.step()
        self.judging.step()
        self.average.update()
        self.done += 1
        return {**terms, **scalars, "r1": squares.detach()}

    @torch.no_grad()
    def outputs(self, batch):
        """Named maps of a batch."""
        example, draws = batch["example"], _of_step(batch["draws"], 0)
        real, complete = _observe_real(example)
        z, _, _ = self._inferred(real, complete, example, draws)
        return self._generate(z, example)[0]

    def _generate(self, z, example, *posture):
        garments = (example["garment"], example["garment_mask"], example["garment_class"])
        joints, pyramid, palette = self.parts["mapping"](z, garments[2], *posture)
        pyramid, guesses = self.parts["garment_encoder"](pyramid, *garments)
        found = worn.placed(maps.split(self.parts["decoder"](pyramid)), guesses, garments[2])

        def kept(parts):
            shares = maps.materials(parts)
            return {"palette": torch.bmm(shares.flatten(1, 2), palette).reshape(*shares.shape[:3], 3)}

        found |= worn.coloured(found, example, dict.fromkeys(SIDES, kept))
        found["joints"] = (joints + 1) * (example["mask"].shape[1] / 2)
        return found, found["mask"].sigmoid(), guesses

    def _inferred(self, real, complete, example, draws):
        which, prior = draws["which"] * complete, self.parts["prior"]
        known = example["garment_class"], layers.channels_last(worn.cells(example)).flatten(1)
        found = self.parts["inference"](real)
        told = inference.drawn(*found, draws["noise"])
        with torch.no_grad():
            drawn = prior(draws["noise"], *known)
        terms = {
            "divergence": which * inference.divergence(*found),
            "prior": complete * prior.surprise(told.detach(), *known),
        }
        return torch.where(which[:, None] > 0, told, drawn), which, terms

    def _shifted(self, x, start):
        return shifted(x, start, self.config["augment"]["discriminator"]["shift"])

    def _making_loss(self, example, real, complete, draws):
        weights, classes = self.config["loss"], example["garment_class"]
        z, which, of_latents = self._inferred(real, complete, example, draws)
        found, mask, guesses = self._generate(z, example, *_posture(example, which))
        made = _observe_made(found, mask)
        shown = torch.where(which[:, None, None, None] > 0, made, made.detach())
        logits = self.judge(self._shifted(shown, draws["fooling"]), classes)
        terms = {"generator": losses.generator_loss(logits, weights["objective"]).mean()}
        again = {
            **losses.sheets(found, example, weights["depth_knee"]),
            "blend": losses.blend(found, example),
            "keypoints": losses.keypoints(found["joints"][:, None], example),
            "garment_guesses": losses.garment_guesses(guesses, example),
        }
        again = losses.weighted(again, weights) * which
        terms |= {name: value.mean() for name, value in {**of_latents, "reconstruction": again}.items()}
        total = weights["adversarial"] * terms["generator"] + terms["prior"]
        total = total + sum(weights[name] * terms[name] for name in ("reconstruction", "divergence"))
        return total, made.detach(), detached(terms)

    def _judging_loss(self, real, made, complete, classes, draws):
        both = torch.cat([self._shifted(real, draws["real"]), self._shifted(made, draws["made"])])
        real_logits, made_logits = self.judge(both, torch.cat([classes, classes])).chunk(2)
        of_real, of_made = losses.discriminator_losses(real_logits, made_logits, self.config["loss"]["objective"])
        loss = (of_real * complete + of_made).mean()
        scalars = {"real_logit": (real_logits * complete).mean(), "made_logit": made_logits.mean()}
        return loss, detached({"discriminator": loss, **scalars})

    def _penalty(self, real, complete, classes):
        if torch.compiler.is_compiling():
            gradient = torch.func.grad(lambda x: self.judge(x, classes).sum())(real)
        else:
            shown = real.clone().requires_grad_() + 0  # no leaf, which FlopCounterMode would refuse
            (gradient,) = torch.autograd.grad(self.judge(shown, classes).sum(), shown, create_graph=True)
        return (gradient.square().sum((1, 2, 3)) * complete).mean()


def _of_step(draws, step):
    return {name: value[step % len(value)] for name, value in draws.items()}


def _posture(example, which):
    """The joints of real people in half picture sides, and which of them are drawn."""
    places, has = example["keypoints"], example["has"]["keypoints"] * which
    return places[..., :2] * (2 / example["mask"].shape[1]) - 1, (places[..., 2:] > 0) * has[:, None, None]


def _observe_real(example):
    half, has = losses.metres(example), example["has"]
    observed = observe(
        [example[f"{side}_rgb"] for side in SIDES],
        [example[f"{side}_depth"] / half for side in SIDES],
        [F.one_hot(example[f"{side}_segmentation"], len(PARTS)).float() for side in SIDES],
        example["mask"],
    )
    complete = has["rgb"] * has["back_rgb"] * has["depth"] * has["mask"]
    return observed, complete * has["segmentation"] * has["back_segmentation"]


def _observe_made(found, mask):
    return observe(
        [found[f"{side}_colour"] for side in SIDES],
        [found[f"{side}_depth"] for side in SIDES],
        [found[f"{side}_parts"].softmax(-1) for side in SIDES],
        mask,
    )
