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
    # No photograph shows a surface, so that all there is to learn from is what is hidden: whole cells of edges, or
    # what is left of each would tell most of it.
    config.mask.update(share=0.9, patch=config.model.size // 8)
    # Edges above all: at equal weights the encoder goes on learning colours, and its classes get worse again.
    config.loss.update(oriented=32.0, rgb=0.25, blend=0.25, holes=4.0)
    if preset == "cpu":
        config.train.update(steps=1200, evaluate_every=600)
    return config
