"""What each place of a person is told of a garment's picture, and where on that picture the place comes from.

Coarse to fine: places of the person attend to places of the garment, which is a first guess of the coordinates; finer
features look the picture up at the guess and correct it, as optical flow is found (arXiv:1709.02371; for garments
arXiv:2204.01046).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.models.layers import Conv, GroupNorm, Residual, dropout, space_to_depth

# Most places a side that attend: at 64 px that is every place of the coarsest level.
CELLS = 16
# Unit of a correction of coordinates in [-1, 1]: a first guess is within a cell of an 8x8 grid.
MOVE = 0.25


class Attend(nn.Module):
    """Places of the person [N, P, C], told what they find in the garment's [N, Q, D]: transformer blocks of
    cross-attention (arXiv:1706.03762, section 3.2)."""

    blocks: int = 2
    heads: int = 4
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, person, garment):
        """Returns [N, P, C]; heads divides C."""
        n, _, channels = person.shape
        person = person + self._places("person_place", person)
        # What is looked up is where it was found too: coordinates are a mean of these.
        garment = nn.LayerNorm(dtype=self.dtype, name="norm_garment")(garment)
        garment = garment + self._places("garment_place", garment)
        for index in range(self.blocks):
            h = nn.LayerNorm(dtype=self.dtype, name=f"norm_{index}_attend")(person)
            query = nn.Dense(channels, dtype=self.dtype, name=f"query_{index}")(h)
            # A constant in the keys changes no share: Adam would make full steps of the rounding in its gradient.
            key = nn.Dense(channels, use_bias=False, dtype=self.dtype, name=f"key_{index}")(garment)
            value = nn.Dense(channels, dtype=self.dtype, name=f"value_{index}")(garment)
            heads = (part.reshape(n, -1, self.heads, channels // self.heads) for part in (query, key, value))
            found = jax.nn.dot_product_attention(*heads).reshape(person.shape)
            person = person + nn.Dense(channels, dtype=self.dtype, name=f"attend_{index}")(found)
            h = nn.LayerNorm(dtype=self.dtype, name=f"norm_{index}_think")(person)
            h = nn.silu(nn.Dense(2 * channels, dtype=self.dtype, name=f"widen_{index}")(h))
            person = person + nn.Dense(channels, dtype=self.dtype, name=f"narrow_{index}")(h)
        return nn.LayerNorm(dtype=self.dtype, name="norm")(person)

    def _places(self, name, tokens):
        return self.param(name, nn.initializers.normal(0.2), tokens.shape[1:]).astype(tokens.dtype)


class GarmentEncoder(nn.Module):
    """A person's pyramid and a garment's picture -> the pyramid told of the garment, and guesses of coordinates.

    What is added to the pyramid is zero at the start, which leaves an encoder and decoder of other runs as they were.
    """

    features: tuple
    dropout: float = 0.0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, pyramid, garment, garment_mask, garment_class, keys=None):
        """pyramid as of `Encoder`; garment [N, G, G, 3] in [0, 1], garment_mask [N, G, G, 1], G divisible by 8,
        garment_class int [N]; keys [N] turn dropout on.

        Returns the pyramid, and a tuple of guesses of both sheets' garment coordinates, float32 [N, s, s, 2 sides, 2]
        about [-1, 1], coarse to fine, at most at half the picture's side.
        """
        _, half, quarter, eighth = self.features
        coarse, middle, fine, sharp = pyramid
        picture = jnp.concatenate([(2 * garment - 1) * garment_mask, garment_mask], axis=-1)
        levels = self._levels(picture, (half, quarter, quarter))
        style = self._style(levels[-1], garment_class, keys)
        # The whole garment and the person's own place rule what a place looks for.
        side = min(CELLS, coarse.shape[1])
        seeking = nn.silu(nn.Dense(eighth, dtype=self.dtype, name="seek")(style))[:, None]
        seeking = seeking + _cells(coarse, side)
        tokens = Attend(dtype=self.dtype, name="attend")(seeking, _cells(levels[-1], min(CELLS, levels[-1].shape[1])))
        tokens = tokens.reshape(-1, side, side, eighth)
        guesses = [jnp.tanh(self._coordinates("first", tokens, gain=0.1))]
        told = {"eighth": _enlarged(tokens, coarse.shape[1])}
        # The finest looks at colours as they are.
        looked = ((middle, levels[1], quarter, "quarter"), (fine, space_to_depth(picture), half, "half"))
        for level, features, channels, name in looked:
            guess = _stretched(guesses[-1], level.shape[1])
            # A guess is judged by itself, not by what is seen there: look_up hands it no gradient.
            found = jax.vmap(look_up)(features, guess)
            told[name], move = self._correct(name, level, found, tokens, guess, channels)
            guesses.append(guess + move)
            tokens = told[name]
        levels = {"eighth": coarse, "quarter": middle, "half": fine, "full": sharp}
        styled = {name: value + self._tell(f"style_{name}", style, value) for name, value in levels.items()}
        for name, value in told.items():
            styled[name] = styled[name] + self._tell(f"tell_{name}", value, levels[name])
        return tuple(styled.values()), tuple(guesses)

    def _levels(self, picture, widths):
        """The garment's features at half, quarter and an eighth of its picture's side."""
        found, h = [], picture
        for index, channels in enumerate(widths):
            h = Conv(channels, kind="down", dtype=self.dtype, name=f"down_{index}")(h)
            h = GroupNorm(activated=True, name=f"norm_{index}")(h)
            if index:
                h = Residual(self.dtype, name=f"mix_{index}")(h)
            found.append(h)
        return found

    def _style(self, features, garment_class, keys):
        """The garment as a whole, [N, channels]."""
        # A 4x4 grid keeps where the cut-out lies at any size of the picture.
        grid = _cells(features, min(4, features.shape[1])).reshape(len(features), -1)
        kind = jax.nn.one_hot(garment_class, len(GARMENT_CLASSES), dtype=grid.dtype)
        pooled = nn.Dense(self.features[-1], dtype=self.dtype, name="pool")(jnp.concatenate([grid, kind], axis=-1))
        return dropout(nn.silu(pooled), keys, self.dropout)

    def _correct(self, name, level, found, tokens, guess, channels):
        """(what a level's places find at their guesses, how far these are to be moved [N, s, s, 2, 2])."""
        n, side = level.shape[:2]
        seen = [GroupNorm(name=f"norm_{name}")(level), found.reshape(n, side, side, -1).astype(self.dtype)]
        seen += [_enlarged(tokens, side), guess.reshape(n, side, side, 4).astype(self.dtype)]
        h = Conv(channels, size=1, gain=1.0, dtype=self.dtype, name=f"read_{name}")(jnp.concatenate(seen, axis=-1))
        h = GroupNorm(activated=True, name=f"norm_{name}_found")(Residual(self.dtype, name=f"think_{name}")(h))
        return h, MOVE * self._coordinates(f"move_{name}", h, gain=0.01)

    def _coordinates(self, name, h, gain):
        """Two numbers for each sheet from each place of h [N, s, s, C], float32 [N, s, s, 2, 2]."""
        return Conv(4, size=1, gain=gain, name=name)(h.astype(jnp.float32)).reshape(*h.shape[:3], 2, 2)

    def _tell(self, name, value, level):
        """`value` as an addition to a level of the pyramid, nothing at first."""
        value = value.reshape(len(value), *((1, 1) if value.ndim == 2 else value.shape[1:3]), -1)
        return Conv(level.shape[-1], size=1, gain=0.0, dtype=self.dtype, name=name)(value)


def look_up(features, coordinates):
    """Bilinear samples [..., C] of one item's features [s, s, C] at coordinates [..., 2] in [-1, 1], x right, y down;
    beyond the outer centres the edge's. Not for gradients by the coordinates."""
    side = features.shape[0]
    place = jnp.clip((jax.lax.stop_gradient(coordinates) + 1) * side / 2 - 0.5, 0.0, side - 1.0)
    low = jnp.floor(place).astype(jnp.int32)
    high, share = jnp.minimum(low + 1, side - 1), (place - low).astype(features.dtype)
    right, down = share[..., :1], share[..., 1:]

    def row(index):
        left, beside = (features.at[index, x[..., 0]].get(mode="promise_in_bounds") for x in (low, high))
        return left * (1 - right) + beside * right

    return row(low[..., 1]) * (1 - down) + row(high[..., 1]) * down


def _cells(x, side):
    """Means of x [N, H, H, C] over a side x side grid, [N, side * side, C]; what does not fill a cell is left out."""
    n, height, _, channels = x.shape
    cell = height // side
    x = x[:, : side * cell, : side * cell]
    return x.reshape(n, side, cell, side, cell, channels).mean((2, 4)).reshape(n, -1, channels)


def _enlarged(x, side):
    """[N, s, s, C] with each place repeated to `side` places a side."""
    times = side // x.shape[1]
    return x.repeat(times, axis=1).repeat(times, axis=2)


def _stretched(x, side):
    """[N, s, s, ...] interpolated to `side` places a side, bilinear between centres."""
    return jax.image.resize(x, (len(x), side, side, *x.shape[3:]), "bilinear")
