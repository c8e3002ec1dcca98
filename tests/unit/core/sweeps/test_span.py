"""What a listing has to cover: where the interval begins, and which tasks must be shown."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.times import iso
from mwbatch.core.facts.kinds import Via
from mwbatch.core.state.batch import Batch
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.sweeps.span import PADDING, Span, Undated, oldest
from mwbatch.core.sweeps.sweep import AttemptKey
from tests.support.facts import plan, show

NOON, LATER = "Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 13:30:00 GMT"
AT_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

times = st.integers(-(10**12), 2 * 10**12).map(lambda ms: AT_NOON + timedelta(milliseconds=ms))
WRITERS = (
    iso,
    lambda time: time.isoformat(),
    lambda time: time.isoformat()[:19] + "Z",
    lambda time: time.astimezone(tz=None).isoformat(),
    lambda time: time.isoformat().removesuffix("+00:00"),
)


def test_the_interval_begins_before_the_earliest_clock() -> None:
    """Ten minutes before the earliest of the server's clocks,
    and as much earlier as dates were seen to lie behind it.
    """
    assert timedelta(minutes=10) == PADDING
    assert Span((LATER, NOON)).start(Drift(), None) == AT_NOON - PADDING
    assert Span((LATER, NOON)).start(Drift((-7200, 3)), None) == AT_NOON - PADDING - timedelta(hours=2)
    assert Span((LATER, NOON)).start(Drift((5, 7200)), None) == AT_NOON - PADDING


def test_the_interval_holds_every_task_that_must_be_shown() -> None:
    """A known task that is dated before the interval proves it wrong: it begins before that one."""
    early = AT_NOON - timedelta(hours=5)
    assert Span((NOON,)).start(Drift(), early) == early - PADDING
    assert Span((NOON,)).start(Drift(), AT_NOON + timedelta(hours=5)) == AT_NOON - PADDING


@pytest.mark.parametrize("clocks", [(), (None,), (NOON, None), (NOON, "soon")])
def test_without_a_clock_the_interval_is_all_time(clocks: tuple[str | None, ...]) -> None:
    """One attempt whose clock is missing or says nothing may have been created at any time."""
    assert Span(clocks).start(Drift(), AT_NOON) is None


def test_an_interval_that_begins_before_the_calendar_is_all_time() -> None:
    """However far dates lie behind the clock, there is an interval."""
    assert Span((NOON,)).start(Drift((-64_000_000_000, 0)), None) is None


def test_only_confirmed_tasks_must_be_shown() -> None:
    """A task that the API showed must be listed where the span includes its place, or where it is named;
    dates say nothing.
    """
    shown = [show(attempt, task=f"t{attempt}", via=Via.GET) for attempt in (1, 2)]
    called = show(3, task="t3", via=Via.CALLBACK)
    early = show(1, task="u", row=1, via=Via.CREATE, created="1970-01-01T00:00:00.000Z")
    state = Batch([plan(0), plan(1), *shown, called, early])

    def known(span: Span, *must: str) -> set[str]:
        return {task.task_id for _, task in span.known(state, frozenset(must))}

    assert known(Span(())) == {"t1", "t2", "u"}
    assert known(
        Span((), PADDING, lambda place: place == AttemptKey(RowNumber(0), Attempt(1))), "u", "t3"
    ) == {
        "t1",
        "u",
    }


@given(st.lists(st.tuples(times, st.sampled_from(WRITERS)), max_size=9))
def test_the_oldest_date_is_the_least(written: Sequence[tuple[datetime, Callable[[datetime], str]]]) -> None:
    """However dates are written, the least is found as a naive reader finds it."""
    texts = [write(time) for time, write in written]
    read = [datetime.fromisoformat(text) for text in texts]
    assert oldest(texts) == min((t if t.tzinfo else t.replace(tzinfo=UTC) for t in read), default=None)


@pytest.mark.parametrize(
    "date", ["", "1700000000", "Tue, 24 Nov 2026 12:00:00 GMT", "garbage: 24 characters.Z"]
)
def test_one_date_that_cannot_be_read_is_enough(date: str) -> None:
    """Where one date says nothing, nothing may be looked for by dates."""
    with pytest.raises(Undated):
        oldest([iso(AT_NOON), date])
