"""Work spread over processes that are set up as those that make the data; results come in the order of the tasks."""

import collections
import concurrent.futures
import multiprocessing
import sys

import tqdm

from tryon_jax.data.synthetic import generator, staging

AHEAD = 2  # tasks a process that are given out before their results are asked for


def results(function, tasks, processes=None):
    """Yields function(task), a function of a module, for every task in order; may be closed before the end.

    processes: one a usable core if not given. Which of them does a task never changes its result.
    """
    count = processes or staging.default_workers()
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(count, context, generator._prepare_jax)
    waiting, tasks = collections.deque(), iter(tasks)
    try:
        while True:
            for task in tasks:
                with staging.calm_algebra():  # the first tasks start the processes
                    waiting.append(pool.submit(function, task))
                if len(waiting) >= AHEAD * count:
                    break
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def bar(total, unit):
    """A progress bar with speed and time left; a log file gets a line now and then."""
    pause = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm.tqdm(total=total, unit=unit, mininterval=pause)
