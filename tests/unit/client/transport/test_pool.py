"""Nothing that arrives on an idle connection answers a later request; so many have their turn at a time, the
others in the order in which they came; one timer watches all that is in flight.
"""

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

from mwbatch.client.transport import aiohttp_wire
from mwbatch.client.transport.aiohttp_wire import AiohttpWire
from mwbatch.client.transport.pool import Slots, Watchdog
from tests.support.virtual import virtual
from tests.unit.client.conftest import KEY, http

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


async def begun(turns: Slots, order: list[int], *names: int) -> list[asyncio.Task[None]]:
    """Those who wait for a turn by now, and note their names once it has come."""

    async def one(name: int) -> None:
        await turns.wait()
        order.append(name)

    tasks = [asyncio.create_task(one(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_there_are_so_many_turns_and_no_more() -> None:
    """Each that was taken leaves one less, each that has ended one more."""
    turns = Slots(2)
    assert [turns.take() for _ in range(3)] == [True, True, False]
    turns.end()
    assert [turns.take() for _ in range(2)] == [True, False]


async def test_first_come_first_served() -> None:
    """A turn that ends is that of who has waited longest; whoever comes by meanwhile gets none."""
    turns, order = Slots(1), list[int]()
    assert turns.take()
    tasks = await begun(turns, order, 1, 2)
    turns.end()
    assert not turns.take()
    await tasks[0]
    assert order == [1]
    turns.end()
    await tasks[1]
    turns.end()
    assert (order, turns.take(), turns.take()) == ([1, 2], True, False)


@pytest.mark.parametrize("came", [True, False])
async def test_whoever_stops_waiting_takes_no_turn_with_him(came: bool) -> None:
    """Cancelled while he waits, or in the moment in which his turn comes, he leaves it to the next one."""
    turns, order = Slots(1), list[int]()
    assert turns.take()
    tasks = await begun(turns, order, 1, 2)
    if came:
        turns.end()
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    if not came:
        turns.end()
    await tasks[1]
    assert order == [2]
    turns.end()
    assert [turns.take() for _ in range(2)] == [True, False]


async def watched(dog: Watchdog, seconds: float) -> bool:
    """Sleep as a watched request; whether the watchdog cut it."""
    task = dog.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not dog.end(task):
            raise
        return True
    return dog.end(task)


@virtual
async def test_the_old_are_cut_and_the_young_are_not() -> None:
    """Each request is measured from its own beginning."""
    dog = Watchdog(0.2)
    old = asyncio.create_task(watched(dog, 5))
    await asyncio.sleep(0.15)
    young = asyncio.create_task(watched(dog, 0.15))
    assert (await old, await young) == (True, False)


@virtual
async def test_the_timer_rests_when_nothing_is_in_flight() -> None:
    """With no request in flight nothing ticks, and the next request is watched again."""
    dog = Watchdog(0.1)
    assert not await watched(dog, 0)
    await asyncio.sleep(0.05)
    assert dog._timer is None
    assert await watched(dog, 5)


@virtual
async def test_somebody_elses_cancel_wins() -> None:
    """A task cancelled by the watchdog and by somebody else at once ends cancelled."""
    dog = Watchdog(10)
    task = asyncio.create_task(watched(dog, 5))
    await asyncio.sleep(0)
    dog.limit = 0
    dog._look(asyncio.get_running_loop())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual
async def test_a_task_that_is_ending_may_still_send() -> None:
    """A request sent while its task is already being cancelled is cut like any other."""
    dog = Watchdog(0.05)

    async def ending() -> bool:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return await watched(dog, 5)
        return False

    task = asyncio.create_task(ending())
    await asyncio.sleep(0)
    task.cancel()
    assert await task


@virtual
async def test_a_stopped_watchdog_cuts_nothing() -> None:
    """After stop no request is cut."""
    dog = Watchdog(0.05)
    task = asyncio.create_task(watched(dog, 0.2))
    await asyncio.sleep(0)
    dog.stop()
    dog.stop()
    assert not await task
