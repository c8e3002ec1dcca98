"""Rows in doubt: which attempts, since when, and what a sweep must cover for them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Fact, Failed, Started, Verdict, Via
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row
from mwbatch.core.sweeps.doubt import (
    WITHOUT_WITNESS,
    Doubt,
    Grounds,
    Witness,
    doubts,
    ended,
    may_end,
    span_of,
    started_since,
)
from mwbatch.core.sweeps.drift import WIDE
from mwbatch.core.sweeps.span import PADDING
from mwbatch.core.sweeps.sweep import AttemptKey
from tests.support.facts import ROWS, fail, plan, show, start, steps

NOON, LATER = "Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 13:30:00 GMT"


def begun(*facts: Fact) -> tuple[Batch, list[Started]]:
    """The state of some facts, and those that started something."""
    return Batch(facts), [fact for fact in facts if isinstance(fact, Started)]


@given(st.lists(steps, max_size=14), st.integers(0, 3))
def test_every_doubtful_attempt_has_all_that_started_it(facts: list[Fact], more: int) -> None:
    """Each attempt in doubt of a planned row is there once, with every fact that started it,
    however long their runs.
    """
    facts = [*facts, *(start(1, ((0, ROWS),)) for _ in range(more))]
    state, started = begun(*facts)
    found = doubts(state, started, Grounds(150.0, 0.0))
    assert [doubt.place for doubt in found] == [
        AttemptKey(RowNumber(n), a)
        for n in range(ROWS)
        if n in state.rows and state.rows[n].planned
        for a in state.rows[n].doubtful
        if any(covers(fact, AttemptKey(RowNumber(n), a)) for fact in started)
    ]
    for doubt in found:
        assert list(doubt.started) == [fact for fact in started if covers(fact, doubt.place)]


def covers(fact: Started, place: AttemptKey) -> bool:
    """Whether a fact started an attempt, by its definition."""
    return fact.attempt == place.attempt and any(place.row in range(*rows) for rows in fact.rows)


def test_a_long_run_and_few_in_doubt() -> None:
    """What a run of many rows left open is found also where most of it came to an end, ranges apart."""
    seen = [show(1, task=f"t{n}", row=n) for n in range(100) if n not in (7, 70)]
    state, started = begun(*map(plan, range(100)), start(1, ((0, 50), (60, 100))), start(2, ((7, 8),)), *seen)
    assert [doubt.place for doubt in doubts(state, started, Grounds(150.0, 0.0))] == [(7, 1), (7, 2), (70, 1)]


def test_a_row_that_was_misled_is_in_doubt_since_the_last_request_ended() -> None:
    """Nobody kept when the request ended that was answered with another row's task:
    no later than the last of all.
    """
    misled = show(1, task="a", row=1, via=Via.CREATE)
    state, started = begun(plan(0), plan(1), plan(2), start(1, ((0, 3),)), show(1, task="a"), misled)
    for sent, since in ((None, 5.0), (3.0, 5.0), (9.0, 9.0)):
        found = doubts(state, started, Grounds(150.0, 5.0, sent=sent))
        assert [(doubt.place.row, doubt.ended) for doubt in found] == [(1, since), (2, 5.0)]


def test_a_witness_is_none_once_it_is_another_rows_task() -> None:
    """A task that a create named at two rows tells nothing of when a listing was taken;
    any other goes on telling it.
    """
    misled = show(1, task="a", row=1, via=Via.CREATE)
    state, _ = begun(plan(0), plan(1), start(1, ((0, 2),)), show(1, task="a"), misled)
    for row, task, stays in ((1, "a", False), (0, "a", True), (1, "unknown", True)):
        grounds = Grounds(150.0, 0.0, witness=Witness(task, 3.0, RowNumber(row)))
        assert (grounds.tied(state).witness == grounds.witness) is stays
        assert (grounds.tied(state) is grounds) is stays
    assert Grounds(150.0, 0.0).tied(state) == Grounds(150.0, 0.0)


def test_what_came_to_an_end_is_not_in_doubt() -> None:
    """Seen and failed attempts are settled, and a row that was never planned is none of the batch."""
    facts = (plan(0), plan(1), start(1, ((0, 3),)), show(1, row=0), fail(1, row=1))
    assert doubts(*begun(*facts), Grounds(150.0, 0.0)) == []


def test_silence_counts_from_the_end_that_was_seen() -> None:
    """A request whose end this run saw counts from there, any other from the taking of the lock."""
    state, started = begun(plan(0), plan(1), start(1, ((0, 2),)))
    assert [doubt.ended for doubt in doubts(state, started, Grounds(150.0, 5.0, {0: 77.0}))] == [77.0, 5.0]


@pytest.mark.parametrize(
    ("witness", "times"),
    [
        (None, WITHOUT_WITNESS),
        (Witness("t", 10.0, RowNumber(4)), WITHOUT_WITNESS),
        (Witness("t", 10.1, RowNumber(4)), 1.0),
    ],
)
def test_a_later_task_halves_the_wait(witness: Witness | None, times: float) -> None:
    """Settle counts once where a task is known whose request left after the doubtful one ended,
    else twice.
    """
    doubt = Doubt(AttemptKey(RowNumber(0), Attempt(1)), (start(1),), 10.0)
    assert doubt.due(150.0, witness) == 10.0 + 150.0 * times
    assert doubt.witnessed(witness) is (times == 1.0)


def clocked(attempt: int, rows: tuple[int, int], clock: str | None) -> Started:
    """A run of rows that started when the server's clock said so."""
    return replace(start(attempt, (rows,)), clock=clock)


def test_what_was_started_since_the_doubt_must_be_shown() -> None:
    """Tasks of runs that come later in the record, or later by the server's clock, belong to the span;
    no others do.
    """
    facts = [
        clocked(1, (0, 4), NOON),
        clocked(1, (4, 6), LATER),
        clocked(1, (6, 8), LATER),
        clocked(2, (0, 2), LATER),
        clocked(1, (8, 9), NOON),
    ]
    span = span_of([Doubt(AttemptKey(RowNumber(7), Attempt(1)), (facts[2],), 0.0)], facts, None)
    there = {
        AttemptKey(RowNumber(row), Attempt(attempt))
        for row in range(12)
        for attempt in (1, 2, 3)
        if span.includes(AttemptKey(RowNumber(row), Attempt(attempt)))
    }
    assert there == {AttemptKey(RowNumber(row), Attempt(1)) for row in (4, 5, 6, 7, 8)} | {
        AttemptKey(RowNumber(0), Attempt(2)),
        AttemptKey(RowNumber(1), Attempt(2)),
    }
    assert span.clocks == (LATER,)


@pytest.mark.parametrize("clock", [None, "soon"])
def test_without_a_clock_every_known_task_must_be_shown(clock: str | None) -> None:
    """A run of doubt, or another one, whose clock says nothing may have been at any time:
    its tasks belong to the span.
    """
    early, late = clocked(1, (0, 1), NOON), clocked(1, (1, 2), LATER)
    doubtful = clocked(1, (2, 3), clock)
    assert span_of(
        [Doubt(AttemptKey(RowNumber(2), Attempt(1)), (doubtful,), 0.0)], [early, late, doubtful], None
    ).includes(AttemptKey(RowNumber(0), Attempt(1)))
    timeless = clocked(1, (0, 1), clock)
    assert span_of(
        [Doubt(AttemptKey(RowNumber(1), Attempt(1)), (late,), 0.0)], [timeless, late], None
    ).includes(AttemptKey(RowNumber(0), Attempt(1)))


@pytest.mark.parametrize(("began", "padding"), [(9.0, WIDE), (10.0, WIDE), (10.1, PADDING)])
def test_without_a_later_task_the_clocks_may_have_been_set(began: float, padding: timedelta) -> None:
    """Only a task that was created after each request had ended tells how dates and clocks lay by then."""
    doubt = Doubt(AttemptKey(RowNumber(0), Attempt(1)), (start(1),), 10.0)
    assert span_of([doubt], [start(1)], Witness("t", began, RowNumber(4))).padding == padding
    assert span_of([doubt], [start(1)], None).padding == WIDE


def test_what_may_end() -> None:
    """An attempt ends as absent while it is in doubt and nothing was seen of it; as denied,
    whatever callbacks named.
    """
    absent, denied = (
        Failed(0.0, RowNumber(0), Attempt(1), verdict, final=False)
        for verdict in (Verdict.ABSENT, Verdict.DENIED)
    )
    unsent, sent, called = Row(), Row(started=2), Row(started=2)
    called.join(show(1, via=Via.CALLBACK))
    told = Row(started=2)
    told.join(show(1, via=Via.GET))
    assert [may_end(row, absent) for row in (unsent, sent, called, told)] == [False, True, False, False]
    assert [may_end(row, denied) for row in (unsent, sent, called, told)] == [False, True, True, False]


def test_none_ends_once_sweeps_were_belied() -> None:
    """Each attempt that is to be closed is judged by itself, in the order of asking; none ends once any row
    shows that sweeps were believed too soon.
    """
    asked = [Failed(0.0, RowNumber(row), Attempt(1), Verdict.ABSENT, final=False) for row in (2, 0, 1)]
    facts: tuple[Fact, ...] = (*map(plan, range(3)), start(1, ((0, 3),)), show(1, row=1, via=Via.GET))
    state, _ = begun(*facts)
    assert ended(state, asked) == [True, True, False]
    assert ended(state, []) == []
    refuted, _ = begun(*facts, Failed(0.0, RowNumber(1), Attempt(1), Verdict.ABSENT, final=False))
    assert ended(refuted, asked) == [False, False, False]


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 12), st.integers(1, 4), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
@example([(1, 0, 3, True), (2, 5, 1, True)])
def test_no_first_attempt_that_must_be_shown_lies_below_the_first(
    runs: list[tuple[int, int, int, bool]],
) -> None:
    """Of the first attempts that a listing has to show none is of a row below the one that is named, which
    has one; whatever was started besides.
    """
    facts = [
        replace(start(attempt, ((row, row + size),)), number=number)
        for number, (attempt, row, size, _) in enumerate(runs)
    ]
    begun = {fact for fact, run in zip(facts, runs, strict=True) if run[3]}
    includes, first = started_since(begun, facts)
    shown = [row for row in range(20) if includes(AttemptKey(RowNumber(row), Attempt(1)))]
    assert first == min(shown, default=0)
