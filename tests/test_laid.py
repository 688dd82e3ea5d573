"""Clothes laid flat keep their paper shapes: right lengths, no face folded over, seams as smooth as on paper."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
import tailored

from tryon_jax import garments
from tryon_jax.garments import placement, sewn
from tryon_jax.simulation import laid

KINDS = ("tshirt", "shirt", "hoodie", "jacket", "trousers", "skirt", "dress")


@functools.cache
def one(kind):
    """A garment around the A-pose as it is before it is sewn together: what laid.flat asks of a Draped; and it laid."""
    pattern = garments.load(kind).pattern(tailored.middle(kind), tailored.figure(0).measurements)
    mesh = sewn.sew(pattern, 0.03)
    placed, _ = placement.place(pattern, mesh, tailored.rest(0), tailored.figure(0), placement.GAP)
    edges, lengths = sewn.edges(mesh)
    draped = SimpleNamespace(mesh=mesh, pattern=pattern, in_a_pose=placed, edges=edges, lengths=lengths)
    return draped, laid.flat(draped)


def areas(draped, vertices):
    """Signed area [F] of the faces as seen from the front."""
    x, z = vertices[draped.mesh.weld[draped.mesh.faces]][..., [0, 2]].transpose(2, 0, 1)
    return ((x[:, 1] - x[:, 0]) * (z[:, 2] - z[:, 0]) - (x[:, 2] - x[:, 0]) * (z[:, 1] - z[:, 0])) / 2


def kind_of(draped):
    """Kind of place of every face's panel [F]."""
    places = np.array([panel.place[0] for panel in draped.pattern.panels])
    return places[draped.mesh.panel[draped.mesh.faces[:, 0]]]


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_are_those_of_the_paper(kind):
    draped, vertices = one(kind)
    between = vertices[draped.edges[:, 0]] - vertices[draped.edges[:, 1]]
    stretch = np.linalg.norm(between[:, [0, 2]], axis=1) / draped.lengths - 1
    # Edges across a fold, and of the collar, lie shorter than they are.
    assert np.abs(np.median(stretch)) < 0.03
    assert np.percentile(stretch, 98) < 0.12
    assert vertices.dtype == np.float32 and np.ptp(vertices[:, 1]) < 0.3 * np.ptp(draped.in_a_pose[:, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_no_face_folds_over(kind):
    draped, vertices = one(kind)
    seen, place = areas(draped, vertices), kind_of(draped)
    for index, panel in enumerate(draped.pattern.panels):
        mine = (draped.mesh.panel[draped.mesh.faces[:, 0]] == index) & ~np.isin(place, ("collar", "sleeve"))
        if mine.any():
            back = "back" in panel.name
            assert ((seen[mine] < 0) == back).mean() > 0.99, panel.name


def test_side_seams_of_trousers_are_smooth():
    draped, vertices = one("trousers")
    for name, panel in ((panel.name, panel) for panel in draped.pattern.panels):
        edge = max(panel.edges, key=lambda key: np.ptp(panel.edges[key][:, 1]))
        points = vertices[sewn.edge_vertices(draped.mesh, draped.pattern, name, edge)][:, [0, 2]]
        points = points[np.argsort(-points[:, 1])]
        directions = np.diff(points, axis=0)
        angles = np.unwrap(np.arctan2(directions[:, 1], directions[:, 0]))
        # Hip and knee bend a seam by well under a right angle in all.
        assert np.abs(np.diff(angles)).sum() < 1.5, name


def test_the_shadow_is_soft_and_near():
    coverage = np.zeros((256, 256, 1), np.float32)
    coverage[80:160, 80:160] = 1
    left = laid.shadow(coverage)
    assert left.shape == coverage.shape and left.dtype == np.float32
    assert left.min() >= 1 - laid.SHADE and left.max() <= 1
    assert left[161, 120] < 0.9 and left[220, 220] == 1 and left[20, 20] == 1
    assert left[161, 120] < left[78, 120], "light comes from above"


def test_the_back_of_a_sleeve_stays_behind_its_front():
    draped, _ = one("shirt")
    bent = draped.in_a_pose + np.random.default_rng(0).normal(0, 0.03, draped.in_a_pose.shape) * [0, 1, 0]
    depth = laid.flat(SimpleNamespace(**{**vars(draped), "in_a_pose": bent}))[:, 1]
    for index, panel in enumerate(draped.pattern.panels):
        if panel.place[0] == "sleeve":
            inner = (draped.mesh.panel == index) & (draped.mesh.edge < 0)
            (x, y), lies = draped.mesh.paper[inner].T, depth[draped.mesh.weld[inner]]
            halves = [np.polyval(np.polyfit(y[half], lies[half], 1), y) for half in (x > 0, x < 0)]
            above = (lies > np.mean(halves, axis=0))[np.abs(x) > 0.03]
            front = (x > 0)[np.abs(x) > 0.03]
            assert max((above == front).mean(), (above != front).mean()) > 0.9, panel.name
