"""Second round of self-supervision: a warm restart of a finished ssl run that is after depth above all.

Depth weighs more, and large errors more than small ones: what a picture leaves open, a foot before or behind, goes to
its mean. Paper: SGDR (arXiv:1608.03983) for the restart.
Command: python -m tryon_jax.main --config=configs/ssl_second.py
With: --config.init.encoder=runs/ssl --config.init.decoder=runs/ssl
"""

from configs import ssl


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = ssl.get_config(preset)
    # Quadratic up to the depth of a stride. Against the first round small errors of depth count twice, large ones up to
    # eight times.
    config.loss.update(depth_knee=0.6, depth=200.0, keypoint_depths=80.0)
    config.optimizer.learning_rate *= 0.6
    config.optimizer.weight_decay = 0.02
    # Joints are found well by now, so their depths are learned from found ones, as they will be used.
    config.mask.told = 0.2
    if preset == "cpu":
        config.train.update(steps=7000, evaluate_every=1000)
    return config
