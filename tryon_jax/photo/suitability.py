"""Whether a photo shows what a try-on can use: one person, upright, from the front, down to the hips.

What it cannot use is refused in one line that says what to give instead; what is merely doubtful is said, not hidden.
"""

import numpy as np

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import PART, PARTS
from tryon_jax.photo.skeleton import torso_length

SEEN = 0.5  # visibility above which a joint counts as seen
OTHER_PERSON = 0.5  # a second person of this share of the first one's size may as well be meant
LEAST_TORSO = 16.0  # pixels from shoulders to hips, below which cloth and skin have too few pixels to be told apart
LEAST_TRUNK, WHOLE_TRUNK = 0.6, 0.97  # share of the way from shoulders to hips that the photo shows
MOST_TILT = 40.0  # degrees between the trunk and the photo's vertical
# Shoulders' width, left minus right, over the torso: about 0.65 of those who face the camera, 0.1 in profile.
TURNED_AWAY, PROFILE, TURNED = 0.0, 0.25, 0.52
# Hips to knees, downward, over the torso: 0.7 to 0.9 of those who stand and walk, under 0.55 of those who sit.
SEATED = 0.6
LEAST_INSIDE = 0.7  # share of the seen joints that a person's outline holds, limbs' width aside
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE = 11, 12, 23, 24, 25, 26


def check_pose(path, pose, size):
    """Doubts, a list of short sentences, about a blazepose.Pose in a photo of `size` (H, W).

    Raises UserError, one line naming the file, if no try-on can be made of it.
    """
    points = np.asarray(pose.landmarks, np.float64)
    shoulders, hips = points[[LEFT_SHOULDER, RIGHT_SHOULDER], :2], points[[LEFT_HIP, RIGHT_HIP], :2]
    torso = torso_length(points[:, :2])
    if pose.other > OTHER_PERSON:
        raise UserError(f"{path}: more than one person is in the photo; crop it so that only one is left")
    _check_trunk(path, shoulders.mean(0), hips.mean(0), size)
    if torso < LEAST_TORSO:
        raise UserError(f"{path}: the person is only {torso:.0f} pixels from shoulders to hips; give a larger photo")
    width = [(pair[0, 0] - pair[1, 0]) / torso for pair in (shoulders, hips)]
    if width[0] < TURNED_AWAY and width[1] < TURNED_AWAY:
        raise UserError(
            f"{path}: the person is seen from behind, or has no face in the photo; give one taken from the front"
        )
    _check_seat(path, points, torso, size)
    if width[0] < PROFILE:
        raise UserError(f"{path}: the person is seen from the side; give a photo taken from the front")
    doubts = _cut_off(points, size)
    if width[0] < TURNED:
        doubts.append("the person is turned to the side")
    return doubts


def _check_trunk(path, shoulders, hips, size):
    """Raises UserError if the trunk, from the point shoulders to the point hips, lies down or out of the photo."""
    across, down = hips - shoulders
    tilt = np.degrees(np.arctan2(abs(across), down))
    if tilt > MOST_TILT:
        raise UserError(
            f"{path}: the person is not upright in the photo (leaning by {tilt:.0f} degrees); turn the photo, or give "
            "one of a standing person"
        )
    if _shown(shoulders, hips, size) < LEAST_TRUNK:
        raise UserError(f"{path}: the photo shows little more than the head; give one that reaches to the hips")


def _shown(start, end, size):
    """Share of the way between two points x, y that lies in a photo of `size` (H, W)."""
    way = start + (end - start) * np.linspace(0, 1, 101)[:, None]
    return ((way >= 0) & (way < size[::-1])).all(1).mean()


def _check_seat(path, points, torso, size):
    """Raises UserError if no thigh that is seen points down."""
    drops = []
    for hip, knee in ((LEFT_HIP, LEFT_KNEE), (RIGHT_HIP, RIGHT_KNEE)):
        x, y, visibility = points[knee]
        if visibility > SEEN and 0 <= x < size[1] and 0 <= y < size[0]:
            drops.append((y - points[hip, 1]) / torso)
    if drops and max(drops) < SEATED:
        raise UserError(f"{path}: the person sits or crouches; give a photo of the person standing")


def _cut_off(points, size):
    """Doubts about what the photo's border cuts off."""
    doubts = []
    nose, shoulders, hips = points[0, :2], points[[11, 12], :2].mean(0), points[[23, 24], :2].mean(0)
    # The crown lies about 0.3 torso lengths above the nose.
    if nose[1] < 0.2 * np.hypot(*(hips - shoulders)):
        doubts.append("the head is cut off")
    if _shown(shoulders, hips, size) < WHOLE_TRUNK:
        doubts.append("the photo ends above the hips")
    elif points[[25, 26], 1].min() >= size[0]:
        doubts.append("the photo ends above the knees")
    return doubts


def check_mask(path, mask, landmarks, source):
    """Raises UserError if a person's mask [H, W] misses the person's joints; source: what it was read from, in words.

    landmarks: BlazePose's [33, 3] in pixels.
    """
    height, width = mask.shape
    reach = 0.12 * torso_length(np.asarray(landmarks[:, :2], np.float64))  # half a limb's width
    seen = [(x, y) for x, y, visibility in landmarks if visibility > SEEN and 0 <= x < width and 0 <= y < height]
    held = [_near(mask, x, y, reach) for x, y in seen]
    if not held or np.mean(held) < LEAST_INSIDE:
        share = f"{100 * np.mean(held):.0f} % of the body's joints" if held else "no joint"
        raise UserError(f"{path}: {source} holds {share}; {REMEDIES[source]}")


REMEDIES = {
    "the outline found": "give a photo before a plain ground, or a label map of a parser",
    "the file's transparency": "cut out the person, the whole person and nobody else",
    "the label map": "give the map of this very photo",
}


def _near(mask, x, y, reach):
    """Whether the mask has a pixel within `reach` pixels, a square, of the point x, y."""
    rows = slice(max(0, int(y - reach)), int(y + reach) + 1)
    columns = slice(max(0, int(x - reach)), int(x + reach) + 1)
    return bool((mask[rows, columns] > 0.5).any())


def check_labels(path, labels, landmarks):
    """Raises UserError if part labels int32 [H, W] of a label map say of neither face nor trunk what the pose does.

    Such a map is of another parser, whose numbers mean other parts, or mirrored, or of another photo.
    """
    points = np.asarray(landmarks, np.float64)
    shoulders, hips = points[[11, 12], :2].mean(0), points[[23, 24], :2].mean(0)
    reach = 0.1 * torso_length(points[:, :2])
    probes = ((points[0, :2], ("face", "hair")), ((shoulders + hips) / 2, ("upper", "dress", "outer")))
    found = []
    for (x, y), names in probes:
        rows = slice(max(0, int(y - reach)), max(0, int(y + reach)) + 1)
        columns = slice(max(0, int(x - reach)), max(0, int(x + reach)) + 1)
        near = labels[rows, columns]
        if near.any():
            found.append(np.isin(near[near > 0], [PART[name] for name in names]).mean() > 0.5)
    if not any(found):
        raise UserError(
            f"{path}: its labels show neither a face nor a top where the body has them; map a parser's numbers to "
            f"{', '.join(f'{index} {name}' for index, name in enumerate(PARTS))}"
        )
