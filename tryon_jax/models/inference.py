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
    """The distribution of the latents of real sheets: a normal one, a mean for each garment class, bent by couplings.

    Inferred latents fill space as they like, not as a standard normal does; a draw from their own distribution
    (arXiv:1903.12436, section 4) is one that the generator knows. The couplings are those of real NVP
    (arXiv:1605.08803, equations 7 and 8), bent by nothing at the start.
    """

    latent_dim: int
    classes: int = 0
    couplings: int = 6
    width: int = 128
    told: int = 24  # numbers that the garment is summed up in

    def setup(self):
        zeros, size = nn.initializers.zeros, self.latent_dim
        self.mean = self.param("mean", zeros, (max(self.classes, 1), size))
        self.log_diagonal = self.param("log_diagonal", zeros, (size,))
        self.below = self.param("below", zeros, (size, size))
        self.look = nn.Dense(self.told)
        self.coupling = [Coupling(self.width, name=f"coupling_{index}") for index in range(self.couplings)]

    def _known(self, garment_class, seen):
        kind = jax.nn.one_hot(self._class(garment_class), max(self.classes, 1))
        return jnp.concatenate([kind, nn.silu(self.look(seen))], axis=-1)

    def _whitening(self):
        """Lower triangle W: W (z - mean) is standard normal if z is of the distribution."""
        return jnp.tril(self.below, -1) + jnp.diag(jnp.exp(self.log_diagonal))

    def _class(self, garment_class):
        return garment_class if self.classes else jnp.zeros_like(garment_class)

    def __call__(self, noise, garment_class, seen):
        """Standard normal noise [N, latent_dim], garment_class int [N] and what else is known of the person's garment
        [N, C] -> latents [N, latent_dim]."""
        known = self._known(garment_class, seen)
        x = noise
        for coupling in reversed(self.coupling):
            kept, moved = jnp.split(x[:, ::-1], [self.latent_dim // 2], axis=-1)
            log_scale, shift = coupling(kept, known, moved.shape[-1])
            x = jnp.concatenate([kept, (moved - shift) * jnp.exp(-log_scale)], axis=-1)
        spread = jax.scipy.linalg.solve_triangular(self._whitening(), x.T, lower=True).T
        return self.mean[self._class(garment_class)] + spread

    def surprise(self, z, garment_class, seen):
        """Negative log density of latents z [N, latent_dim], nats a dimension and but for a constant: [N]."""
        known = self._known(garment_class, seen)
        x, volume = (z - self.mean[self._class(garment_class)]) @ self._whitening().T, self.log_diagonal.sum()
        for coupling in self.coupling:
            kept, moved = jnp.split(x, [self.latent_dim // 2], axis=-1)
            log_scale, shift = coupling(kept, known, moved.shape[-1])
            # The order is turned, so that the next coupling moves what this one kept.
            x = jnp.concatenate([kept, moved * jnp.exp(log_scale) + shift], axis=-1)[:, ::-1]
            volume = volume + log_scale.sum(-1)
        return 0.5 * jnp.square(x).mean(-1) - volume / self.latent_dim


class Coupling(nn.Module):
    """How one half of latents is scaled and shifted for what the other half, and the class, is."""

    width: int

    @nn.compact
    def __call__(self, kept, known, count):
        """kept [N, D], known [N, C] -> (log scale, shift), each [N, count]; both zero at the start."""
        h = jnp.concatenate([kept, known], axis=-1)
        for index in range(2):
            h = nn.silu(nn.Dense(self.width, name=f"dense_{index}")(h))
        told = nn.Dense(2 * count, kernel_init=nn.initializers.zeros, name="told")(h)
        log_scale, shift = jnp.split(told, 2, axis=-1)
        # Bounded, by threefold either way: what few latents seem to say must not blow up others.
        return jnp.tanh(log_scale), shift


def drawn(mean, log_variance, noise):
    """Latents of the distribution by standard normal noise, all [N, latent_dim] (arXiv:1312.6114, equation 10)."""
    return mean + jnp.exp(log_variance / 2) * noise


def divergence(mean, log_variance):
    """Kullback-Leibler divergence in nats from the standard normal, [N] (arXiv:1312.6114, appendix B)."""
    return 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(-1)
