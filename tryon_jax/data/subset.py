"""A part of a data set: some garment classes of it, or the first share of its examples."""

from tryon_jax.errors import UserError
from tryon_jax.geometry.parts import GARMENT_CLASSES


class Subset:
    """The examples of `source` at `indices`, in that order."""

    def __init__(self, source, indices):
        self._source, self._indices = source, tuple(indices)

    def __len__(self):
        return len(self._indices)

    def __getitem__(self, index):
        if not 0 <= index < len(self._indices):
            raise IndexError(f"example {index} of {len(self)}")
        return self._source[self._indices[index]]


def chosen(source, classes=(), share=1.0):
    """`source`, or the first `share` of its examples whose garment is of one of `classes` (() is all), a Subset.

    Examples of one body lie side by side in made data, so a share holds as large a share of the people.
    Raises UserError for an unknown class, a share outside (0, 1], or if no example is left.
    """
    unknown = [name for name in classes if name not in GARMENT_CLASSES]
    if unknown:
        raise UserError(f"config.data.classes: no garment class {unknown[0]!r}; they are {', '.join(GARMENT_CLASSES)}")
    if not 0 < share <= 1:
        raise UserError(f"config.data.share={share}: must be above 0 and at most 1")
    if not classes and share == 1:
        return source
    wanted = [GARMENT_CLASSES.index(name) for name in classes or GARMENT_CLASSES]
    indices = range(len(source))
    if classes:
        indices = [index for index in indices if int(source[index]["garment_class"]) in wanted]
    indices = indices[: round(share * len(indices))]
    if not indices:
        raise UserError(f"config.data: none of {len(source)} examples is left by classes={classes} and share={share}")
    return Subset(source, indices)
