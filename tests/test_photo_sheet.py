"""The command that shows what was understood of photos: a sheet, files beside it, and refusals as lines."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PARTS
from tryon_jax.photo import __main__ as command
from tryon_jax.photo import picture, sheet

REAL = pathlib.Path(__file__).parents[2] / "shared" / "real" / "free"


@pytest.fixture(scope="module")
def networks():
    """Skips where the optional packages or the networks cannot be had."""
    pytest.importorskip("cv2")
    pytest.importorskip("ai_edge_litert")
    try:
        from tryon_jax import assets

        assets.fetch("blazepose")
    except UserError as error:
        pytest.skip(str(error))


def _tee(path, alpha=True):
    rows, columns = np.mgrid[:160, :160] / 160
    aside = np.abs(columns - 0.5)
    shape = (rows > 0.15) & (((rows < 0.85) & (aside < 0.2)) | ((rows < 0.35) & (aside < 0.4)))
    rgb = np.where(shape[..., None], [30, 60, 160], [230, 230, 225]).astype(np.uint8)
    Image.fromarray(np.dstack([rgb, shape.astype(np.uint8) * 255]) if alpha else rgb).save(path)
    return shape


def test_garments_are_shown_and_kept_and_bad_files_do_not_stop_the_rest(tmp_path, capsys):
    shape = _tee(tmp_path / "tee.png")
    (tmp_path / "bad.jpg").write_text("no picture")
    out = tmp_path / "out"
    status = command.main(["--garment", str(tmp_path / "tee.png"), str(tmp_path / "bad.jpg"), f"--out={out}"])
    said = capsys.readouterr()
    assert status == 1 and "1 of 2 understood" in said.out and "error: " in said.err and "bad.jpg" in said.err
    assert {path.name for path in out.iterdir()} == {"understood.png", "tee.cutout.png", "tee.json"}
    drawn = np.asarray(Image.open(out / "understood.png"))
    assert drawn.shape == (2 * (sheet.TILE + sheet.GAP), sheet.PICTURES * (sheet.TILE + sheet.GAP) + sheet.WORDS, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(out / "tee.cutout.png"))[..., 3] > 127, shape)
    told = json.loads((out / "tee.json").read_text())
    assert told["class"] == "upper" and told["kind"] == "top" and told["confidence"]["cutout"] == 1
    assert abs(told["landmarks"]["left_hem"][1] - 0.85 * 160) < 4
    # Again into the same folder: an earlier sheet is replaced.
    assert command.main(["--garment", str(tmp_path / "tee.png"), "--class=outer", f"--out={out}"]) == 0
    assert json.loads((out / "tee.json").read_text())["class"] == "outer"


def test_requests_that_would_lose_or_mix_files_are_refused(tmp_path, capsys):
    _tee(tmp_path / "tee.png")
    (tmp_path / "other").mkdir()
    _tee(tmp_path / "other" / "tee.png")
    one = str(tmp_path / "tee.png")

    def refused(*arguments):
        assert command.main(list(arguments)) == 1
        lines = capsys.readouterr().err.strip().splitlines()
        return lines[-1] if lines[-1].startswith("error: ") else ""

    assert "none given" in refused(f"--out={tmp_path / 'out'}")
    assert "same name" in refused("--garment", one, str(tmp_path / "other" / "tee.png"), f"--out={tmp_path / 'out'}")
    assert "label map is of one photo" in refused("--garment", one, f"--person-segmentation={one}", "--out=out")
    assert "this is a file" in refused("--garment", one, f"--out={one}")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    assert "thesis.txt" in refused("--garment", one, f"--out={tmp_path / 'mine'}")
    assert not (tmp_path / "out").exists()


def test_rows_hold_every_kind_of_finding():
    """Of a person whose joints lie outside the photo too, and of a refused file that cannot be shown."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(PARTS), (90, 60)).astype(np.int32)
    found = {
        "rgb": rng.integers(0, 256, (90, 60, 3), dtype=np.uint8), "mask": (labels > 0).astype(np.float32),
        "landmarks": rng.uniform(-50, 150, (33, 3)).astype(np.float32), "segmentation": labels,
        "confidence": {"pose": 0.5, "mask": 1.0, "parts": 0.25}, "doubts": ["it is noise"],
    }  # fmt: skip
    rows = [sheet.person_row("noise.png", found), sheet.refusal_row("gone.png", None, "no such file; check the path")]
    assert sheet.compose(rows).shape[0] == 2 * (sheet.TILE + sheet.GAP)
    sure = sheet.person_row("noise.png", {**found, "doubts": []})
    assert (rows[0] != sure).any() and (rows[0][:, : -sheet.WORDS] == sure[:, : -sheet.WORDS]).all()


@pytest.mark.skipif(not REAL.exists(), reason="the real photos are not beside this checkout")
def test_a_person_s_label_map_can_be_given_back(networks, tmp_path):
    path, out = REAL / "persons" / "pifu_ryota.png", tmp_path / "out"
    assert command.main(["--person", str(path), f"--out={out}"]) == 0
    labels = picture.read_labels(out / "pifu_ryota.parts.png", picture.read(path))
    told = json.loads((out / "pifu_ryota.json").read_text())
    assert set(np.unique(labels)) <= set(range(len(PARTS))) and len(told["joints"]) == 33 and told["doubts"] == []
    given = f"--person-segmentation={out / 'pifu_ryota.parts.png'}"
    assert command.main(["--person", str(path), given, f"--out={tmp_path / 'again'}"]) == 0
    again = np.asarray(Image.open(tmp_path / "again" / "pifu_ryota.parts.png"))
    np.testing.assert_array_equal(again, labels)


@pytest.mark.skipif(not REAL.exists(), reason="the real photos are not beside this checkout")
def test_crops_pairs_and_turned_photos_of_real_people_are_refused(networks, tmp_path, capsys):
    one = np.asarray(Image.open(REAL / "persons" / "pifu_ryota.png").convert("RGB"))
    head = np.asarray(Image.open(REAL / "persons" / "sk_astronaut.jpg").convert("RGB"))[:180, 130:330]
    wrong = {
        "pair": (np.concatenate([one, one[:, ::-1]], 1), "more than one person"), "head": (head, "than the head"),
        "turned": (np.rot90(one), "not upright"), "legs": (one[260:], "no person found"),
    }  # fmt: skip
    for name, (pixels, _) in wrong.items():
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / f"{name}.png") for name in wrong]
    assert command.main(["--person", *files, f"--out={tmp_path / 'out'}"]) == 1
    said = capsys.readouterr().err
    for name, (_, words) in wrong.items():
        lines = [line for line in said.splitlines() if f"{name}.png: " in line]
        assert len(lines) == 1 and words in lines[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["understood.png"]
    # A person is no garment.
    assert command.main(["--garment", str(REAL / "persons" / "pifu_ryota.png"), f"--out={tmp_path / 'out'}"]) == 1
    assert "a person is in the picture" in capsys.readouterr().err
