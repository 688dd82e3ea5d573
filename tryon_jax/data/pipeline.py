"""From a random-access source of examples to batches: shuffled by seed, shared among processes, resumable.

Examples are shuffled as one stream that does not depend on the number of processes: global batch k is always the
same examples in the same order, and process p of P takes its p-th consecutive share of rows. So joining the
processes' rows in order gives what one process alone would have seen.
"""

import grain
import numpy as np


def batches(source, batch_size, seed, process_index=0, process_count=1, start_step=0, threads=2):
    """An endless iterator over this process's rows of batches of `batch_size` examples (counted over all processes).

    source: __len__ and __getitem__ giving one example, a dict of numpy arrays (`caption` is left out).
    Gives dicts of arrays [batch_size / process_count, ...]. Every epoch is complete and shuffled anew. The iterator
    has get_state() and set_state(), which is exact, and close(); batch number `start_step` comes first.
    Raises ValueError if the batch cannot be shared evenly or the source holds less than one batch.
    """
    if batch_size % process_count:
        raise ValueError(f"a batch of {batch_size} cannot be shared among {process_count} processes")
    if len(source) < 1:
        raise ValueError("the source holds no examples")
    rows = batch_size // process_count
    mine = slice(process_index * rows, (process_index + 1) * rows)
    indices = grain.MapDataset.range(len(source)).seed(seed).shuffle().repeat(None).batch(batch_size)
    loaded = indices.map(lambda chosen: stack([source[int(index)] for index in chosen[mine]]))
    iterator = iter(loaded.to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads)))
    if start_step:
        iterator.set_state({"next_index": int(start_step)})
    return iterator


def evaluation_batches(source, batch_size, limit=0, process_index=0, process_count=1):
    """Yields (batch, count) over `limit` examples (0 is all) in order, this process's rows only. Fewer than all are
    spread evenly over the source, since neighbours may show the same person.

    Arrays are [batch_size / process_count, ...]; the last batch is padded with repeats of the last example, and
    `count` says how many of the rows are examples in their own right, so that no score counts one twice. Every
    process yields the same number of batches. Raises ValueError if the batch cannot be shared evenly.
    """
    if batch_size % process_count:
        raise ValueError(f"a batch of {batch_size} cannot be shared among {process_count} processes")
    total = min(limit, len(source)) if limit else len(source)
    rows = batch_size // process_count
    for start in range(0, total, batch_size):
        first = start + process_index * rows
        places = (min(index, total - 1) for index in range(first, first + rows))
        chosen = [source[place * len(source) // total] for place in places]
        yield stack(chosen), int(np.clip(total - first, 0, rows))


def stack(examples):
    """One batch, a dict of arrays [B, ...], of a list of B examples; `caption` is left out."""
    first = examples[0]
    return {
        key: stack([example[key] for example in examples])
        if isinstance(value, dict)
        else np.stack([example[key] for example in examples])
        for key, value in first.items()
        if key != "caption"
    }
