"""Hairstyles: painted stubble below, a raised mass above it, and locks that follow the style and fall by weight."""

from typing import NamedTuple

import numpy as np

from tryon_jax.geometry.parts import PART
from tryon_jax.simulation import body, strands
from tryon_jax.simulation.attachment import Attached, follow, join
from tryon_jax.simulation.visage import soft

STYLES = ("bald", "buzz", "crop", "side part", "afro", "curls", "bob", "long", "ponytail", "bun")
MEN = (0.07, 0.18, 0.30, 0.25, 0.06, 0.10, 0.0, 0.02, 0.01, 0.01)
WOMEN = (0.0, 0.02, 0.06, 0.06, 0.07, 0.13, 0.20, 0.24, 0.13, 0.09)
BESIDE_NECK = 0.024  # metres between neck or shoulder and hair that falls: room for a collar


class Style(NamedTuple):
    """name: one of STYLES; in [0, 1]: length, volume, hairline (low ... receding), wave (straight ... wavy); part:
    metres of the parting to the person's left; fringe: whether hair falls over the forehead."""

    name: str
    length: float
    volume: float
    hairline: float
    wave: float
    part: float
    fringe: bool


class Head(NamedTuple):
    """Places on a head: eye (left), joint (head bone), neck [3], crown (height); scale 1 on a mean adult."""

    eye: np.ndarray
    joint: np.ndarray
    neck: np.ndarray
    crown: float
    scale: float


def sample(rng, woman, age):
    """A random Style; men's hairlines recede with age in [0, 1]."""
    name = str(rng.choice(STYLES, p=WOMEN if woman else MEN))
    hairline = rng.uniform(0, 0.4) if woman else np.clip(rng.uniform(0, 0.5) + 0.5 * age * rng.uniform(), 0, 1)
    part = rng.choice([-1, 1]) * rng.uniform(0.015, 0.04) if rng.uniform() < 0.65 else 0.0
    fringe = name in ("bob", "long", "crop") and rng.uniform() < 0.35
    wave = rng.uniform() if rng.uniform() < 0.6 else 0.0
    return Style(name, rng.uniform(), rng.uniform(), float(hairline), wave, float(part), bool(fringe))


def head_of(points, joint):
    """The Head of a body's vertices [V, 3]; joint(name) gives a bone's head [3]."""
    eye, crown = np.asarray(joint("eye.L")), float(points[:, 2].max())
    return Head(eye, np.asarray(joint("head")), np.asarray(joint("neck01")), crown, float((crown - eye[2]) / 0.115))


def hairline(style, points, head):
    """Field [N] in metres at points [N, 3] of the body, positive where hair grows."""
    x, y, z = points.T
    high = head.eye[2] + (0.052 + 0.020 * style.hairline) * head.scale
    # Above the temples the line recedes before it drops in front of the ears.
    corner = 0.016 * style.hairline * np.exp(-(((np.abs(x) / head.scale - 0.045) / 0.014) ** 2))
    nape = head.joint[2] - 0.020 * head.scale
    ear = head.joint[1] + 0.012
    temple = high + corner + (head.eye[2] + 0.004 - high) * soft(y, head.eye[1] + 0.030, ear - 0.040)
    # Around the ear: over it, then behind it down to the nape.
    arch = 0.018 * head.scale * np.exp(-(((y - ear + 0.004) / 0.02) ** 2))
    line = temple + arch + (nape - temple - arch) * soft(y, ear + 0.004, ear + 0.034)
    on_ear = soft(np.abs(x) / head.scale, 0.0765, 0.080)
    return z - line - 0.05 * on_ear * (z < head.eye[2] + 0.03)


def scalp(style, canvas):
    """Share of hair [W] f32 in [0, 1] painted on the skin of a visage.Canvas."""
    model = body.load()
    field = hairline(style, canvas.points, head_of(model.template, model.bones.get))
    grown = soft(field + 0.0022 * canvas.noise[:, 1], -0.004, 0.007) * (1 - canvas.masks["eye"])
    return grown * {"bald": 0.16, "buzz": 0.8}.get(style.name, 0.95)


def attach(rng, style, look, rest):
    """The hair on a garments.Rest as an attachment.Attached; None for styles that are only painted."""
    if style.name in ("bald", "buzz"):
        return None
    head = head_of(rest.vertices, rest.joint)
    field = hairline(style, rest.vertices, head)
    mask = soft(field, 0.0, 0.03)
    locks, width = _locks(rng, style, rest, head, field)
    vertices, faces, lock, share, side = strands.ribbons(rng, locks, width)
    tone = np.exp(rng.normal(0, 0.15, locks.points.shape[0]))[lock]
    light = tone * (0.72 + 0.40 * share**0.7) * (1 + 0.09 * side)
    pieces = [(vertices, faces, light)]
    bump = 1 + 0.3 * np.sin(rest.vertices @ (rng.normal(size=(3, 5)) * 90)).mean(1)
    raised, mass_faces, _ = strands.mass(rest, mask, _height(style) * bump * head.scale)
    pieces.append((raised, mass_faces, 0.62 * np.exp(rng.normal(0, 0.08, len(raised)))))
    if style.name == "bun":
        place = _tie(style, head) + np.array([0.0, 0.026, 0.012]) * head.scale
        knot, knot_faces = strands.ball(place, (0.032 + 0.012 * style.volume) * head.scale)
        stripes = 0.85 + 0.22 * np.sin(7 * np.arctan2(*(knot - place).T[[2, 0]]) + 60 * (knot - place)[:, 1])
        pieces.append((knot, knot_faces, stripes))
    return _attached(rng, rest, head, look, *join(pieces))


def _height(style):
    """Metres of the mass of hair above the scalp."""
    low, high = {"afro": (0.028, 0.062), "curls": (0.014, 0.028), "crop": (0.004, 0.010)}.get(
        style.name, (0.004, 0.011)
    )
    return low + (high - low) * style.volume


def _tie(style, head):
    """Where a ponytail or a bun is tied: [3]."""
    up = 0.02 + 0.055 * style.length if style.name == "bun" else 0.0 + 0.05 * style.length
    behind = head.joint[1] + (0.088 - 0.25 * max(up - 0.03, 0)) * head.scale
    return np.array([0.0, behind, head.eye[2] + up * head.scale])


def _locks(rng, style, rest, head, field):
    """All strands.Locks of a style and their width in metres."""
    growing = np.where(field > -0.001, 1.0, 0.0)
    if style.name in ("afro", "curls"):
        return _curly(rng, style, rest, head, growing)
    if style.name in ("crop", "side part"):
        return _short(rng, style, rest, head, growing), 0.008
    if style.name in ("ponytail", "bun"):
        return _tied(rng, style, rest, head, growing)
    return _falling(rng, style, rest, head, growing), 0.016


def _short(rng, style, rest, head, mask):
    """Short hair: from the whorl outward, or to both sides of a parting."""
    starts, normals = strands.roots(rng, rest, mask, 640)
    whorl = np.array([0.012, head.joint[1] + 0.050, head.crown])

    def flow(points):
        if style.name == "crop":
            return strands.unit((points - whorl) * np.array([0.7, 1.0, 0.5]))
        part = style.part or 0.03
        sideways = np.sign(points[:, 0] - part) * 0.9
        return strands.unit(np.stack([sideways, np.full(len(points), 0.55), -0.25 * np.abs(sideways)], 1))

    # Longer on top than at the sides, as a barber cuts it.
    top = soft(starts[:, 2], head.eye[2] + 0.02, head.crown - 0.02)
    longest = (0.020 + 0.030 * style.length) if style.name == "crop" else 0.05 + 0.05 * style.length
    lengths = (0.014 + (longest - 0.014) * top) * rng.uniform(0.75, 1.15, len(starts))
    steps = 5
    layer = (0.003 + (0.005 + 0.012 * style.volume) * top)[:, None] * rng.uniform(0.6, 1.2, (len(starts), 1))
    gap = layer * np.array([0.6, 1.0, 1.0, 0.9, 0.7])
    weight = np.linspace(0.0, 0.25, steps)
    return strands.grow(
        rng, rest, starts, normals, lengths, strands.Growth(flow, weight, gap, _clear(style, head, 0.012))
    )


def _falling(rng, style, rest, head, mask):
    """Hair that falls to both sides of a parting, to the chin or below the shoulders."""
    starts, normals = strands.roots(rng, rest, mask, 460)
    forehead = soft(starts[:, 1], head.eye[1] + 0.045, head.eye[1] + 0.02) * (np.abs(starts[:, 0]) < 0.05 * head.scale)
    fringe = (forehead > 0.3) & style.fringe

    def flow(points):
        sideways = np.clip((points[:, 0] - style.part) / 0.012, -1, 1)
        # At the back hair falls straight, and all of it gathers toward the body once it is below the head.
        behind = soft(points[:, 1], head.joint[1] - 0.01, head.joint[1] + 0.05)
        sideways = sideways * (1 - behind) + behind * points[:, 0] / 0.09
        straight = np.stack([sideways, np.full(len(points), 0.30), -0.3 - 0.5 * behind], 1)
        forward = np.stack([0.15 * sideways, np.full(len(points), -0.6), np.full(len(points), -0.8)], 1)
        return strands.unit(np.where(fringe[:, None], forward, straight))

    end = (
        head.eye[2] - (0.085 + 0.05 * style.length if style.name == "bob" else 0.20 + 0.20 * style.length) * head.scale
    )
    # All locks end at about one height: the way over the head is longer from the parting.
    over = 0.55 * np.abs(head.crown - starts[:, 2]) + 0.6 * np.clip(0.075 - np.abs(starts[:, 0]), 0, 1)
    lengths = np.maximum(starts[:, 2] - end, 0.03) + np.minimum(over, 0.06)
    lengths = np.where(fringe, np.clip(starts[:, 2] - head.eye[2] - 0.022, 0.02, 0.07), lengths)
    lengths = lengths * rng.uniform(0.93, 1.03, len(starts))
    steps = 9 if style.name == "bob" else 13
    way = np.linspace(0, 1, steps)
    weight = soft(way * lengths.max(), 0.0, 0.10) * 0.93
    drop = np.linspace(0, 1, steps)[None] * lengths[:, None]
    below = soft(starts[:, 2:3] - drop, head.joint[2] + 0.01, head.joint[2] - 0.06)
    layer = rng.uniform(0.3, 1.0, (len(starts), 1)) * (0.005 + 0.009 * style.volume)
    gap = np.minimum(layer * (0.5 + 1.2 * way), 0.03) + below * BESIDE_NECK * rng.uniform(0.8, 1.3, (len(starts), 1))
    locks = strands.grow(
        rng, rest, starts, normals, lengths, strands.Growth(flow, weight, gap, _clear(style, head, 0.0), 0.08)
    )
    return strands.curl(rng, locks, 0.004 + 0.006 * style.wave, 0.12) if style.wave > 0.3 else locks


def _tied(rng, style, rest, head, mask):
    """Hair combed to where it is tied, and the tail that falls from there."""
    tie = _tie(style, head)
    starts, normals = strands.roots(rng, rest, mask, 420)
    lengths = np.linalg.norm(starts - tie, axis=1) * 1.12

    def flow(points):
        return strands.unit(tie - points)

    steps = 7
    layer = rng.uniform(0.4, 1.2, (len(starts), 1)) * (0.004 + 0.006 * style.volume)
    growth = strands.Growth(flow, np.zeros(steps), layer * np.ones(steps), _clear(style, head, 0.01))
    combed = strands.grow(rng, rest, starts, normals, lengths, growth)
    if style.name == "bun":
        return combed, 0.010
    turn, radius = rng.uniform(0, 2 * np.pi, 130), 0.014 * np.sqrt(rng.uniform(size=130))
    around = np.stack([radius * np.cos(turn), np.zeros(130), radius * np.sin(turn)], 1)
    backward = strands.unit(np.array([0.0, 1.0, 0.25]) + 7 * around * np.array([1.0, 0.0, 0.6]))
    tail_lengths = (0.20 + 0.22 * style.volume) * rng.uniform(0.8, 1.05, 130)

    def fall(points):
        return backward

    gap = np.linspace(0.012, 0.034, steps) + rng.uniform(0, 0.02, (130, 1))
    weight = np.array([0.2, 0.6, 0.85, 0.95, 0.97, 0.98, 0.98])
    growth = strands.Growth(fall, weight, gap, lambda points, roots: points, 0.05)
    tail = strands.grow(rng, rest, tie + around, backward, tail_lengths, growth)
    return strands.Locks(*(np.concatenate(pair) for pair in zip(combed, tail, strict=True))), 0.011


def _curly(rng, style, rest, head, mask):
    """Curls that stand out all around (afro) or fall a little way."""
    count = 640
    starts, normals = strands.roots(rng, rest, mask, count)
    stands = style.name == "afro"
    lengths = (0.030 + 0.012 * style.volume if stands else 0.05 + 0.08 * style.length) * rng.uniform(0.7, 1.1, count)
    middle = np.array([0.0, head.joint[1] - 0.01, head.eye[2] + 0.03])
    steps = 6

    def flow(points):
        return strands.unit(points - middle)

    # An afro's curls wander about in its outermost layer, where the mass below them ends.
    least = 0.85 if stands else 0.5
    gap = _height(style) * rng.uniform(least, 1.15, (count, 1)) * np.linspace(0.7 if stands else 0.4, 1.0, steps)
    weight = np.zeros(steps) if stands else np.linspace(0.0, 0.9, steps)
    growth = strands.Growth(flow, weight, gap, _clear(style, head, -0.010), 1.5 if stands else 0.16)
    locks = strands.grow(rng, rest, starts, normals, lengths, growth)
    return strands.curl(rng, locks, 0.006, 0.035), 0.018 if stands else 0.016


def _clear(style, head, over):
    """The function that keeps locks out of the face: below the hairline in front of the ears they go to the sides;
    over: metres by which they may reach over the forehead."""

    def clear(points, starts):
        x, y, z = points.T
        least = head.eye[2] + ((0.020 if style.fringe else 0.056 - over) * head.scale)
        front = soft(y, head.joint[1] - 0.012, head.eye[1] + 0.045)
        below = soft(z, least + 0.012, least - 0.012)
        beside = 0.066 * head.scale * front * below
        side = np.where(np.abs(x) > 0.004, np.sign(x), np.sign(starts[:, 0] - style.part))
        # Below the chin it stays between the shoulders' joints.
        widest = 0.098 * head.scale + 0.2 * soft(z, head.joint[2] - 0.05, head.joint[2] + 0.03)
        return np.stack([np.clip(np.where(np.abs(x) < beside, side * beside, x), -widest, widest), y, z], 1)

    return clear


def _attached(rng, rest, head, look, vertices, faces, light):
    """An Attached of hair: light [G] times the hair's colour; it goes with the head, on the shoulders with them."""
    # The ring of light that smooth hair shows around the head.
    ring = 0.22 * np.exp(-(((vertices[:, 2] - head.crown + 0.042 * head.scale) / 0.014) ** 2))
    tint = look.hair + 0.02 * rng.normal(size=(len(vertices), 1)) * look.hair
    colours = np.clip(tint * (light + ring * light)[:, None] + 0.25 * ring[:, None] * look.hair, 0.01, 0.97)
    arms = sum(rest.limbs[f"{side}_{limb}"] for side in ("left", "right") for limb in ("arm", "hand"))
    lowest = vertices[:, 2].min() - 0.1
    rows = np.flatnonzero((arms < 0.2) & (rest.vertices[:, 2] > lowest))
    own = soft(vertices[:, 2], head.joint[2] - 0.03, head.joint[2] - 0.12)
    indices, weights = follow(rest, vertices, "head", own, rows)
    labels = np.full(len(faces), PART["hair"], np.int32)
    return Attached(vertices.astype(np.float32), faces, indices, weights, colours.astype(np.float32), labels)
