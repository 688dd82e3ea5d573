"""Inference: real sheets -> the latents that a generator should make them of (VAE/GAN, arXiv:1512.09300)."""

import flax.linen as nn
import jax.numpy as jnp

from tryon_jax.models.discriminator import Reader


class Inference(nn.Module):
    """Observed sheets -> a normal distribution over latents: mean and log variance, float32 [N, latent_dim] each.

    features: channels at sides S, S/2, S/4, S/8, as of the generator.
    """

    features: tuple
    latent_dim: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x):
        """x [N, S, S, OBSERVED] from `discriminator.observe`."""
        h = Reader(self.features, norm=True, dtype=self.dtype, name="reader")(x)
        mean, log_variance = jnp.split(nn.Dense(2 * self.latent_dim, name="latent")(h), 2, axis=-1)
        # Bounded: e^10 is as good as knowing nothing, and a larger number would overflow in its exponential.
        return mean, 10 * jnp.tanh(log_variance / 10)


def drawn(mean, log_variance, noise):
    """Latents of the distribution by standard normal noise, all [N, latent_dim] (arXiv:1312.6114, equation 10)."""
    return mean + jnp.exp(log_variance / 2) * noise


def divergence(mean, log_variance):
    """Kullback-Leibler divergence in nats from the standard normal, [N] (arXiv:1312.6114, appendix B)."""
    return 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(-1)
