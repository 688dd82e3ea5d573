"""Darts: wedges cut out of straight edges, what they leave of the edge, and the cone that they are sewn to."""

import numpy as np
import pytest
from tailored import SIZES, crossings, draft, figure, finished, middle, rest, signed_area, triangle_areas

from tryon_jax import garments
from tryon_jax.garments import darts, measurements, placement, sewn, skirt
from tryon_jax.garments.darts import Dart
from tryon_jax.garments.pattern import Pattern, length, line, panel
from tryon_jax.simulation import fit

DARTED = (("skirt", {"flare": 0.0}), ("skirt", {"flare": 0.2, "rise": 0.6}), ("trousers", {}))
TWO = (Dart(0.1, 0.02, 0.09), Dart(0.24, 0.03, 0.12))


def square(made=TWO, angle=0.0, side=0.4):
    """A square turned by an angle, with darts in its upper edge."""
    corners = np.array([(0, 0), (side, 0), (side, side), (0, side)], float)
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    names = ("bottom", "right", "top", "left")
    edges = [(name, line(corners[k], corners[(k + 1) % 4])) for k, name in enumerate(names)]
    return panel("square", darts.cut(edges, "top", made), ("skirt", "front"))


def to_chart(name, size, chart, **changes):
    return garments.load(name).pattern(middle(name, **changes), fit.drafted_to(size, chart))


def wedges(one):
    """(middle of the mouth, tip, width of the mouth, lengths of both legs) of every dart of a Panel."""
    found = []
    for left, right in darts.legs(one):
        (mouth, tip), (again, far) = one.edges[left], one.edges[right]
        np.testing.assert_array_equal(tip, again)
        legs = length(one.edges[left]), length(one.edges[right])
        found.append(((mouth + far) / 2, tip, float(np.linalg.norm(far - mouth)), legs))
    return found


@pytest.mark.parametrize("angle", [0.0, 0.7, 3.0])
def test_a_cut_edge_is_the_whole_less_what_the_darts_take(angle):
    made = square(angle=angle)
    assert list(made.edges) == [
        "bottom", "right", "top_0", "dart_0_left", "dart_0_right", "top_1", "dart_1_left", "dart_1_right", "top_2",
        "left",
    ]  # fmt: skip
    assert darts.parts(made.edges, "top") == ("top_0", "top_1", "top_2")
    lengths = [length(made.edges[edge]) for edge in darts.parts(made.edges, "top")]
    # Places are told along the finished edge.
    assert np.cumsum(lengths) == pytest.approx([0.1, 0.24, 0.4 - 0.05])
    for dart, (mouth, tip, intake, legs) in zip(TWO, wedges(made), strict=True):
        assert intake == pytest.approx(dart.intake) and legs[0] == pytest.approx(legs[1])
        assert np.linalg.norm(tip - mouth) == pytest.approx(dart.length)
    # The wedges are cut out of the cloth, not added to it.
    taken = sum(dart.intake * dart.length / 2 for dart in TWO)
    assert signed_area(made.outline) == pytest.approx(0.16 - taken) and crossings(made.outline) == 0


def test_no_intake_leaves_the_edge_alone():
    plain = square(made=(Dart(0.2, 0.0, 0.1),))
    assert list(plain.edges) == ["bottom", "right", "top", "left"]
    assert darts.parts(plain.edges, "top") == ("top",) and darts.legs(plain) == () == darts.seams((plain,))


def test_darts_need_room_and_a_straight_edge():
    for made in ((Dart(0.39, 0.02, 0.1),), (Dart(0.1, 0.02, 0.1), Dart(0.1, 0.02, 0.1)), (Dart(0.0, 0.02, 0.1),)):
        with pytest.raises(ValueError, match="no room"):
            square(made=made)
    with pytest.raises(ValueError, match="straight"):
        darts.cut([("arc", skirt.arc(0.3, 1.0))], "arc", TWO)


def test_a_waist_dart_is_drafted_within_its_bounds():
    for spare in np.linspace(-0.1, 0.2, 31):
        for depth in np.linspace(0.05, 0.3, 11):
            made = darts.waist(0.1, spare, depth, 0.5, 0.5)
            assert made.length == pytest.approx(depth / 2)
            assert made.intake == 0 or darts.LEAST <= made.intake <= min(spare / 2 + 1e-12, darts.MOST)
            assert made.intake <= darts.BLUNT * made.length
            if 0.02 < spare < 0.04 and depth > 0.2:
                assert made.intake == pytest.approx(spare / 2)
    assert darts.waist(0.1, 0.015, 0.25, 0.5, 0.5).intake == 0 < darts.waist(0.1, 0.017, 0.25, 0.5, 0.5).intake
    assert darts.waist(0.1, 0.05, 0.131, 0.5, 0.5).intake == 0 < darts.waist(0.1, 0.05, 0.133, 0.5, 0.5).intake


def wanted_waist(name, m, rise):
    """Metres of the finished waist around the body that the drafting rules ask for."""
    if name == "skirt":
        drop = 0.09 * (1 - rise)
        return m.waist + 0.015 + (m.hip - m.waist) * 0.9 * min(drop / m.waist_to_hip, 1)
    drop = 0.11 * (1 - rise) * m.waist_to_crotch / 0.28
    around = m.waist + 0.02 + (m.hip - m.waist) * drop / m.waist_to_hip * 0.9
    return 0.47 * around + 2 * np.hypot(0.53 * around / 2, 0.025)


@pytest.mark.parametrize("rise", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("name, changes", DARTED)
def test_darts_keep_the_waist_and_the_hip_and_have_equal_legs(name, changes, index, rise):
    m = figure(index).measurements
    made = draft(name, index, **{**changes, "rise": rise})
    assert sum(finished(one) for one in made.panels) == pytest.approx(wanted_waist(name, m, rise), rel=1e-12)
    faces = ("front", "back") if name == "skirt" else ("left_front", "left_back", "right_front", "right_back")
    count = {len(wedges(made.panel(face))) for face in faces}
    assert count == ({0, 1} if name == "trousers" else {2}) or count == {0}
    for face in faces:
        for mouth, tip, intake, legs in wedges(made.panel(face)):
            assert legs[0] == pytest.approx(legs[1], rel=1e-12)
            assert darts.LEAST <= intake <= darts.MOST and legs[0] > darts.SHORT
            # Well above the hip.
            assert mouth[1] > tip[1] > -0.55 * m.waist_to_hip - 0.45 * abs(mouth[1]) - 0.015
    # The hips' girth is the ease's alone, whatever the darts take: of trousers from the middle to the outer side.
    ease = {0.0: 0.03, 0.2: 0.118}[changes["flare"]] if name == "skirt" else 0.075
    sides = [np.concatenate(placement.extent(one, np.array([-m.waist_to_hip]))) for one in made.panels]
    hip = sum(np.ptp(ends) if name == "skirt" else np.abs(ends).max() for ends in sides)
    assert hip == pytest.approx(m.hip + ease, rel=1e-9)


def test_a_woman_of_the_chart_has_darts_as_a_tailor_draws_them():
    made = to_chart("skirt", "M", "woman", rise=1.0, flare=0.0)
    for side, low, high in (("front", 0.09, 0.11), ("back", 0.12, 0.14)):
        one = made.panel(side)
        found = wedges(one)
        assert [round(mouth[0] + found[1 - k][0][0], 12) for k, (mouth, *_) in enumerate(found)] == [0, 0]
        assert all(low < mouth[1] - tip[1] < high and 0.025 < intake < 0.036 for mouth, tip, intake, _ in found)
    back = wedges(to_chart("trousers", "M", "woman", rise=1.0).panel("left_back"))
    assert len(back) == 1 and 0.02 < back[0][2] < 0.035


@pytest.mark.parametrize("name, changes", DARTED)
def test_without_a_narrower_waist_there_is_no_dart(name, changes):
    m = figure(0).measurements
    straight = m._replace(waist=m.hip)
    made = garments.load(name).pattern(middle(name, **changes), straight)
    assert not any(darts.legs(one) for one in made.panels)
    assert all("waist" in one.edges for one in made.panels) and not any("dart" in s.first[1] for s in made.seams)


def test_flared_skirts_have_no_darts():
    for flare in (0.26, 0.6, 1.0):
        assert not any(darts.legs(one) for one in draft("skirt", 0, flare=flare).panels)


def tips(pattern, mesh):
    """(sewn vertex, angle of the wedge in radians) of every dart's tip."""
    found = []
    for one in pattern.panels:
        for left, right in darts.legs(one):
            vertex = sewn.edge_vertices(mesh, pattern, one.name, left)[-1]
            (mouth, tip), (_, far) = one.edges[left], one.edges[right]
            a, b = mouth - tip, far - tip
            found.append((vertex, abs(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))))
    return found


def angles_at(mesh, vertex):
    """Sum in radians of the angles on paper of all faces' corners that are sewn to a vertex."""
    total = 0.0
    for k in range(3):
        tip, first, second = (mesh.paper[mesh.faces[:, (k + j) % 3]] for j in range(3))
        mine = mesh.weld[mesh.faces[:, k]] == vertex
        a, b = (first - tip)[mine], (second - tip)[mine]
        total += np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(1)).sum()
    return total


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name, changes", DARTED)
def test_a_sewn_dart_is_a_cone(name, changes, size):
    pattern = draft(name, 0, size, **changes)
    mesh = sewn.sew(pattern, 0.044)
    for _ in range(2):
        found = tips(pattern, mesh)
        assert len(found) == (4 if name == "skirt" else 2) and len({vertex for vertex, _ in found}) == len(found)
        for vertex, angle in found:
            assert 0.05 < angle < 0.4
            assert angles_at(mesh, vertex) == pytest.approx(2 * np.pi - angle, abs=1e-9)
        for one in pattern.panels:
            for left, right in darts.legs(one):
                first, second = (sewn.edge_vertices(mesh, pattern, one.name, edge) for edge in (left, right))
                np.testing.assert_array_equal(first, second[::-1])
        mesh = sewn.refine(mesh, pattern)


@pytest.mark.parametrize("spacing", [0.044, 0.03, 0.015])
@pytest.mark.parametrize("name, changes", DARTED)
def test_all_sizes_sew_coarse_and_fine(name, changes, spacing):
    for chart in fit.CHART:
        for size in fit.SIZES:
            for rise in (0.0, 0.5, 1.0):
                pattern = to_chart(name, size, chart, **{**changes, "rise": rise})
                mesh = sewn.sew(pattern, spacing)
                area = sum(signed_area(one.outline) for one in pattern.panels)
                assert triangle_areas(mesh).min() > 0 and triangle_areas(mesh).sum() == pytest.approx(area, rel=0.02)


def test_across_counts_cloth_and_no_wedges():
    made = square()
    x = np.linspace(-0.1, 0.5, 41)
    for y in (0.05, 0.31, 0.36, 0.399, 0.4, 0.6):
        way, width = placement.across(made, np.stack([x, np.full(41, y)], -1))
        level = min(y, 0.4 - 1e-4)
        # Brute force: the share of fine steps along the horizontal that lie in no wedge.
        steps = (np.arange(40000) + 0.5) * 1e-5
        cloth = np.ones(len(steps), bool)
        for mouth, tip, intake, _ in wedges(made):
            half = max(0.0, intake / 2 * (level - tip[1]) / (mouth[1] - tip[1]))
            cloth &= np.abs(steps - mouth[0]) > half
        wanted = np.append(0, np.cumsum(cloth) * 1e-5)
        np.testing.assert_allclose(way, np.interp(x, np.append(0, steps + 5e-6), wanted), atol=4e-5)
        np.testing.assert_allclose(width, wanted[-1], atol=4e-5)


def test_darts_are_put_on_nearly_closed():
    for name, changes in DARTED:
        pattern = draft(name, 0, **changes)
        mesh = sewn.sew(pattern, 0.044)
        # Each corner by itself, as if nothing were sewn.
        loose = mesh._replace(weld=np.arange(len(mesh.paper), dtype=np.int32), count=len(mesh.paper))
        placed, _ = placement.place(pattern, loose, rest(0), figure(0))
        for one in pattern.panels:
            for (left, _), (*_, intake, _) in zip(darts.legs(one), wedges(one), strict=True):
                for vertex in sewn.edge_vertices(mesh, pattern, one.name, left)[:-1]:
                    gap = np.ptp(placed[mesh.weld == vertex], axis=0)
                    assert np.linalg.norm(gap) < 0.4 * intake


def test_fit_measures_the_sewn_waist():
    m = measurements.graded(figure(0).measurements, 0)
    for rise in (0.0, 1.0):
        made = draft("skirt", 0, flare=0.0, rise=rise)
        drop = 0.09 * (1 - rise) / m.waist_to_hip
        found = fit.ease(Pattern(made.panels, made.seams), m, figure(0))
        lies_on = m.waist + 0.9 * drop * (m.hip - m.waist)
        around = sum(finished(one) for one in made.panels)
        assert found["waist"] == pytest.approx(around - lies_on, abs=4e-3)
