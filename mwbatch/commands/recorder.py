"""Writes what came of requests while nobody waits: facts queue, one flusher makes them durable in groups."""

import asyncio
from typing import Final

from mwbatch.core.facts import Fact
from mwbatch.errors import StoreError
from mwbatch.journal.closing import lasting
from mwbatch.journal.opened import Opened

GATHER: Final = 0.02
"""Seconds in which outcomes gather: nobody waits for one, and a commit costs the same for a hundred as for a
few."""


class Recorder:
    """The state knows a fact at once; the disk has it when `flush` returns."""

    def __init__(self, batch: Opened) -> None:
        self._batch = batch
        self._facts: list[Fact] = []
        self._runner: asyncio.Task[None] | None = None
        self._due, self._waited = asyncio.Event(), 0
        self.failure: StoreError | None = None
        """Why the journal could not be written; what is still here was not lost, it is tried again by
        `flush`."""

    def note(self, fact: Fact) -> None:
        """Take a fact in and return at once."""
        self._batch.state.add(fact)
        self._facts.append(fact)
        if self._runner is None and self.failure is None:
            self._runner = lasting(self._run())

    async def flush(self) -> None:
        """Return once every fact is durable.

        Raises:
            StoreError: they cannot be written; the tasks that they tell of are found again by the next
            listing.
        """
        self._waited += 1
        self._due.set()
        try:
            while self._runner is not None:
                await asyncio.wait([self._runner])
            self.failure = None
            await self._run()
        finally:
            self._waited -= 1
        if self.failure is not None:
            raise self.failure

    async def _run(self) -> None:
        try:
            while self._facts:
                await self._gathered()
                facts, self._facts = self._facts, []
                try:
                    await self._batch.append(facts)
                except StoreError as error:
                    self._facts = facts + self._facts
                    self.failure = error
                    return
        finally:
            self._runner = None

    async def _gathered(self) -> None:
        """Wait for more facts, unless somebody waits for these."""
        if self._waited:
            return
        self._due.clear()
        timer = asyncio.get_running_loop().call_later(GATHER, self._due.set)
        await self._due.wait()
        timer.cancel()
