"""Skin, hair, eyes and lips of a person: natural ranges, painted on the body's vertices."""

from typing import NamedTuple

import numpy as np

from tryon_jax.simulation.regions import FEATURE

# Display colours from fair to dark, and the hair that goes with them.
SKIN = np.array(
    [[0.95, 0.80, 0.71], [0.91, 0.73, 0.61], [0.83, 0.62, 0.48], [0.70, 0.49, 0.36], [0.53, 0.35, 0.25],
     [0.38, 0.25, 0.18]]
)  # fmt: skip
HAIR = np.array(
    [[0.10, 0.08, 0.07], [0.20, 0.13, 0.09], [0.36, 0.23, 0.13], [0.55, 0.36, 0.18], [0.80, 0.65, 0.40],
     [0.55, 0.22, 0.10], [0.62, 0.61, 0.60]]
)  # fmt: skip
IRIS = np.array([[0.25, 0.15, 0.08], [0.35, 0.25, 0.12], [0.25, 0.40, 0.55], [0.30, 0.42, 0.28]])
SHOES = np.array(
    [[0.92, 0.92, 0.90], [0.12, 0.12, 0.13], [0.30, 0.20, 0.14], [0.55, 0.40, 0.28], [0.15, 0.20, 0.38],
     [0.65, 0.15, 0.15], [0.55, 0.56, 0.58]]
)  # fmt: skip


class Look(NamedTuple):
    """Display colours [3] of a person's skin, hair, irises, lips and shoes."""

    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    lips: np.ndarray
    shoes: np.ndarray


def sample(rng):
    """A random Look: any skin tone evenly, hair dark on dark skin."""
    tone = rng.uniform(0, len(SKIN) - 1)
    low = min(int(tone), len(SKIN) - 2)
    skin = SKIN[low] + (SKIN[low + 1] - SKIN[low]) * (tone - low) + rng.normal(0, 0.012, 3)
    hair = HAIR[rng.integers(3 if tone > 3 else len(HAIR))] * rng.uniform(0.85, 1.15)
    iris = IRIS[rng.integers(1 if tone > 3 else len(IRIS))]
    lips = skin * np.array([0.92, 0.66, 0.66]) + np.array([rng.uniform(0, 0.08), 0, 0])
    shoes = SHOES[rng.integers(len(SHOES))] * rng.uniform(0.9, 1.05)
    return Look(*(np.clip(colour, 0.03, 0.97).astype(np.float32) for colour in (skin, hair, iris, lips, shoes)))


def paint(look, features):
    """Vertex colours [V, 3] f32 of a body whose facial features [V] are known (regions.FEATURES)."""
    colours = np.tile(look.skin, (len(features), 1))
    colours[features == FEATURE["eye"]] = (0.93, 0.92, 0.90)
    colours[features == FEATURE["iris"]] = look.iris
    colours[features == FEATURE["lips"]] = look.lips
    colours[features == FEATURE["brow"]] = 0.75 * look.hair + 0.25 * look.skin * 0.6
    return colours.astype(np.float32)
