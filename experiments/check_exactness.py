"""Whether stored sheets are what their mesh shows, and stored garment coordinates lead to the colour that is worn.

    python experiments/check_exactness.py --examples 48 [--size 64] [--picture 2048] [--first BODY] [--processes N]

Examples are of consecutive bodies, one each. The mesh that an example was drawn from goes through a file on the disk,
and rays are sent through its pixel centres from both cameras by Embree, which shares nothing with our rasteriser.

Sheets: depth and part labels as records.pack stores them (depth in steps of 1/20 mm) against what the ray meets. Our
rasteriser snaps corners to 1/256 of a pixel, so at an edge it may see the neighbour: a pixel that differs counts as a
tie if its truth is a face whose outline is less than 1/128 of a pixel away, and no face surely lies before that one.

Colour: the texture where the ray meets the chosen garment (no light, no filter) against the unshaded shop picture,
`picture` pixels a side, in the garment coordinate that the record stores. A pixel of that picture is the mean of 3 x 3
rays against the shop picture's mesh, as drawing.Side.albedo is of its samples, and is looked up between pixels. It
counts where the shop picture shows the point: where a ray at that coordinate meets the same place on the cloth within
NEAR. PSNR is over those pixels of both sheets. Beside it: against one ray at the coordinate, a picture of endless
resolution; and against drawing.Side.albedo at the example's own size, in which both are of coarse, unlike pixels.
Exits with 1 if a limit is missed. Wants embreex (extra `dev`).
"""

import argparse
import io
import itertools
import pathlib
import sys
import tempfile
from typing import NamedTuple

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # a clone need not be installed

from experiments import drawings, processes, raycast  # noqa: E402
from experiments.limits import Row, judge  # noqa: E402
from tryon_jax import garments  # noqa: E402
from tryon_jax.data import SIDES  # noqa: E402
from tryon_jax.data.synthetic import builder, records  # noqa: E402
from tryon_jax.geometry.parts import GARMENT_PARTS, PART  # noqa: E402
from tryon_jax.simulation import drawing, scene, specification, wardrobe  # noqa: E402

SEED = 0
EXACT = 1e-4  # metres that depth may differ
TIE = 1 / 128  # of a pixel
NEAR = 1e-3  # of the texture sheet's side, about 2 mm on the cloth
SAMPLES = drawing.SAMPLES
WANTED, BEST = 35.0, 99.0  # dB asked for, and where nothing differs at all


class Found(NamedTuple):
    """One example: number; kind of garment and of print; pixels with person or ray on them, pixels at ties and wrong
    ones, of both sheets; worst difference of depth in metres of all others; share of the front
    sheet's and of all garment pixels that the shop picture shows; PSNR in dB there by the large picture, by single rays
    and by the example's own size; and between the drawn picture of that size and the same by rays."""

    number: int
    garment: str
    design: str
    pixels: int
    ties: int
    wrong: int
    depth: float
    front: float
    shown: float
    psnr: float
    endless: float
    own_size: float
    drawn: float


def stored(example, spec, size):
    """The example as it comes out of its record."""
    packed = records.pack(example, spec.identities(), scene.about(spec, size))
    for key in builder.PICTURES:
        picture = np.asarray(Image.open(io.BytesIO(packed[key].tobytes())))
        packed[key] = picture if picture.ndim == 3 else picture[..., None]
    return records.unpack({**packed, "caption": str(packed["caption"])})


def from_disk(mesh):
    """The drawing.Mesh after it was written and read."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, **mesh._asdict())
        file.seek(0)
        with np.load(file) as arrays:
            return drawing.Mesh(**{name: arrays[name] for name in drawing.Mesh._fields})


def sheet_errors(caster, mesh, places, pixel, example, side):
    """(pixels that show something, ties, wrong ones, worst difference of depth in metres of the others) of a sheet."""
    labels, depth = example[f"{side}_segmentation"].ravel(), example[f"{side}_depth"].ravel().astype(float)
    hits = caster.hits(places, side == "back")
    apart = np.abs(hits.depth - depth)
    same = np.where(hits.face >= 0, mesh.labels[hits.face], 0) == labels
    sign = -1 if side == "back" else 1
    differ = np.flatnonzero(~same | (apart >= EXACT))
    tie = [is_tie(caster, mesh.labels, places[row], TIE * pixel, labels[row], depth[row], sign) for row in differ]
    apart[differ] = 0
    shown = (labels > 0) | (hits.face >= 0)
    return int(shown.sum()), sum(tie), len(tie) - sum(tie), float(apart.max())


def is_tie(caster, face_labels, place, reach, label, depth, sign):
    """Whether faces moved by less than `reach` metres may show this label and depth (from behind if sign is -1)."""
    inset, found = caster.inset(place)
    nearer = sign * (found - depth)
    if label == 0:
        return not (inset > reach).any()
    shows = (inset > -reach) & (face_labels == label) & (np.abs(nearer) < EXACT)
    return bool(shows.any() and not ((inset > reach) & (nearer > EXACT)).any())


def garment_rows(mesh, shop):
    """First vertex of the shop mesh's garment in the person's mesh, and how many it has there."""
    count = int(shop.faces.max()) + 1
    first = int(np.flatnonzero(mesh.garment_xy.any(1))[0]) - int(np.flatnonzero(shop.garment_xy.any(1))[0])
    if not np.array_equal(mesh.garment_xy[first : first + count], shop.garment_xy[:count]):
        raise ValueError("the person's mesh does not hold the garment of the shop picture")
    return first, count


class Shop:
    """The shop picture without light, by rays: its drawing.Mesh, textures, camera [3] and half its side in metres."""

    def __init__(self, drawn, size):
        self.mesh, self.textures = from_disk(drawn.mesh), drawn.textures
        self.camera = np.asarray(drawn.camera, float)
        self.half = self.camera[0] * size / 2
        self.caster = raycast.Caster(self.mesh.vertices, self.mesh.faces)

    def texture_uv(self, coordinates):
        """Place in the textures [N, 2] that is seen in garment coordinates [N, 2]; NaN for none."""
        hits = self.caster.hits(coordinates * np.array([1, -1]) * self.half + self.camera[1:])
        uv = np.asarray(self.mesh.texture_uv, float)[self.mesh.faces[hits.face]]
        return np.where((hits.face >= 0)[:, None], np.einsum("nk,nkc->nc", hits.shares, uv), np.nan)

    def pixels(self, places, size):
        """Colour [N, 3] of pixels (column, row) [N, 2] of the picture with `size` pixels a side: the mean of the rays
        that meet cloth; NaN where none does."""
        inner = (np.stack(np.meshgrid(*2 * [np.arange(SAMPLES)]), -1).reshape(-1, 2) + 0.5) / SAMPLES
        centres = ((places[:, None] + inner) / size * 2 - 1).reshape(-1, 2)
        uv = self.texture_uv(centres)
        met = np.isfinite(uv[:, :1])
        colour = np.where(met, raycast.bilinear(self.textures, np.nan_to_num(uv)), 0)
        colour, count = (values.reshape(len(places), SAMPLES**2, -1).sum(1) for values in (colour, met))
        return np.where(count > 0, colour / np.maximum(count, 1), np.nan)

    def sampled(self, coordinates, size):
        """Colour [N, 3] in garment coordinates [N, 2], between those of the four nearest pixels that show cloth."""
        place = (coordinates + 1) / 2 * size - 0.5
        return _between(place, lambda pixel: self.pixels(np.clip(pixel, 0, size - 1), size))


def _between(place, pixel_at):
    """Colours [N, 3] in places [N, 2] between pixels, out of a function from pixels [N, 2] to colours, NaN for none."""
    low = np.floor(place)
    colour = weight = 0.0
    for corner in itertools.product((0, 1), repeat=2):
        found = pixel_at(low + corner)
        share = np.prod(np.where(corner, place - low, 1 - place + low), 1, keepdims=True) * np.isfinite(found[:, :1])
        colour, weight = colour + share * np.nan_to_num(found), weight + share
    return colour / np.maximum(weight, 1e-6)


def sampled(side, coordinates):
    """Unshaded colour [N, 3] of a drawing.Side in garment coordinates [N, 2], from the pixels that show cloth."""
    picture = np.where(np.asarray(side.coverage) > 0, np.asarray(side.albedo, float), np.nan)
    last = len(picture) - 1

    def pixel_at(pixel):
        column, row = np.clip(pixel, 0, last).astype(int).T
        return picture[row, column]

    return _between((coordinates + 1) / 2 * len(picture) - 0.5, pixel_at)


def psnr(one, other):
    """dB between colours [N, 3] in [0, 1], BEST at most; NaN of none."""
    return (
        float(min(-10 * np.log10(max(np.mean((one - other) ** 2), 10 ** (-BEST / 10))), BEST)) if len(one) else np.nan
    )


def colours(caster, drawn, example, side, part, shop):
    """Of the chosen garment's pixels on a sheet: place in the textures [N, 2], stored coordinate [N, 2], and whether
    the shop picture shows that point [N]."""
    first, count = garment_rows(drawn.mesh, shop.mesh)
    hits = caster.hits(raycast.pixel_places(drawn.camera, len(example["mask"])), side == "back")
    corners = drawn.mesh.faces[hits.face]
    mine = (hits.face >= 0) & (corners.min(1) >= first) & (corners.max(1) < first + count)
    rows = np.flatnonzero(mine & (example[f"{side}_segmentation"].ravel() == part))
    # The same cloth's place in its shop picture's textures, of which it is the first.
    uv = np.asarray(shop.mesh.texture_uv, float)[corners[rows] - first]
    own = np.einsum("nk,nkc->nc", hits.shares[rows], uv)
    coordinate = example[f"{side}_garment_uv"].reshape(-1, 2)[rows].astype(float)
    apart = shop.texture_uv(coordinate) - own
    return own, coordinate, np.linalg.norm(apart, axis=1) < NEAR


def measure(task):
    """The Found of an example."""
    number, size, picture = task
    spec = specification.sample("train", number, SEED)
    made, drawn, _, alone = drawings.example(spec, size)
    example = stored(made, spec, size)
    drawn = drawn._replace(mesh=from_disk(drawn.mesh))
    places, pixel = raycast.pixel_places(drawn.camera, size), float(drawn.camera[0])
    caster = raycast.Caster(drawn.mesh.vertices, drawn.mesh.faces)
    sheets = np.array([sheet_errors(caster, drawn.mesh, places, pixel, example, side) for side in SIDES])
    part, shop = PART[GARMENT_PARTS[garments.load(spec.chosen.kind).CLASS]], Shop(alone, size)
    both = [colours(caster, drawn, example, side, part, shop) for side in SIDES]
    own, coordinate, shown = (np.concatenate(values) for values in zip(*both, strict=True))
    worn, coordinate = raycast.bilinear(shop.textures, own[shown]), coordinate[shown]
    drawn_small, small = sampled(alone.front, coordinate), shop.sampled(coordinate, size)
    endless = raycast.bilinear(shop.textures, shop.texture_uv(coordinate))
    pixels, ties, wrong = sheets[:, :3].sum(0).astype(int)
    return Found(
        number, spec.chosen.kind, _design(spec, size), pixels, ties, wrong, sheets[:, 3].max(), both[0][2].mean(),
        shown.mean(), psnr(worn, shop.sampled(coordinate, picture)), psnr(worn, endless), psnr(worn, drawn_small),
        psnr(small, drawn_small),
    )  # fmt: skip


def _design(spec, size):
    """The kind of print on the chosen garment."""
    closet = wardrobe.dress(spec.body_id, SEED, scene.cloth_levels(size))
    hung = next(one for outfit in closet.outfits for one in outfit if one.garment_id == spec.chosen.garment_id)
    return specification.pattern(spec.chosen, hung.cut.fabric, SEED).kind


def table(found, by):
    """Prints a line for every value of the Found field `by`."""
    print(f"\n{by:<20}{'examples':>9}{'shown':>8}{'front':>8}{'median':>8}{'5th':>7}{'least':>7}{'>= 35 dB':>10}"
          f"{'endless':>9}{'own size':>10}")  # fmt: skip
    for name in [*sorted({getattr(one, by) for one in found}), None]:
        mine = [one for one in found if name is None or getattr(one, by) == name]
        scores = np.array([one.psnr for one in mine])
        print(
            f"{name or 'all':<20}{len(mine):>9}{100 * np.mean([one.shown for one in mine]):>6.0f} %"
            f"{100 * np.mean([one.front for one in mine]):>6.0f} %{np.median(scores):>8.1f}"
            f"{np.percentile(scores, 5):>7.1f}{scores.min():>7.1f}{100 * (scores >= WANTED).mean():>8.0f} %"
            f"{min(one.endless for one in mine):>9.1f}{np.median([one.own_size for one in mine]):>10.1f}"
        )


def judged(found):
    """Prints what all examples come to beside the limits; gives the exit status."""
    total = sum(one.pixels for one in found)
    ties, wrong = (100 * sum(getattr(one, name) for one in found) / total for name in ("ties", "wrong"))
    scores, endless = (np.array([getattr(one, name) for one in found]) for name in ("psnr", "endless"))
    return judge(
        [
            Row("pixels of other label, or depth by 0.1 mm or more", ties + wrong, "<", 0.5, "{:.4f} %"),
            Row("those of them not within 1/128 pixel of an edge", wrong, "<", 0.01, "{:.4f} %"),
            Row(
                "worst difference of depth of all others", 1000 * max(one.depth for one in found), "<", 0.1, "{:.4f} mm"
            ),
            Row("colour where the shop picture shows it, median", np.median(scores), ">=", WANTED, "{:.1f} dB"),
            Row("the same, 5th percentile", np.percentile(scores, 5), ">=", WANTED, "{:.1f} dB"),
            Row("the same by a picture of endless resolution, least", endless.min(), ">=", WANTED, "{:.1f} dB"),
            Row("drawn shop picture against rays, median", np.median([o.drawn for o in found]), ">=", 40, "{:.1f} dB"),
        ]
    )


def main():
    """Measures, prints, and exits with 1 if a limit is missed."""
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--examples", type=int, default=48)
    flags.add_argument("--size", type=int, default=64, help="pixels a side of the examples")
    flags.add_argument("--picture", type=int, default=2048, help="pixels a side of the large shop picture")
    flags.add_argument("--first", type=int, default=0, help="number of the first body")
    flags.add_argument("--processes", type=int, help="one a core if not given")
    chosen = flags.parse_args()
    each = specification.EXAMPLES_A_BODY
    numbers = [(chosen.first + body) * each + body % each for body in range(chosen.examples)]
    tasks, found = [(number, chosen.size, chosen.picture) for number in numbers], []
    with processes.bar(len(numbers), "example") as bar:
        for one in processes.results(measure, tasks, chosen.processes):
            found.append(one)
            bar.update()
    table(found, "garment")
    table(found, "design")
    for one in found:
        if one.wrong:
            print(f"wrong: example {one.number}, {one.wrong} pixels of {one.pixels}")
    for one in sorted(found, key=lambda one: one.psnr)[:3]:
        print(f"least: example {one.number}, {one.garment}, {one.design}: {one.psnr:.1f} dB")
    print("shown: garment pixels of both sheets that the shop picture shows; front: of the front sheet alone;")
    print("endless: least by a picture of endless resolution; own size: median by the drawn picture of that size")
    sys.exit(judged(found))


if __name__ == "__main__":
    main()
