"""The sewing pattern: flat panels with named edges, the seams that join them, and what is put on top.

A panel lies in its own plane as it is seen from outside the garment: x to the viewer's right, y up, metres. So its
corners run counter-clockwise and print on it is never mirrored. Panels of one garment share the height y where they
meet at a vertical seam, and x = 0 is the middle of the body, of the sleeve or of the leg.
"""

from typing import NamedTuple

import numpy as np

SAMPLES = 33  # points of a curved edge's polyline
SHARES = np.linspace(0, 1, SAMPLES)

# How an edge is finished: joined to another, turned up, or bound by a band.
FINISHES = ("seam", "hem", "band")


class Panel(NamedTuple):
    """One piece of cloth. name, unique in its pattern; edges: name -> polyline [N, 2] in metres, in counter-clockwise
    order, each starting where the one before ends; finish: name of edge -> one of FINISHES; place: where it is put
    on the body before it is sewn, one of garments.placement's names and what that asks for.
    """

    name: str
    edges: dict
    finish: dict
    place: tuple = ()

    @property
    def outline(self):
        """The closed polygon [N, 2] of all edges, counter-clockwise, no point twice."""
        return np.concatenate([points[:-1] for points in self.edges.values()])


class Seam(NamedTuple):
    """Two edges sewn together, each as (panel, edge); `turned` where they run in opposite directions, as the sides
    of neighbours in the plane do. Lengths may differ: the longer one is gathered evenly."""

    first: tuple
    second: tuple
    turned: bool = True


class Detail(NamedTuple):
    """Something put on a panel: kind, one of DETAILS; panel; centre (x, y) and size (width, height) in metres."""

    kind: str
    panel: str
    centre: tuple
    size: tuple


DETAILS = (
    "button",
    "patch pocket",
    "slant pocket",
    "fly",
    "placket",
    "drawstring",
    "kangaroo pocket",
    "zip",
    "belt loop",
)


class Pattern(NamedTuple):
    """A garment on paper: panels, seams and details; held: (panel, edge) of the edges that stay where they are put on
    (a waistband), or (panel, None) of whole panels (a collar); hung: (panel, edge) from which the cloth hangs, no
    further than it is long.
    """

    panels: tuple
    seams: tuple
    details: tuple = ()
    held: tuple = ()
    hung: tuple = ()

    def panel(self, name):
        """The Panel called `name`."""
        return next(panel for panel in self.panels if panel.name == name)


def line(*points):
    """A polyline through points (x, y) in metres."""
    return np.array(points, float)


def curve(start, *controls):
    """A Bezier curve [SAMPLES, 2] from `start` over control points (x, y) to the last of them."""
    points = np.array([start, *controls], float)[:, None]
    share = SHARES[:, None]
    while len(points) > 1:
        # De Casteljau's scheme, on all samples at once.
        points = points[:-1] * (1 - share) + points[1:] * share
    return points[0]


def length(points):
    """Length in metres of a polyline [N, 2]."""
    return float(steps(points).sum())


def steps(points):
    """Lengths [N - 1] in metres of the pieces of a polyline [N, 2]."""
    across, up = (points[1:] - points[:-1]).T
    return np.sqrt(across * across + up * up)


def panel(name, edges, place, hems=(), bands=()):
    """A Panel of edges [(name, polyline)]; those named in `hems` are turned up, in `bands` bound, the rest sewn."""
    finish = {edge: "hem" if edge in hems else "band" if edge in bands else "seam" for edge, _ in edges}
    return Panel(name, {edge: np.asarray(points, float) for edge, points in edges}, finish, place)


def mirrored(edges):
    """The edges of a panel's mirror image about x = 0, in counter-clockwise order again: [(name, polyline)]."""
    return [(name, points[::-1] * np.array([-1.0, 1.0])) for name, points in reversed(edges)]
