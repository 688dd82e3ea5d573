"""The twin of each stage's training step, by the stage's name."""

from experiments.twins.gan_step import Adversarial
from experiments.twins.ssl_step import SelfSupervision
from experiments.twins.transfer_step import Transfer

STEPS = {"ssl": SelfSupervision, "transfer": Transfer, "gan": Adversarial}
