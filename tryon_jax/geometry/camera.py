"""The orthographic camera that both sheets share, and the frames that depth and normals live in.

World: metres, z up, an unrotated person faces -y (ANNY's frame). Camera: x right in the picture, y up,
z toward the front camera, so a visible front surface has normal z > 0 and the back sheet, stored in the
same frame and pixel grid, has normal z < 0. A camera is float32 [3]: metres per pixel, and the
camera-frame x and y of the picture's centre. Pixel centres are at +0.5; picture rows go down.
"""

import jax.numpy as jnp

ROTATION_CAMERA_WORLD = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))


def camera_from_world(points, yaw=0.0):
    """Camera-frame points of world points [..., 3], the person first turned by yaw radians about world z."""
    cosine, sine = jnp.cos(yaw), jnp.sin(yaw)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return jnp.stack([x * cosine - y * sine, z, -(x * sine + y * cosine)], axis=-1)


def project(camera, points, size):
    """Pixel x, y and depth in metres, [..., 3], of camera-frame points [..., 3] in a picture of size (H, W)."""
    height, width = size
    scale, centre_x, centre_y = camera[0], camera[1], camera[2]
    return jnp.stack(
        [
            (points[..., 0] - centre_x) / scale + width / 2,
            height / 2 - (points[..., 1] - centre_y) / scale,
            points[..., 2],
        ],
        axis=-1,
    )


def unproject(camera, pixels, size):
    """Inverse of `project`: camera-frame points [..., 3] of pixel x, y and depth [..., 3]."""
    height, width = size
    scale, centre_x, centre_y = camera[0], camera[1], camera[2]
    return jnp.stack(
        [
            (pixels[..., 0] - width / 2) * scale + centre_x,
            (height / 2 - pixels[..., 1]) * scale + centre_y,
            pixels[..., 2],
        ],
        axis=-1,
    )


def pixel_centres(size):
    """Pixel-centre coordinates x, y, float32 [H, W, 2]."""
    height, width = size
    rows, columns = jnp.meshgrid(jnp.arange(height) + 0.5, jnp.arange(width) + 0.5, indexing="ij")
    return jnp.stack([columns, rows], axis=-1).astype(jnp.float32)


def half_extent(camera, size):
    """Half the picture's height in metres: the unit that networks predict depth in, so that it is scale free."""
    return camera[..., 0] * size[0] / 2
