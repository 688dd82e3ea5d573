"""Protocols on small made folders: truth is perfect, floors are what they say, formats agree, bad files are told."""

import json
import shutil

import numpy as np
import pytest
from made_outputs import COUNT, SIDE, Source, save
from PIL import Image
from skimage.metrics import structural_similarity

from tryon_jax import protocols
from tryon_jax.errors import UserError
from tryon_jax.protocols import report, runner, sheets, synthetic_v1
from tryon_jax.scores import depth, sets


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """(targets' folder, outputs' folder): the outputs are the truth."""
    root = tmp_path_factory.mktemp("truth")
    sheets.write_targets(Source(), root / "targets", {"data": "made"})
    for number in range(COUNT):
        target = sheets.from_example(Source()[number])
        save(root / "outputs" / f"{number:05d}", {key: target[key] for key in sheets.FILES})
    return root / "targets", root / "outputs"


@pytest.fixture
def outputs(truth, tmp_path):
    """A copy of the outputs, to be harmed."""
    shutil.copytree(truth[1], tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture(scope="module")
def rows(truth):
    task = synthetic_v1.task(truth[1], truth[0])
    return {row.name: row for row in runner.run(task)}


def test_every_protocol_keeps_the_contract():
    assert protocols.names() == ["catvton", "hrviton", "m3d_depth", "synthetic_v1"]
    for name in protocols.names():
        module = protocols.load(name)
        assert module.VARIANTS and callable(module.task) and "Outputs" in module.__doc__ and "Floors" in module.__doc__
        assert module.__doc__.strip() in protocols.described()
        assert all(measure.better in ("more", "less") and measure.about for measure in module.MEASURES.values())
    with pytest.raises(ValueError, match="choose one of catvton"):
        protocols.load("runner")


def test_the_truth_is_perfect(rows):
    perfect = {"ssim_gaussian": 1, "psnr": 100, "back_psnr": 100, "label_miou": 1, "silhouette_iou": 1}
    for name, row in rows.items():
        if name.startswith("view_"):
            np.testing.assert_allclose(row.estimate.value, row.beside["truth"])
        else:
            np.testing.assert_allclose(row.estimate.value, perfect.get(name, 0), atol=1e-6, err_msg=name)
    assert rows["psnr"].estimate.count == 2  # the photos of the others show the garment already
    assert rows["depth_abs"].estimate.count == COUNT
    assert "ms_ssim" not in rows and "kid_efflite0" not in rows


def test_floors_are_what_they_say(rows):
    targets = [sheets.from_example(Source()[number]) for number in range(COUNT)]
    constants = [np.mean([t[f"{side}_depth"][t["mask"]].mean() for t in targets]) for side in sheets.SIDES]
    expected = np.mean(
        [
            np.abs(t[f"{side}_depth"][t["mask"]] - constant).mean()
            for t in targets
            for side, constant in zip(sheets.SIDES, constants, strict=True)
        ]
    )
    np.testing.assert_allclose(rows["depth_abs"].beside["constant"], expected, rtol=1e-5)
    copied = []
    for t in targets:
        if not t["same_garment"]:
            seen, true = t["person"].copy(), t["front_rgb"].copy()
            seen[t["person_segmentation"] == 0] = 0.5
            true[~t["mask"]] = 0.5
            settings = {"gaussian_weights": True, "use_sample_covariance": False, "channel_axis": -1}
            copied.append(structural_similarity(seen, true, data_range=1.0, **settings))
    np.testing.assert_allclose(rows["ssim_gaussian"].beside["copied"], np.mean(copied), rtol=1e-5)
    assert set(rows["psnr"].beside) == {"copied", "pasted"}
    assert rows["psnr"].beside["pasted"] != rows["psnr"].beside["copied"]


def test_a_folder_of_targets_gives_what_the_data_give(truth, rows):
    direct = {row.name: row for row in runner.run(synthetic_v1.task(truth[1], Source()))}
    assert direct == rows
    for number in range(COUNT):
        stored, given = sheets.read_target(truth[0] / f"{number:05d}"), sheets.from_example(Source()[number])
        assert stored.keys() == given.keys()
        for key in given:
            np.testing.assert_array_equal(stored[key], given[key], err_msg=key)


def test_an_archive_counts_as_the_files_do(truth, outputs, rows):
    for number in range(COUNT):
        made = Source()[number]
        folder = outputs / f"{number:05d}"
        np.savez_compressed(folder / sheets.NPZ, **{key: made[key] for key in sheets.FILES}, camera=made["camera"])
        Image.new("RGB", (9, 9)).save(folder / "front.png")  # tryon's own view of the mesh, of another size
    assert {row.name: row for row in runner.run(synthetic_v1.task(outputs, truth[0]))} == rows


def test_what_tryon_writes_can_be_scored(truth, outputs):
    """A network that knows the truth, through tryon's own composition: near the truth, and no file is refused."""
    from tryon_jax import tryon

    for number in range(COUNT):
        made = Source()[number]
        known = {key: made[key] for key in sheets.FILES} | {"mask": 0.02 + 0.96 * made["mask"]}
        for side in sheets.SIDES:
            known |= {f"{side}_own": made[f"{side}_rgb"], f"{side}_shading": np.ones((SIDE, SIDE, 1), np.float32)}
            known[f"{side}_blend"] = np.broadcast_to(np.float32([1, 0, 0]), (SIDE, SIDE, 3))
            known[f"{side}_garment_uv"] = made[f"{side}_garment_uv"]
        made["person_segmentation"] = made["front_segmentation"]
        model = tryon.Model(lambda _, known=known: known, SIDE)
        result = tryon.wear(model, *tryon.from_example(made))
        folder = outputs / f"{number:05d}"
        shutil.rmtree(folder)
        folder.mkdir()
        np.savez_compressed(folder / sheets.NPZ, **result.sheets)
    found = {row.name: row.estimate.value for row in runner.run(synthetic_v1.task(outputs, truth[0]))}
    assert found["depth_abs"] < 0.01 and found["silhouette_iou"] > 0.95 and found["label_miou"] > 0.9
    assert found["normal_angle"] < 15 and found["chamfer"] < 0.01 and found["view_silhouette_iou"] == 1


def test_only_what_is_there_is_measured(truth, outputs):
    for folder in outputs.iterdir():
        for file in folder.iterdir():
            if file.name not in ("front.png", "mask.png"):
                file.unlink()
    task = synthetic_v1.task(outputs, truth[0], limit=3)
    names = {row.name for row in runner.run(task)}
    assert names == {"ssim_gaussian", "psnr", "garment_delta_e76", "silhouette_iou"}
    assert task.names == ["00000", "00001", "00002"] and "front_depth.npy" in " ".join(task.notes)


def harm(name):
    """What to do to a folder of outputs, and what the one line must say."""

    def picture(file, mode, size=(SIDE, SIDE), value=0):
        return lambda folder: Image.new(mode, size, value).save(folder / "00001" / file)

    def array(file, value):
        return lambda folder: np.save(folder / "00001" / file, value)

    def archive(**arrays):
        return lambda folder: np.savez(folder / "00001" / sheets.NPZ, **arrays)

    def cut(file):
        return lambda folder: (folder / "00001" / file).write_bytes((folder / "00001" / file).read_bytes()[:60])

    flat = np.zeros((SIDE, SIDE), np.float32)
    return {
        "no example": (lambda folder: shutil.rmtree(folder / "00001"), "00001: no such folder"),
        "no file": (lambda folder: (folder / "00001" / "back.png").unlink(), "00001: no back.png"),
        "no needed file": (lambda folder: (folder / "00001" / "mask.png").unlink(), "00001: no mask.png; is needed"),
        "size": (picture("front.png", "RGB", (SIDE, 30)), "front.png: 32 x 30 pixels, its target has 32 x 32"),
        "mode": (picture("front.png", "RGBA"), "front.png: a picture of mode RGBA; save it as 8-bit RGB"),
        "mask's mode": (picture("mask.png", "RGB"), "mask.png: a mask of mode RGB"),
        "label": (picture("front_labels.png", "L", value=16), "front_labels.png: label 16 is outside 0..15"),
        "label's mode": (picture("back_labels.png", "RGB"), "back_labels.png: a label map of mode RGB"),
        "NaN": (array("front_depth.npy", flat * np.nan), "front_depth.npy: it holds a NaN"),
        "dtype": (array("front_depth.npy", flat.astype(int)), "front_depth.npy: it holds int64; save float32"),
        "shape": (
            array("back_normals.npy", flat),
            r"back_normals.npy: its shape is \(32, 32\); save height x width",
        ),
        "depth's size": (array("back_depth.npy", flat[1:]), "back_depth.npy: 32 x 31 pixels"),
        "cut picture": (cut("front.png"), "front.png: cannot be read as a picture"),
        "cut array": (cut("front_depth.npy"), "front_depth.npy: cannot be read as a .npy file"),
        "archive": (archive(front_rgb=flat), "00001: no array mask in sheets.npz"),
        "no archive": (lambda folder: (folder / "00001" / sheets.NPZ).write_bytes(b"PK"), "sheets.npz: cannot be read"),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "no example", "no file", "no needed file", "size", "mode", "mask's mode", "label", "label's mode", "NaN",
        "dtype", "shape", "depth's size", "cut picture", "cut array", "archive", "no archive",
    ],
)  # fmt: skip
def test_bad_outputs_are_one_line(truth, outputs, name):
    do, says = harm(name)
    do(outputs)
    with pytest.raises(UserError, match=says) as caught:
        task = synthetic_v1.task(outputs, truth[0])
        task.read(1)
    assert "\n" not in str(caught.value) and str(outputs) in str(caught.value)


def test_a_bad_archive_is_one_line(truth, outputs):
    made = Source()[1]
    good = {key: made[key] for key in sheets.FILES}
    for key, value, says in (
        ("front_rgb", made["front_rgb"] + 1, "front_rgb: values from 1 to 1.96; they must lie"),
        ("front_rgb", np.full((SIDE, SIDE, 3), np.nan, np.float32), "front_rgb: it holds a NaN"),
        ("front_segmentation", made["front_segmentation"] + 16, "front_segmentation: must be whole numbers 0..15"),
        ("mask", made["mask"][:9], "mask: 32 x 9 pixels, its target has 32 x 32"),
    ):
        np.savez(outputs / "00001" / sheets.NPZ, **{**good, key: value})
        task = synthetic_v1.task(outputs, truth[0])
        with pytest.raises(UserError, match=says):
            task.read(1)


def test_folders_that_hold_nothing_are_one_line(truth, tmp_path):
    (tmp_path / "empty").mkdir()
    for made, true, says in (
        (tmp_path / "none", truth[0], "none: no such folder; give an existing one as --outputs"),
        (tmp_path / "empty", truth[0], "empty: the folder is empty; give one that holds files as --outputs"),
        (truth[1], tmp_path / "empty", "empty: the folder is empty; give one that holds files as --targets"),
        (truth[1], truth[1], "no folder with example.json in it; write the targets by --export"),
    ):
        with pytest.raises(UserError, match=says):
            synthetic_v1.task(made, str(true))


def test_targets_are_written_on_and_never_over_others(truth, tmp_path):
    folder = tmp_path / "targets"
    shutil.copytree(truth[0], folder)
    shutil.rmtree(folder / "00002")
    (folder / ".00003.part").mkdir()
    before = (folder / "00001" / "front.png").stat().st_mtime_ns
    sheets.write_targets(Source(), folder, {"data": "made"})
    assert sheets.read_target(folder / "00002") and (folder / "00001" / "front.png").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="targets of other data"):
        sheets.write_targets(Source(), folder, {"data": "others"})
    with pytest.raises(UserError, match="holds something else"):
        sheets.write_targets(Source(), tmp_path, {"data": "made"})
    (folder / "00002" / "example.json").write_text("{}")
    with pytest.raises(UserError, match="example.json: no target's description"):
        sheets.read_target(folder / "00002")


def test_tables_and_json_say_the_same_and_nothing_that_is_not_a_number():
    measure = protocols.Measure("m", "less", "an error")
    some = runner.Row("some", measure, sets.Estimate(0.5, 0.25, 0.75, 9), {"constant": 2.0, "truth": 0.0})
    none = runner.Row("none", measure, sets.Estimate(*[float("nan")] * 3, 0), {})
    lines = report.table([some, none]).splitlines()
    assert lines[0].split() == ["score", "unit", "better", "value", "95", "%", "interval", "n", "constant", "truth"]
    assert lines[1].split() == ["some", "m", "less", "0.5", "0.25", "..", "0.75", "9", "2", "0"]
    assert lines[2].split() == ["none", "m", "less", "-", "-", "0", "-", "-"]
    found = json.loads(json.dumps(report.as_json([some, none]), allow_nan=False))
    assert found["some"]["interval_95"] == [0.25, 0.75] and found["some"]["floors"] == {"constant": 2.0, "truth": 0.0}
    assert found["none"]["value"] is None


def test_examples_are_spread_over_the_set():
    assert protocols.spread(list("abcdefgh"), 3) == ["a", "c", "f"]
    assert protocols.spread(list("ab"), 0) == protocols.spread(list("ab"), 9) == ["a", "b"]


def test_depth_is_judged_on_the_targets_silhouette(truth, outputs):
    for number in range(COUNT):
        target = sheets.from_example(Source()[number])
        half = target["mask"] & (np.arange(SIDE) < SIDE // 2)
        save(outputs / f"{number:05d}", {"mask": half, "front_depth": target["front_depth"] * half})
    task = synthetic_v1.task(outputs, truth[0])
    made, target = task.read(0)
    expected = [depth.absolute(made[f"{side}_depth"], target[f"{side}_depth"], target["mask"]) for side in sheets.SIDES]
    assert expected[0] > 0.01  # a silhouette cut short does not hide what is missing
    np.testing.assert_allclose(task.score(made, target)["depth_abs"], np.mean(expected))
