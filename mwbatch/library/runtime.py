"""What the methods of a home work with: its store, the way to the API, and where a command's notes go."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mwbatch.commands.context.context import Context
from mwbatch.core.report.progress import Tally
from mwbatch.core.urls.hosts import origin
from mwbatch.core.words.values import MOST_CONCURRENT
from mwbatch.errors import UsageError
from mwbatch.journal.interface.store import Store
from mwbatch.library.messages import logged, spoken
from mwbatch.library.settings.environment import api_key, base_url, proxies

if TYPE_CHECKING:
    from mwbatch.client import Client as Calls
    from mwbatch.library.client import Client


def missing_key() -> str:
    """Why the environment has no API key, in words; empty where it has one."""
    try:
        api_key()
    except UsageError as error:
        return str(error)
    return ""


def client_of_the_environment() -> "Client":
    """A client with the key and at the URL that the environment names."""
    from mwbatch.library.client import Client

    return Client(concurrency=MOST_CONCURRENT)


@dataclass(slots=True)
class Runtime:
    """One home with what acts on it.

    ``client`` is somebody else's to close; without one ``opener`` makes one when the API is first asked,
    which is closed with the home. ``url`` says where that will lead, and ``no_key`` why there will be none.
    ``context`` is the command line's, which speaks its own language; else each command gets one that logs.
    """

    store: Store
    client: "Client | None" = None
    context: Context | None = None
    opener: Callable[[], "Client"] = client_of_the_environment
    url: Callable[[], str] = base_url
    no_key: Callable[[], str] = missing_key
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _own: "Client | None" = None

    def api(self) -> "Calls":
        """The API. Raises `UsageError` where nothing says by which key."""
        there = self.client or self._own
        if there is None:
            there = self._own = self.opener()
        return there._api  # noqa: SLF001 (our own)

    def api_where(self, *, needed: bool) -> "Calls | None":
        """The API where it is needed; else none, and no key is asked for."""
        return self.api() if needed else None

    @property
    def origin(self) -> str:
        """The API that would be asked, whether there is a key for it or not."""
        return self.client.origin if self.client else origin(self.url())

    def lacks(self) -> str:
        """Why nothing can be sent for want of a key; empty where it can."""
        return "" if self.client or self._own else self.no_key()

    @contextmanager
    def at_work(self) -> Iterator[Context]:
        """A context for one command, and errors in the language of whoever calls it."""
        if self.context is not None:
            yield self.context
            return
        with spoken():
            yield Context(stopping=self.stopping, tally=Tally(hear=logged), proxies=proxies())

    async def close(self) -> None:
        """Close what was made here."""
        if self._own is not None:
            await self._own.close()
