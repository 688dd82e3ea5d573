"""Pictures through a network a few at a time, all batches of one size, so that it is compiled once."""

import numpy as np


def described(network, inputs, size, width):
    """Features float32 [N, width], NumPy, of inputs [N, ...] by `network`, a function [size, ...] -> [size, width].

    The last batch is filled up with zeros, whose rows are left out; of no inputs the network is not asked.
    """
    found = []
    for start in range(0, len(inputs), size):
        part = inputs[start : start + size]
        padded = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), part.dtype)])
        found.append(np.asarray(network(padded))[: len(part)])
    return np.concatenate(found) if found else np.zeros((0, width), np.float32)
