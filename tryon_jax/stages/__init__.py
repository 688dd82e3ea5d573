"""What a training stage is, and how one is found by its name."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple


class Stage(NamedTuple):
    """Pure functions closed over modules and optimizers, never over arrays.

    `rng` is one key per example, [B], already folded with the step and the example's place in the global
    batch: so the number of devices never changes what is drawn.

    init: (key, batch) -> TrainState; `key` is a single key.
    train_step: (state, batch, rng) -> (state, metrics), one device's share; metrics are scalars.
    eval_step: (params, batch, rng) -> dict of per-example arrays [B, ...]; params are the ones to judge.
    summarize: dict of numpy arrays [N, ...] over a whole split -> dict of floats, baselines included.
    predict: (params, batch, rng) -> sheets, the batch contract's target keys with a leading [B]; beside them whatever
        else composes or is looked at.
    """

    init: Callable
    train_step: Callable
    eval_step: Callable
    summarize: Callable
    predict: Callable


def names():
    """Names of all stages: one file each in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name):
    """The stage module called `name`, which offers build(config, axis_name=None) -> Stage.

    Raises ValueError naming the choices if there is no such stage.
    """
    if name not in names():
        raise ValueError(f"no stage {name!r}: choose one of {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")
