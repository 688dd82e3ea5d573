"""The upper body's pieces that tops, shirts, jackets and dresses share: front, back and sleeves.

Heights y are metres from the point where neck and shoulder meet, which lies on the shoulder line beside the nape.
"""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments.pattern import Seam, curve, length, line, mirrored, panel

# How far the neck point lies below the nape's joint, and how far cloth is longer than the body is tall from there to
# the chest, since it goes over the shoulder.
NECK_POINT = 0.03
OVER_SHOULDER = 0.012
# Fall of the shoulder line, metres a metre; metres that a neck hole is wider than the neck; width of a sleeve that an
# armhole's half still takes, over the half's length.
SLOPE, NECK_EASE, WIDEST = 0.26, 0.03, 1.8
SHOULDERS = tuple((side, f"{end}_shoulder") for side in ("front", "back") for end in ("left", "right"))


def mix(low, high, share):
    """low + share * (high - low)."""
    return low + (high - low) * share


class Draft(NamedTuple):
    """Coordinates in metres of one half: chest (x of the side seam), armhole (its y), tip (x, y) of the shoulder,
    neck (x), waist and hip (x, y), crotch (y), arm's length, the sleeve's width upper_arm, girths of bare_arm
    and wrist, ease in [0, 1]."""

    chest: float
    armhole: float
    tip: tuple
    neck: float
    waist: tuple
    hip: tuple
    crotch: float
    arm: float
    upper_arm: float
    bare_arm: float
    wrist: float
    ease: float

    def hem_level(self, share):
        """y of a hem from below the waist (0) to just below the crotch (1)."""
        # Most tops end at the hips: only the shortest quarter is cropped.
        return mix(
            mix(self.waist[1], self.hip[1], 0.3), self.crotch - 0.03, np.interp(share, [0, 0.25, 1], [0, 0.5, 1])
        )

    def side(self, level):
        """x of the side seam at height y: straight from the chest over waist and hip and down from there."""
        heights = [level - 1, self.hip[1], self.waist[1], self.armhole]
        return float(np.interp(level, heights, [self.hip[0], self.hip[0], self.waist[0], self.chest]))

    def neck_front(self, parameters):
        """The front neckline from its left to its right end."""
        depth = mix(0.065, 0.17, parameters["neck_depth"])
        x, sharp = self.neck, parameters["neck_v"]
        side, low = mix(1.0, 0.45, sharp), mix(1.0, 0.98, sharp)
        half = curve((x, 0), (x * side, -depth * 0.62), (x * mix(0.62, 0.1, sharp), -depth * low), (0, -depth))
        return np.concatenate([half, half[-2::-1] * np.array([-1.0, 1.0])])

    def neck_back(self, depth=0.02):
        """The back neckline, as seen from behind, from right to left end of the person."""
        x = self.neck
        return curve((x, 0), (x * 0.75, -depth * 1.3), (-x * 0.75, -depth * 1.3), (-x, 0))


def draft(parameters, measurements, girth=(0.04, 0.26), drop=(-0.01, 0.05), arm=(0.05, 0.16)):
    """The Draft of a top with `ease` in [0, 1] of parameters, which adds girth metres around the
    chest and arm metres around the arm, and lets the shoulder drop."""
    m, ease = measurements, parameters["ease"]
    extra = mix(*girth, ease)
    chest = (m.chest + extra) / 4
    neck = m.neck / (2 * np.pi) + mix(0.006, 0.06, parameters.get("neck_width", 0.2))
    tip = max(m.shoulder / 2 + mix(*drop, ease), neck + 0.03)
    armhole = NECK_POINT - m.nape_to_chest - OVER_SHOULDER - mix(0.0, 0.05, ease)
    waist = max((m.waist + extra) / 4, chest - mix(0.03, 0.0, ease))
    hip = max((m.hip + 0.03 + 0.7 * extra) / 4, waist)
    heights = (
        NECK_POINT
        - OVER_SHOULDER
        - np.array([m.nape_to_waist, m.nape_to_waist + m.waist_to_hip, m.nape_to_waist + m.waist_to_crotch])
    )
    drafted = Draft(
        chest, armhole, (tip, -SLOPE * (tip - neck)), neck, (waist, heights[0]), (hip, heights[1]), heights[2], m.arm,
        m.upper_arm + mix(*arm, ease), m.upper_arm, m.wrist, ease,
    )  # fmt: skip
    return _with_holes(drafted, parameters, m.neck + NECK_EASE)


def _with_holes(draft, parameters, neck_girth):
    """A Draft whose neck and armholes let through what they are for: the neck is cut wider, the armholes deeper."""
    front = {"neck_depth": parameters.get("neck_depth", 0.1), "neck_v": parameters.get("neck_v", 0.0)}
    for _ in range(40):
        if length(draft.neck_front(front)) + length(draft.neck_back()) >= neck_girth:
            break
        neck, tip = draft.neck + 0.003, max(draft.tip[0], draft.neck + 0.033)
        draft = draft._replace(neck=neck, tip=(tip, -SLOPE * (tip - neck)))
    for _ in range(30):
        if WIDEST * length(outer(draft, draft.waist[1])[1][1]) >= draft.upper_arm:
            break
        draft = draft._replace(armhole=max(draft.armhole - 0.004, draft.waist[1] + 0.05))
    return draft


def outer(draft, hem, width=None):
    """Edges up the side of x > 0 from hem to neck: side, armhole, shoulder; width is the hem's half, if it flares."""
    ux, ya = draft.chest, draft.armhole
    tx, ty = draft.tip
    foot = draft.side(hem) if width is None else width
    middle = [] if width is not None else [(draft.side(y), y) for y in (draft.hip[1], draft.waist[1]) if hem < y < ya]
    side = line((foot, hem), *middle, (ux, ya))
    bend = min(ux, tx) - 0.018
    armhole = curve(
        (ux, ya), (mix(ux, bend, 0.75), ya), (bend, mix(ya, ty, 0.3)), (tx - 0.004, mix(ya, ty, 0.6)), (tx, ty)
    )
    return [("side", side), ("armhole", armhole), ("shoulder", line((tx, ty), (draft.neck, 0.0)))]


def whole(name, draft, hem, neckline, width=None, bottom="hem", split_neck=False):
    """The panel "front" or "back" in one piece, down to y = hem; neckline runs from x > 0 to x < 0.

    split_neck: the front neckline is two edges, left_neck and right_neck, as a collar's seams ask for.
    """
    ends = ("left", "right") if name == "front" else ("right", "left")
    right_hand = outer(draft, hem, width)
    foot = right_hand[0][1][0, 0]
    edges = [(bottom, line((-foot, hem), (foot, hem)))]
    edges += [(f"{ends[0]}_{edge}", points) for edge, points in right_hand]
    if name == "front" and split_neck:
        lowest = len(neckline) // 2
        edges += [("left_neck", neckline[: lowest + 1]), ("right_neck", neckline[lowest:])]
    else:
        edges += [("neck", neckline)]
    edges += [(f"{ends[1]}_{edge}", points) for edge, points in mirrored(right_hand)]
    bands = ("neck", "left_neck", "right_neck", "left_armhole", "right_armhole")
    return panel(name, edges, ("torso", name), hems=("hem",), bands=bands)


def half(name, draft, hem, neckline, overlap=0.0):
    """The panel "left_front" or "right_front"; its middle edge lies `overlap` metres beyond x = 0 (negative: short of
    it). neckline is that of the whole front."""
    upper = neckline[neckline[:, 0] > -overlap + 1e-3]  # a millimetre: no doubled corner
    end = float(np.interp(max(-overlap, 0.0), neckline[::-1, 0], neckline[::-1, 1]))
    neck = np.concatenate([upper, [[-overlap, end]]])
    right_hand = outer(draft, hem)
    foot = (-overlap, hem)
    edges = [("hem", line(foot, (right_hand[0][1][0, 0], hem))), *right_hand]
    edges += [("neck", neck), ("middle", line(tuple(neck[-1]), foot))]
    side = "left"
    if name == "right_front":
        edges, side = mirrored(edges), "right"
    named = [(edge if edge in ("hem", "neck", "middle") else f"{side}_{edge}", points) for edge, points in edges]
    return panel(name, named, ("torso", name), hems=("hem", "middle"), bands=("neck",))


def halves(draft, hem, neckline, overlap=0.0):
    """Both front halves."""
    return tuple(half(f"{side}_front", draft, hem, neckline, overlap) for side in ("left", "right"))


def collar(panels, name, rise, fold, spread):
    """A collar or hood sewn around the neck of a top with two front halves, or with a whole front.

    rise: metres that it stands up; fold(share): metres that follow, at shares in [0, 1] of the way from the front to
    the back's middle; spread: how far it leans out, metres a metre. Returns the panel and its seams.
    """
    by_name = {one.name: one for one in panels}
    back = length(by_name["back"].edges["neck"])
    whole_front = "front" in by_name
    ends = ("front", "left_neck") if whole_front else ("left_front", "neck")
    front = length(by_name[ends[0]].edges[ends[1]])
    half_way = front + back / 2
    stops = np.array([-half_way, -back / 2, back / 2, half_way])
    x = np.linspace(half_way, -half_way, 65)
    top = np.stack([x, rise + np.array([fold(1 - abs(value) / half_way) for value in x])], -1)
    edges = [
        (f"bottom_{end}", line((a, 0), (b, 0)))
        for end, a, b in zip(("left", "back", "right"), stops[:-1], stops[1:], strict=True)
    ]
    edges += [("right_end", line((half_way, 0), top[0])), ("top", top), ("left_end", line(top[-1], (-half_way, 0)))]
    made = panel(name, edges, ("collar", rise, half_way, spread), hems=("top", "left_end", "right_end"))
    found = [Seam((name, "bottom_back"), ("back", "neck"))]
    for side in ("left", "right"):
        edge = ("front", f"{side}_neck") if whole_front else (f"{side}_front", "neck")
        found.append(Seam((name, f"bottom_{side}"), edge))
    return made, tuple(found)


def sleeves(draft, share, cuff=None, band="hem"):
    """Left and right sleeve of length share in [0, 1], or () under 0.08; cuff: girth at its end, or None."""
    if share < 0.08:
        return ()
    # Half of all sleeves are short, a third are long.
    share = float(np.interp(share, [0, 0.1, 0.5, 0.68, 1], [0, 0.1, 0.33, 0.92, 1]))
    hole = length(outer(draft, draft.waist[1])[1][1])
    width = min(draft.upper_arm, WIDEST * hole)
    cap = _cap_height(width, hole * 1.01)
    along = mix(cap + 0.035, draft.arm - 0.35 * max(draft.tip[0] - 0.2, 0) + 0.01, share)
    taper = mix(
        width,
        draft.wrist + 0.04 + 0.55 * (draft.upper_arm - draft.bare_arm),
        min(1.0, (along - cap) / (draft.arm - cap)),
    )
    end = taper if cuff is None else cuff
    cap_half = _cap(width, cap)
    under = line((end / 2, -along), (width / 2, -cap))
    made = []
    for side in ("left", "right"):
        ends = ("back", "front") if side == "left" else ("front", "back")
        edges = [(band, line((-end / 2, -along), (end / 2, -along)))]
        edges += [(f"{ends[0]}_under", under), (f"{ends[0]}_cap", cap_half)]
        edges += [(f"{ends[1]}_{name}", points) for name, points in mirrored([("under", under), ("cap", cap_half)])]
        made.append(panel(f"{side}_sleeve", edges, ("sleeve", side), hems=("hem",)))
    return tuple(made)


def _cap(width, height):
    """Half a sleeve's cap, from the underarm to the top."""
    return curve((width / 2, -height), (0.3 * width, -height), (0.27 * width, 0.0), (0.0, 0.0))


def _cap_height(width, wanted):
    """Height of the cap whose halves are each `wanted` metres long (bisection: length grows with height)."""
    low, high = 0.01, wanted
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if length(_cap(width, middle)) < wanted else (low, middle)
    return (low + high) / 2


def seams(sleeve_panels, fronts=("front", "front")):
    """Seams of side, shoulder and sleeves; fronts: names of the panels that hold the left and the right front."""
    found = []
    for side, front in zip(("left", "right"), fronts, strict=True):
        found += [Seam((front, f"{side}_{edge}"), ("back", f"{side}_{edge}")) for edge in ("side", "shoulder")]
        if sleeve_panels:
            sleeve = f"{side}_sleeve"
            found += [
                Seam((front, f"{side}_armhole"), (sleeve, "front_cap")),
                Seam(("back", f"{side}_armhole"), (sleeve, "back_cap")),
                Seam((sleeve, "front_under"), (sleeve, "back_under")),
            ]
    return tuple(found)
