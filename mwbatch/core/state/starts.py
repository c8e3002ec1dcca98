"""Which attempts of which rows were started.

A start of any of them again is not new, and MUST NOT be sent for.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from mwbatch.core.facts.kinds import Started

Span = tuple[int, int]
"""A half-open range of rows."""


class Starts:
    """Ranges of rows by attempt, ascending and apart: nothing is looked for row by row."""

    def __init__(self, there: Iterable[Started] = ()) -> None:
        self._firsts: defaultdict[int, list[int]] = defaultdict(list)
        self._ends: defaultdict[int, list[int]] = defaultdict(list)
        spans: defaultdict[int, list[Span]] = defaultdict(list)
        for started in there:
            spans[started.attempt] += started.rows
        for attempt, known in spans.items():
            for first, end in _apart(known):
                self._firsts[attempt].append(first)
                self._ends[attempt].append(end)

    def claim(self, started: Started) -> bool:
        """Note a start; False, and nothing is noted, where one of its rows' attempts was started before."""
        firsts, ends = self._firsts[started.attempt], self._ends[started.attempt]
        spans = _apart(started.rows)
        for first, end in spans:
            place = bisect_right(firsts, end - 1)
            if place and ends[place - 1] > first:
                return False
        for first, end in spans:
            place = bisect_right(firsts, first)
            firsts.insert(place, first)
            ends.insert(place, end)
        return True

    def give_back(self, started: Started) -> None:
        """Forget what `claim` noted: it was not written."""
        firsts, ends = self._firsts[started.attempt], self._ends[started.attempt]
        for first, _ in _apart(started.rows):
            place = bisect_right(firsts, first) - 1
            del firsts[place], ends[place]


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The same rows in ranges that ascend and do not overlap; as they are, nearly always."""
    found: list[Span] = []
    for first, end in sorted(spans):
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif first < end:
            found.append((first, end))
    return found
