"""The listening socket: what aiohttp's own site leaves open."""

import asyncio
import ssl

from aiohttp import web

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.net.connections import Connections


class Site(web.BaseSite):
    """A listening socket with a deadline for TLS handshakes and bounds on connections,
    which aiohttp's has not.
    """

    __slots__ = ("_connections", "_host", "_limits", "port")

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
        self._host, self.port, self._limits = host, port, limits
        server = runner.server
        assert server is not None  # BaseSite has seen to it
        self._connections = Connections(server, limits, counts, tls=tls is not None)

    @property
    def name(self) -> str:
        """The URL at which it listens."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"

    async def start(self) -> None:
        """Listen; raises OSError where that cannot be."""
        await super().start()
        listening = await asyncio.get_running_loop().create_server(
            self._connections,
            self._host,
            self.port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=self._limits.handshake_seconds if self._ssl_context else None,
            ssl_shutdown_timeout=self._limits.lingering_seconds if self._ssl_context else None,
        )
        self._server = listening
        self.port = listening.sockets[0].getsockname()[1]
        self._connections.watch()

    async def stop(self) -> None:
        """Listen no more."""
        self._connections.unwatch()
        await super().stop()
