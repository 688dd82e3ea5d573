"""The doctor finds nothing in clean copies, weighs and tells what it finds, and refuses what is no copy."""

import json
import pathlib

import doctored
import numpy as np
import pytest
from PIL import Image

from tryon_jax.data import doctor
from tryon_jax.data.doctor import ERROR, LIKELY, WARNING, Finding, __main__, overlap, people, pictures, poses, report
from tryon_jax.geometry.parts import KEYPOINT, PART


@pytest.mark.parametrize(("name", "layout"), doctored.SETS)
def test_a_clean_copy_has_no_findings(name, layout):
    found = doctor.examine(name, doctored.folder(name, layout))
    assert found.findings == [] and found.looked == found.pairs >= 4 and found.files >= 20


def test_every_published_set_has_a_doctor():
    assert doctor.names() == ["cloth3d", "dress_code", "mpv3d", "viton_hd"]


# ---- weighing


def likely(count, kind="mirrored"):
    return [Finding(LIKELY, kind, pathlib.Path(f"{index}.png"), "wrong.", "mend.") for index in range(count)]


def test_a_likely_fault_is_an_error_where_it_is_frequent():
    for count, severity in ((1, WARNING), (9, WARNING), (10, ERROR), (60, ERROR)):
        assert {one.severity for one in doctor.judged(likely(count), 100)} == {severity}
    # Each kind is counted for itself.
    both = doctor.judged(likely(20) + likely(2, "depth flip"), 100)
    assert {(one.kind, one.severity) for one in both} == {("mirrored", ERROR), ("depth flip", WARNING)}


def test_errors_and_frequent_kinds_come_first_and_doubles_once():
    one = Finding(WARNING, "a", pathlib.Path("a"), "wrong.", "mend.")
    many = [Finding(ERROR, "z", pathlib.Path(name), "wrong.", "mend.") for name in "bac"]
    few = Finding(ERROR, "b", pathlib.Path("b"), "wrong.", "mend.")
    found = doctor.judged([one, few, *many, few], 10)
    assert [(each.kind, str(each.file)) for each in found] == [
        ("z", "a"), ("z", "b"), ("z", "c"), ("b", "b"), ("a", "a")
    ]  # fmt: skip


def test_the_limit_spreads_over_the_copy():
    jobs = list(range(101))
    assert doctor.spread(jobs, 0) == doctor.spread(jobs, 500) == jobs
    assert doctor.spread(jobs, 5) == [0, 25, 50, 75, 100]
    assert len(set(doctor.spread(jobs, 40))) == 40


def test_the_tree_is_looked_at_whole_whatever_the_limit(tmp_path):
    root = doctored.copy("viton_hd", tmp_path, "first")
    for name in ("00001_00.jpg", "00002_00.jpg"):
        (root / ("train" if name < "00002" else "test") / "cloth" / name).unlink()
        (root / ("train" if name < "00002" else "test") / "cloth-mask" / name).write_bytes(b"")
    found = doctor.examine("viton_hd", root, limit=1)
    assert (found.looked, found.pairs) == (1, 4)
    assert [one.kind for one in found.findings] == ["absent file", "absent file"]


# ---- the parts that it is made of


def test_mirrored_photos_are_told_from_right_ones_and_from_even_ones():
    mask = np.zeros((60, 40), bool)
    mask[10:, 15:25], mask[20:26, 25:38] = True, True
    rgb = np.where(mask[..., None], 60, 220).astype(np.uint8) * np.ones(3, np.uint8)
    assert people.mirrored(rgb, mask) is False and people.mirrored(rgb, mask[:, ::-1]) is True
    even = mask & mask[:, ::-1]
    assert people.mirrored(rgb, even) is None
    assert people.mirrored(np.full_like(rgb, 9), mask) is None  # nothing differs from the ground


def test_keypoints_are_read_as_they_fit():
    parts = np.zeros((100, 80), np.int32)
    parts[10:20, 35:45], parts[20:55, 30:50], parts[55:95, 30:50] = PART["face"], PART["upper"], PART["lower"]
    parts[20:24, 50:78] = PART["left_arm"]
    points = np.zeros((17, 3))
    for name, x, y in (
        ("nose", 40, 15), ("left_shoulder", 48, 22), ("right_shoulder", 32, 22), ("left_elbow", 62, 22),
        ("left_wrist", 76, 22), ("left_hip", 46, 54), ("right_hip", 34, 54), ("left_knee", 45, 80),
    ):  # fmt: skip
        points[KEYPOINT[name]] = x, y, 1
    assert poses.share_on_parts(parts, points) == 1 and poses.reading(parts, points) == "fits"
    for factor in poses.FACTORS:
        assert poses.reading(parts, points / [factor, factor, 1]) == factor
    assert poses.reading(parts, points * [0.5, 0.2, 1] + [0, 70, 0]) == "nowhere"
    turned = np.where(parts == PART["left_arm"], PART["right_arm"], parts)
    assert poses.reading(turned, points) == "mirrored"
    points[3:, 2] = 0
    assert poses.share_on_parts(parts, points) == -1 and poses.reading(parts[::-1], points) == "fits"


def test_the_ground_may_be_uneven_and_cut():
    rng = np.random.default_rng(0)
    rgb = rng.integers(200, 216, (50, 40, 3)).astype(np.uint8)
    rgb[20:30, 10:30] = 90
    rgb[:2, :3] = 0  # less than a tenth of what tells the ground
    ground = np.ones((50, 40), bool)
    ground[5:-5, 5:-5] = False
    assert pictures.differing(rgb, ground)[20:30, 10:30].all() and not pictures.differing(rgb, ground)[32:].any()


def test_twins_are_files_of_one_content_and_two_names(tmp_path):
    for name, content in (("a", b"12"), ("b", b"12"), ("c", b"34"), ("d", b"567"), ("empty", b""), ("void", b"")):
        (tmp_path / name).write_bytes(content)
    train, test = ([tmp_path / name for name in names] for names in (("a", "c", "empty", "gone"), ("b", "d", "void")))
    assert [one.file.name for one in overlap.by_content(train, test)] == ["a"]
    assert overlap.by_content(train, train) == []


# ---- what is told


@pytest.fixture
def sick(tmp_path):
    """A copy with an inverted mask, a mirrored label map, a truncated photo and a repeated line."""
    root = doctored.copy("viton_hd", tmp_path, "resized")
    doctored.rewrite(root / "train" / "agnostic-mask" / "00000_00_mask.png", lambda mask: 255 - mask)
    doctored.rewrite(root / "test" / "image-parse-v3" / "00002_00.png", lambda parse: parse[:, ::-1])
    photo = root / "train" / "image" / "00001_00.jpg"
    photo.write_bytes(photo.read_bytes()[:2000])
    with open(root / "train_pairs.txt", "a") as file:
        file.write("00001_00.jpg 00001_00.jpg\n")
    return root


def run(*flags):
    return __main__.main(["--dataset=viton_hd", *map(str, flags)])


def test_the_report_names_kinds_files_and_remedies(sick, tmp_path, capsys):
    out, file = tmp_path / "new" / "out", tmp_path / "other" / "found.json"
    assert run(f"--root={sick}", f"--out={out}", f"--json={file}") == 1
    said = capsys.readouterr()
    assert "3 errors, 1 warning" in said.out and "ERROR  inverted mask, 1 file" in said.out
    assert "test/image-parse-v3/00002_00.png: the photo's person is where its mirror image is." in said.out
    assert "-> Fetch it again." in said.out and "file/s" in said.err
    found = json.loads(file.read_text())
    assert (found["errors"], found["warnings"], found["pairs_looked_at"]) == (3, 1, 4)
    assert {one["kind"] for one in found["findings"]} == {
        "inverted mask", "mirrored", "damaged file", "repeated line"
    }  # fmt: skip
    assert all(set(one) == {"severity", "kind", "file", "wrong", "remedy"} for one in found["findings"])
    page = (out / "report.md").read_text()
    assert "| error | mirrored | 1 |" in page and "(worst.png)" in page and "`train/image/00001_00.jpg`" in page
    with Image.open(out / "worst.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[0] > 2 * 320 and pixels.shape[1] > 2 * 240 and pixels.std() > 20


def test_the_worst_are_of_different_kinds(tmp_path):
    shown = [one._replace(severity=ERROR, shown=len) for one in likely(4)]
    other = likely(1, "depth flip")[0]._replace(severity=WARNING, shown=len)
    silent = likely(9, "damaged file")
    examination = doctor.Examination("x", tmp_path, silent + shown + [other], 9, 9, 9)
    assert [one.kind for one in report.worst(examination)] == ["mirrored", "depth flip", "mirrored"]


def test_long_lists_are_cut_and_counted(tmp_path):
    examination = doctor.Examination("x", tmp_path, likely(30), 90, 100, 500)
    assert "and 27 more" in report.text(examination) and "looked at 90 of 100 pairs (500 files)" in report.text(
        examination
    )
    assert "and 10 more; --json names all" in report.markdown(examination, False)
    assert len(report.document(examination)["findings"]) == 30


def test_exit_codes(tmp_path, capsys):
    root = doctored.copy("viton_hd", tmp_path, "first")
    out = tmp_path / "out"
    assert run(f"--root={root}", f"--out={out}") == 0
    assert "nothing is wrong" in capsys.readouterr().out and not (out / "worst.png").exists()
    lines = (root / "train_pairs.txt").read_text()
    (root / "train_pairs.txt").write_text(lines + lines)  # warnings alone
    assert run(f"--root={root}", "--limit=1") == 0
    assert "2 warnings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset=viton", "--root=."], "--dataset=viton: no such data set; choose one of cloth3d, dress_code"),
        (["--dataset=synthetic", "--root=."], "--dataset=synthetic: no such data set"),
        (["--dataset=mpv3d", "--root=nothing/here"], "--root=nothing/here: no such folder"),
        (["--dataset=mpv3d", "--root=.", "--limit=-2"], "--limit=-2: give a number"),
    ],
)
def test_what_is_no_copy_is_refused_in_one_line(flags, message, capsys):
    assert __main__.main(flags) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {message}") and said.err.count("\n") == 1 and not said.out


def test_a_prepared_set_is_refused(tmp_path, capsys):
    (tmp_path / "dataset_info.json").write_text("{}")
    assert run(f"--root={tmp_path}") == 1
    assert "a prepared set" in capsys.readouterr().err


@pytest.mark.parametrize("name", doctor.names())
def test_an_empty_folder_is_told_to_lack_everything(name, tmp_path):
    found = doctor.examine(name, tmp_path)
    assert found.looked == 0 and found.findings and {one.kind for one in found.findings} <= {
        "absent file", "absent folder"
    }  # fmt: skip
