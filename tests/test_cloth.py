"""The solver on pieces small enough to know the answer: hanging, lying, falling, bending."""

import numpy as np
import pytest
from sheets import AWAY, ball, floor, level, prepared, run, schedule, stretch, strip, vertical

from tryon_jax.simulation import cloth, stitch
from tryon_jax.simulation.fabric import FABRICS

COTTON = FABRICS["cotton"]


@pytest.fixture(scope="module")
def square():
    """A square of cotton, 0.4 m wide: its mesh, Cloth, edges and lengths."""
    pattern, mesh = strip(0.4, 0.4, 0.03)
    return mesh, *prepared(pattern, mesh, COTTON)


@pytest.mark.parametrize("fabric", ["cotton", "denim", "silk", "knit"])
def test_strip_hangs_as_long_as_it_is(fabric):
    pattern, mesh = strip(0.12, 0.6, 0.03, held=("top",))
    made, pairs, lengths = prepared(pattern, mesh, FABRICS[fabric])
    start = vertical(mesh) * [1, 1, 0.8] + [0, 0, 0.0]
    start[:, 1] += 0.01 * np.sin(9 * start[:, 2])  # crumpled, and out of its plane
    found, speed = run(start, made, AWAY, schedule(64), FABRICS[fabric], times=6)
    strain = stretch(found, pairs, lengths)
    # A knit's own weight stretches it by 0.22 * 9.81 * 0.6 / 130, a hundredth, at the top.
    assert found[:, 2].min() == pytest.approx(-0.6, rel=0.04)
    assert np.percentile(np.abs(strain), 95) < 0.05 and speed.max() < 0.1
    np.testing.assert_allclose(found[np.isclose(vertical(mesh)[:, 2], 0)], start[np.isclose(start[:, 2], 0)], atol=1e-6)


def by_the_book(start, made, pairs, lengths, fabric, steps, damping):
    """Extended position-based dynamics of springs alone, an edge at a time, in f64 (Macklin et al. 2016, eq. 18)."""
    x, v, area = start.astype(float), np.zeros(start.shape), np.asarray(made.area, float)
    partner = np.asarray(made.partner)
    colour = [int(np.flatnonzero(partner[:, first] == second)[0]) for first, second in pairs]
    for _ in range(steps):
        p = x + cloth.STEP * v
        for number in np.argsort(colour, kind="stable"):
            first, second = pairs[number]
            inverse = 1 / (fabric.density * (area[first] + area[second]) / 2)
            between = p[first] - p[second]
            far = np.linalg.norm(between)
            force = (far - lengths[number]) / (2 * inverse + 1 / (fabric.stiffness * cloth.STEP**2))
            p[first] -= inverse * force * between / far
            p[second] += inverse * force * between / far
        v, x = (p - x) * damping / cloth.STEP, p
    return x


@pytest.mark.parametrize("fabric", ["denim", "knit"])
def test_stretching_is_the_books(fabric):
    pattern, mesh = strip(0.2, 0.2, 0.03)
    made, pairs, lengths = prepared(pattern, mesh, FABRICS[fabric])
    start = level(mesh, 0.0) * [1.03, 0.98, 1.0]
    found, _ = run(start, made, AWAY, schedule(2, gravity=0.0, damping=0.9), FABRICS[fabric], bending=0.0)
    wanted = by_the_book(start, made, pairs, lengths, FABRICS[fabric], 2 * cloth.SUBSTEPS, 0.9)
    assert np.abs(wanted - start).max() > 0.001
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_arms_press_the_trunks_cloth_and_never_lift_it(square):
    mesh, made, *_ = square
    bodies, start = floor(), level(mesh, 0.015) + [0, 0.2, 0]
    arms, high, radius = bodies.arms.copy(), 0.035, 0.025
    arms[:, 0] = [[-0.3, 0, high], [0.3, 0, high]]
    bodies = bodies._replace(arms=arms, arms_radius=np.full(6, radius, np.float32))
    plan = schedule(20, gravity=0.0)
    found, _ = run(start, made, bodies, plan, COTTON)
    axis = np.hypot(found[:, 1], found[:, 2] - high)
    assert axis.min() > radius + cloth.THICKNESS - 1e-3 and found[:, 2].min() > cloth.THICKNESS - 1e-4
    beneath = np.abs(start[:, 1]) < 0.02
    assert beneath.any() and found[beneath, 2].max() < 0.015
    # A sleeve is on the arm, and not pressed by it.
    sleeve = made._replace(limbs=np.stack([np.ones(len(made.area)), np.zeros(len(made.area))]).astype(np.float32))
    np.testing.assert_allclose(run(start, sleeve, bodies, plan, COTTON)[0], start, atol=1e-3)


def test_nothing_outside_moves_the_mean(square):
    mesh, made, pairs, lengths = square
    rng = np.random.default_rng(1)
    # Little enough to stay below the speed limit, which is not symmetric.
    start = level(mesh, 0.0) * 1.03 + 3e-4 * rng.normal(size=(mesh.count, 3))
    found, _ = run(start, made, AWAY, schedule(20, gravity=0.0, damping=1.0), COTTON, bending=0.0)
    assert np.abs(found - start).max() > 0.002  # it does contract
    # f32 over 160 substeps of a sum of 200 terms.
    np.testing.assert_allclose(found.mean(0), start.mean(0), atol=2e-5)


def test_free_fall_is_newtons(square):
    mesh, made, *_ = square
    found, speed = run(level(mesh, 0.5), made, AWAY, schedule(12, damping=1.0), COTTON)
    steps = 12 * cloth.SUBSTEPS
    fall = cloth.GRAVITY * cloth.STEP**2 * steps * (steps + 1) / 2
    np.testing.assert_allclose(found - level(mesh, 0.5), np.tile([0, 0, -fall], (mesh.count, 1)), atol=1e-4)
    np.testing.assert_allclose(speed, cloth.GRAVITY * steps * cloth.STEP, rtol=1e-3)


def relabelled(made, order):
    """The Cloth whose vertex i is vertex order[i] of another."""
    new = np.argsort(order)
    columns = {}
    for name, values in made._asdict().items():
        values = np.asarray(values)
        if name in ("lanes", "late"):
            columns[name] = new[values].astype(np.int32)
        else:
            columns[name] = values[..., order] if values.ndim else values
    return made._replace(**columns)._replace(
        partner=new[np.asarray(made.partner)[:, order]].astype(np.int32),
        anchor=new[np.asarray(made.anchor)[order]].astype(np.int32),
    )


def test_labels_of_vertices_do_not_matter(square):
    mesh, made, *_ = square
    rng = np.random.default_rng(2)
    order = np.arange(len(made.area))
    order[: mesh.count] = rng.permutation(mesh.count)
    start, bodies = level(mesh, 0.21) + [0.02, 0.2, 0.0], ball(0.15)
    one, _ = run(start, made, bodies, schedule(40), COTTON, friction=0.2)
    other, _ = run(start[order[: mesh.count]], relabelled(made, order), bodies, schedule(40), COTTON, friction=0.2)
    np.testing.assert_allclose(other, one[order[: mesh.count]], atol=1e-4)


def test_same_inputs_same_bits_and_nan_comes_out(square):
    mesh, made, *_ = square
    start = level(mesh, 0.2)
    first, second = (run(start, made, ball(0.15), schedule(20), COTTON)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(first).all()
    start[3, 1] = np.nan
    assert np.isnan(run(start, made, ball(0.15), schedule(20), COTTON)[0]).any()


@pytest.mark.parametrize("fabric", ["cotton", "denim", "silk", "knit"])
def test_square_on_a_ball_does_not_penetrate(fabric):
    pattern, mesh = strip(0.4, 0.4, 0.03)
    made, pairs, lengths = prepared(pattern, mesh, FABRICS[fabric])
    start = level(mesh, 0.17) + [0, 0.2, 0]
    found, _ = run(start, made, ball(0.15), schedule(60), FABRICS[fabric], times=3, friction=0.3)
    away = np.linalg.norm(found, axis=1)
    # Half the thickness: planes over the points cut into the ball between them.
    assert away.min() > 0.15 + cloth.THICKNESS / 2
    assert (away < 0.16).mean() > 0.15 and found[:, 2].min() < 0.13  # it lies on it, and hangs over
    assert np.percentile(stretch(found, pairs, lengths), 95) < 0.15


def test_cloth_lies_on_the_floor_and_is_carried_by_it(square):
    mesh, made, *_ = square
    start = level(mesh, 0.02) + [0, 0.2, 0]
    lying, speed = run(start, made, floor(), schedule(60), COTTON, times=2, friction=0.5)
    np.testing.assert_allclose(lying[:, 2], cloth.THICKNESS, atol=3e-4)
    assert speed.max() < 0.02
    moved, _ = run(lying, made, floor(end=(0.03, 0.0, 0.04)), schedule(60, last=1.0), COTTON, friction=1.0)
    np.testing.assert_allclose(moved[:, 2], 0.04 + cloth.THICKNESS, atol=1e-3)
    np.testing.assert_allclose(moved.mean(0)[:2] - lying.mean(0)[:2], [0.03, 0], atol=2e-3)


def test_ceiling_keeps_what_is_tucked_in_close(square):
    mesh, made, *_ = square
    low = made._replace(ceiling=np.full(len(made.area), 0.004, np.float32))
    start = level(mesh, 0.03) + [0, 0.2, 0]
    found, _ = run(start, low, floor(), schedule(20, gravity=0.0), COTTON)
    assert cloth.THICKNESS - 1e-4 < found[:, 2].min() and found[:, 2].max() < 0.0041


def test_tether_is_never_exceeded():
    pattern, mesh = strip(0.12, 0.6, 0.03, hung=("top",), held=("top",))
    # So weak that nothing but the tether holds it.
    weak = COTTON._replace(stiffness=1e-3)
    made, pairs, lengths = prepared(pattern, mesh, weak)
    anchor, tether = (np.asarray(values)[: mesh.count] for values in (made.anchor, made.tether))
    assert np.isfinite(tether).all() and (vertical(mesh)[anchor][:, 2] > -1e-9).all()
    # The way along edges is no shorter than the straight one, nor much longer.
    straight = np.linalg.norm(vertical(mesh) - vertical(mesh)[anchor], axis=1)
    assert (tether >= straight - 1e-6).all() and (tether <= 1.2 * straight + 1e-6).all()
    x = vertical(mesh)
    for _ in range(6):
        x, _ = run(x, made, AWAY, schedule(10), weak, pins=_padded(vertical(mesh), made))
        away = np.linalg.norm(x - x[anchor], axis=1)
        # A pinned anchor falls by g STEP^2 = 11 um before it is put back.
        assert (away <= tether + 2e-5).all()
    assert x[:, 2].min() < -0.6  # it did fall into them
    loose, _ = run(vertical(mesh), made._replace(tether=np.full_like(made.tether, np.inf)), AWAY, schedule(60), weak)
    assert loose[:, 2].min() < -0.7


def _padded(points, made):
    padded = np.zeros((3, len(made.area)), np.float32)
    padded[:, : len(points)] = points.T
    return padded


def test_bending_leaves_a_flat_sheet_flat(square):
    mesh, made, *_ = square
    start = level(mesh, 0.3)
    found, _ = run(start, made, AWAY, schedule(60, gravity=0.0, bending=20.0), FABRICS["denim"])
    np.testing.assert_allclose(found[:, 2], 0.3, atol=1e-6)
    # Weights of obtuse pairs are raised, so that the plane's own Laplacian does not quite vanish.
    np.testing.assert_allclose(found, start, atol=3e-3)


def test_bending_flattens_a_wave(square):
    mesh, made, *_ = square
    start = level(mesh, 0.3)
    start[:, 2] += 0.004 * np.sin(start[:, 1] * 2 * np.pi / 0.2)
    left = []
    for stiff in (0.0, 1e-4, 1e-3):
        found, _ = run(start, made, AWAY, schedule(60, gravity=0.0), COTTON, bending=stiff)
        left.append(found[:, 2].std())
    assert left[0] > left[1] > left[2]


def cantilever(fabric):
    """How far the free end of a strip droops that is clamped along 6 cm and reaches 12 cm out, in metres."""
    pattern, mesh = strip(0.08, 0.18, 0.02)
    made, *_ = prepared(pattern, mesh, fabric)
    start = level(mesh, 0.0)
    made = made._replace(pinned=np.where(_padded(start, made)[1] > -0.06, 1, 0).astype(np.float32))
    found, _ = run(start, made, AWAY, schedule(64), fabric, times=8)
    return -found[np.argmin(start[:, 1]), 2]


def test_stiffer_cloth_droops_less():
    drop = {name: cantilever(FABRICS[name]) for name in ("denim", "wool", "cotton", "silk")}
    # Bending over weight: denim 158, wool 89, cotton 50, silk 21 (mm^2 m/s^2 and so on; only the order counts).
    assert 0 < drop["denim"] < drop["wool"] < drop["cotton"] < drop["silk"] < 0.13, drop


def test_padding_changes_nothing(square, monkeypatch):
    mesh, made, *_ = square
    pattern, _ = strip(0.4, 0.4, 0.03)
    monkeypatch.setattr(stitch, "ROOMS", (1024,))
    larger, *_ = prepared(pattern, mesh, COTTON)
    assert len(larger.area) == 1024 > len(made.area)
    start = level(mesh, 0.17) + [0.01, 0.2, 0]
    one, other = (run(start, each, ball(0.15), schedule(40), COTTON, friction=0.2)[0] for each in (made, larger))
    np.testing.assert_allclose(one, other, atol=1e-5)
