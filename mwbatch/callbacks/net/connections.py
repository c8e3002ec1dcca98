"""The open connections: how many there may be, which of them makes room for another,
and which never end by themselves.

aiohttp bounds the time of a head; the rest is here. At the cap the connection that has waited longest for a
request makes room, as in nginx (``ngx_drain_connections``): turning the new one away would let a thousand
idle connections lock the API out, and a sender who sends its request at once is never the one that waits
longest. Connections on which a callback was taken go last.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, cast

from aiohttp import StreamReader, web

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.net.descriptors import fitting

TICK: Final = 0.5
"""Seconds between two looks for answers that nobody takes."""


class Connections:
    """The connections of one server. What they do to each other is decided here; each is a `Connection`."""

    def __init__(self, server: web.Server, limits: Limits, counts: Counts, *, tls: bool = False) -> None:
        self._server, self._limits, self._counts, self._tls = server, limits, counts, tls
        # When each was accepted, and whether its handshake was heard to have ended well;
        # nothing else of it is kept.
        self._shaking: deque[tuple[float, list[bool]]] = deque()
        self._cap = fitting(limits.connections)
        # Both wait for a request, and who has waited longest comes first;
        # the last one of the known was answered 200.
        self._strangers: dict[Connection, None] = {}
        self._known: dict[Connection, None] = {}
        self._served: set[Connection] = set()
        self._by_http: dict[web.RequestHandler, Connection] = {}
        self._untaken: dict[Connection, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._answer, server.request_handler = server.request_handler, self._serve

    def __call__(self) -> "Connection":
        """A protocol for a connection that was accepted;
        with TLS it hears nothing before the handshake has ended well.
        """
        made = [False]
        if self._tls:
            self._shaking.append((asyncio.get_running_loop().time(), made))
        return Connection(self, self._server(), self._limits, made)

    def admit(self, new: "Connection") -> bool:
        """Whether a connection may stay; the one that has waited longest makes room if need be."""
        if len(self._by_http) >= self._cap:
            oldest = next(iter(self._strangers or self._known), None)
            if oldest is None:
                self._counts.turned_away += 1
                return False
            self._counts.evicted += 1
            self._end(oldest)
        self._strangers[new] = None
        self._by_http[new.http] = new
        return True

    def forget(self, gone: "Connection") -> None:
        """A connection has ended."""
        self._by_http.pop(gone.http, None)
        self._untaken.pop(gone, None)
        self._strangers.pop(gone, None)
        self._known.pop(gone, None)
        self._served.discard(gone)

    def refuse_head(self, connection: "Connection") -> None:
        """A head that grows and grows is not HTTP that we take."""
        self._counts.rejected[Reason.NOT_HTTP] += 1
        self._end(connection)

    def watch(self) -> None:
        """Begin to look, again and again, for answers that nobody takes, and for handshakes that failed."""
        loop = asyncio.get_running_loop()
        self._end_untaken(loop.time())
        self._count_failed(loop.time())
        self._timer = loop.call_later(TICK, self.watch)

    def unwatch(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Note, around every request, that its connection does not wait."""
        connection = self._by_http.get(request.protocol)
        if connection is None:  # it has ended while its request waited for its turn
            return await self._answer(request)
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)
        self._served.add(connection)
        waiting = self._strangers
        try:
            connection.begin(request)
            response = await self._answer(request)
            connection.finish(response)
            waiting = self._known if response.status == HTTPStatus.OK else self._strangers
            return response
        finally:
            if connection in self._served:  # it may have ended meanwhile
                self._served.discard(connection)
                waiting[connection] = None

    def _end_untaken(self, now: float) -> None:
        """A full buffer stays full for as long as its reader likes:
        no answer of ours is so long that it takes time.
        """
        for connection in [*self._by_http.values()]:
            if not connection.untaken:
                self._untaken.pop(connection, None)
            elif now - self._untaken.setdefault(connection, now) >= self._limits.answer_seconds:
                self._counts.untaken += 1
                self._end(connection)

    def _count_failed(self, now: float) -> None:
        """Handshakes that have not ended well in their time never will; the loop tells nobody of them."""
        while self._shaking and now - self._shaking[0][0] > self._limits.handshake_seconds + TICK:
            _, made = self._shaking.popleft()
            self._counts.rejected[Reason.TLS] += not made[0]

    def _end(self, connection: "Connection") -> None:
        """At once: `close` would wait until what was written is taken."""
        self.forget(connection)
        connection.transport.abort()


class Connection(asyncio.Protocol):
    """One connection: hands everything to aiohttp's protocol ``http``,
    and bounds a head before it is whole.
    """

    transport: asyncio.Transport

    def __init__(
        self, connections: Connections, http: web.RequestHandler, limits: Limits, made: list[bool]
    ) -> None:
        self._connections, self.http, self._limits, self._made = connections, http, limits, made
        self._head = 0
        self._answered = 0
        self._body: StreamReader | None = None
        self._ended = self._deaf = False

    @property
    def untaken(self) -> int:
        """Bytes that were answered, and that the kernel has no room for."""
        return self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may stay, or it ends at once."""
        # MUST NOT be proved by isinstance: uvloop's transports derive from none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)
        self._made[0] = True
        self._bound_sending()
        if self._connections.admit(self):
            self.http.connection_made(transport)
        else:
            self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It has ended."""
        self._connections.forget(self)
        self.http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self.http.data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > self._limits.head:
            self._connections.refuse_head(self)

    def begin(self, request: web.BaseRequest) -> None:
        """A request is being answered."""
        self._body = request.content
        # What follows is of the protocol that was asked for, to the parser:
        # no request would be heard any more.
        self._deaf = "Upgrade" in request.headers
        if self._ended and not self._owes:  # its rest will never come
            self.transport.close()

    def finish(self, response: web.StreamResponse) -> None:
        """It was answered; the connection ends with the last answer where nothing more will come."""
        self._answered, self._body = self._answered + 1, None
        if self._deaf or (self._ended and not self._waiting):
            response.force_close()

    def eof_received(self) -> bool:
        """Nothing more will come: the transport closes, unless whole requests wait for their answers."""
        self.http.eof_received()
        self._ended = self._owes and not self.transport.get_extra_info(
            "sslcontext"
        )  # TLS has no half of a connection
        return self._ended

    def pause_writing(self) -> None:
        """The kernel has no room for more."""
        self.http.pause_writing()

    def resume_writing(self) -> None:
        """The kernel has room again."""
        self.http.resume_writing()

    def _bound_sending(self) -> None:
        socket_of_it = self.transport.get_extra_info("socket")
        socket_of_it.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.sending)

    @property
    def _waiting(self) -> Sequence[tuple[object, StreamReader]]:
        """The requests whose turn has not come; nothing public of aiohttp tells."""
        return self.http._messages  # noqa: SLF001

    @property
    def _owes(self) -> bool:
        """Whether the last request came whole, and is not answered yet; as long as nobody can tell,
        it did.
        """
        last = self._waiting[-1][1] if self._waiting else self._body
        if last is None:
            return self.http._request_count > self._answered  # noqa: SLF001
        return last.is_eof()

    @property
    def _in_head(self) -> bool:
        """Whether what came last belongs to a head that is not whole yet; nothing public of aiohttp tells."""
        waiter, heads = self.http._waiter, self.http._request_count  # noqa: SLF001
        return not heads or (waiter is not None and not waiter.done())
