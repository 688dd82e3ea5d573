"""Try-on fine-tuned on VITON-HD from the weights that come with the package: photographs in place of made people.

Its photos tell colours, silhouette and parts of the front. Depth, normals, the back and garment coordinates have no
truth in them, so those losses are zero by `has`, and slow networks keep what they know of them; coordinates are still
moved by the colours that they bring.
Paper: VITON-HD (arXiv:2103.16874) for the data.
Command: python -m tryon_jax.main --config=configs/transfer_viton_hd.py --config.data.folder=COPY
At base and large the networks are larger than the package's: there it starts afresh, at the rates of transfer.py, or
from your own --config.init.encoder=runs/transfer, and garment_encoder and decoder likewise.
"""

from configs import transfer

PARTS = ("encoder", "garment_encoder", "decoder")  # of which try-on consists


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = transfer.get_config(preset)
    config.data.name = "viton_hd"
    # The discriminator judges whole pairs of sheets, and real ones lack their backs.
    config.loss.adversarial = 0.0
    # What no loss moves would only shrink.
    config.optimizer.weight_decay = 0.0
    if preset == "cpu":
        config.train.steps = 2000  # about three times through the photos
        for part in PARTS:
            config.init[part] = "pretrained"
        config.optimizer.learning_rate *= 0.2
        # Depth and the back hang on what these two make of a person, and nothing here would mend them.
        config.optimizer.learning_rate_scale.update(encoder=0.3, decoder=0.3)
    return config
