"""Which latents real sheets have (VAE/GAN, arXiv:1512.09300), and drawing new ones that are like those."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.models.discriminator import NOBODY

# Cells a side of the grid that latents are read from. Means of cells keep where a thing is and how large it is, which
# the norms and pools of a deep reader take away; what they leave is mostly linear, as in principal components.
CELLS = 16
SURE = 4.0  # less log variance than a latent of which nothing is known: a standard deviation of an eighth


class Inference(nn.Module):
    """Observed sheets -> a normal distribution over latents: mean and log variance, float32 [N, latent_dim] each."""

    latent_dim: int
    width: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x):
        """x [N, S, S, OBSERVED] from `discriminator.observe`, S a multiple of 16 or less than 16."""
        n, side, _, channels = x.shape
        cells = min(CELLS, side)
        h = x - jnp.array(NOBODY, x.dtype)
        h = h.reshape(n, cells, side // cells, cells, side // cells, channels).mean((2, 4)).reshape(n, -1)
        for index in range(2):
            h = nn.silu(nn.Dense(self.width, dtype=self.dtype, name=f"dense_{index}")(h))
        h = nn.LayerNorm(name="norm")(h)
        mean, log_variance = jnp.split(nn.Dense(2 * self.latent_dim, name="latent")(h), 2, axis=-1)
        # Sure at first, by SURE: of latents drowned in noise the generator would learn to make nothing.
        # Bounded: e^10 is as good as knowing nothing, and a larger number would overflow in its exponential.
        return mean, 10 * jnp.tanh((log_variance - SURE) / 10)


class Prior(nn.Module):
    """A normal distribution of latents, a mean for each garment class, fitted to those of real sheets.

    Inferred latents fill space as they like, not as a standard normal does; a draw from their own distribution
    (arXiv:1903.12436, section 4) is one that the generator knows.
    """

    latent_dim: int
    classes: int = 0

    def setup(self):
        zeros, size = nn.initializers.zeros, self.latent_dim
        self.mean = self.param("mean", zeros, (max(self.classes, 1), size))
        self.log_diagonal = self.param("log_diagonal", zeros, (size,))
        self.below = self.param("below", zeros, (size, size))

    def _whitening(self):
        """Lower triangle W: W (z - mean) is standard normal if z is of the distribution."""
        return jnp.tril(self.below, -1) + jnp.diag(jnp.exp(self.log_diagonal))

    def _centre(self, garment_class):
        return self.mean[garment_class if self.classes else jnp.zeros_like(garment_class)]

    def __call__(self, noise, garment_class):
        """Standard normal noise [N, latent_dim], garment_class int [N] -> latents [N, latent_dim]."""
        spread = jax.scipy.linalg.solve_triangular(self._whitening(), noise.T, lower=True).T
        return self._centre(garment_class) + spread

    def surprise(self, z, garment_class):
        """Negative log density of latents z [N, latent_dim], nats a dimension and but for a constant: [N]."""
        white = (z - self._centre(garment_class)) @ self._whitening().T
        return 0.5 * jnp.square(white).mean(-1) - self.log_diagonal.mean()


def drawn(mean, log_variance, noise):
    """Latents of the distribution by standard normal noise, all [N, latent_dim] (arXiv:1312.6114, equation 10)."""
    return mean + jnp.exp(log_variance / 2) * noise


def divergence(mean, log_variance):
    """Kullback-Leibler divergence in nats from the standard normal, [N] (arXiv:1312.6114, appendix B)."""
    return 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(-1)
