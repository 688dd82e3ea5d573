"""The TFDS builder of a standardised copy; its manual folder is the copy. Needs no TensorFlow."""

import contextlib
import io
import os
import shutil

import numpy as np
import tensorflow_datasets as tfds

from tryon_jax import data
from tryon_jax.data.formats import access
from tryon_jax.data.prepared import VERSION, Maker, location
from tryon_jax.data.synthetic import builder as made
from tryon_jax.data.synthetic import records, staging

CHUNK = 64  # examples a staging file: what an interruption loses at most, a process


class Standardised(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """One builder class; a builder is named after its set and preset."""

    VERSION = tfds.core.Version(VERSION)
    MANUAL_DOWNLOAD_INSTRUCTIONS = "the user's own copy of the set, as it was published"
    code_path = None  # no checksum file beside the code: nothing is downloaded

    def __init__(self, name, preset, staged, root, workers=None):
        self.name = f"{name}_{preset}"
        self._set, self._preset, self._staged, self._workers = name, preset, staged, workers
        self._terms = data.load(name).TERMS
        self.MANUAL_DOWNLOAD_INSTRUCTIONS = access.request(self._terms)
        super().__init__(data_dir=str(root), file_format="array_record")

    def _info(self):
        everything = made.features(access.size_of(self._preset))
        found = {key: everything[key] for key in everything if key not in (*records.IDENTITIES, *records.ABOUT)}
        found["has"] = tfds.features.Tensor(shape=(len(data.HAS),), dtype=np.float32)
        return tfds.core.DatasetInfo(
            builder=self,
            # The names that the flags had: the reader finds them here.
            description=f"{self._terms.title}, standardised. Flags of has: {', '.join(data.HAS)}",
            features=tfds.features.FeaturesDict(found),
            license=self._terms.licence,
            homepage=self._terms.where,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        maker = Maker(self._set, self._preset, str(dl_manager.manual_dir))
        splits = data.load(self._set).SPLITS
        sources = {split: data.load(self._set).open_split(self._preset, split, maker.folder) for split in splits}
        wanted = staging.chunks({split: len(source) for split, source in sources.items()}, CHUNK)
        staging.make(self._staged, wanted, maker, self._workers, f"standardising {self._terms.title}")
        return {split: self._generate_examples([one for one in wanted if one.split == split]) for split in splits}

    def _generate_examples(self, chunks):
        for chunk in chunks:
            stored = staging.read(self._staged, chunk)
            if stored is None:
                raise OSError(f"{chunk.name} was damaged after it was made")
            for number, record in enumerate(stored, start=chunk.first):
                example = {key: value.tobytes() if key in made.PICTURES else value for key, value in record.items()}
                yield number, example | {"caption": str(record["caption"])}


def prepare(name, preset, folder, root="", workers=None):
    """The prepared folder (pathlib.Path) of the copy of the set `name` in `folder`; made if it is missing.

    Shows a bar, continues where it was interrupted, and appears whole or not at all. Raises UserError if the copy is
    missing, incomplete or damaged; OSError if the folder cannot be written.
    """
    place = location(name, preset, root)
    if place.exists():
        return place
    # Asked here, since TFDS would answer a missing copy by a traceback.
    data.load(name).open_split(preset, "train", folder)
    staged = place.parent / f"staging_{place.name}"
    staged.mkdir(parents=True, exist_ok=True)
    tfds.disable_progress_bar()
    packed = staged / "packed"
    shutil.rmtree(packed, ignore_errors=True)
    builder = Standardised(name, preset, staged, packed, workers)
    manual = tfds.download.DownloadConfig(manual_dir=os.path.abspath(os.path.expanduser(folder)))
    # TFDS prints the folder it works in, which is renamed at the end: nothing for the user to read.
    with contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_dir=str(staged / "downloads"), download_config=manual)
    os.rename(packed / builder.name / VERSION, place)
    shutil.rmtree(staged, ignore_errors=True)
    return place


def data_source(folder, split):
    """Random access to the stored examples of a prepared folder, pictures decoded."""
    return made.data_source(folder, split)
