"""Nothing that arrives on an idle connection answers a later request."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import aiohttp
import pytest
import uvloop

from mwbatch.client import aiohttp_wire
from mwbatch.client.aiohttp_wire import AiohttpWire

from .conftest import KEY, http

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
OWN, STRAY = http("own"), http("stray")


class Strayer(threading.Thread):
    """Answers the first request of every connection, and ``pause`` seconds later says ``more``;
    then it answers on.
    """

    def __init__(self, more: bytes | None, pause: float) -> None:
        super().__init__(daemon=True)
        self.more, self.pause, self.connections = more, pause, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self) -> None:
        """Accept until the socket is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                threading.Thread(target=self.talk, args=[connection], daemon=True).start()

    def end(self) -> None:
        """Accept no more."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def talk(self, connection: socket.socket) -> None:
        """Play the script on one connection."""
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(OWN)
            time.sleep(self.pause)
            if self.more is None:
                return
            connection.sendall(self.more)
            while connection.recv(65536):
                connection.sendall(OWN)


@pytest.fixture
def strayer() -> Iterator[Callable[[bytes | None, float], Strayer]]:
    begun: list[Strayer] = []

    def begin(more: bytes | None, pause: float) -> Strayer:
        begun.append(Strayer(more, pause))
        begun[-1].start()
        return begun[-1]

    yield begin
    for thread in begun:
        thread.end()


Begin = Callable[[bytes | None, float], Strayer]


async def two_requests(url: str, between: Callable[[], object]) -> list[bytes]:
    wire = AiohttpWire(KEY, url, timeout=2)
    bodies = []
    for _ in range(2):
        bodies.append((await wire.send("POST", "/v1/x", body=b"a=1")).body)
        if asyncio.iscoroutine(waited := between()):
            await waited
    await wire.close()
    return bodies


@pytest.mark.parametrize("make", LOOPS)
@pytest.mark.parametrize("more", [STRAY, STRAY[:30], b"\r\n", None], ids=["whole", "part", "newline", "end"])
@pytest.mark.parametrize("looking", [True, False], ids=["seen by the loop", "still in the kernel"])
def test_an_idle_connection_that_was_spoken_to_is_not_used(
    make: Callable[[], asyncio.AbstractEventLoop], more: bytes | None, looking: bool, strayer: Begin
) -> None:
    """A stray answer, a part of one, or an end on an idle connection: the next request goes elsewhere."""
    server = strayer(more, 0.05)
    between: Callable[[], object] = partial(asyncio.sleep, 0.15) if looking else partial(time.sleep, 0.15)
    with asyncio.Runner(loop_factory=make) as runner:
        assert runner.run(two_requests(server.url, between)) == [b'"own"', b'"own"']
    assert server.connections == 2


def test_two_answers_in_one_breath_spoil_the_connection(strayer: Begin) -> None:
    """A second answer right behind the first is not kept for the next request either."""
    server = strayer(STRAY, 0)
    assert asyncio.run(two_requests(server.url, partial(asyncio.sleep, 0.05))) == [b'"own"', b'"own"']


def test_aiohttp_by_itself_takes_the_stray(strayer: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with aiohttp's own pool the stray answers the next request,
    so the tests above can fail.
    """

    def plain(_: float) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector()

    monkeypatch.setattr(aiohttp_wire, "Connections", plain)
    server = strayer(STRAY, 0.05)
    assert asyncio.run(two_requests(server.url, partial(time.sleep, 0.15))) == [b'"own"', b'"stray"']
