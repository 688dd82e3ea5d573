"""Transfer stage: a person and a garment picture to both sheets of the person wearing it.

The encoder may come from an ssl run and the decoder from a gan run; what they know is tuned slowly.
Command: python -m tryon_jax.main --config=configs/transfer.py
From both: --config.init.encoder=runs/ssl --config.init.decoder=runs/gan
"""

from configs import base


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = base.scaled(base.get_config(), preset)
    config.stage = "transfer"
    config.loss.adversarial = 0.05
    if preset == "cpu":
        config.train.steps = 2500
        # The same depth in a third to a fifth of Adam's steps; not tried at other sizes.
        config.optimizer.name = "muon"
        config.train.evaluate_every = 500
        # As in configs/ssl_second.py: depth above all, and what is left open goes to its mean.
        config.loss.update(depth_knee=0.6, depth=200.0, keypoint_depths=80.0)
        # What the encoder and the decoder of ssl have not learned yet.
        config.loss.update(garment_uv=6.0, garment_guesses=3.0, blend=3.0)
        config.loss.adversarial = 0.0  # the discriminator would take two fifths of a CPU's time
    if preset in ("base", "large"):
        config.train.steps = 100_000
        config.optimizer.learning_rate = 4e-4
        config.optimizer.discriminator_learning_rate = 4e-4
    return config
