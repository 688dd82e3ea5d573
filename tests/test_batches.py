"""Batches of one size give what one batch gives, whatever the number of pictures."""

import numpy as np
import pytest

from tryon_jax.scores.batches import described


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8])
def test_rows_are_those_of_all_at_once_and_the_network_sees_one_size(count):
    inputs = np.random.default_rng(0).uniform(size=(count, 3, 2)).astype(np.float32)
    sizes = []

    def network(batch):
        sizes.append(len(batch))
        return batch.reshape(len(batch), -1) + 1

    np.testing.assert_array_equal(described(network, inputs, 4, 6), inputs.reshape(count, 6) + 1)
    assert sizes == [4] * -(-count // 4)
