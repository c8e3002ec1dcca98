"""Rows in doubt: what a sweep must cover to say anything about them, and when it may be believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from mwbatch.core.batch import Batch
from mwbatch.core.facts import Started
from mwbatch.core.sweep import Place
from mwbatch.core.times import http_time

PADDING: Final = timedelta(minutes=10)
"""How far before the recorded clock an interval begins: clocks of one API's servers may differ."""

SECOND_SWEEP: Final = 0.2
"""The second sweep follows the first after this part of the settle time."""

WITHOUT_WITNESS: Final = 2.0
"""The settle time counts so many times where no later task shows that the listing is up to date."""


class Witness(NamedTuple):
    """A task of this run, for ``row``, whose request left at tick ``began``: a listing without it is not up to date."""

    task_id: str
    began: float
    row: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """One attempt of which nobody can tell. ``ended`` is the tick from which its silence counts."""

    place: Place
    started: Started
    ended: float

    def due(self, settle: float, witness: Witness | None) -> float:
        """The tick from which a first sweep may count for this attempt; ``settle`` in seconds."""
        return self.ended + settle * (1.0 if self.witnessed(witness) else WITHOUT_WITNESS)

    def witnessed(self, witness: Witness | None) -> bool:
        """Whether a task is known that was created after this attempt had ended."""
        return witness is not None and witness.began > self.ended


def doubts(state: Batch, facts: Iterable[Started], ended: Mapping[int, float], since: float) -> list[Doubt]:
    """Every attempt in doubt, with its earliest ``started``.

    ``ended`` says when the request of a row ended, where this process saw it end; ``since`` counts for the others:
    the tick at which the lock was taken.
    """
    open_ = {Place(*place) for place in state.doubtful()}
    found: dict[Place, Started] = {}
    for fact in facts:
        for place in _covered(fact, open_):
            known = found.get(place)
            if known is None or fact.at < known.at:
                found[place] = fact
    return [Doubt(place, fact, ended.get(place.row, since)) for place, fact in sorted(found.items())]


def _covered(fact: Started, open_: set[Place]) -> Iterable[Place]:
    """Those of the open attempts that this fact started."""
    size = sum(end - first for first, end in fact.rows)
    if size <= len(open_):
        candidates = (Place(row, fact.attempt) for first, end in fact.rows for row in range(first, end))
        return (place for place in candidates if place in open_)
    return (
        place
        for place in open_
        if place.attempt == fact.attempt and any(first <= place.row < end for first, end in fact.rows)
    )


def interval_start(clocks: Iterable[str | None]) -> datetime | None:
    """Where an interval begins in which all these attempts may have been created; None: at the beginning of time."""
    times = [http_time(clock) for clock in clocks]
    if not times or None in times:
        return None
    return min(time for time in times if time is not None) - PADDING
