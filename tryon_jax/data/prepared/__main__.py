"""Standardises the user's own copy of a photographed data set for a preset, so that training reads it quickly.

python -m tryon_jax.data.prepared --dataset=viton_hd --preset=base --folder=COPY
"""

import argparse
import sys

from tryon_jax.data import names
from tryon_jax.data.formats import access
from tryon_jax.data.prepared import DRAWN
from tryon_jax.errors import UserError


def main(arguments=None):
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tryon_jax.data.prepared", description=__doc__)
    parser.add_argument("--dataset", required=True, choices=[name for name in names() if name not in DRAWN])
    parser.add_argument("--preset", default="cpu", choices=list(access.SIZES))
    parser.add_argument("--folder", required=True, help="your copy, as it was published")
    parser.add_argument("--root", default="", help="where data/<set>_<preset> is put; the cache if it is left out")
    parser.add_argument("--workers", type=int, help="processes; one a core if it is left out")
    given = parser.parse_args(arguments)
    from tryon_jax.data.prepared import builder  # after the flags were read: TFDS takes seconds to import

    try:
        place = builder.prepare(given.dataset, given.preset, given.folder, given.root, given.workers)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}; free space there or give another --root", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
    print(f"{place}: train with --config.data.name={given.dataset} --config.data.folder={place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
