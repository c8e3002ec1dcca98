"""Whose turn it is to plan rows in a home: nobody else compares and plans meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mwbatch.commands.context.context import Context
from mwbatch.errors import BatchBusy
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.store import Store

LOOK: Final = 0.1
"""Seconds between two tries to have the lock of the home."""


@asynccontextmanager
async def turn_in(store: Store, context: Context) -> AsyncIterator["PlanningTurn"]:
    """This process's turn, from here to the end of the block."""
    turn = PlanningTurn(store, context)
    try:
        await turn.take()
        yield turn
    finally:
        turn.release()


class PlanningTurn:
    """This process's turn, once it was taken, until it is released."""

    def __init__(self, store: Store, context: Context) -> None:
        self._lock, self._context = store.planning(), context

    async def take(self) -> None:
        """Wait for it.

        Raises:
            BatchBusy: the user asked to stop meanwhile.
        """
        tally = self._context.tally
        while not await in_thread(self._lock.take):
            tally.note("waiting: another mwbatch is planning rows in this home")
            if await self._context.sleep(LOOK):
                raise BatchBusy("stopped while another mwbatch was planning rows; run the same command again")
        if self._lock.blind:
            tally.note(
                "warning: the file system of this home locks no files: run one mwbatch at a time in it, "
                "since two that plan rows at once do not see each other's"
            )

    def release(self) -> None:
        """Let others plan."""
        self._lock.release()
