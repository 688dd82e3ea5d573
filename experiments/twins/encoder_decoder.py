"""Twin of models/encoder_decoder.py and models/attention.py. A pyramid is a tuple of features at S/8, S/4, S/2, S."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import (
    Deeper,
    Residual,
    UpConv,
    attend,
    cells,
    channels_first,
    conv,
    conv_down,
    depth_to_space,
    enlarged,
    group_norm,
    layer_norm,
    picture,
    pixel_centres,
    space_to_depth,
    tokens,
)
from experiments.twins.maps import CHANNELS
from experiments.twins.posture import COUNT, MESSAGE, TOLD, Correction, Joints, Posture
from tryon_jax.geometry.parts import PARTS

MODALITIES = {"rgb": 3, "parts": len(PARTS), "geometry": 5}
BLOB = 0.02  # standard deviation of a keypoint's blob, share of the picture's side
CELLS = 8  # tokens a side in attention


def heat_maps(keypoints, side):
    """Gaussian blobs [N, K, side, side] of keypoints [N, K, 3] in pixels of that side."""
    offsets = pixel_centres(side, keypoints.device)[None, :, :, None] - keypoints[:, None, None, :, :2]
    blobs = torch.exp(-offsets.square().sum(-1) / (BLOB * side) ** 2 / 2) * (keypoints[:, None, None, :, 2] > 0)
    return channels_first(blobs)


class Attention(nn.Module):
    """x + what transformer blocks make of a grid of its cells' means, CELLS a side at most."""

    def __init__(self, channels, side, blocks=2, heads=4):
        super().__init__()
        self.heads, self.blocks, self.side = heads, blocks, min(CELLS, side)
        self.place = nn.Parameter(torch.empty(self.side**2, channels))
        for index in range(blocks):
            self.add_module(f"norm_{index}_attend", layer_norm(channels))
            for name in ("query", "key", "value", "attend"):
                self.add_module(f"{name}_{index}", nn.Linear(channels, channels, bias=name != "key"))
            self.add_module(f"norm_{index}_think", layer_norm(channels))
            self.add_module(f"widen_{index}", nn.Linear(channels, 4 * channels))
            self.add_module(f"narrow_{index}", nn.Linear(4 * channels, channels))
        self.norm, self.tell = layer_norm(channels), nn.Linear(channels, channels)

    def forward(self, x):
        h = tokens(cells(x, self.side)) + self.place
        for index in range(self.blocks):
            layer = {name: getattr(self, f"{name}_{index}") for name in ("query", "key", "value", "attend")}
            seen = getattr(self, f"norm_{index}_attend")(h)
            told = attend(layer["query"](seen), layer["key"](seen), layer["value"](seen), self.heads)
            h = h + layer["attend"](told)
            thought = F.silu(getattr(self, f"widen_{index}")(getattr(self, f"norm_{index}_think")(h)))
            h = h + getattr(self, f"narrow_{index}")(thought)
        return x + enlarged(picture(self.tell(self.norm(h)), self.side), x.shape[2])


class Encoder(Deeper):
    """Observations, a dict of pictures [N, H, W, C] and keypoints [N, K, 3], -> pyramid, and dict of joints, depths."""

    def __init__(self, features, size, more=0):
        super().__init__()
        full, half, quarter, eighth = features
        self.sharp = conv(3, full, 1)
        self.grown_edges, self.grown_edges_parts = conv(15, full), conv(len(PARTS), full, 1)
        self.grown_sharp, self.grown_stem = conv(full, full, 1), conv(4 * full, half, 1)
        for name, channels in MODALITIES.items():
            self.add_module(f"stem_{name}", conv(4 * channels, half, 1))
        self.stem_keypoints = conv(COUNT, half, 1)
        self.fine, self.norm_fine = Residual(half), group_norm(half)
        self.down_quarter = conv_down(half, quarter)
        self.middle, self.norm_middle = Residual(quarter), group_norm(quarter)
        self.down_eighth = conv_down(quarter, eighth)
        for index in range(4):
            self.add_module(f"coarse_{index}", Residual(eighth))
        self.attention = Attention(eighth, size // 8)
        self.joints = Joints(eighth, quarter)
        self.correction_0, self.correction_1 = (Correction(eighth, quarter, half, full) for _ in range(2))
        self.posture = Posture(quarter, half, full)
        self.posture_middle, self.posture_coarse = conv(MESSAGE, quarter, 1), conv(MESSAGE, eighth, 1)
        self.norm_coarse = group_norm(eighth)
        levels = {"fine": half, "middle": quarter, "coarse": eighth, "told_middle": quarter, "told_coarse": eighth}
        for name, channels in levels.items():
            self.grow(name, channels, more)

    def forward(self, seen):
        size, keypoints = seen["rgb"].shape[1], seen["keypoints"]
        sharp = self.sharp(channels_first(seen["rgb"]))
        shown = keypoints[..., 2] > TOLD
        halved = keypoints * keypoints.new_tensor([0.5, 0.5, 1.0]) * shown[..., None]
        edges = self._edges(seen)
        sharp = sharp + self.grown_sharp(edges)
        fine = self.stem_keypoints(heat_maps(halved, size // 2)) + self.grown_stem(space_to_depth(edges))
        for name in MODALITIES:
            if name in seen:
                fine = fine + getattr(self, f"stem_{name}")(space_to_depth(channels_first(seen[name])))
        fine = self.deeper(self.fine(fine), "fine")
        middle = self.deeper(self.middle(self.down_quarter(F.silu(self.norm_fine(fine)))), "middle")
        coarse = self.down_eighth(F.silu(self.norm_middle(middle)))
        coarse = self.deeper(self.attention(self.coarse_1(self.coarse_0(coarse))), "coarse")
        found = [self.joints(coarse, middle)]
        for correction in (self.correction_0, self.correction_1):
            found.append(correction(coarse, middle, fine, edges, found[-1]))
        joints = torch.where(keypoints[..., 2:] > 0, keypoints[..., :2] / (size / 2) - 1, found[-1])
        messages, depths = self.posture(middle, fine, edges, joints.detach(), shown)
        middle = self.deeper(middle + self.posture_middle(messages), "told_middle")
        coarse = coarse + self.posture_coarse(F.avg_pool2d(messages, 2))
        coarse = self.norm_coarse(self.deeper(self.coarse_3(self.coarse_2(coarse)), "told_coarse"))
        joints = (torch.stack(found, dim=1) + 1) * (size / 2)
        return (coarse, middle, fine, sharp), {"joints": joints, "joint_depths": depths}

    def _edges(self, seen):
        detail = space_to_depth(channels_first(seen["detail"]))
        h = self.grown_edges(torch.cat([channels_first(seen["rgb"]), detail], dim=1))
        return F.silu(h + self.grown_edges_parts(channels_first(seen["parts"])))


class Decoder(Deeper):
    """Pyramid -> raw maps [N, H, W, CHANNELS]."""

    def __init__(self, features, more=0):
        super().__init__()
        full, half, quarter, eighth = features
        self.coarse = Residual(eighth)
        self.norm_quarter, self.up_quarter = group_norm(eighth), UpConv(eighth, quarter)
        self.quarter = Residual(quarter, style=quarter)
        self.norm_half, self.up_half = group_norm(quarter), UpConv(quarter, half)
        self.half_ = Residual(half, style=half)
        self.norm_full, self.up_full = group_norm(half), UpConv(half, full)
        self.detail = conv(half, 4 * full, 1, bias=False)
        self.norm_head, self.head = group_norm(full), conv(full, CHANNELS, 1)
        self.grow("quarter", quarter, more)
        self.grow("half", half, more)

    def forward(self, pyramid):
        coarse, middle, fine, sharp = pyramid
        h = self.coarse(coarse)
        h = self.deeper(self.quarter(self.up_quarter(F.silu(self.norm_quarter(h))), middle), "quarter")
        h = self.deeper(self.half_(self.up_half(F.silu(self.norm_half(h))), fine), "half")
        h = self.up_full(F.silu(self.norm_full(h)))
        detail = fine - fine[:, :, :1, :1]
        h = h + depth_to_space(self.detail(detail - detail.mean((2, 3), keepdim=True)))
        return self.head(F.silu(self.norm_head(h)) + sharp).permute(0, 2, 3, 1)


def without_skips(pyramid, drop):
    """The pyramid with the upper levels of the examples where drop [N] is 1 replaced by their spatial mean."""
    coarse, *upper = pyramid
    drop = drop[:, None, None, None]
    return coarse, *(level.mean((2, 3), keepdim=True) * drop + level * (1 - drop) for level in upper)
