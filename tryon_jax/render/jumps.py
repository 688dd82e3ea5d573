"""Sheets taken apart at their depth jumps: an arm before the trunk becomes a solid of its own, the trunk goes on below.

Two height fields cannot hold an arm before a trunk: sewn together they are webbed along every depth jump. Here a limb,
which is thin and stands so far before what is behind that air must be between, is cut out with a back of its own,
rounded as its width asks for, and what is far goes on under it as a membrane. Where a limb leaves the trunk it ends
inside the trunk. Layers of depth as in layered depth images (Shade et al., SIGGRAPH 1998); what was never seen is made
up, what was seen stays as it was. All numpy, on the host; depth in metres toward the viewer.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from tryon_jax.render.height_field import unpinched

# How far from a jump a limb is cut out, metres: its own length, seen at a slant.
REACH = 0.25
# Half the width of the widest limb, a thigh in trousers; and the least air between it and what is behind, metres.
LIMB, AIR = 0.09, 0.03
# Largest half width that a rounded back is made for, metres; what is wider is flatter than it is wide.
ROUND = 0.06
# Parts of fewer pixels stay webbed: noise of a depth sheet, not limbs.
FEWEST = 8
# Least distance of surfaces that were never seen from others, metres, where there is room for it.
ROOM = 0.01
# How far inside a solid the end of a limb lies, metres: never seen, and no vertex of one is a vertex of the other.
INSET = 5e-4
# Shares of the whole thickness that these take at most. Odd ones, so that no sum of them is another: surfaces of two
# solids never meet in a vertex.
ROOM_SHARE, INSET_SHARE = 0.23, 0.11
_CROSS = ndimage.generate_binary_structure(2, 1)


class Solid(NamedTuple):
    """One closed part: mask bool [H, W], front and back depth [H, W]; where its colours are not the sheets' own.

    made: bool [H, W], where the front (of side 0) or back (of side 1) was never seen, one for each side; worn: bool
    [H, W], where a side shows the colours of the other sheet, one for each side.
    """

    mask: np.ndarray
    front: np.ndarray
    back: np.ndarray
    made: tuple
    worn: tuple


def split(mask, front, back, pixel, jump):
    """List of Solid of two sheets, the one that holds the rest first; front must be above back.

    mask bool [H, W]; front, back [H, W]; pixel: side of a pixel in metres; jump: least step in metres between
    neighbours that parts them. What the sheets show, each pixel of each, is shown by one of the solids.
    """
    nothing = np.zeros_like(mask)
    near, rest, solids = _cut(mask, front, back, pixel, jump), (mask, front, back), []
    if near is not None:
        solids.append(Solid(near.mask, near.front, near.back, (nothing, nothing), (nothing, near.mask & ~near.only)))
        rest = near.rest
    # From behind the same: depth counts the other way, and what was the back is in front. Less sunk, so that the ends
    # of both never meet.
    behind = _cut(rest[0], -rest[2], -rest[1], pixel, jump, sunk=0.7)
    if behind is not None:
        worn = behind.mask & ~behind.only
        solids.append(Solid(behind.mask, -behind.back, -behind.front, (nothing, nothing), (worn, nothing)))
        rest = behind.rest[0], -behind.rest[2], -behind.rest[1]
    made = tuple(nothing if part is None else part.part & ~part.only for part in (near, behind))
    return [Solid(*rest, made, (nothing, nothing)), *solids]


class _Part(NamedTuple):
    """What was cut out: its mask with the end inside the rest, front, back; part: without that end; only: where it
    alone is seen from behind; rest: (mask, front, back) of what is left."""

    mask: np.ndarray
    front: np.ndarray
    back: np.ndarray
    part: np.ndarray
    only: np.ndarray
    rest: tuple


def _cut(mask, front, back, pixel, jump, sunk=1.0):
    """The _Part that stands before the rest of the front sheet, or None; sunk: INSETs that it ends below it."""
    joined, stepped, far = _jumps(mask, front, jump)
    if not stepped.any():
        return None
    slim, inside = _slim(mask & ~far, pixel)
    near = stepped & slim
    if not near.any():
        return None
    half = _half_width(_grow(near, slim, joined, LIMB / pixel), inside, pixel)
    near &= _drop(front, far) > half + AIR
    of_near = _grow(near, slim, joined, REACH / pixel)
    half = _half_width(of_near, inside, pixel)
    # Pixels half way down a jump go with what is near, or they would stand on the rest as spikes.
    between = stepped & far
    for _ in range(2):
        of_near = of_near | (between & ndimage.binary_dilation(of_near, np.ones((3, 3))))
    part = _large(of_near)
    cut = unpinched(part | _end(part, joined, far))
    part, end = part & cut, cut & ~part
    if not part.any():
        return None
    # Where all that there is from front to back is no thicker than a limb, nothing lies behind it.
    only = part & ~_large(part & (front - back > 2 * half + AIR))
    rest = _left(mask, part, only)
    only = part & ~rest
    room = np.minimum(ROOM, ROOM_SHARE * (front - back))
    under = _membrane(part & rest, rest & ~part, front, back, room)
    rounded = _rounded(part, front, inside, half)
    behind = np.where(only, back, np.clip(rounded, under + room, front - room))
    inset = sunk * np.minimum(INSET, INSET_SHARE * (front - back))
    beside_only = end & ndimage.binary_dilation(only, _CROSS)
    before = np.where(end, front - inset, front)
    behind = np.where(end, np.where(beside_only, back + inset, front - inset - room), behind)
    return _Part(part | end, before, behind, part, only, (rest, np.where(part & rest, under, front), back))


def _jumps(mask, depth, jump):
    """(joined, near, far): whether a pixel and the next one below, and right, [2, H, W] are one surface; pixels
    bool [H, W] on the near and on the far side of a step.

    A step down to a last pixel before the background is none: there every round thing falls away steeply.
    """
    joined = np.zeros((2, *mask.shape), bool)
    near, far = np.zeros_like(mask), np.zeros_like(mask)
    for axis in range(2):
        here, there = _pair(axis)
        both, step = mask[here] & mask[there], depth[here] - depth[there]
        before, after = (np.roll(np.pad(mask, 1), -offset, axis)[1:-1, 1:-1] for offset in (-1, 1))
        down, up = both & (step > jump) & after[there], both & (step < -jump) & before[here]
        joined[axis][here] = both & ~down & ~up
        near[here] |= down
        near[there] |= up
        far[here] |= up
        far[there] |= down
    return joined, near, far


def _slim(mask, pixel):
    """(pixels of mask bool [H, W] that no disc of radius LIMB within it covers; distances from its outline, metres)."""
    # Half a pixel: the outline lies between a pixel's centre and the next one's.
    inside = np.maximum(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] - 0.5, 0) * pixel
    core = inside > LIMB
    if not core.any():
        return mask, inside
    # A disc of pixels falls short of its outline by one or two.
    return mask & (ndimage.distance_transform_edt(~core) * pixel > LIMB + 1.5 * pixel), inside


def _drop(depth, far):
    """How far below each pixel [H, W] the lowest of the far pixels beside it lies, 0 without one."""
    drop = np.zeros_like(depth)
    for axis in range(2):
        for here, there in (_pair(axis), _pair(axis)[::-1]):
            drop[here] = np.maximum(drop[here], np.where(far[there], depth[here] - depth[there], 0))
    return drop


def _half_width(part, inside, pixel):
    """Half width [H, W] of a limb around each pixel: the largest distance from the outline of the part's pixels."""
    return ndimage.maximum_filter(np.where(part, inside, 0), 2 * int(np.ceil(LIMB / pixel)) + 1)


def _pair(axis):
    """Slices of all pixels that have a next one along the axis, and of those next ones."""
    first, second = [slice(None)] * 2, [slice(None)] * 2
    first[axis], second[axis] = slice(0, -1), slice(1, None)
    return tuple(first), tuple(second)


def _beside(chosen, joined):
    """Pixels bool [H, W] joined to a chosen one, whether chosen or not."""
    found = np.zeros_like(chosen)
    for axis in range(2):
        here, there = _pair(axis)
        open_ = joined[axis][here]
        found[there] |= chosen[here] & open_
        found[here] |= chosen[there] & open_
    return found


def _grow(chosen, allowed, joined, steps):
    """Pixels bool [H, W] that as many steps over what is joined reach from the chosen ones, all of them allowed."""
    for _ in range(int(np.ceil(steps))):
        grown = (_beside(chosen, joined) & allowed) | chosen
        if (grown == chosen).all():
            break
        chosen = grown
    return chosen


def _end(part, joined, far):
    """Pixels bool [H, W] beside the part, of one surface with it, with which it ends inside the rest."""
    return _beside(part, joined) & ~part & ~far


def _large(chosen):
    """Chosen pixels [H, W] in connected parts of FEWEST or more."""
    parts, _ = ndimage.label(chosen, np.ones((3, 3)))
    counts = np.bincount(parts.ravel())
    counts[0] = 0
    return (counts >= FEWEST)[parts]


def _left(mask, part, only):
    """What is left of mask bool [H, W] without `only`, some of the part; and all of it that is not of the part.

    Where a pixel beside would be lost, as it hangs on by a corner, more is left.
    """
    while True:
        rest = unpinched(mask & ~only)
        lost = mask & ~rest & ~part
        if not lost.any():
            return rest
        only = only & ~ndimage.binary_dilation(lost, np.ones((3, 3)), iterations=2)


def _membrane(hole, known, front, back, room):
    """Depth [H, W] that goes on from the known pixels' front under the hole, at least `room` from what is there.

    Laplace's equation with the known pixels beside the hole as its border; the hole's other ends are free.
    """
    place = np.full(hole.shape, -1)
    count = int(hole.sum())
    place[hole] = np.arange(count)
    lowest, highest = (back + room)[hole], (front - 2 * room)[hole]
    # A pixel that nothing known surrounds is held by this alone; elsewhere it moves the membrane by nanometres.
    diagonal, right = np.full(count, 1e-6), 1e-6 * highest.astype(np.float64)
    rows, columns = [], []
    for axis in range(2):
        for here, there in (_pair(axis), _pair(axis)[::-1]):
            own, other = place[here], place[there]
            both = (own >= 0) & (other >= 0)
            rows.append(own[both])
            columns.append(other[both])
            diagonal += np.bincount(own[both], minlength=count)
            border = (own >= 0) & known[there]
            diagonal += np.bincount(own[border], minlength=count)
            right += np.bincount(own[border], front[there][border], count)
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    matrix = sparse.coo_array((-np.ones(len(rows)), (rows, columns)), (count, count)) + sparse.diags_array(diagonal)
    under = np.array(front)
    under[hole] = np.clip(spsolve(matrix.tocsc(), right), lowest, highest) if count else right
    return under


def _rounded(part, front, inside, half):
    """Back [H, W] of the part: as far behind the front as a round limb of its half width is thick there."""
    half = np.minimum(half, ROUND)
    inside = np.where(part, np.minimum(inside, half), 0)
    return front - 2 * np.sqrt(inside * (2 * half - inside))
