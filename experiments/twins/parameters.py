"""Our parameters in a twin: a tree of arrays by our names, put into the module whose layers bear the same names."""

import torch

# What is called otherwise in PyTorch: `half` is a method of its modules, and `class` no name in the code that it makes.
NAMES = {"kernel": "weight", "scale": "weight", "embedding": "weight", "half": "half_", "class": "class_"}


def converted(name, value):
    """(name, tensor) in PyTorch of our leaf: kernels [k, k, in, out] become [out, in, k, k], [in, out] [out, in]."""
    tensor = torch.tensor(value)
    if name == "kernel":
        tensor = tensor.permute(3, 2, 0, 1) if tensor.dim() == 4 else tensor.T
    return NAMES.get(name, name), tensor.contiguous()


def load(module, tree):
    """`module` with `tree`, nested dicts of arrays, in it. Raises RuntimeError where names or shapes differ."""
    module.load_state_dict(dict(_flat(tree)), strict=True)
    return module


def _flat(tree, before=""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{NAMES.get(name, name)}.")
        else:
            name, tensor = converted(name, value)
            yield before + name, tensor
