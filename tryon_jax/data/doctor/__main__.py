"""Says what is wrong with your own copy of a published data set, before you train on it.

python -m tryon_jax.data.doctor --dataset=viton_hd --root=COPY [--out=DIR] [--json=FILE] [--limit=N]
"""

import argparse
import pathlib
import sys

from tryon_jax.data import doctor
from tryon_jax.errors import UserError


def main(arguments=None):
    """Runs the command line; returns the exit code: 1 if there is an error, 0 if there are but warnings or nothing."""
    parser = argparse.ArgumentParser(prog="python -m tryon_jax.data.doctor", description=__doc__)
    parser.add_argument("--dataset", required=True, help=f"one of {', '.join(doctor.names())}")
    parser.add_argument("--root", required=True, help="folder of your copy, as it was published")
    parser.add_argument("--out", type=pathlib.Path, help="folder for report.md and worst.png")
    parser.add_argument("--json", type=pathlib.Path, help="file for all findings, machine-readable")
    parser.add_argument("--limit", type=int, default=0, help="pairs to look at, spread over the copy; 0 for all")
    given = parser.parse_args(arguments)
    from tryon_jax.data.doctor import report

    try:
        examination = doctor.examine(given.dataset, given.root, given.limit)
        print(report.text(examination))
        written = report.write(examination, given.out) if given.out else []
        if given.json:
            report.write_json(examination, given.json)
            written.append(given.json)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}; make the place readable, or give another --out or --json", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; --limit=N looks at N pairs only", file=sys.stderr)
        return 130
    if written:
        print(f"written: {', '.join(map(str, written))}")
    return int(report.errors(examination) > 0)


if __name__ == "__main__":
    sys.exit(main())
