"""What tests share: one small made data set in the user's cache, and compiled code kept between runs."""

import os

# Before numpy is there: with a process a core already, linear algebra's second threads would spin a third of the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A test runs its program a few times: what LLVM would make of it in twice the time is never earned back. Commands that
# tests start inherit it. Nothing may depend on it but the last bits; set it to 0 to test what users run.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from tryon_jax.assets import cache_folder  # noqa: E402

if not jax.config.jax_compilation_cache_dir:
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


@pytest.fixture(scope="session")
def smoke_data():
    """Folder for `data.folder` that holds the smoke set: 32 training and 8 test examples at 32 px."""
    from tryon_jax.data import synthetic

    folder = str(cache_folder())
    synthetic.open_split("smoke", "train", folder)
    return folder


@pytest.fixture(scope="session")
def smoke_batch(smoke_data):
    """Four training examples, a dict of numpy arrays [4, ...]."""
    from tryon_jax.data import pipeline, synthetic

    source = synthetic.open_split("smoke", "train", smoke_data)
    batch = pipeline.stack([source[index] for index in range(4)])
    jax.tree.map(lambda array: array.setflags(write=False), batch)  # tests must not change what others read
    return batch


@pytest.fixture
def rng():
    """A numpy generator, the same for every test."""
    return np.random.default_rng(0)
