"""Rows in doubt: which attempts, since when, and what a sweep must cover for them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.batch import Batch
from mwbatch.core.doubt import PADDING, WITHOUT_WITNESS, Doubt, Witness, doubts, interval_start
from mwbatch.core.facts import Fact, Started
from mwbatch.core.sweep import Place
from tests.core.facts import ROWS, fail, plan, show, start, steps

NOON, LATER = "Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 13:30:00 GMT"


def begun(*facts: Fact) -> tuple[Batch, list[Started]]:
    """The state of some facts, and those that started something."""
    return Batch(facts), [fact for fact in facts if isinstance(fact, Started)]


@given(st.lists(steps, max_size=14), st.permutations(range(14)))
def test_every_doubtful_attempt_has_its_earliest_start(facts: list[Fact], order: list[int]) -> None:
    """Each attempt in doubt of a planned row that is known to have started is there once, with its first start."""
    dated = [
        replace(fact, at=float(at)) if isinstance(fact, Started) else fact
        for at, fact in zip(order, facts, strict=False)
    ]
    state, started = begun(*dated)
    found = doubts(state, started, {}, 0.0)
    expected = [
        Place(n, a)
        for n in range(ROWS)
        if n in state.rows and state.rows[n].planned
        for a in state.rows[n].doubtful
        if state.rows[n].started >> a & 1
    ]
    assert [doubt.place for doubt in found] == expected
    for doubt in found:
        covering = [
            fact.at
            for fact in started
            if fact.attempt == doubt.place.attempt and any(a <= doubt.place.row < b for a, b in fact.rows)
        ]
        assert doubt.started.at == min(covering)


def test_a_long_run_and_few_in_doubt() -> None:
    """What a run of many rows left open is found also where most of it came to an end, ranges apart."""
    seen = [show(1, task=f"t{n}", row=n) for n in range(100) if n not in (7, 70)]
    state, started = begun(*map(plan, range(100)), start(1, ((0, 50), (60, 100))), start(2, ((7, 8),)), *seen)
    assert [doubt.place for doubt in doubts(state, started, {}, 0.0)] == [(7, 1), (7, 2), (70, 1)]


@pytest.mark.parametrize("times", [(1.0, 2.0), (2.0, 1.0)])
def test_the_earliest_start_counts(times: tuple[float, float]) -> None:
    """Of two starts of one attempt the earlier says from when on a task may have been created."""
    state, started = begun(plan(0), *(replace(start(1), at=at) for at in times))
    assert [doubt.started.at for doubt in doubts(state, started, {}, 0.0)] == [1.0]


def test_what_came_to_an_end_is_not_in_doubt() -> None:
    """Seen and failed attempts are settled, and a row that was never planned is none of the batch."""
    facts = (plan(0), plan(1), start(1, ((0, 3),)), show(1, row=0), fail(1, row=1))
    assert doubts(*begun(*facts), {}, 0.0) == []


def test_silence_counts_from_the_end_that_was_seen() -> None:
    """A request whose end this run saw counts from there, any other from the taking of the lock."""
    state, started = begun(plan(0), plan(1), start(1, ((0, 2),)))
    assert [doubt.ended for doubt in doubts(state, started, {0: 77.0}, 5.0)] == [77.0, 5.0]


@pytest.mark.parametrize(
    ("witness", "times"),
    [(None, WITHOUT_WITNESS), (Witness("t", 10.0, 4), WITHOUT_WITNESS), (Witness("t", 10.1, 4), 1.0)],
)
def test_a_later_task_halves_the_wait(witness: Witness | None, times: float) -> None:
    """Settle counts once where a task is known whose request left after the doubtful one ended, else twice."""
    doubt = Doubt(Place(0, 1), start(1), 10.0)
    assert doubt.due(150.0, witness) == 10.0 + 150.0 * times
    assert doubt.witnessed(witness) is (times == 1.0)


def test_the_interval_begins_before_the_earliest_clock() -> None:
    """Ten minutes before the earliest of the server's clocks that were recorded."""
    assert interval_start([LATER, NOON]) == datetime(2026, 11, 24, 11, 50, tzinfo=UTC)
    assert timedelta(minutes=10) == PADDING


@pytest.mark.parametrize("clocks", [[], [None], [NOON, None], [NOON, "soon"]])
def test_without_a_clock_the_interval_is_all_time(clocks: list[str | None]) -> None:
    """One attempt whose clock is missing or unreadable may have been created at any time."""
    assert interval_start(clocks) is None
