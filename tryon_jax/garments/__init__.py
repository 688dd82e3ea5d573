"""The garment contract: a file here turns parameters and a tailor's measurements into a sewing pattern."""

import functools
import importlib
import pkgutil
from typing import NamedTuple

import numpy as np

# Files of this folder that hold shared machinery, not a garment.
SHARED = (
    "pattern", "sewn", "sheet", "tubes", "measurements", "bodice", "darts", "placement", "joints", "edges", "skin",
    "nearby",
)  # fmt: skip


class Rest(NamedTuple):
    """A body in its A-pose, standing on z = 0 with the pelvis at x = y = 0; metres, z up, facing -y.

    vertices [V, 3] f32; faces [F, 3] i32 counter-clockwise from outside; joints [J, 3] f32 bone heads, named by
    joint_names [J]; skin_indices [V, K] i32 and skin_weights [V, K] f32 (rows sum to 1) attach vertices to bones;
    limbs: name of a limb (torso, neck, head, left_arm, right_arm, left_hand, ..., left_leg, left_foot, ...) ->
    its share of each vertex's skin weight [V] f32, which sum to 1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    joint_names: tuple
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    limbs: dict

    def joint(self, name):
        """Position [3] of the head of the bone called `name`."""
        return self.joints[self.joint_names.index(name)]


def names(garment_class=None):
    """Names of all garments, or of those of one class: the files of this folder that are not SHARED."""
    return [name for name in _found() if garment_class in (None, load(name).CLASS)]


@functools.cache
def _found():
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)


@functools.cache
def load(name):
    """The garment module called `name`: CLASS, one of geometry.parts.GARMENT_CLASSES; PARAMETERS {name: (low, high)};
    pattern(parameters, measurements.Measurements) -> pattern.Pattern.

    Raises ValueError naming the choices if there is no such garment.
    """
    if name not in _found():
        raise ValueError(f"no garment {name!r}: choose one of {', '.join(_found())}")
    return importlib.import_module(f"{__name__}.{name}")


def sample(name, rng):
    """Parameters of one garment, uniform over their ranges: dict of floats; rng is a numpy Generator."""
    return {key: float(rng.uniform(low, high)) for key, (low, high) in load(name).PARAMETERS.items()}


def check(name, parameters):
    """Raises ValueError if parameters are not exactly those of the garment called `name`, each in its range."""
    ranges = load(name).PARAMETERS
    if set(parameters) != set(ranges):
        raise ValueError(f"{name} takes {', '.join(ranges)}; got {', '.join(parameters)}")
    for key, (low, high) in ranges.items():
        if not low <= parameters[key] <= high:
            raise ValueError(f"{name}: {key} is {parameters[key]}, outside {low}..{high}")
