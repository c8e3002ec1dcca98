"""The listening socket: what aiohttp's own site leaves open."""

import asyncio
import ssl
from typing import cast

from aiohttp import web

from mwbatch.callbacks.counts import Counts
from mwbatch.callbacks.limits import Limits


class Site(web.BaseSite):
    """A listening socket with a deadline for TLS handshakes and a cap on connections, which aiohttp's has not."""

    __slots__ = ("_counts", "_host", "_limits", "port")

    def __init__(
        self,
        runner: web.ServerRunner,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        limits: Limits,
        counts: Counts,
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=limits.queue)
        self._host, self.port, self._limits, self._counts = host, port, limits, counts

    @property
    def name(self) -> str:
        """The URL at which it listens."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"

    async def start(self) -> None:
        """Listen; raises OSError where that cannot be."""
        await super().start()
        listening = await asyncio.get_running_loop().create_server(
            self._protocol,
            self._host,
            self.port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=self._limits.handshake_seconds if self._ssl_context else None,
            ssl_shutdown_timeout=self._limits.lingering_seconds if self._ssl_context else None,
        )
        self._server = listening
        self.port = listening.sockets[0].getsockname()[1]

    def _protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._limits.connections:
            self._counts.turned_away += 1
            return _TurnedAway()
        return server()


class _TurnedAway(asyncio.Protocol):
    """A connection above the cap."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # MUST NOT be proved by isinstance: uvloop's transports derive from none of asyncio's classes.
        cast(asyncio.Transport, transport).abort()
