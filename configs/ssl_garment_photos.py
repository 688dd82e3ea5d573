"""Self-supervision on a folder of anybody's garment photographs: what is hidden, and which way edges run.

Papers: MAE (arXiv:2111.06377) for the masking, MaskFeat (arXiv:2112.09133) for the edges: from them the encoder learns
what shape a garment has, which colours alone ask little of.
Command: python -m tryon_jax.main --config=configs/ssl_garment_photos.py --config.data.folder=DIR
"""

from configs import ssl


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = ssl.get_config(preset)
    config.data.name = "garment_photos"
    # No photograph shows a surface, so that all there is to learn from is what is hidden.
    config.mask.share = 0.9
    config.loss.oriented = 8.0
    if preset == "cpu":
        config.train.update(steps=2500, evaluate_every=500)
    return config
