"""The garment contract: a pattern turns parameters and a body at rest into cloth that the body's bones carry."""

import importlib
import pkgutil
from typing import NamedTuple

import numpy as np

# Files of this folder that hold shared machinery, not a garment.
SHARED = (
    "pattern", "sewn", "sheet", "tubes", "measurements", "bodice", "placement",
    "surface", "drape", "atlas", "fields", "loft", "cut", "tailor",
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


class Garment(NamedTuple):
    """A garment fitted to one body at rest. G vertices, H faces; F faces of the body.

    vertices_rest [G, 3] f32 metres in Rest's frame; faces [H, 3] i32; uv [G, 2] f32 in [0, 1], x right and y down, the
    front piece in the left half of the texture and the back piece (seen from behind) in the right half, one scale
    everywhere: `metres_per_uv`; picture_xy [G, 2] f32 metres, the frontal x (right) and z (up) at rest; skin_indices
    [G, K] i32, skin_weights [G, K] f32; weld [G] i32: the first vertex at the same place (the two pieces have their
    own vertices along the side seams, so topology and normals are those of weld[faces]); covers [F] bool: body
    faces that the garment surely hides.
    """

    vertices_rest: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    metres_per_uv: float
    picture_xy: np.ndarray
    skin_indices: np.ndarray
    skin_weights: np.ndarray
    weld: np.ndarray
    covers: np.ndarray


def names():
    """Names of all garments: the files of this folder that offer PARAMETERS and pattern."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)


def load(name):
    """The garment module called `name`: PARAMETERS {name: (low, high)} and pattern(parameters, rest) -> Garment.

    Raises ValueError naming the choices if there is no such garment.
    """
    if name not in names():
        raise ValueError(f"no garment {name!r}: choose one of {', '.join(names())}")
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
