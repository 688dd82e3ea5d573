"""Self-supervised stage: fill what is masked in colour, depth and normals, and lift a photo to both sheets.

Paper: MAE (arXiv:2111.06377) for the masking; the double depth of Moulding Humans (arXiv:1908.00439).
Command: python -m tryon_jax.main --config=configs/ssl.py
"""

from configs import base


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = base.scaled(base.get_config(), preset)
    config.stage = "ssl"
    if preset == "cpu":
        config.train.update(steps=8000, evaluate_every=1000)
        # The same depth in a third to a fifth of Adam's steps; not tried at other sizes.
        config.optimizer.name = "muon"
        # Made people are turned already, each example its own way; turning them again would take a tenth of a step.
        config.augment.yaw = 0.0
        config.optimizer.weight_decay = 0.01  # against learning the few people of this preset by heart
        config.mask.share = 0.25  # a few thousand steps mend holes as well as they ever do; depth takes all the rest
    if preset in ("base", "large"):
        config.train.steps = 100_000
        config.optimizer.learning_rate = 4e-4
    return config
