"""Flat panels: their primitives, and what the drafting rules promise about lengths, heights and mirror images."""

import numpy as np
import pytest
from tailored import crossings, draft, figure, finished, signed_area

from tryon_jax.garments import bodice, skirt
from tryon_jax.garments.pattern import SAMPLES, Pattern, curve, length, line, mirrored, panel

SQUARE = [
    ("bottom", line((0, 0), (2, 0))), ("right", line((2, 0), (2, 1), (2, 3))), ("top", line((2, 3), (0, 3))),
    ("left", line((0, 3), (0, 0))),
]  # fmt: skip


def test_curve_is_bezier():
    start, control, end = (np.array(point) for point in ((0.0, 0.0), (1.0, 2.0), (3.0, 1.0)))
    share = np.linspace(0, 1, SAMPLES)[:, None]
    wanted = start * (1 - share) ** 2 + 2 * control * share * (1 - share) + end * share**2
    np.testing.assert_allclose(curve(start, control, end), wanted, atol=1e-12)
    straight = curve((0, 0), (1, 1), (2, 2), (3, 3))
    np.testing.assert_allclose(straight, np.linspace((0, 0), (3, 3), SAMPLES), atol=1e-12)


def test_length_of_lines_and_circles():
    assert length(line((0, 0), (3, 4), (3, 5))) == pytest.approx(6)
    assert length(skirt.arc(0.5, np.pi / 2, 400)) == pytest.approx(0.5 * np.pi, rel=1e-4)


def test_panel_has_an_outline_and_finishes():
    made = panel("square", SQUARE, ("torso", "front"), hems=("bottom",), bands=("top",))
    assert made.finish == {"bottom": "hem", "right": "seam", "top": "band", "left": "seam"}
    assert len(made.outline) == 5 == len(np.unique(made.outline, axis=0))
    assert signed_area(made.outline) == pytest.approx(6)
    assert Pattern((made,), ()).panel("square") is made


def test_mirror_image_runs_counter_clockwise_and_back():
    image = mirrored(SQUARE)
    outline = panel("image", image, ()).outline
    assert signed_area(outline) == pytest.approx(6) and outline[:, 0].max() == 0
    for (name, points), (again, twice) in zip(SQUARE, mirrored(image), strict=True):
        assert name == again
        np.testing.assert_array_equal(points, twice)


def test_crossings_are_seen():
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    assert crossings(square) == 0 and crossings(square[[0, 2, 1, 3]]) == 1


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("ease", [0.0, 1.0])
@pytest.mark.parametrize("index", range(5))
def test_sleeve_fits_its_hole(share, ease, index):
    made = bodice.draft({"ease": ease}, figure(index).measurements)
    hole = length(dict(bodice.outer(made, made.waist[1]))["armhole"])
    for sleeve in bodice.sleeves(made, share):
        for side in ("front", "back"):
            # Cloth of the cap is eased in by a hundredth.
            assert hole < length(sleeve.edges[f"{side}_cap"]) < 1.02 * hole
        assert np.ptp(sleeve.edges["hem"][:, 0]) > figure(index).measurements.wrist


def test_sleeve_grows_with_its_share_and_may_be_missing():
    made = bodice.draft({"ease": 0.5}, figure(0).measurements)
    assert bodice.sleeves(made, 0.05) == ()
    reach = [-bodice.sleeves(made, share)[0].outline[:, 1].min() for share in (0.1, 0.4, 0.7, 1.0)]
    assert (np.diff(reach) > 0.025).all()
    # A long one reaches the wrist from the shoulder's tip.
    assert abs(reach[-1] - figure(0).measurements.arm) < 0.08
    cuffed = bodice.sleeves(made, 1.0, cuff=0.2)[0]
    assert length(cuffed.edges["hem"]) == pytest.approx(0.2)


@pytest.mark.parametrize("flare", [0.0, 0.1, 0.24, 0.26, 0.5, 1.0])
@pytest.mark.parametrize("rise", [0.0, 1.0])
@pytest.mark.parametrize("index", range(5))
def test_skirt_goes_around_waist_and_hips(flare, rise, index):
    measured = figure(index).measurements
    made = draft("skirt", index, flare=flare, rise=rise)
    around = sum(finished(made.panel(side)) for side in ("front", "back"))
    low, high = sorted((measured.waist, measured.hip))
    assert low < around < high + 0.03
    # The widest circle that the hips must pass, of a cone cut as a sector: its arc at the hips' depth.
    front = made.panel("front")
    if len(front.place) > 2:
        apex, half, top = front.place[2:]
        assert 2 * 2 * half * (apex + max(measured.waist_to_hip + top, 0.03) - top) > measured.hip
    assert np.ptp(front.outline[:, 0]) * 2 > measured.hip


def test_full_circle():
    made = draft("skirt", flare=1.0)
    front = made.panel("front")
    inner, outer = length(front.edges["waist"]), length(front.edges["hem"])
    long = length(front.edges["left_side"])
    assert outer - inner == pytest.approx(np.pi * long, rel=2e-3)


@pytest.mark.parametrize("ease", [0.0, 1.0])
@pytest.mark.parametrize("index", range(5))
def test_trousers_go_around_the_body(ease, index):
    measured = figure(index).measurements
    made = draft("trousers", index, ease=ease, rise=1.0, length=1.0)
    waist = sum(finished(one) for one in made.panels)
    assert measured.waist < waist < measured.waist + 0.06
    for leg in ("left", "right"):
        ankle = sum(length(made.panel(f"{leg}_{face}").edges["hem"]) for face in ("front", "back"))
        assert ankle > 0.65 * measured.calf
        low = [made.panel(f"{leg}_{face}").outline[:, 1].min() for face in ("front", "back")]
        assert low == pytest.approx([-measured.waist_to_ankle + 0.015] * 2)


def test_halves_make_the_whole_front():
    whole = draft("tshirt", neck_depth=0.1, neck_v=0.2, ease=0.4, neck_width=0.2)
    parts = draft("shirt", ease=0.4)
    joined = [parts.panel(f"{side}_front") for side in ("left", "right")]
    # Mirror images of each other, meeting at x = 0.
    np.testing.assert_allclose(
        np.sort(joined[0].outline[:, 0]), np.sort(-joined[1].outline[:, 0]), atol=1e-12
    )  # fmt: skip
    assert joined[0].outline[:, 0].min() == pytest.approx(0, abs=1e-12)
    assert whole.panel("front").outline[:, 0].min() == pytest.approx(-whole.panel("front").outline[:, 0].max())


def test_jacket_is_open():
    made = draft("jacket")
    left, right = (made.panel(f"{side}_front").edges["middle"][:, 0] for side in ("left", "right"))
    assert (left > 0.01).all() and (right < -0.01).all()
    assert not any("middle" in edge for seam in made.seams for _, edge in (seam.first, seam.second))
