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
    """A normal distribution of latents, a mean for each garment class."""

    def __init__(self, latent_dim, classes):
        super().__init__()
        self.mean = nn.Parameter(torch.empty(max(classes, 1), latent_dim))
        self.log_diagonal = nn.Parameter(torch.empty(latent_dim))
        self.below = nn.Parameter(torch.empty(latent_dim, latent_dim))
        self.classes = classes

    def _whitening(self):
        return self.below.tril(-1) + self.log_diagonal.exp().diag()

    def _centre(self, garment_class):
        return self.mean[garment_class if self.classes else torch.zeros_like(garment_class)]

    def forward(self, noise, garment_class):
        spread = torch.linalg.solve_triangular(self._whitening(), noise.T, upper=False).T
        return self._centre(garment_class) + spread

    def surprise(self, z, garment_class):
        """Negative log density of latents, nats a dimension and but for a constant: [N]."""
        white = (z - self._centre(garment_class)) @ self._whitening().T
        return 0.5 * white.square().mean(1) - self.log_diagonal.mean()


def drawn(mean, log_variance, noise):
    """Latents of the distribution by standard normal noise."""
    return mean + (log_variance / 2).exp() * noise


def divergence(mean, log_variance):
    """Kullback-Leibler divergence from the standard normal, [N]."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
