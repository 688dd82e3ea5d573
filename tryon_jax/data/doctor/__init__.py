"""The data set doctor: what is wrong with the user's own copy of a published data set, before a training learns it.

python -m tryon_jax.data.doctor --dataset=viton_hd --root=COPY --out=DIR

A data set's checks are a file here that has its name and offers `plan(root) -> Plan`: what is wrong with the whole tree
and its files of pairs, and one Job for each pair, which looks at the pair's own files. The rest is shared: tree and
overlap (the whole copy), pictures, people, masks, poses and depth (one pair), evidence and report (what is told).
A copy without fault has no findings.
"""

import concurrent.futures
import importlib
import pathlib
import pkgutil
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tqdm

from tryon_jax import data
from tryon_jax.data.prepared import is_prepared
from tryon_jax.errors import UserError

ERROR, WARNING, LIKELY = "error", "warning", "likely"
# Of the pairs looked at. Parsers and pose estimators err on single photos, which a training survives; what happened to
# a copy shows in many. A LIKELY fault is an error from this share on, and a warning below it.
SYSTEMATIC = 0.1
THREADS = 4  # decoding leaves Python's lock; a disk is not quicker for more


class Finding(NamedTuple):
    """severity: ERROR, WARNING, or LIKELY until all pairs are seen; kind: two or three words, the same for one fault;
    file: its path; wrong and remedy: one sentence each; shown: None, or () -> evidence.Panels that show the fault."""

    severity: str
    kind: str
    file: pathlib.Path
    wrong: str
    remedy: str
    shown: Callable | None = None


class Job(NamedTuple):
    """One pair: the number of `files` that are read for it, and look() -> its Findings."""

    files: int
    look: Callable


class Plan(NamedTuple):
    """Findings of the whole tree, and the Jobs of a copy."""

    findings: list
    jobs: list


class Examination(NamedTuple):
    """Findings of the copy `root` of the data set `name`, errors first; looked of pairs, and files read for them."""

    name: str
    root: pathlib.Path
    findings: list
    looked: int
    pairs: int
    files: int


def names():
    """Names of the data sets that have a doctor."""
    return sorted({found.name for found in pkgutil.iter_modules(__path__)} & set(data.names()))


def load(name):
    """The checks of the data set `name`. Raises UserError naming the choices if there are none."""
    if name not in names():
        raise UserError(f"--dataset={name}: no such data set; choose one of {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def examine(name, root, limit=0):
    """The Examination of the copy of data set `name` in folder `root`, with a bar on the terminal.

    limit: pairs to look at, spread evenly over the copy, 0 for all; tree and files of pairs are looked at whole.
    Raises UserError for an unknown data set, or a folder that is missing or no copy as it was published.
    """
    checks, place = load(name), pathlib.Path(root).expanduser()
    if not place.is_dir():
        raise UserError(f"--root={root}: no such folder; give the folder of your own copy of {name}")
    if is_prepared(place):
        raise UserError(f"--root={root}: a prepared set; give the copy as it was published, which it was made of")
    if limit < 0:
        raise UserError(f"--limit={limit}: give a number of pairs, or 0 for all")
    plan = checks.plan(place)
    jobs = spread(plan.jobs, limit)
    files = sum(job.files for job in jobs)
    findings = list(plan.findings)
    with (
        tqdm.tqdm(total=files, desc=f"examining {name}", unit="file") as bar,
        concurrent.futures.ThreadPoolExecutor(THREADS) as pool,
    ):
        try:
            for job, found in zip(jobs, pool.map(lambda job: job.look(), jobs), strict=True):
                findings += found
                bar.update(job.files)
        except BaseException:  # Ctrl-C too: else all that waits is done first
            pool.shutdown(cancel_futures=True)
            raise
    return Examination(name, place, judged(findings, len(jobs)), len(jobs), len(plan.jobs), files)


def spread(jobs, limit):
    """At most `limit` of the jobs, evenly spread from the first to the last; all for 0."""
    if not limit or limit >= len(jobs):
        return list(jobs)
    return [jobs[index] for index in np.linspace(0, len(jobs) - 1, limit).round().astype(int)]


def judged(findings, looked):
    """Findings without doubles, LIKELY decided by SYSTEMATIC, errors first, then by kind, the most frequent first."""
    findings = list({(one.kind, one.file, one.wrong): one for one in findings}.values())
    often = Counter(one.kind for one in findings if one.severity == LIKELY)
    decided = []
    for one in findings:
        if one.severity == LIKELY:
            one = one._replace(severity=ERROR if often[one.kind] >= SYSTEMATIC * looked else WARNING)
        decided.append(one)
    count = Counter((one.severity, one.kind) for one in decided)
    return sorted(decided, key=lambda one: (one.severity, -count[one.severity, one.kind], one.kind, str(one.file)))
