"""Adversarial stage: a latent z and a garment's picture to both sheets of somebody who wears it.

Paper: StyleGAN2 (arXiv:1912.04958) for the objective and lazy R1; DiffAugment (arXiv:2006.10738) for what D sees;
VAE/GAN (arXiv:1512.09300) for the real sheets made anew, without which one person appears again and again.
Command: python -m tryon_jax.main --config=configs/gan.py
The cpu preset begins with the decoder and the garment encoder that come with the package; with nothing learned before:
--config.init.decoder= --config.init.garment_encoder=
From the decoder of an ssl run: --config.init.decoder=runs/ssl --config.init.garment_encoder=
"""

from configs import base


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = base.scaled(base.get_config(), preset)
    config.stage = "gan"
    config.loss.objective = "nonsaturating"
    config.loss.reconstruction = 1.0
    config.loss.divergence = 0.002
    # Beside the reconstruction: enough to sharpen what is made anew, too little to rule what people there are.
    config.loss.adversarial = 0.01
    config.loss.r1 = 5.0
    config.loss.r1_every = 8
    config.optimizer.learning_rate = 3e-3
    # Faster, the discriminator runs away from the generator in the first hundred steps.
    config.optimizer.discriminator_learning_rate = 2e-4
    config.optimizer.b1 = 0.5  # less momentum than elsewhere: each side's loss moves with the other side
    config.optimizer.weight_decay = 0.0
    if preset == "cpu":
        config.train.update(steps=1200, evaluate_every=600, sample_every=600)  # about twelve minutes on 2 cores
        config.init.update(decoder="pretrained", garment_encoder="pretrained")
        # As in configs/transfer.py: in a third of Adam's steps.
        config.optimizer.name = "muon"
        config.loss.update(depth_knee=0.6, depth=100.0, garment_uv=6.0, garment_guesses=3.0, blend=4.0)
        # With bones and a garment's picture to hold on to, a judge three times as strong sharpens and does not rule.
        # One of ten times is pleased with specks about hands and feet after a thousand steps.
        config.loss.update(adversarial=0.03, mask=2.0)
        config.optimizer.discriminator_learning_rate = 1e-3
    if preset in ("base", "large"):
        config.train.steps = 200_000
        config.optimizer.learning_rate = 2e-3
        config.optimizer.discriminator_learning_rate = 2e-3
        config.optimizer.ema_decay = 0.9995
    return config
