"""The data card counts what is in the set, each example once, and shows its pictures."""

import collections
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tryon_jax import garments
from tryon_jax.data import synthetic
from tryon_jax.data.synthetic import card, contact, records, survey
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.simulation import captions, prints
from tryon_jax.simulation.body import SHAPE

SPLITS = synthetic.SPLITS


@pytest.fixture(scope="module")
def place(smoke_data, tmp_path_factory):
    """The smoke set with a card written now, and the folder that it is in."""
    made = synthetic.location("smoke", smoke_data)
    copied = tmp_path_factory.mktemp("card") / made.parent.name / made.name
    shutil.copytree(made, copied)
    for name in (card.CARD, card.CONTACT, card.CHARTS):
        (copied / name).unlink(missing_ok=True)
    card.write(copied, synthetic.SEED)
    return copied


@pytest.fixture(scope="module")
def stored(smoke_data):
    """All records of both splits as they are stored."""
    sources = {split: synthetic.open_split("smoke", split, smoke_data) for split in SPLITS}
    return {split: [source.record(number) for number in range(len(source))] for split, source in sources.items()}


def tables(place):
    """{name of the first column: {row: {column: cell}}} of all tables in the card."""
    found = {}
    for block in (place / card.CARD).read_text().split("\n\n"):
        lines = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines() if line[:1] == "|"
        ]
        if len(lines) > 2:
            head, _, *rows = lines
            found[head[0]] = {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}
    return found


def number(cell):
    return int(cell.replace(",", ""))


def test_every_table_counts_every_example_once(place, stored):
    found = tables(place)
    questions = [question for _, asked in card.SECTIONS.values() for question in asked]
    assert {"gender", "height", "stature", "pose", "garment", "fabric", "print", "skin tone"} <= set(questions)
    for question in questions:
        for split in SPLITS:
            total = sum(number(row[split]) for row in found[question].values())
            assert total == len(stored[split]), (question, split)
        assert sum(float(row["share"].rstrip(" %")) for row in found[question].values()) == pytest.approx(100, abs=1)


def test_names_are_counted_as_they_are_stored(place, stored):
    found = tables(place)
    truths = {
        "pose": lambda record: record["pose"].decode().replace("_", " "),
        "garment": lambda record: record["garment_kind"].decode(),
        "fabric": lambda record: record["fabric"].decode(),
        "print": lambda record: record["print_kind"].decode(),
        "hairstyle": lambda record: record["hairstyle"].decode(),
        "class": lambda record: GARMENT_CLASSES[record["garment_class"]],
        "gender": lambda record: ("man", "woman")[int(record["shape"][0] > 0.5)],
        "photo wears": lambda record: ("another garment", "the same garment")[int(record["same_garment"])],
    }
    for question, truth in truths.items():
        for split in SPLITS:
            wanted = collections.Counter(truth(record) for record in stored[split])
            assert {
                row: number(cells[split]) for row, cells in found[question].items() if cells[split] != "0"
            } == wanted
    phrases = [record["caption"].decode() for split in SPLITS for record in stored[split]]
    women = sum(phrase.startswith("a woman") for phrase in phrases)
    assert women == sum(number(found["gender"]["woman"][split]) for split in SPLITS)


def test_a_record_says_what_its_caption_says(stored):
    for record in (record for split in SPLITS for record in stored[split]):
        caption, pose = record["caption"].decode(), record["pose"].decode()
        assert caption.endswith(captions.POSE_WORDS[pose])
        kind, fabric = record["garment_kind"].decode(), record["fabric"].decode()
        assert garments.load(kind).CLASS == GARMENT_CLASSES[record["garment_class"]]
        assert captions.FABRIC_WORDS[fabric] in caption or "jeans" in caption
        design = record["print_kind"].decode()
        assert prints.WORDS.get(design, "washed" if design == "denim wash" else "") in caption
        assert 0 <= record["skin"].min() and record["skin"].max() <= 1


def test_numbers_lie_in_the_bins_that_count_them(place, stored):
    found = tables(place)
    values = {name: lambda record, k=k: record["shape"][k] for k, name in enumerate(SHAPE) if name != "gender"}
    values |= {"stature": lambda record: record["stature"], "brightness": lambda record: record["person"].mean() / 255}
    for question, value in values.items():
        for split in SPLITS:
            for row, cells in found[question].items():
                low, high = (float(edge) for edge in re.findall(r"[\d.]+", row))
                # Edges are written with two digits.
                surely = sum(low + 0.006 < value(record) < high - 0.006 for record in stored[split])
                perhaps = sum(low - 0.006 < value(record) < high + 0.006 for record in stored[split])
                assert surely <= number(cells[split]) <= perhaps, (question, row)


def test_bodies_garments_prints_and_drapes_are_counted_once(place, stored):
    overview = tables(place)[""]
    for split in SPLITS:
        for row, key in (("bodies", "body_id"), ("garments", "garment_ids"), ("prints", "print_ids")):
            wanted = {int(one) for record in stored[split] for one in np.atleast_1d(record[key]) if one >= 0}
            assert number(overview[row][split]) == len(wanted)
        drapes = {int(record["body_id"]): int(record["drapes"][0]) for record in stored[split]}
        assert number(overview["drapes made"][split]) == sum(drapes.values())
        assert all(record["drapes"][0] > record["drapes"][1] >= 0 for record in stored[split])


def test_the_worst_garment_is_the_worst_and_passes(place, stored):
    rows = tables(place)["garments to wear"]
    worst = np.max([record["gates"] for split in SPLITS for record in stored[split]], axis=0)
    for (_, cells), value, scale in zip(rows.items(), worst, (100, 100, 1), strict=True):
        assert float(cells["worst"]) == pytest.approx(scale * value, abs=0.006)
        assert float(cells["50 %"]) <= float(cells["90 %"]) <= float(cells["worst"])
        assert float(cells["worst"]) < float(cells["limit"].split()[-1])


def test_the_contact_sheet_shows_the_stored_pictures(place, stored):
    shown = contact.spread(len(stored["train"]))
    with Image.open(place / card.CONTACT) as picture:
        assert picture.size == contact.size_of(len(shown)) and picture.mode == "RGB"
        sheet = np.asarray(picture)
    times = contact.TILE // 32
    for place_in_sheet, index in enumerate(shown):
        row, column = divmod(place_in_sheet, contact.COLUMNS)
        top = contact.TOP + row * (contact.TILE + contact.WORDS + contact.GAP)
        left = contact.MARGIN + column * (contact.BLOCK + contact.GAP)
        for key in ("person", "garment"):
            tile = sheet[top : top + contact.TILE, left : left + contact.TILE]
            np.testing.assert_array_equal(tile[::times, ::times], stored["train"][index][key])
            left += contact.TILE + contact.SEAM
    assert sheet[: contact.TOP].std() > 5, "no title"


@pytest.mark.parametrize("count", [1, 5, 47, 48, 49, 2048, 20000])
def test_examples_are_shown_evenly(count):
    shown = contact.spread(count)
    assert len(shown) == len(set(shown)) == min(count, contact.EXAMPLES)
    assert shown == sorted(shown) and 0 <= shown[0] and shown[-1] < count
    assert len(shown) == 1 or np.ptp(np.diff(shown)) <= 1


def test_the_charts_are_drawn(place):
    with Image.open(place / card.CHARTS) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[1] == 1600
    for colour, _ in card.SECTIONS.values():
        assert (pixels == np.uint8(colour)).all(-1).sum() > 1000


def test_the_same_set_has_the_same_card(place, tmp_path):
    again = tmp_path / place.parent.name / place.name
    shutil.copytree(place, again)
    card.write(again, synthetic.SEED)
    for name in (card.CARD, card.CONTACT, card.CHARTS):
        assert (again / name).read_bytes() == (place / name).read_bytes()


def test_what_a_record_says_of_itself_stays_out_of_the_batch(smoke_data):
    example = synthetic.open_split("smoke", "train", smoke_data)[0]
    assert not set(records.ABOUT) & set(example)


def test_typology_angles_are_those_of_known_colours():
    # CIE L* and b* of sRGB's red, yellow and middle grey.
    colours = np.array([[1, 0, 0], [1, 1, 0], [0.4663, 0.4663, 0.40]])
    assert survey.typology_angle(colours[:2]) == pytest.approx(
        np.degrees(np.arctan2([3.24, 47.14], [67.20, 94.48])), abs=0.1
    )
    assert abs(survey.typology_angle(colours[2])) < 10
    fair = np.array([0.97, 0.83, 0.75])
    angles = survey.typology_angle(fair * np.linspace(1, 0.3, 20)[:, None])
    assert (np.diff(angles) < 0).all()
    assert survey.tone(fair) == "very light" and survey.tone(fair * 0.25) == "dark"
