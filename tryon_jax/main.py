"""The command line of training and scoring: flags only.

python -m tryon_jax.main --config=configs/gan.py[:preset] [--workdir=DIR] [--config.key=value ...]
python -m tryon_jax.main --config=configs/gan.py[:preset] [--workdir=DIR] --mode=evaluate
"""

import errno
import pathlib
import re
import sys

from absl import app, flags, logging
from ml_collections import config_flags

from tryon_jax import large_pages
from tryon_jax.errors import UserError

config_flags.DEFINE_config_file(
    "config", None, "The run, as FILE or FILE:PRESET, e.g. configs/gan.py:smoke.", lock_config=True
)
flags.DEFINE_string("workdir", None, "The run's folder; by default runs/<config's name>, or runs/<name>_<preset>.")
flags.DEFINE_enum("mode", "train", ["train", "evaluate"], "train: go on with the run; evaluate: score it.")
flags.DEFINE_string("coordinator", "", "host:port of process 0 where several train together; auto asks the cluster.")
flags.DEFINE_integer("processes", 0, "How many processes train together.")
flags.DEFINE_integer("process", -1, "This process's number among them, from 0.")
flags.mark_flag_as_required("config")

FLAGS = flags.FLAGS
# A full or read-only place, or one that is not ours; any other failure of the system shows where it happened.
CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def default_workdir(config_file):
    """runs/<name>, or runs/<name>_<preset>, of FILE or FILE:PRESET."""
    file, _, preset = config_file.partition(":")
    return pathlib.Path("runs") / "_".join(filter(None, (pathlib.Path(file).stem, preset)))


def parse(arguments):
    """The arguments left after the flags; a mistake in them is one line and exit code 2."""
    try:
        rest = FLAGS(arguments)
        file = FLAGS["config"].config_filename.partition(":")[0]
        if not pathlib.Path(file).is_file():
            raise ValueError(f"--config={file}: no such file; run from the folder that holds configs/")
        FLAGS.config.to_dict()  # a config file that fails says so at its first use
        return rest
    except flags.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # absl wraps what a config file raised: its own sentence is in the last line.
        message = lines[-1] if "Error whilst parsing" in str(error) else " ".join(lines)
    except (AttributeError, KeyError) as error:
        message = _misspelt(arguments, str(error.args[0]) if error.args else "")
    except Exception as error:  # a config file is anybody's program and may raise anything
        message = " ".join(str(error).split())
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def _misspelt(arguments, message):
    """One line about a key that the config has not; ml_collections quotes the key and perhaps a likely one."""
    quoted = re.search(r"'(\w+)", message)
    likely = re.search(r'Did you mean "(\w+)"', message)
    key = quoted[1] if quoted else message
    given = next((text.partition("=")[0] for text in arguments if text.startswith("--config.") and key in text), key)
    return f"{given}: no such key" + (f"; did you mean {likely[1]}?" if likely else "")


def main(arguments):
    """Trains or scores; what the user can mend is one line and exit code 1."""
    logging.set_verbosity(logging.FATAL)  # orbax tells of every barrier; what goes wrong is raised, not logged
    if arguments[1:]:
        print(f"error: {arguments[1]}: not a flag; give --name=value", file=sys.stderr)
        return 2
    # Imported here, so that a mistake in the flags is told at once; JAX takes seconds to load.
    from tryon_jax import evaluate, parallel, train

    workdir = FLAGS.workdir or default_workdir(FLAGS["config"].config_filename)
    try:
        parallel.initialize(FLAGS.coordinator, FLAGS.processes, FLAGS.process)
        parallel.cache_compilations()
        {"train": train.run, "evaluate": evaluate.run}[FLAGS.mode](FLAGS.config, workdir)
        return 0
    except UserError as error:
        message, code = f"error: {error}", 1
    except KeyboardInterrupt:
        message, code = "stopped; the same command goes on from the newest checkpoint", 130
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        message, code = f"error: {error.filename or workdir}: {error.strerror}; free it or give another --workdir", 1
    print(message, file=sys.stderr)
    parallel.leave(code)
    return code


if __name__ == "__main__":
    large_pages.start_again()
    app.run(main, flags_parser=parse)
