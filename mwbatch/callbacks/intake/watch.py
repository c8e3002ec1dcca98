"""Tells when callbacks bring a task that is not the one recorded for its attempt: then somebody paid twice,
or lies.

The fold finds the same in the facts; this is only so that it is said when it happens.
"""

import logging
from collections import Counter
from typing import Final

from mwbatch.callbacks.common.counts import Counts
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.state.first_named import Named
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.journal import Intake, Tasks

LOOK: Final = 1.0
"""Seconds between two looks at what submitters recorded."""

MOST: Final = 1000
"""Rows of one batch of which something is said."""

STRANGE: Final = (
    "a callback brought a task that is not the one recorded; it is believed once the API shows it to "
    "reconcile"
)

_log: Final = logging.getLogger("mwbatch.callbacks")


class Once:
    """Says the same of a row once, and of a batch not without end."""

    def __init__(self) -> None:
        self._said: set[tuple[str, RowNumber, str]] = set()
        self._lines: Counter[str] = Counter()

    def warn(self, batch: str, row: RowNumber, sentence: str) -> None:
        """Log a warning, unless it was."""
        if (batch, row, sentence) in self._said or self._lines[batch] > MOST:
            return
        self._said.add((batch, row, sentence))
        self._lines[batch] += 1
        if self._lines[batch] > MOST:
            _log.warning("batch %s: more rows than can be told of one by one", batch)
            return
        _log.warning("batch %s row %d: %s", batch, row, sentence)


Stored = tuple[str, Intake, RowNumber, Attempt, str]
"""A task that a callback brought: batch and the journal that has it, row, attempt, task id."""


class Watch:
    """Looks at what was stored and what submitters recorded, now and then, behind everybody's back.

    ``stored`` is what callbacks brought since the last look: whoever stores one puts it down there.
    """

    def __init__(self, once: Once, counts: Counts) -> None:
        self._once, self._counts = once, counts
        self.stored: list[Stored] = []
        self._followed: dict[str, tuple[Tasks, Named]] = {}

    async def look(self) -> None:
        """Tell of what is strange. What nobody looked at when all ends stands in the facts all the same."""
        new, self.stored = self.stored, []
        if new:
            for batch, row in await in_thread(self._strange, new):
                self._counts.unrecorded += 1
                self._once.warn(batch, row, STRANGE)

    def _strange(self, new: list[Stored]) -> list[tuple[str, RowNumber]]:
        """Batch and row of each attempt that has more tasks than the one recorded for it. Blocks."""
        found: dict[tuple[str, RowNumber], None] = {}
        for batch, journal in {journal.where: (batch, journal) for batch, journal, *_ in new}.values():
            for row in self._recorded(journal):
                found[batch, row] = None
        for batch, journal, row, attempt, task_id in new:
            if self._followed[journal.where][1].note(row, attempt, encode(task_id)):
                found[batch, row] = None
        return list(found)

    def _recorded(self, journal: Intake) -> list[RowNumber]:
        """Rows of which submitters recorded another task than a callback had brought before."""
        is_first = journal.where not in self._followed
        if is_first:
            self._followed[journal.where] = journal.tasks(), Named()
        tasks, named = self._followed[journal.where]
        strange = [shown[0] for shown in tasks.look() if named.note(*shown)]
        return [] if is_first else strange  # what is older than this receiver was told then
