"""The connections to one API: of one event loop, so many in use at a time, each for so long.

A connection on which something arrived while nobody waited for an answer is never handed out: aiohttp (tried
with 3.14.5) takes such bytes for the answer to the next request, and a task would be credited to the wrong
row. There is no public seam for a connection's protocol, so this file stands on private names
(`TCPConnector._factory`, `._loop`, `._release`, and the methods of `ResponseHandler`), and its tests fail
when one of them moves.
"""

import asyncio
import select
import socket
from collections import deque
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

from mwbatch.errors import UsageError

KEEP_IDLE: Final = 10.0
"""Seconds after which an idle connection is dropped: servers and proxies close theirs without a word."""

Job = asyncio.Task[Any]


class Belonging:
    """To which event loop an object belongs: the one in which it is first used.

    What holds sockets would write in another where nobody listens for the answer. ``what`` names it, with its
    article.
    """

    __slots__ = ("_closed", "_loop", "_what")

    def __init__(self, what: str) -> None:
        self._what, self._closed = what, False
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        """Raise `UsageError` unless it may be used here and now."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._closed:
            self._take(loop)

    def end(self) -> None:
        """It is being closed; that may happen twice, and in any loop once its own is gone.

        Raises:
            UsageError: its own loop lives elsewhere.
        """
        if self._loop is not None and not self._loop.is_closed():
            self._same(asyncio.get_running_loop())
        self._closed = True

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._closed:
            raise UsageError(f"{self._what} that was closed is used no more: make a new one")
        self._loop = self._loop or loop
        self._same(loop)

    def _same(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            raise UsageError(
                f"{self._what} belongs to one event loop, and this one was used in another: make a new one "
                "inside the function that asyncio.run() runs"
            )


class Slots:
    """At most ``most`` have their turn at a time; first come, first served. Whoever took one MUST end it.

    It is no `asyncio.Semaphore`: that makes a coroutine for each turn, and looks through all who wait. For a
    create, which seldom waits, this takes 0.2 µs and that 2.1.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a turn, if there is one now: there is none while anybody waits."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Wait for a turn, and take it. Cancelled, none was taken."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end()  # it had come, and passes on
            raise

    def end(self) -> None:
        """Let the next one have this turn."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # it is where its task was cancelled
                turn.set_result(None)
                return
        self._free += 1


class Watchdog:
    """Cancels each watched task whose request is older than ``limit`` seconds.

    A timer per request costs more than the request's own bookkeeping, and aiohttp's read time-out is renewed
    by every byte that trickles in. It looks five times per limit, and at least once a second.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._period = min(1.0, limit / 5)
        self._since: dict[Job, tuple[float, int]] = {}
        self._cut: dict[Job, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Job:
        """Watch the running task from now on; it has one request in flight at a time."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "requests are sent from tasks"
        self._since[task] = loop.time(), task.cancelling()
        if self._timer is None:
            self._timer = loop.call_later(self._period, self._look, loop)
        return task

    def end(self, task: Job) -> bool:
        """Stop watching; whether the request was cut by us and by nobody else."""
        self._since.pop(task, None)
        before = self._cut.pop(task, None)
        return before is not None and task.uncancel() <= before

    def stop(self) -> None:
        """Look no more, until something begins again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in self._overdue(loop.time()):
            _, self._cut[task] = self._since.pop(task)
            task.cancel()
        self._timer = loop.call_later(self._period, self._look, loop) if self._since else None

    def _overdue(self, now: float) -> list[Job]:
        """The oldest stand first, so looking ends at the first that is young enough."""
        overdue = []
        for task, (since, _) in self._since.items():
            if now - since < self.limit:
                break
            overdue.append(task)
        return overdue


class Quiet(ResponseHandler):
    """A connection that ends itself when it is spoken to while idle."""

    idle = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
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
    await asyncio.sleep(0)
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
