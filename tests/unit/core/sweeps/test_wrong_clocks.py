"""This machine's clock dates facts for people, and decides nothing: it may be wrong, or jump."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Fact, Planned, Seen, Started
from mwbatch.core.facts.lines import line
from mwbatch.core.state.awaited import waiting
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import Doubt, Grounds, doubts, span_of
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.sweeps.sweep import AttemptKey
from tests.support.facts import ATTEMPTS, ROWS, histories

CLOCKS = [None, "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 23:00:00 GMT"]


def dated(fact: Fact, at: float) -> Fact:
    """The same fact, at another time of this machine."""
    return fact._replace(at=at) if isinstance(fact, Planned | Seen) else replace(fact, at=at)


def clocked(history: list[Fact], chance: Random) -> list[Fact]:
    """The same history, its starts with clocks of the API."""
    return [
        replace(fact, clock=chance.choice(CLOCKS)) if isinstance(fact, Started) else fact for fact in history
    ]


def known(doubt: Doubt) -> object:
    """What a rule may know of doubt."""
    return doubt.place, doubt.ended, [dated(fact, 0.0) for fact in doubt.started]


def decided(history: list[Fact]) -> list[object]:
    """Everything that rules make of a history."""
    batch, starts = Batch(history), [fact for fact in history if isinstance(fact, Started)]
    there = doubts(batch, starts, Grounds(150.0, 0.0))
    span = span_of(there, starts, None)
    places = [
        AttemptKey(RowNumber(row), Attempt(attempt)) for row in range(ROWS) for attempt in range(ATTEMPTS + 1)
    ]
    return [
        dict(batch.rows),
        batch.by_status(),
        {status: list(batch.numbered(status)) for status in Status},
        (
            batch.begun(),
            batch.unplanned(),
            batch.unstarted(),
            batch.refuted(),
            batch.spent(),
            batch.sendable(),
        ),
        [known(doubt) for doubt in there],
        span.start(Drift(), datetime(2024, 1, 1, tzinfo=UTC)),
        [place for place in places if span.includes(place)],
        waiting(batch, starts),
    ]


@given(histories, st.randoms(use_true_random=False))
def test_times_of_this_machine_decide_nothing(history: list[Fact], chance: Random) -> None:
    """Whatever ``at`` says in any fact, of what there is and of what may be done the same comes."""
    there = clocked(history, chance)
    shifted = [dated(fact, chance.uniform(-9e9, 9e9)) for fact in there]
    assert decided(shifted) == decided(there)
    read = Batch()
    for fact in shifted:
        read.add_line(line(fact)[:-1])
    assert dict(read.rows) == dict(Batch(there).rows)
