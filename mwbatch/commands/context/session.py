"""A session: one batch at work, with the API that it talks to.

Everything that acts on a batch is given one, and no more.
"""

import asyncio
from collections.abc import Callable, Sequence

from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.core.facts.kinds import Fact
from mwbatch.core.report.progress import Tally
from mwbatch.core.state.batch import Batch
from mwbatch.journal.interface.open_batch import OpenBatch


class Session:
    """One open batch, for as long as one command works on it.

    ``now``, ``ticks``, ``stopping`` and ``tally`` are those of its context. ``walks`` counts those
    through the listing.
    """

    __slots__ = ("batch", "client", "context", "now", "stopping", "tally", "ticks", "walks")

    def __init__(self, batch: OpenBatch, client: Client, context: Context) -> None:
        self.batch, self.client, self.context = batch, client, context
        self.now: Callable[[], float] = context.now
        self.ticks: Callable[[], float] = context.ticks
        self.stopping: asyncio.Event = context.stopping
        self.tally: Tally = context.tally
        self.walks = 0

    @property
    def state(self) -> Batch:
        """What is known of the batch now; another object once it was read anew."""
        return self.batch.state

    @property
    def is_stopping(self) -> bool:
        """Whether the user asked to stop: start nothing, finish what is in flight."""
        return self.stopping.is_set()

    async def record(self, facts: Sequence[Fact]) -> None:
        """Make facts durable, then let the state know them; raises as `OpenBatch.record`."""
        await self.batch.record(facts)

    async def sleep(self, seconds: float) -> bool:
        """Wait, at most until the user asks to stop; say whether he did."""
        return await self.context.sleep(seconds)

    async def wait_until(self, until: float, what: str) -> bool:
        """Wait until a tick, with a countdown for ``what`` comes then; False when the user asked to stop."""
        while (left := until - self.ticks()) > 0:
            self.tally.begin(f"{what} in {left:.0f} s")
            if await self.sleep(min(1.0, left)):
                return False
        self.tally.begin("listing the API's tasks")
        return not self.is_stopping

    def note(self, sentence: str) -> None:
        """Tell people something that they should know, once."""
        self.tally.note(sentence)
