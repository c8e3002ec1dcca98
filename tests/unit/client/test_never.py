"""What a client never does: ask a Location, read another request's answer, send a cookie."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.client.transport.aiohttp_wire import AiohttpWire
from mwbatch.client.transport.wire import WireResponse
from mwbatch.errors import Halted, Unsure
from tests.unit.client.conftest import ADDRESS, KEY, Start, Talk, always, http

Call = Callable[[Client], Awaitable[object]]

CALLS: dict[str, Call] = {
    "create": lambda client: client.create_tagging_task("https://ibb.co/fmMFRQ", ADDRESS),
    "retrieve": lambda client: client.retrieve("t1"),
    "list": lambda client: client.list_page(),
    "cancel": lambda client: client.cancel("t1"),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", CALLS)
async def test_a_location_is_never_asked(name: str, status: int, start: Start) -> None:
    """A redirect of any call halts, whatever it is, and nobody asks where it leads:
    it would carry key and form there.
    """
    elsewhere = await start(always(http({"task_id": "t1", "docs": []})))
    here = await start(always(http(None, f"{status} Go", f"Location: {elsewhere.url}/v1/tasks")))
    async with Client(KEY, here.url, 5.0, tries=2) as client:
        with pytest.raises(Halted):
            await CALLS[name](client)
    assert (len(here.requests), elsewhere.connections) == (1, 0)


LATE: dict[str, Callable[[AiohttpWire], Coroutine[Any, Any, WireResponse]]] = {
    "create": lambda wire: wire.send("POST", "/v1/x", body=b"a=1"),
    "read": lambda wire: wire.send("GET", "/v1/x"),
}


@pytest.mark.parametrize("when", ["cut", "cancelled"])
@pytest.mark.parametrize("name", LATE)
async def test_an_answer_after_its_limit_is_nobodys(name: str, when: str, start: Start) -> None:
    """A request that was given up keeps its connection to itself: the next one, sent meanwhile,
    reads its own answer.
    """
    given_up = asyncio.Event()

    async def late(talk: Talk) -> None:
        await talk.hear()
        if len(talk.server.requests) == 1:
            given_up.set()
            await talk.hear()
            await talk.say(http("of 1"), pause=0)
        await talk.say(http(f"of {len(talk.server.requests)}"), pause=0)

    server = await start(late)
    wire = AiohttpWire(KEY, server.url, timeout=0.3 if when == "cut" else 30.0)
    first = asyncio.create_task(LATE[name](wire))
    await given_up.wait()
    if when == "cancelled":
        first.cancel()
    with pytest.raises((Unsure, asyncio.CancelledError)):
        await first
    assert (await LATE[name](wire)).body == b'"of 2"'
    await wire.close()


async def test_no_cookie_is_ever_sent(start: Start) -> None:
    """What the API sets as a cookie is not sent back, under a name neither:
    aiohttp's own jar takes none from an address.
    """
    server = await start(always(http({}, "200 OK", "Set-Cookie: session=1; Path=/")))
    wire = AiohttpWire(KEY, server.url.replace("127.0.0.1", "localhost"))
    for send in (*LATE.values(), *LATE.values()):
        await send(wire)
    await wire.close()
    assert not any(b"ookie" in request for request in server.requests)
