"""Twin of models/joints.py and models/posture.py: where the joints are, how deep they lie, what that tells places."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import (
    Residual,
    channels_first,
    channels_last,
    conv,
    enlarged,
    group_norm,
    layer_norm,
    pixel_centres,
    tokens,
)
from tryon_jax.geometry.parts import KEYPOINT, KEYPOINTS

COUNT = len(KEYPOINTS)
MOVE = 0.1  # unit of a correction, half picture sides
REACH = 0.08  # of a message, half picture sides
TOLD = 0.5  # visibility of keypoints that are told, not shown
DEPTH_UNIT = 0.2
MESSAGE = 16  # channels of a message
LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
_BONES = (
    *((f"{side}_{start}", f"{side}_{end}") for side in ("left", "right") for start, end in LIMBS),
    *(("left_shoulder", "right_shoulder"), ("left_shoulder", "nose")),
)
_STARTS, _ENDS = ([KEYPOINT[name] for name in names] for names in zip(*_BONES, strict=True))
_HIPS = [KEYPOINT["left_hip"], KEYPOINT["right_hip"]]
MEASURED = 2 * (COUNT + len(_BONES) + 1)  # numbers that `measured` makes


def measured(joints):
    """Joints [N, K, 2] from the pelvis, along the bones, and the pelvis itself: [N, MEASURED]."""
    pelvis = joints[:, _HIPS].mean(1, keepdim=True)
    bones = joints[:, _ENDS] - joints[:, _STARTS]
    return torch.cat([3 * (joints - pelvis), 3 * bones, pelvis], dim=1).flatten(1)


def sampled(x, joints):
    """Bilinear samples [N, ..., C] of x [N, C, S, S] at joints [N, J, I, 2] in [-1, 1]; zero beyond the picture."""
    return channels_last(F.grid_sample(x, joints, padding_mode="zeros", align_corners=False))


def around(x, joints):
    """Samples [N, K, 9 C] of x [N, C, S, S] at joints [N, K, 2] and a cell off each way."""
    steps = torch.arange(-1.0, 2.0, device=joints.device) * (2 / x.shape[2])
    down, right = torch.meshgrid(steps, steps, indexing="ij")
    return sampled(x, joints[:, :, None] + torch.stack([right, down], dim=-1).reshape(9, 2)).flatten(2)


class Joints(nn.Module):
    """Features at sides S/8 and S/4 -> places of the keypoints [N, K, 2] in [-1, 1]."""

    def __init__(self, coarse, middle):
        super().__init__()
        self.broad = conv(coarse, middle, 1)
        self.mix_0, self.mix_1 = Residual(middle), Residual(middle)
        self.norm = group_norm(middle)
        self.heat = conv(middle, COUNT, 1, bias=False)
        self.offset = conv(middle, 2 * COUNT, 1)

    def forward(self, coarse, middle):
        side = middle.shape[2]
        h = middle + enlarged(self.broad(coarse), side)
        h = F.silu(self.norm(self.mix_1(self.mix_0(h))))
        shares = tokens(self.heat(h)).softmax(1)
        offsets = tokens(self.offset(h)).unflatten(2, (COUNT, 2))
        centres = pixel_centres(side, h.device).reshape(-1, 1, 2)
        return (shares[..., None] * ((centres + offsets) * (2 / side) - 1)).sum(1)


class Correction(nn.Module):
    """Guessed places and what is seen around each -> better places."""

    def __init__(self, coarse, middle, fine, edges, width=128, look=32):
        super().__init__()
        self.look = nn.Parameter(torch.empty(COUNT, middle + 9 * fine, look))
        self.grown_look = nn.Parameter(torch.empty(COUNT, 9 * edges, look))
        self.norm = layer_norm(look)
        self.read = nn.Linear(COUNT * look + MEASURED + coarse, width)
        self.think = nn.Linear(width, width)
        self.move = nn.Linear(width, 2 * COUNT)

    def forward(self, coarse, middle, fine, edges, joints):
        joints, n = joints.detach(), len(joints)
        seen = [sampled(middle, joints[:, :, None]).flatten(2), around(fine, joints)]
        seen = torch.einsum("nkc,kcd->nkd", torch.cat(seen, dim=2), self.look)
        seen = seen + torch.einsum("nkc,kcd->nkd", around(edges, joints), self.grown_look)
        seen = F.silu(self.norm(seen))
        h = torch.cat([seen.reshape(n, -1), measured(joints), coarse.mean((2, 3))], dim=1)
        h = F.silu(self.read(h))
        h = h + F.silu(self.think(h))
        return joints + MOVE * self.move(h).reshape(n, COUNT, 2)


class Posture(nn.Module):
    """Joints and what is seen at them -> messages [N, MESSAGE, S, S] to the places, and depths [N, K, 2]."""

    def __init__(self, middle, fine, edges, width=256):
        super().__init__()
        self.look = nn.Linear(COUNT * (middle + fine), width // 2)
        self.grown_look = nn.Linear(COUNT * edges, width // 2, bias=False)
        self.read = nn.Linear(MEASURED + COUNT + width // 2, width)
        self.dense_0, self.dense_1 = nn.Linear(width, width), nn.Linear(width, width)
        self.depths = nn.Linear(width, 2 * COUNT)
        self.message = nn.Linear(width + 2 * COUNT, COUNT * MESSAGE)

    def forward(self, x, fine, edges, joints, shown):
        n, side = len(x), x.shape[2]
        seen = [sampled(level, joints[:, :, None]).flatten(2) for level in (x, fine)]
        close = sampled(edges, joints[:, :, None]).flatten(1)
        seen = self.look(torch.cat(seen, dim=2).flatten(1)) + self.grown_look(close)
        h = F.silu(self.read(torch.cat([measured(joints), shown.float(), F.silu(seen)], dim=1)))
        h = h + F.silu(self.dense_0(h))
        h = h + F.silu(self.dense_1(h))
        depths = self.depths(h)
        message = self.message(torch.cat([h, depths], dim=1)).reshape(n, COUNT, MESSAGE)
        away = (pixel_centres(side, x.device) * (2 / side) - 1).reshape(1, -1, 1, 2) - joints[:, None]
        nearness = (-(away / REACH).square().sum(-1) / 2).softmax(2)
        told = channels_first(torch.bmm(nearness, message).reshape(n, side, side, MESSAGE))
        return told, DEPTH_UNIT * depths.reshape(n, COUNT, 2)
