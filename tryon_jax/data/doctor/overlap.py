"""People of the training part among the test part: scores on them say nothing."""

import hashlib
from collections import defaultdict

from tryon_jax.data.doctor import ERROR, Finding

REMEDY = "Take its pairs out of the training list, or the test's scores are too good."


def by_name(listed, train, test, remedy=REMEDY):
    """Findings of the names that are in both parts; listed: path of the list that a remedy is for."""
    return [
        Finding(ERROR, "overlap by name", listed, f"{name} is in the training part and in the test part.", remedy)
        for name in sorted(set(train) & set(test))
    ]


def by_content(train, test, remedy=REMEDY, named=lambda path: path.name):
    """Findings of the training files that are, byte for byte, a test file of another name.

    train, test: paths; those that do not exist are passed over. Only files of one size are read. named: path -> name;
    files of one name in both parts are by_name's.
    """
    sizes = [defaultdict(list), defaultdict(list)]
    for found, paths in zip(sizes, (train, test), strict=True):
        for path in sorted(set(paths)):
            if path.is_file():
                found[path.stat().st_size].append(path)
    findings = []
    for size in sorted(sizes[0].keys() & sizes[1].keys() - {0}):
        held_out = {_digest(path): path for path in sizes[1][size]}
        for path in sizes[0][size]:
            twin = held_out.get(_digest(path))
            if twin and named(twin) != named(path):
                wrong = f"it is, byte for byte, {named(twin)} of the test part."
                findings.append(Finding(ERROR, "overlap by content", path, wrong, remedy))
    return findings


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
