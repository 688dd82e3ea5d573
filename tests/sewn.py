"""Sewing patterns for tests: a plain T-shirt and a piece of trousers, simple enough to check by hand."""

import numpy as np

from tryon_jax.garments.pattern import Detail, Panel


def polygon(name, corners, finish):
    """A Panel whose edges e0, e1, ... join counter-clockwise corners [N, 2]; finish: one word for each edge."""
    corners = np.array(corners, float)
    ends = np.roll(corners, -1, axis=0)
    edges = {f"e{number}": np.stack(pair) for number, pair in enumerate(zip(corners, ends, strict=True))}
    return Panel(name, edges, {f"e{number}": word for number, word in enumerate(finish)})


def body(name, depth):
    """Half of a T-shirt's trunk, 0.5 m wide, from y = 0.8 to 1.4, with a round neckline."""
    angle = np.linspace(0, np.pi, 33)
    neck = np.stack([0.09 * np.cos(angle), 1.4 - depth * np.sin(angle)], -1)
    corners = np.array([(-0.25, 0.8), (0.25, 0.8), (0.25, 1.2), (0.2, 1.36), (0.09, 1.4), (-0.09, 1.4), (-0.2, 1.36),
                        (-0.25, 1.2)])  # fmt: skip
    ends = np.roll(corners, -1, axis=0)
    edges = {f"e{number}": np.stack(pair) for number, pair in enumerate(zip(corners, ends, strict=True))}
    edges["e4"] = neck
    finish = {name: "seam" for name in edges}
    return Panel(name, edges, {**finish, "e0": "hem", "e4": "band"})


def tshirt():
    """Panels of a T-shirt: front, back and two sleeves."""
    sleeves = [
        polygon(name, [(-0.16, 1.1), (0.16, 1.1), (0.19, 1.25), (0, 1.38), (-0.19, 1.25)], ["hem"] + 4 * ["seam"])
        for name in ("left_sleeve", "right_sleeve")
    ]
    return body("front", 0.09), body("back", 0.03), *sleeves


BUTTON = Detail("button", "left_leg", (0.04, 0.8), (0.03, 0.03))


def leg():
    """Panels of one trouser leg with a waistband."""
    front = polygon("left_leg", [(-0.1, 0.1), (0.1, 0.1), (0.15, 0.7), (0.13, 1.0), (-0.13, 1.0), (-0.18, 0.7)],
                    ["hem"] + 5 * ["seam"])  # fmt: skip
    return front, polygon(
        "waistband", [(-0.3, 0), (0.3, 0), (0.3, 0.04), (-0.3, 0.04)], ["seam", "seam", "hem", "seam"]
    )
