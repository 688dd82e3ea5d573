"""Garments on a body: draped, they pass the gates; the gates, on what is spoilt on purpose."""

import functools

import numpy as np
import pytest
import trimesh
from tailored import SHAPES, draft

from tryon_jax.garments import sewn
from tryon_jax.simulation import body, cloth, drape, gates
from tryon_jax.simulation.fabric import FABRICS, WORN_IN

ARMS_DOWN = {"upperarm01.L": (0.0, 0.4, 0.0), "upperarm01.R": (0.0, -0.4, 0.0)}


@functools.cache
def moving():
    """The first of tailored's bodies on its way from the A-pose to arms hanging down; and its collider."""
    rotations = {bone: np.array(turn) for bone, turn in ARMS_DOWN.items()}
    found = drape.motion(body.load(), SHAPES[0], body.Pose("standing", rotations, 0.0))
    return found, drape.colliders(found)


@functools.cache
def draped(name, fabric="cotton", levels=1, **changes):
    motion, bodies = moving()
    return drape.drape(draft(name, **changes), motion, bodies, FABRICS[fabric], levels)


def test_motion_goes_from_rest_to_the_pose():
    motion, bodies = moving()
    np.testing.assert_allclose(motion.vertices[0], motion.rest.vertices, atol=2e-3)
    assert motion.vertices.shape == (drape.KEYS, *motion.rest.vertices.shape)
    steps = np.abs(np.diff(motion.vertices, axis=0)).max((1, 2))
    assert (steps > 0).all() and steps.max() < 2 * steps.min()  # no jump
    count = len(motion.sites.face)
    assert bodies.points.shape == bodies.normals.shape == (drape.KEYS, 3, drape.SITES_ROOM)
    assert (bodies.points[:, :, count:] > 100).all()  # padding is out of reach, and nobody's neighbour
    assert bodies.ring[:, :count].max() < count
    assert (bodies.arms_radius > 0.01).all() and (bodies.arms_radius < 0.1).all()


def test_more_collider_points_than_usual_get_more_room(monkeypatch):
    motion, bodies = moving()
    count = len(motion.sites.face)
    monkeypatch.setattr(drape, "SITES_ROOM", count // 8 * 4)  # half of what is needed, in quarters that end elsewhere
    tight = drape.colliders(motion)
    room = tight.points.shape[-1]
    assert count <= room < count + drape.SITES_ROOM // 4
    for name in ("points", "normals", "ring", "limbs"):
        np.testing.assert_array_equal(getattr(tight, name)[..., :count], getattr(bodies, name)[..., :count])
    assert (tight.points[:, :, count:] > 100).all()


@pytest.mark.parametrize("name, levels", [("tshirt", 2), ("trousers", 2), ("skirt", 1), ("dress", 1), ("jacket", 1)])
def test_draped_garments_pass_the_gates(name, levels):
    motion, _ = moving()
    found = draped(name, WORN_IN[name][0], levels)
    assert np.isfinite(found.vertices).all() and np.isfinite(found.speed).all()
    assert found.vertices.shape == found.in_a_pose.shape == (found.mesh.count, 3)
    report = gates.report(found, motion)
    assert report.failed == (), report
    # It hangs where it was put: within the height of the body, around its middle.
    low, high = found.vertices.min(0), found.vertices.max(0)
    assert low[2] > -0.01 and high[2] < motion.vertices[-1][:, 2].max()
    assert abs(low[0] + high[0]) < 0.1 * (high[0] - low[0]) + 0.03


def test_levels_refine_the_mesh_and_keep_the_shape():
    coarse, fine = draped("tshirt", "knit", 1), draped("tshirt", "knit", 2)
    assert fine.mesh.count == coarse.mesh.count + len(coarse.edges)
    np.testing.assert_array_equal(fine.edges, sewn.edges(fine.mesh)[0])
    assert np.linalg.norm(fine.vertices[: coarse.mesh.count] - coarse.vertices, axis=1).mean() < 0.02


def test_same_inputs_same_bits():
    motion, bodies = moving()
    again = drape.drape(draft("trousers"), motion, bodies, FABRICS["denim"], 1)
    first = draped("trousers", "denim", 1)
    for name in ("vertices", "in_a_pose", "speed", "limbs"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_waistband_is_held_at_the_waist():
    motion, _ = moving()
    found = draped("trousers", "denim", 1)
    rows = [sewn.edge_vertices(found.mesh, found.pattern, *edge) for edge in found.pattern.held]
    rows = np.unique(np.concatenate(rows))
    height = gates.heights(found.vertices[rows], gates.surface(motion.vertices[-1], motion.rest.faces))
    assert height.min() > -gates.DEEP and height.max() < 0.02


def test_what_is_worn_over_stays_over():
    motion, _ = moving()
    shirt = draped("tshirt", "knit", 1)
    bodies = drape.colliders(motion, [shirt])
    over = drape.drape(draft("jacket"), motion, bodies, FABRICS["wool"], 1, offset=0.003)
    assert gates.report(over, motion).failed == ()
    # Of the jacket's vertices that are near the shirt, nearly all lie outside of it.
    height = gates.heights(over.vertices, gates.surface(shirt.vertices, shirt.mesh.weld[shirt.mesh.faces]))
    near = np.linalg.norm(over.vertices[:, None] - shirt.vertices[None], axis=-1).min(1) < 0.03
    assert near.sum() > 50 and (height[near] > -0.003).mean() > 0.9


def test_tucked_in_shirt_lies_close_below_the_waist():
    motion, bodies = moving()
    pattern = draft("tshirt", length=0.8)
    waist = motion.figure.levels.waist - 0.03
    found = drape.drape(pattern, motion, bodies, FABRICS["cotton"], 1, ceiling=(waist, drape.TUCKED))
    loose = drape.drape(pattern, motion, bodies, FABRICS["cotton"], 1)
    away = []
    for one in (found, loose):
        low = (one.in_a_pose[:, 2] < waist - 0.02) & (np.abs(one.limbs[:, 0]) < 0.3)
        assert low.sum() > 20
        away.append(gates.heights(one.in_a_pose[low], gates.surface(motion.rest.vertices, motion.rest.faces)).mean())
    assert away[0] < 0.01 < away[1]


def test_stiff_skirts_stand_out_further_than_soft_ones():
    hems = []
    for fabric in ("denim", "wool", "silk"):
        # Flared enough to have folds: what hangs straight hangs alike in all fabrics.
        found = draped("skirt", fabric, 1, flare=0.8, length=0.3)
        rows = [sewn.edge_vertices(found.mesh, found.pattern, side, "hem") for side in ("front", "back")]
        hem = found.vertices[np.unique(np.concatenate(rows))]
        hems.append(np.linalg.norm(hem[:, :2] - hem[:, :2].mean(0), axis=1).mean())
    assert hems[0] > 1.01 * hems[1] > 1.02 * hems[2]


def spoilt(name, vertices):
    found = draped(name, WORN_IN[name][0], 2)
    return gates.report(found._replace(vertices=vertices(found.vertices)), moving()[0])


def test_gates_see_what_is_spoilt():
    inward = spoilt("trousers", lambda vertices: vertices * [0.85, 0.85, 1.0])
    assert "inside" in inward.failed and inward.inside > gates.INSIDE
    stretched = spoilt("trousers", lambda vertices: vertices * [1.4, 1.4, 1.4])
    assert "strain" in stretched.failed and stretched.strain > 0.3
    assert spoilt("trousers", lambda vertices: np.where(vertices > 1, np.nan, vertices) * np.nan).failed == ("finite",)
    found = draped("trousers", "denim", 2)
    assert gates.report(found._replace(speed=found.speed + 2), moving()[0]).failed == ("speed",)


def test_cloth_that_bursts_fails_the_gates():
    motion, bodies = moving()
    burst = drape.drape(draft("skirt"), motion, bodies, FABRICS["silk"]._replace(bending=np.nan), 2)
    assert gates.report(burst, motion).failed == ("finite",)


def test_stretchy_cloth_may_be_strained_more():
    found = draped("tshirt", "knit", 2)
    wide = found._replace(vertices=found.vertices * np.float32(1.15))
    rigid = wide._replace(fabric=FABRICS["cotton"])
    assert "strain" in gates.report(rigid, moving()[0]).failed
    assert "strain" not in gates.report(wide, moving()[0]).failed


def test_strain_of_a_scaled_pattern():
    found = draped("tshirt", "knit", 2)
    np.testing.assert_allclose(
        gates.strain(found._replace(vertices=found.vertices * 2)), 2 * (gates.strain(found) + 1) - 1, atol=1e-5
    )


def test_heights_on_a_ball(rng):
    mesh = trimesh.creation.icosphere(4)
    points = rng.normal(size=(600, 3))
    points *= rng.uniform(0.7, 1.3, (600, 1)) / np.linalg.norm(points, axis=1, keepdims=True)
    found = gates.heights(points, gates.surface(mesh.vertices, mesh.faces))
    np.testing.assert_allclose(found, np.linalg.norm(points, axis=1) - 1, atol=4e-3)


def test_heights_equal_brute_force(rng):
    mesh = trimesh.creation.icosphere(3)
    mesh.vertices *= [0.2, 0.15, 0.5]
    points = mesh.vertices[rng.integers(0, len(mesh.vertices), 150)] * rng.uniform(0.8, 1.3, (150, 1))
    found = gates.heights(points, gates.surface(mesh.vertices, mesh.faces))
    nearest = np.full(150, np.inf)
    for start in range(0, len(mesh.faces), 256):  # the whole table of pairs a part at a time
        some = mesh.triangles[start : start + 256]
        places = trimesh.triangles.closest_point(np.tile(some, (150, 1, 1)), np.repeat(points, len(some), 0))
        away = np.linalg.norm(places.reshape(150, -1, 3) - points[:, None], axis=-1).min(1)
        nearest = np.minimum(nearest, away)
    wanted = np.where(mesh.contains(points), -nearest, nearest)
    # Away from the edges of the mesh's own facets signs agree, and distances to a facet's bulge.
    sure = np.abs(wanted) > 2e-3
    assert (np.sign(found) == np.sign(wanted))[sure].all()
    near = np.abs(wanted) < 0.03
    assert near.sum() > 50 and np.abs(found - wanted)[near].max() < 4e-3


def test_heights_far_within_a_body():
    motion, _ = moving()
    middle = motion.rest.joint("spine03")[None]
    assert gates.heights(middle, gates.surface(motion.rest.vertices, motion.rest.faces))[0] < -0.03
    assert gates.heights(middle + [0, -1, 0], gates.surface(motion.rest.vertices, motion.rest.faces))[0] > 0.5


def test_schedules_fit_their_length():
    for plan in (drape.ASSEMBLE, drape.REST, drape.MOVE, drape.SETTLE_A, drape.SETTLE):
        frames = int((plan.damping > 0).sum())
        assert all(len(column) == drape.FRAMES for column in plan) and 0 < frames <= drape.FRAMES
        assert (plan.damping[:frames] > 0).all() and (plan.following[:frames] >= plan.key[:frames]).all()
        assert plan.key.min() >= 0 and plan.following.max() <= drape.LAST and plan.damping.max() < 1
        # Each frame starts where the one before ended.
        np.testing.assert_allclose(plan.key[1:frames], plan.following[: frames - 1], atol=1e-6)
    assert cloth.THICKNESS < drape.TUCKED
