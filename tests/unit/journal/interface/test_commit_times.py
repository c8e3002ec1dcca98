"""The laws of the buckets in which commits are counted."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.journal.interface.commit_times import BYTES, SECONDS, Commits, Histogram

values = st.lists(st.floats(min_value=0, max_value=20, allow_nan=False))


@given(values)
def test_every_value_is_in_one_bucket(sample: list[float]) -> None:
    """Up to each bound stand exactly the values that are not above it, and nothing is lost above the last."""
    histogram = Histogram(SECONDS)
    for value in sample:
        histogram.add(value)
    below = [sum(value <= bound for value in sample) for bound in SECONDS]
    assert [sum(histogram.counts[: n + 1]) for n in range(len(SECONDS))] == below
    assert sum(histogram.counts) == len(sample)
    assert histogram.total == sum(sample, 0.0)


def test_a_bound_belongs_to_its_bucket() -> None:
    """A value that equals a bound is counted up to it: Prometheus' `le` is less or equal."""
    commits = Commits()
    commits.add(SECONDS[3], int(BYTES[2]))
    assert commits.seconds.counts.index(1) == 3
    assert commits.bytes.counts.index(1) == bisect_left(BYTES, 16384) == 2


def test_bounds_rise() -> None:
    """Bounds rise, or no bucket would be right."""
    for bounds in (SECONDS, BYTES):
        assert list(bounds) == sorted(set(bounds))
