"""Rows that are ready to be sent: their ``started`` is on disk."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from mwbatch.core.facts import Started
from mwbatch.core.plan import Create
from mwbatch.journal.closing import to_end
from mwbatch.journal.opened import Opened


class Ready:
    """Keeps a run of rows ready ahead of need, so that no worker waits for the disk.

    ``started`` makes the fact of a run; the runs come in the order of sending.
    """

    def __init__(
        self, batch: Opened, runs: Iterator[list[Create]], started: Callable[[list[Create]], Started]
    ) -> None:
        self._batch, self._runs, self._started = batch, runs, started
        self._rows: deque[Create] = deque()
        self._changed = asyncio.Event()
        self._low, self._least = asyncio.Event(), 0
        self._ended = False

    async def prepare(self) -> None:
        """Start runs until there are none left, or `end` is called.

        Raises:
            StoreError, BatchBusy: a ``started`` could not be written, or no more under our lock; none of its rows was made
                ready.
        """
        try:
            while not self._ended and (run := next(self._runs, None)):
                # Cancelled in the midst of it the run would be started on disk, and nobody would know that none of it left.
                await to_end(self._start(run))
                await self._room(len(run))
        finally:
            self.end()

    async def _start(self, run: list[Create]) -> None:
        await self._batch.start(self._started(run))
        self._rows.extend(run)
        self._changed.set()

    async def take(self) -> Create | None:
        """The next row to send; None when there will be none."""
        while not self._rows:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        create = self._rows.popleft()
        if len(self._rows) < self._least:  # or every row would wake who prepares the next ones
            self._low.set()
        return create

    def end(self) -> None:
        """Start no further run."""
        self._ended = True
        self._changed.set()
        self._low.set()

    def leftovers(self) -> Iterator[Create]:
        """Take out the rows that were made ready and never sent."""
        while self._rows:
            yield self._rows.popleft()

    async def _room(self, size: int) -> None:
        """Wait until less than a run is ready: the next one is then on disk before it is needed."""
        self._least = size
        while len(self._rows) >= size and not self._ended:
            self._low.clear()
            await self._low.wait()
