"""Whether a byte left, and who may still write: what a wire says when it is cancelled, closed,
or used elsewhere.
"""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from mwbatch.client import Client, kept
from mwbatch.client.images import Images
from mwbatch.client.transport.aiohttp_wire import AiohttpWire
from mwbatch.core.facts.kinds import Verdict
from mwbatch.errors import UsageError
from tests.unit.client.conftest import ADDRESS, KEY, Server, Start, Talk
from tests.unit.client.transport.test_pool import Strayer

LOOPS = pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
Make = Callable[[], asyncio.AbstractEventLoop]


async def silent(talk: Talk) -> None:
    await talk.hear()
    await talk.reader.read()


async def cancelled(sending: "asyncio.Task[object]") -> bool:
    """Cancel a request; whether it says that none of its bytes left."""
    sending.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await sending
    assert type(raised.value) is asyncio.CancelledError  # anything else would pass `asyncio.timeout` by
    return kept(raised.value)


def create(wire: AiohttpWire) -> "asyncio.Task[object]":
    return asyncio.create_task(wire.send("POST", "/v1/x", body=b"a=1"))


async def heard(server: Server, count: int) -> None:
    """Wait until a server has had so many requests."""
    for _ in range(5000):
        if len(server.requests) >= count:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("they never came")


async def test_cancelled_before_it_left_or_after(start: Start) -> None:
    """A create that was written says nothing when it is cancelled;
    one that waits for its turn says that none left.
    """
    server = await start(silent)
    wire = AiohttpWire(KEY, server.url, limit=1)
    first = create(wire)
    await heard(server, 1)
    second = create(wire)
    await asyncio.sleep(0)
    assert (await cancelled(second), await cancelled(first)) == (True, False)
    await wire.close()
    assert len(server.requests) == 1


async def test_cancelled_in_its_first_moment(start: Start) -> None:
    """Cancelled in whichever of its first turns of the loop,
    a create that says that none left was never heard of.
    """
    for turns in range(12):
        server = await start(silent)
        wire = AiohttpWire(KEY, server.url)
        sending = create(wire)
        for _ in range(turns):
            await asyncio.sleep(0)
        kept_back = await cancelled(sending)
        await asyncio.sleep(0.01)
        assert not (kept_back and server.requests)
        await wire.close()


async def test_cancelled_while_it_connects() -> None:
    """A create whose connection hangs says that none left."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for waiting in queued:
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        wire = AiohttpWire(KEY, f"http://127.0.0.1:{full.getsockname()[1]}")
        sending = create(wire)
        await asyncio.sleep(0.05)
        assert await cancelled(sending)
        await wire.close()
        for waiting in queued:
            waiting.close()


async def test_asyncio_timeout_works_around_a_create(start: Start) -> None:
    """A time-out of the caller's own is a TimeoutError, whether the request had left or not."""
    wire = AiohttpWire(KEY, (await start(silent)).url, limit=1)
    first = create(wire)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.send("POST", "/v1/x", body=b"a=1")
    assert not await cancelled(first)
    await wire.close()


async def used(client: Client) -> Verdict:
    return (await client.attempt("tagging", {"image_url": "x"}, ADDRESS)).verdict


@LOOPS
def test_a_client_stays_in_its_loop(make: Make) -> None:
    """In a second event loop a client refuses before anything is written;
    once its own loop is gone it may be closed.
    """
    server = Strayer(None, 0)
    server.start()
    client = Client(KEY, server.url, tries=1)
    with asyncio.Runner(loop_factory=make) as own, asyncio.Runner(loop_factory=make) as other:
        assert own.run(used(client)) is Verdict.UNKNOWN
        for use in (used(client), client.list_page(), client.close()):
            with pytest.raises(UsageError, match="belongs to one event loop"):
                other.run(use)
        own.run(asyncio.sleep(0.1))  # it hears that the server has hung up
    with pytest.raises(UsageError, match="belongs to one event loop"):
        asyncio.run(used(client))
    asyncio.run(client.close())
    assert server.connections == 1
    server.end()


@LOOPS
def test_a_turn_is_not_waited_for_elsewhere(make: Make) -> None:
    """Where every turn is taken a client is refused in another loop at once:
    nobody there would ever get one.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        asyncio.Runner(loop_factory=make) as own,
        asyncio.Runner(loop_factory=make) as other,
    ):
        client = Client(KEY, f"http://127.0.0.1:{mute.getsockname()[1]}", limit=1)
        taken = own.get_loop().create_task(used(client))
        own.run(asyncio.sleep(0.05))
        with pytest.raises(UsageError, match="belongs to one event loop"):
            other.run(asyncio.wait_for(used(client), 5))
        taken.cancel()
        own.run(client.close())


async def test_a_closed_client_is_closed(start: Start) -> None:
    """After `close` a client refuses before anything is written, also what waited for its turn then."""
    server = await start(silent)
    client = Client(KEY, server.url, limit=1)
    first = asyncio.create_task(used(client))
    await heard(server, 1)
    second, third = (asyncio.create_task(used(client)) for _ in range(2))
    await asyncio.sleep(0)
    await client.close()
    assert await first is Verdict.UNKNOWN
    for refused in (second, third, used(client), client.list_page()):
        with pytest.raises(UsageError, match="was closed"):
            await asyncio.wait_for(refused, 10)
    assert len(server.requests) == 1


async def test_closed_while_it_connects(start: Start) -> None:
    """A create that has no connection yet when its client is closed is unsent."""
    server = await start(silent)
    client = Client(KEY, server.url)
    sending = asyncio.create_task(used(client))
    await asyncio.sleep(0)
    await client.close()
    assert await sending is Verdict.UNSENT
    assert server.requests == []


def test_images_stay_in_their_loop() -> None:
    """What measures images refuses before it was entered, in another loop, and when it was left."""
    images = Images()

    async def look() -> None:
        with pytest.raises(UsageError, match=r"an Images (measures|belongs)"):
            await images.measure("http://127.0.0.1:9/x.png")

    async def enter() -> None:
        await images.__aenter__()

    async def leave() -> None:
        await images.__aexit__(None, None, None)
        with pytest.raises(UsageError, match="was closed"):
            await images.unreachable("http://127.0.0.1:9/x.png")

    with asyncio.Runner() as own:
        own.run(look())
        own.run(enter())
        asyncio.run(look())
        own.run(leave())
