"""Which rows are sent next, and in which runs."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Final, NamedTuple

from mwbatch.core.batch import Batch
from mwbatch.core.digests import request_digest
from mwbatch.core.facts import Planned

LEAST_RUN: Final = 16
GREATEST_RUN: Final = 256


def precedence(planned: Planned) -> tuple[int, bytes]:
    """Which of two plans of one row holds: the greater edition, and of equal ones the one whose digest is greater."""
    return planned.edition, request_digest(planned.type, planned.request)


class Create(NamedTuple):
    """One create request that is to be made: the row as planned, and the number of the attempt."""

    planned: Planned
    attempt: int


def run_size(in_flight: int) -> int:
    """How many rows one ``started`` covers: enough that the disk is never waited for, few enough to doubt at a crash."""
    return min(max(4 * in_flight, LEAST_RUN), GREATEST_RUN)


def sendable(rows: Iterable[Planned], batch: Batch) -> Iterator[Create]:
    """The rows that may be sent, decided when each is asked for: a row whose attempt started meanwhile is left out."""
    for planned in rows:
        if batch.untouched(planned.row):
            yield Create(planned, 1)
        elif batch.is_sendable(planned.row):
            yield Create(planned, batch.row(planned.row).next_attempt)


def runs(creates: Iterator[Create], size: int) -> Iterator[list[Create]]:
    """Cut what is to be sent into runs of at most ``size`` rows of one attempt number, in order."""
    for _, same in groupby(creates, key=lambda create: create.attempt):
        while run := list(islice(same, size)):
            yield run


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Write ascending row numbers as half-open ranges: 4, 5, 6, 9 become (4, 7), (9, 10)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)
