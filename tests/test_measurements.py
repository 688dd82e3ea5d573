"""What a tape measures: on cylinders whose girth is known, on bodies that grow, and along a chart of sizes."""

import numpy as np
import pytest
import trimesh
from tailored import LOW, SHAPES, SIZES, figure, rest

from tryon_jax.garments import Rest, measurements, tubes
from tryon_jax.simulation import body

GIRTHS = ("chest", "waist", "hip", "thigh", "calf", "upper_arm", "wrist", "neck")


def solid(mesh):
    """A Rest of a trimesh and nothing else."""
    vertices = np.asarray(mesh.vertices, np.float32)
    empty = np.zeros((0, 3), np.float32)
    return Rest(vertices, np.asarray(mesh.faces, np.int32), empty, (), empty, empty, {})


def cylinder(across=(0.15, 0.15), height=1.0):
    mesh = trimesh.creation.cylinder(radius=1.0, height=height, sections=256)
    mesh.vertices *= [*across, 1.0]
    mesh.vertices += [0.03, -0.02, height / 2]
    return mesh


def upright(mesh, middle=None, top=0.9, bottom=0.1):
    worn = solid(mesh)
    return tubes.upright(worn, np.ones(len(worn.vertices), bool), top, bottom, middle)


def test_girth_of_a_cylinder_is_the_circles():
    tube = upright(cylinder())
    np.testing.assert_allclose(tube.girth, 2 * np.pi * 0.15, rtol=1e-3)
    np.testing.assert_allclose(tube.radius, 0.15, rtol=1e-3)
    np.testing.assert_allclose(tube.centres[:, :2], [[0.03, -0.02]] * len(tube.levels), atol=1e-6)
    assert (np.diff(tube.levels) < 0).all() and tube.levels[0] == 0.9 and tube.levels[-1] < 0.1 + tubes.STEP


def test_girth_and_radius_of_an_ellipse():
    a, b = 0.2, 0.12
    tube = upright(cylinder((a, b)))
    share = ((a - b) / (a + b)) ** 2
    ramanujan = np.pi * (a + b) * (1 + 3 * share / (10 + np.sqrt(4 - 3 * share)))
    np.testing.assert_allclose(tube.girth, ramanujan, rtol=1e-3)
    # Angle 0 is the front, a quarter turn the left.
    front, left = tube.points(np.array([0.5, 0.5]), np.array([0.0, np.pi / 2]), np.array([0.0, 0.01]))
    np.testing.assert_allclose(front, [0.03, -0.02 - b, 0.5], atol=1e-3)
    np.testing.assert_allclose(left, [0.03 + a + 0.01, -0.02, 0.5], atol=1e-3)


def test_tape_spans_hollows():
    star = np.array([(np.cos(a) * r, np.sin(a) * r) for a, r in zip(np.arange(8) * np.pi / 4, [0.2, 0.08] * 4)])  # noqa: B905
    side = np.concatenate([np.append(star, np.full((8, 1), z), 1) for z in (0.0, 1.0)])
    faces = [(k, (k + 1) % 8, 8 + k) for k in range(8)] + [((k + 1) % 8, 8 + (k + 1) % 8, 8 + k) for k in range(8)]
    tube = upright(trimesh.Trimesh(side, faces, process=False))
    np.testing.assert_allclose(tube.girth, 4 * 0.2 * np.sqrt(2), rtol=1e-5)
    assert tube.radius.min() > 0.2 / np.sqrt(2) - 1e-3


def test_a_level_that_grazes_the_tip_takes_its_neighbours_section():
    cone = trimesh.creation.cone(radius=0.2, height=0.9 + 1e-5, sections=64)
    tube = upright(cone)
    np.testing.assert_allclose(tube.girth[0], tube.girth[1])
    np.testing.assert_allclose(tube.girth[1:], 2 * np.pi * 0.2 * (1 - tube.levels[1:] / 0.9), rtol=5e-3)
    cone.vertices *= [1.0, 1e-5, 1.0]
    with pytest.raises(ValueError, match="flat"):
        upright(cone)


def test_middle_may_be_given():
    tube = upright(cylinder(), middle=0.0)
    np.testing.assert_allclose(tube.centres[:, 0], 0.0, atol=1e-9)
    np.testing.assert_allclose(tube.radius[:, 16], 0.18, rtol=2e-3)  # a quarter turn, to the left
    np.testing.assert_allclose(tube.girth, 2 * np.pi * 0.15, rtol=1e-3)


def test_tilted_limb_measures_as_the_upright_one():
    mesh = cylinder((0.05, 0.05), 0.6)
    mesh.apply_translation([-0.03, 0.02, 0.0])
    turn = trimesh.transformations.rotation_matrix(2.2, [0.1, 1.0, 0.0])
    mesh.apply_transform(turn)
    ends = (np.array([[0, 0, 0.05], [0, 0, 0.3], [0, 0, 0.55]]) @ turn[:3, :3].T) + turn[:3, 3]
    worn = solid(mesh)
    tube = tubes.along_axis(worn, np.ones(len(worn.vertices), bool), ends)
    np.testing.assert_allclose(tube.girth, 2 * np.pi * 0.05, rtol=1e-3)
    np.testing.assert_allclose(tube.across @ tube.across.T, np.eye(2), atol=1e-9)
    axis = (ends[-1] - ends[0]) / 0.5
    np.testing.assert_allclose(tube.across @ axis, 0, atol=1e-9)
    assert tube.across[0, 2] > 0 and tube.across[1, 1] > 0  # upward, and to the back
    away = tube.points(np.linspace(0.1, 0.4, 9), np.linspace(0, 6, 9), np.full(9, 0.02)) - ends[0]
    np.testing.assert_allclose(np.linalg.norm(away - np.outer(away @ axis, axis), axis=1), 0.07, atol=1e-3)


def test_between_levels_is_linear_and_beyond_is_held():
    mesh = trimesh.creation.cone(radius=0.2, height=1.0, sections=256)
    tube = upright(mesh, top=0.8, bottom=0.2)
    levels = np.array([0.31, 0.5, 0.733])
    np.testing.assert_allclose(tube.at(levels, tube.girth), 2 * np.pi * 0.2 * (1 - levels), rtol=2e-3)
    np.testing.assert_allclose(tube.radius_at(levels, np.array([0.0, 2.0, 6.2])), 0.2 * (1 - levels), rtol=2e-3)
    assert tube.at(np.array([2.0, -1.0]), tube.girth).tolist() == [tube.girth[0], tube.girth[-1]]


def test_no_section_is_refused():
    with pytest.raises(ValueError, match="cross-section"):
        upright(cylinder(), top=3.0, bottom=2.0)


@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_bodies_have_a_bodys_proportions(index):
    taken, levels, found, _ = figure(index)
    assert min(taken) > 0 and np.isfinite(taken).all()
    assert taken.wrist < taken.upper_arm < taken.thigh < taken.hip and taken.calf < taken.thigh
    assert taken.neck < taken.waist and taken.chest > 1.5 * taken.neck
    assert (np.diff(levels) < 0).sum() >= 6  # from nape to ankle they fall, but for nape and shoulder
    assert levels.chest > levels.waist > levels.hip > levels.crotch > levels.knee > levels.ankle > 0
    assert taken.waist_to_hip < taken.waist_to_crotch < taken.waist_to_knee < taken.waist_to_ankle < levels.waist
    tall = rest(index).vertices[:, 2].max()
    assert 0.25 < taken.arm / tall < 0.42 and 0.35 < taken.hip / tall < 0.95
    for name in ("leg", "arm"):  # bodies are mirror images
        left, right = found[f"left_{name}"], found[f"right_{name}"]
        # But for the ends of the arms, which are cut off along the edges of a triangulation that is not mirrored.
        middle = slice(4, -4)
        np.testing.assert_allclose(left.girth[middle], right.girth[middle], rtol=5e-3)


@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_trunks_girth_is_that_of_the_sections_hull(index):
    worn, (taken, levels, *_) = rest(index), figure(index)
    arms = sum(worn.limbs[f"{side}_{part}"] for side in ("left", "right") for part in ("arm", "hand"))
    bare = trimesh.Trimesh(worn.vertices, worn.faces[(arms[worn.faces] < 0.5).all(1)], process=False)
    for name in ("waist", "hip"):
        section = bare.section([0, 0, 1], [0, 0, getattr(levels, name)])
        hull = trimesh.points.PointCloud(section.vertices[:, :2] @ np.eye(2, 3) + [0, 0, 0])
        flat = hull.vertices[:, :2]
        # Cauchy: the perimeter of a convex set is pi times its mean width.
        angle = np.linspace(0, np.pi, 720, endpoint=False)
        widths = np.ptp(flat @ np.stack([np.cos(angle), np.sin(angle)]), axis=0)
        # Levels are 2 cm apart.
        assert getattr(taken, name) == pytest.approx(np.pi * widths.mean(), rel=0.01)


@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_tube_encloses_the_trunk(index):
    worn, (_, levels, found, _) = rest(index), figure(index)
    torso = worn.limbs["torso"] > 0.95
    inside = torso & (worn.vertices[:, 2] < levels.chest - 0.05) & (worn.vertices[:, 2] > levels.crotch + 0.05)
    points, trunk = worn.vertices[inside].astype(float), found["trunk"]
    flat = (points - trunk.at(points[:, 2], trunk.centres)) @ trunk.across.T
    radius = trunk.radius_at(points[:, 2], np.arctan2(flat[:, 1], flat[:, 0]) % (2 * np.pi))
    # What the hull of a section misses of the body between two levels, and of a corner between two angles.
    assert (np.linalg.norm(flat, axis=1) - radius).max() < 0.012


@pytest.mark.parametrize("gender", [0.0, 1.0])
def test_girths_grow_with_weight(gender):
    taken = []
    for weight in (0.2, 0.4, 0.6, 0.8):
        shape = np.array([gender, 0.8, 0.5, weight, 0.5, 0.5], np.float32)
        taken.append(
            measurements.measure(body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest).measurements
        )
    for name in GIRTHS:
        girths = [getattr(one, name) for one in taken]
        # 1.5 mm: joints move with the weight, and wrist and neck are measured at some distance from theirs.
        assert (np.diff(girths) > (-0.0015 if name in ("wrist", "neck") else 0.0)).all(), name
        assert girths[-1] > 1.01 * girths[0], name


def test_lengths_grow_with_height():
    taken = []
    for height in (0.2, 0.5, 0.8):
        shape = np.array([0.0, 0.8, 0.5, 0.5, height, 0.5], np.float32)
        taken.append(
            measurements.measure(body.posed(body.load(), shape, body.Pose("a_pose", {}, 0.0)).rest).measurements
        )
    for name in ("arm", "waist_to_ankle", "waist_to_knee", "nape_to_waist", "shoulder", "nape_to_chest"):
        assert (np.diff([getattr(one, name) for one in taken]) > 0).all(), name


@pytest.mark.parametrize("index", range(len(SHAPES)))
def test_sizes_add_up(index):
    taken = figure(index).measurements
    np.testing.assert_allclose(measurements.graded(taken, 0), taken)
    for size in SIZES:
        step = np.array(measurements.graded(taken, size)) - np.array(taken)
        np.testing.assert_allclose(step, size * np.array(measurements.GRADE), atol=1e-12)
        back = measurements.graded(measurements.graded(taken, size), -size)
        np.testing.assert_allclose(back, taken, atol=1e-12)
    assert min(measurements.GRADE) > 0
    with pytest.raises(ValueError, match="leave nothing"):
        measurements.graded(taken, -25)


def test_lowest_shape_is_a_body_too():
    assert (
        min(measurements.measure(body.posed(body.load(), LOW, body.Pose("a_pose", {}, 0.0)).rest).measurements) > 0.02
    )


@pytest.mark.parametrize("step", [0.1, -0.1])
def test_crossings_are_those_of_each_level(step):
    rng = np.random.default_rng(3)
    vertices, edges = rng.uniform(0, 1, (60, 3)), rng.integers(0, 60, (150, 2))
    edges = edges[edges[:, 0] != edges[:, 1]]
    levels = 0.5 - 4 * step + step * np.arange(8)
    points, number = tubes.crossings(vertices, edges, vertices[:, 2], levels)
    assert (np.diff(number) >= 0).all()
    for index, level in enumerate(levels):
        low, high = np.sort(vertices[edges, 2], 1).T
        crossed = edges[(low < level) & (level < high)]
        share = (level - vertices[crossed[:, 0], 2]) / (vertices[crossed[:, 1], 2] - vertices[crossed[:, 0], 2])
        wanted = vertices[crossed[:, 0]] + share[:, None] * (vertices[crossed[:, 1]] - vertices[crossed[:, 0]])
        np.testing.assert_allclose(points[number == index], wanted, atol=1e-12)
