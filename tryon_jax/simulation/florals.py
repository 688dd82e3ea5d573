"""All-over flowers: blossoms on leaves and small sprigs between them, scattered evenly."""

import numpy as np
from PIL import Image, ImageDraw

SUPERSAMPLES = 3  # a side: strokes of a texel's width are smooth
STAMPS = 14  # different blossoms in one print, as a printing block has
LEAF = np.array([0.22, 0.42, 0.24])
CIRCLE = np.array([(np.cos(angle), np.sin(angle)) for angle in np.arange(16) * (np.pi / 8)]).T


def floral(design, layout, size):
    """Colours [S, S, 3] f32 of small flowers in figure and accent on the design's ground; sheet as in layout."""
    rng = np.random.default_rng([design.seed, 2])
    ground, figure, accent = design.colours
    pixel = layout.side / (size * SUPERSAMPLES)
    image = Image.new("RGB", (size * SUPERSAMPLES,) * 2, _ink(ground))
    leaf = LEAF + 0.25 * (ground.mean() < 0.3) if rng.uniform() < 0.75 else 0.35 * ground + 0.65 * figure
    petals, style = int(rng.integers(5, 9)), int(rng.integers(3))
    cell = design.period / pixel
    turns = rng.uniform(0, 2 * np.pi, (2, STAMPS))
    sizes = rng.choice([0.45, 0.37, 0.29], STAMPS) * rng.uniform(0.9, 1.1, STAMPS)
    blossoms = []
    for number, (turn, share) in enumerate(zip(turns[0], sizes, strict=True)):
        colour, middle = (figure, accent) if number % 3 else (accent, figure)
        blossoms.append(_blossom(share * cell, turn, petals, style, colour, middle, leaf))
    sprigs = [_sprig(0.22 * cell, turn, leaf, accent) for turn in turns[1]]
    rows = int(layout.side / design.period) + 2
    for row in range(rows):
        for column in range(rows):
            place, picks = rng.uniform(-0.2, 0.2, (2, 2)), rng.integers(STAMPS, size=2)
            # Sprigs take the lattice's gaps.
            for stamp, gap, (right, down) in zip(
                (sprigs[picks[0]], blossoms[picks[1]]), (0.5, 0.0), place.tolist(), strict=True
            ):
                x, y = column + 0.5 * (row % 2) + 0.5 * gap + right, row + gap + down
                left, top = (round(way * cell - stamp.width / 2) for way in (x, y))
                if left < image.width and top < image.height:
                    image.paste(stamp, (left, top), stamp)
    return np.asarray(image.reduce(SUPERSAMPLES), np.float32) / 255


def _ink(colour):
    return tuple(round(255 * min(max(channel, 0.0), 1.0)) for channel in colour.tolist())


def _oval(centre, along, long, wide):
    """Corners of an ellipse, x and y in turn, whose long axis points in direction `along` (radians)."""
    # Polygons are filled with the pixels that their outlines touch, which makes them half a pixel larger.
    right, up = max(long - 0.5, 0.3) * CIRCLE[0], max(wide - 0.5, 0.3) * CIRCLE[1]
    cosine, sine = np.cos(along), np.sin(along)
    corners = np.empty((len(right), 2))
    corners[:, 0] = right * cosine - up * sine + centre[0]
    corners[:, 1] = right * sine + up * cosine + centre[1]
    return corners.ravel().tolist()


def _stamp(radius):
    """An empty square picture, a pen for it and its middle."""
    side = max(1, int(2 * radius) + 2)
    image = Image.new("RGBA", (side, side))
    return image, ImageDraw.Draw(image), np.full(2, side / 2)


def _blossom(radius, turn, petals, style, colour, middle, leaf):
    """Petals around a middle on a few leaves: petals round, slender, or round with a darker inner part."""
    image, draw, centre = _stamp(1.3 * radius)
    for way, long in ((0.9, 1.2), (2.9, 1.05), (4.9, 1.3)):
        angle = turn + way
        out = np.array([np.cos(angle), np.sin(angle)]) * radius * long
        draw.polygon(_oval(centre + 0.68 * out, angle, 0.32 * radius * long, 0.17 * radius), fill=_ink(leaf))
        draw.line(
            [tuple(centre), tuple(centre + 0.95 * out)], fill=_ink(0.75 * leaf), width=max(1, round(0.05 * radius))
        )
    wide = radius * (1.75 if style != 1 else 0.95) / petals
    for petal in range(petals):
        angle = turn + 2 * np.pi * petal / petals
        out = np.array([np.cos(angle), np.sin(angle)])
        shade = colour * (0.90 if petal % 2 else 1.0)
        draw.polygon(_oval(centre + 0.54 * radius * out, angle, 0.44 * radius, wide), fill=_ink(shade))
        if style == 2:
            draw.polygon(_oval(centre + 0.36 * radius * out, angle, 0.22 * radius, 0.45 * wide), fill=_ink(0.7 * shade))
    draw.polygon(_oval(centre, 0, 0.23 * radius, 0.23 * radius), fill=_ink(middle))
    draw.polygon(_oval(centre, 0, 0.11 * radius, 0.11 * radius), fill=_ink(0.65 * middle))
    return image


def _sprig(radius, turn, leaf, bud):
    """A stalk with pairs of leaves and a bud at its end."""
    image, draw, centre = _stamp(1.1 * radius)
    along = np.array([np.cos(turn), np.sin(turn)])
    draw.line(
        [tuple(centre - radius * along), tuple(centre + 0.7 * radius * along)],
        fill=_ink(0.8 * leaf),
        width=max(1, round(0.08 * radius)),
    )
    for reach in (-0.55, -0.1, 0.35):
        for side in (-0.9, 0.9):
            out = np.array([np.cos(turn + side), np.sin(turn + side)])
            middle = centre + radius * (reach * along + 0.32 * out)
            draw.polygon(_oval(middle, turn + side, 0.3 * radius, 0.13 * radius), fill=_ink(leaf))
    draw.polygon(_oval(centre + 0.8 * radius * along, turn, 0.24 * radius, 0.2 * radius), fill=_ink(bud))
    return image
