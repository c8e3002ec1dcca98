"""Rows in doubt: what a sweep must cover to say anything about them, and when it may be believed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.times import http_time
from mwbatch.core.facts.kinds import Failed, Started, Verdict
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row
from mwbatch.core.sweeps.drift import WIDE
from mwbatch.core.sweeps.span import PADDING, Span
from mwbatch.core.sweeps.sweep import AttemptKey

SECOND_SWEEP: Final = 0.2
"""The second sweep follows the first after this part of the settle time."""

WITHOUT_WITNESS: Final = 2.0
"""The settle time counts so many times where no later task shows that the listing is up to date."""


class Witness(NamedTuple):
    """A task of this run, for ``row``, whose request left at ``began`` (tick): a current listing shows it."""

    task_id: str
    began: float
    row: RowNumber


@dataclass(frozen=True, slots=True)
class Doubt:
    """One attempt of which nobody can tell, with every fact that started it.

    ``ended`` is the tick from which its silence counts.
    """

    place: AttemptKey
    started: tuple[Started, ...]
    ended: float

    def due(self, settle: float, witness: Witness | None) -> float:
        """The tick from which a first sweep may count for this attempt; ``settle`` in seconds."""
        return self.ended + settle * (1.0 if self.witnessed(witness) else WITHOUT_WITNESS)

    def witnessed(self, witness: Witness | None) -> bool:
        """Whether a task is known that was created after this attempt had ended."""
        return witness is not None and witness.began > self.ended


@dataclass(frozen=True, slots=True)
class Grounds:
    """What this process knows about doubt: when requests ended (ticks), a later task, how long to wait (s).

    ``since`` is the tick at which the lock was taken: it counts for attempts that this process did not see
    end; ``sent`` the one at which the last of its own requests ended, None while there was none.
    """

    settle: float
    since: float
    ended: Mapping[int, float] = field(default_factory=dict)
    witness: Witness | None = None
    sent: float | None = None

    def tied(self, state: Batch) -> "Grounds":
        """The same without a witness that is another row's task: that one may be older than any doubt."""
        witness = self.witness
        known = witness and state.task(witness.row, witness.task_id)
        return replace(self, witness=None) if known and known.strange else self


def doubts(state: Batch, facts: Iterable[Started], grounds: Grounds) -> list[Doubt]:
    """Every attempt in doubt.

    A row whose request was answered with the task of another row is in doubt since that showed: since the
    last request of this process ended, if any did.
    """
    ended, since, sent = grounds.ended, grounds.since, grounds.sent
    open_ = {AttemptKey(*place) for place in state.doubtful()}
    late = since if sent is None else max(since, sent)
    found: dict[AttemptKey, tuple[Started, ...]] = {}
    for fact in facts:
        for place in _covered(fact, open_):
            found[place] = (*found.get(place, ()), fact)
    return [
        Doubt(place, started, ended.get(place.row, late if state.row(place.row).misled else since))
        for place, started in sorted(found.items(), key=_place)
    ]


def _place(found: tuple[AttemptKey, tuple[Started, ...]]) -> AttemptKey:
    return found[0]


def _covered(fact: Started, open_: set[AttemptKey]) -> Iterable[AttemptKey]:
    """Those of the open attempts that this fact started."""
    size = sum(end - first for first, end in fact.rows)
    if size <= len(open_):
        candidates = (
            AttemptKey(RowNumber(row), fact.attempt) for first, end in fact.rows for row in range(first, end)
        )
        return (place for place in candidates if place in open_)
    return (
        place
        for place in open_
        if place.attempt == fact.attempt and any(first <= place.row < end for first, end in fact.rows)
    )


def span_of(there: Iterable[Doubt], started: Sequence[Started], witness: Witness | None) -> Span:
    """What a listing has to cover to say anything about these; ``started`` are all such facts, in order.

    Without a later task nobody can tell whether the clocks were set meanwhile: then it reaches back as far as
    clocks may differ at all.
    """
    there = list(there)
    begun = {fact for doubt in there for fact in doubt.started}
    padding = PADDING if all(doubt.witnessed(witness) for doubt in there) else WIDE
    return Span(tuple(fact.clock for fact in begun), padding, *started_since(begun, started))


def started_since(
    begun: set[Started], started: Sequence[Started]
) -> tuple[Callable[[AttemptKey], bool], int]:
    """Whether an attempt was started as late as the first of those that ``begun`` started.

    By the order of the record, or by the server's clock: of two orders that a wrong clock may have made,
    neither is believed alone. Which is too many rather than too few: the interval grows with them. With a row
    below which no first attempt was.
    """
    clocks = [http_time(fact.clock) for fact in begun]
    earliest = min((clock for clock in clocks if clock), default=None) if all(clocks) else None
    marks: dict[int, bytearray] = {}
    there = False
    for fact in started:
        there = there or fact in begun
        clock = http_time(fact.clock)
        if there or earliest is None or clock is None or clock >= earliest:
            _mark(marks.setdefault(fact.attempt, bytearray()), fact)

    def includes(place: AttemptKey) -> bool:
        rows = marks.get(place.attempt, b"")
        return place.row < len(rows) and rows[place.row] == 1

    return includes, max(0, marks.get(1, bytearray()).find(1))


def _mark(rows: bytearray, fact: Started) -> None:
    for first, end in fact.rows:
        rows.extend(bytes(max(0, end - len(rows))))
        rows[first:end] = b"\x01" * (end - first)


def ended(state: Batch, failed: Iterable[Failed]) -> list[bool]:
    """Of each attempt that is to be closed as absent, whether it may; none may where sweeps were refuted."""
    refuted = state.refuted()
    return [not refuted and may_end(state.row(one.row), one) for one in failed]


def may_end(row: Row, failed: Failed) -> bool:
    """Whether an attempt may end so: it is in doubt still, and all that was seen of it the API denied."""
    seen = row.seen >> failed.attempt & 1
    return failed.attempt in row.doubtful and (not seen or failed.verdict is Verdict.DENIED)
