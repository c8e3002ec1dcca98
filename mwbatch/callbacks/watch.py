"""Tells when callbacks bring a task that is not the one recorded for its attempt: then somebody paid twice,
or lies.

The fold finds the same in the facts; this is only so that it is said when it happens.
"""

import asyncio
import logging
from collections import Counter
from typing import Final

from mwbatch.callbacks.counts import Counts
from mwbatch.core.facts import Seen
from mwbatch.core.ids import Attempt, RowNumber
from mwbatch.core.named import Named
from mwbatch.core.text import encode
from mwbatch.journal import Intake, Tasks
from mwbatch.journal.closing import ended, in_thread

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


_Stored = tuple[str, Intake, RowNumber, Attempt, str]
"""A task that a callback brought: batch and the journal that has it, row, attempt, task id."""


class Watch:
    """Looks at what was stored and what submitters recorded, now and then, behind everybody's back."""

    def __init__(self, once: Once, counts: Counts) -> None:
        self._once, self._counts = once, counts
        self._new: list[_Stored] = []
        self._followed: dict[str, tuple[Tasks, Named]] = {}
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    def note(self, batch: str, journal: Intake, seen: Seen) -> None:
        """Take in that a callback was stored, and return at once."""
        self._new.append((batch, journal, seen.row, seen.attempt, seen.task_id))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more: what was not told now stands in the facts all the same."""
        self._closed = True
        if self._runner is not None:
            await ended(self._runner)

    async def _run(self) -> None:
        try:
            while self._new and not self._closed:
                await asyncio.sleep(LOOK)
                new, self._new = self._new, []
                for batch, row in await in_thread(self._strange, new):
                    self._counts.unrecorded += 1
                    self._once.warn(batch, row, STRANGE)
        except Exception as error:  # noqa: BLE001 (nobody waits for this task)
            _log.error("our own bug, please report it: %s while watching tasks", type(error).__name__)
        finally:
            self._runner = None

    def _strange(self, new: list[_Stored]) -> list[tuple[str, RowNumber]]:
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
        strange = [shown[0] for shown in tasks.look(lambda: self._closed) if named.note(*shown)]
        return [] if is_first else strange  # what is older than this receiver was told then
