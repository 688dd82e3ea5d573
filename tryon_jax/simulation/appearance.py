"""Skin, eyes, lips, brows and beard of a person: natural ranges, painted on the vertices of visage.canvas()."""

from typing import NamedTuple

import numpy as np

# Display colours from fair to dark, and the hair that goes with them.
SKIN = np.array(
    [[0.97, 0.83, 0.75], [0.94, 0.76, 0.64], [0.87, 0.66, 0.52], [0.76, 0.54, 0.40], [0.61, 0.41, 0.29],
     [0.46, 0.30, 0.22], [0.33, 0.22, 0.17]]
)  # fmt: skip
HAIR = np.array(
    [[0.09, 0.07, 0.07], [0.17, 0.11, 0.08], [0.30, 0.19, 0.11], [0.44, 0.29, 0.16], [0.60, 0.43, 0.23],
     [0.80, 0.64, 0.40], [0.52, 0.22, 0.10], [0.62, 0.30, 0.12]]
)  # fmt: skip
GREY = np.array([0.66, 0.65, 0.64])
IRIS = np.array(
    [[0.24, 0.14, 0.07], [0.34, 0.22, 0.10], [0.45, 0.36, 0.18], [0.28, 0.44, 0.60], [0.32, 0.45, 0.32],
     [0.46, 0.52, 0.56]]
)  # fmt: skip
SHOES = np.array(
    [[0.92, 0.92, 0.90], [0.12, 0.12, 0.13], [0.30, 0.20, 0.14], [0.50, 0.34, 0.21], [0.15, 0.20, 0.38],
     [0.65, 0.15, 0.15], [0.55, 0.56, 0.58], [0.20, 0.42, 0.36], [0.86, 0.72, 0.62], [0.80, 0.60, 0.16]]
)  # fmt: skip
OLD = (0.84, 1.0)  # ANNY's age control from the first grey hair to all of it


class Look(NamedTuple):
    """Display colours [3] f32 of a person's skin, hair, irises, lips and shoes; and in [0, 1]: beard and moustache
    (0 shaved, 0.3 stubble, 1 full), make-up, freckles, age (0 young), brows (thin ... bushy)."""

    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    lips: np.ndarray
    shoes: np.ndarray
    beard: float = 0.0
    moustache: float = 0.0
    makeup: float = 0.0
    freckles: float = 0.0
    age: float = 0.0
    brows: float = 0.5


def sample(rng, woman=False, age=2 / 3):
    """A random Look: any skin tone evenly, hair dark on dark skin, greyer with age (ANNY's control, 2/3 to 1)."""
    tone = rng.uniform(0, len(SKIN) - 1)
    low = min(int(tone), len(SKIN) - 2)
    skin = SKIN[low] + (SKIN[low + 1] - SKIN[low]) * (tone - low) + rng.normal(0, 0.012, 3)
    dark = tone > 3.2
    hair = HAIR[rng.integers(2 if dark else len(HAIR))] * rng.uniform(0.85, 1.15)
    years = float(np.clip((age - OLD[0]) / (OLD[1] - OLD[0]), 0, 1))
    grey = np.clip(1.4 * years + rng.uniform(-0.7, 0.1), 0, 1) * (0.6 if woman and rng.uniform() < 0.5 else 1.0)
    hair = hair + (GREY * rng.uniform(0.75, 1.15) - hair) * grey
    iris = IRIS[rng.integers(2 if dark else len(IRIS))] * rng.uniform(0.85, 1.15)
    makeup = rng.uniform() * (rng.uniform() < 0.7) if woman else 0.0
    natural = skin * np.array([0.90, 0.66, 0.66]) + np.array([rng.uniform(0, 0.06), 0, 0])
    painted = np.array([[0.72, 0.12, 0.16], [0.80, 0.32, 0.36], [0.58, 0.12, 0.24], [0.76, 0.40, 0.34]])
    lips = natural + (painted[rng.integers(4)] - natural) * 0.8 * makeup
    shoes = SHOES[rng.integers(len(SHOES))] * rng.uniform(0.9, 1.05)
    kind = 0 if woman else rng.choice(4, p=[0.35, 0.3, 0.25, 0.1])
    beard = (0.0, rng.uniform(0.1, 0.4), rng.uniform(0.6, 1.0), 0.15)[kind]
    moustache = (0.0, beard, beard, rng.uniform(0.7, 1.0))[kind]
    freckles = rng.uniform() if tone < 2 and rng.uniform() < 0.35 else 0.0
    brows = rng.uniform(0.2, 0.6) if woman else rng.uniform(0.4, 1.0)
    colours = (np.clip(colour, 0.03, 0.97).astype(np.float32) for colour in (skin, hair, iris, lips, shoes))
    return Look(*colours, float(beard), float(moustache), float(makeup), float(freckles), years, float(brows))


def paint(look, canvas, scalp):
    """Vertex colours [W, 3] f32 in [0, 1] of a visage.Canvas; scalp [W] in [0, 1]: how much hair covers the skin."""
    masks, (smooth, grain) = canvas.masks, canvas.noise.T
    colours = _skin(look, masks, smooth, grain)
    hair = look.hair * (1 + 0.16 * grain)[:, None]

    def lay(name, colour, strength):
        mask = masks[name] if isinstance(name, str) else name
        rows = np.flatnonzero(mask)  # of most masks few
        colour = np.broadcast_to(colour, colours.shape)[rows]
        colours[rows] += (colour - colours[rows]) * (np.clip(mask[rows], 0, 1) * np.float32(strength))[:, None]

    dark = look.hair * 0.35 + look.skin * 0.08
    lay("lips", look.lips * (1 + 0.03 * grain)[:, None], 0.85)
    lay("lower_lip", np.clip(look.lips * 1.18 + 0.03, 0, 1), 0.55)
    lay("lip_line", look.lips * np.float32([0.42, 0.30, 0.30]), 0.75)
    lay("eyeshadow", look.skin * np.float32([0.70, 0.58, 0.60]), 0.25 + 0.5 * look.makeup)
    lay("crease", look.skin * np.float32([0.60, 0.50, 0.46]), 0.5)
    lay("lower_lashes", dark, 0.35 + 0.25 * look.makeup)
    lay("lashes", dark * 0.5, 0.9)
    strands = np.clip(masks["brows"] * (1.0 + 0.5 * look.brows) + 0.18 * grain * masks["brows"], 0, 1)
    lay(strands, look.hair * 0.62 + look.skin * 0.06, 0.6 + 0.35 * look.brows)
    for name, amount in (("beard", look.beard), ("moustache", look.moustache)):
        # Few hairs let the skin through as a grey-blue shade; many hide it.
        cover = masks[name] * (amount * (0.95 + 0.10 * grain))
        lay(cover, (hair * 0.72 + look.skin * 0.25 * (1 - amount)), 1.0)
    lay(scalp * (1 + 0.12 * grain), hair * 0.8, 1.0)
    _eyes(look, masks, colours, lay)
    return np.clip(colours, 0.02, 0.98).astype(np.float32)


def _skin(look, masks, smooth, grain):
    """Bare skin [W, 3]: mottled, redder on cheeks, ears, nose and joints, freckled, lined by age."""
    light = 1 + 0.014 * smooth + 0.010 * grain
    colours = look.skin * light[:, None] * (1 + np.float32([0.006, -0.006, -0.008]) * smooth[:, None])
    red = 0.9 * masks["cheeks"] * (0.7 + 0.8 * look.makeup) + 0.45 * masks["nose"] + 0.9 * masks["ears"]
    red = red + 0.8 * masks["red"] * (1 - 0.5 * (look.skin.mean() < 0.4)) + 0.4 * masks["tired"]
    colours *= 1 - np.float32([0.02, 0.13, 0.12]) * np.clip(red, 0, 1)[:, None]
    shade = 0.55 * masks["nostrils"] + 0.08 * masks["wings"] + (0.05 + 0.12 * look.age) * masks["fold"]
    shade = shade + (0.06 + 0.10 * look.age) * masks["tired"] + 0.10 * masks["below_lip"]
    colours *= 1 - np.clip(shade, 0, 0.8)[:, None] * np.float32([0.85, 1.0, 1.0])
    colours *= 1 + 0.04 * masks["bridge"][:, None]
    spots = np.clip(grain - 1.0, 0, 1) * np.clip(masks["cheeks"] + masks["nose"] + 0.3 * masks["bridge"], 0, 1)
    colours *= 1 - look.freckles * 0.4 * spots[:, None] * np.float32([0.5, 0.9, 1.0])
    pink = np.clip(look.skin * np.float32([1.06, 0.95, 0.95]) + 0.04, 0, 1)
    nail = look.lips if look.makeup > 0.6 else pink
    return colours + (nail - colours) * (0.8 * masks["nails"])[:, None]


def _eyes(look, masks, colours, lay):
    """White, iris, pupil and glint of both eyes, under the shadow of the lid."""
    lay("eye", np.float32([0.88, 0.86, 0.84]), 1.0)
    lay("corner", np.float32([0.80, 0.58, 0.54]), 0.45)
    lay("iris", look.iris, 1.0)
    lay("limbus", look.iris * 0.35, 0.7)
    lay("pupil", np.float32([0.03, 0.03, 0.03]), 1.0)
    colours *= 1 - 0.38 * masks["lid_shade"][:, None]
    lay("glint", np.float32([1.0, 1.0, 1.0]), 0.9)
