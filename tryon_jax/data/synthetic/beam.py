"""The same set made by an Apache Beam pipeline, on one machine or on a cluster: the same records, bit by bit.

python -m tryon_jax.data.synthetic.beam --preset=base [--folder=DIR] [--exchange=DIR_OR_URL] [Beam's own options]

Workers leave whole chunks at the exchange, a folder or bucket that they and this machine see; here they are checked,
packed and published as those of this machine's own processes are. What a pipeline made before it ended is kept.
"""

import argparse
import functools
import os
import pathlib
import shutil
import sys
import tempfile

from tryon_jax.data import synthetic
from tryon_jax.data.synthetic import staging
from tryon_jax.errors import UserError


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="All other options go to Beam, e.g. --runner=FlinkRunner."
    )
    parser.add_argument("--preset", required=True, choices=list(synthetic.PRESETS))
    parser.add_argument("--folder", default="", help="where the set is published, as data.folder of a run")
    parser.add_argument(
        "--exchange", default="", help="folder or URL that all workers can write; by default in --folder"
    )
    given, options = parser.parse_known_args(arguments)
    try:
        _library()
        print(synthetic.prepare(given.preset, given.folder, functools.partial(make, given.exchange, options)))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what is made", file=sys.stderr)
        return 130
    return 0


def make(exchange, options, folder, wanted, maker, label="making data"):
    """Does what staging.make does, with a Beam pipeline: every chunk of `wanted` is in `folder` (pathlib.Path) after.

    exchange: folder or URL, "" for one inside `folder`; options: list of Beam's options. Raises UserError if Beam is
    not installed, the pipeline fails, or its chunks do not come to lie in the exchange.
    """
    _library()
    exchange = _place(exchange, folder)
    missing = _missing(exchange, folder, wanted)
    if missing:
        left = sum(chunk.last - chunk.first for chunk in missing)
        print(f"{label}: {left} examples in {len(missing)} chunks, by Apache Beam", file=sys.stderr, flush=True)
        _run(missing, functools.partial(write, maker, exchange), options)
        lost = _missing(exchange, folder, missing)
        if lost:
            raise UserError(
                f"{exchange}: {len(lost)} of {len(missing)} chunks are not there, though the pipeline ended well; "
                "give as --exchange a folder or URL that all workers and this machine see"
            )
    _delete(exchange)


def write(maker, exchange, chunk):
    """Makes a staging.Chunk on a worker and leaves it at the exchange, at once or not at all; returns its name."""
    from apache_beam.io.filesystems import FileSystems

    chunk = staging.Chunk(*chunk)
    records = [staging.made(maker, chunk.split, number) for number in range(chunk.first, chunk.last)]
    with tempfile.TemporaryDirectory() as scratch:
        staging.write(pathlib.Path(scratch), chunk, records)
        # Two workers may make the same chunk, where a runner does not wait for a slow one.
        half = _join(exchange, f"half_{os.path.basename(scratch)}_{chunk.name}")
        with open(pathlib.Path(scratch) / chunk.name, "rb") as source, FileSystems.create(half) as target:
            shutil.copyfileobj(source, target)
    FileSystems.rename([half], [_join(exchange, chunk.name)])
    return chunk.name


def _place(exchange, folder):
    """The folder or URL at the exchange where the chunks of the set that is staged in `folder` lie."""
    if not exchange:
        return str(folder.absolute() / "exchange")
    root = exchange if "://" in exchange else os.path.abspath(os.path.expanduser(exchange))
    try:
        return _join(root, f"{folder.parent.name}_{folder.name}")
    except ValueError as error:
        raise UserError(
            f'--exchange={exchange}: Beam does not reach it; for gs:// pip install "apache-beam[gcp]", or give a folder'
        ) from error


def _library():
    """The module apache_beam. Raises UserError if it is not installed."""
    try:
        import apache_beam
    except ImportError as error:
        raise UserError('apache-beam is not installed; pip install "tryon_jax[beam]"') from error
    return apache_beam


def _run(chunks, function, options):
    """Maps `function` over the chunks in a pipeline and waits for its end."""
    beam = _library()
    from apache_beam.options.pipeline_options import PipelineOptions

    try:
        with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
            # Plain tuples have a coder in every runner. The shuffle spreads them over the workers.
            items = pipeline | beam.Create([tuple(chunk) for chunk in chunks], reshuffle=False)
            _ = items | beam.Reshuffle() | beam.Map(function)
    except Exception as error:  # each runner has its own
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"the Beam pipeline failed: {line[:300]}; start the command again, it continues where it stopped"
        ) from error


def _missing(exchange, folder, wanted):
    """Those of the chunks that are not whole in `folder`, after the exchange's whole ones were moved there."""
    return [chunk for chunk in wanted if staging.read(folder, chunk) is None and not _fetched(exchange, folder, chunk)]


def _fetched(exchange, folder, chunk):
    """Moves a chunk from the exchange to `folder`; False if it is not there or damaged."""
    from apache_beam.io.filesystems import FileSystems

    there = _join(exchange, chunk.name)
    if not FileSystems.exists(there):
        return False
    temporary = folder / f".{chunk.name}.{os.getpid()}"
    with FileSystems.open(there) as source, open(temporary, "wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    os.replace(temporary, folder / chunk.name)
    FileSystems.delete([there])
    return staging.read(folder, chunk) is not None


def _join(exchange, name):
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.join(exchange, name)


def _delete(exchange):
    """Deletes what is left at the exchange, such as halves that no worker finished; buckets have no folders."""
    from apache_beam.io.filesystems import FileSystems

    if FileSystems.exists(exchange):
        FileSystems.delete([exchange])


if __name__ == "__main__":
    # Workers find the functions under this name; __main__ is another program there.
    from tryon_jax.data.synthetic import beam

    sys.exit(beam.main())
