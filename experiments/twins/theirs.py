"""A twin as a contender: eager, or by torch.compile."""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from experiments.twins import arrays
from experiments.twins.steps import STEPS


class Theirs:
    """spec: of benchmark_step.py; folder: where ours.py left its arrays; kind: eager or compiled."""

    def __init__(self, spec, folder, kind):
        torch.set_num_threads(spec["threads"])
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.spec, self.folder, self.kind, self.device = spec, folder, kind, device
        self.batch = tensors(arrays.load(folder / "prepared.npz"), device)
        self.twin = self._twin(kind)

    def _twin(self, kind):
        params = arrays.load(self.folder / "params.npz")
        return STEPS[self.spec["stage"]](self.spec["config"], params, kind, self.device)

    def _wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def first(self):
        """The losses of the first turn's steps, which compile."""
        found = [self.twin.step(self.batch) for _ in range(self.spec["turn"])]
        return [{name: float(value) for name, value in step.items()} for step in found]

    def turn(self):
        """A turn of steps, to their end."""
        for _ in range(self.spec["turn"]):
            self.twin.step(self.batch)
        self._wait()

    def rate(self, side=2048, rounds=5):
        """Floating-point operations a second of a large matrix product, the best of a few."""
        x = torch.ones(side, side, device=self.device)
        x @ x
        best = np.inf
        for _ in range(rounds):
            self._wait()
            begun = time.perf_counter()
            x @ x
            self._wait()
            best = min(best, time.perf_counter() - begun)
        return 2 * side**3 / best

    def count(self):
        """Operations of a step's convolutions and products, forward and back, the mean of a turn."""
        twin = self._twin("eager")
        with FlopCounterMode(display=False) as counter:
            for _ in range(self.spec["turn"]):
                twin.step(self.batch)
        return counter.get_total_flops() / self.spec["turn"]

    def outputs(self):
        """Path of the named maps that the first parameters make of the prepared batch."""
        found = self._twin("eager").outputs(self.batch)
        path = self.folder / f"{self.kind}.npz"
        arrays.save(path, {name: value.cpu() for name, value in found.items()})
        return str(path)


def tensors(tree, device):
    """Nested dicts of arrays as tensors; whole numbers, which are labels, as PyTorch's indices are."""
    if isinstance(tree, dict):
        return {name: tensors(value, device) for name, value in tree.items()}
    tensor = torch.from_numpy(tree).to(device)
    return tensor if tensor.is_floating_point() else tensor.long()
