"""Sewing: plain panels whose meshes can be counted by hand, seams, refinement, and what cannot be sewn."""

import numpy as np
import pytest
from tailored import triangle_areas

from tryon_jax.garments import sewn
from tryon_jax.garments.edges import boundary_of, edges_of, numbered
from tryon_jax.garments.pattern import Pattern, Seam, line, panel
from tryon_jax.garments.skirt import arc


def rectangle(name="cloth", width=0.4, height=0.3, left=0.0):
    """A panel with its lower left corner at (left, 0)."""
    corners = [(left, 0), (left + width, 0), (left + width, height), (left, height)]
    names = ("bottom", "right", "top", "left")
    return panel(name, [(edge, line(corners[k], corners[(k + 1) % 4])) for k, edge in enumerate(names)], ())


def two(turned=True):
    """Two rectangles side by side, sewn together where they touch."""
    pieces = rectangle("a"), rectangle("b", left=0.4)
    return Pattern(pieces, (Seam(("a", "right"), ("b", "left"), turned),))


def euler(mesh):
    pairs, _ = sewn.edges(mesh)
    return mesh.count - len(pairs) + len(mesh.faces)


def directed_edges(mesh):
    corners = mesh.weld[mesh.faces]
    return np.stack([corners, np.roll(corners, -1, 1)], -1).reshape(-1, 2)


def test_keys_are_numbered_in_rising_order(rng):
    for count in (0, 1, 2, 500):
        key = rng.integers(0, 10**12, count)
        key = np.concatenate([key, rng.permutation(key), [0, 10**12 - 1][: count % 3]]).astype(np.int64)
        number, first = numbered(key)
        unique, wanted, inverse = np.unique(key, return_index=True, return_inverse=True)
        np.testing.assert_array_equal(first, wanted)
        np.testing.assert_array_equal(number, inverse)
        np.testing.assert_array_equal(key[first], unique)


def test_edges_and_boundary_equal_brute_force():
    pattern = two()
    mesh = sewn.sew(pattern, 0.05)
    corners = mesh.weld[mesh.faces]
    pairs, sides = edges_of(corners)
    uses = {}
    for face, found in zip(corners.tolist(), sides.tolist(), strict=True):
        for k in range(3):
            start, end = face[k], face[(k + 1) % 3]
            assert sorted((start, end)) == pairs[found[k]].tolist()
            uses.setdefault(frozenset((start, end)), []).append((start, end))
    assert sorted(map(sorted, uses)) == pairs.tolist()
    alone = sorted(sides[0] for sides in uses.values() if len(sides) == 1)
    assert sorted(map(tuple, boundary_of(corners).tolist())) == alone and alone
    np.testing.assert_array_equal(sewn.sides(mesh)[2], sides)


def test_one_panel_is_a_disc_of_its_own_area():
    mesh = sewn.sew(Pattern((rectangle(),), ()), 0.03)
    assert euler(mesh) == 1 and mesh.count == len(mesh.paper)
    areas = triangle_areas(mesh)
    assert (areas > 0).all() and areas.sum() == pytest.approx(0.12, rel=1e-12)
    border = mesh.edge >= 0
    assert border.sum() == 2 * (round(0.4 / 0.03) + round(0.3 / 0.03))
    assert (mesh.share[~border] == 0).all() and mesh.share.max() < 1


@pytest.mark.parametrize("spacing", [0.015, 0.03, 0.06])
def test_triangles_are_as_large_as_asked_and_no_slivers(spacing):
    mesh = sewn.sew(Pattern((rectangle(),), ()), spacing)
    _, lengths = sewn.edges(mesh)
    assert 0.8 * spacing < np.median(lengths) < 1.2 * spacing
    a, b, c = (mesh.paper[mesh.faces[:, k]] for k in range(3))
    sines = [
        2 * triangle_areas(mesh) / (np.linalg.norm(q - p, axis=1) * np.linalg.norm(r - p, axis=1))
        for p, q, r in ((a, b, c), (b, c, a), (c, a, b))
    ]
    assert np.degrees(np.arcsin(np.clip(sines, -1, 1))).min() > 20


def test_edge_lengths_are_those_on_paper():
    pattern = two()
    mesh = sewn.sew(pattern, 0.04)
    pairs, lengths = sewn.edges(mesh)
    assert (pairs[:, 0] < pairs[:, 1]).all() and len(np.unique(pairs, axis=0)) == len(pairs)
    wanted = {}
    for face in mesh.faces:
        for first, second in zip(face, np.roll(face, -1), strict=True):
            key = tuple(sorted((int(mesh.weld[first]), int(mesh.weld[second]))))
            wanted.setdefault(key, []).append(np.linalg.norm(mesh.paper[first] - mesh.paper[second]))
    assert len(wanted) == len(pairs)
    means = [np.mean(wanted[tuple(pair)]) for pair in pairs.tolist()]
    np.testing.assert_allclose(lengths, means, rtol=1e-12)


def test_seam_is_welded_point_for_point():
    pattern = two()
    mesh = sewn.sew(pattern, 0.05)
    first = sewn.edge_vertices(mesh, pattern, "a", "right")
    second = sewn.edge_vertices(mesh, pattern, "b", "left")
    np.testing.assert_array_equal(first, second[::-1])
    assert len(np.unique(first)) == len(first) == round(0.3 / 0.05) + 1
    assert mesh.count == len(mesh.paper) - len(first) and euler(mesh) == 1
    # Corners that share a sewn vertex lie at one place, since the rectangles touch.
    for vertex in first:
        assert np.ptp(mesh.paper[mesh.weld == vertex], axis=0).max() < 1e-12


def test_edge_vertices_follow_the_edge():
    pattern = Pattern((rectangle(),), ())
    mesh = sewn.sew(pattern, 0.03)
    for edge, axis, sign in (("bottom", 0, 1), ("right", 1, 1), ("top", 0, -1), ("left", 1, -1)):
        places = mesh.paper[sewn.edge_vertices(mesh, pattern, "cloth", edge)]
        assert (sign * np.diff(places[:, axis]) > 0).all() and np.ptp(places[:, 1 - axis]) == 0
        np.testing.assert_allclose(places[[0, -1]], pattern.panel("cloth").edges[edge], atol=1e-12)


def test_panel_sewn_to_itself_is_a_tube():
    pattern = Pattern((rectangle(),), (Seam(("cloth", "left"), ("cloth", "right")),))
    mesh = sewn.sew(pattern, 0.03)
    assert euler(mesh) == 0
    assert euler(sewn.refine(mesh, pattern)) == 0


def test_gathered_seam_has_as_many_points_on_both_sides():
    pieces = rectangle("a"), rectangle("wide", height=0.6, left=0.4)
    pattern = Pattern(pieces, (Seam(("a", "right"), ("wide", "left")),))
    mesh = sewn.sew(pattern, 0.05)
    np.testing.assert_array_equal(
        sewn.edge_vertices(mesh, pattern, "a", "right"), sewn.edge_vertices(mesh, pattern, "wide", "left")[::-1]
    )
    pairs, lengths = sewn.edges(mesh)
    shared = set(sewn.edge_vertices(mesh, pattern, "a", "right").tolist())
    seam = [length for pair, length in zip(pairs.tolist(), lengths, strict=True) if set(pair) <= shared]
    # The mean of both sides: 0.3 m and 0.6 m in twelve pieces.
    np.testing.assert_allclose(seam, 0.45 / 12)


def half_disc():
    """A half circle of radius 0.3 m below its diameter."""
    rim = arc(0.3, np.pi / 2, 65)
    return Pattern((panel("half", [("rim", rim), ("flat", line(rim[-1], rim[0]))], ()),), ())


@pytest.mark.parametrize("pattern", [two(), half_disc()], ids=["seam", "curve"])
def test_refining_counts_and_halves(pattern):
    mesh = sewn.sew(pattern, 0.05)
    pairs, lengths = sewn.edges(mesh)
    finer = sewn.refine(mesh, pattern)
    assert len(finer.faces) == 4 * len(mesh.faces) and finer.count == mesh.count + len(pairs)
    assert len(sewn.edges(finer)[0]) == 2 * len(pairs) + 3 * len(mesh.faces) and euler(finer) == euler(mesh)
    assert np.median(sewn.edges(finer)[1]) == pytest.approx(np.median(lengths) / 2, rel=0.05)
    assert len(np.unique(directed_edges(finer), axis=0)) == 3 * len(finer.faces)
    # Kept corners stay, new ones lie in the middle of their parents but for those on a curve.
    kept = len(mesh.paper)
    np.testing.assert_array_equal(finer.paper[:kept], mesh.paper)
    np.testing.assert_array_equal(finer.weld[:kept], mesh.weld)
    inner = finer.edge[kept:] < 0
    middles = mesh.paper[finer.parents[kept:]].mean(1)
    np.testing.assert_allclose(finer.paper[kept:][inner], middles[inner], atol=1e-15)
    # What is one vertex has one pair of parents.
    parents = np.sort(mesh.weld[finer.parents], 1)
    for corner in range(2):
        low, high = (np.full(finer.count, start) for start in (mesh.count, -1))
        np.minimum.at(low, finer.weld, parents[:, corner])
        np.maximum.at(high, finer.weld, parents[:, corner])
        np.testing.assert_array_equal(low, high)


def test_refined_border_stays_on_its_curve():
    pattern = half_disc()
    mesh = sewn.sew(pattern, 0.06)
    error = []
    for _ in range(3):
        rim = mesh.paper[mesh.edge == 0]
        # The polyline of 64 chords is within its own sagitta of the circle.
        assert np.abs(np.linalg.norm(rim, axis=1) - 0.3).max() < 0.3 * (1 - np.cos(np.pi / 128)) + 1e-12
        assert np.abs(mesh.paper[mesh.edge == 1, 1]).max() < 1e-12
        assert (triangle_areas(mesh) > 0).all()
        order = np.sort(mesh.share[mesh.edge == 0])
        np.testing.assert_allclose(np.diff(order), order[1], atol=1e-12)  # evenly along the curve
        error.append(abs(triangle_areas(mesh).sum() - np.pi * 0.3**2 / 2))
        mesh = sewn.refine(mesh, pattern)
    assert error[1] < 0.35 * error[0] and error[2] < error[1]


def test_panel_of_a_single_edge():
    angle = np.linspace(0, 2 * np.pi, 129)
    ring = 0.2 * np.stack([np.cos(angle), np.sin(angle)], -1)
    ring[-1] = ring[0]
    pattern = Pattern((panel("disc", [("rim", ring)], ()),), ())
    mesh = sewn.sew(pattern, 0.05)
    for _ in range(2):
        rim = np.linalg.norm(mesh.paper[mesh.edge == 0], axis=1)
        assert np.abs(rim - 0.2).max() < 1e-3 and (triangle_areas(mesh) > 0).all()
        mesh = sewn.refine(mesh, pattern)


def test_what_cannot_be_sewn_says_why():
    with pytest.raises(ValueError, match="does not have"):
        sewn.sew(Pattern((rectangle(),), (Seam(("cloth", "left"), ("cloth", "sleeve")),)), 0.05)
    with pytest.raises(ValueError, match="wrong way round"):
        sewn.sew(Pattern((rectangle(),), (Seam(("cloth", "left"), ("cloth", "right"), False), Seam(
            ("cloth", "top"), ("cloth", "bottom"), False))), 0.05)  # fmt: skip
    with pytest.raises(ValueError, match="one triangle"):
        sewn.sew(Pattern((rectangle(),), (Seam(("cloth", "left"), ("cloth", "bottom")),)), 0.2)


def test_too_narrow_panel_is_refused():
    # A needle between two points of a border sampled more coarsely than it is wide.
    spike = line((0.2, 0.3), (0.201, 0.0), (0.2, -0.5), (0.199, 0.0), (0.2, 0.3))
    edges = [("top", line((0.4, 0.3), (0.2, 0.3))), ("spike", spike), ("rest", line((0.2, 0.3), (0, 0.3)))]
    edges += [
        ("left", line((0, 0.3), (0, 0))),
        ("bottom", line((0, 0), (0.4, 0))),
        ("right", line((0.4, 0), (0.4, 0.3))),
    ]
    with pytest.raises(ValueError, match="too narrow"):
        sewn.sew(Pattern((panel("needle", edges, ()),), ()), 0.05)
