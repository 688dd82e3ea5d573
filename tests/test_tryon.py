"""Try-on from sheets to files: colours from the right pictures, one closed mesh, all files or none."""

import subprocess
import sys

import jax
import numpy as np
import pytest
import trimesh

from configs import transfer
from tryon_jax import checkpoint, summaries, tryon
from tryon_jax.data import pipeline, synthetic
from tryon_jax.errors import UserError
from tryon_jax.geometry.mesh import is_consistently_wound, is_watertight
from tryon_jax.geometry.parts import GARMENT_CLASSES, GARMENT_PARTS, PART
from tryon_jax.render import compose, refine

SIZE, FACTOR = 32, 4


def _sheets(shirt_label=PART["upper"]):
    """Sheets of a block person: hair, face, shirt, trousers; the garment coordinate is affine in the pixel."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    solid = (rows >= 2) & (rows < 30) & (np.abs(columns - 15.5) < 6)
    bands = [PART["hair"], PART["face"], shirt_label]
    labels = np.select([rows < 5, rows < 9, rows < 18], bands, PART["lower"]) * solid
    uv = np.stack([(columns - 15.5) / 6, (rows - 13) / 5], -1).clip(-1, 1).astype(np.float32)
    sheets = {"mask": np.where(solid, 0.95, 0.05).astype(np.float32)[..., None]}
    for side, sign in (("front", 1.0), ("back", -1.0)):
        cloth = labels == shirt_label
        sheets |= {
            f"{side}_depth": sign * (0.1 + 0.002 * columns)[..., None].astype(np.float32) * solid[..., None],
            f"{side}_normals": np.float32([0, 0, sign]) * solid[..., None],
            f"{side}_segmentation": labels.astype(np.int32),
            f"{side}_garment_uv": uv * cloth[..., None],
            f"{side}_own": np.full((SIZE, SIZE, 3), 0.5, np.float32),
            f"{side}_blend": np.broadcast_to(np.float32([0.8, 0.1, 0.1]), (SIZE, SIZE, 3)),
            f"{side}_shading": np.full((SIZE, SIZE, 1), 0.9, np.float32),
        }
    return sheets


def _pictures(side=SIZE * FACTOR):
    """A photo whose parts have plain colours, the old shirt red; a garment picture that is a ramp on white."""
    labels = refine.enlarge_labels(_sheets()["front_segmentation"], FACTOR)
    person = np.select(
        [labels[..., None] == PART[name] for name in ("hair", "face", "upper", "lower")],
        [np.float32([0.2, 0.1, 0.0]), np.float32([0.9, 0.7, 0.6]), np.float32([1, 0, 0]), np.float32([0, 0.4, 0.1])],
        np.float32([0.0, 1.0, 1.0]),
    )
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    garment = np.stack([x, y, np.full_like(x, 0.8)], -1).astype(np.float32)
    return {
        "person": person.astype(np.float32),
        "person_segmentation": labels,
        "person_mask": (labels > 0).astype(np.float32),
        "known": np.ones((side, side), np.float32),
        "garment": garment,
        "garment_mask": np.ones((side, side, 1), np.float32),
    }


def _example(garment_class="upper"):
    return {
        "garment_class": np.int32(GARMENT_CLASSES.index(garment_class)),
        "camera": np.array([1.9 / SIZE, 0.0, 0.9], np.float32),
        "keypoints": np.zeros((17, 3), np.float32),
    }


@pytest.fixture(scope="module")
def result():
    return tryon.wear(tryon.Model(lambda _: _sheets(), SIZE), _example(), _pictures())


def test_enlarging_keeps_places():
    depth = np.random.default_rng(0).normal(0, 0.01, (6, 7)).astype(np.float32)
    fine = refine.enlarge_depth(depth, 5)
    np.testing.assert_allclose(fine[2::5, 2::5], depth, atol=1e-6)  # pixel centres fall on pixel centres
    assert fine.min() >= depth.min() - 1e-6 and fine.max() <= depth.max() + 1e-6


def test_depth_steps_are_not_bridged():
    depth = np.where(np.arange(8) < 4, 0.0, 0.3)[None].repeat(8, 0).astype(np.float32)
    assert set(np.unique(refine.enlarge_depth(depth, 4)).round(6)) == {0.0, np.float32(0.3)}
    slope = (np.arange(8) * 0.01)[None].repeat(8, 0).astype(np.float32)
    assert len(np.unique(refine.enlarge_depth(slope, 4)[0].round(5))) > 20


def test_spread_copies_the_nearest_known():
    values, known = np.arange(25.0).reshape(5, 5), np.zeros((5, 5), bool)
    known[1, 1] = known[4, 4] = True
    spread = refine.spread(values, known)
    assert spread[0, 0] == 6 and spread[4, 3] == 24 and spread[1, 1] == 6
    np.testing.assert_array_equal(refine.spread(values, np.zeros((5, 5), bool)), values)


def test_garment_colours_come_from_its_picture_at_its_detail():
    sheets, pictures = refine.enlarge(_sheets(), FACTOR, PART["upper"]), _pictures()
    for side in ("front", "back"):
        colour = compose.colours(sheets, sheets[f"{side}_segmentation"], pictures, "upper", side)
        place = (sheets[f"{side}_garment_uv"] + 1) / 2
        expected = 0.9 * np.concatenate([place, np.full_like(place[..., :1], 0.8)], -1)
        inner = np.s_[10 * FACTOR : 17 * FACTOR, 11 * FACTOR : 21 * FACTOR]
        # The half pixel at the ramp's ends is clamped.
        np.testing.assert_allclose(colour[inner], expected[inner], atol=0.02)


def test_kept_parts_come_from_the_photo_and_the_replaced_garment_does_not():
    sheets, pictures = refine.enlarge(_sheets(), FACTOR, PART["upper"]), _pictures()
    colour = compose.colours(sheets, sheets["front_segmentation"], pictures, "upper", "front")
    np.testing.assert_allclose(colour[7 * FACTOR, 16 * FACTOR], [0.9, 0.7, 0.6], atol=0.01)
    np.testing.assert_allclose(colour[25 * FACTOR, 16 * FACTOR], [0, 0.4, 0.1], atol=0.01)
    # Behind the photo's trousers are trousers; its face says nothing of the back of the head.
    back = compose.colours(sheets, sheets["back_segmentation"], pictures, "upper", "back")
    np.testing.assert_allclose(back[25 * FACTOR, 16 * FACTOR], [0, 0.4, 0.1], atol=0.02)
    np.testing.assert_allclose(back[7 * FACTOR, 16 * FACTOR], 0.5, atol=0.02)
    # A dress goes on: the old trousers must not show where the network puts bare legs, but skin.
    bare = _sheets()
    bare["front_segmentation"][20:] = np.where(bare["front_segmentation"][20:] > 0, PART["left_leg"], 0)
    bare["front_blend"] = np.broadcast_to(np.float32([0.1, 0.0, 0.9]), (SIZE, SIZE, 3))
    sheets = refine.enlarge(bare, FACTOR, PART["dress"])
    colour = compose.colours(sheets, sheets["front_segmentation"], pictures, "dress", "front")
    np.testing.assert_allclose(colour[25 * FACTOR, 16 * FACTOR], [0.9, 0.7, 0.6], atol=0.02)


def test_silhouette_follows_the_photo_along_kept_parts_only():
    sheets, pictures = refine.enlarge(_sheets(), FACTOR, PART["upper"]), _pictures()
    # The photo's person stands one network pixel to the right.
    pictures |= {name: np.roll(pictures[name], FACTOR, 1) for name in ("person_mask", "person_segmentation")}
    labels = sheets["front_segmentation"]
    mask = compose.silhouette(sheets["mask"][..., 0], labels, pictures, "upper", FACTOR)
    legs, shirt = 25 * FACTOR, 13 * FACTOR
    predicted = np.flatnonzero(sheets["mask"][legs, :, 0] > 0.5)[-1]
    assert np.flatnonzero(mask[legs] > 0.5)[-1] == predicted + FACTOR
    assert np.flatnonzero(mask[shirt] > 0.5)[-1] == np.flatnonzero(sheets["mask"][shirt, :, 0] > 0.5)[-1]
    # Where an arm is bared, the old sleeve's outline is not followed.
    bare = np.where(labels == PART["upper"], PART["left_arm"], labels)
    mask = compose.silhouette(sheets["mask"][..., 0], bare, pictures, "upper", FACTOR)
    assert np.flatnonzero(mask[shirt] > 0.5)[-1] == np.flatnonzero(sheets["mask"][shirt, :, 0] > 0.5)[-1]
    pictures["known"] *= 0
    nobody = compose.silhouette(sheets["mask"][..., 0], labels, pictures, "upper", FACTOR)
    assert nobody.max() == 0


def test_below_the_garment_parts_are_the_photos_and_hair_hangs_no_lower_than_it_shows():
    front, back = np.zeros((2, 40, 20), int)
    front[:6, 5:15], front[6:10, 5:15], front[10:20, 5:15] = PART["face"], PART["neck"], PART["upper"]
    front[20:30, 5:15], front[30:, 5:15] = PART["lower"], PART["left_leg"]
    back[:18, 5:15], back[18:20, 5:15], back[20:, 5:15] = PART["hair"], PART["upper"], PART["left_leg"]
    photo = front.copy()
    photo[20:38, 5:15], photo[38:, 5:15], photo[:5, 4:6] = PART["lower"], PART["left_shoe"], PART["hair"]
    found, behind = compose.outlines(front, back, photo, "upper", 2)
    np.testing.assert_array_equal(found[20:], photo[20:])
    np.testing.assert_array_equal(behind[20:], photo[20:])
    assert (behind[:7, 5:15] == PART["hair"]).all() and (behind[7:10, 5:15] == PART["neck"]).all()
    assert (behind[10:18, 5:15] == PART["upper"]).all()
    # Of what a new skirt takes the place nothing comes back.
    found, _ = compose.outlines(front, back, photo, "lower", 2)
    assert (found[20:30, 5:15] == PART["lower"]).all() and (found[30:37, 5:15] == PART["left_leg"]).all()


def test_spurs_of_cloth_go_and_all_else_stays():
    mask = np.zeros((60, 60), np.float32)
    mask[10:50, 15:40], mask[30:33, 40:48], mask[20:22, 5:15] = 1, 1, 1
    cloth = np.zeros((60, 60), bool)
    cloth[10:50, 15:60] = True
    before = mask.copy()
    before[33:40, 40:48] = before[22:30, 5:14] = 1  # a wide arm, of which nothing is left
    found = compose.trimmed(before, mask, cloth, 4)
    assert found[31, 43] < 0.05 and found[30, 30] == 1  # a spur of three pixels; the trunk
    np.testing.assert_array_equal(found[20:22, 5:14], 1)  # as thin, and no cloth
    assert (found <= mask).all()
    np.testing.assert_array_equal(compose.trimmed(mask, mask, cloth, 4), mask)  # no limb was slimmed


def test_behind_hair_has_no_colour_of_the_skin_beside_it():
    photo, labels = np.zeros((256, 256, 3), np.float32), np.full((256, 256), PART["hair"])
    labels[100:180, 80:180] = PART["face"]
    photo[labels == PART["hair"]], photo[labels == PART["face"]] = 0.1, 0.9
    photo[98:100, 80:180] = 0.5  # strands through which skin shines
    shown = np.ones((256, 256), bool)
    behind, there = compose._kept(photo, shown, labels, np.full((256, 256), PART["hair"]), "back")
    assert there.all() and np.abs(behind - 0.1).max() < 0.02
    front, _ = compose._kept(photo, shown, labels, labels, "front")
    np.testing.assert_allclose(front[98:100, 85:175], 0.5, atol=0.01)  # in front they are what they are


def test_the_mesh_is_closed_and_metric(result):
    mesh = result.mesh
    assert is_watertight(mesh.faces) and is_consistently_wound(mesh.faces)
    low, high = np.asarray(mesh.vertices).min(0), np.asarray(mesh.vertices).max(0)
    np.testing.assert_allclose(high[1] - low[1], 28 / 32 * 1.9, rtol=0.05)
    np.testing.assert_allclose(high[0] - low[0], 12 / 32 * 1.9, rtol=0.1)
    # The texture is cut to the person, at the pictures' own scale: 28 by 12 pixels of the network and a rim.
    height, width = mesh.texture.shape[:2]
    assert abs(height - 28 * FACTOR) <= 2 * FACTOR and abs(width / 2 - 12 * FACTOR) <= 2 * FACTOR


def test_a_coarser_mesh_is_smaller_and_closed(result):
    coarse = tryon.wear(tryon.Model(lambda _: _sheets(), SIZE), _example(), _pictures(), mesh_side=SIZE).mesh
    assert is_watertight(coarse.faces) and is_consistently_wound(coarse.faces)
    assert 0.8 < len(result.mesh.faces) / len(coarse.faces) / FACTOR**2 < 1.25
    assert np.abs(np.subtract(coarse.texture.shape, result.mesh.texture.shape)).max() <= 4 * FACTOR


def test_files_are_written_all_or_none(result, tmp_path, monkeypatch):
    monkeypatch.setattr(tryon, "FRAMES", 3)
    monkeypatch.setattr(tryon, "VIEW_SIDE", 64)
    monkeypatch.setattr(tryon, "FRAME_SIDE", 32)
    out = tmp_path / "deep" / "out"
    paths = tryon.write(result, out)
    assert [path.name for path in paths] == list(tryon.FILES) and all(path.stat().st_size for path in paths)
    loaded = trimesh.load(out / "tryon.glb", force="mesh", process=False)
    loaded.merge_vertices(merge_tex=True, merge_norm=True)
    assert loaded.is_watertight and loaded.volume > 0
    stored = np.load(out / "sheets.npz")
    assert stored["front_depth"].shape[:2] == stored["mask"].shape[:2] and stored["camera"].shape == (3,)

    before = (out / "tryon.glb").read_bytes()
    monkeypatch.setattr(np, "savez_compressed", _full_disk)
    with pytest.raises(UserError, match="No space left"):
        tryon.write(result, out)
    assert (out / "tryon.glb").read_bytes() == before and _names(out) == sorted(tryon.FILES)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _full_disk(*_, **__):
    raise OSError(28, "No space left on device")


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="thesis.txt"):
        tryon.check_out(tmp_path)
    with pytest.raises(UserError, match="file"):
        tryon.check_out(tmp_path / "thesis.txt")
    tryon.check_out(tmp_path / "new")


@pytest.fixture(scope="module")
def fresh_run(tmp_path_factory, smoke_data):
    """A transfer run's folder as it is before the first step, but sure that every pixel is a person."""
    from tryon_jax.stages import transfer as stage

    folder = tmp_path_factory.mktemp("run")
    config = transfer.get_config("smoke")
    config.data.folder = smoke_data
    batch = pipeline.stack([synthetic.open_split("smoke", "test", smoke_data)[0]])
    state = jax.tree.map(np.asarray, jax.jit(stage.build(config).init)(jax.random.key(0), batch))
    for params in (state.params, state.ema):
        bias = np.array(params["decoder"]["head"]["bias"])
        bias[-1] = 8.0  # the last channel is the mask's logit
        params["decoder"]["head"]["bias"] = bias
    summaries.write_json(folder / "config.json", config.to_dict())
    with checkpoint.open_run(folder) as manager:
        checkpoint.save(manager, 1, state, {}, {})
        checkpoint.finish(manager)
    return folder


def test_a_request_by_command_line(fresh_run, tmp_path):
    out = tmp_path / "out"
    done = _command(fresh_run, out, "--example=0")
    assert done.returncode == 0, done.stderr
    assert str(out / "tryon.glb") in done.stdout and _names(out) == sorted(tryon.FILES)
    wrong = _command(fresh_run, out, "--person=nowhere.png", "--garment=nowhere.png")
    last = wrong.stderr.strip().splitlines()[-1]
    assert wrong.returncode == 1 and "Traceback" not in wrong.stderr
    assert last.startswith("error: nowhere.png: no such file")


def test_garments_of_one_name_are_refused_before_anything_is_read(fresh_run, tmp_path):
    done = _command(fresh_run, tmp_path / "out", "--person=a.png", "--garment=b/tee.png", "--garment=c/tee.jpg")
    assert done.returncode == 1 and "two files are called tee" in done.stderr.strip().splitlines()[-1]


def _command(run, out, *request):
    command = [sys.executable, "-m", "tryon_jax.tryon", f"--workdir={run}", f"--out={out}", "--size=64", *request]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_runs_that_cannot_dress_are_refused(fresh_run, tmp_path):
    with pytest.raises(UserError, match="config.json"):
        tryon.load(tmp_path)
    config = checkpoint.run_config(fresh_run)
    summaries.write_json(tmp_path / "config.json", {**config, "stage": "ssl"})
    with pytest.raises(UserError, match="transfer"):
        tryon.load(tmp_path)


def test_a_photo_and_a_garment_reach_the_network_as_the_contract_says(fresh_run):
    """From pictures in memory to a mesh by an untrained network, twice the same."""
    from tryon_jax import data

    mask = np.zeros((120, 80), np.float32)
    mask[10:110, 25:55] = 1
    keypoints = np.tile(np.float32([40, 60, 1]), (17, 1))
    keypoints[0, 1], keypoints[5:7, 1], keypoints[11:13, 1], keypoints[15:, 1] = 18, 30, 57, 105
    rgb = (mask[..., None] * [120, 90, 60] + 40).astype(np.uint8)
    person = {"rgb": rgb, "mask": mask, "keypoints": keypoints, "segmentation": (mask * PART["upper"]).astype(np.int32)}
    garment = {"rgb": rgb, "mask": mask, "garment_class": 0}
    model = tryon.load(fresh_run)
    example, pictures = tryon.from_photos(person, garment, model.size, 2 * model.size)
    data.check(example, model.size)
    first, second = (tryon.wear(model, example, pictures) for _ in range(2))
    assert is_watertight(first.mesh.faces)
    np.testing.assert_array_equal(first.mesh.texture, second.mesh.texture)
    assert GARMENT_PARTS[GARMENT_CLASSES[int(example["garment_class"])]] == "upper"
