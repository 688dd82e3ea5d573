"""Whatever is found by name keeps its contract: every stage, model, garment and data set, new ones included."""

import importlib
import inspect
import pathlib
import pkgutil

import flax.linen as nn
import jax
import jax.numpy as jnp
import lookalikes
import numpy as np
import pytest

from tryon_jax import data, garments, models, stages
from tryon_jax.garments import measurements, placement, sewn, sheet
from tryon_jax.garments import pattern as patterns
from tryon_jax.geometry.parts import GARMENT_CLASSES
from tryon_jax.state import TrainState

ROOT = pathlib.Path(__file__).parent.parent
BATCH = 2
SCHEMES = tuple(path.stem for path in sorted((ROOT / "configs").glob("*.py")) if path.stem not in ("base", "__init__"))


def test_names_are_found():
    assert {"ssl", "gan", "transfer"} <= set(stages.names())
    assert {garments.load(name).CLASS for name in garments.names()} == set(GARMENT_CLASSES)
    assert {"synthetic", "viton_hd", "dress_code", "mpv3d", "cloth3d", "garment_photos"} <= set(data.names())
    for folder in (stages, garments, data):
        with pytest.raises(ValueError, match="choose one of"):
            folder.load("no_such_thing")


# ---- stages: shapes and types only, so that nothing is compiled


def smoke_config(name):
    return importlib.import_module(f"configs.{name}").get_config("smoke").lock()


def batch_of(size):
    """A batch [BATCH, ...] of the data contract's shapes and dtypes, without values."""
    spec = data.specification(size)
    leaves = {key: jax.ShapeDtypeStruct((BATCH, *entry[0]), entry[1]) for key, entry in spec.items() if key != "has"}
    leaves.pop("caption", None)
    leaves["has"] = {key: jax.ShapeDtypeStruct((BATCH, *entry[0]), entry[1]) for key, entry in spec["has"].items()}
    return leaves


def keys():
    return jax.eval_shape(lambda: jax.random.split(jax.random.key(0), BATCH))


def key():
    return jax.eval_shape(lambda: jax.random.key(0))


def shapes(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


@pytest.mark.parametrize("name", stages.names())
def test_every_stage_has_a_config(name):
    assert [scheme for scheme in SCHEMES if smoke_config(scheme).stage == name]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_stage(scheme):
    config = smoke_config(scheme)
    module = stages.load(config.stage)
    assert list(inspect.signature(module.build).parameters) == ["config", "axis_name"]
    stage = module.build(config)
    assert isinstance(stage, stages.Stage)
    batch = batch_of(config.model.size)

    state = jax.eval_shape(stage.init, key(), batch)
    assert isinstance(state, TrainState)
    assert state.step.shape == () and state.step.dtype == jnp.int32
    # Parts are named as configs name them, so that any part can start any stage.
    assert state.params and set(state.params) <= set(config.optimizer.learning_rate_scale)
    assert state.ema and set(state.ema) <= set(state.params)
    for leaf in jax.tree.leaves((state.params, state.ema)):
        assert leaf.dtype == jnp.float32
    for part, averaged in state.ema.items():
        assert shapes(averaged) == shapes(state.params[part])

    after, metrics = jax.eval_shape(stage.train_step, state, batch, keys())
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert shapes(after) == shapes(state)
    assert metrics and all(jnp.shape(value) == () for value in metrics.values())

    rows = jax.eval_shape(stage.eval_step, state.ema, batch, keys())
    assert rows and all(leaf.shape[0] == BATCH for leaf in rows.values())
    generator = np.random.default_rng(0)
    drawn = {name: generator.uniform(0.1, 0.9, (8, *leaf.shape[1:])).astype(leaf.dtype) for name, leaf in rows.items()}
    scores = stage.summarize(drawn)
    assert scores and all(isinstance(value, float) for value in scores.values())
    for name in scores:
        assert "/" not in name or name.split("/", 1)[0] in scores, f"baseline {name} of no score"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_predictions_are_sheets(scheme):
    config = smoke_config(scheme)
    stage = stages.load(config.stage).build(config)
    batch = batch_of(config.model.size)
    state = jax.eval_shape(stage.init, key(), batch)
    sheets = jax.eval_shape(stage.predict, state.ema, batch, keys())
    for side in data.SIDES:
        for name in data.PREDICTED:
            wanted, got = batch[f"{side}_{name}"], sheets[f"{side}_{name}"]
            assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), f"{side}_{name}"
    assert sheets["mask"].shape == batch["mask"].shape


# ---- models


def modules():
    """Every network class of tryon_jax/models."""
    for found in pkgutil.iter_modules(models.__path__):
        module = importlib.import_module(f"{models.__name__}.{found.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, nn.Module) and member.__module__ == module.__name__:
                yield member


@pytest.mark.parametrize("network", modules(), ids=lambda network: network.__name__)
def test_model(network):
    assert network.__doc__ and not network.__doc__.startswith(f"{network.__name__}(")
    assert network.__call__ is not nn.Module.__call__
    source = inspect.getsource(network)
    # Statistics over a batch would make the result depend on the number of devices; hidden keys, on the order.
    assert "BatchNorm" not in source and "make_rng" not in source and "batch_stats" not in source


# ---- garments


@pytest.fixture(scope="module")
def rest():
    """An average body at rest."""
    from tryon_jax.simulation import body

    model = body.load()
    rng = np.random.default_rng(0)
    return body.posed(model, body.sample_shape(rng), body.sample_pose(rng, "a_pose")).rest


@pytest.mark.parametrize("name", garments.names())
def test_garment(name, rest):
    module = garments.load(name)
    assert module.__doc__
    assert module.PARAMETERS and all(low < high for low, high in module.PARAMETERS.values())
    parameters = {key: (low + high) / 2 for key, (low, high) in module.PARAMETERS.items()}
    garments.check(name, parameters)
    key, (_, high) = next(iter(module.PARAMETERS.items()))
    with pytest.raises(ValueError, match=key):
        garments.check(name, parameters | {key: high + 1})
    pattern = module.pattern(parameters, measurements.measure(rest).measurements)
    assert isinstance(pattern, patterns.Pattern) and module.CLASS in GARMENT_CLASSES
    mesh = sewn.sew(pattern, 0.044)
    placed, limbs = placement.place(pattern, mesh, rest, measurements.measure(rest))
    assert placed.shape == (mesh.count, 3) and np.isfinite(placed).all()
    assert all(values.min() >= 0 and values.max() <= 1 for values in limbs.values())
    layout = sheet.lay_out(pattern.panels)
    assert layout.side > 0 and len(layout.panels) == len(pattern.panels)


# ---- data sets


@pytest.mark.parametrize("name", data.names())
def test_data_set(name):
    """Sets that make themselves are read; one that needs somebody's copy is read from its look-alike."""
    module = data.load(name)
    assert list(inspect.signature(module.open_split).parameters)[:3] == ["preset", "split", "folder"]
    # Terms are those on which somebody else gives the set away.
    folder = str(lookalikes.folder(name)) if hasattr(module, "TERMS") else ""
    if not folder and "smoke" not in getattr(module, "PRESETS", {}):
        pytest.skip(f"{name} needs files that nobody here has")
    size = smoke_config("ssl").model.size
    for split in ("train", "test"):
        source = module.open_split("smoke", split, folder)
        assert len(source) >= 1
        for index in {0, len(source) - 1}:
            example = source[index]
            assert isinstance(example["caption"], (str, bytes)) and example["caption"]
            data.check({key: value for key, value in example.items() if key != "caption"}, size)
            check_sheets(example)
            check_fine(example)


def check_fine(example):
    """The fine pictures show what the sheets' do: apart from their detail they are the same."""
    means = {
        key: example[key].reshape(len(example[key]) // 2, 2, -1, 2, example[key].shape[-1]).mean((1, 3))
        for key in ("person_fine", "front_fine")
    }
    assert np.abs(means["person_fine"] - example["person"]).mean() < 0.04
    if not example["has"]["rgb"]:
        return
    cover, mask = means["front_fine"][..., 3:], example["mask"]
    assert np.abs(cover - mask).mean() < 0.06
    inside = (cover[..., 0] > 0.99) & (mask[..., 0] > 0)
    assert np.abs(means["front_fine"][..., :3] - example["front_rgb"])[inside].mean() < 0.04


def check_sheets(example):
    """The sheets of one example agree with its mask and with each other; what it lacks is zeros."""
    mask, has = example["mask"][..., 0] > 0.5, example["has"]
    assert mask.any() and (example["front_depth"] >= example["back_depth"])[mask].all()
    for side, sign in (("front", 1), ("back", -1)):
        assert not example[f"{side}_rgb"][~mask].any() and not example[f"{side}_depth"][~mask].any()
        assert (sign * example[f"{side}_normals"][..., 2][mask] >= 0).all()
        known = has["segmentation" if side == "front" else "back_segmentation"]
        assert (example[f"{side}_segmentation"] > 0)[mask].all() if known else not example[f"{side}_segmentation"].any()
        for name in ("depth", "normals", "garment_uv", "strain"):
            assert has[name] or not example[f"{side}_{name}"].any(), name
    assert has["back_rgb"] or not example["back_rgb"].any()
