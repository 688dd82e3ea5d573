"""Rough landmarks of a garment that is laid out or hung, from its cut-out's outline: neck, sleeves, waist and hem.

The garment hangs upright and about symmetric. Left and right are the wearer's own: left is at the picture's right.
"""

import numpy as np

LANDMARKS = (
    "left_neck", "right_neck", "left_armpit", "right_armpit", "left_sleeve", "right_sleeve",
    "left_waist", "right_waist", "left_hem", "right_hem", "crotch",
)  # fmt: skip
LANDMARK = {name: index for index, name in enumerate(LANDMARKS)}

JUMP = 0.05  # share of the garment's width by which a row is wider than those below where a sleeve begins
NECK = 0.28  # half the width, over the garment's, within which the neckline is looked for
MARGIN = 0.03  # of the height: rows this near to an end are rounded corners
# Share of the height above which an armpit lies: sleeves laid on a jacket's sides show none, flounces lie lower.
LOWEST_ARMPIT = {"top": 0.75, "dress": 0.5}
WAIST = 0.2  # of the height: where a waist's width is measured
LEAST_SLEEVE = 0.02  # of the garment's pixels: what is less beside the trunk is a fold


def find(mask, kind):
    """Landmarks float32 [11, 3] (x, y in pixels, pixel centre at +0.5, and 1 where found) of a cut-out [H, W].

    kind: one of outline.KINDS. Order as LANDMARKS; what a kind does not have, or the outline does not show, is zero.
    """
    found = np.zeros((len(LANDMARKS), 3), np.float32)
    shape = np.asarray(mask) > 0.5
    rows, columns = np.nonzero(shape)
    if not len(rows):
        return found
    top, left = rows.min(), columns.min()
    crop = shape[top : rows.max() + 1, left : columns.max() + 1]
    if kind in LOWEST_ARMPIT:
        points = _of_top(crop, LOWEST_ARMPIT[kind])
    else:
        points = _of_bottom(crop, kind == "trousers")
    for name, (x, y) in points.items():
        found[LANDMARK[name]] = x + left + 0.5, y + top + 0.5, 1.0
    return found


def sleeve_length(landmarks):
    """Length of the longer sleeve, from the neck, over the garment's from neck to hem; 0 where no sleeve is found.

    T-shirts have about 0.5, sleeves to the wrist 0.9. landmarks: float32 [11, 3] of find.
    """
    points = {name: landmarks[index] for name, index in LANDMARK.items()}
    body = [points[f"{side}_{end}"][1] for side in ("left", "right") for end in ("neck", "hem")]
    height = max(abs(body[1] - body[0]), abs(body[3] - body[2]))
    lengths = [
        float(np.hypot(*(points[f"{side}_sleeve"] - points[f"{side}_neck"])[:2])) / max(height, 1.0)
        for side in ("left", "right")
        if points[f"{side}_sleeve"][2] and points[f"{side}_neck"][2]
    ]
    return max(lengths, default=0.0)


def _run(row, middle):
    """First and last column of the filled run of a row, bool [w], that holds or is nearest to the column middle."""
    filled = np.flatnonzero(row)
    if not len(filled):
        return None
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)
    near = min(runs, key=lambda run: max(run[0] - middle, middle - run[-1], 0))
    return int(near[0]), int(near[-1])


def _of_top(crop, lowest):
    """Landmarks {name: (x, y)} of a top or dress, bool [h, w] without margins; lowest: as of LOWEST_ARMPIT."""
    height, width = crop.shape
    middle = _middle(crop)
    column = np.flatnonzero(crop[:, middle])
    hem = int(column[-1] - MARGIN * height)
    points = {}
    ends = _run(crop[hem], middle)
    points["right_hem"], points["left_hem"] = (ends[0], column[-1]), (ends[1], column[-1])
    for name, side in (("right", -1), ("left", 1)):
        reach = np.clip(middle + side * np.arange(int(NECK * width) + 1), 0, width - 1)
        heights = [np.argmax(crop[:, x]) if crop[:, x].any() else height for x in reach]
        best = int(np.argmin(heights))
        points[f"{name}_neck"] = reach[best], heights[best]
        points |= _sleeve(crop, middle, int(lowest * height), name, side, points[f"{name}_neck"])
    return points


def _middle(crop):
    """Column of the trunk's middle: the median of the middles of the rows' widest runs, in the lower part."""
    height, width = crop.shape
    middles = []
    for row in crop[int(0.5 * height) : int(0.9 * height)]:
        run = _run(row, width / 2)
        middles.append((run[0] + run[1]) / 2 if run else width / 2)
    middle = int(np.median(middles)) if middles else width // 2
    return middle if crop[:, middle].any() else int(np.argmax(crop.sum(0)))


def _sleeve(crop, middle, lowest, name, side, neck):
    """Armpit and sleeve's end {name: (x, y)} of one side (-1 the picture's left), if a sleeve stands off the trunk
    above the row lowest."""
    for armpit in _steps(crop, middle, lowest, side, int(neck[1])):
        rows, places = np.nonzero(_beyond(crop, middle, armpit, side))
        if len(rows) < LEAST_SLEEVE * crop.sum():
            continue  # the edge of a flounce
        reach = np.hypot(rows - neck[1], places - neck[0])
        far = reach >= np.quantile(reach, 0.95)
        return {f"{name}_armpit": armpit, f"{name}_sleeve": (places[far].mean(), rows[far].mean())}
    return {}


def _steps(crop, middle, bottom, side, top):
    """Yields the places (x, y), from row bottom up to row top, where the trunk's outline jumps outward."""
    height, width = crop.shape
    half, rows, held = [], [], 0
    span = max(2, int(0.04 * height))
    for row in range(bottom, top, -1):
        run = _run(crop[row], middle)
        if run is None:
            continue
        half.append(abs(run[0 if side < 0 else 1] - middle))
        rows.append(row)
        below = half[max(0, len(half) - 3 * span) : max(0, len(half) - span // 2)]
        held = max(0, held - 1)
        if len(half) > span and not held and half[-1] - np.median(below) > JUMP * width:
            held = 3 * span  # the rest of the same step
            yield middle + side * int(np.median(below)), rows[-1]


def _beyond(crop, middle, armpit, side):
    """The pixels of crop outward of the armpit (x, y) that are no trunk: below it a sleeve hangs beside the trunk."""
    beyond = crop & ((np.arange(crop.shape[1]) - armpit[0]) * side > 0)[None]
    for row in range(armpit[1] + 1, len(crop)):
        run = _run(crop[row], middle)
        if run is not None:
            beyond[row, run[0] : run[1] + 1] = False
    return beyond


def _of_bottom(crop, legs):
    """Landmarks {name: (x, y)} of trousers or a skirt, bool [h, w] without margins."""
    height, width = crop.shape
    # A fold or loop may stand up over the waist: its row is the first nearly as wide as those below.
    wide = crop[: max(1, int(WAIST * height))].sum(1)
    level = int(np.argmax(wide > 0.8 * np.median(wide)))
    waist = np.flatnonzero(crop[level])
    points = {"right_waist": (waist[0], level), "left_waist": (waist[-1], level)}
    low = np.flatnonzero(crop[int((1 - 2 * MARGIN) * height)])
    parted = np.flatnonzero(np.diff(low) > 1)
    if not legs or not len(parted):
        ends = {"right_hem": low[0], "left_hem": low[-1]}
        return points | {name: (x, np.flatnonzero(crop[:, x])[-1]) for name, x in ends.items()}
    widest = parted[np.argmax(np.diff(low)[parted])]
    gap = int((low[widest] + low[widest + 1]) / 2)
    points["right_hem"] = (low[: widest + 1].mean(), height - 1)
    points["left_hem"] = (low[widest + 1 :].mean(), height - 1)
    # Up from between the legs to where they meet, which may lie to a side of the gap's middle below.
    row, column = height - 1, gap
    while row > 0:
        free = np.flatnonzero(~crop[row - 1])
        near = free[np.abs(free - column) <= max(2, 0.02 * width)] if len(free) else free
        if not len(near):
            break
        row, column = row - 1, int(near[np.argmin(np.abs(near - column))])
    return points | {"crotch": (column, row)}
