"""The sheets' colours at the pictures' own detail: garment from the shop picture, kept parts from the photo. Numpy."""

import numpy as np
from scipy import ndimage

from tryon_jax.geometry.parts import GARMENT_PARTS, MATERIAL, PART, PARTS
from tryon_jax.render.motif import plain
from tryon_jax.render.palette import MENDED
from tryon_jax.render.refine import spread

# Clothes of the photo that each garment class takes the place of.
REPLACED = {
    "upper": ("upper", "dress"),
    "lower": ("lower", "dress"),
    "dress": ("upper", "lower", "dress"),
    "outer": ("outer",),
}
# Parts that lie before or beside clothes and keep their outline whatever is worn: the photo knows it best.
OUTLINED = ("hair", "face", "left_hand", "right_hand", "left_shoe", "right_shoe")
CLOTHES = ("upper", "lower", "dress", "outer")
# What ends at the same height behind as before: where a trouser leg ends is seen from the front.
BELOW = ("lower", "left_leg", "right_leg", "left_shoe", "right_shoe")
SPUR = 1.25  # network pixels, half the width of what is too thin to be cloth
# Width, over the picture's side, of the rims that are not believed: shadow and ground shine into a cut-out there.
EDGE = {"garment": 0.01, "person": 0.004, "hair": 0.01}


def silhouette(mask, labels, pictures, garment_class, pixel):
    """Silhouette float32 [R, R] in [0, 1]: predicted, but the photo's own along parts that it shows as they are.

    mask [R, R] predicted; labels [R, R] the front's, going on beyond the mask; pictures: dict of person_segmentation
    [R, R], person_mask and known [R, R] in [0, 1] of the photo (known is 0 outside it); pixel: a network pixel in
    these. The photo may move the outline by two and a half of those; outside the photo there is nobody.
    """
    kept = ~np.isin(labels, [PART[GARMENT_PARTS[garment_class]]])
    # A wide old sleeve is no outline of the arm that a shorter one bares.
    taken_off = replaced(pictures["person_segmentation"], garment_class)
    if taken_off.any():
        kept &= ndimage.distance_transform_edt(~taken_off) > pixel
    near_garment = ndimage.gaussian_filter((~kept).astype(np.float32), pixel / 2) > 0.1
    distance = ndimage.distance_transform_edt(mask > 0.5) - ndimage.distance_transform_edt(mask <= 0.5)
    trusted = kept & ~near_garment & (np.abs(distance) < 2.5 * pixel)
    share = ndimage.gaussian_filter(trusted.astype(np.float32), pixel / 4)
    return (share * pictures["person_mask"] + (1 - share) * mask) * pictures["known"]


def trimmed(before, mask, cloth, pixel):
    """Mask [R, R] without the spurs of garment that slimmer limbs leave (limbs.py), `before` the mask before that.

    cloth bool [R, R]: where the new garment is on either side and took the place of an old one; pixel: a network pixel
    here. Spurs are thinner than two and a half of those, and no further than three from what was taken off the limbs:
    the old sleeve's outline, where it lay at the trunk.
    """
    gone = (before > 0.5) & (mask <= 0.5)
    if not gone.any():
        return mask
    cloth = cloth & (ndimage.distance_transform_edt(~gone) < 3 * pixel)
    solid = np.pad(mask > 0.5, 1)
    distance = ndimage.distance_transform_edt(solid)
    opened = ndimage.distance_transform_edt(distance <= SPUR * pixel) < SPUR * pixel
    spur = (solid & ~opened)[1:-1, 1:-1] & cloth
    return mask * (1 - ndimage.gaussian_filter(spur.astype(np.float32), 0.6))


def replaced(photo_labels, garment_class):
    """Where photo labels [R, R] show clothes whose place a garment of the class takes, bool."""
    return np.isin(photo_labels, [PART[name] for name in REPLACED[garment_class]])


def outlines(front, back, photo_labels, garment_class, pixel):
    """Labels int [R, R] of both sides with what the photo shows of them, pixel: a network pixel in these.

    The front has the photo's own borders of OUTLINED parts within one and a half pixels, and of what is worn BELOW the
    very parts that the photo shows, unless their place is taken. Behind, trouser legs end where they do in front, and
    hair hangs no lower than a pixel below what the photo shows of it.
    """
    result = front.copy()
    for part in OUTLINED:
        found = front == PART[part]
        if found.any():
            near = ndimage.distance_transform_edt(~found) < 1.5 * pixel
            result = np.where(near & (photo_labels == PART[part]), PART[part], result)
    garment = PART[GARMENT_PARTS[garment_class]]
    below = np.array([PART[name] for name in BELOW if PART[name] != garment])
    seen = np.isin(photo_labels, below) & ~replaced(photo_labels, garment_class)
    result = np.where(seen & np.isin(result, below), photo_labels, result)
    back = np.where(np.isin(back, below) & np.isin(result, below), result, back)
    hair = np.flatnonzero((photo_labels == PART["hair"]).any(1))
    low = hair[-1] + pixel if len(hair) else len(back)  # of hidden hair nothing is known
    hanging = (back == PART["hair"]) & (np.arange(len(back)) > low)[:, None]
    return result, np.where(hanging, np.where(result == PART["face"], PART["neck"], result), back)


def colours(sheets, labels, pictures, garment_class, side):
    """Colour float32 [R, R, 3] in [0, 1] of one side of enlarged sheets (refine.enlarge).

    labels [R, R]: the side's parts. pictures: dict of person [R, R, 3], person_segmentation [R, R], person_mask
    [R, R], garment [G, G, 3], garment_mask [G, G, 1] in [0, 1]. Three sources: the garment picture at garment_uv
    times shading wherever the label is the garment's; on the front the photo wherever it shows the same part;
    elsewhere the network's shares of own colour and photo, the latter mended from what it shows of the same material,
    if it shows any of that that is kept. Behind, clothes are without their motifs (motif.py).
    """
    get = {name: sheets[f"{side}_{name}"] for name in ("own", "garment_uv", "blend", "shading")}
    cloth = labels == PART[GARMENT_PARTS[garment_class]]
    photo_labels = pictures["person_segmentation"]
    shown = (pictures["person_mask"] > 0.5) & (photo_labels > 0) & ~replaced(photo_labels, garment_class)
    same = shown & (photo_labels == labels) & (side == "front")
    person, there = _kept(pictures["person"], shown, photo_labels, labels, side)
    # Squared, so that one source prevails: a mixture of photo and print shows both.
    own, _, from_photo = np.moveaxis(np.clip(get["blend"], 0, 1) ** 2, -1, 0)
    from_garment = cloth.astype(np.float32)
    # Behind, the photo's own material where it shows it: the network's colours there are paler than what is kept.
    same |= there & (side == "back") & ~cloth
    from_photo = np.where(cloth, 0.0, np.where(same, 1.0, from_photo * there))
    own = np.where(cloth | same, 0.0, own + 1e-6)  # 1e-6: where no source is left, the network's own colour
    # A soft step between sources, a pixel wide: no jagged seams in the texture.
    weights = np.stack([ndimage.gaussian_filter(weight, 0.6) for weight in (own, from_garment, from_photo)], -1)
    weights /= weights.sum(-1, keepdims=True)
    pattern = inner_colours(pictures["garment"], pictures["garment_mask"], EDGE["garment"])
    if side == "back":
        pattern = plain(pattern, np.asarray(pictures["garment_mask"])[..., 0] > 0.5)
    garment = sample(pattern, get["garment_uv"]) * get["shading"]
    sources = np.stack([get["own"], garment, person], axis=-2)
    return np.clip((weights[..., None] * sources).sum(-2), 0, 1).astype(np.float32)


def _kept(picture, shown, photo_labels, labels, side):
    """Colours [R, R, 3] of a side's labels [R, R] from a photo, and where it shows their material at all, bool."""
    parts = np.eye(len(PARTS), dtype=np.float32)
    inside = _inside(shown, EDGE["person"]) if side == "front" else _pure(shown, photo_labels)
    told = inside if side == "front" else inside & (photo_labels != PART["face"])
    for name in CLOTHES if side == "back" else ():
        picture = plain(picture, shown & (photo_labels == PART[name]))
    found = MENDED[side](picture, inside[..., None].astype(np.float32), parts[photo_labels], parts[labels])
    materials = MATERIAL[np.unique(photo_labels[told])].sum(0)
    return np.asarray(found), (MATERIAL @ materials > 0)[labels]


def _pure(shown, photo_labels):
    """Where a photo shows a person's own colours, bool [R, R]: not at the rim, nor where skin shines through hair.

    Hair of which nothing would be left has all its pixels but those at the person's rim.
    """
    found = _inside(shown, EDGE["person"])
    hair = shown & (photo_labels == PART["hair"])
    inner = _inside(hair, EDGE["hair"])
    return found & (~hair | inner) if inner.any() else found


def inner_colours(picture, mask, margin):
    """Picture [H, W, 3] with colours off the mask [H, W, 1], and nearer to its edge than `margin` of H, from inside."""
    return spread(np.asarray(picture, np.float32), _inside(np.asarray(mask)[..., 0] > 0.5, margin))


def _inside(mask, margin):
    return ndimage.distance_transform_edt(mask) > max(1.5, margin * len(mask))


def sample(picture, uv):
    """Bilinear samples [..., 3] of picture [G, G, 3] at garment coordinates [..., 2] in [-1, 1], x right, y down."""
    size = np.array(picture.shape[1::-1])
    x, y = np.moveaxis((uv + 1) / 2 * size - 0.5, -1, 0)
    return np.stack(
        [ndimage.map_coordinates(picture[..., index], [y, x], order=1, mode="nearest") for index in range(3)], -1
    )
