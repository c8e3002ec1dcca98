"""The laws of runs and ranges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.kinds import Fact, Planned
from mwbatch.core.spending.plan import Create, Runs, precedence, ranges, run_size
from mwbatch.core.state.batch import Batch
from tests.support.facts import ROWS, histories, plan, start

numbers = st.sets(st.integers(0, 60)).map(sorted)


@given(numbers)
def test_ranges_say_exactly_the_numbers(rows: list[int]) -> None:
    """Ranges spelled out are the numbers again; they are half-open, ascending, and never touch."""
    written = ranges(rows)
    assert [number for first, end in written for number in range(first, end)] == rows
    bounds = [bound for pair in written for bound in pair]
    assert bounds == sorted(set(bounds))


def test_ranges_by_example() -> None:
    """4, 5, 6, 9 become (4, 7), (9, 10); nothing becomes nothing."""
    assert ranges([4, 5, 6, 9]) == ((4, 7), (9, 10))
    assert ranges([]) == ()


def cut(
    rows: list[Planned], batch: Batch, size: int, most: int | None = None, portion: int = 99
) -> list[list[Create]]:
    """All the runs of some rows that are read by portions."""
    runs, found = Runs(batch, size, most), list[list[Create]]()
    for first in range(0, len(rows), portion):
        runs.feed(rows[first : first + portion])
        while run := runs.take():
            found.append(run)
    return [*found, *filter(None, [runs.rest()])]


@given(histories, st.integers(1, 3), st.none() | st.integers(0, 3), st.integers(1, 3))
def test_what_may_be_sent_is_cut_into_runs(
    history: list[Fact], size: int, most: int | None, portion: int
) -> None:
    """Runs laid end to end are exactly the rows that the fold says may be sent, as many as may be.

    With their next attempts.

    Each is at most ``size`` rows of one attempt number, as long as it can be, however the rows were read.
    """
    rows = list(map(plan, range(ROWS)))
    batch = Batch([*history, *rows])
    may = [(n, batch.row(n).next_attempt) for n in range(ROWS) if batch.row(n).sendable][:most]
    runs = [
        [(create.planned.row, create.attempt) for create in run]
        for run in cut(rows, batch, size, most, portion)
    ]
    assert [create for run in runs for create in run] == may
    assert all(0 < len(run) <= size and len({attempt for _, attempt in run}) == 1 for run in runs)
    assert all(len(one) == size or one[0][1] != other[0][1] for one, other in pairwise(runs))
    wanted = batch.wanted(lambda row: not row.absent)
    assert [n for n in range(ROWS + 2) if wanted(n)] == [
        n for n in range(ROWS) if batch.row(n).sendable and not batch.row(n).absent
    ]
    assert not any(map(batch.wanted(lambda _: False), range(ROWS)))


def test_a_row_that_started_meanwhile_is_left_out() -> None:
    """Whether a row may be sent is asked when its turn comes, not before."""
    rows: list[Planned] = [plan(0), plan(1)]
    batch = Batch(rows)
    runs = Runs(batch, 1)
    runs.feed(rows)
    assert [create.planned.row for create in runs.take()] == [0]
    batch.add(start(1, ((1, 2),)))
    assert (runs.take(), runs.rest(), runs.is_done) == ([], [], False)


def test_run_sizes() -> None:
    """Four times the requests in flight, between 16 and 256."""
    assert [run_size(in_flight) for in_flight in (1, 4, 5, 64, 1000)] == [16, 16, 20, 256, 256]


def test_the_greater_edition_holds_and_of_equals_the_greater_digest() -> None:
    """Which of two plans of a row holds is told by the plans alone, so that every reader says the same."""
    first = plan(0)
    second, other = (
        first._replace(edition=1, request={"image_url": url}) for url in ("https://a/1", "https://a/2")
    )
    assert precedence(first) < min(precedence(second), precedence(other))
    assert precedence(second) != precedence(other)
    assert precedence(first._replace(edition=2)) > max(precedence(second), precedence(other))
