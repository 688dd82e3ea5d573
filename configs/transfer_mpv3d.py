"""Try-on fine-tuned on MPV-3D from the weights that come with the package: photographs, with depth of both sides.

Colours, silhouette and parts of the front as in VITON-HD, and depth and normals of front and back, as PIFuHD made them
of the photos. The back's colours and parts, and garment coordinates, have no truth: their losses are zero by `has`.
Paper: M3D-VTON (arXiv:2108.05126) for the data.
Command: python -m tryon_jax.main --config=configs/transfer_mpv3d.py --config.data.folder=COPY
Larger presets start as in configs/transfer_viton_hd.py.
"""

from configs import transfer_viton_hd


def get_config(preset="cpu"):
    """The run at a preset: smoke | cpu | base | large. Raises ValueError naming them for another."""
    config = transfer_viton_hd.get_config(preset)
    config.data.name = "mpv3d"
    # With depth to hold on to, the whole of the networks may move alike.
    config.optimizer.learning_rate_scale.update(encoder=1.0, decoder=1.0)
    return config
