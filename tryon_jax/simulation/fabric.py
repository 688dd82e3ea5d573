"""Five fabrics: how heavy, how stretchy, how stiff, how rough.

Orders of magnitude from tests of woven and knitted cloth (Kawabata's KES system: bending rigidity 0.5 to 50 uN m,
weight 60 to 400 g a square metre; tensile stiffness a metre of width from 60 N/m in knits to kN/m in wovens).
"""

from typing import NamedTuple


class Fabric(NamedTuple):
    """density kg/m^2; stiffness N/m, force a metre of width at unit strain; bending N m; friction, the share of the
    sliding along the body that a contact takes away in 1/960 s; stretchy: whether it may be strained by a quarter."""

    density: float
    stiffness: float
    bending: float
    friction: float
    stretchy: bool


FABRICS = {
    "cotton": Fabric(density=0.16, stiffness=900.0, bending=8e-6, friction=0.2, stretchy=False),
    "denim": Fabric(density=0.38, stiffness=2500.0, bending=60e-6, friction=0.3, stretchy=False),
    "silk": Fabric(density=0.07, stiffness=700.0, bending=1.5e-6, friction=0.1, stretchy=False),
    "knit": Fabric(density=0.22, stiffness=130.0, bending=5e-6, friction=0.25, stretchy=True),
    "wool": Fabric(density=0.28, stiffness=1200.0, bending=25e-6, friction=0.3, stretchy=False),
}

# What each garment is made of, by and large; garments that are not named here come in all fabrics.
WORN_IN = {
    "tshirt": ("knit", "knit", "knit", "cotton", "silk"), "hoodie": ("knit",),
    "shirt": ("cotton", "cotton", "silk", "denim", "wool"),
    "trousers": ("denim", "denim", "cotton", "wool"), "skirt": ("cotton", "denim", "wool", "silk"),
    "dress": ("cotton", "silk", "wool"), "jacket": ("denim", "wool", "cotton"),
}  # fmt: skip
