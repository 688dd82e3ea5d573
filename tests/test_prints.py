"""Prints on the texture sheet: sizes in metres, motifs on the front only, words that name what is there."""

import functools

import numpy as np
import pytest
from sewn import BUTTON, leg, tshirt

from tryon_jax.garments import sheet
from tryon_jax.garments.pattern import DETAILS, Detail
from tryon_jax.simulation import captions, construction, motifs, notions, prints, weaves

SIZE = 256


@functools.cache
def laid(make, size=SIZE):
    layout = sheet.lay_out(make())
    return sheet.raster(layout, size), layout


def one(kind, seed=0, shape="circle", **other):
    """A white print of `kind` with black figures, without randomness but for its seed."""
    colours = np.array([[0.9, 0.9, 0.9], [0.1, 0.1, 0.1], [0.5, 0.1, 0.1]])
    return prints.Print(kind, shape, colours, 0.1, 0.5, seed, "white and black")._replace(**other)


def painted(design, make=tshirt, fabric="silk", details=(), size=SIZE):
    return prints.paint(design, *laid(make, size), details, fabric)


def interior(make, size=SIZE, depth=0.04):
    """Texels well inside their panels [S, S] bool, where neither seams nor hems are."""
    made, layout = laid(make, size)
    inside = np.minimum(np.minimum(made.seam, made.hem), made.band) > depth
    for number, panel in enumerate(layout.panels):
        low, high = panel.outline.min(axis=0), panel.outline.max(axis=0)
        inside &= (made.panel != number) | ((made.xy > low) & (made.xy < high)).all(axis=-1)
    return inside & (made.panel >= 0)


@pytest.mark.parametrize("kind", prints.KINDS)
def test_range_and_same_seed(kind):
    for fabric in weaves.FABRICS:
        picture = painted(one(kind), fabric=fabric)
        assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.float32
        assert 0 <= picture.min() and picture.max() <= 1
    np.testing.assert_array_equal(picture, painted(one(kind), fabric=fabric))
    assert (picture != painted(one(kind, seed=1), fabric=fabric)).any()


@pytest.mark.parametrize("kind", prints.KINDS)
def test_mean_colour_does_not_depend_on_the_size_of_the_sheet(kind):
    means = [painted(one(kind), fabric="denim", size=size)[interior(tshirt, size)].mean(axis=0) for size in (192, 384)]
    np.testing.assert_allclose(*means, atol=0.02)


@pytest.mark.parametrize("kind", ["horizontal stripes", "checks", "tartan", "gradient", "chevron"])
def test_patterns_meet_at_equal_heights(kind):
    made, layout = laid(tshirt)
    picture, inside = painted(one(kind, period=0.12), fabric="cotton"), interior(tshirt)
    texel = layout.side / SIZE
    lines = []
    for name in ("front", "back"):
        middle = inside & (made.panel == layout.index(name)) & (np.abs(made.xy[..., 0] - 0.04) < texel)
        middle &= (made.xy[..., 1] > 0.9) & (made.xy[..., 1] < 1.2)
        heights, values = made.xy[middle][:, 1], picture[middle].mean(axis=-1)
        order = np.argsort(heights)
        lines.append(np.interp(np.linspace(0.91, 1.19, 60), heights[order], values[order]))
    assert np.ptp(lines[0]) > 0.1
    np.testing.assert_allclose(*lines, atol=0.25)
    assert np.abs(lines[0] - lines[1]).mean() < 0.04


@pytest.mark.parametrize(("kind", "axis"), [("horizontal stripes", 1), ("vertical stripes", 0)])
def test_stripes_are_as_wide_as_they_say(kind, axis):
    seed = next(seed for seed in range(20) if _is_simple(kind, seed))
    made, _ = laid(tshirt)
    inside = interior(tshirt) & (made.panel == 0)
    position, dark = made.xy[inside][:, axis], painted(one(kind, seed))[inside].mean(axis=-1) < 0.5
    assert dark.mean() == pytest.approx(0.5, abs=0.12)
    phase = np.exp(2j * np.pi * position / 0.1)
    # Of evenly filled bands half a period wide, the phases' mean is 2 / pi long.
    assert abs(phase[dark].mean()) == pytest.approx(2 / np.pi, abs=0.12)


def _is_simple(kind, seed):
    """Whether this seed gives stripes without thin lines between them: then no accent is used."""
    design = one(kind, seed)
    colours = design.colours.copy()
    colours[2] = 0.0, 1.0, 0.0
    changed = painted(design._replace(colours=colours)) != painted(design)
    thin = painted(design).mean(axis=-1)[interior(tshirt)] < 0.4
    return not changed.any() and 0.4 < thin.mean() < 0.6


@pytest.mark.parametrize("shape", motifs.SHAPES)
def test_a_motif_lies_on_the_front_alone(shape):
    made, layout = laid(tshirt)
    for seed in range(3):
        difference = np.abs(painted(one("motif", seed, shape)) - painted(one("plain", seed, shape))).max(axis=-1) > 0.3
        assert set(made.panel[difference]) == {layout.index("front")}
        x, y = made.xy[difference].T
        assert (x.min() + x.max()) / 2 == pytest.approx(0, abs=0.03)
        assert 0.1 < np.ptp(x) < 0.4
        assert 1.0 < y.min() and y.max() < 1.31


def test_motifs_are_as_wide_at_any_size():
    widths = []
    for size in (128, 512):
        made, layout = laid(tshirt, size)
        ink = painted(one("motif", 0, "letters"), size=size).mean(axis=-1)[made.panel == 0] < 0.5
        widths.append(ink.sum() * (layout.side / size) ** 2)
    assert widths[0] == pytest.approx(widths[1], rel=0.2)


def test_details_are_where_they_say():
    made, layout = laid(leg)
    changed = np.abs(painted(one("plain"), leg, details=(BUTTON,)) - painted(one("plain"), leg)).max(axis=-1) > 0.03
    assert set(made.panel[changed]) == {layout.index("left_leg")}
    away = np.hypot(*(made.xy[changed] - BUTTON.centre).T)
    assert away.max() < 0.03 and len(away) > 5


@pytest.mark.parametrize("kind", DETAILS)
def test_every_detail_is_drawn_near_its_place(kind):
    made, layout = laid(leg)
    detail = Detail(kind, "left_leg", (0.02, 0.75), (0.06, 0.12))
    plain = painted(one("plain"), leg, "denim")
    changed = np.abs(painted(one("plain"), leg, "denim", (detail,)) - plain).max(axis=-1) > 0.02
    assert changed.any()
    reach = np.abs(made.xy[changed] - detail.centre) - np.array(detail.size) / 2
    assert reach.max() <= notions.REACH + layout.side / SIZE
    with pytest.raises(ValueError, match="no panel 'hood'"):
        painted(one("plain"), leg, "denim", (detail._replace(panel="hood"),))


def test_seams_are_darker_than_the_cloth_and_bands_end_in_a_line():
    made, _ = laid(tshirt, 512)
    light = painted(one("plain"), size=512).mean(axis=-1)
    cloth = light[interior(tshirt, 512)].mean()
    assert light[(made.seam < 0.002) & (made.panel >= 0)].mean() < 0.85 * cloth
    trim = construction.choose(one("plain"), "silk", laid(tshirt, 512)[1])
    edge = np.abs(made.band - trim.band) < 0.001
    assert light[edge & (made.seam > 0.03)].mean() < 0.92 * cloth


def test_light_cloth_may_have_a_contrasting_band():
    made, layout = laid(tshirt)
    seed = next(n for n in range(40) if construction.choose(one("plain", n), "cotton", layout).contrast)
    picture = painted(one("plain", seed), fabric="cotton").mean(axis=-1)
    assert picture[(made.band < 0.006) & (made.panel >= 0)].mean() < 0.4 < picture[interior(tshirt)].mean()


def test_texels_around_a_panel_carry_its_colours_on():
    made, layout = laid(tshirt)
    picture = painted(one("horizontal stripes", period=0.12))
    outside = (made.panel == 0) & (made.xy[..., 0] > 0.251)
    beside = np.roll(picture, 2, axis=1)[outside]
    assert outside.any() and np.abs(picture[outside] - beside).mean() < 0.12


@pytest.mark.parametrize("fabric", weaves.FABRICS)
def test_weaves_keep_the_mean_and_calm_down_on_coarse_sheets(fabric):
    spread = {}
    for size in (64, 256):
        threads = weaves.weave(fabric, *laid(tshirt, size), 3)
        assert threads.mean() == pytest.approx(1, abs=0.02)
        spread[size] = threads.std()
    assert spread[64] < spread[256] + 0.01


def test_colours_stand_apart_and_words_name_them():
    rng = np.random.default_rng(0)
    for _ in range(300):
        design = prints.sample(rng)
        light = design.colours @ prints.LUMINANCE
        if design.kind not in ("camouflage", "denim wash"):
            assert abs(light[0] - light[1]) > 0.1
        named = [name for name in prints.COLOURS if name in design.words]
        known = prints.DENIMS if design.kind == "denim wash" else prints.COLOURS
        # The words begin with the ground's name, or with "washed" and it.
        ground = max((name for name in named if design.words.removeprefix("washed ").startswith(name)), key=len)
        reference = known[ground][0] if design.kind == "denim wash" else known[ground]
        assert np.abs(design.colours[0] - reference).max() < 0.25
        if design.kind == "motif":
            assert (f'"{design.text}"' if design.shape == "letters" else design.shape) in design.words


def test_weights_choose_kinds():
    rng = np.random.default_rng(1)
    assert {prints.sample(rng, (1, 0, 0, 2, 0, 0, 0)).kind for _ in range(40)} == {"plain", "checks"}
    assert {prints.sample(rng).kind for _ in range(200)} == set(prints.KINDS)


@pytest.mark.parametrize("kind", [*captions.CUTS, "poncho"])
def test_captions_speak_of_any_garment(kind):
    for parameters in ({}, {"sleeve": 1.0, "length": 1.0, "ease": 0.0}, {"sleeve": 0.0, "length": 0.0, "neck_v": 1.0}):
        for fabric in ("", *weaves.FABRICS, "felt"):
            words = captions.caption(True, "standing", kind, parameters, "navy and white striped", fabric)
            assert "navy and white striped" in words and "  " not in words and " ," not in words
    assert "poncho" in words or kind != "poncho"


def test_a_caption_reads_as_it_should():
    parameters = {"sleeve": 0.3, "length": 0.5, "ease": 0.1, "neck_v": 0.9}
    words = captions.caption(False, "walking", "tshirt", parameters, "navy and white striped", "cotton")
    expected = "close-fitting navy and white striped cotton T-shirt with short sleeves and a V-neck, walking"
    assert words == f"a man in a {expected}"
    assert "in washed blue jeans, " in captions.caption(
        True, "walking", "trousers", {}, "washed blue", "denim"
    ).replace("cropped ", "")


def test_only_hoodies_with_a_hood_are_called_so():
    for hood in (0.1, 0.49, 0.5, 0.9):
        words = captions.caption(True, "standing", "hoodie", {"hood": hood}, "plain red", "knit")
        assert ("hood" in words) == ("pocket" in words) == (hood >= 0.5)
