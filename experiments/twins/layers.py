"""The layers that all twins are built of. Pictures are [N, C, H, W], channels_last in memory."""

import torch
import torch.nn.functional as F
from torch import nn

GROUP = 8  # channels of a group of GroupNorm


def conv(inputs, outputs, size=3, bias=True):
    """Convolution of odd `size` that keeps the picture's side."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias)


def conv_down(inputs, outputs):
    """4x4 convolution that halves the picture's side."""
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)


class UpConv(nn.Conv2d):
    """Twice the side, nearest neighbour, then a 3x3 convolution."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x):
        return super().forward(enlarged(x, 2 * x.shape[2]))


def group_norm(channels):
    """GroupNorm with groups of GROUP channels, or one group if they do not fill such ones."""
    return nn.GroupNorm(channels // GROUP if channels % GROUP == 0 else 1, channels, eps=1e-5)


def layer_norm(channels):
    """LayerNorm with Flax's floor under the variance."""
    return nn.LayerNorm(channels, eps=1e-6)


class Residual(nn.Module):
    """x + convolution of the normalised x, scaled and shifted by `style` first where that has channels."""

    def __init__(self, channels, style=0):
        super().__init__()
        self.norm = group_norm(channels)
        self.conv = conv(channels, channels)
        if style:
            self.modulation = conv(style, 2 * channels, 1)

    def forward(self, x, style=None):
        h = self.norm(x)
        if style is not None:
            scale, shift = self.modulation(style).chunk(2, dim=1)
            h = h * (1 + 0.5 * scale) + 0.5 * shift
        return x + self.conv(F.silu(h))


class Deeper(nn.Module):
    """Mixin of a part with further Residuals: those named grown_<name>_<index>, in turn."""

    def grow(self, name, channels, count):
        """Adds `count` Residuals that begin by doing nothing."""
        for index in range(count):
            block = Residual(channels)
            nn.init.zeros_(block.conv.weight)
            self.add_module(f"grown_{name}_{index}", block)
        self.more = count

    def deeper(self, x, name):
        for index in range(self.more):
            x = getattr(self, f"grown_{name}_{index}")(x)
        return x


def channels_first(x):
    """[N, H, W, C] as [N, C, H, W], the same memory."""
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    """[N, C, H, W] as [N, H, W, C], the same memory where that is channels_last."""
    return x.permute(0, 2, 3, 1)


def space_to_depth(x):
    """[N, C, H, W] -> [N, 4C, H/2, W/2]; as F.pixel_unshuffle, but with a pixel's channels side by side, which in
    channels_last are copied as one piece."""
    n, c, h, w = x.shape
    x = channels_last(x).reshape(n, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5)
    return channels_first(x.reshape(n, h // 2, w // 2, 4 * c))


def depth_to_space(x):
    """Inverse of `space_to_depth`."""
    n, c, h, w = x.shape
    x = channels_last(x).reshape(n, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5)
    return channels_first(x.reshape(n, 2 * h, 2 * w, c // 4))


def tokens(x):
    """Places of a picture [N, C, H, W] as [N, H * W, C]."""
    return channels_last(x).flatten(1, 2)


def picture(x, side):
    """Inverse of `tokens`."""
    return channels_first(x.reshape(x.shape[0], side, side, x.shape[2]))


def cells(x, side):
    """Means over a grid of `side` cells a side; what does not fill a cell is left out."""
    cell = x.shape[2] // side
    return F.avg_pool2d(x, cell) if cell > 1 else x


def enlarged(x, side):
    """A picture with each place repeated to `side` places a side, by whichever form is the faster."""
    n, c, h, w = x.shape
    times = side // h
    if times == 1 or not torch.compiler.is_compiling():
        return F.interpolate(x, scale_factor=times, mode="nearest") if times > 1 else x
    # Of F.interpolate the compiler makes a backward pass that scatters; of this, one that sums.
    x = channels_last(x)[:, :, None, :, None].expand(n, h, times, w, times, c)
    return channels_first(x.reshape(n, side, side, c))


def attend(query, key, value, heads):
    """Attention of [N, P, C] to [N, Q, C], in `heads` heads."""
    parts = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)


def pixel_centres(side, device):
    """x and y of the pixels' centres [side, side, 2]."""
    along = torch.arange(side, device=device, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([x, y], dim=-1)
