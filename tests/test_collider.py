"""What cloth collides with: thinned points of the skin, their neighbours, limb coordinates, nearest points."""

import jax
import numpy as np
import pytest
from tailored import rest

from tryon_jax.simulation import collider, drape
from tryon_jax.simulation.drawing import vertex_normals


@pytest.fixture(scope="module", params=[0, 1, 2])
def body(request):
    return rest(request.param), collider.sites(rest(request.param))


def on(body):
    worn, found = body
    return collider.on_body(found, worn.vertices, worn.faces, vertex_normals(worn.vertices, worn.faces))


def test_sites_lie_on_the_skin_but_not_on_head_and_hands(body):
    worn, found = body
    points, normals = on(body)
    assert 2000 < len(points) < drape.SITES_ROOM
    np.testing.assert_allclose(found.barycentrics.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    bare = worn.limbs["head"] + worn.limbs["left_hand"] + worn.limbs["right_hand"]
    assert (bare[worn.faces[found.face]] < 0.5).all()
    # Nowhere on covered skin is further from a site than one and a half cells.
    skin = worn.vertices[np.unique(worn.faces[(bare[worn.faces] < 0.5).all(1)])]
    away = np.sqrt(((skin[::7, None] - points[None]) ** 2).sum(-1)).min(1)
    assert away.max() < 1.5 * collider.SPACING


def test_sites_are_thinned_to_one_a_cell(body):
    points, _ = on(body)
    cells = np.floor(points / collider.SPACING).astype(int)
    # Rounding may move a site on a cell's wall across it.
    assert len(np.unique(cells, axis=0)) > 0.999 * len(cells)


def test_limbs_of_sites(body):
    _, found = body
    points, _ = on(body)
    assert np.abs(found.limbs).max() <= 1 + 1e-6
    for axis in range(2):
        sure = np.abs(found.limbs[:, axis]) > 0.9
        assert sure.sum() > 100 and (np.sign(points[sure, 0]) == np.sign(found.limbs[sure, axis])).all()


def test_on_body_follows_the_mesh():
    worn, found = rest(0), collider.sites(rest(0))
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    moved = worn.vertices @ turn.T + [0.1, 0.2, 0.3]
    points, normals = on((worn, found))
    after = collider.on_body(found, moved, worn.faces, vertex_normals(moved, worn.faces))
    np.testing.assert_allclose(after[0], points @ turn.T + [0.1, 0.2, 0.3], atol=1e-6)
    np.testing.assert_allclose(after[1], normals @ turn.T, atol=1e-4)


def scattered(rng, count):
    """Points [N, 3] in a cube of 0.4 m, with limb coordinates [N, 2]."""
    return rng.uniform(-0.2, 0.2, (count, 3)), rng.choice([-1.0, -0.3, 0.0, 0.6, 1.0], (count, 2))


def test_rings_equal_brute_force(rng):
    points, limbs = scattered(rng, 300)
    ring = collider.rings(points, limbs)
    assert ring.shape == (300, collider.RING + 1) and ring.dtype == np.int32
    away = ((points[:, None] - points) ** 2).sum(-1)
    away = away + collider.LIMB_METRES**2 * ((limbs[:, None] - limbs) ** 2).sum(-1)
    np.testing.assert_array_equal(ring, np.argsort(away, axis=1, kind="stable")[:, : collider.RING + 1])
    np.testing.assert_array_equal(ring[:, 0], np.arange(300))


def test_nearest_equals_brute_force(rng):
    points, limbs = scattered(rng, 200)
    sites, site_limbs = scattered(rng, 500)
    counts = rng.integers(0, 2, (200, 2)).astype(float)
    found = collider.nearest(points, limbs, counts, sites, site_limbs)
    away = ((points[:, None] - sites) ** 2).sum(-1)
    away = away + (counts[:, None] * (collider.LIMB_METRES * (limbs[:, None] - site_limbs)) ** 2).sum(-1)
    np.testing.assert_array_equal(found, away.argmin(1))


def test_coordinates_are_those_of_sites_that_a_panel_may_touch(rng):
    sites, site_limbs = scattered(rng, 800)
    points, _ = scattered(rng, 200)
    none = np.zeros(200)
    sleeve = {"left_arm": none + 1, "right_arm": none, "left_leg": none, "right_leg": none}
    found, counts = collider.coordinates(points, sleeve, sites, site_limbs)
    assert (found[:, 0] >= 0.1).all() and (counts == [1, 0]).all()
    allowed = np.flatnonzero(site_limbs[:, 0] >= 0.1)
    near = allowed[((points[:, None] - sites[allowed]) ** 2).sum(-1).argmin(1)]
    np.testing.assert_array_equal(found[:, 0], site_limbs[near, 0])
    legs = {"left_arm": none, "right_arm": none, "left_leg": none, "right_leg": none + 1}
    found, counts = collider.coordinates(points, legs, sites, site_limbs)
    assert (found[:, 1] <= 0).all() and (counts == 1).all()
    # Half on both sides: on the seam between them, which may touch either.
    seam = {"left_arm": none, "right_arm": none, "left_leg": none + 0.5, "right_leg": none + 0.5}
    found, _ = collider.coordinates(points, seam, sites, site_limbs)
    near = ((points[:, None] - sites) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(found[:, 1], site_limbs[near, 1])


def test_trees_that_are_kept_change_nothing_and_are_a_pytree(rng):
    sites, site_limbs = scattered(rng, 800)
    none, trees = np.zeros(200), {}
    sides = {"left_arm": none + 1, "right_arm": none, "left_leg": none, "right_leg": none + 1}
    for _ in range(2):  # the second time all trees are there
        points, limbs = scattered(rng, 200)
        counts = rng.integers(0, 2, (200, 2)).astype(float)
        kept = collider.coordinates(points, sides, sites, site_limbs, trees)
        np.testing.assert_array_equal(kept, collider.coordinates(points, sides, sites, site_limbs))
        near = collider.nearest(points, limbs, counts, sites, site_limbs, trees)
        np.testing.assert_array_equal(near, collider.nearest(points, limbs, counts, sites, site_limbs))
    assert len(jax.tree.leaves(trees)) == len(trees) >= 5  # keys that cannot be sorted raise


def test_thinning_keeps_the_first_point_of_each_cell(rng):
    points = rng.uniform(-0.1, 0.1, (400, 3))
    first = {}
    for row, cell in enumerate(map(tuple, np.floor(points / collider.SPACING).astype(int))):
        first.setdefault(cell, row)
    assert collider.thinned(points).tolist() == sorted(first.values())
