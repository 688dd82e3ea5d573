"""One person dressed and shown: pictures, strain and a GLB that opens."""

import numpy as np
import pytest
import trimesh
from PIL import Image

from tryon_jax.simulation import fit, show


@pytest.fixture
def small(monkeypatch):
    for name, value in {"LEVELS": 1, "FRAMES": 4, "PIXELS": 48, "TEXELS": 128}.items():
        monkeypatch.setattr(show, name, value)


def test_person_in_skirt_and_top_is_shown(small, tmp_path, capsys):
    assert show.main(["--garment=skirt", "--size=M", "--seed=2", f"--out={tmp_path / 'new'}"]) == 0
    said = capsys.readouterr().out
    assert "skirt of" in said and ", M: ease waist" in said and "tshirt of" in said
    assert "skirt: this body should take" in said
    with Image.open(tmp_path / "new" / "turntable.gif") as turning:
        assert turning.n_frames == 4 and turning.size == (48, 48)
    with Image.open(tmp_path / "new" / "strain.png") as strain:
        assert strain.size == (2 * 96, 48) and np.asarray(strain).std() > 5
    scene = trimesh.load_scene(tmp_path / "new" / "person.glb")
    assert {"body", "skirt", "tshirt"} <= set(scene.geometry)
    low, high = scene.bounds
    assert abs(low[1]) < 1e-3 and 1.2 < high[1] < 2.3  # metres, on the floor
    uv = scene.geometry["skirt"].visual.uv
    assert uv.min() >= -1e-4 and uv.max() <= 1 + 1e-4


def test_unknown_choices_are_named(tmp_path, capsys):
    for flag in (
        "--garment=cape",
        "--size=XXXL",
        "--pose=flying",
        "--body=weight=3",
        "--body=width=0.5",
        "--body=weight",
    ):
        with pytest.raises(SystemExit) as stopped:
            show.main([flag, f"--out={tmp_path}"])
        assert stopped.value.code != 0 and "choose from" in capsys.readouterr().err


def test_the_body_follows_its_controls(small, tmp_path, capsys):
    sizes = {}
    for weight in (0.2, 0.85):
        told = ["--garment=tshirt", "--size=S", "--body", "gender=1", f"weight={weight}", "muscle=0.5"]
        assert show.main([*told, f"--out={tmp_path}"]) == 0
        said = capsys.readouterr().out
        sizes[weight] = list(fit.SIZES).index(said.split("should take ")[1].split(",")[0])
    assert sizes[0.85] > sizes[0.2] + 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert show.main([f"--out={tmp_path / 'file' / 'under'}"]) == 1
    assert str(tmp_path) in capsys.readouterr().err
