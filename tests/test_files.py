"""Mesh files: what goes out comes in again, pictures are made of it, and bad files are named."""

import numpy as np
import pytest
import trimesh
from PIL import Image
from test_lift import CAMERA, sheets_of

from tryon_jax.errors import UserError
from tryon_jax.geometry import files
from tryon_jax.geometry.mesh import on_floor
from tryon_jax.render import __main__ as command
from tryon_jax.render import view
from tryon_jax.render.lift import lift


@pytest.fixture(scope="module")
def lifted():
    rows, columns = np.mgrid[:32, :32]
    square = ((columns - 16) / 9) ** 2 + ((rows - 16) / 13) ** 2
    depth = 0.15 * np.sqrt(np.maximum(1 - square, 0))
    return lift(sheets_of(square < 1, depth + 0.01, -depth - 0.02), CAMERA)


@pytest.mark.parametrize("ending", files.WRITTEN)
def test_what_is_written_is_read_again(lifted, ending, tmp_path):
    path = files.write(lifted, tmp_path / f"person{ending}")
    found = files.read(path)
    assert len(found.faces) == len(lifted.faces)
    corners = on_floor(lifted.vertices)[lifted.faces]
    np.testing.assert_allclose(found.vertices[found.faces], corners, atol=1e-5)
    if ending == ".ply":
        assert found.texture is None
        colours = found.uv[found.uv_faces]
        rows, columns = (lifted.texture.shape[axis] for axis in (0, 1))
        pixels = np.floor(lifted.uv[lifted.uv_faces] * [columns, rows]).astype(int)
        truth = lifted.texture[pixels[..., 1], pixels[..., 0]] / 255
        assert np.median(np.abs(colours - truth)) < 0.02
    else:
        np.testing.assert_allclose(found.uv[found.uv_faces], lifted.uv[lifted.uv_faces], atol=1e-4)
        assert np.abs(found.texture.astype(int) - lifted.texture).mean() < (3 if ending == ".obj" else 0.01)
    original, again = (view.views(mesh, 64).astype(int) for mesh in (lifted, found))
    assert np.abs(original - again).mean() < 2


def test_vertex_colours_and_scenes_are_read(tmp_path):
    box = trimesh.creation.box()
    box.visual.vertex_colors = np.tile(np.array([[200, 30, 60, 255]], np.uint8), (8, 1))
    other = trimesh.creation.icosphere(1).apply_translation([3, 0, 0])
    other.visual.vertex_colors = np.tile(np.array([[10, 220, 60, 255]], np.uint8), (len(other.vertices), 1))
    trimesh.Scene([box, other]).export(tmp_path / "two.glb")
    found = files.read(tmp_path / "two.glb")
    assert len(found.faces) == len(box.faces) + len(other.faces) and found.texture is None
    left = found.vertices[:, 0] < 1
    np.testing.assert_allclose(found.uv[left], np.tile([200 / 255, 30 / 255, 60 / 255], (left.sum(), 1)), atol=0.01)
    np.testing.assert_allclose(found.uv[~left], np.tile([10 / 255, 220 / 255, 60 / 255], ((~left).sum(), 1)), atol=0.01)
    trimesh.creation.box().export(tmp_path / "plain.stl")
    assert (files.read(tmp_path / "plain.stl").uv == np.float32(files.PLAIN[0])).all()


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def bad_files(tmp_path):
    """Broken files, and the words that their error must hold."""
    yield tmp_path / "absent.glb", "no such file"
    yield written(tmp_path, "cut.glb", "glTF"), "cannot be read as a mesh"
    yield written(tmp_path, "notes.md", "# words"), "cannot be read as a mesh"
    yield written(tmp_path, "points.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\n"), "no faces|cannot be read"
    yield written(tmp_path, "nan.obj", "v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"), "NaN or infinite"
    yield written(tmp_path, "far.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n"), "damaged|cannot be read"


def test_bad_files_are_named_with_a_remedy(tmp_path, capsys):
    for path, why in bad_files(tmp_path):
        with pytest.raises(UserError, match=why) as raised:
            files.read(path)
        assert str(raised.value).startswith(str(path)) and "\n" not in str(raised.value)
        assert command.main([str(path), f"--out={tmp_path / 'out.png'}"]) == 1
        assert capsys.readouterr().err.startswith(f"error: {path}")
    assert not (tmp_path / "out.png").exists()


def test_an_unknown_ending_is_refused(lifted, tmp_path, capsys):
    with pytest.raises(UserError, match="one of .glb, .obj, .ply"):
        files.write(lifted, tmp_path / "person.fbx")
    path = files.write(lifted, tmp_path / "person.glb")
    assert command.main([str(path), f"--out={tmp_path / 'a.jpg'}"]) == 1
    assert "ends in .png" in capsys.readouterr().err


def test_the_command_draws_views_and_turntables(lifted, tmp_path, capsys):
    path = files.write(lifted, tmp_path / "person.glb")
    assert command.main([str(path), f"--out={tmp_path / 'p.png'}", "--size=48", "--views=3", "--unlit"]) == 0
    row = np.asarray(Image.open(tmp_path / "p.png"))
    assert row.shape == (48, 144, 3)
    front = view.render(files.read(path), 48, [0.0])[0]
    np.testing.assert_array_equal(row[:, :48], front)
    assert command.main([str(path), f"--out={tmp_path / 'p.gif'}", "--size=32", "--turntable=5", "--up=z"]) == 0
    assert Image.open(tmp_path / "p.gif").n_frames == 5
    assert "pictures of 32 pixels" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main([str(path), "--out=a.png", "--size=4"])
