"""Writes what came of requests without making anybody wait: facts queue, one flusher makes them durable in groups."""

import asyncio

from mwbatch.core.facts import Fact
from mwbatch.errors import StoreError
from mwbatch.journal.opened import Opened


class Recorder:
    """The state knows a fact at once; the disk has it when `flush` returns."""

    def __init__(self, batch: Opened) -> None:
        self._batch = batch
        self._facts: list[Fact] = []
        self._runner: asyncio.Task[None] | None = None
        self.failure: StoreError | None = None
        """Why the journal could not be written; what is still here was not lost, it is tried again by `flush`."""

    def note(self, fact: Fact) -> None:
        """Take a fact in and return at once."""
        self._batch.state.add(fact)
        self._facts.append(fact)
        if self._runner is None and self.failure is None:
            self._runner = asyncio.create_task(self._run())

    async def flush(self) -> None:
        """Return once every fact is durable.

        Raises:
            StoreError: they cannot be written; the tasks that they tell of are found again by the next listing.
        """
        while self._runner is not None:
            await asyncio.shield(self._runner)
        self.failure = None
        await self._run()
        if self.failure is not None:
            raise self.failure

    async def _run(self) -> None:
        try:
            while self._facts:
                facts, self._facts = self._facts, []
                try:
                    await self._batch.journal.append(facts)
                except StoreError as error:
                    self._facts = facts + self._facts
                    self.failure = error
                    return
        finally:
            self._runner = None
