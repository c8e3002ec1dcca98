"""How far back the listing has to reach with which a run begins,
so that no row is paid that an earlier run has paid.

A home may be older than it looks, put back from a snapshot or a copy, and it may lack any part of its record.
What costs money is a *start* that was forgotten: its rows look as if they had never been sent. So the starts
of a batch are numbered, and each holds the API's clock from before its requests. While none is missing up to
a number, whatever was forgotten was started after that one, and its tasks are dated after that clock. A row
of which a start is known may be sent again only where that made no task, so far as anybody could tell: what
it may have made after all is dated after its own clock.

A listing that reaches back to the earliest of these shows every task that speaks against sending a row,
however many others lie between. It may be believed because it has to show tasks that are known from then on,
at their addresses.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from mwbatch.core.codec.times import http_time
from mwbatch.core.facts.kinds import Started
from mwbatch.core.state.batch import Batch
from mwbatch.core.sweeps.doubt import started_since
from mwbatch.core.sweeps.drift import Drift
from mwbatch.core.sweeps.span import Span


def next_number(started: Iterable[Started]) -> int:
    """The number of the next start; an older version gave none, so that those count,
    in whichever order they came.
    """
    there = set(started)
    return max([len(there), *(fact.number for fact in there)]) + 1


def unbroken(started: Iterable[Started]) -> list[Started]:
    """The numbered starts before which none is missing, in the order of their numbers.

    A number that two starts have, as where the folders of two hosts were put together, says nothing any more.
    """
    there = set(started)
    numbered = sorted((fact for fact in there if fact.number), key=lambda fact: fact.number)
    found: list[Started] = []
    for expected, fact in enumerate(numbered, len(there) - len(numbered) + 1):
        if fact.number != expected:
            return found[:-1] if found and fact.number == found[-1].number else found
        found.append(fact)
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """What the listing at the beginning has to cover: ``span``, back to the start ``mark`` or further."""

    span: Span
    mark: Started

    @classmethod
    def of(cls, state: Batch, started: Sequence[Started], behind: int | None = None) -> Self | None:
        """How far back it has to reach; None: to where the batch began, since the record does not tell.

        ``started`` are all starts, in any order; ``behind`` is the number of the last one up to which
        listings could be believed, None where all could.
        """
        marks = (fact for fact in reversed(unbroken(started)) if behind is None or fact.number <= behind)
        mark = next((fact for fact in marks if _shows_in(state, fact)), None)
        if mark is None:
            return None
        open_ = sorted(set(state.unsettled()))
        begun = {mark, *(fact for fact in started if _covers(fact, open_))}
        if not all(http_time(fact.clock) for fact in begun):
            return None
        # Segments are read in the order of their names, which a machine's clock gave;
        # numbers are in the order of the starts.
        ordered = sorted(started, key=lambda fact: fact.number)
        includes, first = started_since(begun, ordered)
        return cls(Span(tuple(fact.clock for fact in begun), includes=includes, first=first), mark)

    def is_after(self, clock: str | None) -> bool:
        """Whether the span begins after what the API's clock says now: it was set meanwhile,
        and dates say nothing.
        """
        now, start = http_time(clock), self.span.start(Drift(), None)
        return now is None or start is None or start > now


def _shows_in(state: Batch, fact: Started) -> bool:
    """Whether a task of this start is known, so that a listing without it is not believed."""
    rows = (state.row(number) for first, end in fact.rows for number in range(first, end))
    return any(task.confirmed and task.attempt == fact.attempt for row in rows for task in row.tasks.values())


def _covers(fact: Started, rows: Sequence[int]) -> bool:
    """Whether a start is one of any of these rows, which are in order."""
    return any(bisect_left(rows, first) < bisect_left(rows, end) for first, end in fact.rows)
