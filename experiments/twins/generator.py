"""Twin of models/generator.py and skeleton.py: a latent and a garment class -> joints, a pyramid and a palette."""

import torch
import torch.nn.functional as F
from torch import nn

from experiments.twins.layers import UpConv, conv, group_norm, layer_norm, picture, pixel_centres
from experiments.twins.posture import LIMBS
from tryon_jax.geometry.parts import KEYPOINT, KEYPOINTS, MATERIALS
from tryon_jax.models.generator import STANDING

_BONES = (
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in ("left", "right")
        for start, end in (*LIMBS, ("shoulder", "hip"))
    ),
    *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    *(("left_ear", "nose"), ("right_ear", "nose"), ("left_eye", "right_eye")),
)
_STARTS, _ENDS = ([KEYPOINT[name] for name in names] for names in zip(*_BONES, strict=True))
WIDTH = 0.05  # of a drawn bone, half picture sides


def bones(joints, side):
    """Pictures [N, BONES, side, side] of joints [N, K, 2] in half picture sides."""
    places = pixel_centres(side, joints.device).reshape(1, -1, 1, 2) * (2 / side) - 1
    start, along = joints[:, None, _STARTS], (joints[:, _ENDS] - joints[:, _STARTS])[:, None]
    share = ((places - start) * along).sum(-1) / (along.square().sum(-1) + 1e-4)
    away = places - start - share.clamp(0.0, 1.0)[..., None] * along
    return picture((-(away / WIDTH).square().sum(-1) / 2).exp(), side)


class Mapping(nn.Module):
    """z [N, latent] and garment_class [N] -> (joints [N, K, 2], pyramid, colours [N, M, 3] in (0, 1))."""

    def __init__(self, features, size, latent_dim, classes):
        super().__init__()
        full, half, quarter, eighth = features
        self.size = size
        self.class_ = nn.Embedding(classes, latent_dim) if classes else None
        self.dense_0, self.dense_1 = nn.Linear(latent_dim, 2 * eighth), nn.Linear(2 * eighth, 2 * eighth)
        self.norm = layer_norm(2 * eighth)
        self.start = side = min(4, size // 8)
        self.grid = nn.Linear(2 * eighth, side * side * eighth)
        self.sides = []
        while side < size // 8:
            side *= 2
            self.sides.append(side)
            self.add_module(f"norm_{side}", group_norm(eighth))
            self.add_module(f"up_{side}", UpConv(eighth, eighth))
        self.levels = (("quarter", quarter, 4), ("half", half, 2), ("full", full, 1))
        for name, channels, _ in self.levels:
            self.add_module(f"style_{name}", nn.Linear(2 * eighth, channels))
            self.add_module(f"bones_{name}", conv(len(_BONES), channels, 1))
        self.bones_eighth = conv(len(_BONES), eighth, 1)
        self.joints = nn.Linear(2 * eighth, 2 * len(KEYPOINTS))
        self.palette = nn.Linear(2 * eighth, 3 * len(MATERIALS))

    def forward(self, z, garment_class, posture=None, shown=None):
        w = z if self.class_ is None else z + self.class_(garment_class)
        w = F.leaky_relu(self.dense_1(F.leaky_relu(self.dense_0(w), 0.2)), 0.2)
        w = self.norm(w)
        joints = torch.as_tensor(STANDING, device=z.device) + self.joints(w).reshape(len(z), len(KEYPOINTS), 2)
        drawn = joints.detach() if posture is None else torch.where(shown > 0, posture, joints.detach())
        h = picture(self.grid(w).unflatten(1, (self.start**2, -1)), self.start)
        for side in self.sides:
            h = getattr(self, f"up_{side}")(F.silu(getattr(self, f"norm_{side}")(h)))
        pyramid = [h + self.bones_eighth(bones(drawn, self.size // 8))]
        for name, _, factor in self.levels:
            style = getattr(self, f"style_{name}")(w)[:, :, None, None]
            pyramid.append(style + getattr(self, f"bones_{name}")(bones(drawn, self.size // factor)))
        return joints, tuple(pyramid), self.palette(w).sigmoid().reshape(len(z), len(MATERIALS), 3)
