"""The texture sheet: panels apart, coordinates and distances as they would be measured on the panels themselves."""

import numpy as np
import pytest
from sewn import leg, polygon, tshirt

from tryon_jax import native
from tryon_jax.garments import sheet

PATTERNS = {"tshirt": tshirt, "leg": leg}
SIZE = 192


@pytest.fixture(params=PATTERNS)
def laid(request):
    layout = sheet.lay_out(PATTERNS[request.param]())
    return layout, sheet.raster(layout, SIZE)


def centres(size):
    """Middles of all texels [S, S, 2] in [0, 1], x right and y down."""
    line = (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(line, line), axis=-1)


def test_uv_is_the_inverse_of_the_raster(laid):
    layout, made = laid
    for number, panel in enumerate(layout.panels):
        mine = made.panel == number
        assert mine.any()
        found = sheet.uv(layout, panel.name, made.xy[mine])
        np.testing.assert_allclose(found, centres(SIZE)[mine], atol=1e-6)


def test_outlines_lie_on_their_own_texels_with_room_for_bilinear_samples(laid):
    layout, made = laid
    reach = layout.margin / 2 / layout.side * 0.999  # a hair less, lest rounding puts a point on the next texel
    for number, panel in enumerate(layout.panels):
        place = sheet.uv(layout, panel.name, panel.outline)
        assert place.min() >= 0 and place.max() <= 1
        for shift in ((0, 0), (reach, reach), (-reach, -reach), (reach, -reach), (-reach, reach)):
            # Half a texel off: the nearest texel's middle may lie just beyond the margin.
            column, row = np.clip(((place + shift) * SIZE).astype(int), 0, SIZE - 1).T
            near = made.panel[row, column] == number
            inward = made.panel[np.clip(row + np.sign(-shift[1]).astype(int), 0, SIZE - 1),
                                np.clip(column + np.sign(-shift[0]).astype(int), 0, SIZE - 1)] == number  # fmt: skip
            assert (near | inward).all()


def test_panels_keep_their_margin(laid):
    layout, _ = laid
    boxes = []
    for panel in layout.panels:
        place = sheet.uv(layout, panel.name, panel.outline) * layout.side
        boxes.append((place.min(axis=0), place.max(axis=0)))
    for number, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:number]:
            assert np.maximum(low - other_high, other_low - high).max() > layout.margin * 0.999  # float rounding


def test_one_scale_and_no_turn(laid):
    layout, _ = laid
    for panel in layout.panels:
        ends = sheet.uv(layout, panel.name, np.array([[0, 0], [0.1, 0], [0, 0.1]]))
        np.testing.assert_allclose(ends[1:] - ends[0], np.array([[0.1, 0], [0, -0.1]]) / layout.side, atol=1e-12)


def test_texels_of_no_panel_say_so(laid):
    _, made = laid
    nothing = made.panel == -1
    assert made.panel.dtype == np.int16 and nothing.any()
    assert (made.xy[nothing] == 0).all()
    for distance in (made.seam, made.hem, made.band):
        assert (distance[nothing] == sheet.FAR).all() and distance.dtype == np.float32


def brute(points, edges):
    """Metres from points [N, 2] to the nearest of polylines, by walking along them in steps of 0.2 mm."""
    walked = [np.full((1, 2), 99.0)]
    for line in edges:
        for start, end in zip(line[:-1], line[1:], strict=True):
            share = np.linspace(0, 1, int(np.hypot(*(end - start)) / 2e-4) + 2)[:, None]
            walked.append(start + share * (end - start))
    walked = np.concatenate(walked)
    return np.array([np.hypot(*(walked - point).T).min() for point in points])


@pytest.mark.parametrize("finish", ["seam", "hem", "band"])
def test_distances_equal_those_of_a_walk_along_the_edges(laid, finish):
    layout, made = laid
    texel = layout.side / SIZE
    rng = np.random.default_rng(0)
    for number, panel in enumerate(layout.panels):
        edges = [points for name, points in panel.edges.items() if panel.finish[name] == finish]
        rows, columns = (one[:60] for one in rng.permutation(np.argwhere(made.panel == number)).T)
        wanted = np.minimum(brute(made.xy[rows, columns].astype(float), edges), sheet.FAR)
        np.testing.assert_allclose(getattr(made, finish)[rows, columns], wanted, atol=0.1 * texel + 2e-4)


def test_a_window_holds_what_lies_between_its_corners(laid):
    layout, made = laid
    name, number = layout.panels[0].name, 0
    low, high = np.array([-0.05, 0.85]), np.array([0.07, 0.95])
    place = sheet.window(layout, name, low, high, SIZE)
    inside = (made.panel == number) & ((made.xy > low) & (made.xy < high)).all(axis=-1)
    expected = np.zeros_like(inside)
    expected[place] = True
    np.testing.assert_array_equal(inside, expected)
    rows, columns = sheet.window(layout, name, (5, 5), (6, 6), SIZE)
    assert rows.stop <= rows.start or columns.stop <= columns.start


def test_many_panels_fill_most_of_their_sheet():
    rng = np.random.default_rng(1)
    sizes = rng.uniform(0.1, 0.6, (12, 2))
    panels = [
        polygon(f"p{number}", [(0, 0), (wide, 0), (wide, tall), (0, tall)], 4 * ["seam"])
        for number, (wide, tall) in enumerate(sizes)
    ]
    layout = sheet.lay_out(panels)
    assert sizes.prod(axis=1).sum() / layout.side**2 > 0.65
    assert layout.index("p3") == 3
    with pytest.raises(ValueError, match="no panel 'nothing'"):
        sheet.uv(layout, "nothing", np.zeros((1, 2)))


@pytest.mark.skipif(not native.available(), reason="no C++ compiler, so no kernel to compare")
def test_the_kernel_measures_the_same_bits(laid):
    layout, _ = laid
    x, y = (np.linspace(-0.3, 1.1, count).astype(np.float32) for count in (50, 37))
    edges = [points for panel in layout.panels for points in panel.edges.values()]
    edges.append(np.array([[0.1, 0.2], [0.1, 0.2], [0.4, 0.2]]))  # two equal points
    one, other = (sheet.distance(x, y, edges, path) for path in ("numpy", "native"))
    np.testing.assert_array_equal(one, other)
    assert one.min() < 0.01 and one.max() > 0.2
