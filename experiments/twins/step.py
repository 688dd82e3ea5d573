"""What the twins of the training steps have in common: networks, optimizer, average, and what is compiled.

A step takes a batch as prepared.py makes it, tensors [N, ...], and returns its losses. What torch.compile compiles is a
step's forward and backward pass; optimizers are PyTorch's fused and foreach kernels, and products of matrices.
"""

import torch

from experiments.twins.discriminator import Discriminator
from experiments.twins.encoder_decoder import Decoder, Encoder
from experiments.twins.garment import GarmentEncoder
from experiments.twins.generator import Mapping
from experiments.twins.inference import Inference, Prior
from experiments.twins.optimizer import Average, Optimizer
from experiments.twins.parameters import load
from experiments.twins.worn import CELLS


class Step:
    """What the three have in common. config: a run's config as a plain dict; params: {part: our tree of arrays};
    kind: eager or compiled.

    Raises ValueError if the config asks for what no twin does.
    """

    def __init__(self, config, params, kind="eager", device="cpu"):
        self.config, self.device, self.compiled = config, torch.device(device), kind == "compiled"
        _refuse(config)
        self.parts = {name: self._part(name, tree) for name, tree in params.items()}
        making = [p for name, part in self.parts.items() if name != "discriminator" for p in part.parameters()]
        making = [p for p in making if p.requires_grad]
        self.optimizer = self._optimizer(making, "learning_rate")
        self.average = Average(making, config["optimizer"]["ema_decay"])
        self.done = 0

    def _part(self, name, tree):
        model = self.config["model"]
        features, size, latent, classes = (model[key] for key in ("features", "size", "latent_dim", "classes"))
        more = model["more_blocks"]
        made = {
            "encoder": lambda: Encoder(features, size, more),
            "garment_encoder": lambda: GarmentEncoder(features, size, size),
            "decoder": lambda: Decoder(features, more),
            "mapping": lambda: Mapping(features, size, latent, classes),
            "inference": lambda: Inference(size, latent),
            "prior": lambda: Prior(latent, classes, 4 * CELLS**2),
            "discriminator": lambda: Discriminator(features, size, classes),
        }[name]()
        return load(made, tree).to(self.device, memory_format=torch.channels_last)

    def _optimizer(self, parameters, peak):
        settings = self.config["optimizer"]
        return Optimizer(parameters, settings, settings[peak])

    def compile(self, function):
        """The function, compiled if this is a compiled twin."""
        return torch.compile(function, dynamic=False) if self.compiled else function

    def descend(self, loss):
        """Backward pass and one step of what makes."""
        loss.backward()
        self.optimizer.step()
        self.average.update()
        self.done += 1


def _refuse(config):
    """Raises ValueError for what no twin does, so that unequal work is never timed."""
    optimizer, disturbed = config["optimizer"], config["augment"]["discriminator"]
    plain = {
        "model.dropout": config["model"]["dropout"] == 0,
        "model.dtype": config["model"]["dtype"] == "float32",
        "optimizer.freeze": not optimizer["freeze"],
        "optimizer.low_rank": not optimizer["low_rank"],
        "optimizer.learning_rate_scale": set(optimizer["learning_rate_scale"].values()) == {1.0},
        "augment.discriminator": disturbed["shift"] > 0 and not disturbed["colour"] and not disturbed["cutout"],
        "loss.adversarial": config["stage"] == "gan" or not config["loss"]["adversarial"],
        "loss.reconstruction": config["stage"] != "gan" or config["loss"]["reconstruction"] > 0,
    }
    other = [key for key, same in plain.items() if not same]
    if other:
        raise ValueError(f"the twin has no such {other[0]} as this config")


def detached(terms):
    """A dict of tensors without their gradients."""
    return {name: value.detach() for name, value in terms.items()}
