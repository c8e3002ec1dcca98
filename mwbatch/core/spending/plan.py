"""Which rows are sent next, and in which runs."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from mwbatch.core.codec.ids import FIRST, Attempt
from mwbatch.core.facts.digests import request_digest
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.state.batch import Batch

LEAST_RUN: Final = 16
GREATEST_RUN: Final = 256


def precedence(planned: Planned) -> tuple[int, bytes]:
    """Which of two plans of one row holds.

    The greater edition, and of equal ones the one whose digest is greater.
    """
    return planned.edition, request_digest(planned.type, planned.request)


class Create(NamedTuple):
    """One create request that is to be made: the row as planned, and the number of the attempt."""

    planned: Planned
    attempt: Attempt


def run_size(in_flight: int) -> int:
    """How many rows one ``started`` covers.

    Enough that the disk is never waited for, few enough to doubt at a crash.
    """
    return min(max(4 * in_flight, LEAST_RUN), GREATEST_RUN)


class Runs:
    """Cuts what is to be sent into runs of at most ``size`` rows of one attempt number, in order.

    ``most`` rows in all. Rows are fed as they are read. Whether one may be sent is decided when a run asks
    for it: a row whose attempt started meanwhile is left out.
    """

    def __init__(self, state: Batch, size: int, most: int | None = None) -> None:
        self._state, self._size, self._left = state, size, most
        self._rows: deque[Planned] = deque()
        self._run: list[Create] = []

    def feed(self, rows: Iterable[Planned]) -> None:
        """Take in the next rows."""
        self._rows.extend(rows)

    @property
    def is_done(self) -> bool:
        """Whether as many were cut as may be."""
        return self._left == 0

    def take(self) -> list[Create]:
        """The next whole run; an empty one where more rows have to be fed first, or it is done."""
        while self._rows and not self.is_done:
            create = self._create(self._rows[0])
            if create is not None and self._run and create.attempt != self._run[0].attempt:
                return self.rest()
            self._rows.popleft()
            if create is None:
                continue
            self._run.append(create)
            self._left = self._left and self._left - 1
            if len(self._run) == self._size:
                return self.rest()
        return []

    def rest(self) -> list[Create]:
        """The last run, which may be shorter: no more rows will be fed."""
        run, self._run = self._run, []
        return run

    def _create(self, planned: Planned) -> Create | None:
        if self._state.untouched(planned.row):
            return Create(planned, FIRST)
        if self._state.is_sendable(planned.row):
            return Create(planned, self._state.row(planned.row).next_attempt)
        return None


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Write ascending row numbers as half-open ranges: 4, 5, 6, 9 become (4, 7), (9, 10)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)
