"""Bad and unusual picture files: each is read rightly or refused in one line that names it."""

import numpy as np
import pytest
from PIL import Image

from tryon_jax.errors import UserError
from tryon_jax.photo import picture


def _gradient(height=40, width=60):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 255 // height, columns * 255 // width, np.full_like(rows, 90)], -1).astype(np.uint8)


def _refused(path, word, reader=picture.read, *arguments):
    """Whether the reader refuses the file in one line that names it and holds the word."""
    with pytest.raises(UserError) as error:
        reader(path, *arguments)
    message = str(error.value)
    return "\n" not in message and str(path) in message and word in message


def test_plain_png_is_read_exactly(tmp_path):
    Image.fromarray(_gradient()).save(tmp_path / "a.png")
    read = picture.read(tmp_path / "a.png")
    np.testing.assert_array_equal(read.rgb, _gradient())
    assert read.alpha is None


def test_bad_files_are_refused(tmp_path):
    assert _refused(tmp_path / "missing.png", "no such file")
    assert _refused(tmp_path, "folder")
    (tmp_path / "empty.png").write_bytes(b"")
    assert _refused(tmp_path / "empty.png", "empty")
    (tmp_path / "text.jpg").write_text("I am no picture")
    assert _refused(tmp_path / "text.jpg", "not a picture")
    Image.fromarray(_gradient()[:4, :4]).save(tmp_path / "tiny.png")
    assert _refused(tmp_path / "tiny.png", "4 x 4")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
def test_truncated_files_are_refused(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"whole.{suffix}")
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    assert _refused(tmp_path / f"cut.{suffix}", "picture")


def test_grey_palette_and_cmyk(tmp_path):
    grey = _gradient()[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(picture.read(tmp_path / "grey.png").rgb, np.repeat(grey[..., None], 3, -1))
    blocks = Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).resize((40, 20), Image.NEAREST)
    blocks.quantize(2).save(tmp_path / "palette.png")
    np.testing.assert_array_equal(picture.read(tmp_path / "palette.png").rgb, np.asarray(blocks))
    blocks.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=98)
    error = np.abs(picture.read(tmp_path / "cmyk.jpg").rgb.astype(int) - np.asarray(blocks).astype(int))
    assert error.mean() < 12


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    read = picture.read(tmp_path / "deep.png").rgb[..., 0].astype(int)
    assert np.abs(read - np.round(ramp / 257.0)).max() <= 1


def test_exif_rotation_is_undone(tmp_path):
    upright = Image.fromarray(_gradient())
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show the stored picture rotated 90 degrees clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(picture.read(tmp_path / "turned.png").rgb, _gradient())


def test_alpha_is_a_cut_out_on_white(tmp_path):
    alpha = np.zeros((40, 60), np.uint8)
    alpha[10:30, 10:50] = 255
    Image.fromarray(np.dstack([_gradient(), alpha])).save(tmp_path / "cut.png")
    read = picture.read(tmp_path / "cut.png")
    np.testing.assert_array_equal(read.alpha > 0.5, alpha > 0)
    assert (read.rgb[alpha == 0] == 255).all()
    np.testing.assert_array_equal(read.rgb[alpha > 0], _gradient()[alpha > 0])


def test_opaque_alpha_is_no_cut_out_and_full_transparency_is_refused(tmp_path):
    Image.fromarray(np.dstack([_gradient(), np.full((40, 60), 255, np.uint8)])).save(tmp_path / "opaque.png")
    assert picture.read(tmp_path / "opaque.png").alpha is None
    Image.fromarray(np.dstack([_gradient(), np.zeros((40, 60), np.uint8)])).save(tmp_path / "void.png")
    assert _refused(tmp_path / "void.png", "transparent")


def test_large_pictures_are_shrunk_in_proportion(tmp_path):
    Image.fromarray(np.full((50, 5000, 3), 77, np.uint8)).save(tmp_path / "wide.png")
    read = picture.read(tmp_path / "wide.png").rgb
    assert read.shape == (round(50 * picture.LONGEST / 5000), picture.LONGEST, 3) and (read == 77).all()


def test_label_maps(tmp_path):
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 5:20] = 8
    Image.fromarray(_gradient(20, 30)).save(tmp_path / "photo.png")
    Image.fromarray(_gradient(21, 30)).save(tmp_path / "other.png")
    photo, other = picture.read(tmp_path / "photo.png"), picture.read(tmp_path / "other.png")
    for mode in ("L", "P"):
        image = Image.fromarray(labels)
        if mode == "P":
            image.putpalette(list(range(256)) * 3)
        image.save(tmp_path / f"{mode}.png")
        np.testing.assert_array_equal(picture.read_labels(tmp_path / f"{mode}.png", photo), labels)
    assert _refused(tmp_path / "L.png", "30 x 20", picture.read_labels, other)
    Image.fromarray(np.dstack([labels] * 3)).save(tmp_path / "rgb.png")
    assert _refused(tmp_path / "rgb.png", "RGB", picture.read_labels, photo)
    Image.fromarray(labels * 30).save(tmp_path / "range.png")
    assert _refused(tmp_path / "range.png", "240", picture.read_labels, photo)
    Image.fromarray(labels * 0).save(tmp_path / "void.png")
    assert _refused(tmp_path / "void.png", "background", picture.read_labels, photo)


def test_a_label_map_follows_a_shrunk_photo(tmp_path):
    height, width = 20, picture.LONGEST * 2
    labels = np.repeat(np.arange(2, dtype=np.uint8)[None], height, 0).repeat(width // 2, 1)
    Image.fromarray(labels).save(tmp_path / "labels.png")
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(tmp_path / "photo.png")
    read = picture.read_labels(tmp_path / "labels.png", picture.read(tmp_path / "photo.png"))
    np.testing.assert_array_equal(read, labels[::2, ::2])
