"""Faults planted into copies of MPV-3D and CLOTH3D, one a test: each is found, and nothing besides."""

import functools
import shutil
import struct

import doctored
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tryon_jax.data import cloth3d

FAULTS = []
mpv = functools.partial(doctored.planted, FAULTS, "mpv3d", "")
cloth = functools.partial(doctored.planted, FAULTS, "cloth3d", "")
FRONT, BACK = (f"depth/LOOK0001A-A11@9=person_whole_{side}_depth.npy" for side in ("front", "back"))
SAMPLE, TWIN = sorted(  # of the training part, and of the test part
    (place.name for place in doctored.folder("cloth3d").iterdir()), key=cloth3d.is_held_out
)[::3]


def redepth(root, name, change):
    """Writes a depth file anew as change(depth) of it."""
    np.save(root / name, change(np.load(root / name)))


def reinfo(root, **changed):
    """Writes the sample's info.mat anew; a key that is None is left out."""
    path = root / SAMPLE / "info.mat"
    info = {key: value for key, value in loadmat(path).items() if not key.startswith("__")} | changed
    savemat(path, {key: value for key, value in info.items() if value is not None})


def patched(path, offset, data):
    """Overwrites bytes of a file."""
    whole = bytearray(path.read_bytes())
    whole[offset : offset + len(data)] = data
    path.write_bytes(whole)


# ---- MPV-3D


@mpv("depth flip", BACK)
def back_not_flipped(root):
    redepth(root, BACK, lambda depth: depth[:, ::-1])


@mpv("depth flip", FRONT)
def front_and_back_swapped(root):
    front = np.load(root / FRONT)
    shutil.copy(root / BACK, root / FRONT)
    np.save(root / BACK, front)


@mpv("depth convention", FRONT)
def z_decoded_already(root):
    redepth(root, FRONT, lambda depth: ((1 - 2 * depth) * (depth > 0)).astype(np.float32))


@mpv("depth convention", BACK)
def ground_at_the_far_plane(root):
    redepth(root, BACK, lambda depth: np.where(depth > 0, depth, np.float32(1)))


@mpv("depth convention", BACK)
def ground_in_the_middle(root):
    redepth(root, BACK, lambda depth: np.where(depth > 0, depth, np.float32(0.5)))


@mpv("depth order", FRONT)
def depth_that_grows_toward_the_camera(root):
    for name in (FRONT, BACK):
        redepth(root, name, lambda depth: np.where(depth > 0, 1 - depth, depth))


@mpv("depth type", FRONT)
def depth_of_float64(root):
    redepth(root, FRONT, lambda depth: depth.astype(np.float64))


@mpv("depth size", BACK)
def depth_on_its_side(root):
    redepth(root, BACK, lambda depth: np.ascontiguousarray(depth.T))


@mpv("not a number", FRONT)
def depth_with_nan(root):
    redepth(root, FRONT, lambda depth: np.where(np.arange(320) == 5, np.float32(np.nan), depth))


@mpv("damaged file", BACK)
def truncated_depth(root):
    (root / BACK).write_bytes((root / BACK).read_bytes()[:5000])


@mpv("damaged file", FRONT)
def depth_without_bytes(root):
    (root / FRONT).write_bytes(b"")


@mpv("depth of another", BACK)
def depth_of_half_a_person(root):
    redepth(root, BACK, lambda depth: np.where(np.arange(512)[:, None] < 250, 0, depth).astype(np.float32))


@mpv("absent file", BACK)
def back_absent(root):
    (root / BACK).unlink()


@mpv("mirrored", "image-parse/LOOK0002A-A11@9=person_whole_front_label.png")
def mirrored_label_map(root):
    path = root / "image-parse/LOOK0002A-A11@9=person_whole_front_label.png"
    doctored.rewrite(path, lambda parse: parse[:, ::-1])


@mpv("mirrored", "image/LOOK0003A-A11@9=person_whole_front.png")
def mirrored_photo(root):
    path = root / "image/LOOK0003A-A11@9=person_whole_front.png"
    doctored.rewrite(path, lambda photo: photo[:, ::-1])


@mpv("inverted mask", "cloth-mask/LOOK0001A-A11@12=cloth_front_mask.jpg")
def inverted_mask(root):
    path = root / "cloth-mask/LOOK0001A-A11@12=cloth_front_mask.jpg"
    doctored.rewrite(path, lambda mask: 255 - mask)


@mpv("unpaired pair", "train_pairs.txt")
def pairs_of_two_products(root):
    text = (root / "train_pairs.txt").read_text()
    (root / "train_pairs.txt").write_text(text.replace("LOOK0000A-A11@12", "LOOK0002A-A11@12"))


@mpv("file names", "test_pairs.txt")
def names_without_equals_sign(root):
    text = (root / "test_pairs.txt").read_text()
    (root / "test_pairs.txt").write_text(text + "\nLOOK0002A-A11@9_whole_front.png LOOK0002A-A11@12_front.jpg")


# ---- CLOTH3D


@cloth("point cache", f"{SAMPLE}/Top.pc16")
def signature(root):
    patched(root / SAMPLE / "Top.pc16", 0, b"NOPOINTS")


@cloth("point cache", f"{SAMPLE}/Skirt.pc16")
def cut_short(root):
    path = root / SAMPLE / "Skirt.pc16"
    path.write_bytes(path.read_bytes()[:-6])


@cloth("number of vertices", f"{SAMPLE}/Top.pc16")
def other_number_of_points(root):
    path = root / SAMPLE / "Top.pc16"
    whole = path.read_bytes()
    count, frames = struct.unpack_from("<i", whole, 16)[0], struct.unpack_from("<i", whole, 28)[0]
    patched(path, 16, struct.pack("<i", count - 1))
    path.write_bytes(path.read_bytes()[: -6 * frames])


@cloth("number of frames", f"{SAMPLE}/Top.pc16")
def one_frame_fewer(root):
    path = root / SAMPLE / "Top.pc16"
    count, frames = (
        struct.unpack_from("<i", path.read_bytes(), 16)[0],
        struct.unpack_from("<i", path.read_bytes(), 28)[0],
    )
    patched(path, 28, struct.pack("<i", frames - 1))
    path.write_bytes(path.read_bytes()[: -6 * count])


@cloth("not a number", f"{SAMPLE}/Top.pc16")
def vertex_that_is_nan(root):
    patched(root / SAMPLE / "Top.pc16", 32, np.float16(np.nan).tobytes())


@cloth("absent file", f"{SAMPLE}/Top.png")
def texture_absent(root):
    (root / SAMPLE / "Top.png").unlink()


@cloth("damaged file", f"{SAMPLE}/Skirt.obj")
def damaged_obj(root):
    path = root / SAMPLE / "Skirt.obj"
    path.write_text(path.read_text()[:2000])


@cloth("damaged file", f"{SAMPLE}/info.mat")
def truncated_info(root):
    path = root / SAMPLE / "info.mat"
    path.write_bytes(path.read_bytes()[:200])


@cloth("absent file", f"{SAMPLE}/info.mat")
def info_absent(root):
    (root / SAMPLE / "info.mat").unlink()


@cloth("contents of info.mat", f"{SAMPLE}/info.mat")
def poses_turned(root):
    reinfo(root, poses=np.zeros((2, 72)))


@cloth("number of frames", f"{SAMPLE}/info.mat")
def poses_of_other_frames(root):
    reinfo(root, poses=np.zeros((72, 5)))


@cloth("contents of info.mat", f"{SAMPLE}/info.mat")
def key_absent(root):
    reinfo(root, zrot=None)


@cloth("contents of info.mat", f"{SAMPLE}/info.mat")
def shape_of_another_body_model(root):
    reinfo(root, shape=np.zeros(16))


@cloth("overlap by content", f"{SAMPLE}/Skirt.pc16")
def sample_in_both_parts(root):
    shutil.rmtree(root / TWIN)
    shutil.copytree(root / SAMPLE, root / TWIN)


@pytest.mark.parametrize(("name", "layout", "damage", "kind", "file"), FAULTS)
def test_a_planted_fault_is_found(name, layout, damage, kind, file, tmp_path):
    assert doctored.found(name, layout, damage, tmp_path) == [(kind, file)]


def test_samples_in_folders_of_splits_are_found(tmp_path):
    root = doctored.copy("cloth3d", tmp_path)
    for place in list(root.iterdir()):
        part = root / ("test" if cloth3d.is_held_out(place.name) else "train")
        part.mkdir(exist_ok=True)
        place.rename(part / place.name)
    found = doctored.doctor.examine("cloth3d", root)
    assert found.pairs == 4 and not found.findings
    shutil.copytree(root / "train" / SAMPLE, root / "test" / SAMPLE)
    assert [one.kind for one in doctored.doctor.examine("cloth3d", root).findings] == ["overlap by name"]
