"""Every garment file, found by being there: over all corners of its parameters, on several bodies, in all sizes."""

import numpy as np
import pytest
from tailored import cases, crossings, draft, figure, rest, signed_area, triangle_areas

from tryon_jax import garments
from tryon_jax.garments import placement, sewn
from tryon_jax.garments.pattern import DETAILS, FINISHES, length
from tryon_jax.simulation import gates

NAMES = garments.names()
SPACING = 0.044
# Euler characteristic and number of borders of what is known: openings for neck, arms, legs and trunk.
TOPOLOGY = {
    "tshirt": (-2, 4), "shirt": (-2, 4), "hoodie": (-2, 4), "dress": (-2, 4), "jacket": (-1, 3), "trousers": (-1, 3),
    "skirt": (0, 2),
}  # fmt: skip
# Pairs of edges of which the longer is gathered or eased in on purpose, by this share at most.
EASED = {"inside": 0.10, "outside": 0.03, "cap": 0.02}


def border_loops(pairs, uses):
    """Number of loops of the border, each of whose vertices is on two of its edges."""
    rim = pairs[uses == 1]
    following = {}
    for first, second in rim.tolist():
        following.setdefault(first, []).append(second)
        following.setdefault(second, []).append(first)
    assert all(len(near) == 2 for near in following.values())
    seen, count = set(), 0
    for start in following:
        count += start not in seen
        stack = [start]
        while stack:
            vertex = stack.pop()
            if vertex not in seen:
                seen.add(vertex)
                stack += following[vertex]
    return count


def edge_uses(mesh):
    corners_ = mesh.weld[mesh.faces]
    directed = np.stack([corners_, np.roll(corners_, -1, 1)], -1).reshape(-1, 2)
    number = lambda pairs: pairs[:, 0].astype(np.int64) * mesh.count + pairs[:, 1]  # noqa: E731
    assert len(np.unique(number(directed))) == len(directed)  # consistently oriented
    pairs, uses = np.unique(number(np.sort(directed, 1)), return_counts=True)
    return np.stack(np.divmod(pairs, mesh.count), -1), uses


def check_surface(name, mesh):
    assert np.isfinite(mesh.paper).all() and mesh.faces.min() >= 0 and mesh.faces.max() == len(mesh.paper) - 1
    assert np.array_equal(np.unique(mesh.weld), np.arange(mesh.count))
    pairs, uses = edge_uses(mesh)
    assert uses.max() == 2
    euler = mesh.count - len(pairs) + len(mesh.faces)
    loops = border_loops(pairs, uses)
    assert (euler - loops) % 2 == 0  # orientable: 2 - 2 genus - loops
    if name in TOPOLOGY:
        assert (euler, loops) == TOPOLOGY[name]


@pytest.mark.parametrize("name", NAMES)
def test_panels_are_simple_polygons(name):
    for parameters, *_, pattern in cases(name):
        assert len({one.name for one in pattern.panels}) == len(pattern.panels)
        for one in pattern.panels:
            assert np.isfinite(one.outline).all()
            edges = list(one.edges.values())
            for points, following in zip(edges, [*edges[1:], edges[0]], strict=True):
                np.testing.assert_allclose(points[-1], following[0], atol=1e-12)
                # A tenth of a millimetre: no point twice.
                assert np.linalg.norm(np.diff(points, axis=0), axis=1).min() > 1e-4
            assert signed_area(one.outline) > 1e-3, (one.name, parameters)
            assert crossings(one.outline) == 0, (one.name, parameters)
            assert set(one.finish) == set(one.edges) and set(one.finish.values()) <= set(FINISHES)
            assert one.place[0] in placement.PLACES


@pytest.mark.parametrize("name", NAMES)
def test_seams_details_and_holds_name_what_is_there(name):
    for *_, pattern in cases(name):
        known = {(one.name, edge) for one in pattern.panels for edge in one.edges}
        sides = [side for seam in pattern.seams for side in (seam.first, seam.second)]
        assert set(sides) <= known and len(set(sides)) == len(sides)
        assert all(pattern.panel(panel).finish[edge] != "hem" or edge == "middle" for panel, edge in sides)
        assert set(pattern.hung) <= known and pattern.hung  # everything hangs from something
        assert all((panel, edge) in known or edge is None for panel, edge in pattern.held)
        for detail in pattern.details:
            outline = pattern.panel(detail.panel).outline
            assert detail.kind in DETAILS and min(detail.size) > 0
            half = np.array(detail.size) / 2
            # 2 cm: a placket or a fly laps over the middle.
            assert (outline.min(0) - 0.02 < np.array(detail.centre) - half).all(), (detail, outline.min(0))
            assert (outline.max(0) + 0.02 > np.array(detail.centre) + half).all(), (detail, outline.max(0))


@pytest.mark.parametrize("name", NAMES)
def test_seams_are_as_long_on_both_sides(name):
    for parameters, *_, pattern in cases(name):
        for seam in pattern.seams:
            first, second = (length(pattern.panel(panel).edges[edge]) for panel, edge in (seam.first, seam.second))
            allowed = max((most for word, most in EASED.items() if seam.second[1].endswith(word)), default=1e-3)
            assert abs(first / second - 1) <= allowed, (seam, parameters)


@pytest.mark.parametrize("name", NAMES)
def test_vertical_seams_meet_at_equal_heights(name):
    for *_, pattern in cases(name):
        for seam in pattern.seams:
            # Cones and sleeves are sewn along lines that slope alike; a collar has heights of its own. A dart in a
            # waist that slopes stands upright on it.
            kinds = {pattern.panel(panel).place[0] for panel, _ in (seam.first, seam.second)}
            if len(kinds) == 1 and not seam.first[1].endswith(("waist", "neck")) and "dart" not in seam.first[1]:
                first, second = (pattern.panel(panel).edges[edge] for panel, edge in (seam.first, seam.second))
                ends = second[[-1, 0], 1] if seam.turned else second[[0, -1], 1]
                np.testing.assert_allclose(first[[0, -1], 1], ends, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_sews_everywhere_in_its_box(name):
    for number, (parameters, *_, pattern) in enumerate(cases(name)):
        mesh = sewn.sew(pattern, SPACING)
        areas = triangle_areas(mesh)
        # No sliver: a fiftieth of a lattice triangle at least.
        assert areas.min() > 0.02 * 0.5 * SPACING**2, parameters
        wanted = sum(signed_area(one.outline) for one in pattern.panels)
        assert abs(areas.sum() / wanted - 1) < 0.02  # chords of necklines
        if number % 4:  # sew checks itself that it is a surface; the rest of this is slow
            continue
        check_surface(name, mesh)
        _, lengths = sewn.edges(mesh)
        assert 0.7 * SPACING < np.median(lengths) < 1.3 * SPACING and lengths.max() < 2.2 * SPACING


@pytest.mark.parametrize("name", NAMES)
def test_refines_twice(name):
    for parameters, *_, pattern in cases(name)[:: len(cases(name)) // 4]:
        mesh = sewn.sew(pattern, SPACING)
        wanted = sum(signed_area(one.outline) for one in pattern.panels)
        # The curves' chords halve, so that what they cut off falls to a quarter.
        for most in (2.5e-3, 6e-4):
            pairs, _ = edge_uses(mesh)
            finer = sewn.refine(mesh, pattern)
            assert finer.count == mesh.count + len(pairs) and len(finer.faces) == 4 * len(mesh.faces)
            assert len(edge_uses(finer)[0]) == 2 * len(pairs) + 3 * len(mesh.faces)
            check_surface(name, finer)
            assert triangle_areas(finer).min() > 0, parameters
            assert abs(triangle_areas(finer).sum() / wanted - 1) < most
            mesh = finer


@pytest.mark.parametrize("name", NAMES)
def test_every_girth_grows_with_the_size(name):
    for index in range(5):
        small, large = (draft(name, index, size) for size in (-1, 1))
        for one in small.panels:
            # Grading adds 6 mm to a wrist, the least of all girths.
            assert np.ptp(large.panel(one.name).outline[:, 0]) > np.ptp(one.outline[:, 0]) + 2e-3
            assert signed_area(large.panel(one.name).outline) > signed_area(one.outline)


@pytest.mark.parametrize("name, key", [(name, key) for name in NAMES for key in garments.load(name).PARAMETERS])
def test_every_parameter_changes_the_pattern(name, key):
    low, high = garments.load(name).PARAMETERS[key]
    made = [draft(name, **{key: value}) for value in (low, high)]
    outlines = [np.concatenate([one.outline for one in pattern.panels]) for pattern in made]
    assert outlines[0].shape != outlines[1].shape or np.abs(outlines[0] - outlines[1]).max() > 0.02
    low_ends = [min(one.outline[:, 1].min() for one in p.panels if one.place[0] != "sleeve") for p in made]
    areas = [sum(signed_area(one.outline) for one in pattern.panels) for pattern in made]
    if key == "length":
        assert low_ends[1] < low_ends[0] - 0.05
    if key in ("length", "sleeve", "ease", "flare", "hood"):
        assert areas[1] > areas[0]
    if key in ("neck_width", "neck_depth"):
        holes = [length(pattern.panel("front").edges["neck"]) for pattern in made]
        assert holes[1] > holes[0] + 0.02


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("index", range(5))
def test_placement_is_outside_the_body_but_for_armpits(name, index):
    body = rest(index)
    pattern = draft(name, index)
    mesh = sewn.sew(pattern, SPACING)
    points, limbs = placement.place(pattern, mesh, body, figure(index))
    assert points.shape == (mesh.count, 3) and np.isfinite(points).all()
    assert all(0 <= share.min() and share.max() <= 1 for share in limbs.values())
    height = gates.heights(points, gates.surface(body.vertices, body.faces))
    armed = limbs["left_arm"] + limbs["right_arm"] > 0
    below = ~armed & (points[:, 2] < figure(index).levels.chest - 0.03)
    legs = name == "trousers"  # whose crotch starts out between the legs
    assert (height[below] > 0).mean() > (0.97 if legs else 0.999)
    assert height.min() > -0.1 and (height < 0).mean() < 0.25
    # Put on the right way: what is sewn to the left arm or leg lies at the left, x > 0.
    for side, sign in (("left", 1), ("right", -1)):
        for limb in ("arm", "leg"):
            own = points[limbs[f"{side}_{limb}"] == 1]
            assert (sign * own[:, 0] > -0.03).all()
    # Faces point outward: away from the body beneath them.
    corner = points[mesh.weld[mesh.faces]]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    size = np.linalg.norm(normal, axis=1)
    lifted = corner.mean(1) + 0.005 * normal / np.maximum(size, 1e-9)[:, None]  # 1e-9 m^2: a face put on edge
    rise = gates.heights(lifted, gates.surface(body.vertices, body.faces)) - gates.heights(
        corner.mean(1), gates.surface(body.vertices, body.faces)
    )
    loose = np.array([pattern.panels[number].place[0] != "collar" for number in mesh.panel[mesh.faces[:, 0]]])
    assert (rise[loose] > 0).mean() > 0.9


def test_unknown_garment_and_parameters():
    with pytest.raises(ValueError, match="tshirt"):
        garments.load("cape")
    good = garments.sample("skirt", np.random.default_rng(0))
    garments.check("skirt", good)
    for wrong in (2.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="outside"):
            garments.check("skirt", {**good, "flare": wrong})
    with pytest.raises(ValueError, match="takes"):
        garments.check("skirt", {"flare": 0.5})


@pytest.mark.parametrize("name", NAMES)
def test_sampled_parameters_are_the_garments_own(name):
    for seed in range(5):
        garments.check(name, garments.sample(name, np.random.default_rng(seed)))
    assert all(low < high for low, high in garments.load(name).PARAMETERS.values())
