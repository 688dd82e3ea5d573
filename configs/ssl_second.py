"""Second round of self-supervision: a warm restart of a finished ssl run that is after depth above all.

Depth weighs more, and large errors more than small ones: what a picture leaves open, a foot before or behind, goes to
its mean. Paper: SGDR (arXiv:1608.03983) for the restart.
Command: python -m tryon_jax.main --config=configs/ssl_second.py
With: --config.init.encoder=runs/ssl --config.init.decoder=runs/ssl
"""

from configs import ssl


def after_depth(config):
    """The config with large errors of depth counted in full, and depth weighed by what its error is worth to a user."""
    # Up to the depth of a stride the loss is quadratic. Weights are over twice the knee: small errors count about twice
    # what they did, large ones up to eight times.
    config.loss.update(depth_knee=0.6, depth=200.0, keypoint_depths=80.0)


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = ssl.get_config(preset)
    after_depth(config)
    config.optimizer.learning_rate *= 0.6
    config.optimizer.weight_decay = 0.02
    if preset == "cpu":
        config.train.update(steps=3000, evaluate_every=500)
    return config
