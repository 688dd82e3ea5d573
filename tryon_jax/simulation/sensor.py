"""What a camera does to a picture: slight blur, vignetting, white balance, contrast, noise and JPEG, all modest."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

JPEG_SHARE = 0.7  # of all photos


def expose(rng, picture):
    """The photo that a random camera takes of a clean picture: float32 [S, S, 3] in [0, 1], as the picture is."""
    size = len(picture)
    # Blur is the lens's and the focus's, so it grows with the picture, but less than the picture does.
    photo = gaussian_filter(picture, (*[rng.uniform(0.0, 0.3) + rng.uniform(0.0, 0.5) * size / 512] * 2, 0))
    photo = photo * vignette(size, rng.uniform(0.0, 0.14), rng.uniform(-0.08, 0.08, 2))
    gains = np.exp(rng.uniform(-0.035, 0.035, 3) * np.array([1.0, 0.4, 1.0]))
    # Row by row: numpy is slow at multiplying three numbers at a time.
    photo = (photo.reshape(size, -1) * np.tile(gains, size)).reshape(photo.shape)
    photo = contrast(np.clip(photo, 0, 1), rng.uniform(-0.1, 0.16))
    photo = np.clip(photo + noise(rng, photo, rng.uniform(0.001, 0.006), rng.uniform(0.002, 0.011)), 0, 1)
    quality = int(rng.integers(72, 96))
    return jpeg(photo, quality) if rng.uniform() < JPEG_SHARE else photo.astype(np.float32)


def vignette(size, strength, centre):
    """Multiplier [S, S, 1] f32: 1 in the middle, 1 - strength at half a diagonal from it; centre [2] off the middle,
    in picture sides."""
    y, x = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5 - np.asarray(centre, np.float32)[:, None]
    return 1 - strength * np.minimum((y[:, None] ** 2 + x[None, :] ** 2) * 2, 1)[..., None]


def contrast(picture, amount):
    """The picture [...] in [0, 1] on an S-curve (amount > 0) or a flatter one (< 0) that keeps 0, 1/2 and 1."""
    return picture + amount * (picture - 0.5) * picture * (1 - picture) * 4


def noise(rng, picture, read, shot):
    """Noise [S, S, 3]: deviation sqrt(read^2 + shot^2 * brightness), more alike in the three channels than not, for
    cameras smooth colour noise away."""
    level = ((picture[..., 0] + picture[..., 1] + picture[..., 2]) / 3)[..., None]
    grain = 0.8 * rng.standard_normal((*picture.shape[:2], 1), np.float32)
    grain = grain + 0.6 * rng.standard_normal(picture.shape, np.float32)
    return grain * np.sqrt(read**2 + shot**2 * level)


def jpeg(picture, quality):
    """The picture [S, S, 3] in [0, 1] after JPEG of that quality (1 to 95), float32."""
    stream = io.BytesIO()
    Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), np.float32) / np.float32(255)
