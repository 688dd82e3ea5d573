"""MPV-3D: women in tops with the depth of their front and their back; 320 x 512 pixels.

Paper: M3D-VTON, arXiv:2108.05126. Non-commercial research only; read where the user's own copy lies. Known: colours of
the front, depth and normals of both sides, silhouette, parts and keypoints. Not known: the back's colours and parts,
garment coordinates.

Depth is what PIFuHD made of the photos, no scan: errors below its own mean nothing. It has no scale; here, as for every
photo, whoever stands in it is standardize.HEIGHT tall. Its silhouettes differ from the photos' (IoU 0.92 to 0.97), so
that the mask is where both show the person.
"""

import functools
import os

import numpy as np

from tryon_jax.data import prepared
from tryon_jax.data.formats import access, keypoints, labels, pairs, photographs, pictures
from tryon_jax.errors import UserError
from tryon_jax.geometry.fine import twice
from tryon_jax.geometry.parts import GARMENT_CLASSES, KEYPOINT
from tryon_jax.geometry.relief import normals_from_depth

SPLITS = ("train", "test", "test_unpaired")
SIZE = 320, 512  # pixels, width and height of every picture
UNIT = 256  # pixels a unit of depth: the camera shows 2 units over 512 rows
TERMS = access.Terms(
    "MPV-3D",
    "https://github.com/fyviezhao/M3D-VTON",
    "non-commercial research and education only",
    "train_pairs.txt, test_pairs.txt and {image,cloth,cloth-mask,image-parse,pose,depth}/",
)
FOLDERS = ("image", "cloth", "cloth-mask", "image-parse", "pose", "depth")
MASKED = 128  # grey from which a pixel of the JPEG masks is garment
# Metres toward the camera of the middle of the hips from the plane of depth 0: what it is in the made people (mean of
# the smoke preset, spread 0.014). MPV-3D's own plane lies anywhere in the body.
HIPS = 0.09
PERSON, CLOTH = "=person_whole_front.png", "=cloth_front.jpg"


def open_split(preset, split, folder=""):
    """Random-access source of `split` of the user's copy in `folder`, as published or prepared (data/prepared).

    Pictures are of the preset's side (access.SIZES).

    train: the pairs of train_pairs.txt; test: the people of test_pairs.txt with the garment that they wear, which is
    the one of the same product; test_unpaired: the pairs of test_pairs.txt of two products, of which no truth exists.
    source[i] is one example of the batch contract, numpy, with `caption`. Raises UserError for an unknown preset, or a
    copy that is missing, incomplete or damaged; ValueError for an unknown split.
    """
    size = access.size_of(preset)
    access.check_split(split, SPLITS)
    if prepared.is_prepared(folder):
        return prepared.Source(folder, split, size)
    root = access.root(folder, TERMS)
    for name in FOLDERS:
        access.one_of(root, (name,), TERMS)
    listed = root / f"{split.partition('_')[0]}_pairs.txt"
    chosen = pairs.read(listed, TERMS)
    for pair in chosen:
        if not (pair[0].endswith(PERSON) and pair[1].endswith(CLOTH)):
            raise UserError(f"{listed}: {' '.join(pair)}: not names on {PERSON} and {CLOTH}; take it anew")
    if split == "test":
        chosen = _with_their_own(root, (person for person, _ in chosen))
    elif split == "test_unpaired":
        chosen = [pair for pair in chosen if product(pair[0]) != product(pair[1])]
    if not chosen:
        raise UserError(f"{listed}: it has no pair for the split {split}; take it from your copy anew")
    needed = {root / name: [_file(name, *pair) for pair in chosen] for name in FOLDERS}
    needed[root / "depth"] += [_back(person) for person, _ in chosen]
    access.complete(needed, TERMS)
    return access.Source(chosen, functools.partial(read, root, size))


def product(name):
    """The product that a file shows: what stands before the @ of BJ721E05W-J11@9=person_whole_front.png."""
    return name.partition("@")[0]


def _with_their_own(root, people):
    """Pairs of people and the garment of their product, those without left out."""
    own = {product(name): name for name in sorted(os.listdir(root / "cloth"), reverse=True) if name.endswith(CLOTH)}
    return [(person, own[product(person)]) for person in people if product(person) in own]


def _file(folder, person, cloth):
    """The name in `folder` that belongs to a pair."""
    person, cloth = person.removesuffix(".png"), cloth.removesuffix(".jpg")
    return {
        "image": f"{person}.png",
        "image-parse": f"{person}_label.png",
        "pose": f"{person}_keypoints.json",
        "depth": f"{person}_depth.npy",
        "cloth": f"{cloth}.jpg",
        "cloth-mask": f"{cloth}_mask.jpg",
    }[folder]


def _back(person):
    return f"{person.removesuffix('front.png')}back_depth.npy"


def read(root, size, pair):
    """One example of the batch contract of a pair (person, cloth)."""
    person, cloth = pair
    worn = product(person) == product(cloth)
    shown, garment = read_person(root, person), read_garment(root, cloth)
    made, frame = photographs.example(shown, garment, size, worn, "a top", root / "image" / person)
    if not worn:
        return made
    depths = read_depths(root, person)
    solid = depths["solid"]
    mask = made["mask"] * photographs.at_centres(solid, frame, size)[..., None]
    metres = UNIT * frame.metres
    hips = _depth_of_hips(shown["keypoints"], depths)
    for side, sign in (("front", 1), ("back", -1)):
        depth = photographs.at_centres(depths[side], frame, size)[..., None]
        # A half of the picture's height is one unit.
        slopes = normals_from_depth(depths[side][..., None], solid[..., None].astype(np.float32), sign)
        made[f"{side}_depth"] = ((depth - hips) * metres + HIPS).astype(np.float32) * mask
        made[f"{side}_normals"] = photographs.at_centres(np.asarray(slopes), frame, size) * mask
    made |= {"mask": mask, "front_rgb": made["front_rgb"] * mask}
    made["front_fine"] = made["front_fine"] * twice(mask)
    made["front_segmentation"] = made["front_segmentation"] * (mask[..., 0] > 0)
    made["has"] |= {name: np.float32(1) for name in ("depth", "normals")}
    return made


def _depth_of_hips(points, depths):
    """Depth in units halfway between the sides, between the hips; of the whole body where they are out of sight."""
    middle, solid = (depths["front"] + depths["back"]) / 2, depths["solid"]
    places = points[[KEYPOINT["left_hip"], KEYPOINT["right_hip"]]]
    columns, rows = np.clip(places[:, :2].astype(int), 0, np.array(SIZE) - 1).T
    seen = (places[:, 2] > 0) & solid[rows, columns]
    return middle[rows, columns][seen].mean() if seen.any() else np.median(middle[solid])


def read_person(root, person):
    """A person as of standardize.standardize, at the file's own size."""
    parse = pictures.indices(root / "image-parse" / _file("image-parse", person, ""), len(labels.LIP), SIZE)
    return {
        "rgb": pictures.colours(root / "image" / person, SIZE),
        "segmentation": labels.parts(parse, labels.LIP),
        "keypoints": keypoints.body_25(root / "pose" / _file("pose", person, "")),
    }


def read_garment(root, cloth):
    """A garment as of standardize.standardize, at the file's own size."""
    return {
        "rgb": pictures.colours(root / "cloth" / cloth, SIZE),
        "mask": pictures.grey(root / "cloth-mask" / _file("cloth-mask", "", cloth), SIZE) >= MASKED,
        "garment_class": GARMENT_CLASSES.index("upper"),
    }


def read_depths(root, person):
    """Dict of front, back float32 [512, 320] in units toward the front camera; solid, bool: where both are, in order.

    Files hold window depth d of orthographic cameras between 1 and 3 units, 0 where there is nobody: the front's z is
    1 - 2 d; the back's, seen from behind and so mirrored first, 2 d - 1.
    """
    front = _window_depth(root / "depth" / _file("depth", person, ""))
    back = _window_depth(root / "depth" / _back(person))[:, ::-1]
    known = (front > 0) & (back > 0)
    front, back = (1 - 2 * front) * known, (2 * back - 1) * known
    solid = known & (front >= back)
    if not solid.any():
        raise UserError(f"{root / 'depth' / _back(person)}: nowhere behind the front's depth; fetch both again")
    return {"front": front, "back": back, "solid": solid}


def _window_depth(path):
    try:
        depth = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; your copy is incomplete, fetch it again") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: damaged ({str(error)[:120]}); fetch it again") from None
    if depth.shape != SIZE[::-1] or depth.dtype != np.float32:
        raise UserError(f"{path}: {depth.dtype}{depth.shape}, not float32{SIZE[::-1]}; take the released file")
    # Negated, so that a NaN is out of range too.
    if not ((depth >= 0) & (depth < 1)).all():
        raise UserError(f"{path}: window depth is NaN or out of 0..1; fetch it again")
    return depth
