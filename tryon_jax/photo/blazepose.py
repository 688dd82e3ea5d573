"""BlazePose: 33 body joints and a person mask from a photo, by the Apache-2.0 networks that MediaPipe published.

Written from the models' tensors and from BlazePose (Bazarevsky et al. 2020, arXiv:2006.10204): a detector finds the
hip centre and the body circle, a crop is turned so that the body stands upright in it, and a second network reads
joints, their heat maps and the mask from the crop. The crop is then taken anew from the joints found, once.
"""

import functools
from typing import NamedTuple

import numpy as np

from tryon_jax import assets
from tryon_jax.errors import UserError

LANDMARKS = 33
# Index into the 33 of each COCO-17 keypoint, in the order of geometry.parts.KEYPOINTS.
COCO_FROM_LANDMARKS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)

DETECTOR_SIDE, LANDMARK_SIDE = 224, 256
ANCHOR_GRIDS = ((28, 2), (14, 2), (7, 6))  # cells a side, anchors a cell: 2,254 in all
LEAST_DETECTION, LEAST_PRESENCE = 0.5, 0.5
# The body circle is widened so that outstretched hands and feet stay inside the crop (MediaPipe's margin).
CROP_MARGIN = 1.25
HEATMAP_WINDOW = 7


class Pose(NamedTuple):
    """landmarks float32 [33, 3]: x, y in pixels (pixel centre at +0.5) and visibility; mask float32 [H, W] in [0, 1].

    `mask_pixel` is the side in picture pixels of one pixel of the network's mask: how blurred its edge is. `presence`
    in [0, 1] is how sure the network is that a person is there; `other` is the size of the next largest person of the
    picture over this one's, 0 if there is none.
    """

    landmarks: np.ndarray
    mask: np.ndarray
    mask_pixel: float
    presence: float
    other: float


def detect(rgb):
    """The Pose of the most prominent person of a picture uint8 [H, W, 3], or None if there is no person.

    Raises UserError if the optional packages or the model files cannot be had.
    """
    crops = _detect_crops(rgb)
    if not crops:
        return None
    found = _landmarks(rgb, crops[0])
    if found is None:
        return None
    # The detector's circle is rough; MediaPipe tracks by the landmark network's own circle, so one more turn is used.
    again = _landmarks(rgb, _crop_of_circle(found[0][33, :2], found[0][34, :2]))
    points, logits, crop, presence = again or found
    silhouette = _mask(logits, crop, rgb.shape[:2])
    other = max((crop[2] for crop in crops[1:]), default=0.0) / crops[0][2]
    return Pose(points[:LANDMARKS].astype(np.float32), silhouette, crop[2] / LANDMARK_SIDE, presence, other)


def coco_keypoints(landmarks):
    """COCO keypoints float32 [17, 3] (x, y, visibility) of BlazePose landmarks [33, 3]."""
    return np.asarray(landmarks, np.float32)[list(COCO_FROM_LANDMARKS)]


def packages():
    """The optional packages (cv2, the LiteRT Interpreter class); raises UserError if they are not installed."""
    try:
        import cv2
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise UserError(
            f'{error.name}: this package reads photographs and is not installed; pip install "tryon_jax[photo]"'
        ) from error
    return cv2, Interpreter


@functools.cache
def _network(name):
    """A function from one input array to the list of output arrays of the model file `name`."""
    _, interpreter_class = packages()
    path = next(assets.fetch("blazepose").rglob(f"{name}.tflite"))
    interpreter = interpreter_class(str(path), num_threads=2)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()

    def run(value):
        interpreter.set_tensor(inputs[0]["index"], value[None].astype(np.float32))
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"])[0] for output in outputs]

    return run


@functools.cache
def _anchors():
    """Anchor centres x, y in [0, 1], float32 [2254, 2], in the detector's order (all anchors have unit size)."""
    centres = []
    for cells, count in ANCHOR_GRIDS:
        rows, columns = np.mgrid[:cells, :cells]
        grid = (np.stack([columns, rows], -1).reshape(-1, 2) + 0.5) / cells
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres).astype(np.float32)


def _sigmoid(values):
    return 1.0 / (1.0 + np.exp(-np.clip(values, -80.0, 80.0)))  # 80: exp stays finite in float32


def _detect_crops(rgb):
    """The crops (centre x, y, side, turn in radians) of the people of a picture, the most prominent one first."""
    cv2, _ = packages()
    height, width = rgb.shape[:2]
    side = max(height, width)
    offset = np.array([(side - width) / 2, (side - height) / 2])
    shrunk = [max(1, round(length * DETECTOR_SIDE / side)) for length in (width, height)]
    small = cv2.resize(rgb, shrunk, interpolation=cv2.INTER_AREA)
    left, top = (DETECTOR_SIDE - shrunk[0]) // 2, (DETECTOR_SIDE - shrunk[1]) // 2
    square = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.float32)
    square[top : top + shrunk[1], left : left + shrunk[0]] = small
    boxes, logits = sorted(_network("pose_detection")(square / 127.5 - 1.0), key=lambda array: -array.shape[-1])
    return [_crop_of_circle(*(points * side - offset)) for points in _people(boxes, _sigmoid(logits[:, 0]))]


def _people(boxes, scores):
    """Hip centre and point on the body circle, [2, 2] in [0, 1], of each person that the detector's raw boxes
    [2254, 12] and scores [2254] tell of, the most prominent one first."""
    # Box is centre x, y, width, height, then 4 points x, y: hip centre, point on the body circle, and the same of
    # the upper body. Overlapping detections of one person are averaged by score (weighted non-maximum suppression).
    boxes = boxes.astype(np.float64) / DETECTOR_SIDE
    points = boxes[:, 4:].reshape(-1, 4, 2) + _anchors()[:, None]
    centres = boxes[:, :2] + _anchors()
    # A large person in the middle is meant, not a sharper passer-by.
    prominence = scores * np.sqrt(np.clip(boxes[:, 2] * boxes[:, 3], 1e-6, None))  # 1e-6: boxes may be negative
    left, found = scores >= LEAST_DETECTION, []
    while left.any():
        best = int(np.argmax(np.where(left, prominence, 0)))
        apart = np.abs(centres - centres[best]).max(1) / boxes[best, 2:4].max()
        same = left & (apart < 0.35) & (boxes[:, 2] > 0.5 * boxes[best, 2])
        same[best] = True
        found.append(np.average(points[same][:, :2], axis=0, weights=scores[same]))
        # Boxes that overlap the best one's, of whatever size, are of the same person.
        left &= ~same & (apart > 0.7)
    return found


def _crop_of_circle(hip, circle):
    """Crop around the circle about the hip centre, turned so that the vector hip -> circle point goes up."""
    x, y = np.asarray(circle, float) - np.asarray(hip, float)
    side = max(2.0 * float(np.hypot(x, y)) * CROP_MARGIN, 2.0)  # 2 px: a degenerate circle still gives a crop
    return float(hip[0]), float(hip[1]), side, float(np.arctan2(x, -y))


def _picture_from_crop(crop):
    """Affine matrix [2, 3] from crop pixels (centres at +0.5) to picture pixels (centres at +0.5)."""
    x, y, side, turn = crop
    scale = side / LANDMARK_SIDE
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    half = LANDMARK_SIDE / 2
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([linear, (np.array([x, y]) - linear @ [half, half])[:, None]], axis=1)


def _warp(array, matrix, size, flags):
    """cv2.warpAffine with `matrix` from target to source pixels, both with centres at +0.5; size is (W, H)."""
    cv2, _ = packages()
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(array, shifted, size, flags=flags | cv2.WARP_INVERSE_MAP)


def _landmarks(rgb, crop):
    """(39 points x, y, visibility in picture pixels, mask logits [256, 256], crop, presence), or None if no person is
    there."""
    cv2, _ = packages()
    matrix = _picture_from_crop(crop)
    # Shrinking by more than two would alias under bilinear sampling, so the picture is halved first.
    halvings = max(0, int(np.floor(np.log2(crop[2] / LANDMARK_SIDE))))
    source = cv2.resize(rgb, None, fx=0.5**halvings, fy=0.5**halvings, interpolation=cv2.INTER_AREA)
    ratio = np.array([source.shape[1] / rgb.shape[1], source.shape[0] / rgb.shape[0]])
    patch = _warp(source, matrix * ratio[:, None], (LANDMARK_SIDE,) * 2, cv2.INTER_LINEAR)
    outputs = _network("pose_landmark_full")(patch.astype(np.float32) / 255.0)
    by_shape = {output.shape: output for output in outputs}
    if by_shape[(1,)][0] < LEAST_PRESENCE:
        return None
    raw = by_shape[(195,)].reshape(39, 5)
    points = _refine(raw[:, :2] / LANDMARK_SIDE, by_shape[(64, 64, 39)]) * LANDMARK_SIDE
    visibility = _sigmoid(raw[:, 3])
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    presence = float(by_shape[(1,)][0])
    return np.concatenate([placed, visibility[:, None]], 1), by_shape[(256, 256, 1)][..., 0], crop, presence


def _refine(points, heatmaps):
    """Points [39, 2] in [0, 1] moved to the mean of their heat map near them, where that is confident."""
    side = heatmaps.shape[0]
    refined = points.copy()
    for index, (x, y) in enumerate(points):
        column, row = int(x * side), int(y * side)
        if not (0 <= column < side and 0 <= row < side):
            continue
        reach = HEATMAP_WINDOW // 2
        rows = slice(max(0, row - reach), row + reach + 1)
        columns = slice(max(0, column - reach), column + reach + 1)
        weights = _sigmoid(heatmaps[rows, columns, index])
        if weights.max() >= 0.5:
            grid_y, grid_x = np.mgrid[rows, columns][:, : weights.shape[0], : weights.shape[1]]
            # Cell i of a heat map stands for i / side: with its middle instead, all joints lie half a cell too far
            # right and down of the network's own numbers.
            refined[index] = [np.average(grid_x, weights=weights), np.average(grid_y, weights=weights)]
            refined[index] /= side
    return refined


def _mask(logits, crop, size):
    """Person probability float32 [H, W] of crop logits [256, 256]; zero outside the crop."""
    cv2, _ = packages()
    forward = _picture_from_crop(crop)
    inverse = np.linalg.inv(np.vstack([forward, [0, 0, 1]]))[:2]
    return _warp(_sigmoid(logits).astype(np.float32), inverse, size[::-1], cv2.INTER_CUBIC).clip(0.0, 1.0)
