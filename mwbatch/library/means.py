"""What the methods of a home work with: its store, the way to the API, and where a command's notes go."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mwbatch import client as api
from mwbatch.commands.context.context import Desk
from mwbatch.core.report.progress import Tally
from mwbatch.core.words.values import MOST_CONCURRENT
from mwbatch.environment import proxies
from mwbatch.journal.seam.store import Store
from mwbatch.library.client import Client
from mwbatch.library.words import logged, spoken


@dataclass(slots=True)
class Means:
    """One home with what acts on it.

    ``client`` is the user's, or made of the environment when the API is first asked, and then closed with the
    home. ``desk`` is the command line's, which speaks its own language; else each command gets one that logs.
    """

    store: Store
    client: Client | None = None
    desk: Desk | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _own: Client | None = None

    def api(self) -> api.Client:
        """The API. Raises `UsageError` where nothing says by which key."""
        there = self.client or self._own
        if there is None:
            there = self._own = Client(concurrency=MOST_CONCURRENT)
        return there.api

    @contextmanager
    def at_work(self) -> Iterator[Desk]:
        """A desk for one command, and errors in the language of whoever calls it."""
        if self.desk is not None:
            yield self.desk
            return
        with spoken():
            yield Desk(stopping=self.stopping, tally=Tally(hear=logged), proxies=proxies())

    async def close(self) -> None:
        """Close what was made here."""
        if self._own is not None:
            await self._own.close()
