"""A pool that never hands out a connection on which something arrived while nobody waited for an answer.

aiohttp (tried with 3.14.5) takes such bytes for the answer to the next request: a task would be credited to
the wrong row. There is no public seam for a connection's protocol, so this file stands on private names
(`TCPConnector._factory`, `._loop`, `._release`, and the methods of `ResponseHandler`), and its tests fail
when one of them moves.
"""

import select
import socket
from asyncio import BaseTransport, sleep
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aiohttp import (
    BaseConnector,
    ClientConnectionResetError,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
)
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

KEEP_IDLE: Final = 10.0
"""Seconds after which an idle connection is dropped: servers and proxies close theirs without a word."""


class Quiet(ResponseHandler):
    """A connection that ends itself when it is spoken to while idle."""

    idle = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Listen, without reading, from the start."""
        super().connection_made(transport)
        self._ear = select.poll()
        self._ear.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 (aiohttp's own)
        """Expect an answer from now on."""
        self.idle = False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Take bytes only as part of an answer; aiohttp itself passes none, to go on with what it has."""
        if self.idle and data:
            self.abort()
        else:
            super().data_received(data)

    def is_connected(self) -> bool:
        """Whether a request may go out here."""
        if not super().is_connected():
            return False
        # Bytes, or the end, may wait in the kernel where the loop has not looked yet.
        return not self.idle or not (self.should_close or self._ear.poll(0))


class Connections(TCPConnector):
    """Connections each of which is `Quiet`, as many as are asked for;
    ``timeout`` (s) bounds what the kernel may hold back.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__(limit=0, keepalive_timeout=KEEP_IDLE, socket_factory=sockets(timeout))
        protocol: type[ResponseHandler] = Quiet
        self._factory = partial(protocol, loop=self._loop)

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        if isinstance(protocol, Quiet):
            protocol.idle = True
        super()._release(key, protocol, should_close=should_close)


class Spoiled(ClientConnectionResetError):
    """A connection was not fit to be written on, and nothing was."""


async def connected(pool: BaseConnector, route: ClientRequest, limits: ClientTimeout) -> Connection:
    """A connection for requests that go where ``route`` goes; raises what says that none was made,
    as a session would.
    """
    # What gets ready in one turn of the loop leaves side by side in the next:
    # a request that leaves alone wakes whoever
    # reads it by itself, which costs a sixth of all.
    await sleep(0)
    try:
        return await pool.connect(route, [], limits)
    except TimeoutError as error:
        raise ConnectionTimeoutError(f"Connection timeout to host {route.url}") from error


async def exchange(connection: Connection, request: bytes) -> tuple[RawResponseMessage, StreamReader]:
    """Write a whole request, in one piece, and read the head of its answer;
    raises `Spoiled` where it is not written.

    A session does the same in three times the time: it makes an object of the request, one of its answer, and
    on Python 3.11 a task to write a body.
    """
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or transport.is_closing() or protocol.should_close:
        raise Spoiled("the connection was lost, or spoken on, before it was used")
    protocol.set_response_params(read_until_eof=True)
    transport.write(request)
    while True:
        message, content = await protocol.read()
        if not 100 <= message.code < 200 or message.code == 101:
            return message, content


def sockets(timeout: float) -> Callable[[Any], socket.socket]:
    """Make sockets whose unacknowledged bytes are given up after ``timeout`` seconds (Linux; tcp(7)).

    Without it a kernel may deliver a request long after we gave up waiting for its answer.
    """

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(timeout * 1000)))
        return made

    return make
