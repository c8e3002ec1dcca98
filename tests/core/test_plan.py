"""The laws of runs and ranges."""

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.batch import Batch
from mwbatch.core.facts import Fact, Planned
from mwbatch.core.plan import Create, precedence, ranges, run_size, runs, sendable
from tests.core.facts import ROWS, histories, plan, start

numbers = st.sets(st.integers(0, 60)).map(sorted)
creates = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 3))).map(
    lambda pairs: [Create(plan(row), attempt) for row, attempt in pairs]
)


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


@given(creates, st.integers(1, 7))
def test_runs_cover_everything_in_order(wanted: list[Create], size: int) -> None:
    """Runs laid end to end are what was to be sent; each is at most ``size`` rows of one attempt number."""
    cut = list(runs(iter(wanted), size))
    assert [create for run in cut for create in run] == wanted
    assert all(0 < len(run) <= size and len({create.attempt for create in run}) == 1 for run in cut)


@given(histories)
def test_only_what_may_be_sent_is_sent(history: list[Fact]) -> None:
    """What is sendable is exactly the rows that the fold says may be sent, each with its next attempt."""
    batch, rows = Batch([*history, *map(plan, range(ROWS))]), list(map(plan, range(ROWS)))
    assert [(create.planned.row, create.attempt) for create in sendable(rows, batch)] == [
        (number, batch.row(number).next_attempt) for number in range(ROWS) if batch.row(number).sendable
    ]


def test_a_row_that_started_meanwhile_is_left_out() -> None:
    """Whether a row may be sent is asked when its turn comes, not before."""
    rows: list[Planned] = [plan(0), plan(1)]
    batch = Batch(rows)
    turn = sendable(rows, batch)
    assert next(turn).planned.row == 0
    batch.add(start(1, ((1, 2),)))
    assert list(turn) == []


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
