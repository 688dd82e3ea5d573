"""Twin of models/generator.py: a latent and a garment class -> a pyramid and the colours of the materials."""

import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import UpConv, group_norm, layer_norm, picture
from tryon_jax.geometry.parts import MATERIALS


class Mapping(nn.Module):
    """z [N, latent] and garment_class [N] -> (pyramid, colours [N, M, 3] in (0, 1))."""

    def __init__(self, features, size, latent_dim, classes):
        super().__init__()
        full, half, quarter, eighth = features
        self.size = size
        self.class_ = nn.Embedding(classes, latent_dim) if classes else None
        self.dense_0, self.dense_1 = nn.Linear(latent_dim, 2 * eighth), nn.Linear(2 * eighth, 2 * eighth)
        self.norm = layer_norm(2 * eighth)
        self.start = side = min(4, size // 8)
        self.grid = nn.Linear(2 * eighth, side * side * eighth)
        self.sides = []
        while side < size // 8:
            side *= 2
            self.sides.append(side)
            self.add_module(f"norm_{side}", group_norm(eighth))
            self.add_module(f"up_{side}", UpConv(eighth, eighth))
        self.levels = (("quarter", quarter, 4), ("half", half, 2), ("full", full, 1))
        for name, channels, _ in self.levels:
            self.add_module(f"style_{name}", nn.Linear(2 * eighth, channels))
        self.palette = nn.Linear(2 * eighth, 3 * len(MATERIALS))

    def forward(self, z, garment_class):
        w = z if self.class_ is None else z + self.class_(garment_class)
        w = F.leaky_relu(self.dense_1(F.leaky_relu(self.dense_0(w), 0.2)), 0.2)
        w = self.norm(w)
        h = picture(self.grid(w).unflatten(1, (self.start**2, -1)), self.start)
        for side in self.sides:
            h = getattr(self, f"up_{side}")(F.silu(getattr(self, f"norm_{side}")(h)))
        upper = []
        for name, _, factor in self.levels:
            style = getattr(self, f"style_{name}")(w)[:, :, None, None]
            upper.append(style.expand(-1, -1, self.size // factor, self.size // factor))
        return (h, *upper), self.palette(w).sigmoid().reshape(len(z), len(MATERIALS), 3)
