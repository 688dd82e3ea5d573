"""A mesh made ready for the solver: coloured edges, cotangents, tethers, borders, against brute-force twins."""

import numpy as np
import pytest
from sheets import prepared
from tailored import draft

from tryon_jax import native
from tryon_jax.garments import names, sewn
from tryon_jax.simulation import cloth, stitch
from tryon_jax.simulation.fabric import FABRICS

COTTON = FABRICS["cotton"]


@pytest.mark.parametrize("name", names())
def test_colouring_is_proper_and_complete(name):
    pattern = draft(name)
    mesh = sewn.refine(sewn.sew(pattern, 0.044), pattern)
    made, pairs, lengths = prepared(pattern, mesh, COTTON)
    assert stitch.room(mesh.count) == len(made.area) and int(made.colours) <= cloth.COLOURS
    partner, rest, hold = (np.asarray(values) for values in (made.partner, made.rest, made.hold))
    own = np.arange(partner.shape[1])
    found = {}
    for colour in range(cloth.COLOURS):
        # A colour is a matching: everyone's partner's partner is oneself.
        np.testing.assert_array_equal(partner[colour][partner[colour]], own)
        joined = own[partner[colour] > own]
        assert (colour < int(made.colours)) == bool(len(joined))
        for vertex in joined.tolist():
            pair = (vertex, int(partner[colour, vertex]))
            assert pair not in found
            found[pair] = rest[colour, vertex]
            assert rest[colour, vertex] == rest[colour, pair[1]] and hold[colour, vertex] == hold[colour, pair[1]]
    assert set(found) == set(map(tuple, pairs.tolist()))
    np.testing.assert_allclose([found[tuple(pair)] for pair in pairs.tolist()], lengths, rtol=1e-6)
    assert ((hold == 0) == (partner == own)).all() and hold.max() < 1


def test_too_many_colours_and_vertices_are_refused():
    star = np.array([(0, other) for other in range(1, cloth.COLOURS + 2)])
    assert len(set(stitch.coloured(star[:-1], 20))) == cloth.COLOURS
    with pytest.raises(ValueError, match="colours"):
        stitch.coloured(star, 20)
    with pytest.raises(ValueError, match="larger spacing"):
        stitch.room(10**6)


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")
def test_the_kernel_colours_alike(rng):
    mesh = sewn.sew(draft("tshirt"), 0.044)
    edges = rng.permutation(sewn.edges(mesh)[0])
    one, other = (stitch.coloured(edges, mesh.count, path) for path in ("python", "native"))
    np.testing.assert_array_equal(one, other)
    assert len(stitch.coloured(edges[:0], mesh.count, "native")) == 0
    star = np.array([(0, other) for other in range(1, 71)])
    for path in ("python", "native"):
        with pytest.raises(ValueError, match="colours"):
            stitch.coloured(star, 71, path)


def brute_cotangents(mesh, pairs):
    """The textbook's sum over triangles, from angles."""
    weights, area = dict.fromkeys(map(tuple, pairs.tolist()), 0.0), np.zeros(mesh.count)
    for face in mesh.faces:
        points = mesh.paper[face]
        for k in range(3):
            tip, one, two = points[k], points[(k + 1) % 3], points[(k + 2) % 3]
            cosine = np.dot(one - tip, two - tip) / np.linalg.norm(one - tip) / np.linalg.norm(two - tip)
            key = tuple(sorted((int(mesh.weld[face[(k + 1) % 3]]), int(mesh.weld[face[(k + 2) % 3]]))))
            weights[key] += 0.5 / np.tan(np.arccos(cosine))
            heron = np.cross(np.append(one - tip, 0), np.append(two - tip, 0))[2] / 2
            area[mesh.weld[face[k]]] += heron / 3
    return np.array([weights[tuple(pair)] for pair in pairs.tolist()]), area


@pytest.mark.parametrize("name", ["skirt", "tshirt"])
def test_cotangents_equal_brute_force(name):
    mesh = sewn.sew(draft(name), 0.044)
    pairs, _, sides = sewn.sides(mesh)
    weights, area = stitch.cotangents(mesh, sides, len(pairs))
    wanted, wanted_area = brute_cotangents(mesh, pairs)
    np.testing.assert_allclose(weights, np.maximum(wanted, 0.05), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(area, wanted_area, rtol=1e-9)
    assert (wanted > 0.05).mean() > 0.9  # most are the textbook's own


def test_border_does_not_bend_and_hung_edges_anchor():
    pattern = draft("skirt")
    mesh = sewn.sew(pattern, 0.044)
    made, pairs, lengths = prepared(pattern, mesh, COTTON)
    corners = mesh.weld[mesh.faces]
    directed = np.sort(np.stack([corners, np.roll(corners, -1, 1)], -1).reshape(-1, 2), 1)
    unique, uses = np.unique(directed, axis=0, return_counts=True)
    rim = np.unique(unique[uses == 1])
    np.testing.assert_array_equal(np.flatnonzero(np.asarray(made.inner)[: mesh.count] == 0), rim)
    band = np.unique(np.concatenate([sewn.edge_vertices(mesh, pattern, side, "waist") for side in ("front", "back")]))
    np.testing.assert_array_equal(np.flatnonzero(np.asarray(made.pinned) == 1), band)
    assert (np.asarray(made.tether)[band] == 0).all()
    # No tether is longer than a neighbour's and the edge between them.
    tether, (first, second) = np.asarray(made.tether), pairs.T
    assert (np.abs(tether[first] - tether[second]) <= lengths * stitch.SLACK + 1e-5).all()
    assert np.isinf(tether[mesh.count :]).all() and (np.asarray(made.hold)[:, mesh.count :] == 0).all()


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("refined", [False, True])
def test_the_edges_of_late_colours_are_among_few_lanes(name, refined):
    pattern = draft(name)
    mesh = sewn.sew(pattern, 0.044)
    mesh = sewn.refine(mesh, pattern) if refined else mesh
    made, _, _ = prepared(pattern, mesh, COTTON)
    partner, lanes = np.asarray(made.partner), np.asarray(made.lanes)
    assert sorted(lanes.tolist()) == list(range(len(made.area)))
    late = np.flatnonzero((partner[cloth.FULL :] != np.arange(len(lanes))).any(0))
    assert set(late) <= set(np.asarray(made.late).tolist()) == set(lanes[: len(made.late)].tolist())
    # What is passed over once more for each late colour is at most half of the cloth.
    assert len(made.late) <= len(lanes) // 2
