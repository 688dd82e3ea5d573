"""Files of pairs: a person's and a garment's file name a line, with white space between."""

import pathlib

from tryon_jax.data.formats.access import request
from tryon_jax.errors import UserError


def read(path, terms):
    """[(person, garment)] of a file of pairs; empty lines are left out.

    Raises UserError if it is missing, empty, not text, or a line is not two plain file names.
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {request(terms)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text ({error}); take it from your copy anew") from None
    found = []
    for number, line in enumerate(lines, 1):
        names = line.split()
        if not names:
            continue
        if len(names) != 2 or any(pathlib.PurePath(name).name != name for name in names):
            raise UserError(f"{path}: line {number} is not a person's and a garment's file name; take it anew")
        found.append(tuple(names))
    if not found:
        raise UserError(f"{path}: it names no pairs; take it from your copy anew")
    return found
