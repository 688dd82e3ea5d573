"""Muon: the moves of optax's, which takes every matrix by itself; all directions alike; nothing from nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optax.contrib import MuonDimensionNumbers, muon, scale_by_muon

from tryon_jax import muon as ours

KINDS = {2: MuonDimensionNumbers(0, 1), 3: MuonDimensionNumbers(1, 2), 4: MuonDimensionNumbers((0, 1, 2), 3)}
SHAPES = {"down": (3, 3, 8, 12), "up": (1, 1, 6, 40), "same": (12, 12), "looks": (3, 8, 12), "thin": (30, 1)}


def gradients(seed):
    """A tree of matrices and kernels, some of whose directions are a hundred times as quiet as others."""
    keys = jax.random.split(jax.random.key(seed), len(SHAPES))
    return {
        name: jax.random.normal(key, shape) * jnp.logspace(0, -2, shape[-1])
        for key, (name, shape) in zip(keys, SHAPES.items(), strict=True)
    }


def theirs():
    return scale_by_muon(weight_dimension_numbers=lambda tree: jax.tree.map(lambda leaf: KINDS[leaf.ndim], tree))


def test_moves_are_those_of_optax():
    chain = muon(-1.0, muon_weight_dimension_numbers=lambda tree: jax.tree.map(lambda leaf: KINDS[leaf.ndim], tree))
    own, state, expected_state = (
        ours.scale_by_orthogonality(),
        *(one.init(gradients(0)) for one in (ours.scale_by_orthogonality(), chain)),
    )
    for seed in range(4):
        moves, state = own.update(gradients(seed), state)
        expected, expected_state = chain.update(gradients(seed), expected_state, gradients(seed))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=5e-4), moves, expected)


@pytest.mark.parametrize("noise", [1.0, 1e-3, 1e-6, 0.0])
def test_matrices_of_nearly_low_rank_are_taken_as_one_by_one(noise):
    keys = jax.random.split(jax.random.key(1), 3)
    matrix = jax.random.normal(keys[0], (200, 2)) @ jax.random.normal(keys[1], (2, 24))
    matrix = matrix + noise * jax.random.normal(keys[2], matrix.shape)
    expected, _ = theirs().update({"a": matrix}, theirs().init({"a": matrix}))
    found = ours.orthogonal([matrix[None]])[0][0]
    # Singular values of float32's rounding are what neither finds exactly.
    np.testing.assert_allclose(found, expected["a"], atol=2e-3)


def test_singular_values_are_about_one_and_vectors_stay():
    matrix = jax.random.normal(jax.random.key(2), (2, 72, 12))
    found = np.asarray(ours.orthogonal([matrix])[0])
    values = np.linalg.svd(found, compute_uv=False)
    assert 0.6 < values.min() and values.max() < 1.25
    left, _, right = np.linalg.svd(np.asarray(matrix), full_matrices=False)
    aligned = left.swapaxes(1, 2) @ found @ right.swapaxes(1, 2)
    np.testing.assert_allclose(aligned, np.eye(12) * np.diagonal(aligned, axis1=1, axis2=2)[:, None], atol=1e-4)


def test_no_gradient_is_no_move():
    assert not np.asarray(ours.orthogonal([jnp.zeros((1, 5, 3))])[0]).any()
