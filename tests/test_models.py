"""Encoder, decoder and attention: shapes, ranges by construction, examples kept apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict

from tryon_jax.models import maps
from tryon_jax.models.attention import Attention
from tryon_jax.models.encoder_decoder import (
    CORRECTIONS,
    MODALITIES,
    Decoder,
    Encoder,
    nothing,
    without_skips,
)
from tryon_jax.models.generator import Mapping
from tryon_jax.models.layers import GROWN
from tryon_jax.models.posture import TOLD

FEATURES, SIZE, COUNT = (4, 8, 8, 16), 32, 3


def observations(size=SIZE):
    empty = nothing(COUNT, size)
    keys = jax.random.split(jax.random.key(1), len(empty))
    drawn = {name: jax.random.normal(key, empty[name].shape) for key, name in zip(keys, empty, strict=True)}
    return {**drawn, "keypoints": size * jax.random.uniform(keys[0], empty["keypoints"].shape)}


@pytest.fixture(scope="module")
def encoded():
    encoder = Encoder(FEATURES, dropout=0.5)
    (pyramid, _), variables = jax.jit(encoder.init_with_output)(jax.random.key(0), observations())
    return encoder, variables, pyramid


@pytest.fixture(scope="module")
def decoded(encoded):
    decoder = Decoder(FEATURES)
    raw, variables = jax.jit(decoder.init_with_output)(jax.random.key(0), encoded[2])
    return decoder, variables, raw


def shapes(pyramid):
    return [level.shape for level in pyramid]


def test_encoder_and_mapping_fit_one_decoder(encoded):
    expected = [(COUNT, 4, 4, 16), (COUNT, 8, 8, 8), (COUNT, 16, 16, 8), (COUNT, SIZE, SIZE, FEATURES[0])]
    assert shapes(encoded[2]) == expected
    z, classes = jnp.ones((COUNT, 5)), jnp.zeros(COUNT, jnp.int32)
    (_, pyramid, _), _ = jax.jit(Mapping(FEATURES, SIZE).init_with_output)(jax.random.key(0), z, classes)
    assert shapes(pyramid) == expected


def grown(variables, other):
    """`variables` with what `other` has besides; the names of that."""
    flat, wider = (flatten_dict(tree["params"]) for tree in (variables, other))
    return {"params": unflatten_dict(wider | flat)}, wider.keys() - flat.keys()


def test_further_blocks_change_nothing_at_the_start_and_learn(encoded, decoded):
    """So that a run can start with the parts of one that did not have them."""
    encoder, decoder = Encoder(FEATURES, more=2), Decoder(FEATURES, more=2)
    (_, variables, pyramid), (_, decoding, raw), seen = encoded, decoded, observations()
    wider, names = grown(variables, jax.jit(encoder.init)(jax.random.key(1), seen))
    deeper, more = grown(decoding, jax.jit(decoder.init)(jax.random.key(1), pyramid))
    assert names and more and all(any(key.startswith(GROWN) for key in name) for name in names | more)

    @jax.jit
    def loss(wider, deeper):
        pyramid, _ = encoder.apply(wider, seen)
        made = decoder.apply(deeper, pyramid)
        return jnp.square(made).mean(), (pyramid, made)

    (_, (same, made)), gradients = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(wider, deeper)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), same, pyramid)
    np.testing.assert_allclose(made, raw, atol=1e-5)
    for gradient, chosen in zip(gradients, (names, more), strict=True):
        flat = flatten_dict(gradient["params"])
        assert all(np.abs(flat[name]).max() > 0 for name in chosen if name[-2:] == ("conv", "kernel"))


def test_a_missing_modality_equals_an_empty_one(encoded):
    encoder, variables, _ = encoded
    full = {**observations(), "parts": jnp.zeros((COUNT, SIZE, SIZE, MODALITIES["parts"]))}
    without = {name: value for name, value in full.items() if name != "parts"}
    one, other = (jax.jit(encoder.apply)(variables, seen) for seen in (full, without))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, other)


def test_edges_are_seen_in_the_fine_picture_once_learned(encoded):
    """At the start they say nothing, so that an encoder that never saw them can go on with them."""
    encoder, variables, _ = encoded
    seen = observations()
    other = {**seen, "detail": seen["detail"].at[:, 5, 7].add(1.0)}
    look = jax.jit(encoder.apply)
    jax.tree.map(np.testing.assert_array_equal, look(variables, seen), look(variables, other))
    learned = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.1 * (GROWN in jax.tree_util.keystr(path)), variables
    )
    (*_, fine, sharp), (*_, fine_other, sharp_other) = (look(learned, one)[0] for one in (seen, other))
    assert np.abs(fine - fine_other).max() > 1e-3
    # At full size they are seen where they are: the fine pixel (5, 7) lies in (2, 3), which nine look at.
    changed = np.abs(sharp - sharp_other).max((0, 3)) > 1e-6
    np.testing.assert_array_equal(np.argwhere(changed).min(0), [1, 2])
    np.testing.assert_array_equal(np.argwhere(changed).max(0), [3, 4])


def test_keypoints_that_are_not_shown_might_be_anywhere(encoded):
    encoder, variables, _ = encoded
    hidden = observations()
    hidden["keypoints"] = hidden["keypoints"].at[:, ::2, 2].set(0)
    elsewhere = {**hidden, "keypoints": hidden["keypoints"].at[:, ::2, :2].add(7)}
    one, two = (jax.jit(encoder.apply)(variables, seen) for seen in (hidden, elsewhere))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, two)
    assert not np.allclose(one[0][0], jax.jit(encoder.apply)(variables, observations())[0][0])


def test_the_posture_is_of_the_shown_keypoints_and_of_found_ones_where_none_are(encoded):
    encoder, variables, _ = encoded
    seen = observations()
    seen["keypoints"] = seen["keypoints"].at[..., 2].set(1.0)
    hidden = {**seen, "keypoints": seen["keypoints"].at[..., 2].set(0.0)}
    shown, found = (jax.jit(encoder.apply)(variables, kind)[1] for kind in (seen, hidden))
    assert shown["joints"].shape == (COUNT, 1 + CORRECTIONS, 17, 2) and shown["joint_depths"].shape == (COUNT, 17, 2)
    again = {**seen, "keypoints": seen["keypoints"].at[..., :2].set(found["joints"][:, -1])}
    other = {**seen, "keypoints": seen["keypoints"].at[0, 3, 0].add(9.0)}
    told, moved = (jax.jit(encoder.apply)(variables, kind)[1]["joint_depths"] for kind in (again, other))
    assert np.abs(told - shown["joint_depths"]).max() > 1e-5
    assert not np.allclose(moved[0], shown["joint_depths"][0])
    np.testing.assert_allclose(moved[1:], shown["joint_depths"][1:], atol=1e-6)


def test_a_told_keypoint_takes_the_place_of_a_found_one_and_is_not_seen(encoded):
    encoder, variables, _ = encoded
    seen = observations()
    hidden, told = ({**seen, "keypoints": seen["keypoints"].at[..., 2].set(value)} for value in (0.0, TOLD))
    (bare, found), (pyramid, posture) = (jax.jit(encoder.apply)(variables, kind) for kind in (hidden, told))
    np.testing.assert_allclose(posture["joints"], found["joints"], atol=1e-5)
    assert np.abs(posture["joint_depths"] - found["joint_depths"]).max() > 1e-5
    for one, other in zip(bare[2:], pyramid[2:], strict=True):  # what comes before the posture
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_examples_do_not_see_each_other(encoded, decoded):
    (encoder, encoder_variables, _), (decoder, decoder_variables, raw) = encoded, decoded
    second = jax.tree.map(lambda value: value[1:2], observations())
    alone = jax.jit(decoder.apply)(decoder_variables, jax.jit(encoder.apply)(encoder_variables, second)[0])
    np.testing.assert_allclose(alone[0], raw[1], atol=1e-5)


def test_dropout_is_off_without_keys_and_each_examples_own_with_them(encoded):
    encoder, variables, pyramid = encoded
    keys = jax.random.split(jax.random.key(7), COUNT)
    dropped = jax.jit(encoder.apply)(variables, observations(), keys)[0][0]
    share = float((dropped == 0).mean())
    assert 0.35 < share < 0.65
    second = jax.tree.map(lambda value: value[1:2], observations())
    np.testing.assert_allclose(jax.jit(encoder.apply)(variables, second, keys[1:2])[0][0][0], dropped[1], atol=1e-4)


def test_without_skips_flattens_the_chosen_examples_only(encoded):
    pyramid = encoded[2]
    coarse, *upper = without_skips(pyramid, jnp.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(coarse, pyramid[0])
    for level, before in zip(upper, pyramid[1:], strict=True):
        np.testing.assert_array_equal(level[0], before[0])
        np.testing.assert_allclose(level[1], np.broadcast_to(before[1].mean((0, 1)), level[1].shape), atol=1e-6)


def test_split_keeps_its_promises_for_any_raw_output():
    raw = 5 * jax.random.normal(jax.random.key(3), (2, 8, 8, maps.CHANNELS))
    found = maps.split(raw)
    assert sum(value.shape[-1] for value in found.values()) == maps.CHANNELS
    assert (found["front_depth"] >= found["back_depth"]).all()
    for side, sign in (("front", 1), ("back", -1)):
        normals = found[f"{side}_normals"]
        np.testing.assert_allclose(jnp.linalg.norm(normals, axis=-1), 1, atol=1e-4)
        assert (sign * normals[..., 2] > 0).all()
        assert 0 <= found[f"{side}_rgb"].min() and found[f"{side}_rgb"].max() <= 1
        assert abs(found[f"{side}_garment_uv"]).max() <= 1


def test_colours_are_composed_of_the_sources_that_there_are():
    blend = jax.random.normal(jax.random.key(13), (3, 5, len(maps.CHOICES)))
    given = maps.shares(blend, ("own", "palette"))
    np.testing.assert_allclose(given.sum(-1), 1, atol=1e-6)
    assert not given[..., [maps.CHOICES.index("garment"), maps.CHOICES.index("photo")]].any()
    odds = jnp.exp(blend[..., 3] - blend[..., 0])
    np.testing.assert_allclose(given[..., 3] / given[..., 0], odds, rtol=1e-4)
    sources = {"own": jnp.full((3, 5, 3), 0.2), "palette": jnp.full((3, 5, 3), 0.8)}
    expected = np.broadcast_to(0.2 * given[..., :1] + 0.8 * given[..., 3:], (3, 5, 3))
    np.testing.assert_allclose(maps.composed(given, sources), expected, atol=1e-6)
    only = maps.composed(maps.shares(blend, ("photo",)), {"photo": 3 * jnp.ones((3, 5, 3))})
    np.testing.assert_array_equal(only, 1.0)
    gradient = jax.grad(lambda blend: maps.composed(maps.shares(blend, sources), sources).sum())(blend)
    assert np.isfinite(gradient).all() and not gradient[..., 1:3].any() and gradient[..., 0].any()


def test_sheets_are_in_metres_and_empty_off_the_mask():
    raw = jax.random.normal(jax.random.key(4), (2, 8, 8, maps.CHANNELS))
    found, camera = maps.split(raw), jnp.array([[0.5, 0, 0], [0.25, 0, 0]])
    made = maps.sheets(found, found["front_rgb"], found["back_rgb"], camera)
    off = np.asarray(made["mask"] <= 0.5)[..., 0]
    for name, value in made.items():
        assert name == "mask" or not np.asarray(value)[off].any(), name
    for index, half in enumerate((2.0, 1.0)):
        on = ~off[index]
        np.testing.assert_allclose(made["back_depth"][index][on], half * found["back_depth"][index][on], rtol=1e-5)
    assert made["front_segmentation"].dtype == jnp.int32
    assert (np.asarray(made["front_segmentation"])[~off] > 0).all()


@pytest.mark.parametrize("side", [4, 8, 16])
def test_attention_lets_opposite_corners_see_each_other(side):
    x = jax.random.normal(jax.random.key(8), (2, side, side, 8))
    module = Attention()
    out, variables = jax.jit(module.init_with_output)(jax.random.key(0), x)
    assert out.shape == x.shape
    seen = jax.jit(jax.grad(lambda x: module.apply(variables, x)[0, 0, 0].sum()))(x)
    assert abs(seen[0, -1, -1]).max() > 1e-5 and not seen[1].any()


def test_attention_at_any_size_has_the_same_parameters():
    small, large = (Attention().init(jax.random.key(0), jnp.zeros((1, side, side, 8))) for side in (8, 32))
    assert jax.tree.map(jnp.shape, small) == jax.tree.map(jnp.shape, large)


def test_attention_is_the_formula_of_one_head_written_out():
    x = jax.random.normal(jax.random.key(9), (1, 4, 4, 6))
    module = Attention(blocks=1, heads=1)
    out, variables = module.init_with_output(jax.random.key(0), x)
    p = variables["params"]

    def dense(name, h):
        return h @ name["kernel"].reshape(h.shape[-1], -1) + name.get("bias", np.zeros(1)).ravel()

    def norm(name, h):
        scaled = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-6)
        return scaled * name["scale"] + name["bias"]

    tokens = np.asarray(x).reshape(16, 6) + p["place"]
    h = norm(p["norm_0_attend"], tokens)
    query, key, value = (dense(p[f"{name}_0"], h) for name in ("query", "key", "value"))
    tokens = tokens + dense(p["attend_0"], jax.nn.softmax(query @ key.T / np.sqrt(6)) @ value)
    tokens = tokens + dense(p["narrow_0"], jax.nn.silu(dense(p["widen_0"], norm(p["norm_0_think"], tokens))))
    np.testing.assert_allclose(
        out[0].reshape(16, 6), x[0].reshape(16, 6) + dense(p["tell"], norm(p["norm"], tokens)), atol=1e-4
    )


def test_a_latent_makes_no_chequer(decoded):
    """Constant upper levels under a constant coarse one: far from the border each map is flat."""
    decoder, variables, _ = decoded
    sides = ((12, 16), (24, 8), (48, 8), (96, FEATURES[0]))
    keys = jax.random.split(jax.random.key(8), len(sides))
    pyramid = [
        jnp.broadcast_to(jax.random.normal(key, (1, 1, 1, channels)), (1, side, side, channels))
        for key, (side, channels) in zip(keys, sides, strict=True)
    ]
    inner = np.asarray(jax.jit(decoder.apply)(variables, tuple(pyramid)))[0, 46:50, 46:50]
    np.testing.assert_allclose(inner, np.broadcast_to(inner[:1, :1], inner.shape), atol=1e-4)
