"""Protocols of published data sets: what their scripts give on made files in their layouts, and bad files are told."""

import json
import shutil

import made_weights
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from tryon_jax import evaluate, protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import catvton, hrviton, m3d_depth, photographs, runner
from tryon_jax.scores import efflite0, inception, lpips, sets


@pytest.fixture(scope="module")
def viton(tmp_path_factory):
    """(test/ in VITON-HD's layout with four people, folder of outputs), 192 x 256 pixels."""
    root, rng = tmp_path_factory.mktemp("viton"), np.random.default_rng(0)
    for folder in ("image", "cloth", "cloth-mask", "openpose_json", "agnostic-v3.2"):
        (root / "test" / folder).mkdir(parents=True)
    (root / "outputs").mkdir()
    joints = np.zeros((25, 3))
    for index, (x, y) in {2: (60, 60), 5: (130, 60), 3: (50, 110), 6: (140, 110), 9: (75, 160), 12: (115, 160)}.items():
        joints[index] = x, y, 0.9
    cut = np.zeros((256, 192), np.uint8)
    cut[30:220, 30:160] = 255
    lines = []
    for number in range(4):
        name = f"{number:05d}_00"
        picture = rng.integers(0, 255, (256, 192, 3), np.uint8)
        for folder in ("image", "cloth", "agnostic-v3.2"):
            Image.fromarray(picture).save(root / "test" / folder / f"{name}.png")
        Image.fromarray(picture // 2 + 30).save(root / "outputs" / f"{name}.png")
        Image.fromarray(cut).save(root / "test" / "cloth-mask" / f"{name}.png")
        people = {"people": [{"pose_keypoints_2d": joints.ravel().tolist()}]}
        (root / "test" / "openpose_json" / f"{name}_keypoints.json").write_text(json.dumps(people))
        lines.append(f"{name}.jpg {(number + 1) % 4:05d}_00.jpg")
    (root / "test_pairs.txt").write_text("\n".join(lines))
    return root / "test", root / "outputs"


def read(path, mode="RGB"):
    return np.asarray(Image.open(path).convert(mode)).astype(np.float64)


def test_hrviton_is_its_script(viton):
    rows = {row.name: row for row in runner.run(hrviton.task(viton[1], viton[0]))}
    settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255}
    names = [f"{number:05d}_00.png" for number in range(4)]
    grey = [[read(folder / name, "L") for folder in (viton[0] / "image", viton[1])] for name in names]
    expected = np.mean([structural_similarity(*pair, **settings) for pair in grey])
    np.testing.assert_allclose(rows["ssim_gaussian"].estimate.value, expected, rtol=1e-9)
    errors = [((read(viton[0] / "image" / name) - read(viton[1] / name)) ** 2).mean() / 255**2 for name in names]
    np.testing.assert_allclose(rows["mse"].estimate.value, np.mean(errors), rtol=1e-9)
    assert rows["mse"].beside["copied"] == 0  # this agnostic picture is the photo
    # The garment was painted with the person's own picture: pasting it changes the trunk and nothing else.
    assert 0 < rows["mse"].beside["pasted"] < rows["mse"].estimate.value * 3


def test_catvton_is_its_script(viton):
    rows = {row.name: row for row in runner.run(catvton.task(viton[1], viton[0] / "image"))}
    settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255, "channel_axis": -1}
    names = [f"{number:05d}_00.png" for number in range(4)]
    pairs = [[read(folder / name) for folder in (viton[0] / "image", viton[1])] for name in names]
    expected = np.mean([structural_similarity(*pair, **settings) for pair in pairs])
    np.testing.assert_allclose(rows["ssim_gaussian"].estimate.value, expected, rtol=1e-9)
    assert not rows["ssim_gaussian"].beside and rows.keys() == {"ssim_gaussian"}


def test_unpaired_photographs_have_set_distances_only(viton):
    network = runner.Network(efflite0.prepare, lambda pictures: pictures.mean((1, 2)) / 255)
    task = hrviton.task(viton[1], viton[0], "unpaired")
    rows = {row.name: row for row in runner.run(task, networks={"efflite0": network})}
    assert rows.keys() == set(protocols.DISTANCES)
    features = [
        np.stack(
            [efflite0.prepare(read(path).astype(np.uint8)).mean((0, 1)) / 255 for path in sorted(folder.iterdir())]
        )
        for folder in (viton[1], viton[0] / "image")
    ]
    assert rows["fid_efflite0"].estimate == sets.frechet_distance(*features, 0)
    assert rows["kid_efflite0"].estimate == sets.kernel_distance(*features, 0)
    np.testing.assert_allclose(rows["fid_efflite0"].beside["copied"], 0, atol=1e-9)  # the photos themselves
    assert rows["fid_efflite0"].beside["pasted"] > 0
    with pytest.raises(UserError, match="nothing to measure"):
        runner.run(task)


@pytest.fixture(scope="module")
def squeeze(tmp_path_factory):
    """--lpips of SqueezeNet as no training made it."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("squeeze")
    backbone, linear = lpips.shapes("squeeze")
    made_weights.write(folder / "backbone.pth", made_weights.drawn(backbone, rng))
    factors = {name: rng.random(shape, np.float32) for name, shape in linear.items()}
    made_weights.write(folder / "linear.pth", factors)
    return f"{folder / 'backbone.pth'},{folder / 'linear.pth'}"


def test_given_networks_add_rows_and_change_none(viton, squeeze, monkeypatch):
    monkeypatch.setattr(inception, "load", lambda path: [])
    monkeypatch.setattr(inception, "describe", lambda layers, inputs: inputs.mean((1, 2)))
    given = "catvton", viton[1], viton[0], 0, 0, "none"
    bare = evaluate.score_folder(*given)
    weights = squeeze.split(",")
    found = evaluate.score_folder(*given, (weights[0], squeeze))
    more = found["scores"].keys() - bare["scores"].keys()
    assert more == {"lpips_squeeze", "kid_inception", "fid_inception"}
    assert {name: found["scores"][name] for name in bare["scores"]} == bare["scores"]
    pictures = [
        [read(folder / f"{number:05d}_00.png").astype(np.uint8) for number in range(4)]
        for folder in (viton[1], viton[0] / "image")
    ]
    each = [lpips.distance("squeeze", lpips.load("squeeze", *weights), *pair) for pair in zip(*pictures, strict=True)]
    row = found["scores"]["lpips_squeeze"]
    np.testing.assert_allclose([row["value"], *row["interval_95"], row["n"]], sets.bootstrap_mean(each, 0), rtol=1e-6)
    assert row["floors"]["copied"] == 0 < row["floors"]["pasted"]  # this agnostic picture is the photo
    features = [np.stack([inception.prepare_clean(one).mean((0, 1)) for one in part]) for part in pictures]
    for name, distance in (("kid", sets.kernel_distance), ("fid", sets.frechet_distance)):
        row = found["scores"][f"{name}_inception"]
        np.testing.assert_allclose([row["value"], *row["interval_95"], row["n"]], distance(*features, 0), atol=1e-7)
        assert row["floors"].keys() == {"copied", "pasted"}
    assert sum(note.startswith("weights: ") for note in found["notes"]) == 3


def test_hrviton_compares_at_128_pixels(viton, monkeypatch):
    seen = []
    monkeypatch.setattr(lpips, "distance", lambda name, weights, *pair: seen.append((name, pair)) or 0.25)
    task = photographs.with_lpips(hrviton.task(viton[1], viton[0]), hrviton.PERCEPTION, None)
    scores = task.score(*task.read(1))
    assert scores["lpips_alex"] == 0.25 and scores.keys() == {"ssim_gaussian", "mse", "lpips_alex"}
    expected = Image.open(viton[1] / "00001_00.png").resize((128, 128), Image.Resampling.BILINEAR)
    name, (made, true) = seen[-1]
    assert name == "alex" and made.shape == true.shape
    np.testing.assert_array_equal(made, expected)


def test_networks_that_a_protocol_has_no_use_for_are_one_line(viton, squeeze):
    own = squeeze.split(",")[0]
    for protocol, perceived, says in (
        ("m3d_depth", (own, None), "--inception: is for --protocol=catvton and hrviton only"),
        ("synthetic_v1", (None, squeeze), "--lpips: is for --protocol=catvton and hrviton only"),
        ("catvton:unpaired", (None, squeeze), "--lpips: compares pairs, which unpaired outputs are not"),
        ("catvton", (None, own), "give two files, BACKBONE,LINEAR"),
        ("catvton", (own, None), "backbone.pth: no tensor fc.weight; give pt_inception-2015-12-05-6726825d.pth"),
        ("hrviton", (None, squeeze), "features.0.weight has shape .* give alexnet-owt"),
    ):
        with pytest.raises(UserError, match=says) as caught:
            evaluate.score_folder(protocol, viton[1], viton[0], network="none", perceived=perceived)
        assert "\n" not in str(caught.value)
    small = protocols.Task(["a"], lambda number: ({"picture": np.zeros((40, 30, 3))}, {}), *[None] * 6)
    with pytest.raises(UserError, match="outputs of 30 x 40 pixels; it takes 32 a side"):
        photographs.with_lpips(small, catvton.PERCEPTION, None)


def test_names_and_sizes_of_photographs(viton, tmp_path):
    assert hrviton.person("00006_00_00123_00") == "00006_00" and catvton.key("person_00006_00") == "00006_00"
    assert catvton.key("013563_0") == "013563_0"
    half = np.zeros((512, 384, 3), np.uint8)
    assert hrviton.resize(np.zeros((1024, 768, 3), np.uint8), (512, 384), "x.jpg").shape == half.shape
    assert catvton.resize(np.zeros((1024, 768, 3), np.uint8), (512, 384), "x.jpg").shape == half.shape
    with pytest.raises(UserError, match="x.jpg: 384 x 512 pixels; targets must be"):
        hrviton.resize(half, (256, 192), "x.jpg")
    with pytest.raises(UserError, match="x.jpg: 384 x 512 pixels, of another shape"):
        catvton.resize(half, (256, 256), "x.jpg")
    for do, says in (
        (lambda folder: (folder / "00002_00.png").unlink(), "no output 00002_00 in"),
        (lambda folder: shutil.copy(folder / "00002_00.png", folder / "00009_00.png"), "no target 00009_00 in"),
        (lambda folder: shutil.copy(folder / "00002_00.png", folder / "00002_01.png"), "is of 00002_00 too"),
        (lambda folder: shutil.copy(folder / "00002_00.png", folder / "look.png"), "start with a person's number"),
        (lambda folder: Image.new("RGB", (9, 9)).save(folder / "00000_00.png"), "9 x 9 pixels; this protocol takes"),
    ):
        folder = tmp_path / "outputs"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(viton[1], folder)
        do(folder)
        with pytest.raises(UserError, match=says):
            hrviton.task(folder, viton[0])


def test_openpose_joints_become_coco(tmp_path):
    points = np.arange(75, dtype=float).reshape(25, 3)
    points[:, 2] = 0.05
    points[2, 2] = 0.9  # the right shoulder
    (tmp_path / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": points.ravel().tolist()}]}))
    found = photographs._keypoints(tmp_path / "pose.json")
    assert found.shape == (17, 3) and found[:, 2].sum() == 1
    np.testing.assert_array_equal(found[6], [6, 7, 1])
    (tmp_path / "pose.json").write_text('{"people": []}')
    assert not photographs._keypoints(tmp_path / "pose.json").any()


@pytest.fixture
def mpv3d(tmp_path, rng):
    """(root with depth/ of three people, folder of outputs that are the truth 0.01 nearer the front camera)."""
    (tmp_path / "depth").mkdir()
    (tmp_path / "outputs").mkdir()
    inside = np.zeros(m3d_depth.SIZE, bool)
    inside[40:480, 90:200] = True
    for number in range(3):
        z = {
            "front": 0.1 + 0.02 * number + 0.05 * rng.random(inside.shape),
            "back": -0.1 - 0.05 * rng.random(inside.shape),
        }
        window = {"front": (1 - z["front"]) / 2 * inside, "back": ((1 + z["back"]) / 2 * inside)[:, ::-1]}
        for side in m3d_depth.SIDES:
            name = f"A{number}@1=person_whole_{side}_depth.npy"
            np.save(tmp_path / "depth" / name, window[side].astype(np.float32))
            np.save(tmp_path / "outputs" / name, ((z[side] + 0.01) * inside).astype(np.float32))
    return tmp_path, tmp_path / "outputs"


def test_m3d_depth_reads_the_published_files(mpv3d):
    rows = {row.name: row for row in runner.run(m3d_depth.task(mpv3d[1], mpv3d[0]))}
    for side in m3d_depth.SIDES:
        np.testing.assert_allclose(rows[f"{side}_abs"].estimate.value, 0.01, rtol=1e-4)
        np.testing.assert_allclose(rows[f"{side}_sq"].estimate.value, 1e-4, rtol=1e-4)
        np.testing.assert_allclose(rows[f"{side}_rmse"].estimate.value, 0.01, rtol=1e-4)
    # Distances are 1.84 to 1.9 in front and 1.85 to 1.9 behind.
    assert 0.01 / 1.9 < rows["front_abs_rel"].estimate.value < 0.01 / 1.8
    assert rows["view_crossing"].estimate.value == 0 == rows["view_crossing"].beside["truth"]
    truths = [np.load(path) for path in sorted((mpv3d[0] / "depth").glob("*front*"))]
    deviations = [(1 - 2 * window[window > 0]).std() for window in truths]
    np.testing.assert_allclose(rows["front_rmse"].beside["own_mean"], np.mean(deviations), rtol=1e-4)
    assert rows["front_rmse"].beside["constant"] > rows["front_rmse"].beside["own_mean"]
    (mpv3d[0] / "test_pairs.txt").write_text("A1@1=person_whole_front.png   C=cloth_front.jpg\n")
    assert m3d_depth.task(mpv3d[1], mpv3d[0]).names == ["A1@1"]


def test_bad_depth_maps_are_one_line(mpv3d):
    root, outputs = mpv3d
    file = outputs / "A1@1=person_whole_back_depth.npy"
    for value, says in (
        (np.zeros((512, 300), np.float32), "300 x 512 pixels, its target has 320 x 512"),
        (np.full(m3d_depth.SIZE, 0.45, np.float32), "looks like window depth; give z"),
        (np.full(m3d_depth.SIZE, np.inf, np.float32), "NaN or an infinity"),
    ):
        np.save(file, value)
        with pytest.raises(UserError, match=says) as caught:
            m3d_depth.task(outputs, root).read(1)
        assert str(file) in str(caught.value)
    file.unlink()
    with pytest.raises(UserError, match="no A1@1=person_.*_back_depth.npy; every target needs one"):
        m3d_depth.task(outputs, root)
    with pytest.raises(UserError, match="no file like ID=person_whole_front_depth.npy"):
        m3d_depth.task(root, root)
