"""Muon (arXiv:2502.16982): the average gradient of a matrix made orthogonal, for all matrices of one size together.

optax.contrib.muon takes each kernel through its Newton-Schulz steps by itself: a hundred kernels are two thousand small
programs to compile and to start each step, and most arithmetic goes along the longer side. A step multiplies X [d, n]
from its shorter side by P = a + b G + c G G, a polynomial of the Gram matrix G = X X^T, with which it commutes. So the
next Gram matrix is P G P, and all steps are products of matrices [d, d], stacked by d; X is read twice.
"""

import collections
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

# Coefficients a, b, c of a step, its authors' own, and how many steps.
QUINTIC, STEPS = (3.4445, -4.7750, 2.0315), 5
BETA = 0.95  # decay of the average gradient
# Added to the norm of a gradient that may be zero: optax's own, far below any other.
EPSILON = 1e-8


class Average(NamedTuple):
    """count: int32 scalar, steps done; mean: the average gradients, a tree like the parameters."""

    count: jax.Array
    mean: dict


def scale_by_orthogonality():
    """Gradients of matrices [..., M, N] and kernels [k, k, C, D] -> orthogonal moves, as an optax link.

    A kernel is a matrix [k k C, D]. A move's singular values are about the root of N over M where that is above 1, and
    1 elsewhere. Momentum looks ahead by one step (Nesterov), its start made up for as Adam's is.
    """

    def init(params):
        return Average(jnp.zeros((), jnp.int32), jax.tree.map(jnp.zeros_like, params))

    def update(gradients, state, params=None):
        count = state.count + 1
        mean = jax.tree.map(lambda old, new: BETA * old + (1 - BETA) * new, state.mean, gradients)
        # What the average will be after one more step like this one.
        late, now = 1 - BETA ** (count + 1), 1 - BETA**count
        ahead = jax.tree.map(lambda old, new: BETA * old / late + (1 - BETA) * new / now, mean, gradients)
        leaves, structure = jax.tree.flatten(ahead)
        moves = orthogonal([_as_matrices(leaf) for leaf in leaves])
        moves = [_scaled(move).reshape(leaf.shape) for move, leaf in zip(moves, leaves, strict=True)]
        return jax.tree.unflatten(structure, moves), Average(count, mean)

    return optax.GradientTransformation(init, update)


def _as_matrices(leaf):
    """A parameter of two axes or more as matrices [B, M, N]."""
    if leaf.ndim == 4:
        return leaf.reshape(1, -1, leaf.shape[-1])
    return leaf.reshape(-1, *leaf.shape[-2:])


def _scaled(move):
    return move * max(1.0, move.shape[2] / move.shape[1]) ** 0.5


def orthogonal(matrices):
    """Matrices, each [B, M, N], with their singular vectors and, of singular values, about 1 (0.7 to 1.2)."""
    unit = [one / (jnp.linalg.norm(one, axis=(1, 2), keepdims=True) + EPSILON) for one in matrices]
    grams = [one.swapaxes(1, 2) @ one if _tall(one) else one @ one.swapaxes(1, 2) for one in unit]
    stacks = collections.defaultdict(list)
    for index, gram in enumerate(grams):
        stacks[gram.shape[1]].append(index)
    moves = [None] * len(unit)
    for members in stacks.values():
        factors = _polynomial(jnp.concatenate([grams[index] for index in members]))
        ends = itertools.accumulate(len(grams[index]) for index in members)
        for index, factor in zip(members, jnp.split(factors, list(ends)[:-1]), strict=True):
            moves[index] = unit[index] @ factor if _tall(unit[index]) else factor @ unit[index]
    return moves


def _tall(matrices):
    return matrices.shape[1] > matrices.shape[2]


def _polynomial(gram):
    """The product [B, d, d] of all steps' P, of Gram matrices [B, d, d] of the first X."""
    a, b, c = QUINTIC
    one = jnp.eye(gram.shape[1], dtype=gram.dtype)

    def factor(gram):
        return a * one + b * gram + c * (gram @ gram)

    def step(carry, _):
        gram, product = carry
        now = factor(gram)
        return (now @ gram @ now, now @ product), None

    first = jnp.broadcast_to(one, gram.shape)
    (gram, product), _ = jax.lax.scan(step, (gram, first), length=STEPS - 1)
    return factor(gram) @ product
