"""A graceful end: what is in flight is answered, what idles is closed.

aiohttp's own shutdown waits for handlers, but drops every byte that arrives from then on (3.14.5,
`data_received` when ``_close`` is set), so that half a body would never become a whole one. This goes before
it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

from aiohttp import web

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""What makes the answer to a request."""

JUST_ARRIVED: Final = 0.05
"""Seconds in which a request that arrived before the end gets to its handler."""


class InFlight:
    """The connections on which a request is being answered."""

    def __init__(self) -> None:
        self._busy: set[web.RequestHandler] = set()
        self._ended = asyncio.Event()
        self._closing = False

    def watched(self, answer: Answer) -> Answer:
        """The same handler; each request is known for as long as it is being answered."""

        async def watch(request: web.BaseRequest) -> web.StreamResponse:
            self._busy.add(request.protocol)
            try:
                response = await answer(request)
            finally:
                self._busy.discard(request.protocol)
                self._ended.set()
            if self._closing:  # or the sender would put its next request on this connection
                response.force_close()
            return response

        return watch

    async def drain(self, connections: Iterable[web.RequestHandler], seconds: float) -> None:
        """Close what idles, and wait until everything in flight is answered, at most for ``seconds``."""
        self._closing = True
        await asyncio.sleep(JUST_ARRIVED)
        for connection in connections:
            if connection not in self._busy:
                connection.force_close()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._busy:
                    self._ended.clear()
                    await self._ended.wait()
