"""The stream of batches: reproducible, complete, the same however many processes share it, resumable exactly."""

import numpy as np
import pytest

from tryon_jax.data import pipeline


class Counting:
    """A source whose example i holds the number i."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        assert 0 <= index < self.size
        return {"number": np.int32(index), "caption": f"number {index}", "has": {"rgb": np.float32(index % 2)}}


def numbers(iterator, count):
    drawn = [next(iterator) for _ in range(count)]
    iterator.close()
    return [batch["number"].tolist() for batch in drawn]


def test_same_seed_same_order_other_seed_other_order():
    first, again, other = (numbers(pipeline.batches(Counting(40), 8, seed), 12) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_every_epoch_is_complete_and_shuffled_anew():
    stream = sum(numbers(pipeline.batches(Counting(20), 6, 0), 10), [])
    epochs = [stream[20 * epoch : 20 * (epoch + 1)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_batches_keep_nested_flags_and_leave_the_caption_out():
    iterator = pipeline.batches(Counting(8), 4, 0)
    batch = next(iterator)
    iterator.close()
    assert set(batch) == {"number", "has"}
    np.testing.assert_array_equal(batch["has"]["rgb"], batch["number"] % 2)


@pytest.mark.parametrize("size", [40, 37])
def test_processes_share_the_stream_of_one(size):
    alone = numbers(pipeline.batches(Counting(size), 8, 5), 15)
    shares = [numbers(pipeline.batches(Counting(size), 8, 5, index, 2), 15) for index in range(2)]
    assert [left + right for left, right in zip(*shares, strict=True)] == alone
    in_first_epoch = [set(sum(share[: size // 8], [])) for share in shares]
    assert not in_first_epoch[0] & in_first_epoch[1]


@pytest.mark.parametrize("threads", [1, 3])
def test_state_resumes_exactly(threads):
    iterator = pipeline.batches(Counting(50), 8, 1, threads=threads)
    for _ in range(7):
        next(iterator)
    state = iterator.get_state()
    expected = numbers(iterator, 9)
    resumed = pipeline.batches(Counting(50), 8, 1)
    resumed.set_state(state)
    assert numbers(resumed, 9) == expected
    assert numbers(pipeline.batches(Counting(50), 8, 1, start_step=7), 9) == expected


def test_evaluation_is_in_order_and_counts_no_example_twice():
    seen = []
    for batch, count in pipeline.evaluation_batches(Counting(10), 4):
        assert len(batch["number"]) == 4
        seen += batch["number"][:count].tolist()
    assert seen == list(range(10))
    assert sum(count for _, count in pipeline.evaluation_batches(Counting(10), 4, limit=5)) == 5


def test_fewer_examples_are_spread_over_all():
    for size, limit, expected in ((64, 8, range(0, 64, 8)), (10, 4, [0, 2, 5, 7]), (5, 8, range(5))):
        seen = []
        for batch, count in pipeline.evaluation_batches(Counting(size), 3, limit):
            seen += batch["number"][:count].tolist()
        assert seen == list(expected)
    shares = [next(pipeline.evaluation_batches(Counting(64), 8, 8, index, 2))[0]["number"] for index in range(2)]
    assert np.concatenate(shares).tolist() == list(range(0, 64, 8))


def test_evaluation_is_shared_among_processes():
    shares = [list(pipeline.evaluation_batches(Counting(9), 4, 0, index, 2)) for index in range(2)]
    assert len(shares[0]) == len(shares[1])
    seen = [share[step][0]["number"][: share[step][1]].tolist() for step in range(3) for share in shares]
    assert sum(seen, []) == list(range(9))


def test_uneven_share_is_refused():
    with pytest.raises(ValueError, match="cannot be shared"):
        pipeline.batches(Counting(10), 5, 0, 0, 2)
    with pytest.raises(ValueError, match="cannot be shared"):
        next(pipeline.evaluation_batches(Counting(10), 5, 0, 0, 2))
