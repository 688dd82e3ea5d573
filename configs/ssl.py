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
        config.train.steps = 9000
        # Small changes: in so few steps held-out people are fitted no worse than the training's, so they only cost.
        config.augment.update(yaw=0.05, roll=0.02, scale=0.03, shift=0.02)
    if preset in ("base", "large"):
        config.train.steps = 100_000
        config.optimizer.learning_rate = 4e-4
    return config
