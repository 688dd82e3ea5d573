"""Every config at every preset has every key, scaled to its size, and refuses what it does not know."""

import importlib
import json
import pathlib
import re

import ml_collections
import pytest

from configs import base
from tryon_jax import stages
from tryon_jax.checkpoint import as_tuples

SCHEMES = sorted(path.stem for path in pathlib.Path(base.__file__).parent.glob("*.py") if path.stem != "base")


def keys(config, prefix=""):
    for name, value in config.items():
        if isinstance(value, ml_collections.ConfigDict):
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name, type(value)


@pytest.mark.parametrize("preset", base.PRESETS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_has_the_base_keys_and_types(scheme, preset):
    config = importlib.import_module(f"configs.{scheme}").get_config(preset)
    assert config.stage in stages.names()
    assert dict(keys(config)) == dict(keys(base.get_config()))


@pytest.mark.parametrize("preset", base.PRESETS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_fits_the_pyramid_and_eight_devices(scheme, preset):
    config = importlib.import_module(f"configs.{scheme}").get_config(preset)
    assert config.model.size % 8 == 0 and len(config.model.features) == 4
    assert config.batch_size % 8 == 0
    assert config.model.size % config.mask.patch == 0
    assert 0 < config.optimizer.warmup_steps < config.train.steps


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_unknown_preset_names_the_known_ones(scheme):
    with pytest.raises(ValueError, match="smoke, cpu, base, large"):
        importlib.import_module(f"configs.{scheme}").get_config("tiny")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_default_is_cpu_and_the_docstring_holds_the_command(scheme):
    module = importlib.import_module(f"configs.{scheme}")
    assert module.get_config().to_dict() == module.get_config("cpu").to_dict()
    assert f"--config=configs/{scheme}.py" in module.__doc__


def test_the_schedule_follows_the_steps():
    config = base.get_config()
    config.train.steps = 77
    assert config.optimizer.steps == 77


def test_json_gives_the_config_back():
    config = base.scaled(base.get_config(), "smoke")
    assert as_tuples(json.loads(config.to_json())) == config.to_dict()


def test_base_documents_every_key():
    """Each key is set on a line that ends in a comment; the parts' keys, set by loops, have their section's."""
    source = pathlib.Path(base.__file__).read_text()
    config = base.get_config().to_dict()
    sections = {name: value for name, value in config.items() if isinstance(value, dict)}
    keys = [("config", name) for name in config.keys() - sections.keys()]
    keys += [(name, key) for name, section in sections.items() for key in section if key not in base.PARTS]
    assert len(keys) > 50
    bare = [f"{place}.{key}" for place, key in keys if not re.search(rf"^    {place}\.{key} = .*  # \w", source, re.M)]
    assert bare == []
