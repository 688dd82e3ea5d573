"""Programs kept in the cache: traced once, the same results, and never another program's or a damaged one."""

import jax.numpy as jnp
import numpy as np
import pytest

from tryon_jax import traced


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(traced, "cache_folder", lambda: tmp_path)
    return tmp_path / "traced"


class Counted:
    """A function of a tree and an array that counts how often it is traced."""

    def __init__(self, factor=2.0):
        self.factor, self.traces = factor, 0

    def __call__(self, tree, x):
        self.traces += 1
        return {"y": tree["w"] @ x * self.factor}


TREE, X = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, np.ones(3, np.float32)
ANSWER = [6.0, 24.0]


def asked(function, of="a", tree=TREE, x=X):
    return np.asarray(traced.kept(function, of, tree, x)(tree, x)["y"])


def test_a_second_start_does_not_trace(cache):
    first, second = Counted(), Counted()
    np.testing.assert_array_equal(asked(first), ANSWER)
    np.testing.assert_array_equal(asked(second), ANSWER)
    assert (first.traces, second.traces) == (1, 0) and len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"of": "b"},
        {"x": np.ones((3, 2), np.float32)},
        {"x": np.ones(3, np.int32)},
        {"tree": {"w": TREE["w"][:1]}},
        {"tree": {**TREE, "b": X}},
    ],
)
def test_what_may_change_the_program_is_traced_anew(cache, other):
    asked(Counted())
    function = Counted()
    asked(function, **other)
    assert function.traces == 1 and len(list(cache.iterdir())) == 2


def test_other_code_is_traced_anew(cache, monkeypatch):
    asked(Counted())
    monkeypatch.setattr(traced.jax, "__version__", "0")
    function = Counted()
    asked(function)
    assert function.traces == 1


@pytest.mark.parametrize("damage", [lambda blob: blob[:-1], lambda blob: blob[:40] + b"?" + blob[41:], lambda _: b""])
def test_a_damaged_program_is_made_anew(cache, damage):
    asked(Counted())
    (file,) = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    function, third = Counted(), Counted()
    np.testing.assert_array_equal(asked(function), ANSWER)
    np.testing.assert_array_equal(asked(third), ANSWER)
    assert (function.traces, third.traces) == (1, 0)


def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(traced, "cache_folder", lambda: tmp_path / "file")
    np.testing.assert_array_equal(asked(Counted()), ANSWER)


def test_constants_travel_with_the_program(cache):
    for _ in range(2):
        np.testing.assert_array_equal(asked(Counted(jnp.float32(3.0))), 1.5 * np.array(ANSWER))
