"""Twin of models/inference.py: which latents real sheets have, and the distribution of those."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.discriminator import NOBODY, OBSERVED
from experiments.twins.layers import cells, channels_first, layer_norm, tokens

CELLS = 16
SURE = 4.0


class Inference(nn.Module):
    """Observed sheets [N, H, W, OBSERVED] -> mean and log variance [N, latent]."""

    def __init__(self, size, latent_dim, width=256):
        super().__init__()
        self.side = min(CELLS, size)
        self.dense_0, self.dense_1 = nn.Linear(self.side**2 * OBSERVED, width), nn.Linear(width, width)
        self.norm, self.latent = layer_norm(width), nn.Linear(width, 2 * latent_dim)

    def forward(self, x):
        h = tokens(cells(channels_first(x - x.new_tensor(NOBODY)), self.side)).flatten(1)
        h = F.silu(self.dense_1(F.silu(self.dense_0(h))))
        mean, log_variance = self.latent(self.norm(h)).chunk(2, dim=1)
        return mean, 10 * ((log_variance - SURE) / 10).tanh()


class Prior(nn.Module):
    """A normal distribution of latents, a mean for each garment class, bent by couplings that see the garment."""

    def __init__(self, latent_dim, classes, seen, couplings=6, width=128, told=24):
        super().__init__()
        self.mean = nn.Parameter(torch.empty(max(classes, 1), latent_dim))
        self.log_diagonal = nn.Parameter(torch.empty(latent_dim))
        self.below = nn.Parameter(torch.empty(latent_dim, latent_dim))
        self.look = nn.Linear(seen, told)
        self.coupling = []
        for index in range(couplings):
            made = Coupling(latent_dim // 2 + max(classes, 1) + told, width, latent_dim - latent_dim // 2)
            self.add_module(f"coupling_{index}", made)
            self.coupling.append(made)
        self.latent_dim, self.classes = latent_dim, classes

    def _class(self, garment_class):
        return garment_class if self.classes else torch.zeros_like(garment_class)

    def _known(self, garment_class, seen):
        kind = F.one_hot(self._class(garment_class), max(self.classes, 1)).float()
        return torch.cat([kind, F.silu(self.look(seen))], dim=1)

    def _whitening(self):
        return self.below.tril(-1) + self.log_diagonal.exp().diag()

    def forward(self, noise, garment_class, seen):
        x, known, half = noise, self._known(garment_class, seen), self.latent_dim // 2
        for coupling in reversed(self.coupling):
            kept, moved = x.flip(1).split([half, self.latent_dim - half], dim=1)
            log_scale, shift = coupling(kept, known)
            x = torch.cat([kept, (moved - shift) * (-log_scale).exp()], dim=1)
        spread = torch.linalg.solve_triangular(self._whitening(), x.T, upper=False).T
        return self.mean[self._class(garment_class)] + spread

    def surprise(self, z, garment_class, seen):
        """Negative log density of latents, nats a dimension and but for a constant: [N]."""
        known, half = self._known(garment_class, seen), self.latent_dim // 2
        x, volume = (z - self.mean[self._class(garment_class)]) @ self._whitening().T, self.log_diagonal.sum()
        for coupling in self.coupling:
            kept, moved = x.split([half, self.latent_dim - half], dim=1)
            log_scale, shift = coupling(kept, known)
            x = torch.cat([kept, moved * log_scale.exp() + shift], dim=1).flip(1)
            volume = volume + log_scale.sum(1)
        return 0.5 * x.square().mean(1) - volume / self.latent_dim


class Coupling(nn.Module):
    """How one half of latents is scaled and shifted for what the other half and the garment are."""

    def __init__(self, inputs, width, outputs):
        super().__init__()
        self.dense_0, self.dense_1 = nn.Linear(inputs, width), nn.Linear(width, width)
        self.told = nn.Linear(width, 2 * outputs)

    def forward(self, kept, known):
        h = F.silu(self.dense_1(F.silu(self.dense_0(torch.cat([kept, known], dim=1)))))
        log_scale, shift = self.told(h).chunk(2, dim=1)
        return log_scale.tanh(), shift


def drawn(mean, log_variance, noise):
    """Latents of the distribution by standard normal noise."""
    return mean + (log_variance / 2).exp() * noise


def divergence(mean, log_variance):
    """Kullback-Leibler divergence from the standard normal, [N]."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
