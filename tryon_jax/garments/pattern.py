"""The sewing pattern: flat panels with named edges, the seams that join them, and what is put on top.

A panel lies in its own plane as it is seen from outside the garment: x to the viewer's right, y up, metres. So its
corners run counter-clockwise and print on it is never mirrored. Panels of one garment share the height y where they
meet at a vertical seam, and x = 0 is the middle of the body, of the sleeve or of the leg.
"""

from typing import NamedTuple

import numpy as np

SAMPLES = 33  # points of a curved edge's polyline

# How an edge is finished: joined to another, turned up, or bound by a band.
FINISHES = ("seam", "hem", "band")


class Panel(NamedTuple):
    """One piece of cloth. name, unique in its pattern; edges: name -> polyline [N, 2] in metres, in counter-clockwise
    order, each starting where the one before ends; finish: name of edge -> one of FINISHES.
    """

    name: str
    edges: dict
    finish: dict

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
