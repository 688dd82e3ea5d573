"""Twin of models/discriminator.py: what a discriminator is shown, and the discriminator."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import cells, channels_first, conv, conv_down, tokens
from experiments.twins.losses import depth_differences
from tryon_jax.geometry.parts import PALETTE

OBSERVED = 21
NOBODY = (-1.0,) * 6 + (0.0,) * 6 + (-1.0,) + (0.0,) * 8
DEPTH_UNIT = 0.2


def normals_from_depth(depth, mask, sign):
    """Normals [N, H, W, 3] that a depth in half extents makes, times the mask."""
    slopes = depth_differences(depth, mask)
    normals = sign * torch.cat([-slopes, torch.ones_like(depth)], dim=-1)
    return normals / (slopes.square().sum(-1, keepdim=True) + 1).sqrt() * mask


def observe(colours, depths, parts, mask):
    """What a discriminator sees of a batch [N, H, W, OBSERVED]; colours, depths, parts: of front and back."""
    relief = [normals_from_depth(depth, mask, sign) for depth, sign in zip(depths, (1.0, -1.0), strict=True)]
    colour = torch.cat(colours, dim=-1) * mask
    place = torch.cat(depths, dim=-1) * mask / DEPTH_UNIT
    palette = torch.as_tensor(PALETTE, device=mask.device).float() / 127.5 - 1
    painted = torch.cat([part @ palette for part in parts], dim=-1) * mask
    return torch.cat([2 * colour - 1, *relief, 2 * mask - 1, place, painted], dim=-1)


class Discriminator(nn.Module):
    """Observed sheets [N, H, W, OBSERVED] and garment classes -> logits [N]."""

    def __init__(self, features, size, classes):
        super().__init__()
        widths, coarse = (OBSERVED, *features[1:]), features[-1]
        for index in range(len(features) - 1):
            self.add_module(f"down_{index}", conv_down(widths[index], widths[index + 1]))
        self.downs = len(features) - 1
        self.conv, self.down_last = conv(coarse, coarse), conv_down(coarse, coarse)
        self.cells = min(4, size // 16)
        self.dense = nn.Linear(self.cells**2 * coarse, coarse)
        self.logit = nn.Linear(coarse, 1)
        self.class_ = nn.Embedding(classes, coarse) if classes else None

    def forward(self, x, garment_class):
        h = channels_first(x)
        for index in range(self.downs):
            h = F.leaky_relu(getattr(self, f"down_{index}")(h), 0.2)
        h = h + self.conv(h) * 0.5
        h = F.leaky_relu(self.down_last(F.leaky_relu(h, 0.2)), 0.2)
        h = F.leaky_relu(self.dense(tokens(cells(h, self.cells)).flatten(1)), 0.2)
        logits = self.logit(h)[:, 0]
        return logits if self.class_ is None else logits + (h * self.class_(garment_class)).mean(1)


def reach(shift, size):
    """Pixels that a shift of a share of the side reaches."""
    return max(1, round(shift * size))


def shifted(x, start, shift):
    """x [N, H, W, OBSERVED], each example shifted by its own start [N, 2] in 0 ... 2 * reach; background comes in."""
    size = x.shape[1]
    far = reach(shift, size)
    background = x.new_tensor(NOBODY)
    padded = F.pad(x - background, (0, 0, far, far, far, far))
    along = torch.arange(size, device=x.device)
    rows, columns = (start[:, axis, None] + along for axis in (0, 1))
    number = torch.arange(len(x), device=x.device)[:, None, None]
    return padded[number, rows[:, :, None], columns[:, None, :]] + background
