"""What still waits for a callback, and at whose addresses: as long as there is any, its key must not go."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from mwbatch.core.codec.ids import Kid
from mwbatch.core.facts.kinds import Started
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Row, Status

OPEN: Final = (Status.PLANNED, Status.DOUBT, Status.PENDING)
"""The statuses of rows whose answer may still come."""


def waiting(state: Batch, started: Iterable[Started]) -> Counter[Kid]:
    """How many open rows have, for each kid,
    an attempt at an address signed with it of which a task may exist.

    An attempt that sweeps did not find counts too: its task may show up late.
    """
    rows: defaultdict[Kid, set[int]] = defaultdict(set)
    for fact in started:
        rows[fact.kid].update(
            number
            for first, end in fact.rows
            for number in range(first, end)
            if _answerable(state.row(number)) >> fact.attempt & 1
        )
    return Counter({kid: len(numbers) for kid, numbers in rows.items()})


def _answerable(row: Row) -> int:
    """The attempts of an open row that are not known to have made no task, as a bit set;
    none of another row.
    """
    is_open = row.planned and row.status in OPEN
    return (row.started & ~row.failed | row.absent | row.seen) if is_open else 0
