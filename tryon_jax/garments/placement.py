"""Where panels are put around a body before they are sewn: each kind of place maps paper to space.

A place is (name, side). The wrap needs only the right topology and rough lengths: the cloth solver closes the rest.
"""

import numpy as np

from tryon_jax.garments.bodice import NECK_POINT
from tryon_jax.garments.darts import parts
from tryon_jax.garments.joints import arm_joints

GAP = 0.012  # metres between skin and cloth before draping
SHEER = 0.45  # largest slope, metres out a metre down, at which a flared piece is put on


def place(pattern, mesh, rest, figure, gap=GAP, wanted=None):
    """Positions [V, 3] of a Sewn mesh's vertices around a garments.Rest, and limbs {name: [V]} in [0, 1].

    limbs: how much a vertex belongs to left_arm, right_arm, left_leg, right_leg by the panel that it is on; on seams
    the mean. figure: measurements.Figure of the rest; gap: metres off the skin; wanted [V] bool: vertices to place,
    if not all: the others' positions are zeros.
    """
    points = np.zeros((len(mesh.paper), 3))
    limbs = {name: np.zeros(len(mesh.paper)) for name in ("left_arm", "right_arm", "left_leg", "right_leg")}
    chosen = np.ones(len(mesh.paper), bool) if wanted is None else wanted[mesh.weld]
    for index, panel in enumerate(pattern.panels):
        rows = mesh.panel == index
        kind, side = panel.place[:2]
        placed = np.flatnonzero(rows & chosen)
        if len(placed):
            points[placed] = PLACES[kind](panel, side, mesh.paper[placed], rest, figure, gap)
        if kind in ("sleeve", "leg"):
            limbs[f"{side.split('_')[0]}_{'arm' if kind == 'sleeve' else 'leg'}"][rows] = 1.0
    uses = np.bincount(mesh.weld, minlength=mesh.count)
    mean = lambda values: np.bincount(mesh.weld, values, mesh.count) / uses  # noqa: E731
    sewn = np.stack([mean(points[:, axis]) for axis in range(3)], -1)
    return sewn, {name: mean(values) for name, values in limbs.items()}


def extent(panel, level):
    """Least and largest x [N] of a panel at heights y [N]; held at its lowest and highest point."""
    polygon = panel.outline
    low, high = polygon[:, 1].min(), polygon[:, 1].max()
    # A hair inside, where the outline certainly crosses.
    level = np.clip(level, low + 1e-4, high - 1e-4)
    start, end = polygon, np.roll(polygon, -1, 0)
    sloped = start[:, 1] != end[:, 1]
    (ax, ay), (bx, by) = start[sloped].T, end[sloped].T
    wanted = level[:, None]
    crossed = (np.minimum(ay, by) <= wanted) & (wanted <= np.maximum(ay, by))
    x = ax + (wanted - ay) * ((bx - ax) / (by - ay))
    return np.where(crossed, x, np.inf).min(1), np.where(crossed, x, -np.inf).max(1)


def across(panel, paper):
    """Metres of cloth [N] from a panel's least x to points [N, 2] along the horizontal through each, and all the way:
    a dart, which is sewn shut, counts for nothing. Held at the panel's lowest and highest point as in extent."""
    polygon = panel.outline
    low, high = polygon[:, 1].min(), polygon[:, 1].max()
    level = np.clip(paper[:, 1], low + 1e-4, high - 1e-4)[:, None]
    start, end = polygon, np.roll(polygon, -1, 0)
    sloped = start[:, 1] != end[:, 1]
    (ax, ay), (bx, by) = start[sloped].T, end[sloped].T
    # A corner that is met counts for one of its sides, so that cloth begins as often as it ends.
    crossed = (ay > level) != (by > level)
    found = np.sort(np.where(crossed, ax + (level - ay) * ((bx - ax) / (by - ay)), np.inf))
    found = found[:, : crossed.sum(1).max(initial=2)]
    begin, stop = found[:, ::2], found[:, 1::2]
    real = np.isfinite(begin)
    begin, width = np.where(real, begin, 0.0), np.where(real, stop, 0.0) - np.where(real, begin, 0.0)
    return np.clip(paper[:, :1] - begin, 0, width).sum(1), width.sum(1)


def _fan(panel, paper):
    """Share across in [-1, 1], metres down and width there of paper points [N, 2] of a sector or a straight piece."""
    if len(panel.place) < 3 or not np.isfinite(panel.place[2]):
        way, wide = across(panel, paper)
        wide = np.maximum(wide, 2e-3)  # a point of a panel still has a side
        return np.clip(2 * way / wide - 1, -1, 1), -paper[:, 1], wide
    apex, half, top = panel.place[2:]
    away = np.hypot(paper[:, 0], apex - paper[:, 1])
    angle = np.arctan2(paper[:, 0], apex - paper[:, 1])
    return np.clip(angle / half, -1, 1), away - apex, 2 * half * away


def _around(tube, share, level, back):
    """Angle [N] at which the trunk's front (or back) half is passed by `share` [N] in [-1, 1] of its way."""
    samples = np.linspace(0, np.pi / 2, 17)
    radius = tube.radii_at(level, np.pi - samples if back else samples)
    x, y = radius * np.sin(samples), radius * np.cos(samples)
    steps = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    way = np.concatenate([np.zeros((len(level), 1)), np.cumsum(steps, 1)], 1)
    wanted = np.abs(share)[:, None] * way[:, -1:]
    place = np.clip((way < wanted).sum(1) - 1, 0, 15)
    row = np.arange(len(level))
    inner = (wanted[:, 0] - way[row, place]) / steps[row, place]
    angle = (place + inner) * samples[1] * np.sign(share)
    return (np.pi + angle if back else angle), way[:, -1]


def _trunk(tube, share, level, width, back, gap):
    """Points [N, 3] of half-round cloth `width` [N] metres wide around the trunk at heights `level` [N].

    share is positive toward the person's left in front, and toward the right behind: as paper is seen from outside.
    """
    return _trunks(tube, share, level, (width,), back, gap)[0]


def _trunks(tube, share, level, widths, back, gap):
    """The same for each of several widths."""
    angle, half_way = _around(tube, share, level, back)
    near, centres = tube.radius_at(level, angle) + gap, tube.at(level, tube.centres)
    turned, points = np.stack([np.cos(angle), np.sin(angle)], -1), []
    for width in widths:
        radius = near * np.maximum(width / (2 * half_way + np.pi * gap), 1.0)
        points.append(centres + (radius[:, None] * turned) @ tube.across)
    return points


def _torso(panel, side, paper, rest, figure, gap):
    """Front and back of a top: around the trunk up to the armholes, then toward the shoulder line."""
    back = side == "back"
    levels, tube = figure.levels, figure.tubes["trunk"]
    datum = levels.nape - NECK_POINT
    x, y = paper.T
    shoulder_edges = [points for name, points in panel.edges.items() if name.endswith("shoulder")]
    armhole = min(points[:, 1].min() for name, points in panel.edges.items() if name.endswith("armhole"))
    chest = np.minimum(y, armhole)
    least, most = extent(panel, chest)
    wide = np.maximum(np.maximum(-least, most), 1e-3)
    share = np.clip(x / wide, -1, 1)
    level = datum + chest
    around = _trunk(tube, share, level, 2 * wide, back, gap)
    tips = np.concatenate(shoulder_edges)
    order = np.argsort(np.abs(tips[:, 0]))
    top = np.interp(np.abs(x), np.abs(tips[order, 0]), tips[order, 1])
    rise = np.clip((y - armhole) / np.maximum(top - armhole, 1e-3), 0, 1)[:, None]
    bins, ridge_y, ridge_z = figure.ridge
    across = np.abs(x)
    on_ridge = np.stack(
        [-x if back else x, np.interp(across, bins, ridge_y), np.interp(across, bins, ridge_z) + 1.5 * gap], -1
    )
    share_of = np.concatenate([rise, rise**2.5, rise], 1)
    return around + (on_ridge - around) * share_of


def _sleeve(panel, side, paper, rest, figure, gap):
    """A sleeve as a tube around the arm, its cap's top over the shoulder."""
    joints = arm_joints(rest, side)
    tube = figure.tubes[f"{side}_arm"]
    x, y = paper.T
    width = np.ptp(panel.outline[:, 0])
    # Where the cap ends below, the sleeve is a closed tube.
    cap = -max(points[:, 1].min() for name, points in panel.edges.items() if name.endswith("cap"))
    least, most = extent(panel, np.minimum(y, -cap))
    angle = 2 * np.pi * x / np.maximum(most - least, 1e-3)
    if side == "right":
        angle = -angle
    way = -y + 0.01
    along = (joints[2] - joints[0]) / np.linalg.norm(joints[2] - joints[0])
    axis = joints[0] + way[:, None] * along
    # The elbow lies off the straight line from shoulder to wrist.
    elbow = joints[1] - joints[0] - np.dot(joints[1] - joints[0], along) * along
    beyond = np.interp(way, [0, *np.cumsum(np.linalg.norm(np.diff(joints, axis=0), axis=1))], [0.0, 1.0, 0.0])
    radius = np.maximum(tube.radius_at(way, angle) + gap, (most - least) / (2 * np.pi))
    radius = np.where(way < cap, np.maximum(radius, width / (2 * np.pi)), radius)
    offset = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1) @ tube.across
    return axis + beyond[:, None] * elbow + offset


def _skirt(panel, side, paper, rest, figure, gap):
    """Front or back of a skirt: around hips and legs, flared as far as its width asks."""
    tube, levels = figure.tubes["trunk"], figure.levels
    share, down, width = _fan(panel, paper)
    return _hanging(tube, levels.waist, share, down, width, side == "back", gap)


def _hanging(tube, top, share, down, width, back, gap):
    """Points of cloth that hangs from height `top`, `width` [N] metres wide `down` [N] metres along it."""
    level = top - down
    points, straight = _trunks(tube, share, level, (width, 0.0), back, gap)
    out = np.linalg.norm(points - straight, axis=1)
    limit = SHEER * np.maximum(down, 0)
    shrink = np.minimum(1.0, limit / np.maximum(out, 1e-6))[:, None]  # 1e-6 m: nothing to shrink
    points = straight + (points - straight) * shrink
    # What goes outward does not go down.
    lost = down - np.sqrt(np.maximum(down**2 - np.minimum(out, limit) ** 2, 0))
    points[:, 2] += lost
    return points


def _leg(panel, side, paper, rest, figure, gap):
    """Front or back of a trouser leg: the trunk's quarter above the crotch, the leg's half below."""
    leg, face = side.split("_")
    levels, trunk, tube = figure.levels, figure.tubes["trunk"], figure.tubes[f"{leg}_leg"]
    back = face == "back"
    sign = 1.0 if leg == "left" else -1.0
    x, y = paper.T
    level = levels.waist + y
    # A waist that rises toward the back's middle has no outer side up there.
    top = min(panel.edges[edge][:, 1].min() for edge in parts(panel.edges, "waist"))
    way, width = across(panel, np.stack([x, np.minimum(y, top - 1e-3)], -1))
    share = np.clip(way / np.maximum(width, 1e-3), 0, 1)
    if (sign > 0) == back:  # the outer side lies at the paper's left
        share = 1 - share
    # Paper's share 0 is the middle of the body or the inside of the leg, 1 the outer side.
    above = _trunk(trunk, sign * share * (-1 if back else 1), level, 2 * width, back, gap)
    inner_to_outer = np.pi * (share - 0.5)  # -90 degrees is the inside, 0 the front
    angle = sign * inner_to_outer if not back else np.pi - sign * inner_to_outer
    radius = np.maximum(tube.radius_at(level, angle) + gap, width / np.pi)
    offset = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    below = tube.at(level, tube.centres) + offset @ tube.across
    below[:, 2] = level
    weight = np.clip((level - (levels.crotch - 0.02)) / 0.1, 0, 1)[:, None]
    weight = weight * weight * (3 - 2 * weight)
    return below + (above - below) * weight


def _collar(panel, side, paper, rest, figure, gap):
    """A strip around the neck, its middle behind; side: metres that it stands before it folds over.

    place also names half its length and how far the folded part leans out, metres a metre.
    """
    half, spread = panel.place[2:]
    x, y = paper.T
    tube, levels = figure.tubes["trunk"], figure.levels
    angle = np.pi + np.pi * np.clip(x / half, -1, 1)
    front = (1 + np.cos(angle)) / 2
    base = levels.nape - NECK_POINT + 0.012 - 0.075 * front**2
    level = np.full(len(x), levels.nape + 0.01)
    radius = tube.radius_at(level, angle) + gap
    steps = np.linspace(0, 2 * np.pi, 65)
    rim = tube.radius_at(np.full(65, level[0]), steps) + gap
    corners = np.stack([rim * np.cos(steps), rim * np.sin(steps)], -1)
    radius = radius * max(2 * half / np.linalg.norm(np.diff(corners, axis=0), axis=1).sum(), 1.0)
    up, over = np.minimum(y, side), np.maximum(y - side, 0)
    out = spread * over + np.where(over > 0, 0.006, 0.0)
    down = np.sqrt(np.maximum(over**2 - (spread * over) ** 2, 0))
    radius = radius + out + 0.12 * up
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1) @ tube.across
    points = points + tube.at(level, tube.centres)
    points[:, 2] = base + up - down
    return points


PLACES = {"collar": _collar, "torso": _torso, "sleeve": _sleeve, "skirt": _skirt, "leg": _leg}
