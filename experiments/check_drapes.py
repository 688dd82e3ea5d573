"""Measures draped clothes as the data have them: inside the body, stretched, torn at a seam, not finite, drawn anew.

    python experiments/check_drapes.py --samples 200 [--first BODY] [--levels 2] [--processes N]

Dresses consecutive bodies in their poses and both of their outfits until that many drapes have passed the gates.
Nothing is taken from the solver's word or from the gates: depth inside the body is to the nearest point of the posed
body's own triangles (inside.py), strain is of every triangle's edges against the paper, and a seam's opening is between
the places of paper on its two edges that it joins. Exits with 1 if a limit is missed.
"""

import argparse
import collections
import pathlib
import sys
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments import inside, processes  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax import garments  # noqa: E402
from tryon_jax.simulation import body, fabric, wardrobe  # noqa: E402

SEED = 0
DEEP = 0.002  # metres inside the body from which a vertex counts


class Sample(NamedTuple):
    """One drape: the garment's kind, its fabric, the body's pose, number of vertices and of those not finite; share of
    them deeper than DEEP inside the body, and what the gate took it for; 95th percentile of the edges' stretch; the
    widest opening of a seam in metres, and how many seams there are."""

    kind: str
    fabric: str
    pose: str
    vertices: int
    broken: int
    inside: float
    gate: float
    strain: float
    opening: float
    seams: int


def share_inside(vertices, around, faces):
    """Share of vertices [V, 3] more than DEEP inside the closed mesh `around` [B, 3] with `faces`."""
    return float((inside.depths(vertices, around, faces, DEEP) > DEEP).mean())


def stretch(vertices, mesh):
    """Stretch [F * 3] of every triangle's edges of a sewn.Sewn at vertices [V, 3] against the same edges on paper."""
    start, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, 1).ravel()
    paper = np.linalg.norm(mesh.paper[start] - mesh.paper[end], axis=1)
    return np.linalg.norm(vertices[mesh.weld[start]] - vertices[mesh.weld[end]], axis=1) / paper - 1


def border(vertices, mesh, pattern, side):
    """Share [N] of its edge's way and place [N, 3] of the paper corners on `side`, a (panel, edge), in order."""
    names = [panel.name for panel in pattern.panels]
    number = names.index(side[0])
    edges = list(pattern.panels[number].edges)
    here, following = edges.index(side[1]), (edges.index(side[1]) + 1) % len(edges)
    on = mesh.panel == number
    rows = np.flatnonzero(on & (mesh.edge == here))
    rows = rows[np.argsort(mesh.share[rows])]
    # The corner that ends an edge is stored as the next edge's first.
    last = np.flatnonzero(on & (mesh.edge == following) & (mesh.share == 0))
    return np.append(mesh.share[rows], 1.0), vertices[mesh.weld[np.append(rows, last)]]


def openings(vertices, mesh, pattern):
    """Widest distance in metres, [seams], between the two edges of every seam, place by place along it."""
    found = []
    for seam in pattern.seams:
        share, one = border(vertices, mesh, pattern, seam.first)
        other_share, other = border(vertices, mesh, pattern, seam.second)
        if seam.turned:
            other_share, other = 1 - other_share[::-1], other[::-1]
        there = np.stack([np.interp(share, other_share, other[:, axis]) for axis in range(3)], -1)
        found.append(np.linalg.norm(one - there, axis=1).max())
    return np.array(found)


def sample(hung, closet):
    """The Sample of a wardrobe.Hung of a Wardrobe."""
    draped, moving = hung.draped, closet.motion
    broken = int((~np.isfinite(draped.vertices)).any(1).sum())
    vertices = np.nan_to_num(draped.vertices)
    gaps = openings(vertices, draped.mesh, draped.pattern)
    return Sample(
        hung.kind, hung.cut.fabric, closet.pose.name, len(vertices), broken,
        share_inside(vertices, moving.vertices[-1], moving.rest.faces), hung.report.inside,
        float(np.percentile(stretch(vertices, draped.mesh), 95)), float(gaps.max(initial=0.0)), len(gaps),
    )  # fmt: skip


def measure(task):
    """(Samples of a body's garments that hang alike nowhere else, garments drawn anew, drapes made)."""
    body_id, levels = task
    closet = wardrobe.dress(body_id, SEED, levels)
    different = {hung.key: hung for outfit in closet.outfits for hung in outfit}
    return [sample(hung, closet) for hung in different.values()], closet.redraws, closet.drapes


def collect(count, first, levels, workers):
    """The first `count` Samples of consecutive bodies; numbers of garments drawn anew, drapes made, bodies."""
    found, redraws, drapes, bodies = [], 0, 0, 0
    tasks = ((body_id, levels) for body_id in range(first, first + count))
    measured = processes.results(measure, tasks, workers)
    with processes.bar(count, "drape") as bar:
        for samples, again, made in measured:
            found, redraws, drapes, bodies = found + samples, redraws + again, drapes + made, bodies + 1
            bar.update(min(len(found), count) - bar.n)
            if len(found) >= count:
                break
    measured.close()
    return found[:count], redraws, drapes, bodies


def table(found):
    """Prints a line for every kind of garment."""
    print(f"\n{'garment':<10}{'drapes':>7}{'vertices':>10}{'inside':>9}{'worst':>8}{'gate':>8}{'strain':>9}{'worst':>8}"
          f"{'of knit':>9}{'seams':>7}{'open':>9}")  # fmt: skip
    for kind in garments.names():
        mine = [one for one in found if one.kind == kind]
        if not mine:
            print(f"{kind:<10}{0:>7}")
            continue
        stiff = [one.strain for one in mine if not fabric.FABRICS[one.fabric].stretchy]
        soft = [one.strain for one in mine if fabric.FABRICS[one.fabric].stretchy]
        deep = 100 * np.array([one.inside for one in mine])
        print(
            f"{kind:<10}{len(mine):>7}{np.median([one.vertices for one in mine]):>10.0f}{deep.mean():>7.2f} %"
            f"{deep.max():>6.2f} %{100 * np.mean([one.gate for one in mine]):>6.2f} %"
            f"{_percent(stiff, np.median):>9}{_percent(stiff, np.max):>8}{_percent(soft, np.max):>9}"
            f"{sum(one.seams for one in mine):>7}{1000 * max(one.opening for one in mine):>6.3f} mm"
        )
    print("inside: mean and worst share of vertices deeper than 2 mm, and the gate's mean; strain: median and worst of")
    print("the 95th percentiles of the edges, stretch fabrics apart; open: the widest seam")


def _percent(values, of):
    return f"{100 * of(values):.1f} %" if len(values) else "-"


def main():
    """Measures, prints, and exits with 1 if a limit is missed."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--samples", type=int, default=200, help="drapes to measure")
    flags.add_argument("--first", type=int, default=0, help="number of the first body")
    flags.add_argument("--levels", type=int, default=2, help="of detail; 2 is what 64 px pictures have")
    flags.add_argument("--processes", type=int, help="one a core if not given")
    chosen = flags.parse_args()
    found, redraws, drapes, bodies = collect(chosen.samples, chosen.first, chosen.levels, chosen.processes)
    table(found)
    poses = collections.Counter(one.pose for one in found)
    stretchy = [name for name, one in fabric.FABRICS.items() if one.stretchy]
    print(f"{len(found)} drapes on {bodies} bodies; {', '.join(f'{count} {name}' for name, count in poses.items())}")
    print(f"stretch fabrics: {', '.join(stretchy)}; gates refused {redraws} of {drapes} drapes made")
    sys.exit(judged(found, redraws, drapes))


def judged(found, redraws, drapes):
    """Prints what the Samples come to beside the limits; gives the exit status."""
    deep, gate = (100 * np.array([getattr(one, name) for one in found]) for name in ("inside", "gate"))
    differ = deep - gate
    print(
        f"inside, exact less the gate's: mean {differ.mean():+.3f} %, from {differ.min():+.2f} to {differ.max():+.2f} %"
    )
    stiff = [100 * one.strain for one in found if not fabric.FABRICS[one.fabric].stretchy]
    unseen = set(garments.names()) - {one.kind for one in found}
    still = set(body.POSES) - {one.pose for one in found}
    return judge(
        [
            Row("vertices more than 2 mm inside the body, mean", deep.mean(), "<", 0.5, "{:.3f} %"),
            Row("vertices more than 2 mm inside the body, worst drape", deep.max(), "<", 2.0, "{:.3f} %"),
            Row("95th percentile strain, worst drape of no stretch fabric", max(stiff, default=0), "<", 12, "{:.2f} %"),
            Row("vertices that are not finite", sum(one.broken for one in found), "=", 0, "{:.0f}"),
            Row("drapes refused by a gate", 100 * redraws / drapes, "<", 5.0, "{:.2f} %"),
            Row("widest seam", 1000 * max(one.opening for one in found), "<", 1.0, "{:.4f} mm"),
            Row("kinds of garments not seen", len(unseen), "=", 0),
            Row("poses not seen", len(still), "=", 0),
        ]
    )


if __name__ == "__main__":
    main()
