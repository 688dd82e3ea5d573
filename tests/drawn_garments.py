"""Garments drawn on a ground, whose exact cut-outs are known, and how well a cut-out agrees."""

import numpy as np


def iou(first, second):
    first, second = np.asarray(first) > 0.5, np.asarray(second) > 0.5
    return (first & second).sum() / max((first | second).sum(), 1)


def noisy(colour, shape, rng, spread=6):
    return np.clip(np.asarray(colour) + rng.normal(0, spread, (*shape, 3)), 0, 255)


def on_ground(shape_mask, colour, ground, seed=0):
    rng = np.random.default_rng(seed)
    inside, outside = (noisy(paint, shape_mask.shape, rng) for paint in (colour, ground))
    return np.where(shape_mask[..., None], inside, outside).astype(np.uint8)


def trousers(size=240):
    rows, columns = np.mgrid[:size, :size] / size
    whole = (rows > 0.1) & (rows < 0.92) & (np.abs(columns - 0.5) < 0.2)
    return whole & ~((rows > 0.4) & (np.abs(columns - 0.5) < 0.05))


def shirt(size=240):
    rows, columns = np.mgrid[:size, :size] / size
    trunk = (rows > 0.2) & (rows < 0.85) & (np.abs(columns - 0.5) < 0.2)
    sleeves = (rows > 0.2) & (rows < 0.4) & (np.abs(columns - 0.5) < 0.38)
    return trunk | sleeves
