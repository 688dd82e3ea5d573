"""What a made set holds, counted record by record: how many examples answer each question how."""

import collections
from typing import NamedTuple

import numpy as np

from tryon_jax.data.synthetic import records
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.simulation.body import SHAPE

# What is read of a record: all that is small, and the photo.
KEYS = (*records.ABOUT, *records.IDENTITIES, "garment_class", "same_garment", "person")
# Skin by its individual typology angle in degrees, from fair to dark (Del Bino and Bernerd 2013).
TONES = (
    ("very light", 55.0), ("light", 41.0), ("intermediate", 28.0), ("tan", 10.0), ("brown", -30.0), ("dark", -np.inf),
)  # fmt: skip
# Questions that a record answers by a name of its own.
NAMED = {
    "pose": "pose", "hairstyle": "hairstyle", "garment": "garment_kind", "fabric": "fabric", "print": "print_kind",
}  # fmt: skip
BINS = 5  # equal parts of the range of a shape control
STATURE, BRIGHTNESS = 0.1, 0.1  # metres, and share of white, from one bin to the next


class Survey(NamedTuple):
    """counts {question: Counter of answers (str)}, each over all `examples`; bodies {number: (skin [3] f32 display
    colour, garments draped, garments drawn anew)}; gates {number of a garment to wear: [3] f32 as in gates.Report};
    garments, prints: sets of the numbers that occur."""

    examples: int
    counts: dict
    bodies: dict
    gates: dict
    garments: set
    prints: set


def survey(stored):
    """The Survey of an iterable of records with KEYS, as a prepared folder gives them; holds one at a time."""
    found = Survey(0, collections.defaultdict(collections.Counter), {}, {}, set(), set())
    examples = 0
    for record in stored:
        examples += 1
        for question, answer in answers(record).items():
            found.counts[question][answer] += 1
        found.bodies[int(record["body_id"])] = record["skin"], *(int(count) for count in record["drapes"])
        found.gates[int(record["garment_ids"][0])] = record["gates"]
        for seen, key in ((found.garments, "garment_ids"), (found.prints, "print_ids")):
            seen.update(int(number) for number in record[key] if number >= 0)
    return found._replace(examples=examples)


def answers(record):
    """{question: answer} of one record, all str."""
    shape = dict(zip(SHAPE, record["shape"], strict=True))
    found = {"gender": "woman" if shape.pop("gender") > 0.5 else "man"}
    for name, value in shape.items():
        low, high = SHAPE[name]
        found[name] = _bin(np.clip(value, low, high - 1e-6), low, (high - low) / BINS)
    found["stature"] = _bin(record["stature"], 0.0, STATURE) + " m"
    found["skin tone"] = tone(record["skin"])
    for question, key in NAMED.items():
        found[question] = text(record[key]).replace("_", " ")
    found["class"] = GARMENT_CLASSES[int(record["garment_class"])]
    found["photo wears"] = "the same garment" if record["same_garment"] > 0.5 else "another garment"
    found["brightness"] = _bin(np.mean(record["person"]) / 255, 0.0, BRIGHTNESS)
    return found


def ordered(question, counts):
    """[(answer, count)] of a question's Counter: bins in their order, names by how common they are."""
    if question == "skin tone":
        return [(name, counts[name]) for name, _ in TONES]
    if question in ("stature", "brightness") or question in SHAPE:
        return sorted(counts.items())
    return counts.most_common()


def text(value):
    """The str of a stored name."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _bin(value, first, step):
    """The bin that a value lies in: "0.15 to 0.29"."""
    number = np.floor((value - first) / step + 1e-6)
    return " to ".join(f"{first + (number + more) * step:.2f}" for more in (0, 1))


def tone(colour):
    """The name in TONES of a display colour [3] in [0, 1]."""
    angle = typology_angle(colour)
    return next(name for name, least in TONES if angle > least)


def typology_angle(colour):
    """Individual typology angle in degrees of display colours (sRGB) [..., 3]: 90 fair, -90 dark."""
    colour = np.asarray(colour, np.float64)
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    # CIE XYZ under D65, as a share of white.
    share = linear @ np.array([[0.4339, 0.2126, 0.0177], [0.3763, 0.7152, 0.1095], [0.1898, 0.0722, 0.8727]])
    cube = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    lightness, yellow = 116 * cube[..., 1] - 16, 200 * (cube[..., 1] - cube[..., 2])
    return np.degrees(np.arctan2(lightness - 50, np.maximum(yellow, 1e-6)))
