"""Twin of models/garment.py: what each place of a person is told of a garment's picture."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import (
    Residual,
    attend,
    cells,
    channels_first,
    conv,
    conv_down,
    enlarged,
    group_norm,
    layer_norm,
    picture,
    space_to_depth,
    tokens,
)
from tryon_jax.geometry.parts import GARMENT_CLASSES

CELLS = 16
MOVE = 0.25


class Attend(nn.Module):
    """Places of the person [N, P, C], told what they find in the garment's [N, Q, D]."""

    def __init__(self, person, garment, channels, garment_channels, blocks=2, heads=4):
        super().__init__()
        self.heads, self.blocks = heads, blocks
        self.person_place = nn.Parameter(torch.empty(person, channels))
        self.garment_place = nn.Parameter(torch.empty(garment, garment_channels))
        self.norm_garment = layer_norm(garment_channels)
        for index in range(blocks):
            self.add_module(f"norm_{index}_attend", layer_norm(channels))
            self.add_module(f"query_{index}", nn.Linear(channels, channels))
            self.add_module(f"key_{index}", nn.Linear(garment_channels, channels, bias=False))
            self.add_module(f"value_{index}", nn.Linear(garment_channels, channels))
            self.add_module(f"attend_{index}", nn.Linear(channels, channels))
            self.add_module(f"norm_{index}_think", layer_norm(channels))
            self.add_module(f"widen_{index}", nn.Linear(channels, 2 * channels))
            self.add_module(f"narrow_{index}", nn.Linear(2 * channels, channels))
        self.norm = layer_norm(channels)

    def forward(self, person, garment):
        person = person + self.person_place
        garment = self.norm_garment(garment) + self.garment_place
        for index in range(self.blocks):
            layer = {name: getattr(self, f"{name}_{index}") for name in ("query", "key", "value", "attend")}
            query = layer["query"](getattr(self, f"norm_{index}_attend")(person))
            found = attend(query, layer["key"](garment), layer["value"](garment), self.heads)
            person = person + layer["attend"](found)
            thought = F.silu(getattr(self, f"widen_{index}")(getattr(self, f"norm_{index}_think")(person)))
            person = person + getattr(self, f"narrow_{index}")(thought)
        return self.norm(person)


class GarmentEncoder(nn.Module):
    """A person's pyramid and a garment's picture -> the pyramid told of the garment, and guesses of coordinates
    [N, 4, s, s] (channels: side, x or y), coarse to fine."""

    def __init__(self, features, size, garment_size):
        super().__init__()
        full, half, quarter, eighth = features
        self.side, self.garment_side = min(CELLS, size // 8), min(CELLS, garment_size // 8)
        widths = (4, half, quarter, quarter)
        for index in range(3):
            self.add_module(f"down_{index}", conv_down(widths[index], widths[index + 1]))
            self.add_module(f"norm_{index}", group_norm(widths[index + 1]))
        self.mix_1, self.mix_2 = Residual(quarter), Residual(quarter)
        grid = min(4, garment_size // 8)
        self.pool = nn.Linear(grid * grid * quarter + len(GARMENT_CLASSES), eighth)
        self.grid, self.seek = grid, nn.Linear(eighth, eighth)
        self.attend = Attend(self.side**2, self.garment_side**2, eighth, quarter)
        self.first = conv(eighth, 4, 1)
        # Level, its channels, those of what is looked up, those of the coarser level's tokens.
        for name, channels, found, before in (("quarter", quarter, quarter, eighth), ("half", half, 16, quarter)):
            self.add_module(f"norm_{name}", group_norm(channels))
            self.add_module(f"read_{name}", conv(channels + 2 * found + before + 4, channels, 1))
            self.add_module(f"think_{name}", Residual(channels))
            self.add_module(f"norm_{name}_found", group_norm(channels))
            self.add_module(f"move_{name}", conv(channels, 4, 1))
        for name, channels in (("eighth", eighth), ("quarter", quarter), ("half", half), ("full", full)):
            self.add_module(f"style_{name}", conv(eighth, channels, 1))
            if name != "full":
                self.add_module(f"tell_{name}", conv(channels, channels, 1))

    def forward(self, pyramid, garment, garment_mask, garment_class):
        coarse, middle, fine, sharp = pyramid
        shown = channels_first(torch.cat([(2 * garment - 1) * garment_mask, garment_mask], dim=-1))
        levels = self._levels(shown)
        style = self._style(levels[-1], garment_class)
        seeking = F.silu(self.seek(style))[:, None] + tokens(cells(coarse, self.side))
        found = self.attend(seeking, tokens(cells(levels[-1], self.garment_side)))
        seen = picture(found, self.side)
        guesses, told = [self.first(seen).tanh()], {"eighth": enlarged(seen, coarse.shape[2])}
        for level, features, name in ((middle, levels[1], "quarter"), (fine, space_to_depth(shown), "half")):
            guess = F.interpolate(guesses[-1], level.shape[2:], mode="bilinear", align_corners=False)
            seen = told[name] = self._correct(name, level, look_up(features, guess.detach()), seen, guess)
            guesses.append(guess + MOVE * getattr(self, f"move_{name}")(seen))
        style, styled = style[:, :, None, None], []
        for name, value in (("eighth", coarse), ("quarter", middle), ("half", fine), ("full", sharp)):
            value = value + getattr(self, f"style_{name}")(style)
            styled.append(value + getattr(self, f"tell_{name}")(told[name]) if name in told else value)
        return tuple(styled), tuple(guesses)

    def _levels(self, h):
        found = []
        for index in range(3):
            h = F.silu(getattr(self, f"norm_{index}")(getattr(self, f"down_{index}")(h)))
            h = getattr(self, f"mix_{index}")(h) if index else h
            found.append(h)
        return found

    def _style(self, features, garment_class):
        kind = F.one_hot(garment_class, len(GARMENT_CLASSES)).float()
        grid = tokens(cells(features, self.grid)).flatten(1)
        return F.silu(self.pool(torch.cat([grid, kind], dim=1)))

    def _correct(self, name, level, found, before, guess):
        seen = [getattr(self, f"norm_{name}")(level), found, enlarged(before, level.shape[2]), guess]
        h = getattr(self, f"read_{name}")(torch.cat(seen, dim=1))
        return F.silu(getattr(self, f"norm_{name}_found")(getattr(self, f"think_{name}")(h)))


def look_up(features, guess):
    """Bilinear samples [N, 2C, H, W] of features [N, C, s, s] at both sheets' coordinates [N, 4, H, W]."""
    n, channels, (height, width) = len(guess), features.shape[1], guess.shape[2:]
    grid = guess.permute(0, 2, 3, 1).reshape(n, height, 2 * width, 2)
    found = F.grid_sample(features, grid, padding_mode="border", align_corners=False)
    found = found.reshape(n, channels, height, width, 2).permute(0, 4, 1, 2, 3)
    return found.reshape(n, 2 * channels, height, width)
