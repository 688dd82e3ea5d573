"""Garment photographs: what lies in a folder is what is read, splits are fixed and share nothing, damage is named."""

import gzip
import pathlib
import shutil
import struct
from collections import Counter

import lookalikes
import numpy as np
import pytest
from made_people import example as person
from PIL import Image
from test_viton_hd import InThisProcess

from tryon_jax import augment, data
from tryon_jax.data import garment_photos as photos
from tryon_jax.data import prepared
from tryon_jax.data.formats import idx, pictures
from tryon_jax.data.lookalike import garment_photos as writer
from tryon_jax.data.prepared import builder
from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES

PACKS = pathlib.Path(__file__).parents[2] / "shared" / "real" / "free" / "packs"


def picture(seed, height, width):
    """A smooth picture uint8 [height, width, 3], another for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


def save(path, rgb, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, **options)


def folder_of(root, count=40, labels=("dress", "hat")):
    """A folder of `count` PNGs in each of the classes."""
    for place, label in enumerate(labels):
        for number in range(count):
            save(root / label / f"{label}{number}.png", picture(place * count + number, 12, 8))
    return root


def names(root):
    return {split: [one.path.relative_to(root).as_posix() for one in photos.photographs(root, split)]
            for split in photos.SPLITS}  # fmt: skip


def idx_bytes(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


# ---- what is written is read


@pytest.mark.parametrize("shape", [(40, 30), (30, 40), (32, 32), (16, 8), (1, 64)])
def test_a_photograph_fills_the_square_with_its_longer_side(shape):
    rgb = picture(0, *shape)
    example = photos.example(rgb, "skirt", 32)
    data.check({key: value for key, value in example.items() if key != "caption"}, 32)
    mask = example["mask"][..., 0] > 0
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = (max(1, round(32 * side / max(shape))) for side in shape)
    assert (len(rows), len(columns), mask.sum()) == (height, width, height * width)
    assert abs(rows[0] + rows[-1] - 31) <= 1 and abs(columns[0] + columns[-1] - 31) <= 1
    inside = example["front_rgb"][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # Means over pixels are kept whatever the filter; the border's half pixels are what differs.
    np.testing.assert_allclose(inside.mean((0, 1)), rgb.mean((0, 1)) / 255, atol=0.03)
    assert not example["front_rgb"][~mask].any()
    np.testing.assert_array_equal(example["person"][mask], example["front_rgb"][mask])
    assert len(np.unique(example["person"][~mask], axis=0)) <= 1
    assert {name for name, flag in example["has"].items() if flag} == {"rgb", "mask"}
    assert GARMENT_CLASSES[example["garment_class"]] == "lower" and example["caption"] == "a garment: skirt"


def test_a_photograph_of_the_squares_size_is_kept_to_the_byte(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    save(tmp_path / "shirt" / "a.png", rgb)
    one = photos.Photograph("a.png", "shirt", tmp_path / "shirt" / "a.png")
    example = photos.read(32, one)
    np.testing.assert_array_equal(np.round(example["front_rgb"] * 255), rgb)


def test_every_kind_of_picture_is_read_upright_and_on_white(tmp_path):
    rgb = picture(1, 48, 32)
    clear = np.concatenate([rgb, np.full((48, 32, 1), 255, np.uint8)], -1)
    clear[:, 16:, 3] = 0
    save(tmp_path / "clear.png", clear)
    save(tmp_path / "grey.jpg", rgb[..., 0], quality=95)
    turned = Image.Exif()
    turned[0x0112] = 6  # EXIF's orientation: to be turned a quarter clockwise
    save(tmp_path / "turned.jpg", np.ascontiguousarray(np.rot90(rgb)), exif=turned, quality=95, subsampling=0)
    Image.fromarray(rgb).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "print.jpeg", quality=95)
    read = {path.stem: pictures.photograph(path, 32).astype(int) for path in tmp_path.iterdir()}
    assert {name: array.shape for name, array in read.items()} == dict.fromkeys(read, (48, 32, 3))
    np.testing.assert_array_equal(read["clear"][:, :16], rgb[:, :16])
    assert (read["clear"][:, 16:] == 255).all()
    assert np.abs(read["grey"] - rgb[..., :1]).mean() < 2 and np.abs(read["turned"] - rgb).mean() < 4
    assert np.abs(read["palette"] - rgb).mean() < 30 and np.abs(read["print"] - rgb).mean() < 8


def test_a_large_jpeg_is_read_smaller_but_never_too_small(tmp_path):
    rgb = picture(2, 400, 640)
    save(tmp_path / "large.jpg", rgb, quality=95)
    for least in (32, 64, 256):
        found = pictures.photograph(tmp_path / "large.jpg", least)
        assert least <= min(found.shape[:2]) <= 400 and (least > 100 or min(found.shape[:2]) < 200)
        small, whole = (
            np.asarray(Image.fromarray(a).resize((20, 12), Image.Resampling.BOX), int) for a in (found, rgb)
        )
        assert np.abs(small - whole).mean() < 4


# ---- splits


def test_names_alone_decide_splits_and_nothing_is_in_both(tmp_path):
    root = folder_of(tmp_path / "a")
    found = names(root)
    assert len(found["train"]) + len(found["test"]) == 80 and 2 <= len(found["test"]) <= 20
    assert not set(found["train"]) & set(found["test"])
    # Other folders, further files and other bytes move nothing.
    moved = tmp_path / "b" / "validation"
    shutil.copytree(root, moved)
    folder_of(tmp_path / "b" / "train", 5, ("shoes",))
    kept = [name.removeprefix("validation/") for name in names(tmp_path / "b")["test"] if "shoes" not in name]
    assert kept == found["test"]
    save(root / found["test"][0], picture(999, 20, 20))
    assert names(root) == found
    assert Counter(one.label for one in photos.photographs(tmp_path / "b", "train")).keys() == {"dress", "hat", "shoes"}


def test_equal_content_is_kept_once_and_held_out_if_it_ever_is(tmp_path):
    root = folder_of(tmp_path)
    before = names(root)
    held, trained = before["test"][0], before["train"][0]
    # Copies under names of either split.
    free = {split: iter([f"copy{n}.png" for n in range(99) if photos.is_held_out(f"copy{n}.png") == (split == "test")])
            for split in photos.SPLITS}  # fmt: skip
    shutil.copy(root / held, root / "hat" / next(free["train"]))
    shutil.copy(root / trained, root / "hat" / next(free["train"]))
    shutil.copy(root / before["train"][1], root / "hat" / next(free["test"]))
    after = names(root)
    contents = [(root / name).read_bytes() for split in photos.SPLITS for name in after[split]]
    assert len(contents) == len(set(contents)) == 80
    assert held in after["test"] and len(after["test"]) == len(before["test"]) + 1


def test_a_share_holds_all_classes(tmp_path):
    found = photos.photographs(folder_of(tmp_path), "train")
    first = Counter(one.label for one in found[: len(found) // 3])
    assert min(first.values()) > 4 and first.keys() == {"dress", "hat"}


# ---- IDX


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_pairs_are_read_with_their_labels(ending, tmp_path):
    rng = np.random.default_rng(3)
    images, labels = rng.integers(0, 256, (50, 28, 28), np.uint8), rng.integers(0, 10, 50).astype(np.uint8)
    images[49] = images[0]
    for name, array in ((f"t10k{idx.IMAGES}", images), (f"t10k{idx.LABELS}", labels)):
        stored = idx_bytes(array)
        (tmp_path / f"{name}{ending}").write_bytes(gzip.compress(stored) if ending else stored)
    found = {split: photos.photographs(tmp_path, split) for split in photos.SPLITS}
    assert len(found["train"]) + len(found["test"]) == 49
    for one in found["train"] + found["test"]:
        number = int(one.name.removeprefix("t10k-"))
        np.testing.assert_array_equal(one.pixels, images[number])
        assert one.label == str(labels[number])
    example = photos.open_split("smoke", "train", tmp_path)[0]
    small = np.asarray(Image.fromarray(found["train"][0].pixels).resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(example["front_rgb"], small[..., None].repeat(3, -1) / 255, atol=1e-6)


@pytest.mark.parametrize("harm", ["truncated", "gzip", "magic", "labels", "missing", "none", "huge"])
def test_a_damaged_idx_file_is_named(harm, tmp_path):
    images, labels = (tmp_path / f"train{ending}.gz" for ending in (idx.IMAGES, idx.LABELS))
    stored = idx_bytes(np.zeros((20, 28, 28), np.uint8))
    images.write_bytes(gzip.compress(stored))
    labels.write_bytes(gzip.compress(idx_bytes(np.zeros(19 if harm == "labels" else 20, np.uint8))))
    if harm == "truncated":
        images.write_bytes(gzip.compress(stored[:-5]))
    elif harm == "gzip":
        images.write_bytes(images.read_bytes()[:-9])
    elif harm == "magic":
        images.write_bytes(gzip.compress(b"\0\0\x0d\3" + stored[4:]))
    elif harm == "huge":
        images.write_bytes(gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, *[2**32 - 1] * 3)))
    elif harm == "none":
        images.write_bytes(gzip.compress(idx_bytes(np.zeros((0, 28, 28), np.uint8))))
        labels.write_bytes(gzip.compress(idx_bytes(np.zeros(0, np.uint8))))
    elif harm == "missing":
        labels.unlink()
    blamed = tmp_path / f"train{idx.LABELS}" if harm == "missing" else labels if harm == "labels" else images
    with pytest.raises(UserError) as raised:
        photos.open_split("smoke", "train", tmp_path)
    assert str(raised.value).startswith(f"{blamed}: ") and "\n" not in str(raised.value)


# ---- what is wrong is said


def test_a_folder_without_photographs_is_refused(tmp_path):
    for folder, said in ((tmp_path, "no picture .jpg"), (tmp_path / "nothing", "no such folder"), ("", "is empty")):
        with pytest.raises(UserError, match=said) as raised:
            photos.open_split("smoke", "train", folder)
        assert photos.TERMS.where in str(raised.value) and "\n" not in str(raised.value)
    folder_of(tmp_path, 3, ("hat",))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "LICENSE").write_text("CC0")
    assert {one.label for one in photos.photographs(tmp_path, "train")} == {"hat"}
    (tmp_path / "shoes").mkdir()
    (tmp_path / "shoes" / "notes.txt").write_text("to come")
    with pytest.raises(UserError, match="shoes: no picture"):
        photos.open_split("smoke", "train", tmp_path)


def test_a_split_without_photographs_is_refused(tmp_path):
    name = next(f"{number}.png" for number in range(99) if not photos.is_held_out(f"{number}.png"))
    save(tmp_path / name, picture(0, 8, 8))
    assert photos.open_split("smoke", "train", tmp_path)[0]["caption"] == "a garment"
    with pytest.raises(UserError, match="none of 1 photographs is for the split test"):
        photos.open_split("smoke", "test", tmp_path)
    with pytest.raises(ValueError, match="train, test"):
        photos.open_split("smoke", "validation", tmp_path)
    with pytest.raises(UserError, match="no such preset"):
        photos.open_split("tiny", "train", tmp_path)


@pytest.mark.parametrize("harm", ["truncated", "text", "nothing", "deep", "gone"])
def test_a_damaged_photograph_is_named(harm, tmp_path):
    path = tmp_path / "hat" / next(f"{n}.jpg" for n in range(99) if not photos.is_held_out(f"{n}.jpg"))
    save(path, picture(0, 64, 64))
    source = photos.open_split("smoke", "train", tmp_path)
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:-300])
    elif harm == "text":
        path.write_text("<html>not found</html>")
    elif harm == "nothing":
        path.write_bytes(b"")
    elif harm == "deep":
        Image.fromarray(np.full((9, 9), 1000, np.uint16)).save(path, format="PNG")
    else:
        path.unlink()
    with pytest.raises(UserError) as raised:
        source[0]
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_a_link_to_nothing_is_named(tmp_path):
    folder_of(tmp_path, 3, ("hat",))
    (tmp_path / "hat" / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(UserError, match="lost.jpg: cannot be read"):
        photos.open_split("smoke", "train", tmp_path)


# ---- what others make of it


def test_the_lookalike_is_read_and_prepared(tmp_path, monkeypatch):
    root = lookalikes.folder("garment_photos")
    people = lookalikes.people(writer.CLASSES)
    for split in photos.SPLITS:
        found = photos.photographs(root, split)
        assert Counter(one.label for one in found) == Counter(
            GARMENT_CLASSES[e["garment_class"]] for e in people[split]
        )
    monkeypatch.setattr(builder.staging, "make", InThisProcess())
    place = builder.prepare("garment_photos", "smoke", str(root), str(tmp_path))
    assert prepared.is_prepared(place)
    ours, direct = (photos.open_split("smoke", "test", folder) for folder in (place, root))
    assert len(ours) == len(direct)
    assert ours[0]["has"] == direct[0]["has"] and ours[0]["caption"] == direct[0]["caption"]
    for key in ("person", "garment", "front_rgb", "mask", "camera"):
        np.testing.assert_allclose(ours[0][key], direct[0][key], atol=0.51 / 255, err_msg=key)


def test_what_is_moved_is_still_all_that_the_loss_sees():
    """Augmentation keeps the rectangle as the silhouette: has.mask 0 would leave nothing to learn from."""
    example = photos.example(picture(4, 40, 30), "hat", 32)
    example = {key: value for key, value in example.items() if key != "caption"}
    moved = augment.apply(example, augment.identity())
    np.testing.assert_allclose(moved["front_rgb"], example["front_rgb"], atol=1e-6)
    np.testing.assert_array_equal(moved["mask"], example["mask"])
    assert set(example) == set(person(0, 32)) and moved["mask"].sum() == 24 * 32


@pytest.mark.skipif(not PACKS.is_dir(), reason="the packs of real pictures are not here")
def test_a_thousand_of_fashion_mnist():
    found = {split: photos.photographs(PACKS, split) for split in photos.SPLITS}
    assert sum(map(len, found.values())) == 1000 and 60 < len(found["test"]) < 150
    assert {one.label for one in found["train"]} == set("0123456789")
    # Class 1 is trousers, class 0 T-shirts: between the legs it is dark, on a chest it is not.
    legs, chests = (np.mean([one.pixels[18:26, 13:15].mean() for one in found["train"] if one.label == label])
                    for label in "10")  # fmt: skip
    assert legs < 0.7 * chests
