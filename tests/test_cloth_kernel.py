"""The solver's two paths, XLA's and the C++ kernel's: the same cloth, frame after frame, whatever it meets."""

import jax
import numpy as np
import pytest
from sheets import AWAY, ball, floor, level, prepared, run, schedule, strip, vertical

from tryon_jax import native
from tryon_jax.simulation import cloth
from tryon_jax.simulation.fabric import FABRICS

needs_compiler = pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")


def padded(values, made):
    rows = np.zeros((*values.shape[:-1], len(made.area)), np.float32)
    rows[..., : values.shape[-1]] = values
    return rows


def onto_a_ball():
    pattern, mesh = strip(0.4, 0.4, 0.03)
    made, *_ = prepared(pattern, mesh, FABRICS["silk"])
    return level(mesh, 0.17) + [0, 0.2, 0], made, ball(0.15), schedule(30), {"friction": 0.3}


def carried_by_a_floor():
    pattern, mesh = strip(0.4, 0.4, 0.03)
    made, *_ = prepared(pattern, mesh, FABRICS["denim"])
    made = made._replace(ceiling=np.full(len(made.area), 0.006, np.float32))
    plan = schedule(20, last=1.0, bending=20.0)
    return level(mesh, 0.01) + [0, 0.2, 0], made, floor(end=(0.03, 0.0, 0.04)), plan, {"friction": 0.8}


def under_an_arm():
    pattern, mesh = strip(0.4, 0.4, 0.03)
    made, *_ = prepared(pattern, mesh, FABRICS["cotton"])
    bodies = floor()
    arms = bodies.arms.copy()
    arms[:, 0] = [[-0.3, 0, 0.035], [0.3, 0, 0.035]]
    bodies = bodies._replace(arms=arms, arms_radius=np.full(6, 0.025, np.float32))
    sleeve = np.linspace(0, 1, mesh.count)  # the last are on the arm
    made = made._replace(limbs=padded(np.stack([sleeve, 0 * sleeve]), made), counts=np.ones_like(made.counts))
    return level(mesh, 0.015) + [0, 0.2, 0], made, bodies, schedule(20, gravity=0.0), {}


def held_and_tethered():
    pattern, mesh = strip(0.12, 0.6, 0.03, hung=("top",), held=("top",))
    made, *_ = prepared(pattern, mesh, FABRICS["knit"]._replace(stiffness=1e-3))
    made = made._replace(pinned=0.5 * np.asarray(made.pinned))
    start = vertical(mesh)
    return start, made, AWAY, schedule(30), {"pins": padded(start.T + [[0.02], [0], [0]], made)}


SCENES = (onto_a_ball, carried_by_a_floor, under_an_arm, held_and_tethered)


@needs_compiler
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_kernel_gives_what_xla_gives(scene):
    start, made, bodies, plan, more = scene()
    fabric = FABRICS["cotton"]
    (one, speed), (other, other_speed) = (
        run(start, made, bodies, plan, fabric, path=path, **more) for path in ("jax", "native")
    )
    assert np.linalg.norm(one - start, axis=1).max() > 0.002
    # Both round, and folds grow what rounding leaves; a wrong term moves all of the cloth by millimetres.
    np.testing.assert_allclose(other, one, atol=5e-5)
    np.testing.assert_allclose(other_speed, speed, atol=5e-3)


@needs_compiler
def test_the_same_nearest_points_are_found():
    start, made, bodies, plan, _ = onto_a_ball()
    x = padded(start.T, made)
    near = np.zeros(len(made.area), np.int32)  # far from it: the way there is by rings and neighbours
    pins = np.stack([x, x])
    given = (made, bodies, pins, np.float32(1e-3), np.float32(0.1), plan)
    found = [cloth.simulate(x, near, *given, path=path)[1][: len(start)] for path in ("jax", "native")]
    assert len(np.unique(found[0])) > 20
    assert (np.asarray(found[0]) == np.asarray(found[1])).mean() > 0.99


@needs_compiler
def test_a_batch_is_its_items():
    start, made, bodies, plan, _ = onto_a_ball()
    x = padded(start.T, made)
    both = np.stack([x, x + np.float32(0.01)])
    near = np.zeros(len(made.area), np.int32)

    def one(x):
        return cloth.simulate(x, near, made, bodies, np.stack([both[0]] * 2), 1e-3, 0.1, plan, path="native")[0]

    found = jax.jit(jax.vmap(one))(both)
    for item, expected in zip(found, map(one, both), strict=True):
        # What is made of a cloth before its frames is compiled anew for the batch, and rounds otherwise.
        np.testing.assert_allclose(item, expected, atol=5e-6)


@needs_compiler
def test_nan_comes_out_of_both():
    start, made, bodies, plan, _ = onto_a_ball()
    start[3, 1] = np.nan
    for path in ("jax", "native"):
        assert np.isnan(run(start, made, bodies, plan, FABRICS["cotton"], path=path)[0]).any()


def test_what_is_not_there_is_refused(monkeypatch):
    start, made, bodies, plan, _ = onto_a_ball()
    with pytest.raises(ValueError, match="'gpu'.*auto, jax, native"):
        run(start, made, bodies, plan, FABRICS["cotton"], path="gpu")
    monkeypatch.setattr(native, "available", lambda: False)
    jax.clear_caches()
    with pytest.raises(RuntimeError, match="compiler"):
        run(start, made, bodies, plan, FABRICS["cotton"], path="native")
    assert np.isfinite(run(start, made, bodies, plan, FABRICS["cotton"])[0]).all()
