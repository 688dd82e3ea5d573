"""Darts: wedges cut out of an edge of a panel and sewn shut, so that flat cloth goes around what is round."""

from typing import NamedTuple

import numpy as np

from tryon_jax.garments.pattern import Seam, length, line

# Metres that a dart takes at most, more would poke out at its tip; and at least, less is left to the side seam.
MOST, LEAST = 0.035, 0.008
# Metres; a shorter dart would be a pleat. So each leg has two segments of drape.COARSE at least: with a single long one
# a vertex beside it may be nearer to the other leg than its ends are, and the panel cannot be meshed.
SHORT = 0.066
BLUNT = 0.36  # metres of intake a metre of length at most, an angle of 20 degrees


class Dart(NamedTuple):
    """at: metres of the finished edge from its start to the dart; intake: metres that it takes out of the edge, 0 where
    there is none; length: metres from the edge to its tip."""

    at: float
    intake: float
    length: float


def waist(at, spare, depth, share, reach):
    """The Dart that a tailor puts into a waist: it takes `share` of the `spare` metres that the hip is wider than the
    waist on its part of the panel, and ends at `reach` of the `depth` metres from the edge to the hip."""
    long = reach * depth
    intake = min(share * spare, MOST, BLUNT * long)
    return Dart(at, intake if intake >= LEAST and long >= SHORT else 0.0, long)


def cut(edges, name, darts):
    """Edges [(name, polyline)] of a panel with Darts cut out of the straight edge `name`, which is longer than it is to
    be by all their intakes: name_0, dart_0_left, dart_0_right, name_1 and so on, or unchanged if none takes anything.

    darts: in the edge's order; left and right are as seen from the edge into the cloth. Raises ValueError if the edge
    is not straight or too short for them.
    """
    darts = [dart for dart in darts if dart.intake > 0]
    if not darts:
        return list(edges)
    found = []
    for edge, points in edges:
        found += _parts(edge, points, darts) if edge == name else [(edge, points)]
    return found


def _parts(name, points, darts):
    if len(points) != 2:
        raise ValueError(f"darts are cut out of straight edges: {name} has {len(points)} points")
    start, end = points
    whole = length(points)
    along = (end - start) / whole
    inward = np.array([-along[1], along[0]])  # edges run counter-clockwise: cloth lies at their left
    found, corner, way, taken = [], start, 0.0, 0.0
    for number, dart in enumerate(darts):
        near = dart.at + taken
        if near <= way or near + dart.intake >= whole:
            raise ValueError(f"{name} of {whole:.3f} m has no room for a dart at {dart.at:.3f} m")
        mouth, tip, far = (
            start + place * along + deep * inward
            for place, deep in ((near, 0.0), (near + dart.intake / 2, dart.length), (near + dart.intake, 0.0))
        )
        found += [
            (f"{name}_{number}", line(corner, mouth)),
            (f"dart_{number}_left", line(mouth, tip)), (f"dart_{number}_right", line(tip, far)),
        ]  # fmt: skip
        corner, way, taken = far, near + dart.intake, taken + dart.intake
    return [*found, (f"{name}_{len(darts)}", line(corner, end))]


def parts(names, edge):
    """Of the names of a panel's edges those that darts cut `edge` into, in order; `edge` alone without darts."""
    if edge in names:
        return (edge,)
    return tuple(one for one in names if one.rpartition("_")[0] == edge and one.rpartition("_")[2].isdigit())


def legs(panel):
    """Names (left, right) of the two legs of every dart of a Panel, in order."""
    lefts = [edge for edge in panel.edges if edge.startswith("dart_") and edge.endswith("_left")]
    return tuple((left, left.removesuffix("left") + "right") for left in lefts)


def seams(panels):
    """The Seams that close all darts of Panels."""
    return tuple(Seam((panel.name, left), (panel.name, right)) for panel in panels for left, right in legs(panel))
