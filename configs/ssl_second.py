"""Second round of self-supervision: a warm restart of a finished ssl run, moved further and with weight decay.

A first round ends with people of the training split fitted better than held-out ones; larger augmentation and weight
decay are against that. Paper: SGDR (arXiv:1608.03983) for the restart.
Command: python -m tryon_jax.main --config=configs/ssl_second.py
With: --config.init.encoder=runs/ssl --config.init.decoder=runs/ssl
"""

from configs import base, ssl


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = ssl.get_config(preset)
    config.optimizer.learning_rate *= 0.6
    config.optimizer.weight_decay = 0.01
    if preset == "cpu":
        config.augment = base.get_config().augment
        config.augment.yaw = 0.1
    return config
