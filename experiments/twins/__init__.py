"""The networks and training steps of the three stages in PyTorch, for benchmark_step.py to time ours against.

Written as PyTorch is written: its own convolutions, norms, interpolation, grid sampling and optimizers' forms, pictures
[N, C, H, W] in the memory format channels_last, for torch.compile. Layers bear the names of ours, so that our
parameters can be put into them (parameters.py). Only prepared.py knows JAX, and it does not know PyTorch: a process
that runs a twin holds one framework.
"""
