"""The peers of the try-on: their parts are what their papers say, they learn, and all are shown and judged alike."""

from functools import partial

import jax
import numpy as np
import pytest
from made_people import batch as people
from scipy.interpolate import RBFInterpolator

from experiments import compare_peers
from experiments.peers import m3d_inputs, m3d_vton, measures, pix2pix, thin_plate, training
from experiments.peers.unet import Convolution
from tryon_jax.errors import UserError
from tryon_jax.geometry.camera import pixel_centres
from tryon_jax.geometry.parts import GARMENT_CLASSES, PART, PARTS
from tryon_jax.models.convolution import conv
from tryon_jax.render.paste import paste
from tryon_jax.scores import dressing
from tryon_jax.stages import transfer

SIZE, COUNT = 16, 2
# Compiled in a fraction of the time; each program here runs a few times only.
quick = partial(jax.jit, compiler_options={"xla_backend_optimization_level": "0"})
RANGES = {"roll": 0.1, "scale": 0.1, "shift": 0.05, "flip": 0.5, "colour": 0.2, "taper": 0.4, "yaw": 0.2}


def keys(count=COUNT):
    return jax.random.split(jax.random.key(0), count)


def first(batch):
    return jax.tree.map(lambda rows: rows[0], batch)


@pytest.fixture(scope="module", params=compare_peers.PEERS)
def trained(request):
    """(name, metrics of the first and of the last of some steps on one batch, found maps, their scores by example)."""
    optimization = {"learning_rate": 2e-3, "warmup_steps": 0, "steps": 1000, "b1": 0.5, "b2": 0.999}
    optimization |= {"weight_decay": 0.0, "clip_norm": 0.0}
    peer = compare_peers.PEERS[request.param](SIZE, 4, optimization, 0.9)
    batch = people(SIZE, COUNT)
    state, step, metrics = quick(peer.init)(jax.random.key(0), batch), quick(peer.train_step), []
    for _ in range(20):
        state, found = step(state, batch, keys())
        metrics.append({name: float(value) for name, value in found.items()})
    assert int(state.step) == 20

    def judged(params):
        found = peer.look(params, batch, keys())
        return found, jax.vmap(measures.score)(found, batch)

    return request.param, metrics[0], metrics[-1], *jax.tree.map(np.asarray, quick(judged)(state.ema))


def test_a_peer_learns_one_batch(trained):
    name, before, after, _, _ = trained
    learned = {"pix2pix": ("l1",), "m3d_vton": ("parts", "depth", "refined", "colour", "share")}[name]
    assert all(np.isfinite(value) for value in after.values())
    for term in learned:
        assert after[f"loss/{term}"] < 0.9 * before[f"loss/{term}"], term


def test_found_maps_are_what_is_scored(trained):
    name, _, _, found, rows = trained
    assert found["mask"].shape == (COUNT, SIZE, SIZE, 1)
    assert found["front_colour"].shape == found["back_colour"].shape == (COUNT, SIZE, SIZE, 3)
    assert 0 <= found["front_colour"].min() and found["back_colour"].max() <= 1
    assert ("front_depth" in found) == ("back_depth" in found) == (name == "m3d_vton")
    scores = measures.summarize(rows)
    assert ("normal_degrees" in scores) == ("front_depth_mm" in scores) == (name == "m3d_vton")
    assert all(np.isfinite(value) for value in scores.values())


def test_the_transposed_convolution_spreads_each_pixel_over_four_by_four():
    up = Convolution(3, "up", use_bias=False)
    impulses = np.zeros((2, 6, 6, 2), np.float32)
    impulses[0, 2, 2, 1] = impulses[1, 3, 4, 1] = 1
    one, other = np.asarray(quick(lambda key: up.init_with_output(key, impulses)[0])(jax.random.key(0)))
    rows, columns = np.nonzero(np.abs(one).sum(-1))
    assert one.shape == (12, 12, 3) and (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 6, 3, 6)
    np.testing.assert_allclose(other, np.roll(one, (2, 4), (0, 1)), atol=1e-7)


@pytest.mark.parametrize(("layers", "side", "size"), [(1, 16, 32), (3, 70, 96)])
def test_a_logit_sees_a_patch(layers, side, size):
    judge = pix2pix.Discriminator(1, layers, norm=False)

    def middle(picture):
        logits, _ = judge.init_with_output(jax.random.key(0), picture)
        return logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]

    gradient = quick(jax.grad(middle))(np.ones((1, size, size, 1), np.float32))
    rows, columns = np.nonzero(np.asarray(gradient)[0, :, :, 0])
    assert pix2pix.field(layers) == side
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == side


def test_patches_are_the_papers_share_of_the_picture():
    fields = {size: pix2pix.field(pix2pix.layers_for(size)) for size in (64, 128, 256, 512)}
    assert fields == {64: 16, 128: 34, 256: 70, 512: 70}
    with pytest.raises(ValueError, match="power of two"):
        pix2pix.build(48, 4, {}, 0.9)


def test_offsets_of_an_affine_map_give_that_map(rng):
    basis, rest = thin_plate.basis(8, 3), thin_plate.controls(3)
    still = 2 * pixel_centres((8, 8)) / 8 - 1
    np.testing.assert_allclose(thin_plate.places(np.zeros((9, 2), np.float32), basis), still, atol=1e-5)
    matrix, shift = rng.normal(size=(2, 2)), rng.normal(size=2)
    offsets = (rest @ matrix.T + shift - rest).astype(np.float32)
    np.testing.assert_allclose(thin_plate.places(offsets, basis), still @ matrix.T + shift, atol=1e-5)
    assert float(thin_plate.bending(offsets)) < 1e-6 < 0.01 < float(thin_plate.bending(rng.normal(size=(9, 2))))


def test_the_spline_is_scipys(rng):
    offsets, rest = rng.normal(size=(25, 2)), thin_plate.controls(5)
    pixels = np.asarray(2 * pixel_centres((6, 6)) / 6 - 1).reshape(-1, 2)
    twin = RBFInterpolator(rest, rest + offsets, kernel="thin_plate_spline")(pixels)
    found = thin_plate.places(offsets.astype(np.float32), thin_plate.basis(6, 5)).reshape(-1, 2)
    np.testing.assert_allclose(found, twin, atol=1e-4)


def test_slopes_of_a_plane():
    rows, columns = np.mgrid[:6, :7]
    plane = (0.25 * columns - 0.5 * rows + 3)[..., None]
    found = np.asarray(m3d_inputs.sobel(plane))
    np.testing.assert_allclose(found[1:-1, 1:-1], np.broadcast_to([8 * 0.25, 8 * -0.5], (4, 5, 2)), atol=1e-6)
    single = np.zeros((3, 3, 1))
    single[0, 2] = 1  # above and to the right: weighs 1 in both kernels
    assert np.asarray(m3d_inputs.sobel(single))[1, 1].tolist() == [1, -1]


def test_a_garment_at_rest_lies_where_the_baseline_pastes_it():
    example = first(people(SIZE, 1))
    example["garment"] = np.random.default_rng(0).random((SIZE, SIZE, 3), np.float32)
    example["garment_mask"] = np.zeros((SIZE, SIZE, 1), np.float32)
    example["garment_mask"][3:12, 4:14] = 1
    white, kind = np.ones((SIZE, SIZE, 3), np.float32), example["garment_class"]
    pasted = np.asarray(quick(paste)(example["garment"], example["garment_mask"], white, example["keypoints"], kind))
    rest = 2 * pixel_centres((SIZE, SIZE)) / SIZE - 1
    found = np.asarray(quick(m3d_inputs.laid)(example, rest))
    # The baseline ends at its box, which is half a texel within the cut-out's end.
    inside = (pasted < 1).any(-1)
    assert inside.sum() > 8
    np.testing.assert_allclose(found[inside, :3], pasted[inside], atol=1e-4)
    assert (found[..., 3] > 0)[inside].all() and (found[..., 3] == 0).sum() > 8


@pytest.mark.parametrize("kind", GARMENT_CLASSES)
def test_the_agnostic_person_does_not_show_the_clothes(kind):
    one, other = first(people(SIZE, 1)), first(people(SIZE, 1))
    worn = np.full((SIZE, SIZE), PART[kind], np.int32)
    worn[:4] = PART["hair"]
    for example in (one, other):
        example["person_segmentation"], example["garment_class"] = worn, np.int32(GARMENT_CLASSES.index(kind))
    other["person"] = other["person"].copy()
    other["person"][4:] = 0.123
    agnostic = quick(m3d_inputs.agnostic)
    assert np.array_equal(agnostic(one), agnostic(other))
    other["person"][:4] = 0.321
    assert not np.array_equal(agnostic(one), agnostic(other))
    assert set(m3d_inputs.KEPT[kind]) < set(PARTS) - {kind, "background"}


def test_behind_a_face_is_hair():
    colour = np.zeros((4, 4, 3), np.float32)
    colour[0], colour[1], colour[2] = [0.2, 0.1, 0.0], [0.9, 0.7, 0.6], [0, 0, 1]
    labels = np.repeat([[PART["hair"]], [PART["face"]], [PART["upper"]], [0]], 4, 1)
    back = np.asarray(m3d_vton.behind(colour, np.eye(len(PARTS), dtype=np.float32)[labels]))
    np.testing.assert_allclose(back[1], colour[0], atol=1e-6)
    np.testing.assert_array_equal(back[[0, 2, 3]], colour[[0, 2, 3]])


def test_examples_are_moved_but_nobody_turns():
    example = first(people(SIZE, 1))

    @quick
    def both(key):
        return transfer.moved(RANGES, example, key), transfer.moved({**RANGES, "yaw": 0.0}, example, key)

    asked, still = both(jax.random.key(3))
    jax.tree.map(np.testing.assert_array_equal, asked, still)
    assert not np.array_equal(asked["person"], example["person"])


def test_operations_are_counted_whatever_kernels_do_them():
    x, kernel = np.ones((2, 16, 16, 8), np.float32), np.ones((3, 3, 8, 4), np.float32)
    found = training.forward_cost(lambda kernel, x, rng: conv(x, kernel, (0, 0)), kernel, x, x)
    assert found == pytest.approx(2 * 14 * 14 * 9 * 8 * 4, rel=0.01)  # of one picture


def test_measures_are_those_of_transfer():
    batch, rng = people(SIZE, 3), np.random.default_rng(1)
    maps = {"mask": rng.normal(size=(3, SIZE, SIZE, 1))}
    for side in ("front", "back"):
        maps |= {f"{side}_{name}": rng.random((3, SIZE, SIZE, 3)) for name in ("colour", "rgb")}
        normals = rng.normal(size=(3, SIZE, SIZE, 3))
        maps[f"{side}_normals"] = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        maps[f"{side}_depth"] = rng.normal(size=(3, SIZE, SIZE, 1))
        maps[f"{side}_parts"] = rng.normal(size=(3, SIZE, SIZE, len(PARTS)))
        maps[f"{side}_garment_uv"] = rng.normal(size=(3, SIZE, SIZE, 2))
    maps = jax.tree.map(np.float32, maps)
    ours, theirs = quick(lambda *given: (jax.vmap(measures.score)(*given), jax.vmap(dressing.score)(*given)))(
        maps, batch
    )
    ours, theirs = (jax.tree.map(np.asarray, rows) for rows in (ours, theirs))
    shared = measures.summarize(ours).keys() & dressing.summarize(theirs).keys()
    assert shared >= {"garment_psnr", "back_garment_psnr", "person_psnr", "back_psnr", "normal_degrees", "mask_iou"}
    for name in shared:
        assert measures.summarize(ours)[name] == pytest.approx(dressing.summarize(theirs)[name], rel=1e-5), name


def test_the_table_and_the_mistakes_of_the_command_line():
    lines = compare_peers.table({"paste": {"garment_psnr": 13.456}, "ours": {"front_depth_mm": 1234.56}}).splitlines()
    assert lines[1].split()[:3] == ["paste", "13.46", "-"] and "1,234.6" in lines[2].split()
    assert len({len(line) for line in lines}) == 1
    with pytest.raises(UserError, match="no peer 'x'"):
        compare_peers.main(["--peers", "pix2pix,x"])
    with pytest.raises(UserError, match="--preset: no preset 'y'"):
        compare_peers.main(["--preset", "y"])
